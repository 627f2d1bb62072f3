"""StableSwap against the published cases, and what must hold of every trade."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.stable import (
    FEE_DENOMINATOR,
    StablePool,
    balance_given_invariant,
    dynamic_fee,
    exchange,
    invariant,
)
from tests.vectors import cases, name

PRECISIONS = {"A_PRECISION_1": 1, "A_PRECISION_100": 100}


@pytest.mark.parametrize("case", cases("curve_stableswap"), ids=name)
def test_published_cases(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    balances = [int(balance) for balance in given_["xp"]]
    for variant, precision in PRECISIONS.items():
        if given_["fn"] == "get_D":
            found = invariant(balances, given_["A"], precision=precision)
            assert found == int(expected[f"D_contract_{variant}"])
            continue
        trade = exchange(
            balances,
            given_["A"],
            given_["i"],
            given_["j"],
            int(given_["dx"]),
            given_["fee_1e10"],
            precision=precision,
        )
        figures = {"y": trade.balance, "dy_before_fee": trade.before_fee, "fee": trade.fee, "dy": trade.paid}
        assert figures == {key: int(value) for key, value in expected[variant].items()}


@st.composite
def pools(draw: st.DrawFn) -> StablePool:
    count = draw(st.integers(2, 8))
    decimals = [draw(st.sampled_from([6, 8, 18])) for _ in range(count)]
    whole = [draw(st.integers(10_000, 10**8)) for _ in range(count)]
    balances = tuple(amount * 10**places for amount, places in zip(whole, decimals, strict=True))
    rates = tuple(10 ** (36 - places) for places in decimals)
    multiplier = draw(st.sampled_from([0, 2 * FEE_DENOMINATOR, 5 * FEE_DENOMINATOR]))
    return StablePool(balances, draw(st.integers(10, 5000)), 4_000_000, rates, multiplier=multiplier)


@settings(max_examples=100, deadline=None)
@given(pools(), st.integers(1, 5000))
def test_who_trades_there_and_back_gains_nothing(pool: StablePool, share: int) -> None:
    amount = pool.balances[0] * share // 10_000
    assume(amount > 0)
    try:
        paid = pool.amount_out(amount, 0, 1)
        back = pool.after(amount, 0, 1).amount_out(paid, 1, 0)
    except ImpossibleSwap:
        return

    assert back <= amount


@settings(max_examples=60, deadline=None)
@given(pools(), st.integers(1, 3000))
def test_the_least_input_is_enough_and_one_less_is_not(pool: StablePool, share: int) -> None:
    wanted = pool.balances[1] * share // 10_000
    assume(wanted > 0)
    try:
        needed = pool.amount_in(wanted, 0, 1)
    except ImpossibleSwap:
        return  # so far out of balance that the contract's iteration does not end either

    assert pool.amount_out(needed, 0, 1) >= wanted
    if needed > 1:
        try:
            assert pool.amount_out(needed - 1, 0, 1) < wanted
        except ImpossibleSwap:
            return


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(10**18, 10**27), min_size=2, max_size=8), st.integers(10, 5000))
def test_a_balance_is_found_again_from_the_invariant(balances: list[int], amplification: int) -> None:
    try:
        d = invariant(balances, amplification)
    except ImpossibleSwap:
        assume(False)
    found = balance_given_invariant(balances, 0, d, amplification)

    assert abs(found - balances[0]) <= max(10, balances[0] // 10**12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(10**20, 10**25), min_size=2, max_size=8), st.integers(50, 5000))
def test_the_newer_pools_round_otherwise_by_units(balances: list[int], amplification: int) -> None:
    try:
        older, newer = (invariant(balances, amplification, newer=which) for which in (False, True))
    except ImpossibleSwap:
        return

    assert abs(older - newer) <= 10 + older // 10**18


def test_a_fee_grows_with_imbalance() -> None:
    level = dynamic_fee(10**24, 10**24, 4_000_000, 2 * FEE_DENOMINATOR)

    assert level == 4_000_000
    assert dynamic_fee(10**24, 10**23, 4_000_000, 2 * FEE_DENOMINATOR) > level
    assert dynamic_fee(10**24, 10**23, 4_000_000, 0) == 4_000_000
