"""What one asset is worth in another: directly, the other way round, or over a third that both are priced in.

Rates are exact: so many units of one for so many of the other, never a quotient that was cut. Every conversion says
over which assets it went and how old the oldest price in it is, for a sum of ten currencies is as good as the worst.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Price:
    """`over` units of `quote` for `under` units of `base`."""

    base: str
    quote: str
    over: int
    under: int
    at: datetime | None = None
    """When it was so; None: not known when."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A way from one asset to another."""

    over: int
    under: int
    path: tuple[str, ...]
    """The assets on the way, both ends included."""
    at: datetime | None
    """Of the oldest price on the way; None: of one it is not known."""

    def of(self, units: int) -> int:
        """Units of the first asset in units of the last, cut to whole ones towards nothing."""
        worth = abs(units) * self.over // self.under
        return worth if units >= 0 else -worth


class Rates:
    """Prices of pairs, and the conversions that follow from them."""

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self._steps: dict[str, dict[str, Price]] = {}
        for price in prices:
            self.add(price)

    def add(self, price: Price) -> None:
        """Take a price in. What is worth nothing converts to nothing, and nothing converts to it."""
        self._steps.setdefault(price.base, {})[price.quote] = price
        if price.over > 0 and price.under > 0:
            back = Price(price.quote, price.base, price.under, price.over, price.at)
            self._steps.setdefault(price.quote, {}).setdefault(price.base, back)

    def between(self, asset: str, target: str) -> Conversion | None:
        """The shortest way; of several over one third asset the one with the newest prices. None: nobody knows."""
        if asset == target:
            return Conversion(1, 1, (asset,), None)
        steps = self._steps.get(asset, {})
        direct = steps.get(target)
        if direct is not None:
            return Conversion(direct.over, direct.under, (asset, target), direct.at)
        ways = [
            _joined(first, second)
            for first in steps.values()
            if (second := self._steps.get(first.quote, {}).get(target)) is not None
        ]
        return max(ways, key=_freshness, default=None)

    def convert(self, units: int, asset: str, target: str) -> int | None:
        """Units of an asset in units of another; None where nobody knows a price."""
        if not units:
            return 0
        found = self.between(asset, target)
        return None if found is None else found.of(units)


def _joined(first: Price, second: Price) -> Conversion:
    times = (first.at, second.at)
    oldest = None if None in times else min(time for time in times if time is not None)
    return Conversion(
        first.over * second.over,
        first.under * second.under,
        (first.base, first.quote, second.quote),
        oldest,
    )


def _freshness(way: Conversion) -> tuple[bool, float, tuple[str, ...]]:
    """Newer is better; of equals the first by name, so that two calls say the same."""
    moment = 0.0 if way.at is None else way.at.timestamp()
    return way.at is not None, moment, tuple(reversed(way.path))
