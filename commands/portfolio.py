"""`sniper portfolio`: what there is, what was earned, how well, and the proof of it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from commands import portfolio_acts
from commands.options import (
    AccountOption,
    AllOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    UntilOption,
    WatchOption,
    reads,
    watched,
)
from commands.portfolio_columns import (
    CONTRIBUTIONS,
    DAYS,
    HOLDINGS,
    LOTS,
    PERFORMANCE,
    PROFITS,
    SHOW,
)
from sniper_cli.output import Column, Format, cut, emit, format_of

if TYPE_CHECKING:
    from sniper_cli.portfolio.reading import Course

app = typer.Typer(
    help="See what there is and what was earned, bring it back to its weights, and prove the books.",
    no_args_is_help=True,
)


class By(StrEnum):
    """What a line of a profit and loss is of."""

    day = "day"
    strategy = "strategy"
    instrument = "instrument"
    day_strategy = "day-strategy"
    day_instrument = "day-instrument"


class Part(StrEnum):
    """What a performance is told of."""

    account = "account"
    day = "day"
    strategy = "strategy"
    instrument = "instrument"


app.command("rebalance")(portfolio_acts.rebalance)
app.command("verify")(portfolio_acts.verify)
app.command("rebuild")(portfolio_acts.rebuild)
app.command("export")(portfolio_acts.export)


@app.command()
@reads
def show(
    account: AccountOption = None,
    lots: Annotated[bool, typer.Option("--lots", help="Also the lots of each position.")] = False,
    currency: Annotated[
        str | None,
        typer.Option("--currency", metavar="ASSET", help="Reckon in this, not in the account's own."),
    ] = None,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show equity, cash and coins, and positions with their marks, of all accounts or one.

    Examples:
        $ sniper portfolio show
        $ sniper portfolio show --lots --json --fields equity,currency,positions
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import read_overview
    from sniper_cli.trading.reading import settle

    columns = (*SHOW, LOTS) if lots else SHOW
    with open_context(profile) as context:

        def write(fmt: Format) -> None:
            settle(context)
            found = read_overview(context, account=account, currency=currency, lots=lots)
            emit(found, columns=columns, fmt=fmt, fields=fields)

        watched(watch, format_of(output, json), write)


@app.command()
@reads
def pnl(
    by: Annotated[By, typer.Option("--by", help="What a line is of.")] = By.day,
    account: AccountOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 50,
    all_: AllOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show what was realised, what it cost and what is open, by day, strategy or instrument.

    Examples:
        $ sniper portfolio pnl
        $ sniper portfolio pnl --by strategy --since 30d --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import read_profits
    from sniper_cli.trading.reading import settle

    with open_context(profile) as context:
        settle(context)
        found = read_profits(context, by.value, account=account, since=since, until=until)
        kept = cut(found, limit=limit, everything=all_)
        columns = _of(by, PROFITS)
        emit(
            kept, columns=columns, fmt=format_of(output, json), fields=fields, empty="nothing was traded then"
        )


def _of(by: By, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """A table shows only the parts that its lines are of; the machine-readable formats have all of them."""
    parts = by.value.split("-")
    hidden = {"day", "strategy", "instrument"} - set(parts)
    if "day" not in parts:
        hidden.add("costs")
    hidden |= {"hit_rate", "profit_factor"} if "instrument" in parts else {"price"}
    return tuple(replace(column, in_table=False) if column.name in hidden else column for column in columns)


@app.command()
@reads
def performance(
    by: Annotated[
        Part, typer.Option("--by", help="The account, its days, or what contributed.")
    ] = Part.account,
    account: AccountOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    risk_free: Annotated[
        str, typer.Option("--risk-free", metavar="PCT", help="Percent a year that money earns without risk.")
    ] = "0",
    limit: LimitOption = 50,
    all_: AllOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show returns and their risk: time- and money-weighted, drawdowns, Sharpe, Sortino, Calmar, hit rate and more.

    Examples:
        $ sniper portfolio performance
        $ sniper portfolio performance --by strategy --since 90d --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import read_course
    from sniper_cli.trading.reading import settle

    fmt = format_of(output, json)
    with open_context(profile) as context:
        settle(context)
        with read_course(context, account=account, since=since, until=until, risk_free=risk_free) as course:
            _perform(course, by, fmt, fields, limit, everything=all_)


def _perform(
    course: Course, by: Part, fmt: Format, fields: str | None, limit: int, *, everything: bool
) -> None:
    if by is Part.account:
        emit(course.performance(), columns=PERFORMANCE, fmt=fmt, fields=fields)
    elif by is Part.day:
        emit(cut(course.days(), limit=limit, everything=everything), columns=DAYS, fmt=fmt, fields=fields)
    else:
        found = course.strategies() if by is Part.strategy else course.instruments()
        kept = cut(found, limit=limit, everything=everything)
        emit(kept, columns=CONTRIBUTIONS, fmt=fmt, fields=fields, empty="nothing was traded then")


@app.command()
@reads
def history(
    at: Annotated[
        str | None, typer.Option("--at", metavar="DAY", help="What was held at the end of this day instead.")
    ] = None,
    account: AccountOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 50,
    all_: AllOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show equity and what was paid in and out day by day, newest first; with --at the positions as of a day.

    Examples:
        $ sniper portfolio history --since 30d
        $ sniper portfolio history --at 1d --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import read_course, read_holdings
    from sniper_cli.trading.reading import settle

    fmt = format_of(output, json)
    with open_context(profile) as context:
        settle(context)
        if at is not None:
            found = read_holdings(context, at, account=account)
            emit(found, columns=HOLDINGS, fmt=fmt, fields=fields, empty="nothing was held then")
            return
        with read_course(context, account=account, since=since, until=until) as course:
            emit(cut(course.days(), limit=limit, everything=all_), columns=DAYS, fmt=fmt, fields=fields)
