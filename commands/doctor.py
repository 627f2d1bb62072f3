"""`sniper doctor`: what works, what does not, and what repairs it."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import FieldsOption, FormatOption, JsonOption, ProfileOption, reads
from sniper_cli.output import Column, Format, emit, format_of

app = typer.Typer()

STYLES = {"ok": "good", "warn": "warn", "fail": "bad", "skipped": "dim"}

COLUMNS = (
    Column("name", header="check", priority=0),
    Column("status", priority=0, style=lambda status: STYLES[status]),
    Column("detail", priority=1, elastic=True),
    Column("repair", priority=0),
)


@app.command()
@reads
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask nothing on the network.")] = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Check everything Sniper stands on, and say what repairs it.

    Exits 1 if a check fails; a warning does not count.

    Examples:
        $ sniper doctor --offline
        $ sniper doctor --json --fields name,status,repair
    """
    from sniper_cli.doctor import examine, require_health

    checks = list(examine(profile, offline=offline))
    emit(checks, fmt=format_of(output, json), fields=fields, columns=COLUMNS)
    require_health(checks)
