"""Return for risk, and how trades won and lost, by the conventions of empyrical (which others print, too).

Volatility and Sharpe divide by n − 1; downside deviation counts all observations, those above the threshold as
nothing; drawdowns include the capital one started with. `risk_free` is the return of one period, not of a year.
What is not defined (no losses to divide by, no volatility) is None, never infinity: a missing ratio is no good one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from math import fsum, sqrt

from sniper_cli.portfolio.drawdowns import max_drawdown, ulcer_index
from sniper_cli.portfolio.returns import NoReturn, cagr, total_return

PERIODS = 365
"""A market that never closes has 365 trading days."""
WIDE = Context(prec=160)
"""For sums: an amount has up to 78 digits."""
MEAN = Context(prec=28)


@dataclass(frozen=True, slots=True)
class PerformanceMetrics:
    """Of a series of returns of equal periods."""

    total_return: float
    cagr: float | None
    """None where a year of it leaves the range of numbers: tenfold in a day."""
    vol_annual: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None
    omega_0: float | None
    """Gains over losses, against a threshold of nothing."""
    ulcer_index: float
    downside_deviation: float
    """A year's."""


def performance_metrics(
    returns: Sequence[float], periods_per_year: float = PERIODS, risk_free: float = 0.0
) -> PerformanceMetrics:
    """All the ratios of a series that has at least one return."""
    if not returns:
        raise ValueError("without a return there is no performance")
    total = total_return(returns)
    return PerformanceMetrics(
        total_return=total,
        cagr=growth_a_year(returns, periods_per_year),
        vol_annual=volatility(returns, periods_per_year),
        sharpe=sharpe(returns, periods_per_year, risk_free),
        sortino=sortino(returns, periods_per_year, risk_free),
        max_drawdown=max_drawdown(returns),
        calmar=calmar(returns, periods_per_year),
        omega_0=omega(returns, risk_free=risk_free),
        ulcer_index=ulcer_index(returns),
        downside_deviation=downside_deviation(returns, periods_per_year, risk_free),
    )


def mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float | None:
    """Standard deviation with n − 1; None of fewer than two."""
    if len(values) < 2:
        return None
    if min(values) == max(values):
        return 0.0  # the rounded mean may miss equal values by a digit, and a Sharpe ratio of 1e15 come of it
    middle = mean(values)
    return sqrt(fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def volatility(returns: Sequence[float], periods_per_year: float = PERIODS) -> float | None:
    """A year's standard deviation."""
    each = deviation(returns)
    return None if each is None else each * sqrt(periods_per_year)


def sharpe(
    returns: Sequence[float], periods_per_year: float = PERIODS, risk_free: float = 0.0
) -> float | None:
    """Mean excess return over its deviation, times √periods (which assumes that periods are independent)."""
    excess = [one - risk_free for one in returns]
    each = deviation(excess)
    return mean(excess) / each * sqrt(periods_per_year) if each else None


def downside_deviation(
    returns: Sequence[float], periods_per_year: float = PERIODS, threshold: float = 0.0
) -> float:
    """Root mean square of what fell short of the threshold, over all periods, a year's."""
    short = fsum(min(0.0, one - threshold) ** 2 for one in returns)
    return sqrt(short / len(returns)) * sqrt(periods_per_year)


def sortino(
    returns: Sequence[float], periods_per_year: float = PERIODS, threshold: float = 0.0
) -> float | None:
    """A year's mean above the threshold, over its downside deviation."""
    risk = downside_deviation(returns, periods_per_year, threshold)
    return (mean(returns) - threshold) * periods_per_year / risk if risk else None


def calmar(returns: Sequence[float], periods_per_year: float = PERIODS) -> float | None:
    """Growth a year over the deepest fall."""
    deepest, growth = max_drawdown(returns), growth_a_year(returns, periods_per_year)
    return growth / -deepest if deepest and growth is not None else None


def growth_a_year(returns: Sequence[float], periods_per_year: float = PERIODS) -> float | None:
    """Compound growth a year, where there is such a number."""
    try:
        return cagr(total_return(returns), len(returns) / periods_per_year)
    except NoReturn:
        return None


def omega(returns: Sequence[float], threshold: float = 0.0, risk_free: float = 0.0) -> float | None:
    """What exceeded the threshold over what fell short of it."""
    over = [one - risk_free - threshold for one in returns]
    short = -fsum(one for one in over if one < 0)
    return fsum(one for one in over if one > 0) / short if short else None


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """How closed trades ended, in the unit of the results: sums exact, means to 28 digits."""

    trades: int
    wins: int
    losses: int
    """A trade that ended even is neither."""
    profit: Decimal
    hit_rate: float | None
    profit_factor: float | None
    """All wins over all losses."""
    expectancy: Decimal | None
    """Mean result of a trade."""
    average_win: Decimal | None
    average_loss: Decimal | None
    """Negative."""
    payoff: float | None
    """Average win over average loss."""
    best: Decimal | None
    worst: Decimal | None
    longest_losing_streak: int
    losing_streak: int
    """The one that lasts at the end: a cooldown waits for it."""


def trade_record(results: Sequence[int | Decimal]) -> TradeRecord:
    """Closed trades' results, in the order in which they closed."""
    amounts = [Decimal(result) for result in results]
    won, lost = [a for a in amounts if a > 0], [a for a in amounts if a < 0]
    gained, given = _sum(won), _sum(lost)
    longest, last = _losing_streaks(amounts)
    mean_win, mean_loss = _mean(gained, len(won)), _mean(given, len(lost))
    return TradeRecord(
        trades=len(amounts),
        wins=len(won),
        losses=len(lost),
        profit=WIDE.add(gained, given),
        hit_rate=len(won) / len(amounts) if amounts else None,
        profit_factor=float(WIDE.divide(gained, -given)) if given else None,
        expectancy=_mean(WIDE.add(gained, given), len(amounts)),
        average_win=mean_win,
        average_loss=mean_loss,
        payoff=float(WIDE.divide(mean_win, -mean_loss)) if mean_win and mean_loss else None,
        best=max(amounts, default=None),
        worst=min(amounts, default=None),
        longest_losing_streak=longest,
        losing_streak=last,
    )


def exposure(held: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime) -> float:
    """Share of the time in which something was held; spans that overlap count once."""
    if until <= since:
        raise ValueError("exposure needs a span of time")
    covered, reached = timedelta(0), since
    for begin, end in sorted(held):
        fresh, last = max(begin, reached), min(end, until)
        if last > fresh:
            covered += last - fresh
            reached = last
    return covered / (until - since)


def _losing_streaks(amounts: Sequence[Decimal]) -> tuple[int, int]:
    """The longest row of losses, and the one at the end."""
    longest = current = 0
    for amount in amounts:
        current = current + 1 if amount < 0 else 0
        longest = max(longest, current)
    return longest, current


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = WIDE.add(total, amount)
    return total


def _mean(total: Decimal, count: int) -> Decimal | None:
    return MEAN.divide(total, Decimal(count)) if count else None


__all__ = [
    "PerformanceMetrics", "TradeRecord", "calmar", "deviation", "downside_deviation", "exposure", "growth_a_year",
    "mean", "omega", "performance_metrics", "sharpe", "sortino", "trade_record", "volatility",
]  # fmt: skip
