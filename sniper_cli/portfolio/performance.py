"""How well an account did: returns of its days, their risk, and how its trades won and lost.

A day's return takes what was paid in as there from the day's beginning and what was paid out as there until its end:

    r = (end + paid out) / (begin + paid in) − 1

so that the first deposit has something to earn on, and the last withdrawal does not make the day's loss infinite.
Chained, that is the time-weighted return; the money-weighted one solves for the growth that explains the same flows.
Ratios are by the conventions of `ratios`: 365 periods a year, no risk-free rate unless one is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sniper_cli.errors import UsageProblem
from sniper_cli.portfolio.course import Day
from sniper_cli.portfolio.drawdowns import drawdowns, underwater, wealth
from sniper_cli.portfolio.profits import Sums, share
from sniper_cli.portfolio.ratios import PERIODS, PerformanceMetrics, performance_metrics
from sniper_cli.portfolio.returns import NoReturn, money_weighted, ratio, xirr
from sniper_cli.portfolio.standing import Purse, Standing
from sniper_cli.trading.amounts import whole
from state.accounts import Asset
from state.reading import Reader

YEARLY_FROM = 30
"""Days from which a growth a year is told, and what is measured by it: of a week it is noise to the power of 52."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Of an account over a span of days. Ratios are numbers, money is exact."""

    account: str
    currency: str
    since: date
    until: date
    days: int
    begin: Decimal
    """Equity before the first day."""
    end: Decimal
    paid_in: Decimal
    paid_out: Decimal
    profit: Decimal
    """What the equity grew by beyond what was paid in."""
    realised: Decimal
    fees: Decimal
    return_pct: float | None
    """Time-weighted, of the whole span."""
    money_weighted_pct: float | None
    """Of the whole span."""
    money_weighted_year_pct: float | None
    yearly_pct: float | None
    volatility_pct: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    omega: float | None
    max_drawdown_pct: float | None
    drawdown_from: date | None
    drawdown_to: date | None
    recovered: date | None
    drawdown_now_pct: float | None
    ulcer: float | None
    trades: int
    """Fills that closed with a profit or a loss."""
    hit_rate: Decimal | None
    profit_factor: Decimal | None
    average_win: Decimal | None
    average_loss: Decimal | None
    expectancy: Decimal | None
    unpriced: tuple[str, ...]
    """Instruments that count at cost on some of the days."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """A day of the account."""

    day: date
    currency: str
    equity: Decimal
    cash: Decimal
    positions: Decimal
    paid_in: Decimal
    paid_out: Decimal
    profit: Decimal
    return_pct: float | None
    drawdown_pct: float | None
    realised: Decimal
    fees: Decimal
    fills: int
    unpriced: tuple[str, ...]


@dataclass(slots=True)
class Span:
    """The days asked for, with the one before."""

    days: list[Day]
    before: int
    """Equity at the end of the day before."""

    def returns(self) -> list[float | None]:
        """Each day's return; None where there was nothing to earn on."""
        found: list[float | None] = []
        begin = self.before
        for day in self.days:
            put_in = begin + day.paid_in
            found.append(ratio(day.equity + day.paid_out, put_in) - 1 if put_in > 0 else None)
            begin = day.equity
        return found


def span_of(days: Sequence[Day], since: date | None, until: date | None) -> Span:
    """The days within bounds. Raises UsageProblem where there is none."""
    chosen = [
        day for day in days if (since is None or day.day >= since) and (until is None or day.day <= until)
    ]
    if not chosen:
        raise UsageProblem(
            "nothing happened on this account in that time"
            if days
            else "nothing has happened on this account yet",
            hint="sniper portfolio history",
        )
    earlier = [day for day in days if day.day < chosen[0].day]
    return Span(chosen, earlier[-1].equity if earlier else 0)


def performance(
    reader: Reader,
    standing: Standing,
    purse: Purse,
    span: Span,
    risk_free_year: float = 0.0,
) -> Performance:
    """The account's figures over a span."""
    days, unit = span.days, standing.assets[purse.currency]
    returns = span.returns()
    known = [one for one in returns if one is not None]
    metrics = performance_metrics(known, PERIODS, risk_free_year / PERIODS) if known else None
    paid_in, paid_out = sum(day.paid_in for day in days), sum(day.paid_out for day in days)
    return Performance(
        account=purse.name,
        currency=unit.symbol,
        since=days[0].day,
        until=days[-1].day,
        days=len(days),
        begin=whole(unit, span.before),
        end=whole(unit, days[-1].equity),
        paid_in=whole(unit, paid_in),
        paid_out=whole(unit, paid_out),
        profit=whole(unit, days[-1].equity - span.before - paid_in + paid_out),
        realised=whole(unit, sum(day.realised for day in days)),
        fees=whole(unit, sum(day.fees for day in days)),
        **_ratios(metrics, yearly=len(days) >= YEARLY_FROM),
        **_falls(days, returns),
        **_money_weighted(span),
        **_trades(unit, _closed(reader, standing, purse, days)),
        unpriced=tuple(sorted({name for day in days for name in day.unpriced})),
    )


def day_lines(standing: Standing, purse: Purse, span: Span) -> list[DayLine]:
    """The days one by one, the newest first."""
    unit = standing.assets[purse.currency]
    returns, before = span.returns(), span.before
    depths = iter(underwater(wealth([one for one in returns if one is not None]))[1:])
    lines = []
    for day, earned in zip(span.days, returns, strict=True):
        lines.append(
            DayLine(
                day=day.day,
                currency=unit.symbol,
                equity=whole(unit, day.equity),
                cash=whole(unit, day.cash),
                positions=whole(unit, day.positions),
                paid_in=whole(unit, day.paid_in),
                paid_out=whole(unit, day.paid_out),
                profit=whole(unit, day.equity - before - day.flow),
                return_pct=in_percent(earned),
                drawdown_pct=None if earned is None else in_percent(next(depths)),
                realised=whole(unit, day.realised),
                fees=whole(unit, day.fees),
                fills=day.fills,
                unpriced=day.unpriced,
            )
        )
        before = day.equity
    return lines[::-1]


def _ratios(metrics: PerformanceMetrics | None, *, yearly: bool) -> dict[str, Any]:
    if metrics is None:
        names = (
            "return_pct",
            "yearly_pct",
            "volatility_pct",
            "sharpe",
            "sortino",
            "calmar",
            "omega",
            "ulcer",
        )
        return dict.fromkeys(names)
    return {
        "return_pct": in_percent(metrics.total_return),
        "yearly_pct": in_percent(metrics.cagr) if yearly else None,
        "volatility_pct": in_percent(metrics.vol_annual),
        "sharpe": rounded(metrics.sharpe),
        "sortino": rounded(metrics.sortino),
        "calmar": rounded(metrics.calmar) if yearly else None,
        "omega": rounded(metrics.omega_0),
        "ulcer": rounded(metrics.ulcer_index),
    }


def _falls(days: Sequence[Day], returns: Sequence[float | None]) -> dict[str, Any]:
    """The deepest fall from a day's end to a day's end, and how far below its best the account is now."""
    earning = [(day.day, one) for day, one in zip(days, returns, strict=True) if one is not None]
    if not earning:
        names = ("max_drawdown_pct", "drawdown_from", "drawdown_to", "recovered", "drawdown_now_pct")
        return dict.fromkeys(names)
    # The unit that one begins with stands before the first day.
    dates = [earning[0][0], *(day for day, _ in earning)]
    worths = wealth([one for _, one in earning])
    found = drawdowns(worths)
    places = (found.peak_index, found.trough_index, found.recovery_index)
    begun, deepest, over = (None if place is None else dates[place] for place in places)
    return {
        "max_drawdown_pct": in_percent(found.max_drawdown),
        "drawdown_from": begun,
        "drawdown_to": deepest,
        "recovered": over,
        "drawdown_now_pct": in_percent(underwater(worths)[-1]),
    }


def _money_weighted(span: Span) -> dict[str, Any]:
    """What the owner's money became: paid in at the beginnings of days, paid out at their ends."""
    first, last = span.days[0].day.toordinal(), span.days[-1].day.toordinal() + 1
    flows: list[tuple[float, int]] = [(float(first), -span.before)]
    for day in span.days:
        flows.append((float(day.day.toordinal()), -day.paid_in))
        flows.append((float(day.day.toordinal() + 1), day.paid_out))
    flows.append((float(last), span.days[-1].equity))
    try:
        whole_span = money_weighted(flows)
    except NoReturn:
        return {"money_weighted_pct": None, "money_weighted_year_pct": None}
    try:
        a_year = xirr(flows) if last - first >= YEARLY_FROM else None
    except NoReturn:
        a_year = None
    return {"money_weighted_pct": in_percent(whole_span), "money_weighted_year_pct": in_percent(a_year)}


def _closed(reader: Reader, standing: Standing, purse: Purse, days: Sequence[Day]) -> Sums:
    """What closing trades won and lost, in the account's currency at the present rates."""
    found = Sums()
    query = (
        "SELECT quote_asset, wins, won, losses, lost FROM strategy_day "
        "WHERE account_id = ? AND day >= ? AND day <= ?"
    )
    for quote, wins, won, losses, lost in reader.stream(
        query, (purse.id, str(days[0].day), str(days[-1].day))
    ):
        found.wins += wins
        found.losses += losses
        found.won += standing.rates.convert(int(won), quote, purse.currency) or 0
        found.lost += standing.rates.convert(int(lost), quote, purse.currency) or 0
    return found


def _trades(unit: Asset, closed: Sums) -> dict[str, Any]:
    trades = closed.wins + closed.losses
    return {
        "trades": trades,
        "hit_rate": share(closed.wins, trades),
        "profit_factor": share(closed.won, closed.lost),
        "average_win": whole(unit, closed.won // closed.wins) if closed.wins else None,
        "average_loss": whole(unit, -(closed.lost // closed.losses)) if closed.losses else None,
        "expectancy": whole(unit, (closed.won - closed.lost) // trades) if trades else None,
    }


def in_percent(part: float | None) -> float | None:
    """A share as a percentage, to four digits after the point."""
    return None if part is None else round(part * 100, 4)


def rounded(figure: float | None) -> float | None:
    """A ratio to four digits after the point."""
    return None if figure is None else round(figure, 4)
