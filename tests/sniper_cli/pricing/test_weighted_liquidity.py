"""Deposits and withdrawals of weighted pools: what contracts of both vaults answered, and what must hold of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.pricing import weighted
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.fixed_point import ONE
from sniper_cli.pricing.weighted import WeightedPool
from sniper_cli.pricing.weighted_liquidity import (
    deposit,
    deposit_for_shares,
    withdraw_exactly,
    withdraw_one,
    withdraw_share,
)

POOL = WeightedPool(
    balances=(6_916_384_366 * 10**12, 6_240_659_067_374_271_172_646),
    weights=(ONE // 2, ONE // 2),
    fee=ONE // 100,
    factors=(10**12, 1),
)
"""USDC and DAI on Sepolia at block 7439300: Balancer publishes what its vault answered (balancer-maths, testData)."""
SUPPLY = 6_565_147_517_543_863_649_467


def test_deposits_into_a_deployed_pool() -> None:
    assert deposit(POOL, [10_000_000, ONE], SUPPLY).shares == 5_249_632_476_460_424_979
    assert deposit_for_shares(POOL, 10 * ONE, 0, SUPPLY).amounts == (21_192_628, 0)
    assert deposit_for_shares(POOL, 10 * ONE, 1, SUPPLY).amounts == (0, 19_122_124_552_221_037_291)


def test_withdrawals_from_a_deployed_pool() -> None:
    assert withdraw_share(POOL, ONE, SUPPLY).amounts == (1_053_500, 950_574_080_886_610_561)
    assert withdraw_one(POOL, ONE, 0, SUPPLY).amounts == (2_096_306, 0)
    assert withdraw_one(POOL, ONE, 1, SUPPLY).amounts == (0, 1_891_499_077_903_496_683)
    assert withdraw_exactly(POOL, ONE, 1, SUPPLY).shares == 528_675_666_737_307_963
    assert withdraw_exactly(POOL, 1_000_000, 0, SUPPLY).shares == 477_022_603_767_197_245


def test_what_the_vault_does_not_do() -> None:
    with pytest.raises(ImpossibleSwap, match="three times"):
        deposit(POOL, [10**12, 10**24], SUPPLY)
    with pytest.raises(ImpossibleSwap, match="three times"):
        deposit_for_shares(POOL, 3 * SUPPLY, 0, SUPPLY)
    with pytest.raises(ImpossibleSwap, match="30 %"):
        withdraw_one(POOL, SUPPLY // 2, 0, SUPPLY)
    with pytest.raises(ImpossibleSwap, match="30 %"):
        withdraw_exactly(POOL, 6_000_000_000, 0, SUPPLY)
    for burned in (0, SUPPLY):
        with pytest.raises(ImpossibleSwap, match="burned"):
            withdraw_share(POOL, burned, SUPPLY)
    with pytest.raises(ImpossibleSwap, match="nothing"):
        deposit(POOL, [0, 0], SUPPLY)


RECORDED = json.loads((Path(__file__).parent / "weighted_v2.json").read_text())["cases"]


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_what_the_older_vaults_mathematics_answered(case: dict[str, Any]) -> None:
    """Pools of two to eight tokens of all weights; what the contract refuses, we refuse."""
    balances, weights, supply = case["balances"], case["weights"], case["supply"]
    pool = WeightedPool(tuple(balances), tuple(weights), case["fee"], older=True)
    answers = case["answers"]
    for name, swap in (("out", weighted.out_given_in), ("in", weighted.in_given_out)):
        i, j, amount, expected = answers[name]
        sides = (balances[i], weights[i], balances[j], weights[j])
        assert taken(lambda: swap(*sides, amount)) == expected, name  # noqa: B023 - called at once
    amounts, expected = answers["deposit"]
    assert taken(lambda: deposit(pool, amounts, supply).shares) == (expected or None)
    i, shares, expected = answers["deposit_for_shares"]
    assert taken(lambda: deposit_for_shares(pool, shares, i, supply).amounts[i]) == expected
    i, burned, expected = answers["withdraw_one"]
    assert taken(lambda: withdraw_one(pool, burned, i, supply).amounts[i]) == expected
    i, amount, expected = answers["withdraw_exactly"]
    assert taken(lambda: withdraw_exactly(pool, amount, i, supply).shares) == expected
    share, expected = answers["withdraw_share"]
    assert taken(lambda: list(withdraw_share(pool, share, supply).amounts)) == expected


def taken(act: Callable[[], Any]) -> Any:
    """What comes of it; None where it is refused."""
    try:
        return act()
    except ImpossibleSwap:
        return None


def test_the_older_vault_takes_its_fee_before_it_scales() -> None:
    """Of 7 units at 1 %, one is the fee: 6 are traded. The v3 vault trades 6.93."""
    older = WeightedPool(POOL.balances, POOL.weights, POOL.fee, POOL.factors, older=True)
    sides = (POOL.balances[0], ONE // 2, POOL.balances[1], ONE // 2)

    assert older.amount_out(7, 0, 1) == weighted.out_given_in(*sides, 6 * 10**12)
    assert POOL.amount_out(7, 0, 1) == weighted.out_given_in(*sides, 693 * 10**10)
    # A little less than 100 units buy: rounded up to 100, and 100 / 0.99 rounded up again.
    wanted = weighted.out_given_in(*sides, 99_500 * 10**9)
    assert older.amount_in(wanted, 0, 1) == 102


@st.composite
def pools(draw: st.DrawFn) -> WeightedPool:
    first = draw(st.integers(5, 95)) * ONE // 100
    balances = (draw(st.integers(10**19, 10**26)), draw(st.integers(10**19, 10**26)))
    return WeightedPool(balances, (first, ONE - first), draw(st.sampled_from([ONE // 10_000, ONE // 100])))


@settings(max_examples=150, deadline=None)
@given(pools(), st.integers(1, 4000), st.integers(0, 4000))
def test_who_puts_in_and_takes_out_gains_nothing(pool: WeightedPool, first: int, second: int) -> None:
    """All the shares that a deposit mints, burned at once on the pool with the deposit in it."""
    supply = 10**24
    amounts = [balance * part // 10_000 for balance, part in zip(pool.balances, (first, second), strict=True)]
    try:
        minted = deposit(pool, amounts, supply).shares
    except ImpossibleSwap:
        return
    filled = WeightedPool(
        tuple(had + more for had, more in zip(pool.balances, amounts, strict=True)), pool.weights, pool.fee
    )
    if not second:
        try:
            assert withdraw_one(filled, minted, 0, supply + minted).amounts[0] <= amounts[0]
        except ImpossibleSwap:
            return
        return
    out = withdraw_share(filled, minted, supply + minted).amounts if minted else (0, 0)
    # In other proportions than they went in; none may stand out on both sides.
    assert not all(got > put for got, put in zip(out, amounts, strict=True))


@settings(max_examples=150, deadline=None)
@given(pools(), st.integers(10**14, 10**23))
def test_buying_shares_costs_no_less_than_a_deposit_of_the_same(pool: WeightedPool, minted: int) -> None:
    supply = 10**24
    try:
        needed = deposit_for_shares(pool, minted, 0, supply).amounts[0]
        again = deposit(pool, [needed, 0], supply).shares
    except ImpossibleSwap:
        return

    # The two ways round their fees apart; the power function is good for 10^-14.
    assert abs(again - minted) <= minted // 10**4 + supply // 10**13
