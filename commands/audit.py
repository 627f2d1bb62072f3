"""`sniper audit`: the journal, read, verified and handed out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    AfterOption,
    AllOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    WatchOption,
    reads,
    watched,
)
from sniper_cli.output import Column, Format, emit, format_of, note

app = typer.Typer(help="Read, verify and export the hash-chained journal of every act.")

ENTRIES = (
    Column("seq", right=True, priority=0),
    Column("at"),
    Column("actor", priority=3),
    Column("kind", priority=0, style=lambda _: "accent"),
    Column("subject", priority=3, elastic=True),
    Column("what", priority=1, elastic=True),
    Column("data", priority=4, elastic=True),
    Column("hash", priority=4, show=lambda digits: digits[:12]),
)
VERIFICATION = (
    Column("whole", style=lambda whole: "good" if whole else "bad"),
    Column("records"),
    Column("head"),
    Column("breaks", show=lambda breaks: "\n".join(f"{b['seq']}: {b['problem']}" for b in breaks) or "none"),
)
HEAD = (Column("records"), Column("head"))


@app.command()
@reads
def tail(
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only a kind of acts, or a family of kinds (order).")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="Only what is about this id or name.")
    ] = None,
    since: SinceOption = None,
    limit: LimitOption = 50,
    after: AfterOption = None,
    all_: AllOption = False,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the latest acts in the journal, oldest first; a batch of orders as one, unless it is looked into.

    Examples:
        $ sniper audit tail --limit 20
        $ sniper audit tail --kind config --since 1d --json
        $ sniper audit tail --kind order.refused --limit 5
    """
    from sniper_cli.audit.reading import entries, position
    from sniper_cli.context import open_context
    from sniper_cli.moments import parse_moment

    moment = parse_moment(since) if since else None
    start = position(after)
    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            found = entries(
                context.database,
                limit=None if all_ else limit,
                kind=kind,
                subject=subject,
                since=moment,
                after=start,
            )
            if found.more and start is not None:
                onward = f"--after {found.entries[-1].seq}"
                note(f"only {len(found.entries)} shown; {onward}, --limit N or --all for more", "dim")
            elif found.more:
                note(f"only the last {limit} shown; --limit N, --after 0 or --all for more", "dim")
            emit(found.entries, fmt=fmt, fields=fields, columns=ENTRIES, empty="the journal has no such act")

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def verify(
    head: Annotated[
        str | None, typer.Option("--head", help="A head that was kept elsewhere must be in it.")
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Walk the whole chain and name every record changed, removed, inserted or reordered.

    Broken, it exits 1. Who may write the database could also write a new chain: a head kept elsewhere shows that.

    Examples:
        $ sniper audit verify
        $ sniper audit verify --json --fields whole,records
    """
    from sniper_cli.audit.reading import broken, verify_journal
    from sniper_cli.context import open_context

    with open_context(profile) as context:
        found = verify_journal(context.database, head)
    row = {"whole": found.whole, "records": found.records, "head": found.head, "breaks": broken(found)}
    emit(row, fmt=format_of(output, json), fields=fields, columns=VERIFICATION)
    if not found.whole:
        from sniper_cli.audit.reading import as_error

        raise as_error(found)


@app.command()
@reads
def head(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the journal's length and last hash, to be kept where nobody here can change it.

    Examples:
        $ sniper audit head
        $ sniper audit head --json --fields head
    """
    from sniper_cli.audit.reading import head_of
    from sniper_cli.context import open_context

    with open_context(profile) as context:
        records, digits = head_of(context.database)
    emit({"records": records, "head": digits}, fmt=format_of(output, json), fields=fields, columns=HEAD)


@app.command()
@reads
def export(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write; stdout without it.", show_default=False)
    ] = None,
    after: AfterOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.JSONL,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Write the journal as JSON lines that anybody can verify with sha256.

    Each line has seq, previous_hash, hash and body; hash = sha256(previous_hash + body).

    Examples:
        $ sniper audit export
        $ sniper audit export journal.jsonl --after 100
    """
    from sniper_cli.audit.reading import export_journal, position
    from sniper_cli.context import open_context

    with open_context(profile) as context:
        export_journal(
            context.database, file, after=position(after) or 0, fmt=format_of(output, json), fields=fields
        )
    if file is not None:
        note(f"written to {file}")
