"""The stake that lets capital grow fastest, and why one bets less than that.

    f* = p/a − q/b                              Kelly (1956); Thorp (2006), § 2: win b with p, lose a with q = 1 − p
    f* = (μ − r)/σ²,  g = r + (μ − r)²/2σ²      Thorp (2006), § 7: continuous trading
    HPR = 1 + f·trade/|worst loss|,  TWR = Π HPR,  G = TWR^(1/n)      Vince (1990), optimal f

All of this is statistics of the past and therefore float; what is ordered is counted in `sniper_cli.risk.sizing`.
The estimates are noisy and the curve falls faster to the right of f* than to the left: half of f* keeps three
quarters of the growth with half of the swings, twice f* keeps none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf, log, log1p

GRID = 100
"""Vince's search steps f by 0.01."""


class NoStake(ValueError):
    """The figures allow no stake to be computed: no loss to scale by, no volatility, chances outside 0 and 1."""


@dataclass(frozen=True, slots=True)
class Kelly:
    """The growth-optimal fraction of capital. Negative: the edge is on the other side."""

    f: float
    growth: float
    """Expected logarithmic growth of a bet (binary) or a year (continuous) at `f`."""

    def staked(self, fraction: float = 1.0, cap: float = inf) -> float:
        """What to bet of it: `fraction` (0.5: half Kelly), never more than `cap`, never less than nothing."""
        return max(0.0, min(self.f * fraction, cap))


@dataclass(frozen=True, slots=True)
class ContinuousKelly(Kelly):
    """Kelly for an asset with drift and volatility; `f` above one borrows."""

    growth_unlevered: float
    """Growth at f = 1, everything in the asset: μ − σ²/2."""
    sd_growth: float
    """Standard deviation of a year's logarithmic growth at `f`."""

    def growth_at(self, f: float, r: float) -> float:
        """Growth at another fraction; the parabola through `r` at nothing and `growth` at the optimum."""
        share = f / self.f if self.f else 0.0
        return r + (self.growth - r) * share * (2 - share)


@dataclass(frozen=True, slots=True)
class OptimalF:
    """Vince's optimal f of a list of trades: where the geometric mean of their results is highest."""

    f_exact: float
    f_grid_0_01: float
    """The best of 0.01, 0.02 … 1.00, as Vince searches; `twr` and what follows are at this one."""
    twr: float
    geometric_mean: float
    dollars_per_unit: float
    """Capital for each unit traded: |worst loss| / f."""
    worst_loss: float


def kelly_binary(p: float, win_multiple: float = 1.0, loss_multiple: float = 1.0) -> Kelly:
    """A bet that wins `win_multiple` of the stake with chance `p` and loses `loss_multiple` otherwise."""
    if not 0 < p < 1:
        raise NoStake(f"the chance to win lies between 0 and 1, not at {p}")
    if win_multiple <= 0 or loss_multiple <= 0:
        raise NoStake("a win and a loss are multiples of the stake above zero")
    q = 1 - p
    f = p / loss_multiple - q / win_multiple
    return Kelly(f, p * log1p(f * win_multiple) + q * log1p(-f * loss_multiple))


def kelly_continuous(mu: float, sigma: float, r: float = 0.0) -> ContinuousKelly:
    """An asset with yearly drift `mu` and volatility `sigma`, beside cash that brings `r`."""
    if sigma <= 0:
        raise NoStake("without volatility there is no optimum")
    excess = (mu - r) / sigma
    return ContinuousKelly(excess / sigma, r + excess**2 / 2, mu - sigma**2 / 2, abs(excess))


def twr(trades: Sequence[float], f: float) -> float:
    """Terminal wealth relative: what one unit of capital becomes when each trade risks `f` of it."""
    worst = _worst_loss(trades)
    wealth = 1.0
    for trade in trades:
        wealth *= 1 + f * trade / worst
    return wealth


def optimal_f(trades: Sequence[float]) -> OptimalF:
    """The f of these trades; 0 where their sum is no profit, since no stake would have grown."""
    worst = _worst_loss(trades)
    exact = _steepest([trade / worst for trade in trades])
    grid = max((step / GRID for step in range(1, GRID + 1)), key=lambda f: _log_twr(trades, f, worst))
    if exact == 0:
        return OptimalF(0.0, 0.0, 1.0, 1.0, inf, worst)
    wealth = twr(trades, grid)
    return OptimalF(exact, grid, wealth, wealth ** (1 / len(trades)), worst / grid, worst)


def _worst_loss(trades: Sequence[float]) -> float:
    worst = -min(trades, default=0.0)
    if worst <= 0:
        raise NoStake("optimal f scales by the worst loss, and no trade lost")
    return worst


def _log_twr(trades: Sequence[float], f: float, worst: float) -> float:
    """Logarithms, because the product of thousands of trades leaves the range of a float."""
    return fsum(log(hpr) if (hpr := 1 + f * trade / worst) > 0 else -inf for trade in trades)


def _steepest(multiples: Sequence[float]) -> float:
    """Where the sum of logarithms is highest: its slope Σ m/(1 + f·m) falls with f, from Σ m at 0 to −∞ at 1."""
    if fsum(multiples) <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if fsum(m / (1 + middle * m) for m in multiples) > 0:
            low = middle
        else:
            high = middle
    return low


__all__ = [
    "ContinuousKelly", "Kelly", "NoStake", "OptimalF", "kelly_binary", "kelly_continuous", "optimal_f", "twr",
]  # fmt: skip
