"""How much to order: a method's wish, cut by caps and to whole lots, with every figure that led to it.

Rounding only ever goes down, so that neither the caps nor the risk are passed by a single unit. What does not reach
the venue's minimum is refused, never rounded up: a size is a promise about risk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from sniper_cli.errors import OrderRefused
from sniper_cli.risk.growth import (
    ContinuousKelly,
    Kelly,
    NoStake,
    OptimalF,
    kelly_binary,
    kelly_continuous,
    optimal_f,
    twr,
)
from sniper_cli.risk.methods import (
    METHODS,
    AtrUnit,
    Fixed,
    FixedFractional,
    KellyBet,
    KellyDrift,
    Method,
    RiskShare,
    Setting,
    TargetVolatility,
    VinceF,
    Wish,
)
from sniper_cli.risk.parity import RiskParity, covariance, inverse_volatility, risk_parity
from sniper_cli.risk.stakes import (
    Real,
    Stake,
    VolatilityTarget,
    exact,
    fixed_fractional,
    turtle_unit,
    volatility_target,
)

if TYPE_CHECKING:
    from state.accounts import Asset, Instrument

WIDE = Context(prec=160)
"""An amount has up to 78 digits."""
SHOWN = Context(prec=18)
"""A figure that no decimal spells (a third) is shown to this many digits; nothing is computed from it."""


@dataclass(frozen=True, slots=True)
class TradeRules:
    """What the instrument accepts. Quantities are base units, notionals quote units."""

    base_decimals: int
    quote_decimals: int
    lot: int = 1
    tick: Decimal | None = None
    minimum_quantity: int | None = None
    minimum_notional: int | None = None
    maximum_notional: int | None = None

    @classmethod
    def of(cls, instrument: Instrument, base: Asset, quote: Asset) -> TradeRules:
        return cls(
            base.decimals,
            quote.decimals,
            lot=instrument.lot or 1,
            tick=instrument.tick,
            minimum_notional=instrument.minimum_notional,
            maximum_notional=instrument.maximum_notional,
        )


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds that no method passes."""

    fraction: Decimal | None = None
    """Share of the equity that may stand in this order."""
    notional: int | None = None
    """Quote units."""
    risk: Decimal | None = None
    """Share of the equity that its stop may lose; an order without a stop is refused then."""


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SizedOrder:
    """What to order. Refused, the quantity is nothing, whatever the figures say."""

    method: str
    quantity: int
    """Base units, whole lots."""
    notional: int
    """Quote units at the price, rounded up."""
    at_risk: int | None
    """Quote units that the stop would lose, rounded up; none without a stop."""
    bound_by: str
    """What decided: `method`, or the cap that cut it."""
    figures: dict[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.refusals

    def or_refuse(self) -> SizedOrder:
        """This, or OrderRefused with the reasons and the figures."""
        if self.fits:
            return self
        raise OrderRefused(
            "; ".join(refusal.sentence for refusal in self.refusals),
            reasons=[refusal.code for refusal in self.refusals],
            method=self.method,
            figures=self.figures,
        )


def size_order(
    method: Method,
    *,
    equity: int,
    price: Decimal,
    rules: TradeRules,
    stop: Decimal | None = None,
    caps: Caps | None = None,
) -> SizedOrder:
    """The largest whole number of lots that the method wishes for and the caps allow.

    `equity` is quote units; `price` and `stop` are quote per base in whole assets, on the instrument's tick.
    """
    caps = caps or Caps()
    figures = {"equity": spelled(Fraction(equity, 10**rules.quote_decimals)), "price": spelled(exact(price))}
    if stop is not None:
        figures["stop"] = spelled(exact(stop))
    refusals = list(_unsound(equity, price, stop, rules))
    if refusals:
        return SizedOrder(method.name, 0, 0, None, "method", figures, tuple(refusals))
    setting = Setting(
        Fraction(equity, 10**rules.quote_decimals), exact(price), None if stop is None else exact(stop)
    )
    try:
        wish = method.wish(setting)
    except NoStake as reason:
        return SizedOrder(method.name, 0, 0, None, "method", figures, (Refusal("no_stake", str(reason)),))
    figures |= {name: spelled(value) for name, value in wish.figures.items()}
    return _cut(method.name, wish, setting, equity, rules, caps, figures)


def _unsound(equity: int, price: Decimal, stop: Decimal | None, rules: TradeRules) -> list[Refusal]:
    found = []
    if equity <= 0:
        found.append(Refusal("no_equity", "the account has no equity to size by"))
    for name, level in (("price", price), ("stop", stop)):
        if level is None:
            continue
        if level <= 0:
            found.append(Refusal(f"no_{name}", f"the {name} is {level:f}; it must be above zero"))
        elif rules.tick is not None and (over := exact(level) % exact(rules.tick)):
            below = exact(level) - over
            found.append(
                Refusal(
                    f"{name}_off_tick",
                    f"the {name} {level:f} is not on the tick of {rules.tick:f}: "
                    f"{spelled(below)} and {spelled(below + exact(rules.tick))} are",
                )
            )
    return found


def _cut(
    name: str,
    wish: Wish,
    setting: Setting,
    equity: int,
    rules: TradeRules,
    caps: Caps,
    figures: dict[str, str],
) -> SizedOrder:
    """Cut the wish to the least of all bounds, then down to whole lots; then see whether that may be ordered."""
    per_unit = setting.price * 10**rules.quote_decimals / 10**rules.base_decimals
    loss = _scaled(wish.loss_per_unit, rules)
    bounds = {"method": wish.units * 10**rules.base_decimals} | _bounds(per_unit, loss, equity, rules, caps)
    bound_by = min(bounds, key=lambda which: bounds[which])
    quantity = max(0, floor(bounds[bound_by])) // rules.lot * rules.lot
    figures |= {
        "wished": spelled(wish.units),
        "lot": spelled(Fraction(rules.lot, 10**rules.base_decimals)),
        "quantity": spelled(Fraction(quantity, 10**rules.base_decimals)),
        "notional": spelled(quantity * setting.price / 10**rules.base_decimals),
        "bound_by": bound_by,
    }
    if wish.loss_per_unit is not None:
        figures["at_risk"] = spelled(wish.loss_per_unit * quantity / 10**rules.base_decimals)
    refusals = tuple(_unfit(wish, quantity, quantity * per_unit, per_unit, loss, rules, caps))
    ordered = 0 if refusals else quantity
    at_risk = None if loss is None else ceil(ordered * loss)
    return SizedOrder(name, ordered, ceil(ordered * per_unit), at_risk, bound_by, figures, refusals)


def _scaled(per_whole: Fraction | None, rules: TradeRules) -> Fraction | None:
    """A sum for a whole base asset as quote units for a base unit."""
    return None if per_whole is None else per_whole * 10**rules.quote_decimals / 10**rules.base_decimals


def _bounds(
    per_unit: Fraction, loss: Fraction | None, equity: int, rules: TradeRules, caps: Caps
) -> dict[str, Fraction]:
    """Base units that each cap allows. Sums are cut to whole quote units first: a cap is passed by none."""
    bounds = {}
    if caps.fraction is not None:
        bounds["max_fraction"] = floor(equity * exact(caps.fraction)) / per_unit
    if caps.notional is not None:
        bounds["max_notional"] = caps.notional / per_unit
    if rules.maximum_notional is not None:
        bounds["maximum_notional"] = rules.maximum_notional / per_unit
    if caps.risk is not None and loss:
        bounds["max_risk"] = floor(equity * exact(caps.risk)) / loss
    return bounds


def _unfit(
    wish: Wish,
    quantity: int,
    notional: Fraction,
    per_unit: Fraction,
    loss: Fraction | None,
    rules: TradeRules,
    caps: Caps,
) -> list[Refusal]:
    if wish.units <= 0:
        return [Refusal("no_edge", "the method wishes for nothing: on these figures no stake would grow")]
    if caps.risk is not None and loss is None:
        return [Refusal("no_stop", "the risk is capped, and without a stop nobody knows the loss: name one")]
    least = _least(per_unit, rules)
    asked = f"{spelled(Fraction(quantity, 10**rules.base_decimals))} is what these figures allow"
    needed = f"the least that may be ordered is {spelled(Fraction(least, 10**rules.base_decimals))}"
    if quantity == 0:
        return [Refusal("below_lot", f"less than one lot is what these figures allow; {needed}")]
    if rules.minimum_quantity is not None and quantity < rules.minimum_quantity:
        return [Refusal("below_minimum_quantity", f"{asked}; {needed}")]
    if rules.minimum_notional is not None and notional < rules.minimum_notional:
        worth = spelled(Fraction(floor(notional), 10**rules.quote_decimals))
        minimum = spelled(Fraction(rules.minimum_notional, 10**rules.quote_decimals))
        return [Refusal("below_minimum_notional", f"{asked}, worth {worth} of at least {minimum}; {needed}")]
    return []


def _least(per_unit: Fraction, rules: TradeRules) -> int:
    """The smallest order that the instrument accepts at this price, in base units."""
    least = max(rules.lot, rules.minimum_quantity or 0, ceil((rules.minimum_notional or 0) / per_unit))
    return -(-least // rules.lot) * rules.lot


def spelled(number: Real) -> str:
    """A figure for people and records: exact where a decimal can be, to 18 digits where not, without exponent."""
    ratio = exact(number)
    whole = WIDE.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    if Fraction(whole) != ratio:
        whole = SHOWN.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    return f"{whole.normalize(WIDE) or Decimal(0):f}"


__all__ = [
    "METHODS", "AtrUnit", "Caps", "ContinuousKelly", "Fixed", "FixedFractional", "Kelly", "KellyBet", "KellyDrift",
    "Method", "NoStake", "OptimalF", "Refusal", "RiskParity", "RiskShare", "Setting", "SizedOrder", "Stake",
    "TargetVolatility", "TradeRules", "VinceF", "VolatilityTarget", "Wish", "covariance", "fixed_fractional",
    "inverse_volatility", "kelly_binary", "kelly_continuous", "optimal_f", "risk_parity", "size_order", "spelled",
    "turtle_unit", "twr", "volatility_target",
]  # fmt: skip
