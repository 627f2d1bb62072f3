"""The simulated market: prices, books, prints, and candles of long stretches that nobody walks second by second."""

from __future__ import annotations

import time
from collections.abc import Callable

from sniper_cli.market.candles import Interval, candles
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.market.trades import trades
from sniper_cli.market.views import Market, axes
from sniper_cli.output.chart import chart

NOW = 1_795_176_000  # 2026-11-20T12:00:00Z
CANDLES = 200
SECONDS = 1000
RUNS = 5
BTC = INSTRUMENTS["paper:BTC/USDT"]


def measure() -> dict[str, str]:
    path = SimulatedMarket(7).path(BTC.id)
    scattered = range(NOW - 10_000_000, NOW, 10_000)
    results = {
        "a price, anywhere": _each(lambda: [path.ticks(step) for step in scattered], len(scattered)),
        "a price, the next second": _each(
            lambda: [path.ticks(step) for step in range(NOW, NOW + SECONDS)], SECONDS
        ),
        "a book of ten levels a side": _each(
            lambda: [path.book(step) for step in range(NOW, NOW + SECONDS)], SECONDS
        ),
        "the prints of a second": _each(lambda: list(trades(path, NOW, NOW + SECONDS - 1)), SECONDS),
        "a touch 5 % away, in a month": _each(_touch),
    }
    for interval in (Interval.M1, Interval.H1, Interval.D1):
        results[f"{CANDLES} candles of {interval}"] = _median(lambda interval=interval: _candles(interval))  # type: ignore[misc]
    market = Market(7)
    results["24 quotes with their day, first"] = _once(lambda: market.quotes(NOW))
    moments = iter(range(NOW + 1, NOW + 60))
    results["24 quotes, a second later"] = _median(lambda: market.quotes(next(moments)))
    found = market.latest(BTC, Interval.M1, NOW, 100)
    results["a chart of 100 candles, 120 × 30"] = _median(
        lambda: chart(found, axes(BTC, found, Interval.M1), width=120, height=30)
    )
    return results


def _candles(interval: Interval) -> None:
    """From a market that has computed nothing yet."""
    first = NOW - (CANDLES - 1) * interval.seconds
    assert len(list(candles(SimulatedMarket(7).path(BTC.id), interval, first, NOW))) == CANDLES


def _touch() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    path.next_below(path.ticks(NOW) * 95 // 100, NOW, NOW + 30 * 86_400)


def _once(work: Callable[[], object]) -> str:
    return f"{_seconds(work) * 1000:.1f} ms"


def _median(work: Callable[[], object]) -> str:
    return f"{sorted(_seconds(work) for _ in range(RUNS))[RUNS // 2] * 1000:.1f} ms"


def _each(work: Callable[[], object], count: int = 1) -> str:
    """The median of some runs, for each of so many things."""
    return f"{sorted(_seconds(work) for _ in range(RUNS))[RUNS // 2] / count * 1e6:,.0f} µs"


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
