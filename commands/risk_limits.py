"""`sniper risk limits`: what may be at stake, for whom, and what happens when it is more."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from commands.options import (
    AllOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    YesOption,
    complete_instruments,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, confirm, cut, emit, format_of

app = typer.Typer(help="Set, list and remove limits.", no_args_is_help=True)


class OnBreach(StrEnum):
    """What a broken limit does; those of `state.limits`, whose module takes 300 ms to import."""

    refuse = "refuse"
    trip = "trip"
    flatten = "flatten"


CONSEQUENCES = {"trip": "warn", "flatten": "bad"}
LIMITS = (
    Column("name", priority=0),
    Column("scope", priority=0),
    Column("of", priority=0),
    Column("group", priority=2),
    Column("set_to", header="limit", right=True, priority=0),
    Column("value", exact=True, in_table=False),
    Column("unit", in_table=False),
    Column("on_breach", header="when broken", style=CONSEQUENCES.get, priority=1),
    Column("members", priority=3, elastic=True),
    Column("cooldown_seconds", header="cooldown s", right=True, priority=4),
    Column("version", right=True, priority=4),
    Column("actor", header="set by", priority=3),
    Column("at", priority=5),
    Column("scope_id", exact=True, in_table=False),
)
KIND = (
    Column("name", priority=0),
    Column("unit", priority=1),
    Column("scopes", priority=2),
    Column("says", header="bounds", elastic=True, priority=0),
)
CHANGED = (*LIMITS, Column("previous"), Column("changed"), Column("dry_run"))

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Which one; see sniper risk limits kinds.")]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="On this account; the profile's if none is named."),
]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="On each account of this tenant.")
]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", metavar="NAME", help="On what this strategy does.")
]
InstrumentOption = Annotated[
    str | None,
    typer.Option(
        "--instrument", metavar="SYMBOL", help="On this instrument.", autocompletion=complete_instruments
    ),
]
GroupOption = Annotated[
    str | None, typer.Option("--group", metavar="NAME", help="Of correlated_exposure: which group.")
]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--if-version", min=0, metavar="N", help="Only if it is still at this version; 0: not there yet."
    ),
]


@app.command("list")
@reads
def list_(
    limit: LimitOption = 50,
    all_: AllOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the limits that people have set.

    Examples:
        $ sniper risk limits list
        $ sniper risk limits list --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk.setting import limits

    with open_context(profile) as context:
        found = cut(limits(context.database), limit=limit, everything=all_)
        emit(
            found,
            columns=LIMITS,
            fmt=format_of(output, json),
            fields=fields,
            empty="no limits are set; the collar of 10% holds by itself",
        )


@app.command()
@reads
def kinds(output: FormatOption = Format.TABLE, json: JsonOption = False, fields: FieldsOption = None) -> None:
    """Say what limits there are, what each bounds, and on whom it may be set.

    Examples:
        $ sniper risk limits kinds
        $ sniper risk limits kinds --fields name,says
    """
    from sniper_cli.risk.kinds import KINDS

    emit(list(KINDS.values()), columns=KIND, fmt=format_of(output, json), fields=fields)


@app.command("set")
@writes
def set_(
    name: NameArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As 5000, '2 BTC', 10%, 1000bps or 3x.")],
    account: AccountOption = None,
    tenant: TenantOption = None,
    strategy: StrategyOption = None,
    instrument: InstrumentOption = None,
    on_breach: Annotated[
        OnBreach,
        typer.Option(
            "--on-breach", help="Refuse the order, trip the kill switch too, or close positions as well."
        ),
    ] = OnBreach.refuse,
    group: GroupOption = None,
    members: Annotated[
        str | None,
        typer.Option("--members", metavar="A,B", help="Of correlated_exposure: the group's instruments."),
    ] = None,
    cooldown: Annotated[
        str | None,
        typer.Option("--cooldown", metavar="TIME", help="Of losing_streak: how long it rests, as 30m or 1h."),
    ] = None,
    if_version: VersionOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Set a limit; it holds from the next order on, in every process.

    Limits are inherited from the tenant to the account, its strategies and instruments; the strictest counts.

    Examples:
        $ sniper risk limits set order_notional 20000 --yes
        $ sniper risk limits set drawdown 15% --on-breach trip --dry-run
    """
    from sniper_cli.context import open_context
    from sniper_cli.moments import parse_duration
    from sniper_cli.risk.setting import Wanted, Whom, set_limit
    from state.limits import OnBreach as Consequence

    wanted = Wanted(
        name=name,
        value=value,
        whom=Whom(account, tenant, strategy, instrument),
        on_breach=Consequence(on_breach.value),
        group=group,
        members=[one.strip() for one in (members or "").split(",") if one.strip()],
        cooldown_seconds=None if cooldown is None else int(parse_duration(cooldown).total_seconds()),
        version=if_version,
    )
    with open_context(profile) as context:
        change = partial(
            set_limit, context.database, wanted, account=context.account_name, actor=context.actor
        )
        view = change(dry_run=True)
        if not dry_run:
            instead = f" instead of {view.previous}" if view.previous else ""
            confirm(f"Limit {view.name} of {view.scope} {view.of} to {view.set_to}{instead}?", yes=yes)
            view = change()
    emit(view, columns=CHANGED, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def remove(
    name: NameArgument,
    account: AccountOption = None,
    tenant: TenantOption = None,
    strategy: StrategyOption = None,
    instrument: InstrumentOption = None,
    group: GroupOption = None,
    if_version: VersionOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Take a limit away.

    Examples:
        $ sniper risk limits remove order_notional --dry-run
        $ sniper risk limits remove position_quantity --instrument BTC/USDT --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk.setting import Whom, remove_limit

    with open_context(profile) as context:
        change = partial(
            remove_limit,
            context.database,
            name,
            Whom(account, tenant, strategy, instrument),
            account=context.account_name,
            actor=context.actor,
            group=group,
            version=if_version,
        )
        view = change(dry_run=True)
        if not dry_run:
            confirm(f"Remove {view.name} of {view.scope} {view.of}, which is {view.set_to}?", yes=yes)
            view = change()
    emit(view, columns=CHANGED, fmt=format_of(output, json), fields=fields)
