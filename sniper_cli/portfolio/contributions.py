"""What each strategy or instrument contributed to an account's days.

Of an instrument a day's profit is what was realised less fees and what its position gained since the day before, at
the middle price. Of a strategy it is what was realised less fees: whose open position a gain belongs to is known, but
not what it was worth on every day before. A part's return is its profit over what the account had to earn on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sniper_cli.portfolio.course import Holding, Sources, read_sources, worth_of
from sniper_cli.portfolio.marks import PaperMarks, unrealised
from sniper_cli.portfolio.performance import Span, in_percent, rounded
from sniper_cli.portfolio.profits import BY_HAND, Sums, share
from sniper_cli.portfolio.ratios import sharpe, sortino
from sniper_cli.portfolio.returns import ratio
from sniper_cli.portfolio.standing import Purse, Standing
from sniper_cli.trading.amounts import whole
from state.accounts import Asset
from state.projections import InstrumentDay, StrategyDay
from state.reading import Reader


@dataclass(frozen=True, slots=True)
class ContributionLine:
    """What a strategy or an instrument contributed to the account."""

    name: str
    currency: str
    profit: Decimal
    """After fees; of an instrument with what is not realised yet."""
    contribution_pct: float | None
    """Of the account's time-weighted return, its days' parts added up."""
    days: int
    """With a trade or a position."""
    best_day: Decimal
    worst_day: Decimal
    max_drawdown: Decimal
    """The deepest fall of its own profit, in money."""
    sharpe: float | None
    sortino: float | None
    trades: int | None
    hit_rate: Decimal | None
    profit_factor: Decimal | None


@dataclass(slots=True)
class Part:
    """One contributor: its profit by day, in units of the account's currency."""

    days: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    closed: Sums | None = None


def by_strategy(reader: Reader, standing: Standing, purse: Purse, span: Span) -> list[ContributionLine]:
    """Strategies, the one that contributed most first."""
    parts: dict[str, Part] = defaultdict(Part)
    names = reader.columns(StrategyDay, "day, strategy, quote_asset, realised, fees, wins, won, losses, lost")
    query = f"SELECT {names} FROM strategy_day WHERE account_id = ?"  # noqa: S608
    convert, target = standing.rates.convert, purse.currency
    for day, strategy, quote, realised, fees, wins, won, losses, lost in reader.stream(query, (purse.id,)):
        part = parts[strategy or BY_HAND]
        part.days[date.fromisoformat(day)] += convert(int(realised) - int(fees), quote, target) or 0
        if _within(span, date.fromisoformat(day)):
            part.closed = part.closed or Sums()
            part.closed.wins += wins
            part.closed.losses += losses
            part.closed.won += convert(int(won), quote, target) or 0
            part.closed.lost += convert(int(lost), quote, target) or 0
    return _lines(standing, purse, span, parts)


def by_instrument(
    reader: Reader, standing: Standing, purse: Purse, span: Span, marks: PaperMarks
) -> list[ContributionLine]:
    """Instruments, the one that contributed most first."""
    parts: dict[str, Part] = defaultdict(Part)
    names = reader.columns(InstrumentDay, "day, instrument_id, realised, fees")
    query = f"SELECT {names} FROM instrument_day WHERE account_id = ?"  # noqa: S608
    convert, target = standing.rates.convert, purse.currency
    for day, instrument, realised, fees in reader.stream(query, (purse.id,)):
        pair = standing.pairs[instrument]
        earned = convert(int(realised) - int(fees), pair.quote, target) or 0
        parts[pair.symbol].days[date.fromisoformat(day)] += earned
    for instrument, day, gain in _gains(standing, marks, span, read_sources(reader, purse.id)):
        pair = standing.pairs[instrument]
        parts[pair.symbol].days[day] += convert(gain, pair.quote, target) or 0
    return _lines(standing, purse, span, parts)


def _gains(
    standing: Standing, marks: PaperMarks, span: Span, sources: Sources
) -> Iterable[tuple[str, date, int]]:
    """(instrument, day, what its position's unrealised profit changed by in quote units)."""
    first = sources.first
    held: dict[str, Holding] = {}
    open_gains: dict[str, int] = defaultdict(int)
    days = [day.day for day in span.days]
    for day in sorted({*days, *sources.held}) if first is not None else ():
        held |= sources.held.get(day, {})
        if day > days[-1]:
            return
        for instrument, one in list(held.items()):
            value, _ = worth_of(standing, marks, instrument, one, day) if one.quantity else (0, True)
            gain = unrealised(one.quantity, one.basis, value) if one.quantity else 0
            if gain != open_gains[instrument]:
                yield instrument, day, gain - open_gains[instrument]
                open_gains[instrument] = gain
            if not one.quantity:
                del held[instrument]


def _within(span: Span, day: date) -> bool:
    return span.days[0].day <= day <= span.days[-1].day


def _lines(standing: Standing, purse: Purse, span: Span, parts: dict[str, Part]) -> list[ContributionLine]:
    unit, begin, capital = standing.assets[purse.currency], span.before, {}
    for day in span.days:
        capital[day.day] = begin + day.paid_in
        begin = day.equity
    lines = [_line(unit, name, part, capital) for name, part in parts.items()]
    return sorted((line for line in lines if line.days), key=lambda line: line.profit, reverse=True)


def _line(unit: Asset, name: str, part: Part, capital: dict[date, int]) -> ContributionLine:
    profits = {day: profit for day, profit in part.days.items() if day in capital}
    returns = [ratio(profits.get(day, 0), base) for day, base in capital.items() if base > 0]
    risk = [*(profits.get(day, 0) for day in capital)]
    closed = part.closed
    return ContributionLine(
        name=name,
        currency=unit.symbol,
        profit=whole(unit, sum(profits.values())),
        contribution_pct=in_percent(sum(returns)) if returns else None,
        days=len(profits),
        best_day=whole(unit, max(risk, default=0)),
        worst_day=whole(unit, min(risk, default=0)),
        max_drawdown=whole(unit, _deepest(risk)),
        sharpe=rounded(sharpe(returns)) if returns else None,
        sortino=rounded(sortino(returns)) if returns else None,
        trades=None if closed is None else closed.wins + closed.losses,
        hit_rate=None if closed is None else share(closed.wins, closed.wins + closed.losses),
        profit_factor=None if closed is None else share(closed.won, closed.lost),
    )


def _deepest(profits: list[int]) -> int:
    """The deepest fall of a sum from its best so far; nothing or negative."""
    total = best = deepest = 0
    for profit in profits:
        total += profit
        best = max(best, total)
        deepest = min(deepest, total - best)
    return deepest
