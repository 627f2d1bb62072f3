"""From amounts to liquidity and back, and what providing it costs against holding.

Source: Uniswap v3-periphery LiquidityAmounts; v3-core's pool rounds down what it pays out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sniper_cli.pricing.sqrt_price_math import Reverts, amount0_delta, amount1_delta
from sniper_cli.pricing.tick_math import Q96


def liquidity_for_amount0(a: int, b: int, amount0: int) -> int:
    """The liquidity that token0 makes between two prices (Q64.96). Raises Reverts for an empty range."""
    lower, upper = _range(a, b)
    return amount0 * (lower * upper // Q96) // (upper - lower)


def liquidity_for_amount1(a: int, b: int, amount1: int) -> int:
    """The liquidity that token1 makes between two prices (Q64.96). Raises Reverts for an empty range."""
    lower, upper = _range(a, b)
    return amount1 * Q96 // (upper - lower)


def _range(a: int, b: int) -> tuple[int, int]:
    if a == b:
        raise Reverts("an empty range")
    return min(a, b), max(a, b)


def liquidity_for_amounts(price: int, a: int, b: int, amount0: int, amount1: int) -> int:
    """The most liquidity that both amounts suffice for at a price."""
    lower, upper = min(a, b), max(a, b)
    if price <= lower:
        return liquidity_for_amount0(lower, upper, amount0)
    if price >= upper:
        return liquidity_for_amount1(lower, upper, amount1)
    return min(liquidity_for_amount0(price, upper, amount0), liquidity_for_amount1(lower, price, amount1))


def amounts_for_liquidity(
    price: int, a: int, b: int, liquidity: int, *, round_up: bool = False
) -> tuple[int, int]:
    """What a position holds at a price: token0, token1; rounded down as the pool pays it out."""
    lower, upper = min(a, b), max(a, b)
    amount0 = amount1 = 0
    if price < upper:
        amount0 = amount0_delta(max(price, lower), upper, liquidity, round_up=round_up)
    if price > lower:
        amount1 = amount1_delta(lower, min(price, upper), liquidity, round_up=round_up)
    return amount0, amount1


@dataclass(frozen=True, slots=True)
class RangeLoss:
    """What a position of one unit of liquidity is worth against what was put in, in token1."""

    il: Decimal
    """Impermanent loss as a share of what holding would be worth; negative."""
    amount0_per_L: Decimal  # noqa: N815 - the literature's name
    amount1_per_L: Decimal  # noqa: N815


def impermanent_loss(lower: Decimal, upper: Decimal, entry: Decimal, left: Decimal) -> RangeLoss:
    """The loss of a range [lower, upper] entered at one price and left at another, fees apart."""

    def held(price: Decimal) -> tuple[Decimal, Decimal]:
        root = min(max(price, lower), upper).sqrt()
        return 1 / root - 1 / upper.sqrt(), root - lower.sqrt()

    before, after = held(entry), held(left)
    holding = before[0] * left + before[1]
    return RangeLoss((after[0] * left + after[1]) / holding - 1, after[0], after[1])
