"""`sniper order`: one path for every order, on paper and on a chain."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from commands.options import (
    AfterOption,
    AllOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    WatchOption,
    YesOption,
    complete_instruments,
    complete_orders,
    reads,
    require_fields,
    watched,
    writes,
)
from commands.order_columns import AMENDED, ORDER, ORDERS
from commands.order_placing import import_, place, template
from commands.trading import (
    LiveOption,
    OrderState,
    SideOption,
    StrategyOption,
    TypeOption,
    WaitOption,
)
from sniper_cli.output import Format, confirm, cut, emit, format_of, note, stdout_is_terminal

app = typer.Typer(help="Place, change, watch and cancel orders.", no_args_is_help=True)

app.command()(place)
app.command("import")(import_)
app.command()(template)

OrderArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="An order: id, its tail, or client id.", autocompletion=complete_orders
    ),
]
InstrumentOption = Annotated[
    str | None,
    typer.Option(
        "--instrument", metavar="SYMBOL", help="Only in this instrument.", autocompletion=complete_instruments
    ),
]
ParentOption = Annotated[
    str | None,
    typer.Option(
        "--parent", metavar="ID", help="Only the orders of this one.", autocompletion=complete_orders
    ),
]


AT_WORK = {"held", "recorded", "sent", "open", "partially_filled"}


def _filter(**words: Any) -> Any:
    from sniper_cli.trading.reading import OrderFilter

    return OrderFilter(**words)


@app.command("list")
@reads
def list_(
    state: Annotated[OrderState | None, typer.Option("--state", help="Only orders in this state.")] = None,
    at_work: Annotated[bool, typer.Option("--open", help="Only those that may still trade.")] = False,
    instrument: InstrumentOption = None,
    side: SideOption = None,
    type_: TypeOption = None,
    strategy: StrategyOption = None,
    parent: ParentOption = None,
    limit: LimitOption = 50,
    after: AfterOption = None,
    all_: AllOption = False,
    since: SinceOption = None,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List orders, newest first.

    Examples:
        $ sniper order list --open
        $ sniper order list --instrument BTC/USDT --side sell --since 2h --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import orders

    wanted = _filter(
        state=state.value if state else None,
        at_work=at_work,
        instrument=instrument,
        side=side,
        type=type_,
        strategy=strategy,
        parent=parent,
    )
    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            most = None if all_ else limit + 1
            found = orders(context, wanted=wanted, after=after, since=since, limit=most)
            kept = cut(found, limit=limit, everything=all_, cursor=lambda row: row.short_id)
            emit(kept, columns=ORDERS, fmt=fmt, fields=fields, empty="no orders yet")

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def show(
    order: OrderArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one order with its checks, its fills and its family.

    Examples:
        $ sniper order show my-first-order
        $ sniper order show my-first-order --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import order as read

    with open_context(profile) as context:
        emit(read(context, order), columns=ORDER, fmt=format_of(output, json), fields=fields)


@app.command("watch")
@reads
def watch_(
    instrument: InstrumentOption = None,
    side: SideOption = None,
    strategy: StrategyOption = None,
    parent: ParentOption = None,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="How often to look.")
    ] = 1,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="End after so many looks.")
    ] = None,
    live: LiveOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Watch the orders at work until ^C; a pipe gets a JSON line for each order that changes.

    On a chain this also keeps watch over the orders that are held here.

    Examples:
        $ sniper order watch
        $ sniper order watch --count 1 --json --fields id,state,filled_quantity
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.watching import watch

    fmt = format_of(output, json)
    drawn = stdout_is_terminal() and fmt is Format.TABLE
    chosen = fmt if fmt not in (Format.TABLE, Format.JSON) else Format.JSONL
    begun: list[bool] = []

    def show(at_work: Any, changed: Any) -> None:
        if drawn:
            typer.echo("\x1b[H\x1b[2J", nl=False)
            emit(at_work, columns=ORDERS, fmt=Format.TABLE, fields=fields, empty="no orders at work")
        elif changed:
            emit(changed, columns=ORDERS, fmt=chosen, fields=fields, header=not begun)
            begun.append(True)
        sys.stdout.flush()

    wanted = _filter(instrument=instrument, side=side, strategy=strategy, parent=parent)
    with open_context(profile) as context:
        asyncio.run(
            watch(
                context,
                wanted,
                show,
                lambda words: note(words, "warn"),
                seconds=every,
                count=count,
                live=live,
            )
        )


@app.command()
@writes
def amend(
    order: OrderArgument,
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="AMOUNT", help="All of it, what is filled included.")
    ] = None,
    price: Annotated[str | None, typer.Option("--price", metavar="PRICE", help="The limit.")] = None,
    trigger: Annotated[
        str | None, typer.Option("--trigger", metavar="PRICE", help="Where it goes off.")
    ] = None,
    trail: Annotated[
        str | None, typer.Option("--trail", metavar="AMOUNT|PCT%", help="How far it stays behind.")
    ] = None,
    display: Annotated[
        str | None, typer.Option("--display", metavar="AMOUNT", help="How much an iceberg shows.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="Good till then; never: till cancelled.")
    ] = None,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Change an order at work. Fewer units at the same price keep its place in the queue.

    Examples:
        $ sniper order amend my-first-order --price 49000 --dry-run
        $ sniper order amend my-first-order --quantity 0.05 --expires 2h --yes
    """
    require_fields(AMENDED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.acting import AmendmentWords, amend

    words = AmendmentWords(quantity, price, trigger, trail, display, expires)
    with open_context(profile) as context:
        amended = asyncio.run(
            amend(
                context, order, words, lambda question: confirm(question, yes=yes), dry_run=dry_run, live=live
            )
        )
    emit(amended, columns=AMENDED, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def cancel(
    order: OrderArgument,
    live: LiveOption = False,
    wait: WaitOption = 30,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Cancel an order that still works. A fill may be faster: what the venue says counts.

    Examples:
        $ sniper order cancel my-first-order --dry-run
        $ sniper order cancel my-first-order --yes
    """
    require_fields(ORDER, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import cancel
    from sniper_cli.trading.reading import order as read

    with open_context(profile) as context:
        view = read(context, order)
        if not dry_run:
            members = sum(each["relation"] == "child" and each["state"] in AT_WORK for each in view.family)
            more = f", with {members} orders of its own" if members else ""
            confirm(f"Cancel the {view.side} of {view.instrument} ({view.state}{more})?", yes=yes)
            view = asyncio.run(cancel(context, view.id, live=live, wait_seconds=wait))
    emit(view, columns=ORDER, fmt=format_of(output, json), fields=fields)


@app.command("cancel-all")
@writes
def cancel_all(
    instrument: InstrumentOption = None,
    side: SideOption = None,
    type_: TypeOption = None,
    strategy: StrategyOption = None,
    parent: ParentOption = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="Only those older than this: 2h.")
    ] = None,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Cancel all orders at work, or those that a filter takes; how many is said first.

    Examples:
        $ sniper order cancel-all --dry-run
        $ sniper order cancel-all --instrument BTC/USDT --side buy --older-than 1d --yes
    """
    require_fields(ORDERS, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.acting import cancel_all

    wanted = _filter(instrument=instrument, side=side, type=type_, strategy=strategy, parent=parent)
    with open_context(profile) as context:
        ended = asyncio.run(
            cancel_all(
                context,
                wanted,
                lambda question: confirm(question, yes=yes),
                older_than=older_than,
                dry_run=dry_run,
                live=live,
            )
        )
    emit(ended, columns=ORDERS, fmt=format_of(output, json), fields=fields, empty="no orders at work")
