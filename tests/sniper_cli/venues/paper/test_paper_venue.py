"""Paper orders on the desk's one path: money is conserved, nothing counts twice, a crash loses nothing."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from sqlmodel import select

from sniper_cli.errors import ConfigurationError, OrderRefused
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import Conditions, FeeSchedule, PaperVenue, ensure_account
from state import journal
from state.accounts import Account, Asset, Balance, Instrument, LedgerEntry, VenueKind, balance_of
from state.database import Database, count_rows
from state.identifiers import new_id
from state.orders import Fill, Order, OrderState, OrderType, Side, TimeInForce, fills_of
from tests.paper_fixtures import BTC, COIN, DOLLAR, Clock


class World:
    """A desk over a paper venue, with its account and a clock."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.market = SimulatedMarket(7)
        self.venue = PaperVenue(self.market, clock=clock)
        self.database = database
        self.account = ensure_account(database)
        self.desk = OrderDesk(database, {VenueKind.PAPER: self.venue})

    def intent(self, side: Side, **options: Any) -> OrderIntent:
        options.setdefault("client_order_id", str(new_id()))
        options.setdefault("instrument_id", BTC)
        return OrderIntent(account_id=self.account.id, side=side, **options)

    async def submit(self, side: Side, **options: Any) -> Order:
        """The order as its row then stands."""
        (outcome,) = await self.desk.submit(self.intent(side, **options))
        return self.order(outcome.order.id)

    def order(self, order_id: Any) -> Order:
        return self.desk.order(order_id)

    def balance(self, asset: str) -> int:
        with self.database.read() as session:
            return balance_of(session, self.account.id, f"paper:{asset}")

    def fills(self, order: Any) -> list[Fill]:
        with self.database.read() as session:
            found = fills_of(session, order.id)
            session.expunge_all()
            return found

    @property
    def ask(self) -> Decimal:
        return self.market.book(BTC, self.clock.now).best_ask

    @property
    def bid(self) -> Decimal:
        return self.market.book(BTC, self.clock.now).best_bid


@pytest.fixture
def clock() -> Iterator[Clock]:
    """What the desk takes for the time."""
    found = Clock()
    with patch("sniper_cli.books.records.utc_now", found):
        yield found


@pytest.fixture
def world(database: Database, clock: Clock) -> Iterator[World]:
    found = World(database, clock)
    yield found
    found.desk.close()


@pytest.fixture
def lite(sqlite_database: Database, clock: Clock) -> Iterator[World]:
    found = World(sqlite_database, clock)
    yield found
    found.desk.close()


async def test_a_purchase_and_its_sale_leave_cash_less_spread_and_fees(world: World) -> None:
    bought = await world.submit(Side.BUY, quantity=COIN // 10)
    assert bought.state is OrderState.FILLED
    (entry,) = world.fills(bought)
    # A tenth of a coin at the best ask of 58,420.94, and ten basis points, rounded up to a millionth.
    assert (entry.notional, entry.fee) == (5_842_094_000, 5_842_094)
    assert world.balance("BTC") == COIN // 10
    assert world.balance("USDT") == 100_000 * DOLLAR - 5_842_094_000 - 5_842_094
    world.clock.forward(hours=1)
    sold = await world.submit(Side.SELL, quantity=COIN // 10)
    assert sold.state is OrderState.FILLED
    assert world.balance("BTC") == 0
    paid = entry.notional + entry.fee
    received = sum(one.notional - one.fee for one in world.fills(sold))
    assert world.balance("USDT") == 100_000 * DOLLAR - paid + received


async def test_a_budget_is_spent_but_not_exceeded(world: World) -> None:
    order = await world.submit(Side.BUY, budget=1_000 * DOLLAR)
    assert order.state is OrderState.FILLED
    spent = 100_000 * DOLLAR - world.balance("USDT")
    lot = world.ask * Decimal("0.0001") * DOLLAR
    assert 1_000 * DOLLAR - lot * 2 < spent <= 1_000 * DOLLAR


async def test_a_resting_order_fills_when_the_price_comes_to_it(world: World) -> None:
    limit = (world.bid * Decimal("0.998")).quantize(Decimal("0.01"))
    order = await world.submit(Side.BUY, quantity=COIN // 2, type=OrderType.LIMIT, limit_price=limit)
    assert order.state is OrderState.OPEN
    assert await world.desk.refresh(world.account.id) == []
    world.clock.forward(days=1)
    (changed,) = await world.desk.refresh(world.account.id)
    order = world.order(changed.id)
    assert order.state is OrderState.FILLED
    fills = world.fills(order)
    assert sum(one.quantity for one in fills) == COIN // 2
    for fill in fills:
        assert fill.notional == limit * fill.quantity / COIN * DOLLAR
        assert fill.fee == -(-fill.notional * 2 // 10_000)
        before = world.market.book(BTC, fill.at - timedelta(seconds=1))
        assert world.market.book(BTC, fill.at).best_ask <= limit < before.best_ask


async def test_looking_often_or_once_comes_to_the_same(lite: World) -> None:
    """Two accounts with the same order: one is settled every minute, the other after two hours."""
    world = lite
    other = ensure_account(world.database, "other")
    limit = (world.bid * Decimal("0.9995")).quantize(Decimal("0.01"))
    options = {"type": OrderType.LIMIT, "limit_price": limit, "quantity": 1 * COIN, "side": Side.BUY}
    patient, watched = [
        (await world.desk.submit(OrderIntent(account, BTC, client_order_id="x", **options)))[0].order  # type: ignore[arg-type]
        for account in (other.id, world.account.id)
    ]
    for _ in range(120):
        world.clock.forward(minutes=1)
        await world.desk.refresh(world.account.id)
    await world.desk.refresh(other.id)

    def story(order: Any) -> list[tuple[Any, ...]]:
        return [(f.venue_trade_id, f.at, f.quantity, f.notional, f.fee) for f in world.fills(order)]

    assert story(patient) == story(watched) != []


async def test_money_is_conserved_through_many_orders(lite: World) -> None:
    """Every balance is the sum of its ledger, and coins and cash moved are those of the fills."""
    for index in range(25):
        held = lite.balance("BTC")
        side = Side.SELL if index % 3 == 2 and held else Side.BUY
        tif = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)[index % 3]
        near = (lite.ask if side is Side.BUY else lite.bid) * (1 + Decimal((index % 5) - 2) / 500)
        quantity = held if side is Side.SELL else COIN // 50
        await lite.submit(
            side,
            quantity=quantity,
            type=OrderType.LIMIT,
            limit_price=near.quantize(Decimal("0.01")),
            time_in_force=tif,
        )
        lite.clock.forward(seconds=37)
        await lite.desk.refresh(lite.account.id)
    with lite.database.read() as session:
        orders = {order.id: order for order in session.exec(select(Order)).all()}
        fills = session.exec(select(Fill)).all()
        assert len({order.state for order in orders.values()}) >= 3
        for order in orders.values():
            mine = [fill for fill in fills if fill.order_id == order.id]
            assert order.filled_quantity == sum(fill.quantity for fill in mine) <= (order.quantity or 0)
        sign = {fill.id: 1 if fill.side is Side.BUY else -1 for fill in fills}
        coins = sum(sign[fill.id] * fill.quantity for fill in fills)
        cash = 100_000 * DOLLAR - sum(sign[fill.id] * fill.notional + fill.fee for fill in fills)
        assert balance_of(session, lite.account.id, "paper:BTC") == coins >= 0
        assert balance_of(session, lite.account.id, "paper:USDT") == cash
        for balance in session.exec(select(Balance)).all():
            entries = session.exec(select(LedgerEntry).where(LedgerEntry.asset_id == balance.asset_id)).all()
            assert balance.amount == sum(entry.amount for entry in entries)
        assert journal.verify(session).whole


class CrashError(Exception):
    pass


def dying(world: World, step: str) -> OrderDesk:
    """A desk whose process dies at a step."""

    def crash(at: str) -> None:
        if at == step:
            raise CrashError

    return OrderDesk(world.database, {VenueKind.PAPER: world.venue}, checkpoint=crash)


@pytest.mark.parametrize("tif", [TimeInForce.GTC, TimeInForce.IOC])
async def test_after_a_crash_the_order_has_the_fate_it_had_from_the_first(
    lite: World, tif: TimeInForce
) -> None:
    intent = lite.intent(Side.BUY, quantity=COIN // 10, time_in_force=tif, client_order_id="once")
    (rehearsed,) = await lite.desk.submit(intent, dry_run=True)
    desk = dying(lite, "recorded")
    with pytest.raises(CrashError):
        await desk.submit(intent)
    desk.close()
    lite.clock.forward(days=2)
    await lite.desk.recover(lite.account.id)
    (outcome,) = await lite.desk.submit(intent)
    assert outcome.replayed
    assert outcome.order.state is OrderState.FILLED
    (fill,) = lite.fills(outcome.order)
    assert fill.notional == rehearsed.summary["notional_now"]
    assert lite.balance("BTC") == COIN // 10


async def test_what_a_crash_kept_from_being_recorded_never_happened(lite: World) -> None:
    intent = lite.intent(Side.BUY, quantity=COIN // 10, client_order_id="once")
    desk = dying(lite, "before_record_commit")
    with pytest.raises(CrashError):
        await desk.submit(intent)
    desk.close()
    assert lite.balance("BTC") == 0
    with lite.database.read() as session:
        assert count_rows(session, Order) == count_rows(session, Fill) == 0
    lite.clock.forward(days=2)
    (outcome,) = await lite.desk.submit(intent)
    assert not outcome.replayed
    assert lite.balance("BTC") == COIN // 10


async def test_a_crash_in_the_replay_leaves_it_to_the_next_look(lite: World) -> None:
    limit = (lite.bid * Decimal("0.998")).quantize(Decimal("0.01"))
    order = await lite.submit(Side.BUY, quantity=COIN // 2, type=OrderType.LIMIT, limit_price=limit)
    lite.clock.forward(days=1)
    desk = dying(lite, "before_record_commit")
    with pytest.raises(CrashError):
        await desk.refresh(lite.account.id)
    desk.close()
    assert lite.fills(order) == []
    await lite.desk.refresh(lite.account.id)
    once = [(fill.venue_trade_id, fill.quantity) for fill in lite.fills(order)]
    await lite.desk.refresh(lite.account.id)
    assert [(fill.venue_trade_id, fill.quantity) for fill in lite.fills(order)] == once != []


async def test_two_who_settle_the_same_order_at_once_book_it_once(world: World) -> None:
    limit = (world.bid * Decimal("0.998")).quantize(Decimal("0.01"))
    order = await world.submit(Side.BUY, quantity=COIN // 2, type=OrderType.LIMIT, limit_price=limit)
    world.clock.forward(days=1)
    failed: list[BaseException] = []

    def settle() -> None:
        try:
            with Database(world.database.url.render_as_string(hide_password=False)) as own:
                venue = PaperVenue(SimulatedMarket(7), clock=world.clock)
                desk = OrderDesk(own, {VenueKind.PAPER: venue})
                asyncio.run(desk.refresh(world.account.id))
                desk.close()
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    fills = world.fills(order)
    assert sum(fill.quantity for fill in fills) == world.balance("BTC") == COIN // 2
    spent = sum(fill.notional + fill.fee for fill in fills)
    assert world.balance("USDT") == 100_000 * DOLLAR - spent


async def test_a_cancelled_order_keeps_what_it_got(lite: World) -> None:
    there = lite.market.book(BTC, lite.clock.now).asks[0].lots * 10_000
    order = await lite.submit(
        Side.BUY, quantity=there + COIN // 2, type=OrderType.LIMIT, limit_price=lite.ask
    )
    assert (order.state, order.filled_quantity) == (OrderState.PARTIALLY_FILLED, there)
    cancelled = await lite.desk.cancel(order.id)
    assert (cancelled.state, cancelled.explanation) == (OrderState.CANCELLED, "cancelled by request")
    with pytest.raises(OrderRefused, match="cancelled already"):
        await lite.desk.cancel(order.id)
    lite.clock.forward(days=300)
    assert await lite.desk.refresh(lite.account.id) == []
    assert lite.balance("BTC") == there


async def test_a_cancellation_comes_too_late_for_what_has_filled(lite: World) -> None:
    limit = (lite.bid * Decimal("0.998")).quantize(Decimal("0.01"))
    order = await lite.submit(Side.BUY, quantity=COIN // 10, type=OrderType.LIMIT, limit_price=limit)
    lite.clock.forward(days=1)
    assert (await lite.desk.cancel(order.id)).state is OrderState.FILLED
    assert lite.order(order.id).state is OrderState.FILLED
    assert lite.balance("BTC") == COIN // 10


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"quantity": COIN // 10 + 1}, "multiple of 0.0001"),
        (
            {"quantity": COIN, "type": OrderType.LIMIT, "limit_price": Decimal("57000.001")},
            "multiple of 0.01",
        ),
        ({"quantity": COIN, "type": OrderType.LIMIT}, "price"),
        ({"budget": 1}, "budget does not pay|at least"),
        ({"quantity": 10_000, "type": OrderType.LIMIT, "limit_price": Decimal(40_000)}, "at least"),
        ({"quantity": 2 * COIN}, "needed at most"),
    ],
    ids=["lot", "tick", "no price", "budget", "notional", "funds"],
)
async def test_what_does_not_fit_is_refused_with_the_reason(
    lite: World, options: dict[str, object], reason: str
) -> None:
    order = await lite.submit(Side.BUY, **options)
    assert order.state is OrderState.REFUSED
    assert re.search(reason, order.explanation or "")
    assert lite.balance("USDT") == 100_000 * DOLLAR


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(lite: World) -> None:
    (outcome,) = await lite.desk.submit(lite.intent(Side.BUY, quantity=COIN // 10), dry_run=True)
    assert outcome.summary["notional_now"] == 5_842_094_000
    assert str(outcome.summary["best_price"]) == "58420.94"
    with lite.database.read() as session:
        assert count_rows(session, Order) == 0


async def test_what_a_position_is_worth_is_what_its_sale_would_bring(lite: World) -> None:
    await lite.submit(Side.BUY, quantity=COIN // 10)
    mark = lite.venue.proceeds(BTC, COIN // 10)
    before = lite.balance("USDT")
    await lite.submit(Side.SELL, quantity=COIN // 10)
    assert lite.balance("USDT") - before == mark


def test_the_account_is_opened_once_with_its_deposit(database: Database) -> None:
    first, second = ensure_account(database), ensure_account(database)
    assert first.id == second.id
    with database.read() as session:
        assert balance_of(session, first.id, "paper:USDT") == 100_000 * DOLLAR
        kinds = [record.kind for record in journal.read_forward(session)]
        assert kinds == ["schema.upgraded", "account.created", "desk.cash"]
        assert session.get_one(Asset, "paper:BTC").decimals == 8
        btc = session.get_one(Instrument, BTC)
        assert (btc.tick, btc.lot, btc.minimum_notional) == (Decimal("0.01"), 10_000, 5 * DOLLAR)


def test_of_many_who_open_the_account_at_once_one_does(database: Database) -> None:
    opened: list[Account] = []
    failed: list[BaseException] = []

    def attempt() -> None:
        try:
            with Database(database.url.render_as_string(hide_password=False)) as own:
                opened.append(ensure_account(own))
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({account.id for account in opened}) == 1
    with database.read() as session:
        assert balance_of(session, opened[0].id, "paper:USDT") == 100_000 * DOLLAR
        assert len(journal.read_latest(session, 10, kind="account")) == 1
        assert len(journal.read_latest(session, 10, kind="desk")) == 1


def test_an_account_on_a_chain_is_not_taken_for_paper(sqlite_database: Database) -> None:
    ensure_account(sqlite_database, "first")
    with sqlite_database.write() as session:
        session.add(
            Account(
                name="main",
                venue=VenueKind.EVM,
                chain_id=1,
                address="0x" + "1" * 40,
                reporting_asset="paper:USDT",
            )
        )
    with pytest.raises(ConfigurationError, match="not on paper"):
        ensure_account(sqlite_database, "main")


async def test_fees_follow_the_schedule(lite: World) -> None:
    free = PaperVenue(lite.market, clock=lite.clock, conditions=Conditions(FeeSchedule(0, 0)))
    desk = OrderDesk(lite.database, {VenueKind.PAPER: free})
    (outcome,) = await desk.submit(lite.intent(Side.BUY, quantity=COIN // 10))
    assert sum(fill.fee for fill in lite.fills(outcome.order)) == 0
    desk.close()
