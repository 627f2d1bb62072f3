"""`sniper market`: prices, books, trades and candles, listed, drawn and live."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from commands.options import (
    AfterOption,
    AllOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    WatchOption,
    complete_instruments,
    reads,
    watched,
)
from sniper_cli.market.candles import Interval
from sniper_cli.output import Column, Format, cut, emit, format_of, note, stdout_is_terminal

app = typer.Typer(help="See prices, books, trades and candles.", no_args_is_help=True)

LAST_RESORT = 80
"""Columns of a terminal that does not say how wide it is."""


def _figure(value: Any) -> str:
    return f"{value:,}"


def _signed(value: Any) -> str:
    return f"{value:+}"


def _change(value: Any) -> str | None:
    return None if value is None else "bad" if value < 0 else "good"


def _side(value: Any) -> str:
    return "good" if value in ("bid", "buy") else "bad"


def _money(name: str, header: str | None = None, **options: Any) -> Column:
    """A price or an amount: exact in JSON, with thousands apart in a table."""
    return Column(name, header, show=lambda text: _figure(_number(text)), exact=True, right=True, **options)


def _number(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


QUOTES = (
    Column("instrument", priority=0),
    Column("id", in_table=False),
    Column("venue", priority=3),
    Column("name", elastic=True, priority=4),
    _money("last", priority=0),
    Column("change_pct", "24h %", show=lambda text: _signed(_number(text)), exact=True, right=True, priority=1,
           style=lambda text: _change(None if text is None else _number(text))),
    _money("high", priority=2),
    _money("low", priority=2),
    _money("volume", priority=3),
    _money("turnover", priority=2),
    _money("bid", in_table=False),
    _money("ask", in_table=False),
    _money("tick", priority=3),
    _money("lot", priority=3),
    _money("minimum", priority=3),
    _money("maximum", in_table=False),
    _money("maximum_quantity", in_table=False),
    Column("at", in_table=False),
)  # fmt: skip
BOOK = (
    Column("side", priority=0, style=_side),
    _money("price", priority=0),
    _money("quantity", priority=0),
    _money("total", priority=1),
    _money("depth_pct", priority=2),
)
TRADES = (
    Column("id", exact=True, priority=3),
    Column("at", priority=1),
    Column("side", priority=0, style=_side),
    _money("price", priority=0),
    _money("quantity", priority=0),
)
CANDLES = (
    Column("at", priority=0),
    _money("open", priority=1),
    _money("high", priority=1),
    _money("low", priority=1),
    _money("close", priority=0),
    _money("volume", priority=2),
    Column("complete", in_table=False),
)
SECOND = (
    Column("at"),
    Column("instrument"),
    _money("last"),
    _money("bid"),
    _money("ask"),
    _money("bid_quantity"),
    _money("ask_quantity"),
    Column("change_pct", exact=True),
    _money("high"),
    _money("low"),
    _money("volume"),
    Column("trades", value=lambda second: [_trade(each) for each in second.trades]),
)

InstrumentArgument = Annotated[
    str,
    typer.Argument(
        metavar="INSTRUMENT", help="A symbol: BTC/USDT, or only btc.", autocompletion=complete_instruments
    ),
]
IntervalOption = Annotated[Interval, typer.Option("--interval", help="How long a candle lasts.")]


def _trade(line: Any) -> dict[str, Any]:
    """A print inside another record: as `market trades` spells it."""
    from sniper_cli.output.formats import plain

    return {column.name: plain(column.of(line)) for column in TRADES}


def _bars(row: Any) -> str:
    from sniper_cli.market.frames import depth_bar

    return depth_bar(row.depth_pct)


LADDER = (
    *BOOK[:-1],
    replace(BOOK[-1], header="depth", value=lambda row: row, show=_bars, style=lambda row: _side(row.side),
            exact=False, right=False),
)  # fmt: skip
"""The book as a terminal shows it: the share as a bar."""


@app.command("list")
@reads
def list_(
    limit: LimitOption = 50,
    after: AfterOption = None,
    all_: AllOption = False,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the instruments with price, 24-hour change, high, low, volume, tick, lot and minimum.

    The simulated market's come first, then those that other venues have shown. It needs no network.

    Examples:
        $ sniper market list
        $ sniper market list --json --fields instrument,last,change_pct
    """
    from sniper_cli.market.reading import quotes

    def write(fmt: Format) -> None:
        kept = cut(quotes(profile, after=after), limit=limit, everything=all_, cursor=lambda row: row.id)
        emit(kept, columns=QUOTES, fmt=fmt, fields=fields)

    watched(watch, format_of(output, json), write)


@app.command()
@reads
def show(
    instrument: InstrumentArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one instrument: its price, its day and the bounds of an order.

    Examples:
        $ sniper market show BTC/USDT
        $ sniper market show eth --json --fields bid,ask
    """
    from sniper_cli.market.reading import quote

    emit(quote(profile, instrument), columns=QUOTES, fmt=format_of(output, json), fields=fields)


@app.command()
@reads
def book(
    instrument: InstrumentArgument,
    levels: Annotated[int, typer.Option("--levels", min=1, max=10, help="Prices on each side.")] = 10,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the order book: asks from the farthest down, then bids.

    Examples:
        $ sniper market book BTC/USDT
        $ sniper market book BTC/USDT --levels 3 --json
    """
    from sniper_cli.market.reading import open_market, simulated
    from sniper_cli.market.views import this_second

    spec, market = simulated(profile, instrument), open_market(profile)

    def write(fmt: Format) -> None:
        columns = LADDER if fmt is Format.TABLE and fields is None else BOOK
        emit(market.book(spec, this_second(), levels), columns=columns, fmt=fmt, fields=fields)

    watched(watch, format_of(output, json), write)


@app.command()
@reads
def trades(
    instrument: InstrumentArgument,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, metavar="N", help="The last so many.")
    ] = 20,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the last trades of others, newest first.

    Examples:
        $ sniper market trades BTC/USDT
        $ sniper market trades BTC/USDT --limit 5 -o csv
    """
    from sniper_cli.market.reading import open_market, simulated
    from sniper_cli.market.views import this_second

    spec = simulated(profile, instrument)
    tape = open_market(profile).tape(spec, this_second(), limit)
    emit(tape, columns=TRADES, fmt=format_of(output, json), fields=fields)


@app.command()
@reads
def candles(
    instrument: InstrumentArgument,
    interval: IntervalOption = Interval.M1,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="The last so many.")] = 100,
    since: SinceOption = None,
    all_: Annotated[bool, typer.Option("--all", help="All since that time, however many.")] = False,
    drawn: Annotated[
        bool | None,
        typer.Option("--chart/--no-chart", help="Draw them or list them; a terminal draws, a pipe lists."),
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show candles, oldest first: a chart in a terminal, a table in a pipe.

    Examples:
        $ sniper market candles BTC/USDT --interval 5m
        $ sniper market candles BTC/USDT --interval 1h --since 7d --all -o csv
    """
    from sniper_cli.market.reading import open_market, simulated, stretch
    from sniper_cli.market.views import candle_lines

    spec, fmt = simulated(profile, instrument), format_of(output, json)
    found = stretch(open_market(profile), spec, interval, limit=limit, since=since, everything=all_)
    if found.of > len(found.candles):
        note(f"only the last {limit} of {found.of} candles; --limit N or --all for more", "dim")
    if fmt is Format.TABLE and fields is None and (stdout_is_terminal() if drawn is None else drawn):
        _draw(spec, interval, found.candles)
        return
    emit(candle_lines(spec, found.candles, interval), columns=CANDLES, fmt=fmt, fields=fields)


def _draw(spec: Any, interval: Interval, found: Any) -> None:
    from sniper_cli.market.frames import bars_that_fit, chart_lines
    from sniper_cli.output.terminal import width

    size = width() or LAST_RESORT
    for line in chart_lines(spec, found, interval, width=size):
        typer.echo(line)
    room = bars_that_fit(spec, found, size)
    if room < len(found):
        note(f"only the last {room} of {len(found)} candles fit; --no-chart lists them all", "dim")


@app.command("watch")
@reads
def watch_(
    instrument: InstrumentArgument,
    interval: IntervalOption = Interval.M1,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="End after so many seconds.")
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Watch a market live, second by second, until ^C: chart, book and trades; a pipe gets a JSON line a second.

    Examples:
        $ sniper market watch BTC/USDT --count 1
        $ sniper market watch ETH/USDT --count 2 --json --fields at,bid,ask
    """
    from sniper_cli.market.frames import live, seconds
    from sniper_cli.market.reading import open_market, simulated

    spec, market, fmt = simulated(profile, instrument), open_market(profile), format_of(output, json)
    if stdout_is_terminal() and fmt is Format.TABLE and fields is None:
        live(market, spec, interval, count)
        return
    chosen = Format.JSONL if fmt in (Format.TABLE, Format.JSON) else fmt
    for number, step in enumerate(seconds(count, every=True)):
        emit(market.second(spec, step), columns=SECOND, fmt=chosen, fields=fields, header=not number)
        sys.stdout.flush()
