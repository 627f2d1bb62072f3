"""What the portfolio screen shows, read in one go: what there is, the profit of the last days and of each strategy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from sniper_cli.portfolio.overview import Portfolio, overview
from sniper_cli.portfolio.profits import By, ProfitLine, profits
from sniper_cli.portfolio.reading import marks_of
from sniper_cli.portfolio.standing import read_standing
from state.columns import utc_now
from state.reading import snapshot

if TYPE_CHECKING:
    from sniper_cli.context import Context

DAYS = 60


@dataclass(frozen=True, slots=True)
class PortfolioReport:
    """One look at a portfolio."""

    portfolio: Portfolio
    days: tuple[ProfitLine, ...]
    """The last days with a trade, the newest first."""
    strategies: tuple[ProfitLine, ...]


def report(context: Context, now: datetime | None = None) -> PortfolioReport:
    """Look at the portfolio of a profile. Raises NotFound where there is no account yet."""
    moment = now or utc_now()
    marks = marks_of(context)
    found = overview(context.database, marks, home=context.account_name, lots=True, now=moment)
    since = (moment - timedelta(days=DAYS)).date()
    with snapshot(context.database) as reader:
        standing = read_standing(reader, marks, moment)
        return PortfolioReport(
            found,
            tuple(islice(profits(reader, standing, By.DAY, since=since), DAYS)),
            tuple(profits(reader, standing, By.STRATEGY)),
        )
