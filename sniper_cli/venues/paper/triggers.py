"""Triggers on the paper market: at which second of the price's path a stop, a take-profit or a trailing stop goes off.

All in ticks of the middle price. A trailing stop needs no state between two looks: the best price since it began
follows from the path, but it is kept all the same, so that the next look begins where this one ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.simulated import PricePath
from sniper_cli.trading.intents import Terms
from state.orders import OrderType, Side

BPS = 10_000


@dataclass(slots=True)
class Trigger:
    """`above`: it goes off at `ticks` and over, else at `ticks` and under. A trail moves `ticks` along."""

    above: bool
    ticks: int
    trail: int = 0
    """Ticks that a trailing stop stays behind the best price."""
    trail_bps: int = 0
    best: int | None = None
    """The best price so far; none until the activation price has been reached."""
    activation: int | None = None

    @property
    def trailing(self) -> bool:
        return bool(self.trail or self.trail_bps)

    def asks_as(self, other: Trigger) -> bool:
        """The same trigger, whatever it has seen."""
        if self.trailing or other.trailing:
            return (self.above, self.trail, self.trail_bps, self.activation) == (
                other.above,
                other.trail,
                other.trail_bps,
                other.activation,
            )
        return (self.above, self.ticks) == (other.above, other.ticks)

    def level(self, price: int) -> int:
        """Where it would go off, as far as that can be said at a price."""
        if not self.trailing or self.best is not None:
            return self.ticks
        return self._behind(price if self.activation is None else self.activation)

    def touched(self, price: int) -> bool:
        """Whether this price sets it off; a trailing stop then moves along with it.

        The stop that counts is the one known before this price.
        """
        if self.trailing and self.best is None:
            self._begin(price)
            return False
        if price >= self.ticks if self.above else price <= self.ticks:
            return True
        if self.trailing:
            self._follow(price)
        return False

    def _begin(self, price: int) -> None:
        """Follow from here on, once the activation price has been reached."""
        reached = self.activation is None or (
            price <= self.activation if self.above else price >= self.activation
        )
        if reached:
            self.best = price
            self.ticks = self._behind(price)

    def _follow(self, price: int) -> None:
        assert self.best is not None
        if price < self.best if self.above else price > self.best:
            self.best = price
            self.ticks = self._behind(price)

    def _behind(self, price: int) -> int:
        """The stop of a best price; in whole ticks, the one that the same prices touch as the exact one."""
        if self.above:
            return price + self.trail if self.trail else -(-price * (BPS + self.trail_bps) // BPS)
        return max(1, price - self.trail if self.trail else price * (BPS - self.trail_bps) // BPS)

    def next_touch(self, path: PricePath, after: int, until: int) -> int | None:
        """The first second in (after, until] in which the price sets it off, or moves a trailing stop along."""
        if self.trailing and self.best is None:
            if self.activation is None:
                return after + 1 if after < until else None
            return (
                path.next_below(self.activation + 1, after, until)
                if self.above
                else path.next_above(self.activation - 1, after, until)
            )
        if not self.trailing:
            return (
                path.next_above(self.ticks - 1, after, until)
                if self.above
                else path.next_below(self.ticks + 1, after, until)
            )
        below, above = (self.best, self.ticks - 1) if self.above else (self.ticks + 1, self.best)
        return path.next_beyond(below, above, after, until)

    def terms(self, terms: Terms, tick: Decimal) -> Terms:
        """The terms with what a trailing stop has seen."""
        if not self.trailing or self.best is None:
            return terms
        return msgspec.structs.replace(terms, best_price=self.best * tick, trigger_price=self.ticks * tick)


def trigger_of(order: BookedOrder, terms: Terms, tick: Decimal) -> Trigger:
    """The trigger of a stop, a stop-limit, a take-profit or a trailing stop."""
    buying = order.side is Side.BUY
    if order.type is OrderType.TRAILING_STOP:
        trigger = Trigger(
            buying,
            0,
            0 if terms.trail_amount is None else int(terms.trail_amount / tick),
            terms.trail_bps or 0,
            None,
            None if terms.activation_price is None else int(terms.activation_price / tick),
        )
        if terms.best_price is not None:
            trigger.best = int(terms.best_price / tick)
            trigger.ticks = trigger._behind(trigger.best)
        return trigger
    assert terms.trigger_price is not None
    # A stop buys when the price rises to it and sells when it falls to it; a take-profit the other way round.
    above = buying if order.type is not OrderType.TAKE_PROFIT else not buying
    return Trigger(above, int(terms.trigger_price / tick))
