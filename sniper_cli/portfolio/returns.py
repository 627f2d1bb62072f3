"""What was earned, when money came and went meanwhile: the manager's return, and the owner's.

    TWR = Π (endᵢ / beginᵢ) − 1                                  between external flows (GIPS)
    R = (E − B − ΣC) / (B + Σ wᵢ·Cᵢ),  wᵢ = (T − tᵢ)/T           modified Dietz, flow at the end of day tᵢ
    Σ Cᵢ·(1 + r)^(−tᵢ/basis) = 0                                 money-weighted return; Excel's XIRR with basis 365

Time-weighted asks how well was traded, whatever the amount; money-weighted, what the owner's money became. They
differ when money came before good or bad times. Amounts may be whole units or Decimals: only ratios become floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import exp, expm1, fsum, prod
from typing import Literal

Amount = int | float | Decimal | Fraction
When = date | float
"""A day (a datetime counts with its time), or a number of days."""
YEAR = 365
REACH = 40.0
"""Money-weighted returns are looked for between growth by e⁴⁰ and by e⁻⁴⁰ over the whole span."""
STEPS = 200
"""Brackets on either side of nothing."""
_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)


class NoReturn(ValueError):
    """The figures have no return: no capital to earn on, or flows that go one way only."""


@dataclass(frozen=True, slots=True)
class SubPeriod:
    """From just after one external flow until just before the next."""

    begin: Amount
    end: Amount


@dataclass(frozen=True, slots=True)
class Valuation:
    """Worth of the account just before an external flow (0: a mere valuation), and the flow; in is positive."""

    value: Amount
    flow: Amount = 0


def subperiods(valuations: Sequence[Valuation]) -> Iterator[SubPeriod]:
    """Cut a history at its flows."""
    for before, after in pairwise(valuations):
        yield SubPeriod(Fraction(before.value) + Fraction(before.flow), after.value)


def twr(periods: Iterable[SubPeriod]) -> float:
    """Time-weighted return of the whole. A period that begins and ends with nothing earns nothing."""
    return prod(_growth(period) for period in periods) - 1


def _growth(period: SubPeriod) -> float:
    if period.begin == 0 == period.end:
        return 1.0
    if period.begin <= 0:
        raise NoReturn(f"nothing to earn on: a sub-period begins with {period.begin}")
    return ratio(period.end, period.begin)


def modified_dietz(
    begin: Amount,
    end: Amount,
    flows: Iterable[tuple[float, Amount]],
    days: float,
    *,
    flow_at: Literal["end", "start", "middle"] = "end",
) -> float:
    """Return over `days` with flows `(day, amount)`; `flow_at` says when on its day a flow arrives."""
    early = {"end": 0.0, "middle": 0.5, "start": 1.0}[flow_at]
    flows = list(flows)
    gain = Fraction(end) - Fraction(begin) - sum(Fraction(amount) for _, amount in flows)
    weighted = sum(Fraction(amount) * Fraction(days - day + early) / Fraction(days) for day, amount in flows)
    capital = Fraction(begin) + weighted
    if capital <= 0:
        raise NoReturn("no capital was at work on average")
    return float(gain / capital)


def xirr(flows: Sequence[tuple[When, Amount]], basis: float = YEAR, *, near: float = 0.0) -> float:
    """Yearly money-weighted return of dated flows; what was paid in is negative, what came out positive.

    `basis` is the days of a year: 365 as Excel, 365.25 or 360. Where the flows change sign more than once there may
    be several solutions: the one `near` is given. Searching by brackets finds it where Newton's method runs away.
    """
    growths, span = _solved(flows)
    try:
        return min((expm1(growth * basis / span) for growth in growths), key=lambda rate: abs(rate - near))
    except OverflowError:
        raise NoReturn(f"{span:g} days are too few to speak of a year: see money_weighted") from None


def money_weighted(flows: Sequence[tuple[When, Amount]], *, near: float = 0.0) -> float:
    """The same for the span from the first flow to the last: what money earned, not what it would in a year."""
    growths, _ = _solved(flows)
    return min((expm1(growth) for growth in growths), key=lambda rate: abs(rate - near))


def irr(flows: Sequence[Amount], *, near: float = 0.0) -> float:
    """Return of one period, of flows a period apart."""
    return xirr([(float(index), amount) for index, amount in enumerate(flows)], 1, near=near)


def cagr(total_return: float, years: float) -> float:
    """Compound growth a year; losing everything is −1."""
    if years <= 0:
        raise NoReturn("growth a year needs time")
    try:
        return float(max(0.0, 1 + total_return) ** (1 / years) - 1)
    except OverflowError:
        raise NoReturn(f"{total_return:+.0%} in {years:.4f} years is no growth a year") from None


def _solved(flows: Sequence[tuple[When, Amount]]) -> tuple[list[float], float]:
    """Every logarithmic growth over the span that explains the flows, and the span's days."""
    times, amounts, span = _timed(flows)
    if not (min(amounts, default=0.0) < 0 < max(amounts, default=0.0)) or not span:
        raise NoReturn("a money-weighted return needs money that went in and, later, money that came out")
    growths = list(_roots(times, amounts))
    if not growths:
        raise NoReturn("no return explains these flows")
    return growths, span


def period_returns(equity: Sequence[Amount]) -> list[float]:
    """Returns from one value to the next."""
    return [_growth(SubPeriod(begin, end)) - 1 for begin, end in pairwise(equity)]


def total_return(returns: Iterable[float]) -> float:
    """Chained returns."""
    return prod(1 + one for one in returns) - 1


def ratio(one: Amount, other: Amount) -> float:
    """An exact quotient, rounded once."""
    return float(Fraction(one) / Fraction(other))


def _timed(flows: Sequence[tuple[When, Amount]]) -> tuple[list[float], list[float], float]:
    """The flows that move money: when, as shares of the whole span; how much; and the span in days."""
    moving = sorted((_day_number(when), float(amount)) for when, amount in flows if amount)
    if not moving:
        return [], [], 0.0
    first, span = moving[0][0], moving[-1][0] - moving[0][0]
    return [(day - first) / span if span else 0.0 for day, _ in moving], [one for _, one in moving], span


def _day_number(day: When) -> float:
    """Days, a datetime's hours as a part of its day in UTC."""
    if isinstance(day, datetime):
        return (day - _FIRST_DAY) / timedelta(days=1) + 1
    return float(day.toordinal() if isinstance(day, date) else day)


def _roots(times: Sequence[float], amounts: Sequence[float]) -> Iterator[float]:
    """Logarithmic growth over the span at which the flows are worth nothing, from low to high."""
    low, value = -REACH, _worth(-REACH, times, amounts)
    for step in range(1 - STEPS, STEPS + 1):
        high = REACH * step * abs(step) / STEPS**2  # closer together near nothing, where returns are
        next_value = _worth(high, times, amounts)
        if value == 0:
            yield low
        elif value * next_value < 0:
            yield _bisected(low, high, times, amounts)
        low, value = high, next_value


def _bisected(low: float, high: float, times: Sequence[float], amounts: Sequence[float]) -> float:
    """A bracket halved until no float lies within it."""
    rising = _worth(low, times, amounts) < 0
    while low < (middle := (low + high) / 2) < high:
        if (_worth(middle, times, amounts) < 0) == rising:
            low = middle
        else:
            high = middle
    return low


def _worth(growth: float, times: Sequence[float], amounts: Sequence[float]) -> float:
    """Present worth, scaled so that no factor passes one: only its sign and its roots count."""
    far = times[-1] if growth < 0 else 0.0
    return fsum(amount * exp(-growth * (time - far)) for time, amount in zip(times, amounts, strict=True))


__all__ = [
    "Amount", "NoReturn", "SubPeriod", "Valuation", "When", "cagr", "irr", "modified_dietz", "money_weighted",
    "period_returns", "ratio", "subperiods", "total_return", "twr", "xirr",
]  # fmt: skip
