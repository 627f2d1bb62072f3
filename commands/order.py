"""`sniper order`: one path for every order, on paper and on a chain."""

from __future__ import annotations

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
    watched,
    writes,
)
from commands.trading import LiveOption, OrderState, OrderType, Side, TimeInForce, WaitOption
from sniper_cli.output import Column, Format, confirm, cut, emit, format_of

app = typer.Typer(help="Place, list and cancel orders.", no_args_is_help=True)

STATES = {
    "filled": "good",
    "refused": "bad",
    "rejected": "bad",
    "dropped": "bad",
    "sent": "warn",
    "recorded": "warn",
}
ORDERS = (
    Column("id", exact=True, priority=0, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("created_at", header="created", priority=2),
    Column("account", priority=4),
    Column("client_order_id", in_table=False),
    Column("instrument", priority=0),
    Column("side", priority=0),
    Column("type", priority=2),
    Column("time_in_force", in_table=False),
    Column("quantity", exact=True, right=True, priority=1),
    Column("budget", exact=True, right=True, priority=1),
    Column("limit_price", header="limit", exact=True, right=True, priority=2),
    Column("state", priority=0, style=STATES.get),
    Column("filled_quantity", header="filled", exact=True, right=True, priority=1),
    Column("filled_notional", exact=True, right=True, in_table=False),
    Column("average_price", header="average", exact=True, right=True, priority=2),
    Column("explanation", elastic=True, priority=3),
    Column("venue_reference", in_table=False),
    Column("launch_id", exact=True, in_table=False),
    Column("position_id", exact=True, in_table=False),
    Column("updated_at", in_table=False),
)


def _checks(checks: list[dict[str, Any]]) -> str:
    return "\n".join(f"{'✓' if each['passed'] else '✗'} {each['name']}: {each['detail']}" for each in checks)


def _fills(fills: list[dict[str, Any]]) -> str:
    return "\n".join(f"{each['quantity']} for {each['notional']}" for each in fills)


ORDER = (
    *ORDERS,
    Column("reason", in_table=False),
    Column("checks", show=_checks),
    Column("fills", show=_fills),
)


def _of_order(column: Column) -> Column:
    """A column of the order that was placed."""
    from dataclasses import replace

    return replace(column, value=lambda placed: column.of(placed.order))


PLACED = (
    *(_of_order(column) for column in ORDER),
    Column("replayed"),
    Column("dry_run"),
    Column("plan"),
)


@app.command()
@writes
def place(
    side: Annotated[Side, typer.Argument(help="Buy or sell.")],
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
    type_: Annotated[OrderType, typer.Option("--type", help="Market or limit.")] = OrderType.market,
    price: Annotated[str | None, typer.Option("--price", metavar="PRICE", help="The limit.")] = None,
    time_in_force: Annotated[
        TimeInForce, typer.Option("--time-in-force", help="How long a limit order works.")
    ] = TimeInForce.gtc,
    slippage_bps: Annotated[
        int | None,
        typer.Option(
            "--slippage-bps", min=0, max=10_000, help="How much worse a market order may end, in 1/100 %."
        ),
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
        $ sniper order place buy BTC/USDT --quantity 0.1 --type limit --price 50000 --client-id my-first-order --yes
        $ sniper order place buy BTC/USDT --budget 250 --dry-run
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.placing import OrderRequest, place

    request = OrderRequest(
        side=side.value,
        instrument=instrument,
        quantity=quantity,
        budget=budget,
        type=type_.value,
        price=price,
        time_in_force=time_in_force.value,
        slippage_bps=slippage_bps,
        client_id=client_id,
    )
    with open_context(profile) as context:
        placed = asyncio.run(
            place(
                context,
                request,
                lambda question: confirm(question, yes=yes),
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(placed, columns=PLACED, fmt=format_of(output, json), fields=fields)


@app.command("list")
@reads
def list_(
    state: Annotated[OrderState | None, typer.Option("--state", help="Only orders in this state.")] = None,
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
        $ sniper order list
        $ sniper order list --state filled --since 2h --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import orders

    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            found = orders(context, state=state.value if state else None, after=after, since=since)
            kept = cut(found, limit=limit, everything=all_, cursor=lambda row: row.short_id)
            emit(kept, columns=ORDERS, fmt=fmt, fields=fields, empty="no orders yet")

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def show(
    order: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An order: id, its tail, or client id.", autocompletion=complete_orders
        ),
    ],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one order with its checks and fills.

    Examples:
        $ sniper order show my-first-order
        $ sniper order show my-first-order --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import order as read

    with open_context(profile) as context:
        emit(read(context, order), columns=ORDER, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def cancel(
    order: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An order: id, its tail, or client id.", autocompletion=complete_orders
        ),
    ],
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
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import cancel
    from sniper_cli.trading.reading import order as read

    with open_context(profile) as context:
        view = read(context, order)
        if not dry_run:
            confirm(f"Cancel the {view.side} of {view.instrument} ({view.state})?", yes=yes)
            view = asyncio.run(cancel(context, view.id, live=live, wait_seconds=wait))
    emit(view, columns=ORDER, fmt=format_of(output, json), fields=fields)
