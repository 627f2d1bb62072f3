"""The ways to decide a size, as values: what each needs to know, and how much of the market it wishes for.

A method says units and, where it knows one, the loss of a unit at its stop; it knows nothing of lots, limits or
minima. `sniper_cli.risk.sizing` cuts its wish to what may be ordered. Everything is exact: the statistics behind a
Kelly fraction are floats, but what is multiplied with money is the decimal that they are written as.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Protocol

from sniper_cli.risk.growth import NoStake, kelly_binary, kelly_continuous, optimal_f
from sniper_cli.risk.parity import Matrix, inverse_volatility, risk_parity
from sniper_cli.risk.stakes import Real, exact, fixed_fractional, turtle_unit, volatility_target

HALF = Decimal("0.5")
KELLY_CAP = Decimal("0.25")
"""Of the equity, whatever Kelly says: an estimate of an edge is the least certain number of all."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The account and the market at the moment of deciding, in whole assets."""

    equity: Fraction
    price: Fraction
    stop: Fraction | None = None

    @property
    def distance(self) -> Fraction:
        """From the price to the stop. Raises NoStake without one."""
        if self.stop is None:
            raise NoStake("this method risks the way to a stop: name one")
        if self.stop == self.price:
            raise NoStake("price and stop are the same")
        return abs(self.price - self.stop)


@dataclass(frozen=True, slots=True)
class Wish:
    """Units of the base asset, and the figures that led to them."""

    units: Fraction
    figures: dict[str, Real] = field(default_factory=dict)
    loss_per_unit: Fraction | None = None
    """In the quote asset, at the stop."""


class Method(Protocol):
    """A way to decide a size. Raises NoStake where its figures allow none."""

    name: ClassVar[str]

    def wish(self, at: Setting) -> Wish: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same: a quantity, or a sum."""

    name: ClassVar[str] = "fixed"
    quantity: Decimal | None = None
    notional: Decimal | None = None

    def wish(self, at: Setting) -> Wish:
        if (self.quantity is None) == (self.notional is None):
            raise NoStake("a fixed size is either a quantity or a sum")
        if self.quantity is not None:
            return _at_stop(at, exact(self.quantity), {"fixed_quantity": self.quantity})
        assert self.notional is not None
        return _at_stop(at, exact(self.notional) / at.price, {"fixed_notional": self.notional})


@dataclass(frozen=True, slots=True)
class FixedFractional:
    """Lose this share of the equity if the stop is hit, fees of both sides included."""

    name: ClassVar[str] = "fixed_fractional"
    risk: Decimal
    fee: Decimal = Decimal(0)
    """Share of the notional that each side costs."""

    def wish(self, at: Setting) -> Wish:
        distance = at.distance
        assert at.stop is not None
        per_unit = distance + exact(self.fee) * (at.price + at.stop)
        stake = fixed_fractional(at.equity, self.risk, at.price, at.price - per_unit)
        figures: dict[str, Real] = {
            "risk": self.risk,
            "risk_amount": stake.risk_amount,
            "loss_per_unit": per_unit,
        }
        return Wish(stake.units_exact, figures, per_unit)


@dataclass(frozen=True, slots=True)
class AtrUnit:
    """A Turtle's unit: when the market moves its average true range, the account moves `risk`."""

    name: ClassVar[str] = "atr"
    atr: Decimal
    risk: Decimal = Decimal("0.01")
    stop_multiple: Decimal = Decimal(2)
    """How many ranges away the stop will stand, where none is named: 2N for the Turtles."""

    def wish(self, at: Setting) -> Wish:
        stake = turtle_unit(at.equity, self.atr, 1, self.risk)
        loss = exact(self.atr) * exact(self.stop_multiple) if at.stop is None else at.distance
        figures: dict[str, Real] = {
            "atr": self.atr,
            "risk": self.risk,
            "risk_amount": stake.risk_amount,
            "loss_per_unit": loss,
        }
        return Wish(stake.units_exact, figures, loss)


@dataclass(frozen=True, slots=True)
class TargetVolatility:
    """Hold as much as brings the equity's volatility to `target`; both volatilities over the same span."""

    name: ClassVar[str] = "volatility_target"
    target: Decimal
    volatility: Decimal
    max_leverage: Decimal = Decimal(1)

    def wish(self, at: Setting) -> Wish:
        aim = volatility_target(
            self.target, self.volatility, at.equity, at.price, max_leverage=self.max_leverage
        )
        assert aim.quantity is not None
        figures: dict[str, Real] = {
            "target": self.target,
            "volatility": self.volatility,
            "leverage": aim.leverage,
        }
        return _at_stop(at, aim.quantity, figures)


@dataclass(frozen=True, slots=True)
class KellyBet:
    """A part of the Kelly fraction of a bet that wins or loses multiples of its stake."""

    name: ClassVar[str] = "kelly"
    p: float
    win_multiple: float
    loss_multiple: float = 1.0
    fraction: Decimal = HALF
    cap: Decimal = KELLY_CAP
    at_stop: bool = False
    """The stake is what the stop loses (multiples of R), instead of what is bought."""

    def wish(self, at: Setting) -> Wish:
        kelly_binary(self.p, self.win_multiple, self.loss_multiple)  # raises where there is none
        p = exact(self.p)
        full = p / exact(self.loss_multiple) - (1 - p) / exact(self.win_multiple)
        staked, figures = _staked(full, self.fraction, self.cap)
        per_unit = at.distance if self.at_stop else at.price
        return _at_stop(at, at.equity * staked / per_unit, figures)


@dataclass(frozen=True, slots=True)
class KellyDrift:
    """A part of the Kelly fraction of an asset with drift and volatility."""

    name: ClassVar[str] = "kelly_continuous"
    mu: float
    sigma: float
    r: float = 0.0
    fraction: Decimal = HALF
    cap: Decimal = KELLY_CAP

    def wish(self, at: Setting) -> Wish:
        kelly_continuous(self.mu, self.sigma, self.r)  # raises where there is none
        full = (exact(self.mu) - exact(self.r)) / exact(self.sigma) ** 2
        staked, figures = _staked(full, self.fraction, self.cap)
        return _at_stop(at, at.equity * staked / at.price, figures)


@dataclass(frozen=True, slots=True)
class VinceF:
    """A part of optimal f: a unit for every so much capital. `trades` are results of one unit, in the quote asset."""

    name: ClassVar[str] = "optimal_f"
    trades: Sequence[Decimal]
    fraction: Decimal = HALF

    def wish(self, at: Setting) -> Wish:
        best = optimal_f([float(trade) for trade in self.trades])
        worst = -min(exact(trade) for trade in self.trades)
        f = exact(best.f_exact)
        figures: dict[str, Real] = {"optimal_f": f, "fraction": self.fraction, "worst_loss": worst}
        if f:
            figures["capital_per_unit"] = worst / f
        return _at_stop(at, at.equity * exact(self.fraction) * f / worst, figures)


@dataclass(frozen=True, slots=True)
class RiskShare:
    """This asset's weight in a portfolio whose assets all bring the same risk."""

    name: ClassVar[str] = "risk_parity"
    cov: Matrix
    index: int
    """Which row of the covariance matrix this asset is."""
    invested: Decimal = Decimal(1)
    """Share of the equity that the portfolio takes."""
    correlated: bool = True
    """False: weights by 1/volatility, as if all correlations were the same."""

    def wish(self, at: Setting) -> Wish:
        portfolio = risk_parity(self.cov) if self.correlated else inverse_volatility(self.cov)
        weight = exact(portfolio.weights[self.index])
        figures: dict[str, Real] = {
            "weight": weight,
            "portfolio_volatility": exact(portfolio.vol),
            "invested": self.invested,
        }
        return _at_stop(at, at.equity * exact(self.invested) * weight / at.price, figures)


METHODS: dict[str, type[Method]] = {
    one.name: one
    for one in (
        Fixed, FixedFractional, AtrUnit, TargetVolatility, KellyBet, KellyDrift, VinceF, RiskShare,
    )
}  # fmt: skip
"""By the name that a setting or an option spells."""


def _at_stop(at: Setting, units: Fraction, figures: dict[str, Real]) -> Wish:
    """A wish that comes from elsewhere loses at the stop too, if one is named."""
    return Wish(units, figures, at.distance if at.stop is not None else None)


def _staked(full: Fraction, fraction: Decimal, cap: Decimal) -> tuple[Fraction, dict[str, Real]]:
    """What is bet of a Kelly fraction; exact, because 0.6 − 0.4 in floats is a lot less than 0.2."""
    staked = max(Fraction(0), min(full * exact(fraction), exact(cap)))
    figures: dict[str, Real] = {"kelly": full, "fraction": fraction, "cap": cap, "staked": staked}
    return staked, figures


__all__ = [
    "METHODS", "AtrUnit", "Fixed", "FixedFractional", "KellyBet", "KellyDrift", "Method", "RiskShare", "Setting",
    "TargetVolatility", "VinceF", "Wish",
]  # fmt: skip
