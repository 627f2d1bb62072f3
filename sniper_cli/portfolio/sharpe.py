"""How much of a Sharpe ratio is luck: its error, its year, and what the best of many trials shows by chance.

    SE = √((1 + SR²/2)/T)                                        Lo (2002), eq. 9: independent returns
    η(q) = q / √(q + 2·Σₖ (q − k)·ρₖ)                            Lo (2002), eq. 20: SR of q periods = η(q)·SR
    PSR = Φ((SR − SR*)·√(n − 1) / √(1 − γ₃·SR + (γ₄ − 1)/4·SR²)) Bailey & López de Prado (2012)
    SR₀ = √V·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e)))         Bailey & López de Prado (2014), eq. 1
    DSR = PSR against SR₀;  MinTRL: the n at which PSR reaches the confidence

Every Sharpe ratio here is one period's, never a year's (several calculators on the web get this wrong), and kurtosis
is raw: 3 for a normal distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, erfc, exp, fsum, inf, log, pi, sqrt
from statistics import NormalDist

EULER = 0.5772156649015329
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeError:
    se: float
    ci95_half: float
    """Half of the 95 % confidence interval."""


@dataclass(frozen=True, slots=True)
class AnnualisationFactor:
    eta: float
    iid_sqrt_q: float
    """What it would be without autocorrelation."""


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    sharpe_per_period: float
    sr0: float
    """What the best of the trials reaches by chance, per period."""
    dsr: float
    """Probability that the true Sharpe ratio is above nothing, given the trials."""


@dataclass(frozen=True, slots=True)
class ExpectedMax:
    """Of the best of N trials without skill."""

    approx_euler: float
    exact_order_statistic: float


def sharpe_se_iid(sharpe_per_period: float, n: float) -> SharpeError:
    """Standard error of a Sharpe ratio estimated from `n` independent returns."""
    se = sqrt((1 + sharpe_per_period**2 / 2) / n)
    return SharpeError(se, NORMAL.inv_cdf(0.975) * se)


def annualisation_factor(autocorrelations: Sequence[float], q: int) -> AnnualisationFactor:
    """What turns one period's Sharpe ratio into that of `q`, given the autocorrelations of lags 1, 2 …"""
    lags = list(autocorrelations)[: q - 1]
    covariance = fsum((q - lag) * rho for lag, rho in enumerate(lags, start=1))
    spread = q + 2 * covariance
    return AnnualisationFactor(q / sqrt(spread) if spread > 0 else inf, sqrt(q))


def annualisation_factor_ar1(rho: float, q: int) -> AnnualisationFactor:
    """The same where each return keeps `rho` of the one before."""
    return annualisation_factor([rho**lag for lag in range(1, q)], q)


def autocorrelations(returns: Sequence[float], lags: int) -> list[float]:
    """Of lags 1 … `lags`; empty for a series that does not move."""
    middle = fsum(returns) / len(returns)
    off = [one - middle for one in returns]
    total = fsum(one * one for one in off)
    if not total:
        return []
    return [
        fsum(a * b for a, b in zip(off, off[lag:], strict=False)) / total
        for lag in range(1, min(lags, len(returns) - 1) + 1)
    ]


def psr(
    sharpe_per_period: float, n: float, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above the benchmark."""
    distance = (sharpe_per_period - benchmark) * sqrt(n - 1)
    return NORMAL.cdf(distance / sqrt(_spread(sharpe_per_period, skew, kurtosis)))


def dsr(
    sharpe_annual: float,
    n: float,
    n_trials: int,
    variance_of_trials_annual: float,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    periods_per_year: float = 365,
) -> DeflatedSharpe:
    """The Sharpe ratio deflated by the number of trials it was chosen from. Years come in; periods are computed."""
    each = sharpe_annual / sqrt(periods_per_year)
    sr0 = euler_maximum(n_trials, variance_of_trials_annual / periods_per_year)
    return DeflatedSharpe(each, sr0, psr(each, n, skew, kurtosis, sr0))


def expected_max_sharpe(n_trials: int, variance: float = 1.0) -> ExpectedMax:
    """Expected Sharpe ratio of the best of `n_trials` whose true ratio is nothing."""
    return ExpectedMax(euler_maximum(n_trials, variance), sqrt(variance) * _order_statistic(n_trials))


def euler_maximum(n_trials: int, variance: float = 1.0) -> float:
    """The approximation of the paper: three per cent too high at five trials, half a per cent at a thousand."""
    if n_trials < 2:
        return 0.0
    first = NORMAL.inv_cdf(1 - 1 / n_trials)
    second = NORMAL.inv_cdf(1 - 1 / (n_trials * e))
    return sqrt(variance) * ((1 - EULER) * first + EULER * second)


def min_track_record_length(
    sharpe_per_period: float,
    benchmark: float = 0.0,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    confidence: float = 0.95,
) -> float:
    """Returns needed until PSR reaches the confidence; infinite where the ratio does not pass the benchmark."""
    if sharpe_per_period <= benchmark:
        return inf
    quantile = NORMAL.inv_cdf(confidence)
    return 1 + _spread(sharpe_per_period, skew, kurtosis) * (quantile / (sharpe_per_period - benchmark)) ** 2


def min_backtest_length(n_trials: int, target_sharpe_annual: float = 1.0) -> float:
    """Years below which the best of the trials shows the target by chance: 45 trials need five for a ratio of one."""
    return (euler_maximum(n_trials) / target_sharpe_annual) ** 2


def min_backtest_length_bound(n_trials: int, target_sharpe_annual: float = 1.0) -> float:
    """The simple bound 2·ln N / SR² above it."""
    return 2 * log(n_trials) / target_sharpe_annual**2


def skewness(returns: Sequence[float]) -> float | None:
    """Third standardised moment of the sample; None of a series that does not move."""
    return _moment(returns, 3)


def kurtosis(returns: Sequence[float]) -> float | None:
    """Fourth standardised moment, raw: 3 for a normal distribution."""
    return _moment(returns, 4)


def _moment(returns: Sequence[float], power: int) -> float | None:
    count = len(returns)
    middle = fsum(returns) / count
    variance = fsum((one - middle) ** 2 for one in returns) / count
    if min(returns) == max(returns):
        return None
    return fsum((one - middle) ** power for one in returns) / count / sqrt(variance) ** power


def _spread(sharpe: float, skew: float, kurtosis: float) -> float:
    """Variance of the estimated ratio times n − 1."""
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if spread <= 0:
        raise ValueError(f"no distribution has a skew of {skew} and a kurtosis of {kurtosis}")
    return spread


def _order_statistic(count: int) -> float:
    """E[max] of `count` standard normals: ∫ x·N·φ(x)·Φ(x)^(N−1) dx.

    The trapezoid rule converges faster than any power of the step for a bell-shaped integrand: 1e-12 with 2 000 points.
    """
    points, reach = 2000, 12.0
    step = 2 * reach / points
    return step * fsum(_density(-reach + index * step, count) for index in range(points + 1))


def _density(x: float, count: int) -> float:
    below = erfc(-x / sqrt(2)) / 2
    if below == 0:
        return 0.0
    return x * count * exp(-x * x / 2 + (count - 1) * log(below)) / sqrt(2 * pi)


__all__ = [
    "AnnualisationFactor", "DeflatedSharpe", "ExpectedMax", "SharpeError", "annualisation_factor",
    "annualisation_factor_ar1", "autocorrelations", "dsr", "euler_maximum", "expected_max_sharpe", "kurtosis",
    "min_backtest_length", "min_backtest_length_bound", "min_track_record_length", "psr", "sharpe_se_iid", "skewness",
]  # fmt: skip
