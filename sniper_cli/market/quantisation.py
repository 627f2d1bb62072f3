"""Prices in whole ticks, quantities in whole lots, and an order that a venue will take.

A venue refuses what is between two ticks, less than its least or more than its most. `fit` says which of its rules an
order breaks, with the figures, and which order is the nearest that breaks none: it is offered, never put in place of
what was asked.

Numbers are Decimals or whole units (ticks, lots, base units) and exact: nothing is rounded but what is asked to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Generic, TypeVar

from state.orders import Side

Number = TypeVar("Number", int, Decimal)

EXACT = Context(prec=160)
"""For Decimals of any price times any quantity: the default context would round at 28 digits."""


class Rounding(StrEnum):
    """To which multiple of a step."""

    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"
    """The upper one from the middle on."""


def to_step(value: Number, step: Number, rounding: Rounding = Rounding.NEAREST) -> Number:
    """A whole multiple of the step."""
    if step <= 0:
        raise ValueError(f"a step is more than nothing, not {step}")
    if isinstance(value, int) and isinstance(step, int):
        return _steps(value // step, value % step * 2, step, rounding) * step
    quotient, rest = EXACT.divmod(value, step)
    whole = int(quotient)  # a Decimal less one would be rounded to the 28 digits of the default context
    if rest < 0:
        # Decimals divide towards zero.
        whole, rest = whole - 1, EXACT.add(rest, step)
    return EXACT.multiply(_steps(whole, EXACT.multiply(rest, 2), step, rounding), step)


def _steps(whole: int, twice_rest: Number, step: Number, rounding: Rounding) -> int:
    if rounding is Rounding.UP:
        return whole + (twice_rest > 0)
    return whole + (rounding is Rounding.NEAREST and twice_rest >= step)


def floor_to(value: Number, step: Number) -> Number:
    """The greatest multiple of the step that is not more: what a quantity may be without buying more than was asked."""
    return to_step(value, step, Rounding.DOWN)


def ceil_to(value: Number, step: Number) -> Number:
    """The least multiple of the step that is not less."""
    return to_step(value, step, Rounding.UP)


def nearest_to(value: Number, step: Number) -> Number:
    """The nearest multiple of the step; from the middle on the upper one."""
    return to_step(value, step, Rounding.NEAREST)


def passive_price(side: Side, price: Number, tick: Number) -> Number:
    """To whole ticks, never paying more or taking less: down for a buy, up for a sale."""
    return floor_to(price, tick) if side is Side.BUY else ceil_to(price, tick)


def aggressive_price(side: Side, price: Number, tick: Number) -> Number:
    """To whole ticks, never reaching less far: up for a buy, down for a sale."""
    return ceil_to(price, tick) if side is Side.BUY else floor_to(price, tick)


class Rule(StrEnum):
    """What an order can break."""

    TICK = "tick"
    LOT = "lot"
    MINIMUM_PRICE = "minimum_price"
    MAXIMUM_PRICE = "maximum_price"
    MINIMUM_QUANTITY = "minimum_quantity"
    MAXIMUM_QUANTITY = "maximum_quantity"
    MINIMUM_NOTIONAL = "minimum_notional"
    MAXIMUM_NOTIONAL = "maximum_notional"


@dataclass(frozen=True, slots=True)
class TradingRules(Generic[Number]):
    """What a venue asks of every order for an instrument. None: no such rule."""

    tick: Number
    lot: Number
    minimum_quantity: Number | None = None
    maximum_quantity: Number | None = None
    minimum_notional: Number | None = None
    maximum_notional: Number | None = None
    minimum_price: Number | None = None
    maximum_price: Number | None = None
    contract: Number | int = 1
    """What a quantity of one is worth at a price of one: 1, or a contract's size, or quote units of a lot at a tick."""

    def notional(self, price: Number, quantity: Number) -> Number:
        """What a quantity is worth at a price."""
        if isinstance(price, int) and isinstance(quantity, int) and isinstance(self.contract, int):
            return price * quantity * self.contract
        return EXACT.multiply(EXACT.multiply(price, quantity), self.contract)


@dataclass(frozen=True, slots=True)
class Violation(Generic[Number]):
    """A rule that is broken: what was asked, and the figure that it breaks."""

    rule: Rule
    value: Number
    bound: Number

    def __str__(self) -> str:
        subject, relation = SENTENCES[self.rule]
        return f"the {subject} {_plain(self.value)} is {relation} {_plain(self.bound)}"


SENTENCES = {
    Rule.TICK: ("price", "no multiple of the tick"),
    Rule.LOT: ("quantity", "no multiple of the lot"),
    Rule.MINIMUM_PRICE: ("price", "below the least,"),
    Rule.MAXIMUM_PRICE: ("price", "above the greatest,"),
    Rule.MINIMUM_QUANTITY: ("quantity", "below the least,"),
    Rule.MAXIMUM_QUANTITY: ("quantity", "above the greatest,"),
    Rule.MINIMUM_NOTIONAL: ("notional", "below the least,"),
    Rule.MAXIMUM_NOTIONAL: ("notional", "above the greatest,"),
}


@dataclass(frozen=True, slots=True)
class Fit(Generic[Number]):
    """How an order stands to the rules."""

    violations: tuple[Violation[Number], ...]
    nearest: tuple[Number, Number] | None
    """Price and quantity of the nearest order that breaks no rule, itself if it breaks none; none if there is none
    at its price."""

    @property
    def fits(self) -> bool:
        return not self.violations


def fit(
    rules: TradingRules[Number],
    price: Number,
    quantity: Number,
    side: Side | None = None,
    *,
    at_market: bool = False,
) -> Fit[Number]:
    """Whether an order breaks a rule, and the nearest that does not.

    The price moves to the nearest tick (from the middle, to the passive side), then the quantity as little as it
    must. A market order's price is only what it is expected to trade at: it is not judged and does not move.
    """
    violations = tuple(_violations(rules, price, quantity, at_market=at_market))
    if not violations:
        return Fit((), (price, quantity))
    near = price if at_market else _nearest_price(rules, price, side)
    if near is None or near <= 0:
        return Fit(violations, None)
    lots = _nearest_lots(rules, near, quantity)
    return Fit(violations, None if lots is None else (near, _times(rules.lot, lots)))


def _violations(
    rules: TradingRules[Number], price: Number, quantity: Number, *, at_market: bool
) -> Iterator[Violation[Number]]:
    if price <= 0:
        yield Violation(Rule.MINIMUM_PRICE, price, rules.minimum_price or rules.tick)
    elif not at_market:
        yield from _off_step(Rule.TICK, price, rules.tick)
        yield from _outside(
            Rule.MINIMUM_PRICE, rules.minimum_price, Rule.MAXIMUM_PRICE, rules.maximum_price, price
        )
    if quantity <= 0:
        yield Violation(Rule.MINIMUM_QUANTITY, quantity, rules.minimum_quantity or rules.lot)
        return
    yield from _off_step(Rule.LOT, quantity, rules.lot)
    yield from _outside(
        Rule.MINIMUM_QUANTITY, rules.minimum_quantity, Rule.MAXIMUM_QUANTITY, rules.maximum_quantity, quantity
    )
    yield from _outside(
        Rule.MINIMUM_NOTIONAL,
        rules.minimum_notional,
        Rule.MAXIMUM_NOTIONAL,
        rules.maximum_notional,
        rules.notional(price, quantity),
    )


def _off_step(rule: Rule, value: Number, step: Number) -> Iterator[Violation[Number]]:
    if floor_to(value, step) != value:
        yield Violation(rule, value, step)


def _outside(
    below: Rule, least: Number | None, above: Rule, most: Number | None, value: Number
) -> Iterator[Violation[Number]]:
    if least is not None and value < least:
        yield Violation(below, value, least)
    if most is not None and value > most:
        yield Violation(above, value, most)


def _nearest_price(rules: TradingRules[Number], price: Number, side: Side | None) -> Number | None:
    """The nearest tick between the least price and the greatest."""
    lower, upper = floor_to(price, rules.tick), ceil_to(price, rules.tick)
    below, above = Fraction(price) - Fraction(lower), Fraction(upper) - Fraction(price)
    near = upper if above < below or (above == below and side is Side.SELL) else lower
    least = rules.tick if rules.minimum_price is None else ceil_to(rules.minimum_price, rules.tick)
    near = max(near, least, rules.tick)
    if rules.maximum_price is None:
        return near
    most = floor_to(rules.maximum_price, rules.tick)
    return None if most < max(least, rules.tick) else min(near, most)


def _nearest_lots(rules: TradingRules[Number], price: Number, quantity: Number) -> int | None:
    """The nearest number of lots that breaks no rule at a price."""
    lot = Fraction(rules.lot)
    worth = Fraction(price) * lot * Fraction(rules.contract)
    least = 1
    for bound, unit in ((rules.minimum_quantity, lot), (rules.minimum_notional, worth)):
        if bound is not None:
            least = max(least, ceil(Fraction(bound) / unit))
    wanted = Fraction(quantity) / lot
    lots = max(least, ceil(wanted - Fraction(1, 2)))
    for bound, unit in ((rules.maximum_quantity, lot), (rules.maximum_notional, worth)):
        if bound is not None:
            lots = min(lots, floor(Fraction(bound) / unit))
    return lots if lots >= least else None


def _times(step: Number, count: int) -> Number:
    return step * count if isinstance(step, int) else EXACT.multiply(step, count)


def _plain(number: int | Decimal) -> str:
    """Without an exponent, and without zeros at the end."""
    if isinstance(number, int):
        return str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
