"""Orders that come in many: grids, averaging down by steps, and equal slices over time.

    grid, arithmetic     p_i = low + i·(high − low)/(n − 1)
    grid, geometric      p_i = low·(high/low)^(i/(n − 1))
    averaging, order k   deviation_k = d·(1 + s + … + s^(k−1)),  size_k = safety·v^(k−1)

with d the first step in percent of the first price, s the step scale and v the volume scale (the parameters of
3Commas' and Pionex' bots). Slices of a whole are whole lots that add up to it, the larger ones first.

Nothing here places an order: it says which ones there would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor

from sniper_cli.market.quantisation import EXACT, floor_to, nearest_to, passive_price
from state.orders import Side

READABLE = Context(prec=34)
"""For what has no end as a Decimal: a third, a root, an average."""
GUARDED = Context(prec=60)


class NoLadder(ValueError):
    """No such ladder can be: too few levels, an empty range, a share that does not pay for one lot."""


class Spacing(StrEnum):
    """What is equal between the levels of a grid."""

    ARITHMETIC = "arithmetic"
    """The difference."""
    GEOMETRIC = "geometric"
    """The ratio."""


class SizedIn(StrEnum):
    """What a size counts."""

    BASE = "base"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Rung:
    """One order of a grid."""

    side: Side
    price: Decimal
    quantity: Decimal


def grid_prices(
    low: Decimal,
    high: Decimal,
    levels: int,
    spacing: Spacing = Spacing.ARITHMETIC,
    tick: Decimal | None = None,
) -> tuple[Decimal, ...]:
    """The prices of a grid, both ends included, to the nearest tick if there is one."""
    if levels < 2 or not 0 < low < high:
        raise NoLadder(f"a grid has two levels or more between two prices, not {levels} from {low} to {high}")
    exact = [
        _arithmetic(low, high, Fraction(i, levels - 1))
        if spacing is Spacing.ARITHMETIC
        else _geometric(low, high, Fraction(i, levels - 1))
        for i in range(levels)
    ]
    return tuple(exact if tick is None else (nearest_to(price, tick) for price in exact))


def grid(
    low: Decimal,
    high: Decimal,
    levels: int,
    reference: Decimal,
    *,
    spacing: Spacing = Spacing.ARITHMETIC,
    tick: Decimal,
    lot: Decimal,
    size: Decimal,
    sized_in: SizedIn = SizedIn.BASE,
) -> tuple[Rung, ...]:
    """Buys below the reference price and sales above it, lowest first. A level at the reference has no order.

    Prices go to the tick that is further from the reference, quantities down to the lot. `size` is that of each order.
    """
    rungs = []
    for exact in grid_prices(low, high, levels, spacing):
        if exact == reference:
            continue
        side = Side.BUY if exact < reference else Side.SELL
        price = passive_price(side, exact, tick)
        quantity = _quantity(size, sized_in, price, lot)
        if not price or not quantity:
            raise NoLadder(f"{size} {sized_in} does not pay for one lot of {lot} at {price}")
        rungs.append(Rung(side, price, quantity))
    return tuple(rungs)


@dataclass(frozen=True, slots=True)
class Step:
    """One order of an averaging ladder, and what the position is once it has filled."""

    number: int
    """0 is the base order."""
    deviation_pct: Decimal
    """How far from the first price."""
    price: Decimal
    quantity: Decimal
    notional: Decimal
    total_quantity: Decimal
    total_notional: Decimal

    @property
    def average_price(self) -> Decimal:
        return READABLE.divide(self.total_notional, self.total_quantity)


@dataclass(frozen=True, slots=True)
class Ladder:
    """An averaging ladder: a base order, and safety orders that wait further and further from it."""

    side: Side
    steps: tuple[Step, ...]

    @property
    def required_funds(self) -> Decimal:
        """In quote, when every order fills."""
        return self.steps[-1].total_notional

    @property
    def quantity(self) -> Decimal:
        """When every order has filled."""
        return self.steps[-1].total_quantity

    @property
    def average_price(self) -> Decimal:
        """When every order has filled."""
        return self.steps[-1].average_price


def dca_ladder(
    price: Decimal,
    base_order: Decimal,
    safety_order: Decimal,
    safety_orders: int,
    deviation_pct: Decimal,
    *,
    step_scale: Decimal = Decimal(1),
    volume_scale: Decimal = Decimal(1),
    side: Side = Side.BUY,
    sized_in: SizedIn = SizedIn.QUOTE,
    tick: Decimal | None = None,
    lot: Decimal | None = None,
) -> Ladder:
    """A base order at `price`, and safety orders below it (above it, to sell), each further away and larger."""
    if safety_orders < 0 or price <= 0 or deviation_pct <= 0:
        raise NoLadder(
            f"a ladder steps away from a price, not {safety_orders} times {deviation_pct} % from {price}"
        )
    away, further, size = Decimal(0), deviation_pct, base_order
    steps: list[Step] = []
    for number in range(safety_orders + 1):
        at = _moved(price, EXACT.minus(away) if side is Side.BUY else away)
        if tick is not None:
            at = passive_price(side, at, tick)
        if at <= 0:
            raise NoLadder(f"safety order {number} would stand {away} % away: there is no price there")
        steps.append(_step(number, away, at, size, sized_in, lot, steps[-1] if steps else None))
        away, further = EXACT.add(away, further), EXACT.multiply(further, step_scale)
        size = EXACT.multiply(size, volume_scale) if number else safety_order
    return Ladder(side, tuple(steps))


def _step(
    number: int,
    away: Decimal,
    price: Decimal,
    size: Decimal,
    sized_in: SizedIn,
    lot: Decimal | None,
    before: Step | None,
) -> Step:
    quantity = _quantity(size, sized_in, price, lot)
    if not quantity:
        raise NoLadder(f"{size} {sized_in} does not pay for one lot of {lot} at {price}")
    # Without lots the quantity may have no end as a Decimal; what is spent is known all the same.
    spent = size if lot is None and sized_in is SizedIn.QUOTE else EXACT.multiply(price, quantity)
    return Step(
        number,
        away,
        price,
        quantity,
        spent,
        EXACT.add(before.total_quantity, quantity) if before else quantity,
        EXACT.add(before.total_notional, spent) if before else spent,
    )


@dataclass(frozen=True, slots=True)
class Instalment:
    """One of equal slices over time."""

    at: datetime
    quantity: Decimal


def equal_slices(total: int, count: int) -> tuple[int, ...]:
    """Whole numbers that add up to the total and differ by one at most, the larger ones first."""
    if count < 1 or total < 0:
        raise NoLadder(f"{total} cannot be cut into {count}")
    each, more = divmod(total, count)
    return (each + 1,) * more + (each,) * (count - more)


def instalments(
    quantity: Decimal, count: int, lot: Decimal, start: datetime, every: timedelta
) -> tuple[Instalment, ...]:
    """A quantity in so many slices of whole lots, one after the other. A slice of no lot is left out."""
    lots = Fraction(quantity) / Fraction(lot)
    if lots.denominator != 1:
        raise NoLadder(f"{quantity} is no multiple of the lot {lot}")
    return tuple(
        Instalment(start + place * every, EXACT.multiply(lot, slice_))
        for place, slice_ in enumerate(equal_slices(int(lots), count))
        if slice_
    )


def _quantity(size: Decimal, sized_in: SizedIn, price: Decimal, lot: Decimal | None) -> Decimal:
    """What a size buys at a price, in whole lots if there are lots."""
    if sized_in is SizedIn.BASE:
        return size if lot is None else floor_to(size, lot)
    if price <= 0:
        return Decimal(0)
    if lot is None:
        return READABLE.divide(size, price)
    return EXACT.multiply(lot, floor(Fraction(size) / (Fraction(price) * Fraction(lot))))


def _moved(price: Decimal, percent: Decimal) -> Decimal:
    return EXACT.add(price, EXACT.multiply(price, EXACT.scaleb(percent, -2)))


def _arithmetic(low: Decimal, high: Decimal, share: Fraction) -> Decimal:
    return _readable(Fraction(low) + (Fraction(high) - Fraction(low)) * share)


def _geometric(low: Decimal, high: Decimal, share: Fraction) -> Decimal:
    """The third root of 8 must not be 1.99…, which a tick would make 1.9: more digits are computed than are kept."""
    ratio = GUARDED.divide(high, low)
    power = GUARDED.power(ratio, GUARDED.divide(share.numerator, share.denominator))
    return READABLE.plus(GUARDED.multiply(low, power))


def _readable(number: Fraction) -> Decimal:
    return READABLE.divide(number.numerator, number.denominator)
