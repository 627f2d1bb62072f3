"""A trailing stop found by leaps along the price path goes off where one goes off that is told every second."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.market.triggers import Trailing
from sniper_cli.venues.paper.pit import PriceRange
from sniper_cli.venues.paper.triggers import Trigger
from state.orders import Side

START = 4_102_444_800
SPAN = 1_500


def leaping(trigger: Trigger, seed: int) -> int | None:
    """As the floor does it: from one second that concerns the trigger to the next."""
    path = SimulatedMarket(seed).path("paper:BTC/USDT")
    if trigger.touched(path.ticks(START)):
        return START
    step = START
    while (found := trigger.next_touch(path, step, START + SPAN)) is not None:
        if trigger.touched(path.ticks(found)):
            return found
        step = found
    return None


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sells=st.booleans(),
    bps=st.integers(1, 40),
    away=st.integers(-2_000, 2_000) | st.none(),
)
def test_leaps_miss_nothing(seed: int, sells: bool, bps: int, away: int | None) -> None:
    path = SimulatedMarket(seed).path("paper:BTC/USDT")
    activation = None if away is None else path.ticks(START) + away
    side = Side.SELL if sells else Side.BUY
    told: Trailing[int] = Trailing(side, None, Decimal(bps) / 100, activation)

    every = next((step for step, price in path.span(START, START + SPAN) if told.update(price)), None)

    trigger = Trigger(not sells, 0, 0, bps, None, activation)
    assert leaping(trigger, seed) == every
    assert (trigger.best, trigger.ticks if trigger.best is not None else None) == (told.best, told.stop)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), low=st.integers(-600, 600), width=st.integers(0, 400))
def test_a_range_of_prices_is_entered_where_a_look_every_second_finds_it(
    seed: int, low: int, width: int
) -> None:
    path = SimulatedMarket(seed).path("paper:BTC/USDT")
    around = path.ticks(START)
    prices = PriceRange(around + low, around + low + width)

    every = next((step for step, price in path.span(START + 1, START + SPAN) if prices.holds(price)), None)

    assert prices.next(path, START, START + SPAN) == every
