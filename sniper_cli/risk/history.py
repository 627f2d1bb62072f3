"""What a size is reckoned from when nobody says it: the market's last days, and how the account's own trades went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import log, sqrt

from sqlmodel import Session, col, select

from sniper_cli.errors import UsageProblem
from sniper_cli.market.candles import Interval, candles
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket, step_of
from sniper_cli.risk.sizing import spelled
from sniper_cli.risk.stakes import exact
from state.accounts import Account, Asset, Instrument
from state.orders import Fill, Side
from state.positions import Position, PositionState

HINT = "sniper risk size --help"
DAYS = 60
"""Days of closes that a volatility is taken from."""
YEAR = 365
"""Days in which a market that never closes trades."""
ATR_DAYS = 14
"""Wilder's."""
LEAST_TRADES = 20
"""Fewer closed positions say nothing about chances."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Day:
    """A full day of the market, in UTC."""

    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True)
class Candles:
    """The simulated market's days up to a moment."""

    market: SimulatedMarket
    now: datetime

    def price(self, instrument_id: str) -> Decimal:
        """The present price. Raises NotFound."""
        return self.market.price(instrument_id, self.now)

    def days(self, instrument_id: str, count: int) -> list[Day]:
        """The last full days. Raises UsageProblem for an instrument without candles."""
        spec = INSTRUMENTS.get(instrument_id)
        if spec is None:
            raise UsageProblem(f"{instrument_id} has no candles here: give the figure", hint=HINT)
        midnight = step_of(self.now) // DAY_SECONDS * DAY_SECONDS
        path = self.market.path(instrument_id)
        found = candles(path, Interval.D1, midnight - count * DAY_SECONDS, midnight - 1)
        return [Day(spec.price(one.high), spec.price(one.low), spec.price(one.close)) for one in found]

    def average_true_range(self, instrument_id: str) -> Decimal:
        """The average of the last true ranges, each with the gap from the close before."""
        days = self.days(instrument_id, ATR_DAYS + 1)
        ranges = [max(day.high, before.close) - min(day.low, before.close) for before, day in pairwise(days)]
        return sum(ranges, Decimal(0)) / len(ranges)

    def returns(self, instrument_id: str) -> list[float]:
        """Logarithmic, of the last days."""
        closes = [float(day.close) for day in self.days(instrument_id, DAYS + 1)]
        return [log(after / before) for before, after in pairwise(closes)]

    def volatility(self, instrument_id: str) -> Decimal:
        """A year's."""
        returns = self.returns(instrument_id)
        return rounded(sqrt(covariance(returns, returns) * YEAR))

    def drift(self, instrument_id: str) -> Decimal:
        """A year's, of the price itself: that of its logarithm and half the variance."""
        returns = self.returns(instrument_id)
        variance = covariance(returns, returns) * YEAR
        return rounded(sum(returns) / len(returns) * YEAR + variance / 2)


def covariance(one: Sequence[float], other: Sequence[float]) -> float:
    """Of a sample."""
    mean, others = sum(one) / len(one), sum(other) / len(other)
    return sum((a - mean) * (b - others) for a, b in zip(one, other, strict=True)) / (len(one) - 1)


def rounded(value: float) -> Decimal:
    """A statistic, to more digits than it has any claim to."""
    return Decimal(spelled(exact(round(value, 6))))


def shares_won(session: Session, account: Account, instrument: Instrument) -> list[Decimal]:
    """What each closed position brought, as a share of what was paid for it. Raises UsageProblem for too few."""
    found = _closed(session, account, instrument)
    return [Decimal(one.realised - one.fees) / one.spent for one in found if one.spent]


def results_of_a_unit(
    session: Session, account: Account, instrument: Instrument, base: Asset, quote: Asset
) -> list[Decimal]:
    """What one whole unit of each closed position brought, in quote. Raises UsageProblem for too few."""
    found = _closed(session, account, instrument)
    bought = {one.id: Decimal(0) for one in found}
    query = select(Fill).where(col(Fill.position_id).in_(list(bought)), Fill.side == Side.BUY)
    for fill in session.exec(query).all():
        if fill.position_id is not None:
            bought[fill.position_id] += base.amount(fill.quantity)
    return [quote.amount(one.realised - one.fees) / bought[one.id] for one in found if bought[one.id]]


def _closed(session: Session, account: Account, instrument: Instrument) -> Sequence[Position]:
    query = (
        select(Position)
        .where(
            Position.account_id == account.id,
            Position.instrument_id == instrument.id,
            Position.state == PositionState.CLOSED,
        )
        .order_by(col(Position.id))
    )
    found = session.exec(query).all()
    if len(found) < LEAST_TRADES:
        raise UsageProblem(
            f"{len(found)} positions in {instrument.symbol} were closed, and fewer than {LEAST_TRADES} say nothing: "
            "give the figures",
            hint=f"{HINT}: --win-rate with --win-multiple, or --trades",
        )
    return found


__all__ = ["Candles", "Day", "covariance", "results_of_a_unit", "rounded", "shares_won"]
