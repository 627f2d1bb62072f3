"""What the portfolio commands ask for: a profile's market and account, spans of days, one snapshot for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import BooksBroken, NotFound, UsageProblem
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.moments import parse_moment
from sniper_cli.portfolio.contributions import ContributionLine, by_instrument, by_strategy
from sniper_cli.portfolio.course import Holding, course, end_of, worth_of
from sniper_cli.portfolio.exports import FIELDS, Exported, Wanted, export_csv, export_parquet
from sniper_cli.portfolio.marks import PaperMarks, unrealised
from sniper_cli.portfolio.overview import Portfolio, overview
from sniper_cli.portfolio.performance import DayLine, Performance, Span, day_lines, performance, span_of
from sniper_cli.portfolio.profits import By, ProfitLine, profits, unit_price
from sniper_cli.portfolio.standing import Purse, Standing, read_standing
from sniper_cli.trading.amounts import whole
from sniper_cli.venues.paper.matching import Conditions, FeeSchedule
from state.columns import utc_now
from state.reading import Reader, snapshot

if TYPE_CHECKING:
    from sniper_cli.context import Context

PLACES = 3
"""Differences named in the error's sentence; its details have more."""
DETAILED = 20


def marks_of(context: Context) -> PaperMarks:
    """The simulated market of a profile, with its fees."""
    paper = context.settings.paper
    fees = FeeSchedule(paper.maker_bps, paper.taker_bps)
    return PaperMarks(SimulatedMarket(context.settings.market_seed), Conditions(fees))


def read_overview(
    context: Context, *, account: str | None = None, currency: str | None = None, lots: bool = False
) -> Portfolio:
    """Everything there is. Raises NotFound."""
    return overview(
        context.database,
        marks_of(context),
        account=account,
        home=context.account_name,
        currency=currency,
        lots=lots,
    )


def read_profits(
    context: Context, by: str, *, account: str | None, since: str | None, until: str | None
) -> Iterator[ProfitLine]:
    """The lines of a profit and loss. Raises NotFound, UsageProblem."""
    first, last = day_of(since), day_of(until)
    with snapshot(context.database) as reader:
        standing = read_standing(reader, marks_of(context), utc_now())
        owner = standing.purse(account).id if account else None
        yield from profits(reader, standing, By(by), account=owner, since=first, until=last)


def day_of(text: str | None) -> date | None:
    """A day as people write it. Raises UsageProblem."""
    return None if text is None else parse_moment(text).astimezone(UTC).date()


# -- the course of an account -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    """An account's days within bounds, and what can be said of them."""

    reader: Reader
    standing: Standing
    purse: Purse
    marks: PaperMarks
    span: Span
    risk_free: float

    def performance(self) -> Performance:
        return performance(self.reader, self.standing, self.purse, self.span, self.risk_free)

    def days(self) -> list[DayLine]:
        return day_lines(self.standing, self.purse, self.span)

    def strategies(self) -> list[ContributionLine]:
        return by_strategy(self.reader, self.standing, self.purse, self.span)

    def instruments(self) -> list[ContributionLine]:
        return by_instrument(self.reader, self.standing, self.purse, self.span, self.marks)


@contextmanager
def read_course(
    context: Context,
    *,
    account: str | None = None,
    since: str | None = None,
    until: str | None = None,
    risk_free: str = "0",
    now: datetime | None = None,
) -> Iterator[Course]:
    """The days of one account, the profile's own if none is named. Raises NotFound, UsageProblem."""
    first, last, rate = day_of(since), day_of(until), _rate(risk_free)
    marks = marks_of(context)
    with snapshot(context.database) as reader:
        standing = read_standing(reader, marks, now or utc_now())
        purse = standing.purse(account or context.account_name)
        days = course(reader, standing, purse, marks, until=last)
        yield Course(reader, standing, purse, marks, span_of(days, first, last), rate)


def _rate(text: str) -> float:
    try:
        return float(Decimal(text) / 100)
    except InvalidOperation as error:
        raise UsageProblem(
            f"--risk-free {text!r} is no percentage", hint="sniper portfolio performance --help"
        ) from error


# -- what was held ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """An instrument at the end of a day."""

    day: date
    account: str
    instrument: str
    quantity: Decimal
    cost: Decimal
    price: Decimal | None
    """The middle price at the day's end; None where nobody knows it."""
    value: Decimal
    unrealised: Decimal
    quote: str
    priced: bool
    """False: it counts at cost."""


def read_holdings(context: Context, day: str, *, account: str | None = None) -> list[HoldingLine]:
    """What an account held at the end of a day. Raises NotFound, UsageProblem."""
    wanted = day_of(day)
    assert wanted is not None
    marks = marks_of(context)
    with snapshot(context.database) as reader:
        standing = read_standing(reader, marks, utc_now())
        purse = standing.purse(account or context.account_name)
        found = held_at(reader, purse.id, wanted)
    return sorted(
        (_holding(standing, purse, marks, instrument, one, wanted) for instrument, one in found.items()),
        key=lambda line: line.instrument,
    )


def held_at(reader: Reader, account: str, day: date) -> dict[str, Holding]:
    """What stood in each instrument after its last trade up to a day's end."""
    query = (
        "SELECT d.instrument_id, d.held, d.basis FROM instrument_day d JOIN ("
        "SELECT instrument_id, max(day) AS day FROM instrument_day "
        "WHERE account_id = ? AND day <= ? GROUP BY instrument_id"
        ") l ON l.instrument_id = d.instrument_id AND l.day = d.day WHERE d.account_id = ?"
    )
    rows = reader.rows(query, (account, str(day), account))
    found = {instrument: Holding(int(held), int(basis)) for instrument, held, basis in rows}
    return {instrument: one for instrument, one in found.items() if one.quantity}


def _holding(
    standing: Standing, purse: Purse, marks: PaperMarks, instrument: str, one: Holding, day: date
) -> HoldingLine:
    pair = standing.pairs[instrument]
    base, quote = standing.assets[pair.base], standing.assets[pair.quote]
    value, priced = worth_of(standing, marks, instrument, one, min(day, standing.now.date()))
    return HoldingLine(
        day=day,
        account=purse.name,
        instrument=pair.symbol,
        quantity=whole(base, one.quantity),
        cost=whole(quote, one.basis),
        price=unit_price(base, quote, one.quantity, value) if priced else None,
        value=whole(quote, value),
        unrealised=whole(quote, unrealised(one.quantity, one.basis, value)),
        quote=quote.symbol,
        priced=priced,
    )


# -- proof and export ---------------------------------------------------------------------------------------------


def verification(context: Context, tell: Callable[[int, int], None] | None) -> dict[str, Any]:
    """Prove the books. `tell` hears how far it is: the record at hand, and the last one."""
    from sniper_cli.books.identities import IDENTITIES
    from sniper_cli.books.verification import verify

    def progress(seq: int) -> None:
        if tell is not None:
            tell(seq, last)

    with snapshot(context.database) as reader:
        last = reader.number("SELECT seq FROM journal_head")
    found = verify(context.database, progress)
    return {
        "whole": found.whole,
        "records": found.records,
        "seq": found.seq,
        "rows": found.rows,
        "older": {table: count for table, count in found.older.items() if count},
        "identities": list(IDENTITIES),
        "differences": found.findings.count,
        "found": list(found.findings),
        "seconds": Decimal(found.seconds).quantize(Decimal("0.001")),
    }


def as_error(found: dict[str, Any]) -> BooksBroken:
    """What broken books raise."""
    first = found["found"][:PLACES]
    words = "; ".join(f"{x.table} {x.key}: {x.field} is {x.found}, not {x.expected}" for x in first)
    more = f" and {found['differences'] - len(first)} more" if found["differences"] > len(first) else ""
    return BooksBroken(
        f"the books do not hold: {words}{more}",
        hint="sniper portfolio rebuild --dry-run",
        differences=[
            {name: getattr(x, name) for name in ("table", "key", "field", "expected", "found", "rule")}
            for x in found["found"][:DETAILED]
        ],
    )


def rebuild(context: Context, differences: int) -> dict[str, Any]:
    """Write the tables anew, and prove them."""
    from sniper_cli.books.rebuild import rebuild as write_anew
    from sniper_cli.books.verification import verify

    done = write_anew(context.database, actor=context.actor, differences=differences)
    return {
        "differences": differences,
        "records": done.records,
        "seq": done.seq,
        "rows": done.rows,
        "whole": verify(context.database).whole,
    }


def export_fills(
    context: Context,
    file: Path | None,
    *,
    shape: str | None,
    account: str | None,
    since: str | None,
    until: str | None,
    fields: str | None,
    reversed_too: bool,
) -> Exported:
    """Write fills to a file or to stdout. Raises UsageProblem, NotFound, ConfigurationError without pyarrow."""
    wanted = Wanted(
        account=account,
        since=parse_moment(since) if since else None,
        until=parse_moment(until) if until else None,
        fields=_fields(fields),
        reversed_too=reversed_too,
    )
    chosen = shape or ("parquet" if file is not None and file.suffix == ".parquet" else "csv")
    if chosen == "csv":
        return export_csv(context.database, wanted, file)
    if file is None:
        raise UsageProblem(
            "Parquet is no text: name a file for it", hint="sniper portfolio export fills.parquet"
        )
    return export_parquet(context.database, wanted, file)


def _fields(text: str | None) -> tuple[str, ...]:
    if text is None:
        return tuple(FIELDS)
    chosen = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = next((name for name in chosen if name not in FIELDS), None)
    if unknown is not None or not chosen:
        raise UsageProblem(
            f"unknown field {unknown!r}" if unknown else "--fields names no field",
            hint=f"fields: {', '.join(FIELDS)}",
        )
    return chosen


__all__ = [
    "Course", "HoldingLine", "NotFound", "as_error", "end_of", "export_fills", "held_at", "marks_of", "read_course",
    "read_holdings", "read_overview", "read_profits", "rebuild", "verification",
]  # fmt: skip
