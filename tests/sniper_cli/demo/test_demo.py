"""The demo as a user runs it: one command, one JSON object, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.demo.report import DemoReport, LaunchLine, TradeLine
from sniper_cli.demo.summary import summary_lines
from tests.conftest import PATIENCE, ROOT

pytestmark = pytest.mark.anvil

SEED = "5"
"""Its market begins with an honest token."""
LAUNCH_FIELDS = {"token", "pool", "protocol", "kind", "bad", "verdict", "reasons", "bought", "latency_ms"}
TRADE_FIELDS = {
    "token", "entry_tx", "exit_tx", "exit_rule", "spent_wei", "received_wei", "gas_wei", "profit_wei",
}  # fmt: skip


def processes_about(word: str) -> list[str]:
    """Command lines of running processes that contain a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line and int(folder.name) != os.getpid():
            found.append(line)
    return found


def test_the_demo_snipes_reconciles_and_says_so_in_json(sniper: Callable[..., Any], home: Path) -> None:
    ran = sniper("demo", "--duration", "8s", "--seed", SEED, "--json")
    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert set(report) == {"seed", "duration_s", "reconciled", "launches", "trades", "balances"}
    assert (str(report["seed"]), report["reconciled"]) == (SEED, True)
    assert report["balances"]["ledger_wei"] == report["balances"]["chain_wei"]
    assert report["launches"]
    for launch in report["launches"]:
        assert set(launch) == LAUNCH_FIELDS
        assert not (launch["bad"] and launch["bought"] and launch["kind"] != "rug_pull")
    assert any(launch["bought"] for launch in report["launches"])
    for trade in report["trades"]:
        assert set(trade) == TRADE_FIELDS
        earned = int(trade["received_wei"]) - int(trade["spent_wei"]) - int(trade["gas_wei"])
        assert trade["profit_wei"] == str(earned)
        assert trade["exit_tx"], "at the end of a demo everything has been sold"
    assert not processes_about(str(home))
    # The home was given, so it is kept, and every other command works on it.
    listed = json.loads(sniper("snipe", "launches", "--json").stdout)
    assert len(listed) == len(report["launches"])
    assert sniper("audit", "verify").code == 0


def test_ctrl_c_ends_a_demo_in_order(home: Path) -> None:
    command = [sys.executable, "-m", "sniper_cli", "demo", "--plain", "--duration", "60s"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "bought" in line or "watching" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "equal to the wei" in out
    deadline = time.monotonic() + PATIENCE
    while processes_about(str(home)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_summary_shows_a_disagreement_of_ledger_and_chain() -> None:
    report = DemoReport(7, 60, (), (), 10, 11, reconciled=False, differences=(("evm:1:native", 10, 11),))
    text = "\n".join(summary_lines(report, 100))
    assert "NOT EQUAL" in text
    assert "evm:1:native: ledger 10, chain 11" in text


def test_a_stranger_s_token_has_no_kind_and_a_profit_is_what_is_left_after_gas() -> None:
    line = LaunchLine("0xaa", "0xbb", "STR", None, None, "safe", (), "bought", bought=True, latency_us=30_100)
    trade = TradeLine("0xaa", "STR", "0x1", "0x2", "time", spent_wei=100, received_wei=150, gas_wei=20)
    report = DemoReport(7, 60, (line,), (trade,), 30, 30, reconciled=True).as_json()
    assert report["launches"][0]["kind"] is None
    assert report["launches"][0]["bad"] is None
    assert report["launches"][0]["latency_ms"] == 30.1
    assert report["trades"][0]["profit_wei"] == "30"
