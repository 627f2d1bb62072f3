"""What must hold of every swap in a concentrated pool, whatever its positions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sniper_cli.pricing.concentrated import ConcentratedPool, OutOfSight, pool_of_positions
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.liquidity_amounts import liquidity_for_amount0
from sniper_cli.pricing.sqrt_price_math import Reverts, next_from_amount1
from sniper_cli.pricing.swap_math import PIPS, swap_step
from sniper_cli.pricing.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    PriceOutOfRange,
    TickOutOfRange,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)

SPACING = {100: 1, 500: 10, 3000: 60, 10_000: 200}


@st.composite
def pools(draw: st.DrawFn) -> ConcentratedPool:
    fee, spacing = draw(st.sampled_from(sorted(SPACING.items())))
    tick = draw(st.integers(-20_000, 20_000))
    positions = []
    for _ in range(draw(st.integers(1, 6))):
        lower = draw(st.integers(-400, 399)) * spacing
        width = draw(st.integers(1, 400)) * spacing
        positions.append((lower, lower + width, draw(st.integers(10**6, 10**24))))
    edge = MAX_TICK // spacing * spacing
    positions.append((-edge, edge, draw(st.integers(10**15, 10**22))))
    price = sqrt_ratio_at_tick(tick) + draw(st.integers(0, 10**6))
    return pool_of_positions(price, positions, fee=fee, tick_spacing=spacing)


amounts = st.integers(1, 10**24)


@settings(max_examples=150, deadline=None)
@given(st.integers(MIN_TICK, MAX_TICK - 1))
def test_a_tick_is_the_highest_at_its_price(tick: int) -> None:
    price = sqrt_ratio_at_tick(tick)

    assert tick_at_sqrt_ratio(price) == tick
    assert tick == MIN_TICK or tick_at_sqrt_ratio(price - 1) == tick - 1
    assert sqrt_ratio_at_tick(tick + 1) > price


def test_the_ends_are_the_contracts() -> None:
    assert sqrt_ratio_at_tick(MIN_TICK) == MIN_SQRT_RATIO
    assert sqrt_ratio_at_tick(MAX_TICK) == MAX_SQRT_RATIO
    for tick in (MIN_TICK - 1, MAX_TICK + 1):
        with pytest.raises(TickOutOfRange):
            sqrt_ratio_at_tick(tick)
    for price in (MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO):
        with pytest.raises(PriceOutOfRange):
            tick_at_sqrt_ratio(price)


@settings(max_examples=150, deadline=None)
@given(pools(), amounts, st.booleans())
def test_who_trades_there_and_back_gains_nothing(pool: ConcentratedPool, amount: int, down: bool) -> None:
    there = pool.swap(amount, zero_for_one=down)
    assume(there.amount_out > 0)

    back = there.after.swap(there.amount_out, zero_for_one=not down)

    assert back.amount_out <= there.amount_in


@settings(max_examples=150, deadline=None)
@given(pools(), amounts, st.booleans())
def test_an_exact_output_costs_no_less_than_its_input_brings(
    pool: ConcentratedPool, amount: int, down: bool
) -> None:
    try:
        paid = pool.amount_out(amount, zero_for_one=down)
    except ImpossibleSwap:
        return
    assume(paid > 0)
    needed = pool.amount_in(paid, zero_for_one=down)

    assert needed <= amount
    assert pool.amount_out(needed, zero_for_one=down) >= paid - 1


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, amounts, st.booleans())
def test_more_brings_more_and_two_parts_bring_no_more_than_the_whole(
    pool: ConcentratedPool, first: int, second: int, down: bool
) -> None:
    whole = pool.swap(first + second, zero_for_one=down)
    assume(whole.amount_in == first + second)
    part = pool.swap(first, zero_for_one=down)
    rest = part.after.swap(second, zero_for_one=down)

    assert part.amount_out <= whole.amount_out
    # Each stop rounds in the pool's favour; the fee's rounding may favour the trader by a unit a step.
    assert part.amount_out + rest.amount_out <= whole.amount_out + 2 + whole.crossed


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, st.booleans())
def test_a_window_of_ticks_gives_the_same_or_says_that_it_is_too_narrow(
    pool: ConcentratedPool, amount: int, down: bool
) -> None:
    span = 30 * pool.tick_spacing
    low, high = pool.tick - span, pool.tick + span
    seen = tuple(entry for entry in pool.ticks if low <= entry[0] <= high)
    window = ConcentratedPool(
        pool.sqrt_price_x96, pool.tick, pool.liquidity, seen, pool.fee, pool.tick_spacing, (low, high)
    )
    whole = pool.swap(amount, zero_for_one=down)
    try:
        part = window.swap(amount, zero_for_one=down)
    except OutOfSight:
        assert not low <= whole.after.tick <= high or whole.after.tick in {low - 1, low, high}
        return
    assert (part.amount_in, part.amount_out) == (whole.amount_in, whole.amount_out)
    assert part.after.sqrt_price_x96 == whole.after.sqrt_price_x96


def test_where_the_contracts_revert_so_do_we() -> None:
    with pytest.raises(Reverts):
        next_from_amount1(1 << 96, 0, 1, add=True)
    with pytest.raises(Reverts):
        liquidity_for_amount0(1 << 96, 1 << 96, 1)
    with pytest.raises(Reverts, match="InvalidFeeForExactOut"):
        swap_step(1 << 96, 1 << 95, 10**18, -1, PIPS)


def test_at_a_fee_of_everything_all_is_the_pools() -> None:
    step = swap_step(1 << 96, 1 << 95, 10**18, 10**6, PIPS)

    assert (step.amount_in, step.amount_out, step.fee) == (0, 0, 10**6)


def test_a_pool_without_liquidity_pays_nothing() -> None:
    pool = pool_of_positions(1 << 96, [(-60, 60, 10**18)], fee=3000, tick_spacing=60)
    empty = replace(pool, liquidity=0, ticks=(), _places=())

    with pytest.raises(ImpossibleSwap):
        empty.amount_out(10**18, zero_for_one=True)
