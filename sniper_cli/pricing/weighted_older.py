"""Deposits and withdrawals of the weighted pools of Balancer's v2 vault, scaled to 18 decimals.

The same economics as the v3 vault's, by other steps: a deposit in several tokens is taxed beyond the weighted average
of their growth, one in a single token on the share of the other tokens' weights, (1 − w). Roundings favour the pool.

Source: WeightedMath and BasePoolMath of balancer-v2-monorepo.
"""

from __future__ import annotations

from collections.abc import Sequence

from sniper_cli.pricing.fixed_point import (
    ONE,
    complement,
    div_down,
    div_up,
    mul_down,
    mul_up,
    pow_down,
    pow_up,
)
from sniper_cli.pricing.weighted import WeightedPool


def minted(pool: WeightedPool, amounts: Sequence[int], supply: int) -> int:
    """Shares for exact amounts of all tokens. Raises OutOfBounds."""
    growths = [div_down(had + more, had) for had, more in zip(pool.balances, amounts, strict=True)]
    average = sum(mul_down(growth, weight) for growth, weight in zip(growths, pool.weights, strict=True))
    whole = ONE
    for had, more, growth, weight in zip(pool.balances, amounts, growths, pool.weights, strict=True):
        if growth > average:
            untaxed = mul_down(had, average - ONE) if average > ONE else 0
            more -= mul_up(more - untaxed, pool.fee)  # noqa: PLW2901 - what is left of it after the fee
        elif not more:
            continue
        whole = mul_down(whole, pow_down(div_down(had + more, had), weight))
    return mul_down(supply, whole - ONE) if whole > ONE else 0


def asked(pool: WeightedPool, token: int, growth: int) -> int:
    """What one token must bring for the pool to grow so. Raises OutOfBounds."""
    weight = pool.weights[token]
    without_fee = mul_up(pool.balances[token], pow_up(growth, div_up(ONE, weight)) - ONE)
    taxed = mul_up(without_fee, complement(weight))
    return without_fee - taxed + div_up(taxed, complement(pool.fee))


def burned(pool: WeightedPool, token: int, amount: int, supply: int) -> int:
    """Shares for an exact amount of one token out. Raises OutOfBounds."""
    had = pool.balances[token]
    left = div_up(had - amount, had)
    average = sum(
        mul_up(left if place == token else ONE, weight) for place, weight in enumerate(pool.weights)
    )
    if average > left:
        untaxed = mul_down(had, complement(average))
        amount = untaxed + div_up(amount - untaxed, complement(pool.fee))
    if amount >= had:
        return supply
    whole = mul_down(ONE, pow_down(div_down(had - amount, had), pool.weights[token]))
    return mul_up(supply, complement(whole))


def paid(pool: WeightedPool, token: int, left: int) -> int:
    """What one token pays when so much of the shares is left. Raises OutOfBounds."""
    weight = pool.weights[token]
    without_fee = mul_down(pool.balances[token], complement(pow_up(left, div_down(ONE, weight))))
    taxed = mul_up(without_fee, complement(weight))
    return without_fee - taxed + mul_up(taxed, complement(pool.fee))
