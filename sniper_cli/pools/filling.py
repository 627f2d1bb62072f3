"""How much of a trade a pool takes: all of it, or as much as its liquidity (or what was read of it) reaches.

A V2 pool takes everything at some price. A V3 pool ends where its liquidity ends: a sale larger than that is filled in
part, and what is left stays with the seller. What lies beyond the ticks that were read is not guessed at either.
"""

from __future__ import annotations

from typing import NamedTuple

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
from sniper_cli.pricing.sqrt_price_math import Reverts
from sniper_cli.pricing.tick_math import sqrt_ratio_at_tick


class Filled(NamedTuple):
    """What a pool takes of an input, and what it pays for that."""

    taken: int
    paid: int


NOTHING = Filled(0, 0)


def filled_by(side: PoolSide, amount: int) -> Filled:
    """What a pool takes and pays of an exact input; nothing where it takes nothing."""
    try:
        return Filled(amount, side.pays(amount))
    except ImpossibleSwap:
        if not isinstance(side, ConcentratedSide) or amount <= 0:
            return NOTHING
        return _in_part(side, amount)


def _in_part(side: ConcentratedSide, amount: int) -> Filled:
    """As far as the ticks that are known reach."""
    known, limit = side.pool.known, None
    if known is not None:
        # One within: at the very price of the last tick a swap has crossed it.
        down, up = sqrt_ratio_at_tick(known[0]) + 1, sqrt_ratio_at_tick(known[1]) - 1
        limit = down if side.zero_for_one else up
    try:
        swap = side.pool.swap(amount, zero_for_one=side.zero_for_one, limit=limit)
    except (ImpossibleSwap, Reverts):
        return NOTHING
    return Filled(swap.amount_in, swap.amount_out)


__all__ = ["Filled", "filled_by"]
