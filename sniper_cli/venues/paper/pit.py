"""One instrument on an account's floor: what rests there, what is watched for, and when the price comes to any of it.

Of a thousand stops only the nearest on each side can be the next to go off, so a search asks the price path two
questions for all of them together; only what moves with the price (a trailing stop) is asked for by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from sniper_cli.market.book_outcomes import SelfTrade
from sniper_cli.market.instruments import Spec
from sniper_cli.market.matching import OrderBook
from sniper_cli.market.simulated import PricePath
from sniper_cli.venues.paper.triggers import Trigger


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A second's best bid, best ask and middle price, in ticks."""

    step: int
    bid: int
    ask: int
    middle: int


NO_QUOTE = Quote(-1, 0, 0, 0)


class PriceRange(msgspec.Struct, frozen=True, gc=False):
    """The prices in ticks at which a condition holds, both ends included; an end that is none is open."""

    above: int | None = None
    below: int | None = None

    def holds(self, price: int) -> bool:
        return (self.above is None or price >= self.above) and (self.below is None or price <= self.below)

    def next(self, path: PricePath, after: int, until: int) -> int | None:
        """The first second in (after, until] whose middle price lies in it."""
        step: int | None = after
        while step is not None and step < until:
            step = self._step_towards(path, step, until)
            if step is not None and self.holds(path.ticks(step)):
                return step
        return None

    def _step_towards(self, path: PricePath, after: int, until: int) -> int | None:
        """The next second that is at least on the right side of the end that the price is beyond."""
        price = path.ticks(after + 1)
        if self.holds(price):
            return after + 1
        if self.above is not None and price < self.above:
            return path.next_above(self.above - 1, after, until)
        assert self.below is not None
        return path.next_below(self.below + 1, after, until)


class Fixed(msgspec.Struct, frozen=True, gc=False):
    """What a search for limits and fixed triggers has found: nothing in (after, until], or the second `found`."""

    below: int | None = None
    above: int | None = None
    after: int = 0
    until: int = -1
    found: int | None = None


NOTHING_FOUND = Fixed()


@dataclass(slots=True)
class Pit:
    """One instrument on the floor."""

    spec: Spec
    path: PricePath
    tick: Decimal
    lot_units: int
    resting: OrderBook = field(default_factory=lambda: OrderBook(SelfTrade.CANCEL_NEWEST))
    triggers: dict[str, Trigger] = field(default_factory=dict)
    waiting: dict[str, PriceRange] = field(default_factory=dict)
    """Orders that are held until this instrument's price lies in a range, whatever they trade themselves."""
    searched: tuple[int, int] = (-1, -1)
    """(after, until) of the last search that found nothing: that stretch need not be searched again."""
    fixed: Fixed = NOTHING_FOUND
    tick_of_lot: int = 1
    """Quote units of one lot at a price of one tick."""
    quoted: Quote = NO_QUOTE
    emptied: tuple[int, str] = (-1, "")
    """(second, order) that last took all that stood at its limit: the rest of it gets no more in that second."""

    def quote(self, step: int) -> Quote:
        """The best prices of a second, worked out once."""
        if self.quoted.step != step:
            book = self.path.book(step)
            middle = self.path.ticks(step)
            self.quoted = Quote(step, book.bids[0].ticks, book.asks[0].ticks, middle)
        return self.quoted

    @property
    def watched(self) -> bool:
        """Something here depends on the price."""
        return bool(len(self.resting) or self.triggers or self.waiting)

    def changed(self) -> None:
        """What depends on the price is no longer the same: search again."""
        self.searched = (-1, -1)

    def next_touch(self, after: int, until: int) -> int | None:
        """The next second in (after, until] in which the price reaches something of ours."""
        known = self.searched
        if known[0] != -1 and known[0] <= after <= known[1]:
            after = known[1]
        if after >= until:
            return None
        found = self._search(after, until)
        if found is None:
            self.searched = (known[0] if known[0] != -1 else after, until)
        return found

    def _search(self, after: int, until: int) -> int | None:
        fixed = self._next_fixed(after, until)
        found = until + 1 if fixed is None else fixed
        for trigger in self.triggers.values():
            if trigger.trailing:
                step = trigger.next_touch(self.path, after, found - 1)
                found = found if step is None else step
        for prices in self.waiting.values():
            step = prices.next(self.path, after, found - 1)
            found = found if step is None else step
        return found if found <= until else None

    def _next_fixed(self, after: int, until: int) -> int | None:
        """The next second that touches a limit or a fixed trigger. What moves meanwhile does not change it."""
        below, above = self._nearest()
        known = self.fixed
        if (known.below, known.above) == (below, above) and known.after <= after <= known.until:
            if known.found is not None and known.found > after:
                return known.found if known.found <= until else None
            start, first = max(after, known.until), known.after
            if start >= until:
                return None
        else:
            start = first = after
        # The best price of the other side lies beyond the middle, so the middle must pass a limit first.
        found = self.path.next_beyond(below, above, start, until)
        self.fixed = Fixed(below, above, first, until if found is None else found, found)
        return found

    def _nearest(self) -> tuple[int | None, int | None]:
        """Under which price, and over which, something of ours is touched next: limits and fixed triggers together."""
        below = [] if (bid := self.resting.best_bid) is None else [bid]
        above = [] if (ask := self.resting.best_ask) is None else [ask]
        for trigger in self.triggers.values():
            if not trigger.trailing:
                (above if trigger.above else below).append(trigger.ticks + (-1 if trigger.above else 1))
        return max(below, default=None), min(above, default=None)
