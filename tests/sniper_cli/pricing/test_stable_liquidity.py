"""StableSwap's deposits and withdrawals: 140 transactions of the real contract retold, and what must hold of all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.stable import StablePool
from sniper_cli.pricing.stable_liquidity import (
    deposit,
    withdraw_exactly,
    withdraw_one,
    withdraw_share,
)

RECORDED = json.loads((Path(__file__).parent / "stableswap_ng.json").read_text())["cases"]
POOL = StablePool((10**24, 10**24), 200, 4_000_000, admin_fee=5 * 10**9)
SUPPLY = 2 * 10**24


def done(pool: StablePool, supply: int, operation: dict[str, Any]) -> tuple[Any, StablePool]:
    """What an operation brings by our mathematics, and the pool after it."""
    match operation["kind"]:
        case "add":
            moved = deposit(pool, operation["amounts"], supply)
            return moved.shares, moved.after
        case "swap":
            terms = operation["dx"], operation["i"], operation["j"]
            return pool.amount_out(*terms), pool.after(*terms)
        case "one":
            moved = withdraw_one(pool, operation["burned"], operation["i"], supply)
            return moved.amounts[operation["i"]], moved.after
        case "imb":
            moved = withdraw_exactly(pool, operation["amounts"], supply)
            return moved.shares, moved.after
        case _:
            moved = withdraw_share(pool, operation["burned"], supply)
            return list(moved.amounts), moved.after


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_what_the_contract_did(case: dict[str, Any]) -> None:
    """Pools of two to eight coins of 6, 8 and 18 decimals, with rates and with fees that grow with imbalance."""
    rates, supply = tuple(case["rates"]), 0
    pool = StablePool(
        (0,) * len(rates),
        case["amplification"],
        case["fee"],
        rates,
        multiplier=case["multiplier"],
        newer=True,
        admin_fee=5 * 10**9,
    )
    for operation in case["operations"]:
        result, after = done(pool, supply, operation)
        assert result == operation["result"], operation
        assert list(after.balances) == operation["balances"], operation
        pool, supply = replace(pool, balances=tuple(operation["balances"])), operation["supply"]


def test_a_deposit_in_the_pools_proportions_costs_no_fee() -> None:
    minted = deposit(POOL, [10**21, 10**21], SUPPLY)

    assert minted.shares == 2 * 10**21
    assert minted.after.balances == (1_001 * 10**21, 1_001 * 10**21)


@pytest.mark.parametrize(
    "act",
    [
        lambda: deposit(POOL, [0, 0], SUPPLY),
        lambda: deposit(POOL, [1, 0], 0),
        lambda: deposit(POOL, [-1, 5], SUPPLY),
        lambda: withdraw_exactly(POOL, [10**24, 0], SUPPLY),
        lambda: withdraw_exactly(POOL, [0, 0], SUPPLY),
        lambda: withdraw_one(POOL, 0, 0, SUPPLY),
        lambda: withdraw_one(POOL, SUPPLY + 1, 0, SUPPLY),
        lambda: withdraw_share(POOL, SUPPLY + 1, SUPPLY),
    ],
)
def test_what_no_pool_does(act: Any) -> None:
    with pytest.raises(ImpossibleSwap):
        act()


@st.composite
def pools(draw: st.DrawFn) -> StablePool:
    count = draw(st.integers(2, 5))
    balances = tuple(draw(st.integers(10**22, 10**25)) for _ in range(count))
    return StablePool(balances, draw(st.integers(20, 2000)), 4_000_000, newer=draw(st.booleans()))


@settings(max_examples=80, deadline=None)
@given(pools(), st.integers(1, 5000))
def test_who_puts_in_and_takes_out_gains_nothing(pool: StablePool, share: int) -> None:
    amount = pool.balances[0] * share // 10_000
    amounts = [amount] + [0] * (len(pool.balances) - 1)
    supply = 10**25
    try:
        put = deposit(pool, amounts, supply)
        got = withdraw_one(put.after, put.shares, 0, supply + put.shares)
    except ImpossibleSwap:
        return

    assert got.amounts[0] <= amount


@settings(max_examples=80, deadline=None)
@given(pools(), st.integers(1, 5000))
def test_taking_out_what_a_share_brings_burns_no_less(pool: StablePool, share: int) -> None:
    supply = 10**25
    burned = supply * share // 20_000
    try:
        got = withdraw_one(pool, burned, 0, supply)
        again = withdraw_exactly(pool, got.amounts, supply)
    except ImpossibleSwap:
        return

    # Two ways of taking the same fee: they agree to its second order.
    assert abs(again.shares - burned) <= burned // 1_000 + 10
