"""A node that dies and comes back, a program killed with -9: nothing is bought twice, nothing is forgotten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.sniping.events import ConnectionBack, ConnectionLost, HeadSeen, PositionOpened
from state.database import Database
from state.locks import Lease
from state.orders import Order, Side
from state.positions import open_positions
from tests.chain_fixtures import KEYS, Chain
from tests.conftest import PATIENCE, ROOT
from tests.sniper_cli.sniping.conftest import Hunt, LocalSigner, sniping
from tests.zoo import list_token

pytestmark = pytest.mark.anvil


async def test_a_node_that_dies_and_comes_back_is_waited_for(
    sqlite_database: Database, tmp_path: Path
) -> None:
    state = tmp_path / "chain.json"
    async with Anvil(block_seconds=1, state_file=state) as first:
        port = first.port
        async with Node(first.http_url, ws_url=first.ws_url, timeout_seconds=1) as node:
            exchange = await deploy_exchange(node)
            address = LocalSigner(KEYS[1]).address
            account = await ensure_evm_account(sqlite_database, node, exchange, address, "hunter")
            hunt = Hunt(Chain(first, node, exchange), sqlite_database, account)
            await hunt.start(sniping())
            await list_token(node, exchange, "Normal")
            await hunt.until(PositionOpened)
            await first.stop()
            await hunt.until(ConnectionLost)
            async with Anvil(port, block_seconds=1, state_file=state):
                await hunt.until(ConnectionBack)
                token = (await list_token(node, exchange, "Normal")).token
                assert (await hunt.until(PositionOpened)).token == token
                await hunt.until(HeadSeen, lambda head: head.open_positions == 2)
                await hunt.stop()
                await hunt.require_true_ledger()


class Hunter:
    """`sniper snipe run` as a process."""

    def __init__(self, home: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "sniper_cli", "snipe", "run", "-p", "devnet", "--json", *arguments]
        environment = {**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def until(self, kind: str) -> dict[str, Any]:
        """The next event of a kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == kind:
                return event
        raise AssertionError(f"it ended without {kind}")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


async def test_a_hunter_killed_in_the_middle_of_a_purchase_buys_once_and_keeps_its_position(
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
                listing = await list_token(node, exchange, "Normal")
                assert first.until("BuySent")["token"] == listing.token
                first.end(signal.SIGKILL)
                # Its lease has an hour to go, and is taken over all the same: its process is known to be gone.
                with context.database.write() as session:
                    for lease in session.exec(select(Lease)):
                        lease.expires_at += timedelta(hours=1)
                second = Hunter(home)
                recovery = second.until("Recovered")
                assert recovery["orders"] + recovery["positions"] >= 1
                await list_token(node, exchange, "Normal")
                second.until("PositionOpened")
                assert second.end(signal.SIGTERM) == 0
        with context.database.read() as session:
            buys = session.exec(select(Order).where(Order.side == Side.BUY)).all()
            assert len(buys) == 2
            assert len(open_positions(session)) == 2
