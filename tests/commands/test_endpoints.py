"""`sniper endpoints` through its door, with a real chain to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.exchange import Exchange
from sniper_cli.endpoints.readings import write_readings
from state.columns import utc_now
from state.database import Database
from state.endpoints import EndpointReading
from tests.commands.conftest import Ran

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]
Run = Callable[..., Ran]
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def url(anvil_process: tuple[Anvil, Exchange]) -> str:
    return anvil_process[0].http_url


@pytest.fixture
def run(sniper_set_up: Run) -> Run:
    return sniper_set_up


def rows(ran: Ran) -> Any:
    assert ran.code in (0, 5, 8), ran.stderr
    return json.loads(ran.stdout)


def error_of(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.stderr)["error"]
    return found


def listed(run: Run) -> dict[str, Any]:
    return {row["name"]: row for row in rows(run("endpoints", "list", "--json"))}


def test_a_node_is_looked_at_added_and_journalled(run: Run, url: str) -> None:
    done = rows(run("endpoints", "add", "one", url, "--rate", "25", "--json"))

    assert (done["act"], done["chain_id"], done["simulates"], done["websocket"], done["pending"]) == (
        "added",
        31337,
        True,
        True,
        True,
    )
    assert float(done["latency_ms"]) > 0
    row = listed(run)["one"]
    assert (row["state"], row["url"], row["per_second"], row["enabled"]) == ("unknown", url, "25", True)
    record = rows(run("audit", "tail", "--json"))[-1]
    assert record["kind"] == "endpoint.added"


def test_a_dry_run_adds_nothing(run: Run, url: str) -> None:
    done = rows(run("endpoints", "add", "one", url, "--dry-run", "--json"))

    assert (done["act"], done["dry_run"]) == ("added", True)
    assert listed(run) == {}


def test_a_node_that_does_not_answer_is_added_only_unchecked(run: Run) -> None:
    refused = run("endpoints", "add", "dead", DEAD, "--json")
    assert refused.code == 5
    assert "--no-check" in error_of(refused)["hint"]
    assert listed(run) == {}
    run("endpoints", "add", "dead", DEAD, "--no-check")

    assert list(listed(run)) == ["dead"]


def test_a_node_of_another_chain_is_refused(run: Run, url: str) -> None:
    refused = run("endpoints", "add", "one", url, "--chain", "1", "--json")

    assert refused.code == 3
    assert error_of(refused)["code"] == "wrong_chain"
    assert listed(run) == {}


@pytest.mark.parametrize(
    "argv",
    [
        ("Upper", DEAD),
        ("one", "https://node.example/v3/0123456789abcdef0123456789"),
        ("one", "not-an-address"),
        ("one", DEAD, "--rate", "0"),
        ("one", DEAD, "--ws-url", "http://x.example"),
    ],
)
def test_what_does_not_hold_is_refused_and_shows_no_key(run: Run, argv: tuple[str, ...]) -> None:
    refused = run("endpoints", "add", *argv, "--no-check", "--json")

    assert refused.code == 2
    assert "0123456789abcdef" not in refused.stderr + refused.stdout


def test_the_same_name_twice_is_refused(run: Run) -> None:
    run("endpoints", "add", "one", DEAD, "--no-check")

    assert run("endpoints", "add", "one", DEAD, "--no-check").code == 2


def test_a_secret_stands_in_lists_by_its_name(run: Run) -> None:
    address = "https://node.example/v3/{secret:infura}"
    done = run("endpoints", "add", "infura", address, "--no-check", "--json")
    assert rows(done)["url"] == address

    assert listed(run)["infura"]["url"] == address
    found = run("endpoints", "check", "infura", "--json")
    assert found.code == 5
    assert "no secret store holds 'infura'" in rows(found)[0]["problem"]


def test_a_filled_in_secret_is_told_by_no_command(run: Run) -> None:
    run("endpoints", "add", "infura", "http://127.0.0.1:9/{secret:infura}", "--no-check")
    found = run("endpoints", "check", "--json", env={"SNIPER_SECRET__INFURA": "verysecret"})

    assert found.code == 5
    assert "verysecret" not in found.stdout + found.stderr
    assert "{secret:infura}" in rows(found)[0]["problem"]


def test_check_tells_each_and_exits_by_what_can_be_used(run: Run, url: str) -> None:
    run("endpoints", "add", "one", url)
    assert run("endpoints", "check").code == 0
    run("endpoints", "add", "dead", DEAD, "--no-check")
    found = run("endpoints", "check", "--json")

    assert found.code == 8
    by_name = {row["name"]: row for row in rows(found)}
    assert by_name["one"]["reachable"]
    assert by_name["one"]["lag"] == 0
    assert not by_name["dead"]["reachable"]
    run("endpoints", "disable", "dead")
    assert run("endpoints", "check").code == 0


def test_remove_asks_and_a_near_name_is_meant(run: Run) -> None:
    run("endpoints", "add", "alchemy", DEAD, "--no-check")
    missing = run("endpoints", "remove", "alchmy", "--yes", "--json")
    assert missing.code == 7
    assert error_of(missing)["details"]["near"] == "alchemy"
    assert run("endpoints", "remove", "alchemy").code == 2
    assert rows(run("endpoints", "remove", "alchemy", "--dry-run", "--json"))["dry_run"]
    assert list(listed(run)) == ["alchemy"]
    assert run("endpoints", "remove", "alchemy", "--yes").code == 0

    assert listed(run) == {}


def test_disabled_and_enabled_again(run: Run) -> None:
    run("endpoints", "add", "one", DEAD, "--no-check")
    assert rows(run("endpoints", "disable", "one", "--dry-run", "--json"))["act"] == "disabled"
    assert listed(run)["one"]["state"] == "unknown"
    run("endpoints", "disable", "one")
    assert listed(run)["one"]["state"] == "disabled"
    assert rows(run("endpoints", "disable", "one", "--json"))["act"] == "nothing"
    run("endpoints", "enable", "one")

    assert listed(run)["one"]["enabled"]


def test_what_a_running_pool_wrote_is_shown_while_it_is_fresh(run: Run, home: Path) -> None:
    done = rows(run("endpoints", "add", "one", DEAD, "--no-check", "--json"))
    figures = {"lag": 3, "age_ms": 1500, "p50_us": 900, "p95_us": 2500, "breaker": "closed", "error_bps": 150}

    def write(age: float) -> None:
        with Database(f"sqlite:///{home}/data/sniper.db") as database:
            at = utc_now() - timedelta(seconds=age)
            reading = EndpointReading(
                endpoint_id=UUID(done["id"]), observer="x:1", state="lagging", head=97, figures=figures, at=at
            )
            write_readings(database, [reading])

    write(1)
    row = listed(run)["one"]
    assert (row["state"], row["head"], row["lag"]) == ("lagging", 97, 3)
    assert (row["age_seconds"], row["p50_ms"], row["p95_ms"], row["error_pct"]) == (
        "1.5",
        "0.9",
        "2.5",
        "1.5",
    )
    assert "◐ lagging" in run("endpoints", "list").stdout
    write(60)

    assert listed(run)["one"]["state"] == "unknown"


def test_nodes_in_the_settings_are_listed_and_their_keys_hidden(run: Run) -> None:
    key = "0123456789abcdef0123456789"
    env = {"SNIPER_ENDPOINTS__NODES": f"alchemy=https://node.example/v3/{key},http://10.0.0.7:8545"}
    found = run("endpoints", "list", "--json", env=env)
    told = run("config", "get", "endpoints.nodes", "--json", env=env)

    assert [(row["name"], row["url"], row["origin"]) for row in rows(found)] == [
        ("alchemy", "https://node.example/v3/***", "settings"),
        ("node-3", "http://10.0.0.7:8545", "settings"),
    ]
    assert key not in found.stdout + told.stdout
    assert "https://node.example/v3/***" in told.stdout
    assert run("endpoints", "remove", "alchemy", "--yes", env=env).code == 2
