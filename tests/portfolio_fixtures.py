"""A paper account whose days are written by hand: trades at the simulated market's own prices, whenever one likes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Renamed
from sniper_cli.books.records import Books, Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import ensure_account
from state.accounts import Movement
from state.database import Database
from state.orders import OrderState, Side
from state.positions import LotMethod
from state.writing import micros

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""Of the first day; `day=2` is the same time two days later."""
BTC, ETH = INSTRUMENTS["paper:BTC/USDT"], INSTRUMENTS["paper:ETH/USDT"]
DOLLAR = 10**6


class Diary:
    """One account's days."""

    def __init__(self, database: Database, name: str = "paper", *, seed: int = 7) -> None:
        self.database = database
        self.market = SimulatedMarket(seed)
        self.marks = PaperMarks(self.market)
        self.account = ensure_account(database, name, deposit=Decimal(0))
        self.books = Books(database, actor="test")

    def close(self) -> None:
        self.books.close()

    def pay(
        self,
        amount: int,
        day: int = 0,
        movement: Movement = Movement.DEPOSIT,
        asset: str = "paper:USDT",
        scale: int = DOLLAR,
    ) -> None:
        """So many whole dollars (or units of `scale`) come in, negative ones go out."""
        at = micros(NOON + timedelta(days=day)) - 1

        def work(page: Page) -> None:
            move_cash(page, asset, movement, amount * scale, reference=str(uuid4()), at=at)

        self.books.turn(self.account.id, work, kind="desk.cash")

    def trade(
        self,
        side: Side,
        spec: Spec,
        lots: int,
        day: int = 0,
        *,
        strategy: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """A trade at the middle price of its moment, for a fee of a thousandth; the notional."""
        moment = at or NOON + timedelta(days=day)
        notional = spec.notional(int(self.market.price(spec.id, moment) / spec.tick), lots)

        def work(page: Page) -> None:
            intent = OrderIntent(
                self.account.id,
                spec.id,
                side,
                str(uuid4()),
                quantity=lots * spec.lot_units,
                strategy=strategy,
            )
            order = recording.draft(page, intent, OrderState.OPEN)
            recording.write(page, order, Examination())
            page.add(
                tell_fill(
                    page.book, order, trade=str(uuid4()), quantity=lots * spec.lot_units, notional=notional,
                    fee_asset=spec.quote_asset, fee=notional // 1000, at=micros(moment),
                )
            )  # fmt: skip

        self.books.turn(self.account.id, work)
        return notional

    def buy(self, spec: Spec, lots: int, day: int = 0, **more: object) -> int:
        return self.trade(Side.BUY, spec, lots, day, **more)  # type: ignore[arg-type]

    def sell(self, spec: Spec, lots: int, day: int = 0, **more: object) -> int:
        return self.trade(Side.SELL, spec, lots, day, **more)  # type: ignore[arg-type]

    def rules(self, method: LotMethod = LotMethod.FIFO, margin: int = 0) -> None:
        self.books.turn(self.account.id, lambda page: page.add(Renamed(method.value, str(margin))))

    def worth(self, spec: Spec, lots: int, moment: datetime) -> int:
        """Quote units of so many lots at the middle price."""
        return spec.notional(int(self.market.price(spec.id, moment) / spec.tick), lots)
