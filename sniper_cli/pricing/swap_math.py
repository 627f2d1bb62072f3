"""One step of a swap within a range of constant liquidity, bit for bit as Uniswap's SwapMath.

Source: Uniswap v3-core SwapMath.computeSwapStep; v4-core computes the same for fees below 100 %. Fees are in pips,
hundredths of a basis point.
"""

from __future__ import annotations

from typing import NamedTuple

from sniper_cli.pricing.sqrt_price_math import (
    Reverts,
    amount0_delta,
    amount1_delta,
    divide_up,
    next_from_input,
    next_from_output,
)

PIPS = 1_000_000


class Step(NamedTuple):
    """What one step moved."""

    price: int
    """√price in Q64.96 afterwards."""
    amount_in: int
    amount_out: int
    fee: int
    """Taken of what came in, beside `amount_in`."""


def swap_step(price: int, target: int, liquidity: int, remaining: int, fee: int) -> Step:
    """Swap towards `target` until it is reached or `remaining` is used up; negative is an exact output.

    Raises Reverts.
    """
    zero_for_one = price >= target
    if remaining >= 0:
        return _exact_in(price, target, liquidity, remaining, fee, zero_for_one=zero_for_one)
    return _exact_out(price, target, liquidity, -remaining, fee, zero_for_one=zero_for_one)


def _exact_in(
    price: int, target: int, liquidity: int, remaining: int, fee: int, *, zero_for_one: bool
) -> Step:
    usable = remaining * (PIPS - fee) // PIPS
    needed = _coming(price, target, liquidity, zero_for_one=zero_for_one)
    if usable >= needed:
        reached, amount_in = target, needed
    else:
        reached = next_from_input(price, liquidity, usable, zero_for_one=zero_for_one)
        amount_in = _coming(price, reached, liquidity, zero_for_one=zero_for_one)
    amount_out = _going(price, reached, liquidity, zero_for_one=zero_for_one)
    # All of what is left is spent where the target was not reached: the last unit is the pool's.
    if reached != target:
        taken = remaining - amount_in
    else:  # at a fee of 100 %, which v4 allows, nothing was usable: the target is reached only where it costs nothing
        taken = divide_up(amount_in * fee, PIPS - fee) if fee < PIPS else amount_in
    return Step(reached, amount_in, amount_out, taken)


def _exact_out(price: int, target: int, liquidity: int, wanted: int, fee: int, *, zero_for_one: bool) -> Step:
    if fee >= PIPS:
        raise Reverts("InvalidFeeForExactOut")
    available = _going(price, target, liquidity, zero_for_one=zero_for_one)
    if wanted >= available:
        reached, amount_out = target, available
    else:
        reached = next_from_output(price, liquidity, wanted, zero_for_one=zero_for_one)
        amount_out = min(_going(price, reached, liquidity, zero_for_one=zero_for_one), wanted)
    amount_in = _coming(price, reached, liquidity, zero_for_one=zero_for_one)
    return Step(reached, amount_in, amount_out, divide_up(amount_in * fee, PIPS - fee))


def _coming(price: int, reached: int, liquidity: int, *, zero_for_one: bool) -> int:
    if zero_for_one:
        return amount0_delta(reached, price, liquidity, round_up=True)
    return amount1_delta(price, reached, liquidity, round_up=True)


def _going(price: int, reached: int, liquidity: int, *, zero_for_one: bool) -> int:
    if zero_for_one:
        return amount1_delta(reached, price, liquidity, round_up=False)
    return amount0_delta(price, reached, liquidity, round_up=False)
