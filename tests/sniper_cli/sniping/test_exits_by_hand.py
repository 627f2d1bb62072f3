"""Sales asked for on the command line: carried out there or by a sniper at work, once, whoever is killed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.sniping.attempts import sales_of
from state.positions import Position, PositionState, open_positions
from tests.conftest import ROOT
from tests.sniper_cli.sniping.test_bad_days import Hunter
from tests.zoo import list_token

pytestmark = pytest.mark.anvil


def command(home: Path, *arguments: str) -> Any:
    """What a command answers."""
    done = subprocess.run(
        [sys.executable, "-m", "sniper_cli", *arguments, "-p", "devnet", "--json"],
        env={**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_position_is_sold_by_hand_with_and_without_a_sniper_and_after_its_death_once(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with demo_context(home, "tests") as context:
        async with Anvil(block_seconds=1) as anvil, Node(anvil.http_url) as node:
            exchange = await deploy_exchange(node)
            await node.call("anvil_setBalance", [signer_of(context).address, hex(10**19)])
            with recorded(context.paths.data, anvil, exchange):
                first = Hunter(home)
                first.until("RunnerStarted")
                await list_token(node, exchange, "Normal")
                first.until("PositionOpened")
                assert first.end(signal.SIGTERM) == 0
                with context.database.read() as session:
                    position = open_positions(session)[0]
                    key, bought = position.id, position.quantity
                tail = key.hex[-12:]
                command(home, "position", "exits", "set", tail, "--take-profit", "off", "--stop-loss", "0",
                        "--trailing", "0", "--max-age", "0", "--yes")  # fmt: skip

                half = command(home, "position", "exit", tail, "--share", "50", "--yes")
                assert (half["carried_out_by"], half["state"]) == ("here", "sold")

                second = Hunter(home)
                second.until("RunnerStarted")
                command(home, "position", "exit", tail, "--yes", "--wait", "0")
                second.until("ExitDecided")
                second.end(signal.SIGKILL)
                third = Hunter(home)
                third.until("Recovered")
                with context.database.read() as session:
                    closed = session.get_one(Position, key).state is PositionState.CLOSED
                if not closed:
                    third.until("PositionClosed")
                assert third.end(signal.SIGTERM) == 0
        with context.database.read() as session:
            position = session.get_one(Position, key)
            assert (position.state, position.quantity) == (PositionState.CLOSED, 0)
            assert (
                sum(o.filled_quantity for o in sales_of(session, position.account_id, [key])[key]) == bought
            )
