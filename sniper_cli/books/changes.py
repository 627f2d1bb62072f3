"""What a record changed in the tables, collected while its events are applied and written in one go.

An order that was recorded and filled in one record is one row written once; a balance that a thousand fills moved is
one row too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition


@dataclass(slots=True)
class Entry:
    """A movement that is no trade, with its own reference."""

    asset_id: str
    movement: str
    amount: int
    reference: str
    at: int


@dataclass(slots=True)
class StrategyFigures:
    """A strategy's day in one quote asset."""

    realised: int = 0
    fees: int = 0
    bought: int = 0
    sold: int = 0
    fills: int = 0
    wins: int = 0
    won: int = 0
    losses: int = 0
    lost: int = 0


@dataclass(slots=True)
class InstrumentFigures:
    """An instrument's day."""

    quantity: int = 0
    notional: int = 0
    fills: int = 0
    realised: int = 0
    fees: int = 0
    held: int = 0
    basis: int = 0


@dataclass(slots=True)
class Changes:
    """Rows to insert and rows to update, by table."""

    orders: list[BookedOrder] = field(default_factory=list)
    moved: dict[str, BookedOrder] = field(default_factory=dict)
    """Orders of earlier records."""
    told: list[str] = field(default_factory=list)
    """Orders of earlier records whose story goes on in this one."""
    fills: list[BookedFill] = field(default_factory=list)
    reversed_fills: list[BookedFill] = field(default_factory=list)
    positions: dict[str, BookedPosition] = field(default_factory=dict)
    lots: dict[str, BookedLot] = field(default_factory=dict)
    gone_lots: list[str] = field(default_factory=list)
    matches: list[BookedMatch] = field(default_factory=list)
    gone_matches: list[str] = field(default_factory=list)
    """Fills whose matches were taken back."""
    trades: dict[tuple[str, str], int] = field(default_factory=dict)
    """Movements by trades: (asset, movement) to the sum of the record."""
    entries: list[Entry] = field(default_factory=list)
    balances: set[str] = field(default_factory=set)
    strategy_days: dict[tuple[date, str, str], StrategyFigures] = field(default_factory=dict)
    instrument_days: dict[tuple[date, str], InstrumentFigures] = field(default_factory=dict)
    rules: bool = False
    """The account's lot method or margin changed."""
    settled: int | None = None
    """The second up to which the paper market has been replayed."""
