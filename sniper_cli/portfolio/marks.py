"""What positions are worth, who says so, and how long ago.

A mark is what closing the whole position would bring now: through the book's depth and less the fee, not the middle
price, at which nobody trades. On paper it is worked out from the book of this second; of a position on a chain it is
what the sniper last read from the pool, and its age says how much to believe it. A position that nobody ever marked
counts at cost.

A thousand positions are valued in a millisecond: what a side of a book gives is added up level by level once a
second, and each position then takes one search in ten numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import Level, SimulatedMarket, step_of
from sniper_cli.venues.paper.matching import Conditions, fee_on

STALE_AFTER = timedelta(minutes=2)
"""Ten blocks of a main chain: an older mark is said to be stale."""


class Source(StrEnum):
    """Who says what a position is worth."""

    MARKET = "market"
    """The simulated market's book of this second."""
    POOL = "pool"
    """The pool's reserves as they were last read."""
    COST = "cost"
    """Nobody: what it cost."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Quote units that closing would bring (of a short position what it would cost, negative)."""

    value: int
    source: Source
    at: datetime | None = None

    def age(self, now: datetime) -> timedelta | None:
        """How long ago it was true; None where nobody ever said it."""
        return None if self.at is None else max(timedelta(0), now - self.at)

    def stale(self, now: datetime) -> bool:
        """Too old to trade by."""
        age = self.age(now)
        return age is None or age > STALE_AFTER


def unrealised(quantity: int, basis: int, value: int) -> int:
    """Profit that closing at a mark would bring: of a short position, what its sale brought less what it costs."""
    return value - basis if quantity >= 0 else value + basis


class Depth:
    """One side of a book, added up from the best price on."""

    __slots__ = ("_lots", "_notionals", "_ticks")

    def __init__(self, levels: Sequence[Level], tick_of_lot: int) -> None:
        self._lots = [0, *accumulate(level.lots for level in levels)]
        self._notionals = [0, *accumulate(level.lots * level.ticks * tick_of_lot for level in levels)]
        ticks = [level.ticks * tick_of_lot for level in levels]
        self._ticks = [*ticks, ticks[-1]]
        """Quote units of a lot at each level; what the book does not hold is reckoned at its last price."""

    def notional(self, lots: int) -> int:
        """Quote units for so many lots."""
        place = bisect_left(self._lots, lots, 1, len(self._lots)) - 1
        return self._notionals[place] + (lots - self._lots[place]) * self._ticks[place]


@dataclass(slots=True)
class Pit:
    """An instrument's book of one second."""

    lot_units: int
    bids: Depth
    asks: Depth

    def closing(self, quantity: int, fee_bps: int) -> int:
        """What closing so many base units brings, the fee taken off."""
        if quantity >= 0:
            notional = self.bids.notional(quantity // self.lot_units)
            return notional - fee_on(notional, fee_bps)
        notional = self.asks.notional(-quantity // self.lot_units)
        return -(notional + fee_on(notional, fee_bps))


class PaperMarks:
    """The simulated market at one second after the other: marks, and rates at the middle price."""

    def __init__(self, market: SimulatedMarket, conditions: Conditions = Conditions()) -> None:  # noqa: B008 - frozen
        self.market = market
        self.fee_bps = conditions.fees.taker_bps
        self._step = -1
        self._pits: dict[str, Pit] = {}
        self._past: dict[tuple[str, int], int] = {}
        """Middle prices of seconds that were asked for by name: days' ends, each several times."""

    def at(self, now: datetime) -> PaperMarks:
        """The same, at another moment."""
        step = step_of(now)
        if step != self._step:
            self._step = step
            self._pits.clear()
        return self

    def closings(self, held: Iterable[tuple[str, int]]) -> list[int]:
        """What closing each (instrument, base units) would bring, in their order."""
        fee_bps, pit = self.fee_bps, self._pit
        return [pit(instrument).closing(quantity, fee_bps) for instrument, quantity in held]

    def closing(self, instrument_id: str, quantity: int) -> int:
        """What closing one position would bring."""
        return self._pit(instrument_id).closing(quantity, self.fee_bps)

    def rate(self, instrument_id: str, step: int | None = None) -> tuple[int, int] | None:
        """Quote units for base units at the middle price, now or at another second; None for another market's."""
        spec = INSTRUMENTS.get(instrument_id)
        if spec is None:
            return None
        if step is None:
            ticks = self.market.path(instrument_id).ticks(self._step)
        else:
            known = self._past.get((instrument_id, step))
            ticks = self.market.path(instrument_id).ticks(step) if known is None else known
            self._past[instrument_id, step] = ticks
        return ticks * spec.tick_of_lot, spec.lot_units

    def _pit(self, instrument_id: str) -> Pit:
        pit = self._pits.get(instrument_id)
        if pit is None:
            book = self.market.path(instrument_id).book(self._step)
            unit = book.spec.tick_of_lot
            pit = Pit(book.spec.lot_units, Depth(book.bids, unit), Depth(book.asks, unit))
            self._pits[instrument_id] = pit
        return pit


def knows(instrument_id: str) -> bool:
    """Whether the simulated market trades it."""
    return instrument_id in INSTRUMENTS
