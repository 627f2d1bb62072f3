"""An account with nothing but books: trades, gas, reorganisations and losses by hand, without a desk or a venue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from sqlmodel import select

from sniper_cli.books.book import Book
from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Renamed, Reversed
from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.books.records import Books, Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.books.verification import verify
from sniper_cli.trading import recording
from sniper_cli.trading.applying import book_fill
from sniper_cli.trading.checks import Examination
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.trading.reconciliation import write_off
from sniper_cli.venues.venue import FillReport
from state.accounts import Account, Asset, Instrument, LedgerEntry, Movement, VenueKind, balance_of
from state.columns import utc_now
from state.database import Database
from state.orders import Fill, Order, OrderState, Side
from state.positions import Lot, LotMatch, LotMethod, Position
from state.writing import Writer

COIN, TOKEN, PAIR = "test:COIN", "test:TOKEN", "test:TOKEN/COIN"
POINT = "test:POINT"
"""A third asset, for fees."""
PURSE = 10**30

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trade:
    """One order with its one fill."""

    order: str
    fill: str
    trade: str


class Ledger:
    """One account of a database, with a purse of coins."""

    def __init__(
        self,
        database: Database,
        *,
        method: LotMethod = LotMethod.FIFO,
        margin: Decimal = Decimal(0),
        defer_above: int | None = None,
    ) -> None:
        self.database = database
        self.books = Books(database, actor="test", defer_above=defer_above)
        self.account_id = _open(database)
        if (method, margin) != (LotMethod.FIFO, 0):
            self.rename(method, margin)
        self.turn(lambda page: move_cash(page, COIN, Movement.DEPOSIT, PURSE, reference="opening"))

    def turn(self, work: Callable[[Page], T]) -> T:
        return self.books.turn(self.account_id, work)

    # -- acts ---------------------------------------------------------------------------------------------------

    def trade(
        self,
        side: Side,
        quantity: int,
        notional: int,
        fee: int = 0,
        *,
        fee_asset: str = COIN,
        fee_value: int | None = None,
        lots: Sequence[str] = (),
        reason: dict[str, Any] | None = None,
        strategy: str | None = None,
    ) -> Trade:
        """An order that is filled by one trade, in one record."""

        def work(page: Page) -> Trade:
            order = self.record(page, side, quantity, reason=reason, strategy=strategy)
            event = tell_fill(
                page.book,
                order,
                trade=str(uuid4()),
                quantity=quantity,
                notional=notional,
                fee_asset=fee_asset,
                fee=fee,
                at=page.now,
                fee_value=fee_value,
                lots=lots,
            )
            page.add(event)
            return Trade(order.key, event.fill, event.trade)

        return self.turn(work)

    def buy(self, quantity: int, notional: int, fee: int = 0, **more: Any) -> Trade:
        return self.trade(Side.BUY, quantity, notional, fee, **more)

    def sell(self, quantity: int, notional: int, fee: int = 0, **more: Any) -> Trade:
        return self.trade(Side.SELL, quantity, notional, fee, **more)

    def record(
        self,
        page: Page,
        side: Side,
        quantity: int,
        *,
        client_id: str | None = None,
        state: OrderState = OrderState.SENT,
        **fields: Any,
    ) -> Any:
        """An order on a page, as if a venue had been given it."""
        intent = OrderIntent(
            self.account_id,
            PAIR,
            side,
            client_id or str(uuid4()),
            quantity=quantity,
            **{name: value for name, value in fields.items() if value is not None},
        )
        order = recording.draft(page, intent, state)
        recording.write(page, order, Examination())
        return order

    def open_order(self, side: Side, quantity: int, **fields: Any) -> str:
        """An order at work."""
        key: str = self.turn(lambda page: self.record(page, side, quantity, **fields).key)
        return key

    def fill(self, order: str, quantity: int, notional: int, trade: str, *, fee: int = 0) -> bool:
        """A venue's report of a trade; whether it was news."""
        report = FillReport(trade, quantity, notional, COIN, fee, utc_now())
        return self.turn(lambda page: book_fill(page, page.book.find_order(order), report))

    def undo(self, trade: Trade) -> None:
        """A reorganisation takes it back."""
        self.turn(lambda page: page.add(Reversed(trade.fill, trade.order, trade.trade, page.now)))

    def gas(self, trade: Trade, amount: int, reference: str, *, asset: str = COIN) -> bool:
        return self.turn(
            lambda page: move_cash(page, asset, Movement.GAS, -amount, reference=reference, order=trade.order)
        )

    def write_off(self, quantity: int, rule: str = "vanished") -> None:
        self.turn(lambda page: write_off(page, page.book.positions[PAIR], quantity, rule=rule))

    def rename(self, method: LotMethod, margin: Decimal = Decimal(0)) -> None:
        self.turn(lambda page: page.add(Renamed(method.value, format(margin, "f"))))

    # -- what the tables say ------------------------------------------------------------------------------------

    def rows(self, model: type[Any], *conditions: Any) -> list[Any]:
        with self.database.read() as session:
            key = model.id if hasattr(model, "id") else model.lot_id
            found = list(session.exec(select(model).where(*conditions).order_by(key)).all())
            session.expunge_all()
            return found

    def holds(self, asset: str) -> int:
        with self.database.read() as session:
            return balance_of(session, self.account_id, asset)

    def positions(self) -> list[Position]:
        return self.rows(Position, Position.account_id == self.account_id)

    def position(self) -> Position:
        """The only one, or the newest."""
        return self.positions()[-1]

    def lots(self) -> list[tuple[int, int, int]]:
        """Quantity, what is left of it, and cost of every lot of the account, oldest first."""
        mine = {position.id for position in self.positions()}
        return [(x.quantity, x.remaining, x.cost) for x in self.rows(Lot) if x.position_id in mine]

    def matches(self, trade: Trade) -> list[tuple[int, int, int]]:
        """Quantity, cost and proceeds of what a trade closed."""
        found = self.rows(LotMatch, LotMatch.fill_id == UUID(trade.fill))
        return [(match.quantity, match.cost, match.proceeds) for match in found]

    def order(self, key: str) -> Order:
        found: Order = self.rows(Order, Order.id == UUID(key))[0]
        return found

    def fill_row(self, trade: Trade) -> Fill:
        found: Fill = self.rows(Fill, Fill.id == UUID(trade.fill))[0]
        return found

    def entries(self, *conditions: Any) -> list[LedgerEntry]:
        return self.rows(LedgerEntry, LedgerEntry.account_id == self.account_id, *conditions)

    # -- what must always be true -------------------------------------------------------------------------------

    def assert_true(self) -> None:
        """The tables agree among themselves, with the journal, with the book in memory and with another process's."""
        proved = verify(self.database)
        assert proved.whole, proved.findings
        self.assert_tables_agree()
        kept = self.turn(lambda page: plain(page.book))
        writer = Writer(self.database)
        try:
            read = plain(load_book(writer, self.account_id.hex, Pairs(writer)))
        finally:
            writer.close()
        other = {name: (read[name], kept[name]) for name in kept if read[name] != kept[name]}
        assert not other, f"the tables and the book in memory differ: {other}"

    def assert_tables_agree(self) -> None:
        entries = self.entries()
        for asset in {entry.asset_id for entry in entries}:
            assert sum(entry.amount for entry in entries if entry.asset_id == asset) == self.holds(asset)
        lots = self.rows(Lot)
        for position in self.positions():
            mine = [lot for lot in lots if lot.position_id == position.id]
            assert sum(lot.remaining for lot in mine) == abs(position.quantity)
            assert all(0 <= lot.remaining <= lot.quantity for lot in mine)
            left = sum(lot.cost - lot.cost * (lot.quantity - lot.remaining) // lot.quantity for lot in mine)
            assert left == position.basis


def plain(book: Book) -> dict[str, Any]:
    """A book as plain values, what is nothing left out."""
    return {
        "cash": {asset: amount for asset, amount in book.cash.items() if amount},
        "reserved": {asset: amount for asset, amount in book.reserved.items() if amount},
        "selling": {name: amount for name, amount in book.selling.items() if amount},
        "buying": {name: amount for name, amount in book.buying.items() if amount},
        "orders": [
            {**msgspec.to_builtins(order), "updated": order.updated or order.at}
            for order in book.orders.values()
        ],
        "positions": {name: msgspec.to_builtins(position) for name, position in book.positions.items()},
        "lots": [list(position.lots) for position in book.positions.values()],
        "settled": book.settled,
        "rules": (book.lot_method, book.margin),
    }


def _open(database: Database) -> UUID:
    with database.write() as session:
        if session.get(Asset, COIN) is None:
            for asset in (COIN, TOKEN, POINT):
                session.add(Asset(id=asset, symbol=asset[5:], decimals=18))
            session.flush()
            session.add(
                Instrument(
                    id=PAIR, venue=VenueKind.PAPER, symbol="TOKEN/COIN", base_asset=TOKEN, quote_asset=COIN
                )
            )
        account = Account(name=f"account-{uuid4()}", venue=VenueKind.PAPER, reporting_asset=COIN)
        session.add(account)
        session.flush()
        return account.id
