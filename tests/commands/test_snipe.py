"""`sniper snipe`: a token checked, launches listed and shown, a run that starts, ends and refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.sniping import launches
from sniper_cli.sniping.listings import Listing
from state.launches import Decision
from tests.chain_fixtures import Chain
from tests.zoo import list_token

Run = Callable[..., Any]
NOBODY = "0x00000000000000000000000000000000000000aa"


@pytest.fixture
async def prepared(home: Path, anvil: Chain) -> AsyncIterator[Chain]:
    """A home whose devnet is the test's chain, with a wallet that has coins."""
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10**19)])
        yield anvil


@pytest.mark.anvil
async def test_checking_a_good_token_exits_0_with_every_check_and_its_figure(
    prepared: Chain, sniper: Run
) -> None:
    token, _ = await list_token(prepared.node, prepared.exchange, "Normal")
    ran = sniper("snipe", "check", token, "--json")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert (report["verdict"], report["token"], report["reasons"]) == ("safe", token, [])
    assert report["liquidity"] == str(10 * 10**18)
    assert {"name", "outcome", "detail"} <= set(report["checks"][0])


@pytest.mark.anvil
async def test_checking_a_bad_token_exits_6_and_says_why(prepared: Chain, sniper: Run) -> None:
    token, _ = await list_token(prepared.node, prepared.exchange, "SellFlag")
    ran = sniper("snipe", "check", token)
    assert ran.code == 6
    assert "unsafe" in ran.stdout
    assert "selling fails" in ran.stdout


@pytest.mark.anvil
async def test_a_token_without_a_pool_is_not_found(prepared: Chain, sniper: Run) -> None:
    ran = sniper("snipe", "check", NOBODY)
    assert ran.code == 7
    assert "hint:" in ran.stderr


@pytest.mark.anvil
async def test_a_run_starts_ends_in_time_and_buys_nothing_when_rehearsed(
    prepared: Chain, sniper: Run
) -> None:
    ran = sniper("snipe", "run", "-p", "devnet", "--dry-run", "--duration", "1s")
    assert ran.code == 0, ran.stderr
    assert "watching from block" in ran.stderr
    assert "stopped: as asked" in ran.stderr
    assert ran.stdout == ""


def test_what_is_no_address_is_a_usage_problem(sniper_inside: Run) -> None:
    ran = sniper_inside("snipe", "check", "0x12")
    assert (ran.code, "no address" in ran.stderr) == (2, True)


def test_without_a_devnet_a_check_says_how_to_start_one(sniper_inside: Run) -> None:
    ran = sniper_inside("snipe", "check", NOBODY)
    assert ran.code == 3
    assert "sniper devnet start" in ran.stderr


def test_a_paper_profile_cannot_snipe(sniper_inside: Run) -> None:
    sniper_inside("init")
    ran = sniper_inside("snipe", "run")
    assert ran.code == 3
    assert "--profile devnet" in ran.stderr


def test_live_money_needs_a_live_profile(sniper_inside: Run) -> None:
    sniper_inside("init")
    ran = sniper_inside("snipe", "run", "--live", "-p", "devnet")
    assert ran.code == 4


def test_a_live_profile_needs_live(sniper_inside: Run) -> None:
    sniper_inside("init")
    ran = sniper_inside("snipe", "run", "-p", "devnet", env={"SNIPER_MODE": "live"})
    assert ran.code == 4
    assert "--live" in ran.stderr


def test_a_live_run_asks_first_and_never_hangs_without_a_terminal(sniper_inside: Run) -> None:
    sniper_inside("init")
    ran = sniper_inside("snipe", "run", "-p", "devnet", "--live", env={"SNIPER_MODE": "live"})
    assert ran.code == 2
    assert "at most 20 positions" in ran.stderr


def test_no_launches_are_an_empty_list(sniper_inside: Run) -> None:
    sniper_inside("init")
    ran = sniper_inside("snipe", "launches", "--json")
    assert (ran.code, json.loads(ran.stdout)) == (0, [])


def test_a_launch_is_shown_by_its_tail_its_token_or_its_pool(home: Path, sniper_inside: Run) -> None:
    listing = Listing(
        pool="0x" + "b" * 40,
        token="0x" + "a" * 40,
        quote_token="0x" + "c" * 40,
        factory="0x" + "d" * 40,
        block_number=5,
        block_hash="0x01",
        tx_hash="0x02",
        received_at=0,
    )
    with demo_context(home, "tests") as context, context.database.write() as session:
        launch, _ = launches.record_seen(session, 31337, listing, actor="tests")
        launches.record_decision(session, launch.id, Decision.SKIPPED, "a test", actor="tests")
        identifier = launch.id
    for name in (
        str(identifier),
        identifier.hex[-12:],
        listing.token,
        listing.pool.upper().replace("0X", "0x"),
    ):
        shown = sniper_inside("snipe", "show", name, "--json")
        assert shown.code == 0, shown.stderr
        assert json.loads(shown.stdout)["id"] == str(identifier)
    listed = json.loads(
        sniper_inside("snipe", "launches", "--json", "--fields", "token,decision,reasons").stdout
    )
    assert listed == [{"token": listing.token, "decision": "skipped", "reasons": ["a test"]}]


def test_an_unknown_launch_is_not_found(sniper_inside: Run) -> None:
    sniper_inside("init")
    assert sniper_inside("snipe", "show", "0123456789ab").code == 7
    assert sniper_inside("snipe", "launches", "--verdict", "nice").code == 2


@pytest.mark.anvil
async def test_a_dossier_is_shown_with_the_calls_that_prove_it(prepared: Chain, sniper: Run) -> None:
    token, _ = await list_token(prepared.node, prepared.exchange, "Mintable")
    ran = sniper("snipe", "check", token, "--json")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["level"] == "standard"
    mints = next(line for line in report["groups"]["powers"] if line["name"] == "mints")
    assert (mints["outcome"], mints["weight"]) == ("fail", "warn")
    assert mints["evidence"][0]["data"].startswith("0x40c10f19")  # mint(address,uint256)
    assert mints["detail"] in report["warnings"]

    told = sniper("snipe", "check", token, "--level", "cautious", env={"COLUMNS": "240"})
    assert told.code == 6
    assert "can make new tokens" in told.stdout


@pytest.mark.anvil
async def test_the_settings_decide_what_a_line_weighs(prepared: Chain, sniper: Run) -> None:
    token, _ = await list_token(prepared.node, prepared.exchange, "Mintable")
    assert sniper("config", "set", "sniping.policy.mints", "refuse").code == 0
    ran = sniper("snipe", "check", token, "--json", "--fields", "verdict,reasons")
    assert ran.code == 6
    assert "can make new tokens" in json.loads(ran.stdout)["reasons"][0]


def test_a_level_that_is_none_is_a_usage_error(sniper_inside: Run) -> None:
    ran = sniper_inside("snipe", "check", NOBODY, "--level", "reckless")
    assert ran.code == 2
    assert "sniper snipe levels" in ran.stderr


def test_levels_are_listed_line_by_line(sniper_set_up: Run) -> None:
    rows = {row["line"]: row for row in json.loads(sniper_set_up("snipe", "levels", "--json").stdout)}
    assert rows["seizes"]["standard"] == "refuse, warn"
    assert rows["mints"]["in_force"] == rows["mints"]["standard"] == "warn"
    assert rows["mints"]["about"]
