"""Candles of the simulated market: any interval from a second to a day, without walking its seconds.

Open and close are the middle prices of the first and the last second, high and low the extremes of all of them,
volume what the prints of all of them come to: five one-minute candles are one five-minute candle, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sniper_cli.market.simulated import PricePath
from sniper_cli.market.volume import volume

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Interval(StrEnum):
    """How long a candle lasts. Each divides the day, so candles begin where the clock in UTC does."""

    S1 = "1s"
    S5 = "5s"
    S15 = "15s"
    S30 = "30s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H12 = "12h"
    D1 = "1d"

    @property
    def seconds(self) -> int:
        return int(self.value[:-1]) * UNITS[self.value[-1]]


@dataclass(frozen=True, slots=True)
class Candle:
    """What the middle price did in a stretch of seconds, in ticks, and the lots that traded."""

    first: int
    last: int
    """The seconds it covers; of the present candle those that have been."""
    open: int
    high: int
    low: int
    close: int
    lots: int


def candle(path: PricePath, first: int, last: int) -> Candle:
    """The candle of the seconds from `first` to `last`."""
    low, high = path.extremes(first, last)
    lots = volume(path, first, last)
    return Candle(first, last, path.ticks(first), high, low, path.ticks(last), lots)


def candles(path: PricePath, interval: Interval, first: int, last: int) -> Iterator[Candle]:
    """The candles that the seconds from `first` to `last` lie in: the first one whole, the last one up to `last`."""
    for begin, end in stretches(interval, first, last):
        yield candle(path, begin, end)


def stretches(interval: Interval, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The first and the last second of each of these candles."""
    length = interval.seconds
    for begin in range(first - first % length, last + 1, length):
        yield begin, min(begin + length - 1, last)


def merged(parts: Sequence[Candle]) -> Candle:
    """One candle of several that follow each other."""
    return Candle(
        parts[0].first,
        parts[-1].last,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.lots for part in parts),
    )
