"""`sniper account`: where money stands, and the rules by which it is counted."""

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
    complete_accounts,
    reads,
    require_fields,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of

app = typer.Typer(help="List accounts, open paper ones, and set their rules.", no_args_is_help=True)


class LotMethod(StrEnum):
    """Which lots a closing trade takes first."""

    fifo = "fifo"
    lifo = "lifo"
    hifo = "hifo"
    lofo = "lofo"
    average = "average"
    specific = "specific"


ACCOUNTS = (
    Column("name", priority=0),
    Column("id", exact=True, in_table=False),
    Column("venue", priority=1),
    Column("tenant", in_table=False),
    Column("currency", priority=1),
    Column("chain_id", in_table=False),
    Column("address", priority=3, elastic=True),
    Column("lot_method", header="lots", priority=1),
    Column("margin", exact=True, right=True, priority=1),
    Column("open_positions", header="positions", right=True, priority=2),
    Column("open_orders", header="orders", right=True, priority=2),
    Column("created_at", header="opened", priority=3),
    Column("chosen", header="in use", priority=1),
)


def _balances(lines: list[Any]) -> str:
    return "\n".join(f"{line.amount:f} {line.asset}" for line in lines)


ACCOUNT = (*ACCOUNTS, Column("balances", show=_balances))
CREATED = (*ACCOUNTS, Column("dry_run"))
RULES = (
    Column("account"),
    Column("lot_method"),
    Column("margin", exact=True),
    Column("lot_method_before"),
    Column("margin_before", exact=True),
    Column("changed"),
    Column("dry_run"),
)
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="An account.", autocompletion=complete_accounts)
]
LotMethodOption = Annotated[
    LotMethod | None, typer.Option("--lot-method", help="Which lots a sale takes first.")
]
MarginOption = Annotated[
    str | None,
    typer.Option(
        "--margin",
        metavar="TIMES",
        help="0: own money only; 3: may hold three times its equity, and be short.",
    ),
]


@app.command("list")
@reads
def list_(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the accounts with their rules.

    Examples:
        $ sniper account list
        $ sniper account list --json --fields name,lot_method,margin
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.account_rules import account_lines

    with open_context(profile) as context:
        lines = account_lines(context.database, context.account_name)
        emit(lines, columns=ACCOUNTS, fmt=format_of(output, json), fields=fields, empty="no account yet")


@app.command()
@reads
def show(
    name: NameArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one account with what it holds.

    Examples:
        $ sniper account show paper
        $ sniper account show paper --json --fields name,balances
    """
    from dataclasses import asdict

    from sniper_cli.context import open_context
    from sniper_cli.portfolio.account_rules import account_line

    with open_context(profile) as context:
        line, balances = account_line(context.database, name, context.account_name)
        row = {**asdict(line), "balances": balances}
        emit(row, columns=ACCOUNT, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    deposit: Annotated[
        str, typer.Option("--deposit", metavar="AMOUNT", help="Play money to begin with, in USDT.")
    ] = "100000",
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Open another paper account; `sniper config set account NAME` makes orders go to it.

    Examples:
        $ sniper account create second --dry-run
        $ sniper account create second --deposit 5000
    """
    from dataclasses import asdict

    from sniper_cli.context import open_context
    from sniper_cli.portfolio.account_rules import open_paper_account

    require_fields(CREATED, fields)
    with open_context(profile) as context:
        line = open_paper_account(
            context.database, name, deposit, chosen=context.account_name, actor=context.actor, dry_run=dry_run
        )
        row = {**asdict(line), "dry_run": dry_run}
        emit(row, columns=CREATED, fmt=format_of(output, json), fields=fields)


@app.command("set")
@writes
def set_(
    name: NameArgument,
    lot_method: LotMethodOption = None,
    margin: MarginOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Set which lots an account's sales take, and how much it may borrow; from the next trade on.

    Examples:
        $ sniper account set paper --lot-method hifo --dry-run
        $ sniper account set paper --margin 3 --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.account_rules import set_rules

    require_fields(RULES, fields)
    with open_context(profile) as context:

        def change(*, dry: bool) -> Any:
            method = lot_method.value if lot_method is not None else None
            return set_rules(
                context.database, name, actor=context.actor, lot_method=method, margin=margin, dry_run=dry
            )

        done = change(dry=True)
        if done.changed and not dry_run:
            confirm(
                f"From now on {name} takes lots by {done.lot_method} (until now {done.lot_method_before}) with a"
                f" margin of {done.margin} (until now {done.margin_before})?",
                yes=yes,
            )
            done = change(dry=False)
        row = {**{column.name: column.of(done) for column in RULES}, "dry_run": dry_run}
        emit(row, columns=RULES, fmt=format_of(output, json), fields=fields)
