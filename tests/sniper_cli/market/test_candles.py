"""A candle is what a walk through its seconds finds, and candles put together are the longer candle."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.candles import Candle, Interval, candle, candles, merged
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import PricePath, SimulatedMarket, step_of, time_of
from sniper_cli.market.trades import trades

START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = "paper:BTC/USDT"

paths = st.builds(PricePath, st.integers(-(2**63), 2**63), st.sampled_from([*INSTRUMENTS.values()]))
steps = st.integers(0, 2**33)
intervals = st.sampled_from(Interval)


@settings(max_examples=60, deadline=None)
@given(paths, steps, st.integers(0, 1500))
def test_a_candle_is_what_a_walk_finds(path: PricePath, first: int, length: int) -> None:
    prices = [path.ticks(step) for step in range(first, first + length + 1, 1 + length // 100)]
    walked = [ticks for _, ticks in path.span(first, first + length)]
    found = candle(path, first, first + length)
    assert (found.open, found.close) == (path.ticks(first), path.ticks(first + length))
    assert (found.high, found.low) == (max(walked), min(walked))
    assert found.low <= min(prices) <= max(prices) <= found.high


@settings(max_examples=30, deadline=None)
@given(paths, steps, st.integers(0, 200))
def test_the_volume_of_a_candle_is_what_its_prints_come_to(path: PricePath, first: int, length: int) -> None:
    found = candle(path, first, first + length)
    assert found.lots == sum(each.lots for each in trades(path, first, first + length))


@settings(max_examples=60, deadline=None)
@given(paths, steps, intervals, intervals)
def test_shorter_candles_are_the_longer_one_exactly(
    path: PricePath, step: int, one: Interval, other: Interval
) -> None:
    short, long = sorted((one, other), key=lambda interval: interval.seconds)
    if long.seconds % short.seconds or long.seconds // short.seconds > 300:
        short = long
    first = step - step % long.seconds
    last = first + long.seconds - 1
    parts = list(candles(path, short, first, last))
    assert len(parts) == long.seconds // short.seconds
    assert [merged(parts)] == list(candles(path, long, first, last))


def test_five_minutes_are_one_of_five() -> None:
    path = SimulatedMarket(7).path(BTC)
    minutes = list(candles(path, Interval.M1, START, START + 299))
    (five,) = candles(path, Interval.M5, START, START + 299)
    assert len(minutes) == 5
    assert five.open == minutes[0].open
    assert five.close == minutes[-1].close
    assert five.high == max(each.high for each in minutes)
    assert five.low == min(each.low for each in minutes)
    assert five.lots == sum(each.lots for each in minutes)


@settings(max_examples=40, deadline=None)
@given(paths, steps, intervals, st.integers(0, 20))
def test_candles_begin_where_the_clock_does_and_follow_each_other(
    path: PricePath, first: int, interval: Interval, more: int
) -> None:
    last = first + more * interval.seconds
    found = list(candles(path, interval, first, last))
    assert found[0].first <= first < found[0].first + interval.seconds
    assert found[-1].last == last
    assert all(each.first % interval.seconds == 0 for each in found)
    assert [each.first for each in found[1:]] == [each.last + 1 for each in found[:-1]]


def test_a_day_begins_at_midnight_in_utc() -> None:
    (day,) = candles(SimulatedMarket(7).path(BTC), Interval.D1, START, START)
    assert time_of(day.first) == datetime(2026, 11, 20, tzinfo=UTC)
    assert day.last == step_of(datetime(2026, 11, 20, 12, tzinfo=UTC))


def test_the_present_candle_grows_and_what_it_has_been_stays() -> None:
    path = SimulatedMarket(7).path(BTC)
    (early,) = candles(path, Interval.H1, START, START + 100)
    (later,) = candles(path, Interval.H1, START, START + 900)
    assert early.open == later.open
    assert later.high >= early.high
    assert later.low <= early.low
    assert later.lots > early.lots


def test_candles_are_what_they_have_always_been() -> None:
    """Whoever changes them changes history."""
    (hour,) = candles(SimulatedMarket(7).path("paper:ETH/USDT"), Interval.H1, START, START + 3599)
    assert hour == Candle(START, START + 3599, 244042, 244803, 241853, 242481, 10186516)


@pytest.mark.parametrize("interval", Interval)
def test_every_interval_divides_the_day(interval: Interval) -> None:
    assert 86_400 % interval.seconds == 0
