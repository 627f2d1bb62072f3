"""`sniper risk`: what may be at stake, and the switch that stops everything but the way out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    YesOption,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of, stderr_is_terminal

if TYPE_CHECKING:
    from sniper_cli.context import Context

app = typer.Typer(help="Limits and the kill switch.", no_args_is_help=True)

STATUS = (
    Column("kill_switch", header="kill switch", style=lambda state: "bad" if state == "tripped" else "good"),
    Column("by"),
    Column("reason"),
    Column("at"),
    Column("account"),
    Column("open_positions"),
    Column("max_open_positions"),
    Column("spent", exact=True),
    Column("max_total_spend", exact=True),
    Column("unit"),
)
SWITCH = (Column("kill_switch"), Column("by"), Column("reason"), Column("at"), Column("dry_run"))
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the journal.")]


@app.command()
@reads
def status(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the kill switch, and how much of each limit is used.

    Examples:
        $ sniper risk status
        $ sniper risk status --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk.exposure import exposure

    with open_context(profile) as context:
        emit(exposure(context), columns=STATUS, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def kill(
    reason: ReasonOption = "by hand",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Trip the kill switch: from now on only orders that reduce a position pass, from every process.

    Asks to type the word kill.

    Examples:
        $ sniper risk kill --dry-run
        $ sniper risk kill --reason "the market is broken" --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk import switch

    with open_context(profile) as context:
        if not dry_run:
            _typed("kill", "This lets only reductions pass, on every account of this database.", yes=yes)
            switch.trip(context.database, context.actor, reason)
        emit(
            _switch(context, reason, True, dry_run),
            columns=SWITCH,
            fmt=format_of(output, json),
            fields=fields,
        )


@app.command()
@writes
def resume(
    reason: ReasonOption = "by hand",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Reset the kill switch: all orders pass again.

    Examples:
        $ sniper risk resume --dry-run
        $ sniper risk resume --reason "checked" --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.risk import switch

    with open_context(profile) as context:
        if not dry_run:
            confirm("Let all orders pass again?", yes=yes)
            switch.reset(context.database, context.actor, reason)
        emit(
            _switch(context, reason, False, dry_run),
            columns=SWITCH,
            fmt=format_of(output, json),
            fields=fields,
        )


def _switch(context: Context, reason: str, tripped: bool, dry_run: bool) -> dict[str, Any]:
    """The switch as it stands now, or as it would."""
    from sniper_cli.risk import switch

    found = {each.scope: each for each in switch.status(context.database)}.get(switch.GLOBAL)
    state = {"kill_switch": "tripped" if tripped else "not tripped", "dry_run": dry_run}
    if dry_run or found is None:
        return {**state, "by": context.actor, "reason": reason, "at": None}
    return {**state, "by": found.actor, "reason": found.reason, "at": found.at}


def _typed(word: str, what: str, *, yes: bool) -> None:
    """Have the word typed, because a stray `y` should not stop a desk. Without a terminal --yes is needed."""
    from sniper_cli.errors import UsageProblem

    if yes or not (sys.stdin.isatty() and stderr_is_terminal()):
        confirm(what, yes=yes)
        return
    typer.echo(f"{what} Type {word} to go on: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() != word:
        raise UsageProblem("nothing was done", hint=f"sniper risk {word} --yes")
