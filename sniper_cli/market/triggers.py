"""What a price does to an order that waits for it: stops, take-profits, trailing stops, and brackets on candles.

A trigger looks at trades. It goes off at the first one at its price or through it, and what it sends gets that
trade's price at best: where the price jumps over a stop, the stop is not what is paid.

How the price went inside a candle is not known. A rule says which end it came to first: the pessimistic one says the
end that hurts. A candle that opens beyond a price has jumped over it, and trades at its open under either rule.

`side` is always that of the order which is sent: SELL guards a long position and closes it, BUY a short one. Prices
are Decimals or whole ticks; what comes out is of the kind that went in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sniper_cli.market.quantisation import EXACT, ceil_to, floor_to
from state.orders import Side

Price = TypeVar("Price", int, Decimal)
Bar = tuple[Price, Price, Price, Price]
"""Open, high, low, close."""


def stop_touched(side: Side, stop: Price, price: Price) -> bool:
    """Whether the price has come to a stop: fallen to one that sells, risen to one that buys."""
    return price <= stop if side is Side.SELL else price >= stop


def target_touched(side: Side, target: Price, price: Price) -> bool:
    """Whether the price has come to a take-profit, or to a limit: risen to one that sells, fallen to one that buys."""
    return price >= target if side is Side.SELL else price <= target


@dataclass(frozen=True, slots=True)
class Course(Generic[Price]):
    """What became of a trigger along a path of trades; none of it where it never happened."""

    triggered_index: int | None = None
    filled_index: int | None = None
    fill_price: Price | None = None


def follow_stop(side: Side, stop: Price, path: Iterable[Price], limit: Price | None = None) -> Course[Price]:
    """A stop along a path: at the market once it is touched, or at the limit or better from that trade on."""
    return _follow(stop_touched, side, stop, path, limit)


def follow_target(
    side: Side, target: Price, path: Iterable[Price], limit: Price | None = None
) -> Course[Price]:
    """A take-profit along a path, like a stop on the other side."""
    return _follow(target_touched, side, target, path, limit)


def _follow(
    touched: Callable[[Side, Price, Price], bool],
    side: Side,
    trigger: Price,
    path: Iterable[Price],
    limit: Price | None,
) -> Course[Price]:
    triggered = None
    for index, price in enumerate(path):
        if triggered is None and touched(side, trigger, price):
            triggered = index
        if triggered is not None and (limit is None or target_touched(side, limit, price)):
            return Course(triggered, index, price)
    return Course(triggered)


@dataclass(slots=True)
class Trailing(Generic[Price]):
    """A stop that follows the price's best at a distance and never turns back.

    What a price touches is the stop known before it; only then does the stop move. `as_dict` and `from_dict` carry it
    over a restart.
    """

    side: Side
    amount: Price | None = None
    percent: Decimal | None = None
    """Of the best price. Either this or an amount."""
    activation: Price | None = None
    """It begins to follow at the first trade here or better; without one, at the first trade."""
    best: Price | None = None
    """The best price since it began to follow."""
    stop: Price | None = None
    triggered: bool = False

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("a trailing stop keeps an amount away, or a percentage")
        if self.amount is not None and self.amount <= 0:
            raise ValueError(f"a trailing stop keeps away from the price, not {self.amount}")
        self.percent = None if self.percent is None else Decimal(self.percent)
        if self.percent is not None and not 0 < self.percent < 100:
            raise ValueError(f"a trailing stop keeps between 0 and 100 percent away, not {self.percent}")

    def update(self, price: Price) -> bool:
        """A trade. Whether it has triggered, now or before."""
        if self.triggered or (self.stop is not None and stop_touched(self.side, self.stop, price)):
            self.triggered = True
        elif self.best is None:
            if self.activation is None or target_touched(self.side, self.activation, price):
                self._follow(price)
        elif price > self.best if self.side is Side.SELL else price < self.best:
            self._follow(price)
        return self.triggered

    def _follow(self, best: Price) -> None:
        self.best = best
        self.stop = self._away_from(best)

    def _away_from(self, best: Price) -> Price:
        """The stop that belongs to a best price.

        In ticks it is rounded away from the price: whole ticks touch it when they touch the exact one.
        """
        sells = self.side is Side.SELL
        if self.amount is not None:
            if isinstance(best, int):
                return best - self.amount if sells else best + self.amount
            return EXACT.subtract(best, self.amount) if sells else EXACT.add(best, self.amount)
        assert self.percent is not None
        away = EXACT.multiply(best, EXACT.scaleb(self.percent, -2))
        exact = EXACT.subtract(best, away) if sells else EXACT.add(best, away)
        if isinstance(best, int):
            return int((floor_to if sells else ceil_to)(exact, Decimal(1)))
        return exact

    def as_dict(self) -> dict[str, Any]:
        """All that it knows, as JSON can hold it."""
        fields = {name: getattr(self, name) for name in PRICES}
        return {
            "side": self.side.value,
            **{name: str(value) if isinstance(value, Decimal) else value for name, value in fields.items()},
            "triggered": self.triggered,
        }

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> Trailing[Any]:
        """The same as when it was written down: strings are Decimals, numbers are ticks."""
        fields: dict[str, Any] = {
            name: Decimal(known[name]) if isinstance(known[name], str) else known[name] for name in PRICES
        }
        return cls(Side(known["side"]), **fields, triggered=known["triggered"])


PRICES = ("amount", "percent", "activation", "best", "stop")


@dataclass(frozen=True, slots=True)
class TrailingCourse(Generic[Price]):
    """What became of a trailing stop along a path of trades."""

    triggered_index: int | None
    trigger_price: Price | None
    stop_at_trigger: Price | None
    stops: tuple[Price | None, ...]
    """After each trade before the one that triggered it; none before it was activated."""


def follow_trailing(trailing: Trailing[Price], path: Iterable[Price]) -> TrailingCourse[Price]:
    """A trailing stop along a path, from the state that it is in, to the state that it ends in."""
    stops: list[Price | None] = []
    for index, price in enumerate(path):
        if trailing.update(price):
            return TrailingCourse(index, price, trailing.stop, tuple(stops))
        stops.append(trailing.stop)
    return TrailingCourse(None, None, None, tuple(stops))


class Intrabar(StrEnum):
    """Which end of a candle the price came to first, where it matters."""

    PESSIMISTIC = "pessimistic"
    """The end that hurts."""
    OPTIMISTIC = "optimistic"


class ExitReason(StrEnum):
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"


@dataclass(frozen=True, slots=True)
class BarExit(Generic[Price]):
    """Where a position was closed on candles."""

    bar: int
    reason: ExitReason
    price: Price
    ambiguous: bool = False
    """Both prices lay in the candle, and the rule has decided."""


def bracket_on_bars(
    side: Side,
    bars: Iterable[Bar[Price]],
    *,
    take_profit: Price | None = None,
    stop_loss: Price | None = None,
    rule: Intrabar = Intrabar.PESSIMISTIC,
) -> BarExit[Price] | None:
    """The first of a pair of which one cancels the other, or of a single one; none while neither is touched.

    A trade is a candle whose four prices are one.
    """
    for index, (opened, high, low, _) in enumerate(bars):
        hurts, pleases = (low, high) if side is Side.SELL else (high, low)
        if stop_loss is not None and stop_touched(side, stop_loss, opened):
            return BarExit(index, ExitReason.STOP_LOSS, opened)
        if take_profit is not None and target_touched(side, take_profit, opened):
            return BarExit(index, ExitReason.TAKE_PROFIT, opened)
        stopped = stop_loss is not None and stop_touched(side, stop_loss, hurts)
        taken = take_profit is not None and target_touched(side, take_profit, pleases)
        if stop_loss is not None and stopped and not (taken and rule is Intrabar.OPTIMISTIC):
            return BarExit(index, ExitReason.STOP_LOSS, stop_loss, ambiguous=taken)
        if take_profit is not None and taken:
            return BarExit(index, ExitReason.TAKE_PROFIT, take_profit, ambiguous=stopped)
    return None


def trailing_on_bars(
    trailing: Trailing[Price], bars: Iterable[Bar[Price]], *, rule: Intrabar = Intrabar.PESSIMISTIC
) -> BarExit[Price] | None:
    """A trailing stop on candles: open, one end, the other, close. Between two of them no price is jumped over."""
    for index, (opened, high, low, close) in enumerate(bars):
        if trailing.update(opened):
            return BarExit(index, ExitReason.TRAILING_STOP, opened)
        low_first = (trailing.side is Side.SELL) is (rule is Intrabar.PESSIMISTIC)
        for price in (low, high, close) if low_first else (high, low, close):
            if trailing.update(price):
                assert trailing.stop is not None
                return BarExit(index, ExitReason.TRAILING_STOP, trailing.stop)
    return None
