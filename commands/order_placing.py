"""`sniper order place`, `import` and `template`: how orders are asked for, one at a time or by the file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    YesOption,
    complete_instruments,
    complete_orders,
    reads,
    require_fields,
    writes,
)
from commands.order_columns import PLACED
from commands.trading import LiveOption, WaitOption, complete_sides, complete_times, complete_types
from sniper_cli.output import Column, Format, confirm, emit, format_of, note

PRICES, EXITS, WAITS, LADDERS = "Prices and time", "Exits", "Only later", "Many orders"


def _text(*names: str, metavar: str, help: str, panel: str, **more: Any) -> Any:  # noqa: A002 - Typer's word
    return typer.Option(*names, metavar=metavar, help=help, rich_help_panel=panel, **more)


@writes
def place(
    side: Annotated[
        str, typer.Argument(metavar="buy|sell", help="Buy or sell.", autocompletion=complete_sides)
    ],
    instrument: Annotated[
        str,
        typer.Argument(
            help="A symbol, or on a chain a token's address.", autocompletion=complete_instruments
        ),
    ],
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="AMOUNT", help="How much of the base asset.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="AMOUNT", help="For a purchase: how much to spend.")
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="market, limit, stop, stop-limit, take-profit or trailing-stop; found from the prices given.",
            autocompletion=complete_types,
        ),
    ] = None,
    price: Annotated[str | None, _text("--price", metavar="PRICE", help="The limit.", panel=PRICES)] = None,
    trigger: Annotated[
        str | None,
        _text("--trigger", metavar="PRICE", help="Where a stop or take-profit goes off.", panel=PRICES),
    ] = None,
    trail: Annotated[
        str | None,
        _text(
            "--trail",
            metavar="AMOUNT|PCT%",
            help="How far a trailing stop stays behind: 250, or 2%.",
            panel=PRICES,
        ),
    ] = None,
    activation: Annotated[
        str | None,
        _text("--activation", metavar="PRICE", help="Where a trailing stop begins to follow.", panel=PRICES),
    ] = None,
    time_in_force: Annotated[
        str | None,
        _text(
            "--time-in-force",
            metavar="TIF",
            help="gtc, ioc, fok, gtd or day.",
            panel=PRICES,
            autocompletion=complete_times,
        ),
    ] = None,
    expires: Annotated[
        str | None,
        _text("--expires", metavar="TIME", help="Good till then: 2h, 17:30, 2026-12-31.", panel=PRICES),
    ] = None,
    post_only: Annotated[
        bool, typer.Option("--post-only", help="Rest, or be rejected: never take.", rich_help_panel=PRICES)
    ] = False,
    reduce_only: Annotated[
        bool, typer.Option("--reduce-only", help="Close what is held, never open.", rich_help_panel=PRICES)
    ] = False,
    display: Annotated[
        str | None,
        _text("--display", metavar="AMOUNT", help="An iceberg: show so much at a time.", panel=PRICES),
    ] = None,
    slippage_bps: Annotated[
        int | None,
        typer.Option(
            "--slippage-bps",
            min=0,
            max=10_000,
            help="How much worse a market order may end, in 1/100 %.",
            rich_help_panel=PRICES,
        ),
    ] = None,
    take_profit: Annotated[
        str | None,
        _text(
            "--take-profit",
            metavar="PRICE|PCT%",
            help="Leave with profit there; 5% from the entry.",
            panel=EXITS,
        ),
    ] = None,
    stop_loss: Annotated[
        str | None, _text("--stop-loss", metavar="PRICE|PCT%", help="Leave with a loss there.", panel=EXITS)
    ] = None,
    stop_limit: Annotated[
        str | None,
        _text(
            "--stop-limit", metavar="PRICE", help="The stop loss never takes worse than this.", panel=EXITS
        ),
    ] = None,
    stop_trail: Annotated[
        str | None,
        _text("--stop-trail", metavar="AMOUNT|PCT%", help="A stop loss that follows the price.", panel=EXITS),
    ] = None,
    or_stop: Annotated[
        str | None,
        _text(
            "--or-stop", metavar="PRICE", help="Beside a limit, a stop: one cancels the other.", panel=EXITS
        ),
    ] = None,
    starts: Annotated[
        str | None, _text("--starts", metavar="TIME", help="Not before: 30m, 09:00, 2026-12-31.", panel=WAITS)
    ] = None,
    after: Annotated[
        str | None,
        _text(
            "--after",
            metavar="ID",
            help="When this order is filled.",
            panel=WAITS,
            autocompletion=complete_orders,
        ),
    ] = None,
    if_above: Annotated[
        str | None,
        _text("--if-above", metavar="PRICE", help="When the price is there or higher.", panel=WAITS),
    ] = None,
    if_below: Annotated[
        str | None,
        _text("--if-below", metavar="PRICE", help="When the price is there or lower.", panel=WAITS),
    ] = None,
    if_position: Annotated[
        str | None,
        _text("--if-position", metavar="STATE", help="When it is open, closed, long or short.", panel=WAITS),
    ] = None,
    if_instrument: Annotated[
        str | None,
        _text(
            "--if-instrument",
            metavar="SYMBOL",
            help="Whose price or position is meant.",
            panel=WAITS,
            autocompletion=complete_instruments,
        ),
    ] = None,
    times: Annotated[
        int | None, _text("--times", metavar="N", help="Cut it into so many slices over time.", panel=LADDERS)
    ] = None,
    every: Annotated[
        str | None, _text("--every", metavar="TIME", help="A slice so often: 1h.", panel=LADDERS)
    ] = None,
    steps: Annotated[
        int | None, _text("--steps", metavar="N", help="Average down: so many orders more.", panel=LADDERS)
    ] = None,
    step: Annotated[
        str | None, _text("--step", metavar="PCT", help="… each so many percent further away.", panel=LADDERS)
    ] = None,
    step_scale: Annotated[
        str | None,
        _text("--step-scale", metavar="X", help="Each step is so many times the last.", panel=LADDERS),
    ] = None,
    size_scale: Annotated[
        str | None,
        _text("--size-scale", metavar="X", help="Each size is so many times the last.", panel=LADDERS),
    ] = None,
    grid_low: Annotated[
        str | None, _text("--grid-low", metavar="PRICE", help="A grid: its lowest price.", panel=LADDERS)
    ] = None,
    grid_high: Annotated[
        str | None, _text("--grid-high", metavar="PRICE", help="… its highest.", panel=LADDERS)
    ] = None,
    grid_levels: Annotated[
        int | None, _text("--grid-levels", metavar="N", help="… and how many it has.", panel=LADDERS)
    ] = None,
    grid_spacing: Annotated[
        str | None, _text("--grid-spacing", metavar="KIND", help="arithmetic or geometric.", panel=LADDERS)
    ] = None,
    grid_from_stock: Annotated[
        bool,
        typer.Option(
            "--grid-from-stock", help="Above the market, sell what is owned.", rich_help_panel=LADDERS
        ),
    ] = False,
    round_: Annotated[
        bool, typer.Option("--round", help="Take the nearest tick, lot and size that fit.")
    ] = False,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="NAME", help="Whose order it is, in reports.")
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option("--client-id", metavar="KEY", help="The same key is the same order, however often."),
    ] = None,
    live: LiveOption = False,
    wait: WaitOption = 30,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Place an order, after every check; repeatable with --client-id.

    Examples:
        $ sniper order place buy BTC/USDT --quantity 0.1 --price 50000 --client-id my-first-order --yes
        $ sniper order place buy BTC/USDT --budget 250 --take-profit 5% --stop-loss 3% --dry-run
        $ sniper order place sell BTC/USDT --quantity 0.1 --trail 2% --reduce-only --yes
        $ sniper order place buy ETH/USDT --budget 1000 --times 10 --every 1h --yes
    """
    require_fields(PLACED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.placing import place
    from sniper_cli.trading.requests import OrderRequest

    request = OrderRequest(
        side=side,
        instrument=instrument,
        quantity=quantity,
        budget=budget,
        type=type_,
        price=price,
        trigger=trigger,
        trail=trail,
        activation=activation,
        time_in_force=time_in_force,
        expires=expires,
        post_only=post_only,
        reduce_only=reduce_only,
        display=display,
        take_profit=take_profit,
        stop_loss=stop_loss,
        stop_limit=stop_limit,
        stop_trail=stop_trail,
        or_stop=or_stop,
        starts=starts,
        after=after,
        if_above=if_above,
        if_below=if_below,
        if_position=if_position,
        if_instrument=if_instrument,
        times=times,
        every=every,
        steps=steps,
        step=step,
        step_scale=step_scale,
        size_scale=size_scale,
        grid_low=grid_low,
        grid_high=grid_high,
        grid_levels=grid_levels,
        grid_spacing=grid_spacing,
        grid_from_stock=grid_from_stock,
        round=round_,
        slippage_bps=slippage_bps,
        strategy=strategy,
        client_id=client_id,
    )
    with open_context(profile) as context:
        placed = asyncio.run(
            place(
                context,
                request,
                lambda question: confirm(question, yes=yes),
                tell=lambda words: note(words, "warn"),
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(placed, columns=PLACED, fmt=format_of(output, json), fields=fields)


IMPORTED = (
    Column("line", right=True, priority=0),
    Column("client_order_id", exact=True, priority=3),
    Column("id", exact=True, priority=2, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("instrument", priority=1),
    Column("side", priority=1),
    Column("type", priority=2),
    Column("quantity", exact=True, right=True, priority=2),
    Column("state", priority=0, style={"filled": "good", "refused": "bad", "invalid": "bad"}.get),
    Column("filled_quantity", header="filled", exact=True, right=True, priority=2),
    Column("orders", right=True, in_table=False),
    Column("replayed", in_table=False),
    Column("message", elastic=True, priority=1),
)


@writes
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON lines; - for stdin.")],
    together: Annotated[bool, typer.Option("--together", help="All lines, or none of them.")] = False,
    batch: Annotated[
        str,
        typer.Option("--batch", metavar="NAME", help="The same lines under another name are other orders."),
    ] = "",
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Place the orders of a file, with a result for each line; the same line again places nothing twice.

    Ends with 8 when some of the lines were not taken: correct them and import the file again.

    Examples:
        $ sniper order import orders.csv --dry-run
        $ sniper order template --format jsonl | sniper order import - --yes
    """
    require_fields(IMPORTED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.importing import import_orders, raise_unless_all

    with open_context(profile) as context:
        results = asyncio.run(
            import_orders(
                context,
                file,
                lambda question: confirm(question, yes=yes),
                together=together,
                batch=batch,
                dry_run=dry_run,
                live=live,
            )
        )
    emit(results, columns=IMPORTED, fmt=format_of(output, json), fields=fields)
    raise_unless_all(results)


class Kind(StrEnum):
    """The two formats of a file of orders."""

    csv = "csv"
    jsonl = "jsonl"


TEMPLATE = (Column("line", priority=0),)


@reads
def template(
    form: Annotated[Kind, typer.Option("--format", help="CSV or JSON lines.")] = Kind.csv,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Print an empty file of orders, its columns explained.

    Examples:
        $ sniper order template > orders.csv
        $ sniper order template --format jsonl
    """
    del profile
    from sniper_cli.trading.importing import template

    lines = template(form.value)
    fmt = format_of(output, json)
    if fmt is Format.TABLE and fields is None:
        for line in lines:
            typer.echo(line)
        return
    emit([{"line": line} for line in lines], columns=TEMPLATE, fmt=fmt, fields=fields)
