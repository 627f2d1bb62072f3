"""`sniper cash`: deposits, withdrawals, transfers, and what is paid beside trades."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

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
    YesOption,
    complete_accounts,
    reads,
    require_fields,
    writes,
)
from sniper_cli.output import Column, Format, confirm, cut, emit, format_of

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.portfolio.cash import Moved

app = typer.Typer(help="Deposit, withdraw and transfer money, and see every movement.", no_args_is_help=True)


class Charge(StrEnum):
    """What is paid, or received, without a trade."""

    fee = "fee"
    funding = "funding"
    interest = "interest"
    gas = "gas"
    adjustment = "adjustment"


class Movement(StrEnum):
    """Why a balance changed."""

    deposit = "deposit"
    withdrawal = "withdrawal"
    buy = "buy"
    sell = "sell"
    fee = "fee"
    gas = "gas"
    interest = "interest"
    funding = "funding"
    transfer = "transfer"
    adjustment = "adjustment"


def _sign(value: Any) -> str:
    return "bad" if str(value).startswith("-") else "good"


MOVED = (
    Column("account"),
    Column("counter_account", header="to"),
    Column("movement"),
    Column("amount", exact=True, right=True, style=_sign),
    Column("asset"),
    Column("balance", exact=True, right=True),
    Column("reference", exact=True),
    Column("at"),
    Column("replayed"),
    Column("dry_run"),
)
ENTRIES = (
    Column("id", exact=True, priority=1, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("at", priority=1),
    Column("account", priority=2),
    Column("movement", priority=0),
    Column("counterpart", priority=3),
    Column("amount", exact=True, right=True, priority=0, style=_sign),
    Column("asset", priority=0),
    Column("reference", exact=True, elastic=True, priority=2),
)
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="How much, above zero.")]
AssetArgument = Annotated[str, typer.Argument(metavar="ASSET", help="Of what: USDT, BTC …")]
ReferenceOption = Annotated[
    str | None,
    typer.Option("--reference", metavar="KEY", help="The same key is the same movement, however often."),
]


@app.command()
@writes
def deposit(
    amount: AmountArgument,
    asset: AssetArgument = "USDT",
    account: AccountOption = None,
    reference: ReferenceOption = None,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Book money that comes into a paper account from outside.

    Examples:
        $ sniper cash deposit 5000 USDT --dry-run
        $ sniper cash deposit 5000 USDT --reference salary-may
    """
    from sniper_cli.context import open_context

    require_fields(MOVED, fields)
    with open_context(profile) as context:
        desk, payment = _desk(context, amount, asset, account, reference)
        _show(desk.deposit(payment, dry_run=dry_run), format_of(output, json), fields)


@app.command()
@writes
def withdraw(
    amount: AmountArgument,
    asset: AssetArgument = "USDT",
    account: AccountOption = None,
    reference: ReferenceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Book money that leaves a paper account; what orders and positions have a claim on stays.

    Examples:
        $ sniper cash withdraw 250 USDT --dry-run
        $ sniper cash withdraw 250 USDT --reference rent-may --yes
    """
    from sniper_cli.context import open_context

    require_fields(MOVED, fields)
    with open_context(profile) as context:
        desk, payment = _desk(context, amount, asset, account, reference)
        done = desk.withdraw(payment, dry_run=True)
        if not dry_run and not done.replayed:
            confirm(f"Withdraw {amount} {done.asset} from {done.account}, leaving {done.balance:f}?", yes=yes)
            done = desk.withdraw(payment)
        _show(done, format_of(output, json), fields, dry_run=dry_run)


@app.command()
@writes
def transfer(
    amount: AmountArgument,
    asset: AssetArgument,
    to: Annotated[
        str, typer.Argument(metavar="TO", help="The account that gets it.", autocompletion=complete_accounts)
    ],
    account: AccountOption = None,
    reference: ReferenceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Move money from one paper account to another, in one transaction.

    Examples:
        $ sniper cash transfer 1000 USDT second --dry-run
        $ sniper cash transfer 1000 USDT second --reference stake --yes
    """
    from sniper_cli.context import open_context

    require_fields(MOVED, fields)
    with open_context(profile) as context:
        desk, payment = _desk(context, amount, asset, account, reference)
        done = desk.transfer(payment, to, dry_run=True)
        if not dry_run and not done.replayed:
            confirm(f"Transfer {amount} {done.asset} from {done.account} to {to}?", yes=yes)
            done = desk.transfer(payment, to)
        _show(done, format_of(output, json), fields, dry_run=dry_run)


@app.command()
@writes
def charge(
    amount: AmountArgument,
    asset: AssetArgument = "USDT",
    as_: Annotated[Charge, typer.Option("--as", help="What for.")] = Charge.fee,
    credit: Annotated[bool, typer.Option("--credit", help="It was received, not paid.")] = False,
    account: AccountOption = None,
    reference: ReferenceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Book what a paper account pays beside its trades: a fee, funding, interest; a cost of its profit.

    Examples:
        $ sniper cash charge 3.20 USDT --as funding --dry-run
        $ sniper cash charge 3.20 USDT --as funding --reference funding-0800 --yes
    """
    from sniper_cli.context import open_context
    from state.accounts import Movement as Booked

    require_fields(MOVED, fields)
    with open_context(profile) as context:
        desk, payment = _desk(context, amount, asset, account, reference)
        movement = Booked(as_.value)
        done = desk.charge(payment, movement, credit=credit, dry_run=True)
        if not dry_run and not done.replayed:
            verb = "receives" if credit else "pays"
            confirm(f"Book that {done.account} {verb} {amount} {done.asset} of {as_.value}?", yes=yes)
            done = desk.charge(payment, movement, credit=credit)
        _show(done, format_of(output, json), fields, dry_run=dry_run)


@app.command("list")
@reads
def list_(
    movement: Annotated[Movement | None, typer.Option("--movement", help="Only this kind.")] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="KEY", help="Only what was booked under this.")
    ] = None,
    account: AccountOption = None,
    limit: LimitOption = 50,
    after: AfterOption = None,
    all_: AllOption = False,
    since: SinceOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the ledger, newest first: every movement of every asset, trades summed up by record.

    Examples:
        $ sniper cash list
        $ sniper cash list --movement deposit --since 30d --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.moments import parse_moment
    from sniper_cli.portfolio.cash import cursor, entries
    from sniper_cli.trading.reading import settle
    from state.accounts import Movement as Booked

    with open_context(profile) as context:
        settle(context)
        found = entries(
            context.database,
            account=account,
            movement=None if movement is None else Booked(movement.value),
            reference=reference,
            since=parse_moment(since) if since else None,
            after=cursor(context.database, after),
        )
        kept = cut(found, limit=limit, everything=all_, cursor=lambda entry: entry.short_id)
        emit(kept, columns=ENTRIES, fmt=format_of(output, json), fields=fields, empty="nothing has moved yet")


def _desk(
    context: Context, amount: str, asset: str, account: str | None, reference: str | None
) -> tuple[Any, Any]:
    """The desk and what was asked of it; what the market has done to the account's orders comes first."""
    from sniper_cli.portfolio.cash import CashDesk, Payment
    from sniper_cli.trading.reading import settle

    settle(context)
    desk = CashDesk(context.database, actor=context.actor)
    return desk, Payment(amount, asset, account or context.account_name, reference)


def _show(done: Moved, fmt: Format, fields: str | None, *, dry_run: bool | None = None) -> None:
    row = {column.name: getattr(done, column.name) for column in MOVED}
    if dry_run is not None:
        row["dry_run"] = dry_run
    emit(row, columns=MOVED, fmt=fmt, fields=fields)
