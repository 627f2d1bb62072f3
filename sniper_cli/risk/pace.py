"""What is counted over time: orders in a second, results of a day, losses in a row.

Each is rebuilt from the tables when an account's book is read and then follows the book's own events, so that it is
the same after a restart, and in every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sniper_cli.books.holdings import BookedOrder, BookedPosition

SECOND = 1_000_000


@dataclass(slots=True)
class Pace:
    """So many orders a second: a bucket of as many drops, which one second empties (GCRA, ITU-T I.371).

    Time is counted in parts of a microsecond, `rate` to one, so that a drop is a whole number: a second divided by the
    rate is not.
    """

    rate: int
    full: int = 0
    """When the bucket will be empty, in parts of a microsecond."""
    now: int = 0
    used: int = 0
    """Drops in it now, a part of one for a whole one."""

    def begin(self, now: int) -> None:
        """Time has passed."""
        self.now = now
        left = self.full - now * self.rate
        self.used = -(-left // SECOND) if left > 0 else 0

    def note(self, at: int) -> None:
        """An order was taken."""
        self.full = max(self.full, at * self.rate) + SECOND
        if at == self.now:
            self.used += 1
        else:
            self.begin(self.now)


@dataclass(slots=True)
class DayResult:
    """What the trades of the present day have lost, fees paid."""

    day: date
    loss: int = 0
    """Quote units; negative for a gain."""

    def add(self, day: date, lost: int) -> None:
        """A trade of a day lost so much."""
        self.turn(day)
        if day == self.day:
            self.loss += lost

    def turn(self, day: date) -> None:
        """A new day begins with nothing."""
        if day > self.day:
            self.day, self.loss = day, 0


@dataclass(slots=True)
class Streak:
    """Positions closed at a loss in a row."""

    losses: int = 0
    at: int = 0
    """When the last of them was closed."""

    def take(self, position: BookedPosition, at: int) -> None:
        """A position was closed. What a token never delivered is still in its basis: lost, too."""
        self.note(position.realised - position.fees - position.basis, at)

    def note(self, result: int, at: int) -> None:
        """A position brought so much."""
        if result < 0:
            self.losses += 1
            self.at = at
        else:
            self.losses = 0


@dataclass(slots=True)
class Working:
    """How many orders of a strategy, or in an instrument, are at work."""

    strategy: str | None = None
    instrument: str | None = None
    count: int = 0

    def concerns(self, order: BookedOrder) -> bool:
        """Whether it is one of them."""
        return (self.strategy is None or order.strategy == self.strategy) and (
            self.instrument is None or order.instrument_id == self.instrument
        )

    def held(self, order: BookedOrder, sign: int) -> None:
        """An order is about to change (−1), or has changed (+1)."""
        if order.is_working and self.concerns(order):
            self.count += sign


__all__ = ["SECOND", "DayResult", "Pace", "Streak", "Working"]
