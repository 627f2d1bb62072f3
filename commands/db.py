"""`sniper db`: the schema, and who holds what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    WatchOption,
    YesOption,
    complete_leases,
    reads,
    watched,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of

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


def _seconds(left: timedelta) -> str:
    return f"{left.total_seconds():.0f} s"


ALIVE = {"yes": "good", "no": "bad"}
LOCKS = (
    Column("kind", priority=2),
    Column("name", priority=0),
    Column("holder", priority=1, elastic=True),
    Column("host", in_table=False),
    Column("pid", in_table=False),
    Column("alive", header="alive here", priority=1, style=ALIVE.get),
    Column("purpose", priority=3),
    Column("epoch", right=True, priority=2),
    Column("held", priority=0, style=lambda held: "good" if held else "dim"),
    Column("expires_in", header="expires in", show=_seconds, right=True, priority=2),
    Column("expired", in_table=False),
    Column("expires_at", in_table=False),
    Column("taken_at", header="taken", priority=5),
    Column("renewed_at", in_table=False),
    Column("backend", priority=3),
    Column("waits_for", header="waits for", priority=3),
    Column("since", priority=4),
    Column("statement", elastic=True, priority=6),
)
SERVER = ("kind", "backend", "waits_for", "since", "statement")
LEASES = tuple(replace(column, in_table=False) if column.name in SERVER else column for column in LOCKS)
"""On SQLite there are only leases."""
UNLOCK = (
    Column("name"),
    Column("holder"),
    Column("host"),
    Column("pid"),
    Column("alive", header="alive here", style=ALIVE.get),
    Column("purpose"),
    Column("epoch"),
    Column("new_epoch"),
    Column("broken"),
    Column("dry_run"),
)
NameArgument = Annotated[
    str, typer.Argument(help="The lease.", metavar="NAME", autocompletion=complete_leases)
]


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
    watch: WatchOption = None,
) -> None:
    """List the leases that processes hold; on Postgres also advisory locks and who waits for whom.

    Examples:
        $ sniper db locks
        $ sniper db locks --fields kind,name,holder,alive,expires_in
    """
    from sniper_cli.context import open_context
    from sniper_cli.database_locks import held_locks

    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            emit(
                held_locks(context.database),
                fmt=fmt,
                fields=fields,
                columns=LEASES if context.database.is_sqlite else LOCKS,
                empty="nobody ever took a lease",
            )

        watched(watch, format_of(output, json), show)


@app.command()
@writes
def unlock(
    name: NameArgument,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Take a lease from its holder, which can then write nothing more under it.

    Examples:
        $ sniper db unlock nightly-report --dry-run
        $ sniper db unlock nightly-report --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.database_locks import describe, unlock

    with open_context(profile) as context:
        if not dry_run:
            held = describe(context.database, name)
            runs = {"yes": "still runs", "no": "is gone"}.get(held["alive"] or "", "may still run elsewhere")
            if held["holder"]:
                confirm(f"Take the lease {name} from {held['holder']}, which {runs}?", yes=yes)
        result = unlock(context.database, name, actor=context.actor, dry_run=dry_run)
        emit(result, fmt=format_of(output, json), fields=fields, columns=UNLOCK)
