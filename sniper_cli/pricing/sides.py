"""A pool seen by a trade in one direction, whatever its mathematics: what goes in, what comes out, the pool after it.

Whoever judges, quotes or marks asks a side and need not know the protocol. Constant product's `Reserves` is one; here
is the other, of concentrated liquidity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import Protocol

from sniper_cli.pricing.concentrated import ConcentratedPool, Swap
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.sqrt_price_math import Reverts
from sniper_cli.pricing.tick_math import MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, Q96, sqrt_ratio_at_tick

PERCENT = 100
MOST = 2**200
"""More than any pool takes: the price limit ends the swap."""


class PoolSide(Protocol):
    """What a trade in one direction can know of a pool."""

    @property
    def coming(self) -> int:
        """The depth on the side that goes in: the reserve, or what stands for it at the present price."""
        ...

    @property
    def going(self) -> int:
        """… and on the side that comes out; their ratio is the pool's price."""
        ...

    @property
    def depth(self) -> int:
        """What must go in to quadruple the price: of a constant product exactly the reserve, of any pool its measure.

        What stands in the pool would be none: one that starts with tokens only, as most launches on V3 do, pays its
        buyers back what they brought.
        """
        ...

    @property
    def reversed(self) -> PoolSide:
        """The same pool, seen by a trade in the other direction."""
        ...

    def pays(self, amount: int) -> int:
        """What an exact input brings. Raises ImpossibleSwap."""
        ...

    def asks(self, amount: int) -> int:
        """What an exact output costs. Raises ImpossibleSwap."""
        ...

    def moved(self, amount: int) -> PoolSide:
        """The pool once an exact input has been traded. Raises ImpossibleSwap."""
        ...


@dataclass(frozen=True, slots=True)
class ConcentratedSide:
    """One direction of a concentrated pool.

    Its depths are the virtual reserves of the present range, L/√P and L·√P (whitepaper § 2): a pool with all of its
    liquidity around the price moves as one with such reserves would, until it leaves the range.
    """

    pool: ConcentratedPool
    zero_for_one: bool

    @property
    def coming(self) -> int:
        return self._virtual[0] if self.zero_for_one else self._virtual[1]

    @property
    def going(self) -> int:
        return self._virtual[1] if self.zero_for_one else self._virtual[0]

    @property
    def depth(self) -> int:
        half = self.pool.sqrt_price_x96 // 2 if self.zero_for_one else self.pool.sqrt_price_x96 * 2
        return self._move(half).amount_in

    @property
    def reversed(self) -> ConcentratedSide:
        return ConcentratedSide(self.pool, not self.zero_for_one)

    def pays(self, amount: int) -> int:
        return self.pool.amount_out(amount, zero_for_one=self.zero_for_one)

    def asks(self, amount: int) -> int:
        return self.pool.amount_in(amount, zero_for_one=self.zero_for_one)

    def moved(self, amount: int) -> ConcentratedSide:
        self.pays(amount)  # raises where the pool cannot take all of it
        after = self.pool.swap(amount, zero_for_one=self.zero_for_one).after
        return replace(self, pool=after)

    def at_price(self, pct: int) -> tuple[ConcentratedSide, int] | None:
        """The pool at so many hundredths of its price, and the coming units that brings (less than 0: takes) away.

        What trades that nobody has seen would leave behind, without their fees. None where they would find no
        liquidity, or ticks that were not read.
        """
        price = self.pool.sqrt_price_x96
        up = pct > PERCENT
        target = isqrt(
            price * price * PERCENT // pct if self.zero_for_one else price * price * pct // PERCENT
        )
        try:
            swap = (self if up else self.reversed)._move(target)
        except ImpossibleSwap:
            return None
        if swap.after.sqrt_price_x96 != target or not swap.after.liquidity:
            return None
        moved = replace(swap.after, fee=self.pool.fee, fee_upwards=self.pool.fee_upwards)
        return replace(self, pool=moved), swap.amount_in if up else -swap.amount_out

    def _move(self, target: int) -> Swap:
        """A swap without fee until a price stands, as far as ticks were read."""
        lowest, highest = self.pool.known or (MIN_TICK, MAX_TICK)
        limit = min(
            max(target, sqrt_ratio_at_tick(lowest) + 1, MIN_SQRT_RATIO + 1), sqrt_ratio_at_tick(highest) - 1
        )
        free = replace(self.pool, fee=0, fee_upwards=None)
        try:
            return free.swap(MOST, zero_for_one=self.zero_for_one, limit=limit)
        except Reverts as reverts:
            raise ImpossibleSwap(str(reverts)) from reverts

    @property
    def _virtual(self) -> tuple[int, int]:
        """Token0 and token1."""
        price = self.pool.sqrt_price_x96
        if not price:
            return 0, 0
        return self.pool.liquidity * Q96 // price, self.pool.liquidity * price // Q96
