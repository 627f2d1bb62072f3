"""What putting tokens into a weighted pool mints, and what taking them out burns, as Balancer's vaults compute it.

The pool's shares follow its invariant. Who moves it in other proportions than the balances' trades by it, and pays the
swap fee on that part. All roundings favour the pool: invariants are taken up before and down after, balances a unit
short, amounts rounded up on the way in and down on the way out.

The v2 vault's pools (`older`) come to nearly the same by other steps and other roundings: `weighted_older`.

Source: BasePoolMath of the v3 vault; Balancer whitepaper § 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sniper_cli.pricing import weighted_older as older
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.fixed_point import ONE, OutOfBounds, div_down, div_up, mul_down, mul_up
from sniper_cli.pricing.weighted import (
    WeightedPool,
    balance_given_invariant,
    invariant,
    scale_down,
    scale_up,
)

MOST_GROWTH = 3 * ONE
"""The invariant may at most treble in one deposit …"""
LEAST_LEFT = 7 * ONE // 10
"""… and shrink to 70 % in one withdrawal: the power function is only good for so much."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a deposit or a withdrawal comes to."""

    shares: int
    """Minted or burned."""
    amounts: tuple[int, ...]
    """Of each token, in base units: put in or taken out."""


def deposit(pool: WeightedPool, amounts: Sequence[int], supply: int) -> Moved:
    """Put exact amounts in, in whatever proportions. Raises ImpossibleSwap."""
    if not any(amounts) or min(amounts) < 0:
        raise ImpossibleSwap("nothing is put in")
    scaled = [scale_up(amount, *pool.scale_of(place)) for place, amount in enumerate(amounts)]
    if pool.older:
        return Moved(_tried(older.minted, pool, scaled, supply), tuple(amounts))
    filled = [had + more - 1 for had, more in zip(pool.balances, scaled, strict=True)]
    before = _invariant(pool, pool.balances, round_up=True)
    growth = div_down(_invariant(pool, filled), before)
    if growth > MOST_GROWTH:
        raise ImpossibleSwap("the pool grows to more than three times in one deposit")
    for place, had in enumerate(pool.balances):
        beyond = filled[place] - mul_down(growth, had)
        if beyond > 0:
            filled[place] -= mul_up(beyond, pool.fee)
    gained = _invariant(pool, filled) - before
    if gained <= 0:
        raise ImpossibleSwap("the deposit is too small to mint anything")
    return Moved(supply * gained // before, tuple(amounts))


def deposit_for_shares(pool: WeightedPool, minted: int, token: int, supply: int) -> Moved:
    """Put in as much of one token as so many shares ask for. Raises ImpossibleSwap."""
    if minted <= 0:
        raise ImpossibleSwap("nothing is minted")
    growth = div_up(supply + minted, supply)
    if growth > MOST_GROWTH:
        raise ImpossibleSwap("the pool grows to more than three times in one deposit")
    if pool.older:
        coming = _tried(older.asked, pool, token, growth)
        return _alone(pool, minted, token, scale_down(coming, *pool.scale_of(token), round_up=True))
    needed = _balance(pool, token, growth)
    untaxed = div_down(mul_down(supply + minted, pool.balances[token]), supply)
    taxed = needed - untaxed
    coming = needed - pool.balances[token] + div_up(taxed, ONE - pool.fee) - taxed
    return _alone(pool, minted, token, scale_down(coming, *pool.scale_of(token), round_up=True))


def withdraw_share(pool: WeightedPool, burned: int, supply: int) -> Moved:
    """Take out a share of every token. Raises ImpossibleSwap."""
    _require_share(burned, supply)
    share = div_down(burned, supply)
    amounts = (
        scale_down(
            mul_down(balance, share) if pool.older else balance * burned // supply, *pool.scale_of(place)
        )
        for place, balance in enumerate(pool.balances)
    )
    return Moved(burned, tuple(amounts))


def withdraw_one(pool: WeightedPool, burned: int, token: int, supply: int) -> Moved:
    """Take out a share in one token. Raises ImpossibleSwap."""
    _require_share(burned, supply)
    left = div_up(supply - burned, supply)
    if left < LEAST_LEFT:
        raise ImpossibleSwap("more than 30 % of the pool goes out in one token")
    if pool.older:
        going = _tried(older.paid, pool, token, left)
        return _alone(pool, burned, token, scale_down(going, *pool.scale_of(token)))
    had = pool.balances[token]
    stays = _balance(pool, token, left)
    untaxed = -(-(supply - burned) * had // supply)
    going = had - stays - mul_up(untaxed - stays, pool.fee)
    if going <= 0:
        raise ImpossibleSwap("the share is too small to bring anything")
    return _alone(pool, burned, token, scale_down(going, *pool.scale_of(token)))


def withdraw_exactly(pool: WeightedPool, amount: int, token: int, supply: int) -> Moved:
    """Take out so much of one token. Raises ImpossibleSwap."""
    wanted = scale_up(amount, *pool.scale_of(token), round_up=True)
    if not 0 < wanted < pool.balances[token] - 1:
        raise ImpossibleSwap(f"the pool cannot pay {amount}")
    if pool.older:
        burned = _tried(older.burned, pool, token, wanted, supply)
        _require_share(burned, supply)
        return _alone(pool, burned, token, amount)
    left = [balance - 1 for balance in pool.balances]
    left[token] -= wanted
    before = _invariant(pool, pool.balances, round_up=True)
    ratio = div_up(_invariant(pool, left, round_up=True), before)
    if ratio < LEAST_LEFT:
        raise ImpossibleSwap("more than 30 % of the pool goes out in one token")
    taxed = mul_up(ratio, pool.balances[token]) - left[token]
    left[token] -= div_up(taxed, ONE - pool.fee) - taxed
    if left[token] <= 0:
        raise ImpossibleSwap(f"the pool cannot pay {amount} and its fee")
    lost = before - _invariant(pool, left)
    burned = -(-supply * lost // before)
    _require_share(burned, supply)
    return _alone(pool, burned, token, amount)


def _tried(compute: Callable[..., int], *arguments: Any) -> int:
    try:
        found = compute(*arguments)
    except OutOfBounds as bounds:
        raise ImpossibleSwap(str(bounds)) from bounds
    if found <= 0:
        raise ImpossibleSwap("it is too small to come to anything")
    return found


def _alone(pool: WeightedPool, shares: int, token: int, amount: int) -> Moved:
    return Moved(shares, tuple(amount if place == token else 0 for place in range(len(pool.balances))))


def _invariant(pool: WeightedPool, balances: Sequence[int], *, round_up: bool = False) -> int:
    try:
        return invariant(pool.weights, balances, round_up=round_up)
    except OutOfBounds as bounds:
        raise ImpossibleSwap(str(bounds)) from bounds


def _balance(pool: WeightedPool, token: int, ratio: int) -> int:
    try:
        return balance_given_invariant(pool.balances[token], pool.weights[token], ratio)
    except OutOfBounds as bounds:
        raise ImpossibleSwap(str(bounds)) from bounds


def _require_share(burned: int, supply: int) -> None:
    if not 0 < burned < supply:
        raise ImpossibleSwap(f"{burned} of {supply} shares cannot be burned")
