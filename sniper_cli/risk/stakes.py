"""How much may be bought so that one trade risks what was decided: by its stop, its daily range, its volatility.

    units = equity·risk / (|entry − stop|·point)         fixed fractional
    unit  = equity·1 % / (N·dollars per point)           The Original Turtle Rules: N = 0.0141 gives 16.88, trade 16
    leverage = target volatility / volatility            volatility targeting

What comes out is exact: the arguments count as the decimals they are written as, so that 10 whole contracts are not
9.999… and cut to 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from sniper_cli.risk.growth import NoStake

Real = int | float | Decimal | Fraction
TURTLE_RISK = 0.01
"""A Turtle's unit moves one per cent of the account when the market moves N."""


@dataclass(frozen=True, slots=True)
class Stake:
    """Units to trade, before and after cutting to whole lots, and the loss that they risk."""

    units_exact: Fraction
    quantity: Fraction
    """Cut down to whole lots."""
    risk_amount: Fraction
    """What the rule allows to be lost."""
    risk_per_unit: Fraction
    notional: Fraction | None = None

    @property
    def unit(self) -> float:
        return float(self.units_exact)

    @property
    def contracts(self) -> int:
        """Whole units."""
        return floor(self.units_exact)


@dataclass(frozen=True, slots=True)
class VolatilityTarget:
    """The exposure whose volatility is the one aimed at."""

    leverage: Fraction
    """Of the equity; at most the leverage allowed."""
    notional: Fraction | None
    quantity: Fraction | None
    """Cut down to whole lots."""


def fixed_fractional(
    equity: Real,
    risk_fraction: Real,
    entry: Real,
    stop: Real,
    *,
    point_value: Real = 1,
    lot: Real | None = None,
) -> Stake:
    """Lose `risk_fraction` of the equity if the stop is hit, and no more."""
    per_unit = abs(exact(entry) - exact(stop)) * exact(point_value)
    if per_unit == 0:
        raise NoStake("entry and stop are the same price")
    stake = _stake(exact(equity) * exact(risk_fraction), per_unit, lot)
    notional = stake.quantity * exact(entry) * exact(point_value)
    return Stake(stake.units_exact, stake.quantity, stake.risk_amount, per_unit, notional)


def turtle_unit(
    equity: Real, n: Real, dollars_per_point: Real = 1, risk_fraction: Real = TURTLE_RISK, *, lot: Real = 1
) -> Stake:
    """Units such that a move of `n` (the average true range) is `risk_fraction` of the equity."""
    per_unit = exact(n) * exact(dollars_per_point)
    if per_unit <= 0:
        raise NoStake("a market that does not move has no unit")
    return _stake(exact(equity) * exact(risk_fraction), per_unit, lot)


def volatility_target(
    target_vol: Real,
    realised_vol: Real,
    equity: Real | None = None,
    price: Real | None = None,
    *,
    max_leverage: Real | None = None,
    lot: Real | None = None,
) -> VolatilityTarget:
    """Hold `target_vol / realised_vol` of the equity; both volatilities over the same span."""
    if exact(realised_vol) <= 0:
        raise NoStake("without volatility there is nothing to aim at")
    leverage = exact(target_vol) / exact(realised_vol)
    if max_leverage is not None:
        leverage = min(leverage, exact(max_leverage))
    notional = None if equity is None else exact(equity) * leverage
    if notional is None or price is None:
        return VolatilityTarget(leverage, notional, None)
    return VolatilityTarget(leverage, notional, whole_lots(notional / exact(price), lot))


def exact(number: Real) -> Fraction:
    """A number as the decimal that it is written as: 0.1 is a tenth, not the float nearest to it."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def whole_lots(units: Fraction, lot: Real | None) -> Fraction:
    """Cut down to a multiple of the lot, towards nothing."""
    if lot is None:
        return units
    step = exact(lot)
    return abs(units) // step * step * (1 if units >= 0 else -1)


def _stake(risked: Fraction, per_unit: Fraction, lot: Real | None) -> Stake:
    units = risked / per_unit
    return Stake(units, whole_lots(units, lot), risked, per_unit)


__all__ = [
    "Real", "Stake", "VolatilityTarget", "exact", "fixed_fractional", "turtle_unit", "volatility_target", "whole_lots",
]  # fmt: skip
