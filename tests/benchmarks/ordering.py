"""The durable order path: one order after the other, each committed before it is sent and again when it is filled.

On paper the venue answers from memory, so the figures are the desk's and the database's own; on the local chain
the node's answers and the signature come in.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state import schema
from state.accounts import VenueKind
from state.database import Database
from state.orders import Side
from tests.desk_fixtures import WEI, Trader, make_trader
from tests.zoo import list_token

ORDERS = 200
BATCH = 50


async def measure() -> dict[str, str]:
    """Latencies of single orders and of a batch."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        with _database(folder, "paper") as database:
            results |= await _paper(database)
        with _database(folder, "chain") as database:
            async with _chain_trader(database) as trader:
                results |= await _chain(trader)
    return results


async def _paper(database: Database) -> dict[str, str]:
    account = ensure_account(database, deposit=Decimal(10_000_000))
    desk = OrderDesk(database, {VenueKind.PAPER: PaperVenue(SimulatedMarket(7))})

    def intent() -> OrderIntent:
        return OrderIntent(account.id, "paper:BTC/USDT", Side.BUY, str(uuid4()), budget=100 * 10**6)

    await desk.submit([intent()])
    times = []
    for _ in range(ORDERS):
        begun = time.perf_counter()
        await desk.submit([intent()])
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    await desk.submit([intent() for _ in range(BATCH)])
    batch = time.perf_counter() - begun
    return {
        "paper: intent to filled and booked (2 commits)": _spread(times),
        f"paper: a batch of {BATCH}": f"{batch / BATCH * 1000:.1f} ms an order",
    }


async def _chain(trader: Trader) -> dict[str, str]:
    steps: dict[str, float] = {}
    trader.desk.checkpoint = lambda step: steps.setdefault(step, time.perf_counter())
    planned, recorded, sent, booked = [], [], [], []
    for _ in range(ORDERS // 4):
        steps.clear()
        begun = time.perf_counter()
        await trader.buy(WEI // 1000)
        planned.append(steps["planned"] - begun)
        recorded.append(steps["recorded"] - begun)
        sent.append(steps["sent"] - begun)
        begun = time.perf_counter()
        await trader.refresh()
        booked.append(time.perf_counter() - begun)
    return {
        "chain: intent to planned (one request)": _spread(planned),
        "chain: intent to recorded, signed and committed": _spread(recorded),
        "chain: intent to accepted by the node": _spread(sent),
        "chain: a look at the chain, fill booked": _spread(booked),
    }


@asynccontextmanager
async def _chain_trader(database: Database) -> AsyncIterator[Trader]:
    async with Anvil(block_seconds=0) as anvil, Node(anvil.http_url) as node:
        exchange = await deploy_exchange(node)
        listing = await list_token(node, exchange, "Normal")
        yield await make_trader(database, node, exchange, listing.token, listing.pool)


def _database(folder: str, name: str) -> Database:
    database = Database(f"sqlite:///{Path(folder) / name}.db")
    schema.upgrade(database)
    return database


def _spread(times: list[float]) -> str:
    ranked = sorted(times)
    p50, p99 = ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
    return f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms ({len(ranked)} orders)"
