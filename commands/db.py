"""`sniper db`: the schema and who holds what."""

from __future__ import annotations

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, emit, format_of

app = typer.Typer(help="Upgrade and inspect the database.")

STATUS = (
    Column("database"),
    Column("state", style=lambda state: "good" if state == "current" else "bad"),
    Column("current"),
    Column("head"),
    Column("pending"),
    Column("size_bytes"),
    Column("journal_records"),
)
UPGRADE = (
    Column("database"),
    Column("before"),
    Column("after"),
    Column("revisions"),
    Column("backup"),
    Column("dry_run"),
)
LOCKS = (
    Column("name", priority=0),
    Column("holder", priority=0, elastic=True),
    Column("epoch", right=True),
    Column("held", style=lambda held: "good" if held else "dim"),
    Column("expires_at"),
)


@app.command()
@reads
def status(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show which schema the database has and which one this Sniper needs.

    Examples:
        $ sniper db status
        $ sniper db status --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.database_report import describe

    with open_context(profile, needs_schema=False) as context:
        emit(describe(context.database), fmt=format_of(output, json), fields=fields, columns=STATUS)


@app.command()
@writes
def upgrade(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Bring the schema up to date; a SQLite database is copied first.

    Examples:
        $ sniper db upgrade --dry-run
        $ sniper db upgrade
    """
    from sniper_cli.context import open_context
    from sniper_cli.database_report import upgraded

    with open_context(profile, needs_schema=False) as context:
        result = upgraded(context.database, actor=context.actor, dry_run=dry_run)
        emit(result, fmt=format_of(output, json), fields=fields, columns=UPGRADE)


@app.command()
@reads
def locks(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the leases that runners hold.

    Examples:
        $ sniper db locks
        $ sniper db locks --fields name,holder,epoch
    """
    from sniper_cli.context import open_context
    from sniper_cli.database_report import held_leases

    with open_context(profile) as context:
        emit(
            held_leases(context.database),
            fmt=format_of(output, json),
            fields=fields,
            columns=LOCKS,
            empty="no runner ever took a lease",
        )
