"""`sniper devnet` from the outside: a chain in the background that every other command finds.

What starts a chain is a process of its own, as for a person: started from this one, it would stay as a zombie after
its end and seem to run. What only looks, asks or stops runs in this process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.chains.devnet.record import process_runs, read_record
from tests.conftest import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


Run = Callable[..., Any]


def run(home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sniper_cli", "devnet", *argv]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A devnet in the background, on any port, for the tests that only look at it."""
    home = tmp_path_factory.mktemp("devnet") / "home"
    ran = run(home, "start", "--detach", "--port", "0", "--json")
    assert ran.returncode == 0, ran.stderr
    yield home, json.loads(ran.stdout)
    run(home, "stop")


@pytest.fixture
def shared_devnet(shared: tuple[Path, dict[str, Any]], sniper_inside: Run) -> Run:
    """`sniper devnet …` in the home of the shared devnet."""

    def ask(*argv: str) -> Any:
        return sniper_inside("devnet", *argv, env={"SNIPER_HOME": str(shared[0])})

    return ask


def test_the_record_names_urls_contracts_accounts_and_the_known_keys(
    shared: tuple[Path, dict[str, Any]], shared_devnet: Run
) -> None:
    from eth_account import Account

    _, started = shared
    status = json.loads(shared_devnet("status", "--keys", "--json").stdout)
    assert status["running"] is True
    assert status["http_url"] == started["http_url"]
    assert status["ws_url"] == started["http_url"].replace("http", "ws")
    assert status["chain_id"] == 31337
    assert status["block"] >= 1
    assert started["keys"] is None
    assert [Account.from_key(key).address.lower() for key in status["keys"]] == started["accounts"]
    assert [each["protocol"] for each in status["exchanges"]] == ["uniswap_v2", "uniswap_v3", "uniswap_v4"]
    assert all(each["position_manager"] for each in status["exchanges"][1:])
    contracts = ("wrapped", "factory", "router")
    assert [status[name] for name in contracts] == [started[name] for name in contracts]


def test_funding_adds_coins_to_an_address(shared_devnet: Run) -> None:
    address = "0x00000000000000000000000000000000000a11ce"
    assert (
        json.loads(shared_devnet("fund", address, "--dry-run", "--json").stdout)["balance"]
        == "10.000000000000000000"
    )
    first = json.loads(shared_devnet("fund", address, "--amount", "2.5", "--json").stdout)
    second = json.loads(shared_devnet("fund", address, "--amount", "1", "--json").stdout)
    assert (first["balance"], second["balance"]) == ("2.500000000000000000", "3.500000000000000000")


def test_funding_an_unknown_wallet_or_a_part_of_a_wei_is_refused(shared_devnet: Run) -> None:
    unknown = shared_devnet("fund", "nobody")
    assert (unknown.code, "no wallet 'nobody'" in unknown.stderr) == (7, True)
    finer = shared_devnet("fund", "0x00000000000000000000000000000000000a11ce", "--amount", "1e-19")
    assert (finer.code, "hint: sniper devnet fund" in finer.stderr) == (2, True)


def test_a_second_start_in_the_same_home_is_refused(shared_devnet: Run) -> None:
    ran = shared_devnet("start", "--detach", "--port", "0")
    assert ran.code == 9
    assert "hint: sniper devnet stop" in ran.stderr


def test_the_background_tells_why_it_did_not_start(shared: tuple[Path, dict[str, Any]], home: Path) -> None:
    ran = run(home, "start", "--detach", "--port", shared[1]["http_url"].rpartition(":")[2])
    assert ran.returncode == 3
    assert "in use" in ran.stderr
    assert "hint: sniper devnet start --port 0" in ran.stderr


def test_a_market_is_staged_on_the_chain_that_runs(
    shared: tuple[Path, dict[str, Any]], shared_devnet: Run
) -> None:
    planned = json.loads(shared_devnet("stage", "--duration", "10s", "--dry-run", "--json").stdout)
    assert planned["http_url"] == shared[1]["http_url"]
    assert planned["launches"] >= 1


def test_after_a_stop_nothing_runs_and_a_start_goes_on(sniper: Run, sniper_inside: Run, home: Path) -> None:
    first = json.loads(sniper("devnet", "start", "--detach", "--port", "0", "--json").stdout)
    time.sleep(1.2)
    assert sniper_inside("devnet", "stop").code == 0
    assert not process_runs(first["pid"])
    assert json.loads(sniper_inside("devnet", "status", "--json").stdout)["running"] is False
    assert sniper("devnet", "start", "--detach", "--port", "0").code == 0
    again = json.loads(sniper_inside("devnet", "status", "--json").stdout)
    assert again["block"] >= 2
    sniper_inside("devnet", "stop")


def test_kill_9_of_its_process_leaves_no_anvil_and_the_next_start_works(
    sniper: Run, sniper_inside: Run, home: Path
) -> None:
    started = json.loads(sniper("devnet", "start", "--detach", "--port", "0", "--json").stdout)
    record = read_record(home / "data")
    assert record is not None
    os.kill(record.owner_pid, signal.SIGKILL)
    ran = sniper("devnet", "start", "--detach", "--port", "0", "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["pid"] != started["pid"]
    assert not process_runs(started["pid"])
    sniper_inside("devnet", "stop")


def test_in_the_foreground_an_interrupt_ends_it_in_order(home: Path) -> None:
    command = [sys.executable, "-m", "sniper_cli", "devnet", "start", "--port", "0", "-o", "jsonl"]
    environment = {**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    record = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert not process_runs(record["pid"])
    assert read_record(home / "data") is None


def test_beginning_anew_asks_first(sniper_inside: Run, home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "anvil-state.json").write_text("{}")
    ran = sniper_inside("devnet", "start", "--fresh", "--detach", "--port", "0")
    assert ran.code == 2
    assert "--yes" in ran.stderr


def test_without_the_packages_the_hint_installs_them(sniper: Run, tmp_path: Path) -> None:
    ran = sniper("devnet", "start", "--detach", env={"SNIPER_DEVNET_DIR": str(tmp_path / "none")})
    assert ran.code == 3
    assert "hint: sniper devnet install" in ran.stderr


def test_installing_twice_does_nothing(sniper_inside: Run) -> None:
    ran = sniper_inside("devnet", "install", "--json")
    assert ran.code == 0
    assert {row["state"] for row in json.loads(ran.stdout)} == {"installed"}
    assert ran.stderr == ""


def test_installing_without_a_terminal_wants_a_yes(sniper_inside: Run, tmp_path: Path) -> None:
    ran = sniper_inside("devnet", "install", env={"SNIPER_DEVNET_DIR": str(tmp_path / "none")})
    assert ran.code == 2
    assert "--yes" in ran.stderr


def test_nothing_is_done_in_a_dry_run(sniper_inside: Run, home: Path) -> None:
    ran = sniper_inside("devnet", "start", "--dry-run")
    assert ran.code == 0
    assert "would begin a new chain" in ran.stderr
    assert not (home / "data" / "devnet.json").exists()


def test_start_and_stop_stand_in_the_journal_of_a_home_that_has_one(sniper: Run, sniper_inside: Run) -> None:
    assert sniper_inside("init").code == 0
    assert sniper("devnet", "start", "--detach", "--port", "0").code == 0
    assert sniper_inside("devnet", "stop").code == 0
    records = json.loads(sniper_inside("audit", "tail", "--json").stdout)
    assert [row["kind"] for row in records if row["kind"].startswith("devnet.")] in (
        ["devnet.started", "devnet.stopped"],
        ["devnet.stopped", "devnet.started"],
    )


def test_without_a_chain_there_is_nothing_to_stage_on(sniper_inside: Run) -> None:
    ran = sniper_inside("devnet", "stage", "--duration", "10s")
    assert ran.code == 7
    assert "hint: sniper devnet start --detach" in ran.stderr
