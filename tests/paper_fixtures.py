"""A desk at the paper market whose clock is set by hand, for tests that let days go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from unittest.mock import patch
from uuid import uuid4

from sqlmodel import select

from sniper_cli.market.simulated import SimulatedMarket, step_of, time_of
from sniper_cli.trading import families
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.families import Family
from sniper_cli.trading.intents import OrderIntent, OrderOutcome, Terms
from sniper_cli.trading.local import LocalWalk
from sniper_cli.venues.paper import Conditions, PaperVenue, ensure_account
from state.accounts import Balance, VenueKind
from state.database import Database
from state.orders import Fill, Order, OrderState, OrderType, Side
from state.positions import Position

T = TypeVar("T")

NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)
BTC, ETH, SOL = "paper:BTC/USDT", "paper:ETH/USDT", "paper:SOL/USDT"
COIN = 10**8
DOLLAR = 10**6


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class PaperDesk:
    """An account at the paper market, and the desk of a process that can be replaced by another one's."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        seed: int = 7,
        conditions: Conditions | None = None,
        margin: Decimal = Decimal(0),
    ) -> None:
        self.database, self.clock, self.seed = database, clock, seed
        self.conditions = conditions or Conditions()
        self.account = ensure_account(database, margin=margin)
        self.desk: OrderDesk | None = None
        self.restart()

    def restart(self) -> None:
        """Another process: nothing of this one's memory is there any more."""
        if self.desk is not None:
            self.desk.close()
        self.venue = PaperVenue(SimulatedMarket(self.seed), clock=self.clock, conditions=self.conditions)
        self.desk = OrderDesk(self.database, {VenueKind.PAPER: self.venue}, actor="test")

    def walk(self, work: Callable[[LocalWalk], T], *, dry_run: bool = False) -> T:
        assert self.desk is not None
        return self.desk.walk_here(self.account, self.venue, work, dry_run=dry_run)

    def settle(self) -> None:
        self.walk(lambda _: None)

    def intent(self, side: Side, instrument: str = BTC, **options: Any) -> OrderIntent:
        options.setdefault("client_order_id", str(uuid4()))
        return OrderIntent(self.account.id, instrument, side, **options)

    def limit(
        self, side: Side, price: Decimal | str, quantity: int = COIN // 100, **options: Any
    ) -> OrderIntent:
        return self.intent(
            side, type=OrderType.LIMIT, limit_price=Decimal(price), quantity=quantity, **options
        )

    def stop(
        self, side: Side, trigger: Decimal | str, quantity: int | None = COIN // 100, **options: Any
    ) -> OrderIntent:
        terms = Terms(trigger_price=Decimal(trigger), **options.pop("terms", {}))
        options.setdefault("type", OrderType.STOP)
        return self.intent(side, quantity=quantity, terms=terms, **options)

    def place(self, *asked: OrderIntent | Family) -> list[list[OrderOutcome]]:
        wanted = [one if isinstance(one, Family) else Family(one) for one in asked]
        return self.walk(lambda walk: families.place(walk, wanted))

    def put(self, asked: OrderIntent | Family) -> Order:
        """Place one and read it, its head's row, back."""
        return self.order(self.place(asked)[0][0].order.client_order_id)

    def buy(self, quantity: int = COIN // 10, instrument: str = BTC) -> None:
        """Own something, at the market."""
        assert self.put(self.intent(Side.BUY, instrument, quantity=quantity)).state is OrderState.FILLED

    def cancel(self, client_id: str) -> None:
        key = self.order(client_id).id.hex
        self.walk(lambda walk: walk.cancel(walk.book.find_order(key), "by hand"))

    def price(self, instrument: str = BTC) -> Decimal:
        return self.venue.price(instrument)

    def near(self, share: str, instrument: str = BTC) -> Decimal:
        """So many times the price now, to the tick."""
        path = self.venue.market.path(instrument)
        return (self.price(instrument) * Decimal(share)) // path.spec.tick * path.spec.tick

    def rows(self, model: type[Any]) -> list[Any]:
        with self.database.read() as session:
            found = list(session.exec(select(model).order_by(model.id)).all())
            session.expunge_all()
            return found

    def orders(self) -> dict[str, Order]:
        return {order.client_order_id: order for order in self.rows(Order)}

    def order(self, client_id: str) -> Order:
        return self.orders()[client_id]

    def states(self) -> dict[str, OrderState]:
        return {name: order.state for name, order in self.orders().items()}

    def held(self, instrument: str = BTC) -> int:
        return sum(p.quantity for p in self.rows(Position) if p.instrument_id == instrument)

    def story(self) -> dict[str, Any]:
        """What has become of the account, without the ids and versions in which two replays may differ."""
        orders = self.rows(Order)
        names = {order.id: order.client_order_id for order in orders}
        with self.database.read() as session:
            cash = {one.asset_id: one.amount for one in session.exec(select(Balance)).all()}
        return {
            "orders": {
                order.client_order_id: (
                    order.state.value,
                    order.quantity,
                    order.limit_price,
                    order.filled_quantity,
                    order.filled_notional,
                )
                for order in orders
            },
            "fills": sorted(
                (names[fill.order_id], fill.venue_trade_id, fill.quantity, fill.notional, fill.fee, fill.at)
                for fill in self.rows(Fill)
            ),
            "positions": sorted(
                (
                    p.instrument_id,
                    p.opened_at,
                    p.quantity,
                    p.spent,
                    p.received,
                    p.realised,
                    p.fees,
                    p.state.value,
                )
                for p in self.rows(Position)
            ),
            "cash": cash,
        }


@contextmanager
def paper_desk(database: Database, **options: Any) -> Iterator[PaperDesk]:
    """A desk whose account lives by the clock of the test."""
    clock = Clock()
    with patch("sniper_cli.books.records.utc_now", clock):
        yield PaperDesk(database, clock, **options)


def lots(desk: PaperDesk, instrument: str, count: int) -> int:
    """So many lots of an instrument, in base units."""
    return desk.venue.market.path(instrument).spec.lot_units * count


def until_below(desk: PaperDesk, price: Decimal, instrument: str = BTC) -> None:
    """Let time go by until the middle price is under this one."""
    _until(desk, price, instrument, below=True)


def until_above(desk: PaperDesk, price: Decimal, instrument: str = BTC) -> None:
    """Let time go by until the middle price is over this one."""
    _until(desk, price, instrument, below=False)


def _until(desk: PaperDesk, price: Decimal, instrument: str, *, below: bool) -> None:
    path = desk.venue.market.path(instrument)
    now, ticks = step_of(desk.clock.now), int(price / path.spec.tick)
    search = path.next_below if below else path.next_above
    step = search(ticks, now, now + 400 * 86_400)
    assert step is not None, f"the price never gets to {price}"
    desk.clock.now = time_of(step)
    desk.settle()
