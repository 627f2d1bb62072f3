"""Weighted pools: against what a deployed one paid, against exact powers, and what must hold of every trade."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sniper_cli.pricing import weighted
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.fixed_point import ONE, exp, ln, pow_down, pow_up, power
from sniper_cli.pricing.weighted import WeightedPool, invariant
from tests.vectors import cases, name

POOL = WeightedPool(
    balances=(6_916_384_366 * 10**12, 6_240_659_067_374_271_172_646),
    weights=(ONE // 2, ONE // 2),
    fee=ONE // 100,
    factors=(10**12, 1),
)
"""USDC and DAI on Sepolia at block 7439300: Balancer publishes what swaps in it were answered with."""


def test_swaps_of_a_deployed_pool() -> None:
    assert POOL.amount_out(10_000_000, 0, 1) == 8_920_009_849_766_722_311
    assert POOL.amount_in(20 * ONE, 0, 1) == 22_461_437
    assert POOL.amount_out(700 * ONE, 1, 0) == 691_273_441
    assert POOL.amount_in(7_777_777, 1, 0) == 7_096_762_762_105_745_646


def spelled(given_: dict[str, Any], *names: str) -> int:
    return next(int(given_[each]) for each in names if each in given_)


@pytest.mark.parametrize(
    "case", [*cases("balancer_weighted"), *cases("balancer_weighted_pool"), *cases("weighted_pool")], ids=name
)
def test_published_cases(case: dict[str, Any]) -> None:
    given_ = case["input"]
    sides = (
        spelled(given_, "balanceIn", "balance_in"),
        spelled(given_, "weightIn", "weight_in"),
        spelled(given_, "balanceOut", "balance_out"),
        spelled(given_, "weightOut", "weight_out"),
    )
    if "out" in given_["fn"].lower().split("given")[0]:
        found = weighted.out_given_in(*sides, spelled(given_, "amountIn", "amount_in"))
    else:
        found = weighted.in_given_out(*sides, spelled(given_, "amountOut", "amount_out"))
    assert found in {int(value) for value in case["expected"].values() if str(value).isdigit()}


@settings(max_examples=300, deadline=None)
@given(st.integers(10**14, 10**22), st.integers(10**16, 5 * ONE))
def test_a_power_is_the_exact_one_within_the_promised_error(x: int, y: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = (Decimal(x) / ONE) ** (Decimal(y) / ONE) * ONE
        assume(1 < exact < Decimal(10) ** 50)
        assert abs(Decimal(power(x, y)) - exact) <= exact / 10**14 + 1
        assert pow_down(x, y) <= exact <= pow_up(x, y)


@pytest.mark.parametrize(("y", "down", "up"), [(2 * ONE, 1, 2), (4 * ONE, 0, 1)])
def test_small_powers_are_rounded_the_way_that_was_asked_for(y: int, down: int, up: int) -> None:
    """1.2e-9 to the second is 1.44e-18, to the fourth 2e-36: down and up, each multiplication by itself."""
    x = 1_200_000_000

    assert (pow_down(x, y), pow_up(x, y)) == (down, up)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**30))
def test_logarithm_and_exponential(x: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = (Decimal(x) / ONE).ln() * ONE
        assert abs(Decimal(ln(x)) - exact) <= 2
        assume(abs(exact) < 40 * ONE)
        assert abs(Decimal(exp(ln(x))) - x) <= Decimal(x) / 10**15 + 3


@st.composite
def pools(draw: st.DrawFn) -> WeightedPool:
    first = draw(st.integers(1, 99)) * ONE // 100
    balances = (draw(st.integers(10**18, 10**27)), draw(st.integers(10**18, 10**27)))
    return WeightedPool(balances, (first, ONE - first), draw(st.sampled_from([0, ONE // 1000, ONE // 100])))


@settings(max_examples=200, deadline=None)
@given(pools(), st.integers(1, 2900))
def test_no_trade_lowers_the_invariant(pool: WeightedPool, share: int) -> None:
    amount = pool.balances[0] * share // 10_000
    try:
        paid = pool.amount_out(amount, 0, 1)
    except ImpossibleSwap:
        return
    after = pool.after(amount, paid, 0, 1)

    before = invariant(pool.weights, pool.balances)
    assert invariant(pool.weights, after.balances, round_up=True) >= before


@settings(max_examples=200, deadline=None)
@given(pools(), st.integers(1, 2000))
def test_an_exact_output_asks_for_enough(pool: WeightedPool, share: int) -> None:
    wanted = pool.balances[1] * share // 10_000
    try:
        needed = pool.amount_in(wanted, 0, 1)
        paid = pool.amount_out(needed, 0, 1)
    except ImpossibleSwap:
        return

    assert paid <= wanted + wanted // 10**9 + pool.balances[1] // 10**12 + 1


def test_more_than_a_third_is_not_traded() -> None:
    with pytest.raises(ImpossibleSwap, match="30 %"):
        POOL.amount_out(3_000_000_000, 0, 1)
