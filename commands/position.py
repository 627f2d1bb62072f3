"""`sniper position`: what is held, what it cost, what it is worth, and the way out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands import position_exits
from commands.options import (
    AfterOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    WatchOption,
    YesOption,
    complete_positions,
    reads,
    require_fields,
    watched,
    writes,
)
from commands.trading import LiveOption, WaitOption
from sniper_cli.output import Column, Format, confirm, cut, emit, format_of

app = typer.Typer(help="See what is held, what it cost and what it is worth.", no_args_is_help=True)


app.add_typer(position_exits.app, name="exits")


def _gain(value: Any) -> str | None:
    return "bad" if str(value).startswith("-") else "good"


POSITIONS = (
    Column("id", exact=True, priority=0, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("opened_at", header="opened", priority=3),
    Column("account", priority=4),
    Column("instrument", priority=0),
    Column("state", priority=2),
    Column("quantity", exact=True, right=True, priority=1),
    Column("cost", exact=True, right=True, priority=1),
    Column("value", exact=True, right=True, priority=1),
    Column("profit", exact=True, right=True, priority=0, style=_gain),
    Column("profit_pct", header="%", exact=True, right=True, priority=2),
    Column("quote", priority=3),
    Column("spent", exact=True, in_table=False),
    Column("received", exact=True, in_table=False),
    Column("fees", exact=True, in_table=False),
    Column("realised", exact=True, in_table=False),
    Column("exit_rule", header="exit", priority=2),
    Column("launch_id", exact=True, in_table=False),
    Column("marked_at", in_table=False),
    Column("closed_at", in_table=False),
)
POSITION = (
    *POSITIONS,
    Column("exit_rules", in_table=False),
    Column(
        "lots",
        show=lambda lots: "\n".join(
            f"{x['remaining']} of {x['quantity']} left, cost {x['cost']}" for x in lots
        ),
    ),
)
LINES = (
    Column("asset", priority=0),
    Column("asset_id", in_table=False),
    Column("ledger", exact=True, right=True, priority=0),
    Column("venue", exact=True, right=True, priority=0),
    Column(
        "difference", exact=True, right=True, priority=0, style=lambda value: None if value == "0" else "bad"
    ),
    Column("booked", priority=1),
)
CLOSED = (
    Column("position_id", exact=True, priority=3),
    Column("instrument", priority=0),
    Column("order_id", exact=True, priority=2),
    Column("state", priority=0),
    Column("quantity", exact=True, right=True, priority=1),
    Column("left", exact=True, right=True, priority=1),
    Column("cancelled", right=True, priority=2),
    Column("orders", in_table=False),
    Column("dry_run"),
)


@app.command("list")
@reads
def list_(
    closed: Annotated[bool, typer.Option("--all", help="Closed ones too, without a limit.")] = False,
    limit: LimitOption = 50,
    after: AfterOption = None,
    since: SinceOption = None,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List open positions, newest first.

    Examples:
        $ sniper position list
        $ sniper position list --all --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import positions

    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            found = positions(context, closed=closed, after=after, since=since)
            kept = cut(found, limit=limit, everything=closed, cursor=lambda row: row.short_id)
            emit(kept, columns=POSITIONS, fmt=fmt, fields=fields, empty="no open positions")

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def show(
    position: Annotated[
        str,
        typer.Argument(metavar="ID", help="A position: id or its tail.", autocompletion=complete_positions),
    ],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one position with its lots.

    Examples:
        $ sniper position show 3f9a1c27d405
        $ sniper position show 3f9a1c27d405 --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.reading import position as read

    with open_context(profile) as context:
        emit(read(context, position), columns=POSITION, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def close(
    position: Annotated[
        str,
        typer.Argument(metavar="ID", help="A position: id or its tail.", autocompletion=complete_positions),
    ],
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="AMOUNT", help="Only so much of it.")
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
    """Close a position at the market, or a part of it. What else would close it is cancelled first.

    Examples:
        $ sniper position close 3f9a1c27d405 --dry-run
        $ sniper position close 3f9a1c27d405 --quantity 0.5 --yes
    """
    require_fields(CLOSED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.acting import close

    with open_context(profile) as context:
        closed = asyncio.run(
            close(
                context,
                position,
                lambda question: confirm(question, yes=yes),
                quantity=quantity,
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(closed, columns=CLOSED, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def flatten(
    live: LiveOption = False,
    wait: WaitOption = 30,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Cancel every order and close every position at the market; how many of each is said first.

    Examples:
        $ sniper position flatten --dry-run
        $ sniper position flatten --yes
    """
    require_fields(CLOSED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.acting import flatten

    with open_context(profile) as context:
        closed = asyncio.run(
            flatten(
                context,
                lambda question: confirm(question, yes=yes),
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(closed, columns=CLOSED, fmt=format_of(output, json), fields=fields, empty="nothing to close")


@app.command()
@writes
def reconcile(
    book: Annotated[
        bool, typer.Option("--book", help="Book what differs: coins as deposits, tokens as adjustments.")
    ] = False,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Hold the ledger against what the chain itself counts, to the last unit; exit 1 if they differ.

    Differences come from money sent in or out by other means, and from tokens that change balances by themselves.

    Examples:
        $ sniper position reconcile
        $ sniper position reconcile --book --dry-run
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.errors import ReconciliationFailed
    from sniper_cli.trading.reading import reconcile_account

    with open_context(profile) as context:
        if book and not dry_run:
            confirm("Book every difference as a deposit, a withdrawal or an adjustment?", yes=yes)
        lines = asyncio.run(reconcile_account(context, book=book and not dry_run, live=live))
    emit(lines, columns=LINES, fmt=format_of(output, json), fields=fields)
    if any(line.difference and not line.booked for line in lines):
        raise ReconciliationFailed(
            "the ledger and the chain do not agree", hint="sniper position reconcile --book --dry-run"
        )


app.command("exit")(position_exits.exit_)
app.command("hold")(position_exits.hold)
app.command("resume")(position_exits.resume)
