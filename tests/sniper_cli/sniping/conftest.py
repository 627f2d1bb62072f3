"""A sniper at work on a real chain, with everything it tells kept for the tests to look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.model import ExitSettings, SnipingSettings
from sniper_cli.sniping.events import HeadSeen, RunnerStarted, SniperEvent
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state.accounts import Account, VenueKind
from state.database import Database
from state.launches import Launch, find_launch
from tests.chain_fixtures import KEYS, Chain
from tests.conftest import PATIENCE
from tests.zoo import anvil_account, approve, balance_of, buy, calldata, list_token, sell, transact

E = TypeVar("E", bound=SniperEvent)
OWNER = anvil_account(9)
"""Deploys, lists and owns the zoo's tokens."""
TRADER = anvil_account(8)
WEI = 10**18
OFF = Decimal(0)
NO_EXITS = ExitSettings(
    take_profit_pct=OFF,
    stop_loss_pct=OFF,
    trailing_pct=OFF,
    max_age_seconds=0,
    liquidity_drop_pct=OFF,
    watch_pending=False,
)


def exits(**chosen: Any) -> ExitSettings:
    """Only these rules are on."""
    return NO_EXITS.model_copy(
        update={k: Decimal(v) if k.endswith(("pct", "coins")) else v for k, v in chosen.items()}
    )


def sniping(rules: ExitSettings = NO_EXITS, **chosen: Any) -> SnipingSettings:
    return SnipingSettings(exits=rules, **chosen)


@dataclass
class Hunt:
    """One account on one chain, and the snipers that were started on it."""

    chain: Chain
    database: Database
    account: Account
    events: list[SniperEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def desk(self, settings: SnipingSettings) -> OrderDesk:
        policy = ExecutionPolicy.from_settings(settings)
        venue = EvmVenue(self.database, self.chain.node, self.chain.exchanges, LocalSigner(KEYS[1]), policy)
        return OrderDesk(self.database, {VenueKind.EVM: venue}, limits=Limits.from_settings(settings))

    def sniper(self, settings: SnipingSettings, **options: Any) -> Sniper:
        return Sniper(
            self.database,
            self.chain.node,
            self.chain.exchange,
            desk=self.desk(settings),
            settings=settings,
            account=self.account,
            on_event=self._hear,
            **options,
        )

    async def start(self, settings: SnipingSettings, **options: Any) -> None:
        """Start a sniper, and return once it follows the chain."""
        self._stop = asyncio.Event()
        self.events.clear()
        self._task = asyncio.create_task(self.sniper(settings, **options).run(self._stop))
        await self.until(RunnerStarted)
        await self.until(HeadSeen, keep=True)

    async def stop(self) -> None:
        """Tell it to end, in order."""
        task, self._task = self._task, None
        if task is not None:
            self._stop.set()
            with self.ticking():
                await task

    async def die(self) -> None:
        """End it where it stands: what it was about to do is not done."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Blocks come by themselves: a chain that mines on demand has no next one unless something is sent."""
        clock = asyncio.create_task(self._tick())
        yield
        clock.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self.chain.mine()

    async def until(
        self,
        kind: type[E],
        holds: Callable[[E], bool] = lambda _: True,
        *,
        seconds: float = PATIENCE,
        keep: bool = False,
    ) -> E:
        """The first event of a kind since the last one asked for; it and those before it are taken off."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    for place, event in enumerate(self.events):
                        if isinstance(event, kind) and holds(event):
                            del self.events[: 0 if keep else place + 1]
                            return event
                    if self._task is not None and self._task.done():
                        self._task.result()
                    await self._news.wait()
        except TimeoutError:
            told = "\n".join(event.line() for event in self.events)
            raise AssertionError(f"no {kind.__name__} came; told since:\n{told}") from None

    def _hear(self, event: SniperEvent) -> None:
        self.events.append(event)
        self._news.set()

    # -- the others on the chain --------------------------------------------------------------------------------

    async def list(self, kind: str, **options: Any) -> tuple[str, str]:
        listing = await list_token(self.chain.node, self.chain.exchange, kind, account=OWNER, **options)
        return listing.token, listing.pool

    async def pump(self, token: str, wei: int) -> None:
        """Somebody else buys."""
        await buy(self.chain.node, self.chain.exchange, token, TRADER, wei)

    async def dump(self, token: str, quantity: int) -> None:
        """The deployer sells."""
        await approve(self.chain.node, self.chain.exchange, token, OWNER)
        await sell(self.chain.node, self.chain.exchange, token, OWNER, quantity)

    async def prepare_removal(self, pool: str) -> int:
        """The deployer lets the router take its pool shares; how many it has."""
        node = self.chain.node
        await transact(
            node, OWNER, pool, calldata("approve(address,uint256)", self.chain.exchange.router, 2**255)
        )
        return await balance_of(node, pool, OWNER.address)

    def removal(self, token: str, shares: int) -> str:
        """The call that takes liquidity out."""
        signature = "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
        return calldata(signature, token, shares, 0, 0, OWNER.address, 2**40)

    # -- the record ---------------------------------------------------------------------------------------------

    def launch(self, pool: str) -> Launch:
        with self.database.read() as session:
            found = find_launch(session, self.chain.exchange.chain_id, pool)
            assert found is not None
            session.expunge_all()
            return found

    async def require_true_ledger(self) -> None:
        """Ledger and chain agree to the wei."""
        result = await self.desk(sniping()).reconcile(self.account.id)
        result.require_equal()


@pytest.fixture
async def hunt(anvil: Chain, sqlite_database: Database) -> AsyncIterator[Hunt]:
    """An account with 10,000 coins, no sniper on it yet."""
    await anvil.node.call("anvil_setBlockTimestampInterval", [1])
    account = await ensure_evm_account(
        sqlite_database, anvil.node, anvil.exchange, LocalSigner(KEYS[1]).address, "hunter"
    )
    hunt = Hunt(anvil, sqlite_database, account)
    yield hunt
    await hunt.stop()
