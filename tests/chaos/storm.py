"""Launch after launch while one node lags, one freezes and one dies; and what must hold at the end.

One anvil is the chain. Three `UnreliableNode`s in front of it are its nodes; Sniper, the real one with its desk, its
venue and its database, knows only them. The launches are listed on the anvil itself, so that no fault delays them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlmodel import select

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.endpoints.breaker import Breaker
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.model import ExitSettings, SnipingSettings
from sniper_cli.sniping.events import BuySent, HeadSeen, SniperEvent
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state.accounts import Account, VenueKind
from state.database import Database
from state.launches import Launch
from state.orders import Order, OrderState, Side
from state.positions import open_positions
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import KEYS
from tests.unreliable import UnreliableNode
from tests.zoo import anvil_account, balance_of, list_token

CHAIN = 31337
BLOCK_SECONDS = 0.5
LAUNCH_EVERY = 0.4
AMOUNT = Decimal("0.01")
TIMEOUT_SECONDS = 3.0
LAG_BLOCKS = 4
STALLED = 0.25
"""A read that takes longer has stalled."""
SETTLE_SECONDS = 60.0
OFF = Decimal(0)
NO_EXITS = ExitSettings(
    take_profit_pct=OFF,
    stop_loss_pct=OFF,
    trailing_pct=OFF,
    max_age_seconds=0,
    liquidity_drop_pct=OFF,
    watch_pending=False,
)
OWNER = anvil_account(9)


@dataclass
class Timings:
    """How long reads took, by what was broken meanwhile."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    phase: str = "all well"

    def note(self, seconds: float) -> None:
        self.taken.setdefault(self.phase, []).append(seconds)


class TimedPool(NodePool):
    """Keeps how long every read took that Sniper waited for."""

    timings: Timings

    async def call(self, method: str, params: Any = ()) -> Any:
        begun = time.monotonic()
        try:
            return await super().call(method, params)
        finally:
            self.timings.note(time.monotonic() - begun)

    async def batch(self, calls: Any, *, return_errors: bool = False) -> list[Any]:
        begun = time.monotonic()
        try:
            return await super().batch(calls, return_errors=return_errors)
        finally:
            self.timings.note(time.monotonic() - begun)

    async def decided(self, calls: Any) -> list[Any]:
        begun = time.monotonic()
        try:
            return await super().decided(calls)
        finally:
            self.timings.note(time.monotonic() - begun)

    async def steadily(self, work: Any, head: Any = None) -> Any:
        begun = time.monotonic()
        try:
            return await super().steadily(work, head)
        finally:
            self.timings.note(time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the storm came to."""

    launches: int
    bought: int
    seconds: float
    hedges: int
    retries: int
    sent_after: list[float]
    """Seconds from a launch's listing until its purchase was sent."""
    timings: Timings


async def storm(database: Database, launches: int) -> Tally:
    """All of it. Raises AssertionError where a launch was missed, bought twice or the ledger is not the chain."""
    begun = time.monotonic()
    async with scene() as (anvil, nodes, pool, exchange):
        signer = LocalSigner(KEYS[1])
        await pool.check_chain(CHAIN)
        account = await ensure_evm_account(database, pool, exchange, signer.address, "chaos")
        desk = _desk(database, pool, exchange, signer, launches)
        listed: dict[str, float] = {}
        sent: dict[str, float] = {}
        news = asyncio.Event()

        def hear(event: SniperEvent) -> None:
            if isinstance(event, BuySent):
                sent.setdefault(event.token, time.monotonic())
            if isinstance(event, HeadSeen):
                news.set()

        sniper = Sniper(
            database, pool, exchange, desk=desk, settings=_settings(launches), account=account, on_event=hear
        )
        stop = asyncio.Event()
        run = asyncio.create_task(sniper.run(stop))
        clock = asyncio.create_task(_tick(anvil))
        try:
            await asyncio.wait_for(news.wait(), SETTLE_SECONDS)
            await _launch_all(anvil, exchange, nodes, pool.timings, launches, listed)
            await _until(lambda: run.done() or _is_over(database, account, launches), SETTLE_SECONDS)
            if run.done():
                run.result()
            stop.set()
            await run
        finally:
            clock.cancel()
            run.cancel()
            await asyncio.gather(clock, run, return_exceptions=True)
        async with Node(anvil.http_url) as plain:
            await require(database, account, exchange, plain, signer, listed, launches)
        after = sorted(sent[token] - at for token, at in listed.items() if token in sent)
        return Tally(
            launches,
            _bought(database, account),
            time.monotonic() - begun,
            pool.pool.hedges,
            pool.pool.retries,
            after,
            pool.timings,
        )


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Anvil, list[UnreliableNode], TimedPool, Exchange]]:
    """A chain that mines on demand, three nodes of it, and a pool of them."""
    async with AsyncExitStack() as stack:
        anvil = await stack.enter_async_context(Anvil(block_seconds=0))
        async with Node(anvil.http_url) as plain:
            exchange = await deploy_exchange(plain)
            await plain.call("anvil_setBlockTimestampInterval", [1])
        nodes = [
            await stack.enter_async_context(UnreliableNode(anvil.http_url, anvil.ws_url, name))
            for name in ("lagging", "freezing", "dying")
        ]
        # In turn: by the default spread, which looks at how fast they are, a bad node would hardly be asked at all.
        pool = TimedPool([_member(node) for node in nodes], CHAIN, spread=Spread.ROUND_ROBIN)
        pool.timings = Timings()
        await stack.enter_async_context(pool)
        yield anvil, nodes, pool, exchange


def _member(node: UnreliableNode) -> Member[Node]:
    client = Node(node.url, ws_url=node.ws_url, timeout_seconds=TIMEOUT_SECONDS)
    return Member(node.name, client, shown=node.url, breaker=Breaker(longest_pause=2.0))


def _settings(launches: int) -> SnipingSettings:
    return SnipingSettings(
        amount=AMOUNT,
        max_open_positions=launches + 1,
        max_total_spend=AMOUNT * (launches + 1),
        exits=NO_EXITS,
    )


def _desk(
    database: Database, pool: NodePool, exchange: Exchange, signer: LocalSigner, launches: int
) -> OrderDesk:
    settings = _settings(launches)
    venue = EvmVenue(database, pool, exchange, signer, ExecutionPolicy.from_settings(settings))
    return OrderDesk(database, {VenueKind.EVM: venue}, limits=Limits.from_settings(settings))


async def _tick(anvil: Anvil) -> None:
    async with Node(anvil.http_url) as plain:
        while True:
            await asyncio.sleep(BLOCK_SECONDS)
            await plain.call("evm_mine")


async def _launch_all(
    anvil: Anvil,
    exchange: Exchange,
    nodes: list[UnreliableNode],
    timings: Timings,
    launches: int,
    listed: dict[str, float],
) -> None:
    """The launches, one after the other; a quarter of them in quiet, a quarter under each fault."""
    lagging, freezing, dying = nodes
    quarter = max(1, launches // 4)
    async with Node(anvil.http_url) as plain:
        for number in range(launches):
            if number == quarter:
                timings.phase, lagging.lag = "one lags", LAG_BLOCKS
            if number == 2 * quarter:
                lagging.lag, timings.phase = 0, "one is frozen"
                freezing.freeze()
            if number == 3 * quarter:
                freezing.thaw()
                timings.phase = "one is dead"
                await dying.die()
            listing = await list_token(plain, exchange, "Normal", account=OWNER)
            listed[listing.token] = time.monotonic()
            await asyncio.sleep(LAUNCH_EVERY)
        await dying.restart()
        timings.phase = "all well again"


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:  # noqa: ASYNC110 - the state of a database, which sets no event
        await asyncio.sleep(0.2)


def _bought(database: Database, account: Account) -> int:
    with database.read() as session:
        rows = session.exec(
            select(Order.id).where(Order.account_id == account.id, Order.state == OrderState.FILLED)
        ).all()
        return len(rows)


def _is_over(database: Database, account: Account, launches: int) -> bool:
    """Whether all is bought, and of no transaction it is unknown what became: the approval follows its purchase."""
    if _bought(database, account) < launches:
        return False
    with database.read() as session:
        states = session.exec(select(ChainTransaction.state)).all()
    return not {TransactionState.RECORDED, TransactionState.SENT} & set(states)


async def require(
    database: Database,
    account: Account,
    exchange: Exchange,
    plain: Node,
    signer: LocalSigner,
    listed: dict[str, float],
    launches: int,
) -> None:
    """None missed, none bought twice, the ledger equal to the chain to the wei; asked of the anvil itself."""
    with database.read() as session:
        seen = {launch.token for launch in session.exec(select(Launch)).all()}
        orders = session.exec(
            select(Order).where(Order.account_id == account.id, Order.side == Side.BUY)
        ).all()
        bought = Counter(order.launch_id for order in orders)
        filled = [order for order in orders if order.state is OrderState.FILLED]
        positions = len(open_positions(session, account.id))
        sent = [t for t in session.exec(select(ChainTransaction)).all() if t.state is TransactionState.MINED]
        purposes = [transaction.purpose for transaction in sent]
    assert set(listed) <= seen, f"{len(set(listed) - seen)} launches were not seen"
    assert len(bought) == launches, f"{launches - len(bought)} launches were not bought"
    assert max(bought.values()) == 1, "a launch was bought twice"
    assert len(filled) == positions == launches, (
        f"{len(filled)} filled, {positions} positions, {launches} launches"
    )
    mined = int(await plain.call("eth_getTransactionCount", [signer.address, "latest"]), 16)
    assert mined == len(sent), f"{mined} transactions were mined, {len(sent)} stand in the record"
    assert Counter(purposes)[Purpose.BUY] == launches, f"purchases mined: {Counter(purposes)}"
    for token in listed:
        assert await balance_of(plain, token, signer.address) > 0, f"nothing of {token} is held"
    desk = _desk(database, plain, exchange, signer, launches)  # type: ignore[arg-type]  # a node by itself
    result = await desk.reconcile(account.id)
    result.require_equal()
    desk.close()
