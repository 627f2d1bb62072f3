"""Each projected table as a proof reads it: its columns, its key, and the row that a struct of the book stands for.

The rows are spelled here a second time, apart from `projecting`: a column that the projection forgot would else be
forgotten by its proof as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import SQLModel

from sniper_cli.books.book import Book
from sniper_cli.books.changes import Entry, InstrumentFigures, StrategyFigures
from sniper_cli.books.differences import Difference, words
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from state.accounts import COUNTERPARTS, Account, Balance, LedgerEntry, Movement
from state.columns import Exact, Json, Units
from state.orders import Fill, Order, OrderChange
from state.positions import Lot, LotMatch, Position
from state.projections import InstrumentDay, StrategyDay
from state.writing import instant, read_micros

T = TypeVar("T")

Row = tuple[Any, ...]
StrategyDayKey = tuple[date, str, str]
InstrumentDayKey = tuple[date, str]


@dataclass(frozen=True, slots=True)
class Spelling(Generic[T]):
    """One table. `names`: its columns in order; the first `keys` of them tell rows apart."""

    model: type[SQLModel]
    names: str
    row: Callable[[str, T], Row]
    """Of an account's key and a struct."""
    keys: int = 1

    @property
    def table(self) -> str:
        return str(self.model.__tablename__)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.names.split(","))

    def differences(self, expected: Row, found: Row) -> Iterator[Difference]:
        """Every column that means something else; another spelling of the same is none."""
        kinds = sa.inspect(self.model).local_table.c
        key = key_of(expected[: self.keys])
        for name, mine, theirs in zip(self.columns, expected, found, strict=True):
            if mine != theirs and _meaning(mine, kinds[name].type) != _meaning(theirs, kinds[name].type):
                yield Difference(self.table, key, name, words(mine), words(theirs))

    def agree(self, expected: Row, found: Row) -> bool:
        """Whether two rows that are spelled differently mean the same."""
        return not any(True for _ in self.differences(expected, found))


def key_of(parts: Sequence[Any]) -> str:
    """A row's key for people."""
    return " ".join(str(part) for part in parts)


def _meaning(value: Any, kind: Any) -> Any:
    """A value freed of its spelling; what cannot be read means nothing but itself."""
    if value is None:
        return None
    try:
        if isinstance(kind, Units | sa.Integer):
            return int(value)
        if isinstance(kind, Exact):
            return Decimal(value)
        if isinstance(kind, Json):
            return json.loads(value)
        if isinstance(kind, sa.DateTime) or "DateTime" in type(kind).__name__:
            return read_micros(value)
    except (ValueError, ArithmeticError):
        return value
    return value


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return instant(days * 86_400_000_000).strftime("%Y-%m-%d ")


@lru_cache(maxsize=86_400)
def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}."


def moment(micros: int) -> str:
    """A time as a reader spells it; three times a row, so `strftime` at 2 µs will not do."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_day(seconds // 86_400)}{_clock(seconds % 86_400)}{rest:06d}"


def _order(account: str, order: BookedOrder) -> Row:
    return (
        order.key,
        account,
        order.client_order_id,
        order.instrument_id,
        order.side._value_,
        order.type._value_,
        order.time_in_force._value_,
        None if order.quantity is None else str(order.quantity),
        None if order.budget is None else str(order.budget),
        None if order.limit_price is None else format(order.limit_price, "f"),
        order.terms_json,
        order.state._value_,
        order.reason_json,
        order.checks_json,
        order.explanation,
        str(order.reserved),
        order.venue_reference,
        str(order.filled_quantity),
        str(order.filled_notional),
        order.strategy,
        order.parent_key,
        order.launch_key,
        order.position_key,
        moment(order.at),
        moment(order.updated or order.at),
        order.version,
        order.seq,
    )


ORDERS: Spelling[BookedOrder] = Spelling(
    Order,
    "id, account_id, client_order_id, instrument_id, side, type, time_in_force, quantity, budget, limit_price, terms, "
    "state, reason, checks, explanation, reserved, venue_reference, filled_quantity, filled_notional, strategy, "
    "parent_id, launch_id, position_id, created_at, updated_at, version, recorded_seq",
    _order,
)

CHANGES: Spelling[tuple[str, int]] = Spelling(OrderChange, "order_id, seq", lambda _, pair: pair, keys=2)


def _fill(account: str, fill: BookedFill) -> Row:
    return (
        fill.key,
        account,
        fill.order_key,
        fill.instrument_id,
        fill.position_key,
        fill.trade,
        fill.side._value_,
        str(fill.quantity),
        str(fill.notional),
        fill.fee_asset,
        str(fill.fee),
        str(fill.fee_value),
        str(fill.realised),
        moment(fill.at),
        None if fill.reversed_at is None else moment(fill.reversed_at),
        fill.seq,
    )


FILLS: Spelling[BookedFill] = Spelling(
    Fill,
    "id, account_id, order_id, instrument_id, position_id, venue_trade_id, side, quantity, notional, fee_asset, fee, "
    "fee_value, realised, at, reversed_at, seq",
    _fill,
)


def _position(account: str, position: BookedPosition) -> Row:
    return (
        position.key,
        account,
        position.instrument_id,
        position.launch_key,
        position.strategy,
        position.state._value_,
        str(position.quantity),
        str(position.spent),
        str(position.received),
        str(position.basis),
        str(position.fees),
        str(position.realised),
        position.exit_rule,
        moment(position.at),
        None if position.closed is None else moment(position.closed),
        position.version,
    )


POSITIONS: Spelling[BookedPosition] = Spelling(
    Position,
    "id, account_id, instrument_id, launch_id, strategy, state, quantity, spent, received, basis, fees, realised, "
    "exit_rule, opened_at, closed_at, version",
    _position,
)
"""Without marks, peaks and exit rules: those are observations and plans, and no journal tells them."""


def _lot(_: str, lot: BookedLot) -> Row:
    return (
        lot.key,
        lot.position_key,
        str(lot.quantity),
        str(lot.remaining),
        str(lot.cost),
        moment(lot.at),
    )


LOTS: Spelling[BookedLot] = Spelling(Lot, "id, position_id, quantity, remaining, cost, opened_at", _lot)


def _match(_: str, match: BookedMatch) -> Row:
    return (match.fill_key, match.lot_key, str(match.quantity), str(match.cost), str(match.proceeds))


MATCHES: Spelling[BookedMatch] = Spelling(
    LotMatch, "fill_id, lot_id, quantity, cost, proceeds", _match, keys=2
)


def _entry(account: str, entry: Entry) -> Row:
    return (
        account,
        entry.asset_id,
        entry.movement,
        entry.reference,
        COUNTERPARTS[Movement(entry.movement)],
        str(entry.amount),
        moment(entry.at),
    )


ENTRIES: Spelling[Entry] = Spelling(
    LedgerEntry, "account_id, asset_id, movement, reference, counterpart, amount, at", _entry, keys=4
)
"""Without their ids, which are made when they are written."""


def _strategy_day(account: str, told: tuple[StrategyDayKey, StrategyFigures]) -> Row:
    (day, strategy, quote), one = told
    sums = [str(sum_) for sum_ in (one.realised, one.fees, one.bought, one.sold)]
    return (
        account,
        str(day),
        strategy,
        quote,
        *sums,
        one.fills,
        one.wins,
        str(one.won),
        one.losses,
        str(one.lost),
    )


STRATEGY_DAYS: Spelling[tuple[StrategyDayKey, StrategyFigures]] = Spelling(
    StrategyDay,
    "account_id, day, strategy, quote_asset, realised, fees, bought, sold, fills, wins, won, losses, lost",
    _strategy_day,
    keys=4,
)


def _instrument_day(account: str, told: tuple[InstrumentDayKey, InstrumentFigures]) -> Row:
    (day, instrument), one = told
    return (
        account,
        str(day),
        instrument,
        str(one.quantity),
        str(one.notional),
        one.fills,
        str(one.realised),
        str(one.fees),
        str(one.held),
        str(one.basis),
    )


INSTRUMENT_DAYS: Spelling[tuple[InstrumentDayKey, InstrumentFigures]] = Spelling(
    InstrumentDay,
    "account_id, day, instrument_id, quantity, notional, fills, realised, fees, held, basis",
    _instrument_day,
    keys=3,
)

BALANCES: Spelling[tuple[str, int]] = Spelling(
    Balance, "account_id, asset_id, amount", lambda account, told: (account, told[0], str(told[1])), keys=2
)


def _rules(account: str, book: Book) -> Row:
    return (account, book.settled, book.lot_method.value, format(book.margin, "f"))


RULES: Spelling[Book] = Spelling(Account, "id, settled_until, lot_method, margin", _rules)
"""What of an account's row the journal tells."""

__all__ = [
    "BALANCES", "CHANGES", "ENTRIES", "FILLS", "INSTRUMENT_DAYS", "LOTS", "MATCHES", "ORDERS", "POSITIONS", "RULES",
    "STRATEGY_DAYS", "InstrumentDayKey", "Row", "Spelling", "StrategyDayKey", "key_of", "moment",
]  # fmt: skip
