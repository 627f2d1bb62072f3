"""`sniper wallet approvals`: who may still take tokens of ours, and an end to it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    YesOption,
    complete_accounts,
    reads,
    require_fields,
    writes,
)
from commands.trading import LiveOption
from sniper_cli.output import Column, Format, confirm, emit, format_of

app = typer.Typer(help="See who may still take tokens of ours, and take that back.", no_args_is_help=True)

STATES = {"loose": "warn", "mined": "good", "reverted": "bad", "refused": "bad", "gone": "dim"}

APPROVALS = (
    Column("account", priority=3),
    Column("symbol", header="token", priority=0),
    Column("token", header="address", priority=2),
    Column("exchange", priority=1),
    Column("protocol", priority=3),
    Column("spender", priority=4),
    Column("allowance", header="may take", exact=True, right=True, priority=0),
    Column("unlimited", priority=1),
    Column("needed", exact=True, right=True, priority=2),
    Column("state", priority=0, style=STATES.get),
    Column("order_id", in_table=False),
)
REVOKED = (
    Column("account", priority=3),
    Column("symbol", header="token", priority=0),
    Column("token", header="address", priority=3),
    Column("exchange", priority=1),
    Column("spender", priority=4),
    Column("allowance", header="might take", exact=True, right=True, priority=0),
    Column("gas_at_most", exact=True, right=True, priority=1),
    Column("tx_hash", exact=True, priority=3),
    Column("state", priority=0, style=STATES.get),
    Column("explanation", priority=2, elastic=True),
    Column("dry_run", in_table=False),
)

AccountArgument = Annotated[
    str | None,
    typer.Argument(metavar="ACCOUNT", help="Only of this account.", autocompletion=complete_accounts),
]


@app.command("list")
@reads
def list_(
    account: AccountArgument = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List what routers may still take of the tokens we ever ordered, as the chain says now.

    Examples:
        $ sniper wallet approvals list
        $ sniper wallet approvals list --json --fields symbol,exchange,allowance,state
    """
    require_fields(APPROVALS, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.approvals import approvals

    with open_context(profile) as context:
        found: list[Any] = asyncio.run(approvals(context, account))
    emit(
        found,
        columns=APPROVALS,
        fmt=format_of(output, json),
        fields=fields,
        empty="nobody may take any of our tokens",
    )


@app.command()
@writes
def revoke(
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="TOKEN", help="Tokens, by address or symbol.")
    ] = None,
    loose: Annotated[bool, typer.Option("--loose", help="All that no open position will sell by.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="All: a sale of what is held will approve anew.")
    ] = False,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Take approvals of the profile's account back, by a transaction each.

    Examples:
        $ sniper wallet approvals revoke --loose --dry-run
        $ sniper wallet approvals revoke PIXEL --yes
    """
    require_fields(REVOKED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.approvals import revoke as take_back

    with open_context(profile) as context:
        done: list[Any] = asyncio.run(
            take_back(
                context,
                tokens or [],
                lambda question: confirm(question, yes=yes),
                loose=loose,
                everything=everything,
                dry_run=dry_run,
                live=live,
            )
        )
    emit(
        done,
        columns=REVOKED,
        fmt=format_of(output, json),
        fields=fields,
        empty="there is nothing to take back",
    )
