"""How a concentrated pool's price moves with amounts, bit for bit as Uniswap's SqrtPriceMath.

    Δ0 = L · (√b − √a) / (√a · √b)        Δ1 = L · (√b − √a)

What the pool receives is rounded up, what it pays is rounded down; the next price is rounded so that the pool never
gives too much. Prices are √(token1/token0) in Q64.96; liquidity and amounts are whole numbers.

Source: Uniswap v3-core, SqrtPriceMath and UnsafeMath; v4-core keeps the same arithmetic.
"""

from __future__ import annotations

from sniper_cli.pricing.tick_math import MAX_UINT256, Q96

MAX_UINT160 = (1 << 160) - 1
MAX_UINT128 = (1 << 128) - 1


class Reverts(ValueError):
    """The contract would revert; the text is its reason, where it gives one."""


def divide_up(numerator: int, denominator: int) -> int:
    """The quotient, rounded up."""
    return -(-numerator // denominator)


def amount0_delta(a: int, b: int, liquidity: int, *, round_up: bool) -> int:
    """Token0 between two prices. Raises Reverts where the lower price is zero."""
    lower, upper = (a, b) if a <= b else (b, a)
    if lower <= 0:
        raise Reverts("a price of zero")
    numerator = (liquidity << 96) * (upper - lower)
    if round_up:
        return divide_up(divide_up(numerator, upper), lower)
    return numerator // upper // lower


def amount1_delta(a: int, b: int, liquidity: int, *, round_up: bool) -> int:
    """Token1 between two prices."""
    product = liquidity * abs(b - a)
    return divide_up(product, Q96) if round_up else product // Q96


def next_from_amount0(price: int, liquidity: int, amount: int, *, add: bool) -> int:
    """The price after token0 came (`add`) or went, rounded up. Raises Reverts."""
    if amount == 0:
        return price
    numerator = liquidity << 96
    product = amount * price
    if add:
        if product <= MAX_UINT256 and numerator + product <= MAX_UINT256:
            return divide_up(numerator * price, numerator + product)
        return divide_up(numerator, numerator // price + amount)
    if product > MAX_UINT256 or numerator <= product:
        raise Reverts("more token0 than the pool holds in this range")
    found = divide_up(numerator * price, numerator - product)
    if found > MAX_UINT160:
        raise Reverts("a price beyond 160 bits")
    return found


def next_from_amount1(price: int, liquidity: int, amount: int, *, add: bool) -> int:
    """The price after token1 came (`add`) or went, rounded down. Raises Reverts."""
    if liquidity <= 0:
        raise Reverts("no liquidity")
    if add:
        found = price + (amount << 96) // liquidity
        if found > MAX_UINT160:
            raise Reverts("a price beyond 160 bits")
        return found
    quotient = divide_up(amount << 96, liquidity)
    if price <= quotient:
        raise Reverts("more token1 than the pool holds in this range")
    return price - quotient


def next_from_input(price: int, liquidity: int, amount: int, *, zero_for_one: bool) -> int:
    """The price after so much came in. Raises Reverts where there is no price or no liquidity."""
    _require(price, liquidity)
    if zero_for_one:
        return next_from_amount0(price, liquidity, amount, add=True)
    return next_from_amount1(price, liquidity, amount, add=True)


def next_from_output(price: int, liquidity: int, amount: int, *, zero_for_one: bool) -> int:
    """The price after so much went out. Raises Reverts where the pool has not so much in this range."""
    _require(price, liquidity)
    if zero_for_one:
        return next_from_amount1(price, liquidity, amount, add=False)
    return next_from_amount0(price, liquidity, amount, add=False)


def _require(price: int, liquidity: int) -> None:
    if price <= 0 or liquidity <= 0:
        raise Reverts("no price or no liquidity")
