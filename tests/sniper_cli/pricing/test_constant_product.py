"""The pool's mathematics against published figures, and what must hold for every pool."""

import json
from decimal import Decimal
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.pricing.constant_product import (
    BPS,
    MINIMUM_LIQUIDITY,
    ImpossibleSwap,
    Reserves,
    after_tax,
    amount_in,
    amount_out,
    equivalent,
    first_liquidity,
    price,
    price_impact_bps,
    quote,
    router_amount_in,
    share_of_pool_bps,
    tax_bps,
)

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "cpmm_uniswap_v2.json"
ETHER = 10**18

reserve = st.integers(min_value=1, max_value=2**112 - 1)
fees = st.sampled_from([0, 1, 5, 25, 30, 100])
pools = st.builds(Reserves, reserve, reserve, fees)
amounts = st.integers(min_value=1, max_value=2**112 - 1)


def published(function: str) -> list[dict]:
    if not VECTORS.exists():
        return []
    cases = json.loads(VECTORS.read_text())["cases"]
    return [case for case in cases if case["input"]["fn"] == function]


needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published vectors are not beside this repository"
)


def pool_of(asked: dict) -> Reserves:
    fee_bps = int(Decimal(asked["fee"]) * BPS)
    return Reserves(int(asked["reserveIn"]), int(asked["reserveOut"]), fee_bps)


@needs_vectors
@pytest.mark.parametrize("case", published("getAmountOut"), ids=lambda case: case["id"])
def test_amounts_out_are_the_published_ones(case: dict) -> None:
    asked, expected = case["input"], case["expected"]
    pool, amount = pool_of(asked), int(asked["amountIn"])
    assert amount_out(amount, pool) == int(expected["amountOut"])
    if (impact := expected.get("price_impact_incl_fee")) is not None:
        assert price_impact_bps(amount, pool, with_fee=True) == ceil(Decimal(str(impact)) * BPS)


@needs_vectors
@pytest.mark.parametrize("case", published("getAmountIn"), ids=lambda case: case["id"])
def test_amounts_in_are_the_published_ones(case: dict) -> None:
    asked = case["input"]
    assert router_amount_in(int(asked["amountOut"]), pool_of(asked)) == int(case["expected"]["amountIn"])


@needs_vectors
@pytest.mark.parametrize("case", published("quote"), ids=lambda case: case["id"])
def test_equivalents_are_the_published_ones(case: dict) -> None:
    asked = case["input"]
    pool = Reserves(int(asked["reserveA"]), int(asked["reserveB"]))
    assert equivalent(int(asked["amountA"]), pool) == int(case["expected"]["amountB"])


@needs_vectors
@pytest.mark.parametrize("case", published("mint_initial"), ids=lambda case: case["id"])
def test_first_liquidity_is_the_published_one(case: dict) -> None:
    asked, expected = case["input"], case["expected"]
    created = first_liquidity(int(asked["amount0"]), int(asked["amount1"]))
    assert created == int(expected["totalSupply"])
    assert created - MINIMUM_LIQUIDITY == int(expected["lp_to_user"])


@given(pools, amounts)
def test_a_swap_never_lowers_the_product_nor_empties_the_pool(pool: Reserves, amount: int) -> None:
    out = amount_out(amount, pool)
    assert out < pool.going
    assert pool.after(amount, out).product >= pool.product


@given(pools, amounts)
def test_one_unit_more_than_quoted_would_break_the_invariant(pool: Reserves, amount: int) -> None:
    """The pair's own check (UniswapV2Pair.swap): balances less the fee on what came in keep k."""
    out = amount_out(amount, pool) + 1
    balance_in = (pool.coming + amount) * BPS - amount * pool.fee_bps
    assert balance_in * max(pool.going - out, 0) < pool.product * BPS


@given(pools, st.data())
def test_amount_in_is_the_least_input_that_yields_the_output(pool: Reserves, data: st.DataObject) -> None:
    if pool.going == 1:
        return
    wanted = data.draw(st.integers(min_value=1, max_value=pool.going - 1))
    least = amount_in(wanted, pool)
    assert amount_out(least, pool) >= wanted
    assert least == 1 or amount_out(least - 1, pool) < wanted
    assert router_amount_in(wanted, pool) - least in (0, 1)


@given(pools, amounts)
def test_there_and_back_never_wins(pool: Reserves, amount: int) -> None:
    bought = amount_out(amount, pool)
    if bought:
        assert amount_out(bought, pool.after(amount, bought).reversed) <= amount


@given(st.integers(min_value=10**6, max_value=2**112), st.integers(min_value=0, max_value=BPS))
def test_a_tax_is_read_back_to_the_basis_point(sent: int, rate: int) -> None:
    assert tax_bps(sent, after_tax(sent, rate)) == rate


def test_a_quote_takes_the_tax_where_the_token_does() -> None:
    pool = Reserves(10 * ETHER, 1_000_000 * ETHER)
    bought = quote(ETHER, pool, tax_out_bps=300)
    assert bought.leaves_pool == amount_out(ETHER, pool)
    assert bought.amount_out == bought.leaves_pool - bought.leaves_pool * 3 // 100
    sold = quote(bought.amount_out, bought.after.reversed, tax_in_bps=700)
    assert sold.reaches_pool == sold.amount_in - sold.amount_in * 7 // 100
    assert sold.amount_out == amount_out(sold.reaches_pool, bought.after.reversed)
    assert sold.after.coming == bought.after.going + sold.reaches_pool


def test_impact_of_a_tenth_of_the_pool_is_a_tenth_of_what_it_becomes() -> None:
    """1 into 10: the trade's price is 10/11 of the pool's, so the impact is 1/11 = 909.09 basis points."""
    assert price_impact_bps(ETHER, Reserves(10 * ETHER, 77)) == 910


def test_the_price_is_what_one_unit_costs() -> None:
    assert price(Reserves(10 * ETHER, 4 * ETHER)) == Decimal("2.5")


def test_a_share_of_the_pool_is_rounded_against_the_buyer() -> None:
    assert share_of_pool_bps(1, 3) == 3334
    assert share_of_pool_bps(1, 0) == BPS


@pytest.mark.parametrize(
    "impossible",
    [
        lambda: amount_out(0, Reserves(1, 1)),
        lambda: amount_out(1, Reserves(0, 1)),
        lambda: amount_in(10, Reserves(10, 10)),
        lambda: amount_in(0, Reserves(10, 10)),
        lambda: equivalent(1, Reserves(1, 0)),
        lambda: Reserves(1, 5).after(1, 5),
        lambda: price(Reserves(0, 0)),
    ],
)
def test_what_no_pool_can_do_is_refused(impossible) -> None:
    with pytest.raises(ImpossibleSwap):
        impossible()
