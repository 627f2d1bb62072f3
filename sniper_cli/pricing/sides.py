"""A pool seen by a trade in one direction, whatever its mathematics: what goes in, what comes out, the pool after it.

Whoever judges, quotes or marks asks a side and need not know the protocol. Constant product's `Reserves` is one; here
is the other, of concentrated liquidity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from sniper_cli.pricing.concentrated import ConcentratedPool
from sniper_cli.pricing.tick_math import Q96


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

    @property
    def _virtual(self) -> tuple[int, int]:
        """Token0 and token1."""
        price = self.pool.sqrt_price_x96
        if not price:
            return 0, 0
        return self.pool.liquidity * Q96 // price, self.pool.liquidity * price // Q96
