"""`sniper tx`: our transactions on a chain, what each bids and what happens next, a higher bid, an end."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import (
    AccountOption,
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
    complete_orders,
    complete_transactions,
    reads,
    require_fields,
    watched,
    writes,
)
from commands.trading import LiveOption
from sniper_cli.output import Column, Format, confirm, cut, emit, format_of, note

app = typer.Typer(
    help="See transactions that wait, raise their bids, and end them under their nonces.",
    no_args_is_help=True,
)

STATES = {"mined": "good", "reverted": "bad", "dropped": "bad", "replaced": "dim", "recorded": "warn"}


def _headroom(value: Any) -> str | None:
    return "bad" if str(value).startswith("-") else None


def _siblings(rows: Any) -> str:
    return "\n".join(f"{row['state']} {row['purpose']} at {row['max_fee']} gwei" for row in rows)


TRANSACTIONS = (
    Column("id", exact=True, priority=0, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("created_at", header="signed", priority=4),
    Column("account", priority=4),
    Column("chain_id", in_table=False),
    Column("sender", in_table=False),
    Column("nonce", right=True, priority=0),
    Column("purpose", header="for", priority=0),
    Column("state", priority=0, style=STATES.get),
    Column("order_id", header="order", exact=True, priority=3, show=lambda key: key.replace("-", "")[-12:]),
    Column("instrument", priority=2),
    Column("place", priority=1),
    Column("age_blocks", header="blocks", right=True, priority=2),
    Column("max_fee", header="bid gwei", exact=True, right=True, priority=1),
    Column("priority_fee", header="tip", exact=True, right=True, priority=3),
    Column("base_fee", header="base", exact=True, right=True, priority=3),
    Column("headroom_pct", header="over %", exact=True, right=True, priority=2, style=_headroom),
    Column("channel", priority=4),
    Column("relay", in_table=False),
    Column("until_block", in_table=False),
    Column("gas_limit", in_table=False),
    Column("gas_at_most", exact=True, in_table=False),
    Column("gas_used", in_table=False),
    Column("gas_cost", exact=True, in_table=False),
    Column("block_number", header="block", right=True, priority=3),
    Column("next", priority=1, elastic=True),
    Column("next_at_block", header="at", right=True, priority=1),
    Column("next_max_fee", exact=True, in_table=False),
    Column("done_by", in_table=False),
    Column("value", exact=True, in_table=False),
    Column("to", in_table=False),
    Column("deadline", in_table=False),
    Column("tx_hash", exact=True, in_table=False),
    Column("error", in_table=False),
)
TRANSACTION = (*TRANSACTIONS, Column("siblings", header="same nonce", show=_siblings))
REPLACED = (
    Column("id", exact=True, priority=2),
    Column("order_id", exact=True, in_table=False),
    Column("account", priority=3),
    Column("nonce", right=True, priority=0),
    Column("purpose", priority=0),
    Column("act", priority=0),
    Column("max_fee_before", exact=True, right=True, priority=1),
    Column("max_fee", exact=True, right=True, priority=0),
    Column("priority_fee_before", exact=True, right=True, priority=2),
    Column("priority_fee", exact=True, right=True, priority=1),
    Column("base_fee", exact=True, right=True, priority=2),
    Column("gas_limit", right=True, priority=3),
    Column("gas_at_most", exact=True, right=True, priority=1),
    Column("channel", priority=3),
    Column("tx_hash_before", exact=True, in_table=False),
    Column("tx_hash", exact=True, priority=3),
    Column("state", priority=0, style=STATES.get),
    Column("dry_run", priority=2),
)

TransactionArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A transaction: its hash, id or the id's tail.",
        autocompletion=complete_transactions,
    ),
]


@app.command("list")
@reads
def list_(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that no block has taken yet.")
    ] = False,
    account: AccountOption = None,
    order: Annotated[
        str | None,
        typer.Option("--order", metavar="ID", help="Only of this order.", autocompletion=complete_orders),
    ] = None,
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
    """List our transactions, newest first: bids against the base fee of now, and what happens next.

    Examples:
        $ sniper tx list --waiting
        $ sniper tx list --since 2h --json --fields nonce,purpose,state,next,next_at_block
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.transactions import transactions

    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            most = None if all_ else limit + 1
            found, trouble = transactions(
                context, waiting=waiting, account=account, order=order, since=since, after=after, limit=most
            )
            _say(trouble)
            kept = cut(found, limit=limit, everything=all_, cursor=lambda row: row.short_id)
            empty = "nothing waits" if waiting else "no transactions yet"
            emit(kept, columns=TRANSACTIONS, fmt=fmt, fields=fields, empty=empty)

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def show(
    transaction: TransactionArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one transaction with everything else that was signed under its nonce.

    Examples:
        $ sniper tx show 3f9a1c27d405
        $ sniper tx show 3f9a1c27d405 --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading.transactions import transaction as read

    with open_context(profile) as context:
        found, trouble = read(context, transaction)
        _say(trouble)
        emit(found, columns=TRANSACTION, fmt=format_of(output, json), fields=fields)


def _say(trouble: str | None) -> None:
    """What only a node knows is missing: said, never silently."""
    if trouble is not None:
        note(f"what waits is shown as recorded, no node was asked: {trouble}", "warn")


@app.command("speed-up")
@writes
def speed_up(
    transaction: TransactionArgument,
    urgency: Annotated[
        int,
        typer.Option(
            "--urgency", min=0, max=3, help="0 the ladder's next rung; up to 3, what haste costs now."
        ),
    ] = 1,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Raise the bid of a waiting transaction: the same call under the same nonce, so that it happens once.

    Examples:
        $ sniper tx speed-up 3f9a1c27d405 --dry-run
        $ sniper tx speed-up 3f9a1c27d405 --urgency 2 --yes
    """
    require_fields(REPLACED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.replacing import speed_up as raise_bid

    with open_context(profile) as context:
        view = asyncio.run(
            raise_bid(
                context,
                transaction,
                lambda question: confirm(question, yes=yes),
                urgency=urgency,
                dry_run=dry_run,
                live=live,
            )
        )
    emit(view, columns=REPLACED, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def cancel(
    transaction: TransactionArgument,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """End a waiting transaction: a transfer of nothing to ourselves takes its nonce.

    Which of the two is mined the chain decides; never both.

    Examples:
        $ sniper tx cancel 3f9a1c27d405 --dry-run
        $ sniper tx cancel 3f9a1c27d405 --yes
    """
    require_fields(REPLACED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.replacing import cancel as end

    with open_context(profile) as context:
        view = asyncio.run(
            end(
                context,
                transaction,
                lambda question: confirm(question, yes=yes),
                dry_run=dry_run,
                live=live,
            )
        )
    emit(view, columns=REPLACED, fmt=format_of(output, json), fields=fields)
