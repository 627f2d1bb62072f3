"""What is shown of a market is what the market is, in whole coins."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.errors import UsageProblem
from sniper_cli.market.candles import Candle, Interval, candle
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import SimulatedMarket, time_of
from sniper_cli.market.trades import trades_of
from sniper_cli.market.views import MOST_CANDLES, Market, axes, candle_lines, change_pct, moment_format

START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = INSTRUMENTS["paper:BTC/USDT"]

specs = st.sampled_from([*INSTRUMENTS.values()])
steps = st.integers(86_400, 2**33)


def test_every_instrument_has_a_quote() -> None:
    found = Market(7).quotes(START)
    assert [each.instrument for each in found] == [spec.symbol for spec in INSTRUMENTS.values()]
    assert all(getattr(each, one.name) is not None for each in found for one in fields(each))


def test_a_quote_tells_price_day_and_bounds() -> None:
    quote = Market(7).quote(BTC, START)
    assert quote.last == SimulatedMarket(7).price(BTC.id, time_of(START)) == Decimal("77563.66")
    assert (quote.bid, quote.ask) == (Decimal("77562.11"), Decimal("77569.86"))
    assert (quote.tick, quote.lot, quote.minimum) == (Decimal("0.01"), Decimal("0.0001"), 5)
    assert (quote.maximum, quote.maximum_quantity) == (5_000_000, 1000)
    assert quote.at == time_of(START)
    day = candle(SimulatedMarket(7).path(BTC.id), START - 86_400, START)
    assert (quote.high, quote.low) == (BTC.price(day.high), BTC.price(day.low))
    assert quote.volume == day.lots * BTC.lot
    assert quote.change_pct == round(Decimal(day.close - day.open) * 100 / day.open, 2)
    assert quote.turnover == round(quote.volume * (quote.high + quote.low) / 2)


@settings(max_examples=30, deadline=None)
@given(specs, steps, st.lists(st.integers(0, 180), min_size=1, max_size=4))
def test_the_day_is_the_same_however_often_one_looked_before(
    spec: Spec, step: int, pauses: list[int]
) -> None:
    """The part before the present minute is remembered; what is shown must not depend on it."""
    market = Market(7)
    for pause in pauses:
        step += pause
        day = market.day(spec, step)
    minute = step - step % 60
    assert day == candle(SimulatedMarket(7).path(spec.id), minute - 86_400, step)


@settings(max_examples=40, deadline=None)
@given(specs, steps, st.integers(1, 10))
def test_a_ladder_goes_from_the_highest_ask_down_to_the_lowest_bid(
    spec: Spec, step: int, levels: int
) -> None:
    lines = Market(7).book(spec, step, levels)
    prices = [line.price for line in lines]
    assert prices == sorted(prices, reverse=True)
    assert [line.side for line in lines] == ["ask"] * levels + ["bid"] * levels
    asks, bids = lines[:levels][::-1], lines[levels:]
    for side in (asks, bids):
        assert [line.total for line in side] == [
            sum(line.quantity for line in side[: place + 1]) for place in range(levels)
        ]
    assert max(line.depth_pct for line in lines) == 100


def test_the_tape_is_in_whole_coins() -> None:
    newest = Market(7).tape(BTC, START, 1)[0]
    print_ = trades_of(SimulatedMarket(7).path(BTC.id), START)[-1]
    assert (newest.price, newest.quantity) == (BTC.price(print_.ticks), print_.lots * BTC.lot)
    assert (newest.at, newest.side, newest.id) == (time_of(START), print_.side, print_.id)


def test_a_second_s_volume_is_what_its_trades_come_to() -> None:
    second = Market(7).second(BTC, START)
    assert second.volume == sum(each.quantity for each in second.trades)
    assert [each.id for each in second.trades] == sorted(each.id for each in second.trades)
    assert second.bid < second.last < second.ask


def test_the_latest_candles_end_with_the_present_one() -> None:
    market = Market(7)
    found = market.latest(BTC, Interval.M5, START + 7, 12)
    assert len(found) == 12
    assert found[-1].first == START
    assert found[-1].last == START + 7
    lines = list(candle_lines(BTC, found, Interval.M5))
    assert [line.complete for line in lines] == [True] * 11 + [False]
    assert lines[-1].close == Decimal(found[-1].close) * BTC.tick


def test_too_many_candles_are_refused_before_they_are_made() -> None:
    with pytest.raises(UsageProblem, match="more than the 20,000"):
        Market(7).latest(BTC, Interval.S1, START, MOST_CANDLES + 1)


def test_moments_leave_out_what_is_the_same_for_all() -> None:
    assert [moment_format(each) for each in (Interval.S5, Interval.M5, Interval.H4, Interval.D1)] == [
        "%H:%M:%S",
        "%H:%M",
        "%m-%d %H:%M",
        "%Y-%m-%d",
    ]
    letters = axes(BTC, [Candle(START, START + 59, 1, 1, 1, 1, 1)], Interval.M1)
    assert letters.moment(0) == "12:00"
    assert letters.price(7_756_366) == "77,563.66"


def test_a_fall_is_negative() -> None:
    assert change_pct(Candle(0, 1, 200, 200, 150, 150, 1)) == Decimal("-25.00")
