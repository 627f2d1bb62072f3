"""The simulated market is one and the same for everybody: a pure function, exact, positive and unbroken."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.errors import NotFound
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import (
    GAUSS_CENTRE,
    GAUSS_SPREAD,
    HOUR,
    LN2,
    SCALE,
    TOP,
    PricePath,
    SimulatedMarket,
    _lift,
    exponential,
    step_of,
    time_of,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STEP = step_of(NOON)
BTC = "paper:BTC/USDT"

seeds = st.integers(-(2**63), 2**63)
instruments = st.sampled_from(sorted(INSTRUMENTS))
steps = st.integers(0, 2**33)  # until the year 2242


def test_prices_are_what_they_have_always_been() -> None:
    """Fills already booked were computed from these prices: whoever changes them, changes history."""
    market = SimulatedMarket(7)
    seen = {name: str(market.price(name, NOON)) for name in INSTRUMENTS}
    assert seen == {
        "paper:BTC/USDT": "77563.66",
        "paper:ETH/USDT": "2440.42",
        "paper:SOL/USDT": "67.55",
        "paper:XRP/USDT": "2.9697",
        "paper:DOGE/USDT": "0.23545",
        "paper:BNB/USDT": "1109.97",
        "paper:ADA/USDT": "0.62327",
        "paper:TRX/USDT": "0.27519",
        "paper:AVAX/USDT": "28.735",
        "paper:LINK/USDT": "9.683",
        "paper:SUI/USDT": "1.7913",
        "paper:TON/USDT": "10.1887",
        "paper:HBAR/USDT": "0.17921",
        "paper:DOT/USDT": "6.7993",
        "paper:LTC/USDT": "160.79",
        "paper:BCH/USDT": "206.13",
        "paper:XLM/USDT": "0.26402",
        "paper:UNI/USDT": "6.7651",
        "paper:AAVE/USDT": "310.61",
        "paper:NEAR/USDT": "1.3250",
        "paper:APT/USDT": "0.5801",
        "paper:ATOM/USDT": "3.7273",
        "paper:ARB/USDT": "0.53248",
        "paper:FIL/USDT": "2.4848",
    }
    book = market.book(BTC, NOON)
    assert (str(book.best_bid), str(book.best_ask), book.asks[0].lots) == ("77562.11", "77569.86", 10508)


def test_another_process_sees_the_same_market() -> None:
    program = (
        "from sniper_cli.market.simulated import SimulatedMarket\n"
        f"path = SimulatedMarket(7).path({BTC!r})\n"
        f"print([path.book(step).asks for step in range({STEP}, {STEP} + 50)])\n"
    )
    root = str(Path(__file__).parents[3])
    seen = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        seen.append(done.stdout)
    path = SimulatedMarket(7).path(BTC)
    here = f"{[path.book(step).asks for step in range(STEP, STEP + 50)]}\n"
    assert seen == [here, here]


@settings(deadline=None)
@given(seeds, instruments, steps)
def test_a_price_is_positive_and_the_order_of_asking_does_not_matter(seed: int, name: str, step: int) -> None:
    fresh, used = SimulatedMarket(seed).path(name), SimulatedMarket(seed).path(name)
    for other in range(step + 40, step, -7):
        used.ticks(other)
    assert used.ticks(step) == fresh.ticks(step) >= 1


@settings(deadline=None)
@given(seeds, instruments, steps)
def test_a_book_is_sorted_and_never_crossed(seed: int, name: str, step: int) -> None:
    path = SimulatedMarket(seed).path(name)
    book = path.book(step)
    asks, bids = [one.ticks for one in book.asks], [one.ticks for one in book.bids]
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[-1] >= 1
    assert bids[0] < path.ticks(step) < asks[0]
    assert all(one.lots >= 1 for one in (*book.asks, *book.bids))


@settings(deadline=None)
@given(seeds, instruments, steps)
def test_the_price_does_not_jump(seed: int, name: str, step: int) -> None:
    """From one second to the next by less than the largest displacements of the finest intervals: under 1 %."""
    path = SimulatedMarket(seed).path(name)
    now, then = path.ticks(step), path.ticks(step + 1)
    assert abs(then - now) <= max(2, now // 100)


@pytest.mark.parametrize("border", [0, 1, -1, 2])
def test_the_path_is_unbroken_where_two_root_intervals_meet(border: int) -> None:
    path = SimulatedMarket(7).path(BTC)
    meeting = (40 + border << TOP) - path.phase
    prices = [path.ticks(step) for step in range(meeting - 5, meeting + 5)]
    assert all(abs(b - a) < a // 500 for a, b in pairwise(prices))


def test_volatility_is_about_the_instruments_own() -> None:
    """A year's realised volatility from a price every four hours; clusters make single days differ widely."""
    for name, spec in [*INSTRUMENTS.items()][::4]:
        realised = []
        for seed in range(4):
            path = SimulatedMarket(seed).path(name)
            prices = [path.ticks(STEP + i * 14_400) for i in range(2190)]
            moves = [math.log(b / a) for a, b in pairwise(prices)]
            realised.append(100 * math.sqrt(sum(m * m for m in moves)))
        assert 0.75 < sum(realised) / 4 / spec.volatility_pct < 1.35


def test_calm_and_storm_come_in_clusters() -> None:
    """Squared hourly moves are correlated with their neighbours, plain moves are not."""
    path = SimulatedMarket(7).path(BTC)
    prices = [path.ticks(STEP + i * 600) for i in range(12_000)]
    moves = [math.log(b / a) for a, b in pairwise(prices)]
    assert abs(autocorrelation(moves)) < 0.05
    assert autocorrelation([m * m for m in moves]) > 0.1


def autocorrelation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    off = [v - mean for v in values]
    return sum(a * b for a, b in pairwise(off)) / sum(v * v for v in off)


@settings(max_examples=60, deadline=None)
@given(seeds, instruments, st.integers(0, 2**32), st.integers(1, 600), st.integers(-30, 30))
def test_the_first_touch_is_what_a_walk_finds(
    seed: int, name: str, after: int, length: int, bps: int
) -> None:
    path = SimulatedMarket(seed).path(name)
    limit = max(1, path.ticks(after) * (10_000 + bps) // 10_000)
    walk = list(path.span(after + 1, after + length))
    below = next((step for step, ticks in walk if ticks < limit), None)
    above = next((step for step, ticks in walk if ticks > limit), None)
    assert path.next_below(limit, after, after + length) == below
    assert path.next_above(limit, after, after + length) == above


def test_a_month_is_searched_by_passing_over_what_cannot_touch() -> None:
    """Of the 2.6 million seconds only a few are computed; each one computed draws a displacement or a mood."""
    path = SimulatedMarket(7).path(BTC)
    lowest = min(path.ticks(STEP + i * 60) for i in range(0, 43_200, 10))
    drawn = count_draws(path)
    assert path.next_below(lowest * 98 // 100, STEP, STEP + 30 * 86_400) is None
    assert len(drawn) < 10_000


@settings(max_examples=100, deadline=None)
@given(seeds, instruments, steps, st.integers(0, 5000))
def test_the_extremes_are_what_a_walk_finds(seed: int, name: str, first: int, length: int) -> None:
    path = SimulatedMarket(seed).path(name)
    walked = [path.ticks(step) for step in range(first, first + length + 1, max(1, length // 50))]
    every = [ticks for _, ticks in path.span(first, first + length)]
    assert every[:: max(1, length // 50)] == walked
    assert path.extremes(first, first + length) == (min(every), max(every))


def test_a_day_s_extremes_are_found_in_some_hundred_of_its_seconds() -> None:
    path = SimulatedMarket(7).path(BTC)
    drawn = count_draws(path)
    for day in range(10):
        path.extremes(STEP + day * 86_400, STEP + day * 86_400 + 86_399)
    assert len(drawn) < 10 * 2_000


@pytest.mark.parametrize("level", range(1, HOUR + 1))
def test_no_path_rises_higher_than_its_reach(level: int) -> None:
    """Every middle displaced upwards as far as can be, and every second of the interval looked at."""
    displacements = [math.isqrt(10**12 << each) for each in range(level)]
    heights = [0, 0]
    for displacement in reversed(displacements):
        middles = [(a + b) / 2 + displacement for a, b in pairwise(heights)]
        heights = [*(x for pair in zip(heights, middles, strict=False) for x in pair), heights[-1]]
    assert len(heights) == 2**level + 1
    assert max(heights) <= _lift(displacements) <= max(heights) + level


def test_no_displacement_is_larger_than_the_largest() -> None:
    """Sixteen bits four times over: the bounds that intervals are passed over by stand on it."""
    path = SimulatedMarket(7).path(BTC)
    assert all(abs(path._gauss(3, index)) <= GAUSS_CENTRE for index in range(5000))
    assert GAUSS_CENTRE / GAUSS_SPREAD < 3.47


def count_draws(path: PricePath) -> list[int]:
    """Grows with each displacement that is drawn from now on."""
    drawn: list[int] = []
    gauss = path._gauss

    def counted(level: int, index: int) -> int:
        drawn.append(level)
        return gauss(level, index)

    path._gauss = counted  # type: ignore[method-assign]
    return drawn


@settings(deadline=None)
@given(st.integers(-(20 << SCALE), 20 << SCALE))
def test_the_exponential_is_exact_to_ten_digits(x: int) -> None:
    """Against the decimal module's correctly rounded one."""
    expected = (Decimal(x) / 2**SCALE).exp() * 2**SCALE
    assert abs(exponential(x) - expected) <= max(Decimal(2), expected / 10**10)


@settings(deadline=None)
@given(st.integers(-(20 << SCALE), 20 << SCALE), st.integers(0, 4))
def test_the_exponential_never_falls(x: int, more: int) -> None:
    assert exponential(x) <= exponential(x + more)
    assert exponential(x - x % LN2 - 1) <= exponential(x - x % LN2)


def test_a_second_lasts_a_second() -> None:
    market = SimulatedMarket(7)
    assert market.book(BTC, NOON) == market.book(BTC, NOON + timedelta(microseconds=999_999))
    assert market.book(BTC, NOON) != market.book(BTC, NOON + timedelta(seconds=1))
    assert time_of(step_of(NOON)) == NOON


def test_seeds_are_different_markets() -> None:
    assert len({SimulatedMarket(seed).price(BTC, NOON) for seed in range(20)}) == 20


def test_an_unknown_instrument_is_not_found() -> None:
    with pytest.raises(NotFound, match="the simulated market has no PEPE/USDT"):
        SimulatedMarket(7).price("paper:PEPE/USDT", NOON)
