"""Weights by risk instead of by opinion: every asset the same share of the portfolio's volatility.

    wᵢ·(Σw)ᵢ = bᵢ·w'Σw                        Maillard, Roncalli & Teiletche (2010), equal risk contribution
    xᵢ ← (−cᵢ + √(cᵢ² + 4·σᵢᵢ·bᵢ)) / 2σᵢᵢ,  cᵢ = Σⱼ≠ᵢ σᵢⱼ·xⱼ       Griveau-Billion et al. (2013), cyclical descent

The descent minimises ½x'Σx − Σ bᵢ·ln xᵢ, which is strictly convex: it always arrives, and from anywhere. A few dozen
sweeps in plain Python beat importing an optimiser (2.6 to 6.9 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from sniper_cli.risk.growth import NoStake

Matrix = Sequence[Sequence[float]]
SWEEPS = 10_000
CLOSE = 1e-14
"""Relative change of a weight in a sweep below which nothing more will come."""


@dataclass(frozen=True, slots=True)
class RiskParity:
    """Weights that sum to one."""

    weights: tuple[float, ...]
    vol: float
    """Of the portfolio."""
    contributions: tuple[float, ...]
    """Each asset's share of the volatility; they sum to one."""


def covariance(vols: Sequence[float], corr: Matrix) -> list[list[float]]:
    """Volatilities and correlations as a covariance matrix."""
    return [
        [a * b * rho for b, rho in zip(vols, row, strict=True)] for a, row in zip(vols, corr, strict=True)
    ]


def risk_parity(cov: Matrix, budgets: Sequence[float] | None = None) -> RiskParity:
    """Weights whose shares of the risk are the `budgets` (equal without any)."""
    count = len(cov)
    _valid(cov)
    shares = [1 / count] * count if budgets is None else [b / fsum(budgets) for b in budgets]
    if len(shares) != count or min(shares) <= 0:
        raise NoStake("each asset needs a share of the risk above zero")
    x = [1 / sqrt(cov[i][i]) for i in range(count)]
    for _ in range(SWEEPS):
        moved = 0.0
        for i, row in enumerate(cov):
            others = fsum(row[j] * x[j] for j in range(count) if j != i)
            new = _positive_root(others, row[i], shares[i])
            moved = max(moved, abs(new - x[i]) / new)
            x[i] = new
        if moved < CLOSE:
            break
    return _weighted(cov, x)


def inverse_volatility(cov: Matrix) -> RiskParity:
    """Weights in proportion to 1/volatility: risk parity where all correlations are the same."""
    _valid(cov)
    return _weighted(cov, [1 / sqrt(cov[i][i]) for i in range(len(cov))])


def _positive_root(others: float, variance: float, share: float) -> float:
    """The positive x with variance·x² + others·x = share, without cancellation whatever the sign of `others`."""
    root = sqrt(others * others + 4 * variance * share)
    return 2 * share / (others + root) if others > 0 else (root - others) / (2 * variance)


def _valid(cov: Matrix) -> None:
    if not cov or any(len(row) != len(cov) for row in cov):
        raise NoStake("a covariance matrix is square")
    if any(cov[i][i] <= 0 for i in range(len(cov))):
        raise NoStake("an asset without volatility would take all the weight")


def _weighted(cov: Matrix, x: Sequence[float]) -> RiskParity:
    total = fsum(x)
    weights = [one / total for one in x]
    parts = [
        w * fsum(c * v for c, v in zip(row, weights, strict=True))
        for w, row in zip(weights, cov, strict=True)
    ]
    variance = fsum(parts)
    return RiskParity(tuple(weights), sqrt(variance), tuple(part / variance for part in parts))


__all__ = ["Matrix", "RiskParity", "covariance", "inverse_volatility", "risk_parity"]
