"""`sniper init`: from nothing to a home one can work in."""

from __future__ import annotations

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    writes,
)
from sniper_cli.output import Column, Format, emit, format_of, note

app = typer.Typer()

COLUMNS = (
    Column("what", priority=0),
    Column("outcome", priority=0, style=lambda outcome: "dim" if outcome == "already there" else "good"),
    Column("detail", elastic=True),
)


@app.command()
@writes
def init(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make the home, the database and the configuration file.

    What is there already stays as it is: running it again is safe. A paper profile also gets its account.

    Examples:
        $ sniper init
        $ sniper init --dry-run --json
    """
    from sniper_cli.home import make_home

    emit(
        list(make_home(profile, dry_run=dry_run)), fmt=format_of(output, json), fields=fields, columns=COLUMNS
    )
    if not dry_run:
        note("next: sniper demo, or sniper doctor")
