"""`sniper risk`: what may be at stake, and the switch that stops everything but the way out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import risk_limits, risk_size
from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    WatchOption,
    YesOption,
    complete_instruments,
    reads,
    watched,
    writes,
)
from commands.trading import LiveOption, Side
from sniper_cli.output import Column, Format, confirm, emit, format_of, stderr_is_terminal

if TYPE_CHECKING:
    from sniper_cli.trading.stopping import Stopped

app = typer.Typer(help="Limits, what-ifs, sizes and the kill switch.", no_args_is_help=True)
app.add_typer(risk_limits.app, name="limits")
app.command("size")(risk_size.size)

BAR = 20
"""Characters of a bar."""


def _bars(limits: list[dict[str, Any]]) -> str:
    """Limits as lines with bars; what is looked at for each order alone has none."""
    if not limits:
        return ""
    named = [(_title(one), one) for one in limits]
    width = max(len(title) for title, _ in named)
    return "\n".join(f"{title:<{width}}  {_bar(one)}" for title, one in named)


def _title(one: dict[str, Any]) -> str:
    whose = (
        one["scope"] if one["scope"] in ("account", "default", "margin") else f"{one['scope']} {one['of']}"
    )
    group = f" {one['group']}" if one["group"] else ""
    return f"{one['name']}{group} ({whose})"


def _bar(one: dict[str, Any]) -> str:
    if one["share_pct"] is None:
        return f"{'each order':<{BAR}}  at most {one['set_to']}"
    filled = min(BAR, int(float(one["share_pct"]) * BAR / 100 + 0.5))
    bar = "█" * filled + "░" * (BAR - filled)
    unit = f" {one['unit']}" if one["unit"] else ""
    where = f" in {one['instrument']}" if one["instrument"] else ""
    sign = f"  ✗ until {one['until']}" if one["until"] else "  ✗ over" if one["broken"] else ""
    return f"{bar}  {one['share_pct']:>5}%  {one['value']} of {one['limit']}{unit}{where}{sign}"


def _switches(switches: list[dict[str, Any]]) -> str:
    return "\n".join(f"{one['scope']} by {one['by']}: {one['reason']}" for one in switches)


STATUS = (
    Column("kill_switch", header="kill switch", style=lambda state: "bad" if state == "tripped" else "good"),
    Column("by"),
    Column("reason"),
    Column("at"),
    Column("switches", header="tripped", value=lambda report: _records(report.switches), show=_switches),
    Column("account"),
    Column("equity", exact=True),
    Column("gross_exposure", exact=True),
    Column("net_exposure", exact=True),
    Column("leverage", exact=True),
    Column("open_orders"),
    Column("open_positions"),
    Column("max_open_positions"),
    Column("spent", exact=True),
    Column("max_total_spend", exact=True),
    Column("unit"),
    Column("breaches", style=lambda names: "bad" if names else None),
    Column("limits", value=lambda report: _records(report.limits), show=_bars),
)
CHECKS = (
    Column("name", priority=0),
    Column("passed", priority=0, style=lambda passed: "good" if passed else "bad"),
    Column("detail", priority=0),
    Column("value", exact=True, in_table=False),
    Column("limit", exact=True, in_table=False),
    Column("figures", in_table=False),
)
SWITCH = (
    Column("kill_switch"),
    Column("scope"),
    Column("by"),
    Column("reason"),
    Column("at"),
    Column("resting", header="orders at work"),
    Column("flatten", header="positions closed"),
    Column("orders", header="cancelled"),
    Column("positions", header="closed"),
    Column(
        "accounts",
        value=lambda stopped: _records(stopped.accounts),
        show=lambda accounts: "\n".join(
            f"{one['account']}: {one['orders']} orders, {one['positions']} positions"
            + (f", left in {', '.join(one['left'])}" if one["left"] else "")
            for one in accounts
        ),
    ),
    Column("troubles", show="\n".join, style=lambda all_: "bad" if all_ else None),
    Column("dry_run"),
)
AccountOption = Annotated[str | None, typer.Option("--account", metavar="NAME", help="Only this account.")]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="Only this tenant's accounts.")
]
StrategyOption = Annotated[str | None, typer.Option("--strategy", metavar="NAME", help="Only this strategy.")]


def _records(found: Any) -> list[dict[str, Any]]:
    from sniper_cli.output.formats import plain

    return [plain(one) for one in found]


@app.command()
@reads
def status(
    account: AccountOption = None,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the kill switch, what is at stake, and how much of each limit is used.

    Examples:
        $ sniper risk status
        $ sniper risk status --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk.report import report

    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            emit(report(context, account), columns=STATUS, fmt=fmt, fields=fields)

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def check(
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
    price: Annotated[
        str | None, typer.Option("--price", metavar="PRICE", help="A limit; at market if none.")
    ] = None,
    slippage_bps: Annotated[
        int | None,
        typer.Option("--slippage-bps", min=0, max=10_000, help="How much worse a market order may end."),
    ] = None,
    strategy: StrategyOption = None,
    live: LiveOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Say what every check would make of an order, with figures; nothing is written. Exit 6 if it were refused.

    Examples:
        $ sniper risk check buy BTC/USDT --quantity 0.1
        $ sniper risk check sell ETH/USDT --quantity 5 --price 4000 --json
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.errors import OrderRefused
    from sniper_cli.trading.what_if import Question, refused
    from sniper_cli.trading.what_if import check as ask

    question = Question(side.value, instrument, quantity, budget, price, slippage_bps, strategy)
    with open_context(profile) as context:
        lines = asyncio.run(ask(context, question, live=live))
    emit(lines, columns=CHECKS, fmt=format_of(output, json), fields=fields)
    if reasons := refused(lines):
        raise OrderRefused(f"the order would be refused: {'; '.join(reasons)}", hint="sniper risk status")


@app.command()
@writes
def kill(
    account: AccountOption = None,
    tenant: TenantOption = None,
    strategy: StrategyOption = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the journal.")
    ] = "by hand",
    keep_orders: Annotated[
        bool, typer.Option("--keep-orders", help="Let orders at work go on; they are cancelled otherwise.")
    ] = False,
    keep_exits: Annotated[
        bool, typer.Option("--keep-exits", help="Cancel only what could open or enlarge a position.")
    ] = False,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Close all positions at the market, too.")
    ] = False,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Trip the kill switch: only orders that reduce a position pass from now on, from every process.

    Without a scope it stops everything. Orders at work are cancelled. Asks to type the word kill.

    Examples:
        $ sniper risk kill --flatten --dry-run
        $ sniper risk kill --reason "the market is broken" --yes
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.errors import PartlyDone, UsageProblem
    from sniper_cli.trading.stopping import Target, foreseen, scope_of, stop
    from state.controls import Resting

    if keep_orders and (keep_exits or flatten):
        other = "--keep-exits" if keep_exits else "--flatten"
        raise UsageProblem(f"--keep-orders and {other} exclude each other", hint="sniper risk kill --help")
    resting = Resting.KEEP if keep_orders else Resting.KEEP_EXITS if keep_exits else Resting.CANCEL
    with open_context(profile) as context:
        scope = scope_of(context, Target(account, tenant, strategy))
        told = foreseen(context, scope, reason, resting=resting, flatten=flatten)
        if not dry_run:
            _typed("kill", _consequence(told), yes=yes)
            told = asyncio.run(stop(context, scope, reason, resting=resting, flatten=flatten, live=live))
    emit(told, columns=SWITCH, fmt=format_of(output, json), fields=fields)
    if told.troubles:
        raise PartlyDone(
            f"the switch is tripped, but {len(told.troubles)} things could not be done: {'; '.join(told.troubles)}",
            hint="sniper order list --state open",
        )


@app.command()
@writes
def resume(
    account: AccountOption = None,
    tenant: TenantOption = None,
    strategy: StrategyOption = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why trading may go on, for the journal.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who decides it; this computer's user if none.")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Reset the kill switch: orders pass again. A named person does that, for a reason. Asks to type the word resume.

    Examples:
        $ sniper risk resume --reason "checked with the venue" --dry-run
        $ sniper risk resume --reason "checked with the venue" --by ada --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.errors import UsageProblem
    from sniper_cli.trading.stopping import Target, foreseen, scope_of
    from sniper_cli.trading.stopping import resume as reset
    from state.controls import Resting

    if reason is None or not reason.strip():
        raise UsageProblem(
            "say why trading may go on, for the journal",
            hint='sniper risk resume --reason "checked with the venue"',
        )
    with open_context(profile) as context:
        scope = scope_of(context, Target(account, tenant, strategy))
        if dry_run:
            from dataclasses import replace

            told = foreseen(context, scope, reason, resting=Resting.KEEP)
            told = replace(told, kill_switch="not tripped", accounts=(), by=f"user:{by}" if by else told.by)
        else:
            _typed("resume", f"This lets orders pass again on {_spoken(scope)}.", yes=yes)
            told = reset(context, scope, reason, by=by)
    emit(told, columns=SWITCH, fmt=format_of(output, json), fields=fields)


def _consequence(told: Stopped) -> str:
    """What is about to happen, with its numbers."""
    words = [f"This lets only reductions pass on {_spoken(told.scope)}"]
    if told.orders:
        words.append(f"cancels {told.orders} order{'s' * (told.orders != 1)}")
    if told.positions:
        words.append(f"closes {told.positions} position{'s' * (told.positions != 1)} at the market")
    return ", ".join(words) + "."


def _spoken(scope: str) -> str:
    return "every account of this database" if scope == "global" else scope.replace(":", " ")


def _typed(word: str, what: str, *, yes: bool) -> None:
    """Have the word typed, because a stray `y` should not stop a desk. Without a terminal --yes is needed."""
    from sniper_cli.errors import UsageProblem

    if yes or not (sys.stdin.isatty() and stderr_is_terminal()):
        confirm(what, yes=yes)
        return
    typer.echo(f"{what} Type {word} to go on: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() != word:
        raise UsageProblem("nothing was done", hint=f"sniper risk {word} --yes")
