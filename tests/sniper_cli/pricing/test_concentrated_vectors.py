"""Concentrated liquidity against the published snapshots of Uniswap's own contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sniper_cli.pricing import liquidity_amounts, sqrt_price_math
from sniper_cli.pricing.concentrated import pool_of_positions
from sniper_cli.pricing.sqrt_price_math import Reverts
from sniper_cli.pricing.swap_math import swap_step
from sniper_cli.pricing.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.vectors import agree, cases, name

Case = dict[str, Any]


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", cases("uniswap_v3_tickmath"), ids=name)
def test_tick_math(case: Case) -> None:
    given = case["input"]
    if given["fn"] == "getSqrtRatioAtTick":
        if case["expected"].get("revert"):
            with pytest.raises(ValueError, match="tick"):
                sqrt_ratio_at_tick(given["tick"])
            return
        assert sqrt_ratio_at_tick(given["tick"]) == int(case["expected"]["sqrtPriceX96"])
    elif case["expected"].get("revert"):
        with pytest.raises(ValueError, match="tick"):
            tick_at_sqrt_ratio(int(given["sqrtPriceX96"]))
    else:
        assert tick_at_sqrt_ratio(int(given["sqrtPriceX96"])) == case["expected"]["tick"]


def price_math(given: Case) -> int:
    call = {key: whole(value) for key, value in given.items() if key != "fn"}
    match given["fn"]:
        case "getNextSqrtPriceFromInput":
            return sqrt_price_math.next_from_input(
                call["sqrtPX96"], call["liquidity"], call["amountIn"], zero_for_one=call["zeroForOne"]
            )
        case "getNextSqrtPriceFromOutput":
            return sqrt_price_math.next_from_output(
                call["sqrtPX96"], call["liquidity"], call["amountOut"], zero_for_one=call["zeroForOne"]
            )
        case "getAmount0Delta" | "getAmount1Delta" as which:
            delta = sqrt_price_math.amount0_delta if "0" in which else sqrt_price_math.amount1_delta
            ends = call["sqrtRatioAX96"], call["sqrtRatioBX96"]
            return delta(*ends, call["liquidity"], round_up=call["roundUp"])
    raise AssertionError(f"no such function: {given['fn']}")


@pytest.mark.parametrize("case", cases("uniswap_v3_sqrt_price_math"), ids=name)
def test_sqrt_price_math(case: Case) -> None:
    if case["expected"].get("revert"):
        with pytest.raises(Reverts):
            price_math(case["input"])
    else:
        assert price_math(case["input"]) == int(case["expected"]["value"])


@pytest.mark.parametrize("case", cases("uniswap_v3_swap_step"), ids=name)
def test_a_step(case: Case) -> None:
    given, expected = case["input"], case["expected"]
    step = swap_step(
        int(given["sqrtRatioCurrentX96"]),
        int(given["sqrtRatioTargetX96"]),
        int(given["liquidity"]),
        int(given["amountRemaining"]),
        given["feePips"],
    )
    assert step.price == int(expected["sqrtRatioNextX96"])
    assert step.amount_in == int(expected["amountIn"])
    assert step.amount_out == int(expected["amountOut"])
    assert step.fee == int(expected["feeAmount"])


@pytest.mark.parametrize("case", cases("uniswap_v3_pool_swaps"), ids=name)
def test_a_whole_swap(case: Case) -> None:
    given, expected = case["input"], case["expected"]
    pool = pool_of_positions(
        int(given["sqrtPriceX96"]),
        [(each["tickLower"], each["tickUpper"], int(each["liquidity"])) for each in given["positions"]],
        fee=given["feePips"],
        tick_spacing=given["tickSpacing"],
        tick=given["tick"],
    )
    limit = given["sqrtPriceLimitX96"]
    down = given["zeroForOne"]
    if "revert" in expected:
        with pytest.raises(Reverts, match=str(expected["revert"])):
            pool.swap(
                int(given["amountSpecified"]), zero_for_one=down, limit=None if limit is None else int(limit)
            )
        return
    swap = pool.swap(
        int(given["amountSpecified"]), zero_for_one=down, limit=None if limit is None else int(limit)
    )
    deltas = (swap.amount_in, -swap.amount_out) if down else (-swap.amount_out, swap.amount_in)
    growth = (swap.fee_growth_x128, 0) if down else (0, swap.fee_growth_x128)
    assert deltas == (int(expected["amount0Delta"]), int(expected["amount1Delta"]))
    assert growth == (int(expected["feeGrowthGlobal0X128Delta"]), int(expected["feeGrowthGlobal1X128Delta"]))
    assert swap.after.tick == expected["tickAfter"]
    assert swap.after.sqrt_price_x96 == int(expected["sqrtPriceX96After"])
    assert swap.after.liquidity == int(expected["liquidityAfter"])


@pytest.mark.parametrize("case", cases("uniswap_v3_liquidity_amounts"), ids=name)
def test_liquidity_and_amounts(case: Case) -> None:
    given, expected = case["input"], case["expected"]
    match given["fn"]:
        case "getLiquidityForAmounts":
            keys = ("sqrtPriceX96", "sqrtA", "sqrtB", "amount0", "amount1")
            found = liquidity_amounts.liquidity_for_amounts(*(int(given[key]) for key in keys))
            assert found == int(expected["liquidity"])
        case "getLiquidityForAmount0" | "getLiquidityForAmount1" as which:
            one = "0" in which
            made = liquidity_amounts.liquidity_for_amount0 if one else liquidity_amounts.liquidity_for_amount1
            amount = int(given["amount0" if one else "amount1"])
            assert made(int(given["sqrtA"]), int(given["sqrtB"]), amount) == int(expected["liquidity"])
        case "getAmountsForLiquidity":
            ends = (sqrt_ratio_at_tick(given["tickLower"]), sqrt_ratio_at_tick(given["tickUpper"]))
            price = int(given["sqrtPriceX96"])
            found = liquidity_amounts.amounts_for_liquidity(price, *ends, int(given["liquidity"]))
            assert found == (int(expected["amount0"]), int(expected["amount1"]))
        case "concentrated_impermanent_loss":
            keys = ("price_lower", "price_upper", "price_entry", "price_exit")
            agree(case, liquidity_amounts.impermanent_loss(*(Decimal(str(given[key])) for key in keys)))
        case other:
            raise AssertionError(f"no such function: {other}")
