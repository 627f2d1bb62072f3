"""What putting coins into a StableSwap pool mints, and taking them out burns: fees and roundings as the contract's.

Who puts in or takes out in other proportions than the pool's trades by it, and pays a fee on what he is away from them:
fee · n / (4·(n − 1)), which for two coins makes a deposit and a withdrawal together cost one swap. StableSwap-NG lets
that fee grow with imbalance, too. What is minted follows D, the fees taken off.

The views of StableSwap-NG (`calc_token_amount`) answer one unit less for a withdrawal than `remove_liquidity_imbalance`
burns; here stands what is burned.

Source: StableSwap whitepaper; Curve's add_liquidity, remove_liquidity, remove_liquidity_imbalance and
remove_liquidity_one_coin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.stable import (
    FEE_DENOMINATOR,
    PRECISION,
    StablePool,
    balance_given_invariant,
    dynamic_fee,
    invariant,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a deposit or a withdrawal did."""

    shares: int
    """Minted or burned."""
    amounts: tuple[int, ...]
    """Of each coin, in base units: put in or taken out."""
    after: StablePool


def deposit(pool: StablePool, amounts: Sequence[int], supply: int) -> Moved:
    """Put coins in, in whatever proportions. Raises ImpossibleSwap."""
    if not any(amounts) or min(amounts) < 0:
        raise ImpossibleSwap("nothing is put in")
    if not supply and not all(amounts):
        raise ImpossibleSwap("the first deposit needs all coins")
    filled = tuple(had + amount for had, amount in zip(pool.balances, amounts, strict=True))
    if not supply:
        d = _invariant(pool, filled)
        return Moved(d, tuple(amounts), replace(pool, balances=filled))
    before, after, kept = _moved(pool, filled)
    if after <= before:
        raise ImpossibleSwap("the deposit is too small to mint anything")
    return Moved(supply * (after - before) // before, tuple(amounts), replace(pool, balances=kept))


def withdraw_exactly(pool: StablePool, amounts: Sequence[int], supply: int) -> Moved:
    """Take out so much of each coin. Raises ImpossibleSwap."""
    if not any(amounts) or min(amounts) < 0:
        raise ImpossibleSwap("nothing is taken out")
    left = tuple(had - amount for had, amount in zip(pool.balances, amounts, strict=True))
    if min(left) <= 0:
        raise ImpossibleSwap("the pool does not hold so much")
    before, after, kept = _moved(pool, left)
    burned = (before - after) * supply // before + 1
    if not 1 < burned <= supply:
        raise ImpossibleSwap("no such share can be burned")
    return Moved(burned, tuple(amounts), replace(pool, balances=kept))


def withdraw_share(pool: StablePool, burned: int, supply: int) -> Moved:
    """Take out a share of every coin. Raises ImpossibleSwap."""
    _require_share(burned, supply)
    amounts = tuple(balance * burned // supply for balance in pool.balances)
    left = tuple(had - amount for had, amount in zip(pool.balances, amounts, strict=True))
    return Moved(burned, amounts, replace(pool, balances=left))


def withdraw_one(pool: StablePool, burned: int, coin: int, supply: int) -> Moved:
    """Take out a share in one coin. Raises ImpossibleSwap."""
    _require_share(burned, supply)
    scaled, count = pool.scaled, len(pool.balances)
    before = _invariant(pool, pool.balances)
    after = before - burned * before // supply
    without_fee = _balance(pool, scaled, coin, after)
    middle = (before + after) // (2 * count)
    reduced = []
    for place, balance in enumerate(scaled):
        ideal = balance * after // before
        away = ideal - without_fee if place == coin else balance - ideal
        average = (balance + without_fee) // 2 if place == coin else balance
        reduced.append(balance - _fee_rate(pool, average, middle) * away // FEE_DENOMINATOR)
    # One unit less: roundings are the pool's.
    left = reduced[coin] - _balance(pool, reduced, coin, after) - 1
    rate = pool.rates[coin] if pool.rates else PRECISION
    paid = left * PRECISION // rate
    if paid <= 0:
        raise ImpossibleSwap("the share is too small to bring anything")
    fee = (scaled[coin] - without_fee) * PRECISION // rate - paid
    balances = list(pool.balances)
    balances[coin] -= paid + fee * pool.admin_fee // FEE_DENOMINATOR
    amounts = tuple(paid if place == coin else 0 for place in range(count))
    return Moved(burned, amounts, replace(pool, balances=tuple(balances)))


def _moved(pool: StablePool, balances: Sequence[int]) -> tuple[int, int, tuple[int, ...]]:
    """D before, D after with the fees taken off, and what stays in the pool: the fees but for their owner's share."""
    before, level = _invariant(pool, pool.balances), _invariant(pool, balances)
    count = len(balances)
    middle = (before + level) // count
    charged, kept = [], []
    for place, (had, has) in enumerate(zip(pool.balances, balances, strict=True)):
        rate = pool.rates[place] if pool.rates else PRECISION
        away = abs(level * had // before - has)
        fee = _fee_rate(pool, rate * (had + has) // PRECISION, middle) * away // FEE_DENOMINATOR
        charged.append(has - fee)
        kept.append(has - fee * pool.admin_fee // FEE_DENOMINATOR)
    if min(charged) <= 0:
        raise ImpossibleSwap("the fee takes more than the pool holds")
    return before, _invariant(pool, charged), tuple(kept)


def _fee_rate(pool: StablePool, here: int, middle: int) -> int:
    """Of what a coin is away from the pool's proportions."""
    count = len(pool.balances)
    return dynamic_fee(here, middle, pool.fee * count // (4 * (count - 1)), pool.multiplier)


def _invariant(pool: StablePool, balances: Sequence[int]) -> int:
    scaled = replace(pool, balances=tuple(balances)).scaled
    return invariant(scaled, pool.amplification, precision=pool.precision, newer=pool.newer)


def _balance(pool: StablePool, scaled: Sequence[int], coin: int, d: int) -> int:
    return balance_given_invariant(scaled, coin, d, pool.amplification, precision=pool.precision)


def _require_share(burned: int, supply: int) -> None:
    if not 0 < burned <= supply:
        raise ImpossibleSwap(f"{burned} of {supply} shares cannot be burned")
