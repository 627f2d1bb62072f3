"""What there is to say about the database: its schema and its size."""

from __future__ import annotations

from typing import Any

from state import schema
from state.database import Database
from state.journal import JournalHead


def describe(database: Database) -> dict[str, Any]:
    """Schema, size and length of the journal."""
    found = schema.status(database)
    file = schema.sqlite_file(database)
    records = None
    if found.state is schema.SchemaState.CURRENT:
        with database.read() as session:
            head = session.get(JournalHead, "journal")
            records = head.seq if head else 0
    return {
        "database": database.display_url,
        "state": found.state,
        "current": found.current,
        "head": found.head,
        "pending": found.pending,
        "size_bytes": file.stat().st_size if file is not None and file.exists() else None,
        "journal_records": records,
    }


def upgraded(database: Database, *, actor: str, dry_run: bool) -> dict[str, Any]:
    """Upgrade, or say what an upgrade would do. Raises SchemaNewer."""
    if dry_run:
        found = schema.status(database)
        if found.state is schema.SchemaState.NEWER:
            schema.require_current(database)
        return _outcome(database, found.current, found.head, found.pending, None, dry_run=True)
    done = schema.upgrade(database, actor=actor)
    backup = str(done.backup) if done.backup else None
    return _outcome(database, done.before, done.after, done.revisions, backup, dry_run=False)


def _outcome(
    database: Database,
    before: str | None,
    after: str,
    revisions: tuple[str, ...],
    backup: str | None,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "database": database.display_url,
        "before": before,
        "after": after,
        "revisions": revisions,
        "backup": backup,
        "dry_run": dry_run,
    }
