"""A pool of concentrated liquidity, Uniswap v3's or v4's: what a whole swap moves, to the wei.

A swap walks from one initialised tick to the next. The contract finds them in a bitmap of 256 ticks a word and stops
at the end of every word whether a tick is there or not; each stop rounds, so the walk here stops at the same places.

A pool's ticks are read in a window around its price (`known`). A swap that would leave the window raises: it is not
guessed what lies beyond.

Source: Uniswap v3-core UniswapV3Pool.swap and TickBitmap; whitepaper § 6.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.sqrt_price_math import MAX_UINT128, Reverts
from sniper_cli.pricing.swap_math import swap_step
from sniper_cli.pricing.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    Q128,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)

WORD = 256
"""Ticks (of the pool's spacing) in one word of the bitmap."""


class OutOfSight(ImpossibleSwap):
    """The swap needs ticks beyond those that were read."""


@dataclass(frozen=True, slots=True)
class ConcentratedPool:
    """A pool's state. Prices are √(token1/token0) in Q64.96."""

    sqrt_price_x96: int
    tick: int
    liquidity: int
    ticks: tuple[tuple[int, int], ...]
    """Initialised ticks, ascending, with what crossing them upwards adds to the liquidity."""
    fee: int
    """Hundredths of a basis point, of what comes in."""
    tick_spacing: int
    known: tuple[int, int] | None = None
    """The lowest and the highest tick that `ticks` tells about; none: it tells about all."""
    fee_upwards: int | None = None
    """What is taken of token1 coming in, where it is not `fee`: v4's protocol may charge each direction by its own."""
    _places: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self._places:
            object.__setattr__(self, "_places", tuple(tick for tick, _ in self.ticks))

    def knowing(self, ticks: tuple[tuple[int, int], ...], known: tuple[int, int] | None) -> ConcentratedPool:
        """The same pool once its ticks were read."""
        return replace(self, ticks=ticks, known=known, _places=())

    def swap(self, amount: int, *, zero_for_one: bool, limit: int | None = None) -> Swap:
        """Swap an exact input, or for a negative amount an exact output, no further than the price `limit`.

        Raises ImpossibleSwap, of which OutOfSight where too few ticks were read; Reverts with the contract's reason.
        """
        return _Walk(self, amount, zero_for_one=zero_for_one, limit=limit).run()

    def amount_out(self, amount_in: int, *, zero_for_one: bool) -> int:
        """What the pool pays for all of `amount_in`. Raises ImpossibleSwap."""
        swap = self._whole(amount_in, zero_for_one=zero_for_one)
        if swap.amount_in != amount_in:
            raise ImpossibleSwap(f"the pool takes only {swap.amount_in} of {amount_in}")
        return swap.amount_out

    def amount_in(self, amount_out: int, *, zero_for_one: bool) -> int:
        """The least input for exactly `amount_out`. Raises ImpossibleSwap."""
        swap = self._whole(-amount_out, zero_for_one=zero_for_one)
        if swap.amount_out != amount_out:
            raise ImpossibleSwap(f"the pool pays only {swap.amount_out} of {amount_out}")
        return swap.amount_in

    def _whole(self, amount: int, *, zero_for_one: bool) -> Swap:
        if amount == 0:
            raise ImpossibleSwap("nothing is traded")
        try:
            return self.swap(amount, zero_for_one=zero_for_one)
        except Reverts as reverts:
            raise ImpossibleSwap(str(reverts)) from reverts

    def next_tick(self, tick: int, *, downwards: bool) -> tuple[int, bool]:
        """The next place where a swap stops, and whether the tick there is initialised (TickBitmap)."""
        spacing = self.tick_spacing
        place = tick // spacing
        if downwards:
            end = place // WORD * WORD * spacing
            index = bisect_right(self._places, place * spacing) - 1
            if index >= 0 and self._places[index] >= end:
                return self._places[index], True
            return max(end, MIN_TICK), False
        end = ((place + 1) // WORD * WORD + WORD - 1) * spacing
        index = bisect_left(self._places, (place + 1) * spacing)
        if index < len(self._places) and self._places[index] <= end:
            return self._places[index], True
        return min(end, MAX_TICK), False

    def net_at(self, tick: int) -> int:
        """What crossing an initialised tick upwards adds to the liquidity."""
        return self.ticks[bisect_left(self._places, tick)][1]


@dataclass(frozen=True, slots=True)
class Swap:
    """What a swap moved, and the pool afterwards. Both amounts are positive."""

    amount_in: int
    """With the fee."""
    amount_out: int
    after: ConcentratedPool
    fee_growth_x128: int
    """What the fee, in the coming token, added to the growth per unit of liquidity (Q128.128)."""
    crossed: int
    """Initialised ticks crossed; each costs gas."""


class _Walk:
    """A swap under way."""

    def __init__(self, pool: ConcentratedPool, amount: int, *, zero_for_one: bool, limit: int | None) -> None:
        if amount == 0:
            raise Reverts("AS")
        ends = (MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1)
        self.limit = (ends[0] if zero_for_one else ends[1]) if limit is None else limit
        inside = (
            MIN_SQRT_RATIO < self.limit < pool.sqrt_price_x96
            if zero_for_one
            else pool.sqrt_price_x96 < self.limit < MAX_SQRT_RATIO
        )
        if not inside:
            raise Reverts("SPL")
        self.pool, self.amount, self.down = pool, amount, zero_for_one
        self.fee = pool.fee if zero_for_one or pool.fee_upwards is None else pool.fee_upwards
        self.price, self.tick, self.liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
        self.remaining = amount
        self.taken = self.paid = self.growth = self.crossed = 0

    def run(self) -> Swap:
        while self.remaining and self.price != self.limit:
            self._step()
        after = replace(self.pool, sqrt_price_x96=self.price, tick=self.tick, liquidity=self.liquidity)
        return Swap(self.taken, self.paid, after, self.growth, self.crossed)

    def _step(self) -> None:
        start = self.price
        stop, initialised = self.pool.next_tick(self.tick, downwards=self.down)
        at_stop = sqrt_ratio_at_tick(stop)
        target = max(at_stop, self.limit) if self.down else min(at_stop, self.limit)
        step = swap_step(start, target, self.liquidity, self.remaining, self.fee)
        self._book(step.amount_in + step.fee, step.amount_out, step.fee)
        self.price = step.price
        if self.price != at_stop:
            if self.price != start:
                self.tick = tick_at_sqrt_ratio(self.price)
                self._require_sight(self.tick)
            return
        self._require_sight(stop)
        if initialised:
            net = self.pool.net_at(stop)
            self.liquidity += -net if self.down else net
            self.crossed += 1
            if not 0 <= self.liquidity <= MAX_UINT128:
                raise Reverts("LS")
        self.tick = stop - 1 if self.down else stop

    def _book(self, taken: int, paid: int, fee: int) -> None:
        self.taken += taken
        self.paid += paid
        self.remaining += -taken if self.amount > 0 else paid
        if self.liquidity:
            self.growth += fee * Q128 // self.liquidity

    def _require_sight(self, tick: int) -> None:
        """On the way to a place that was not read there may be ticks that nobody knows of."""
        known = self.pool.known
        if known is not None and not known[0] <= tick <= known[1]:
            raise OutOfSight(f"the swap goes to tick {tick}; only {known[0]} to {known[1]} were read")


def pool_of_positions(
    sqrt_price_x96: int,
    positions: Iterable[tuple[int, int, int]],
    *,
    fee: int,
    tick_spacing: int,
    tick: int | None = None,
) -> ConcentratedPool:
    """The pool that positions (lower tick, upper tick, liquidity) make at a price."""
    current = tick_at_sqrt_ratio(sqrt_price_x96) if tick is None else tick
    net: dict[int, int] = {}
    liquidity = 0
    for lower, upper, amount in positions:
        net[lower] = net.get(lower, 0) + amount
        net[upper] = net.get(upper, 0) - amount
        if lower <= current < upper:
            liquidity += amount
    # A tick stays initialised while any position ends there, even where what they add cancels out.
    return ConcentratedPool(sqrt_price_x96, current, liquidity, tuple(sorted(net.items())), fee, tick_spacing)
