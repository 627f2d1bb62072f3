"""What only SQLite needs: a private file, its pragmas, a BEGIN that locks, and an end where SQLite ended by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Connection, ExceptionContext

from state.errors import DatabaseUnavailable


def prepare(driver: Any, busy_seconds: float, *, synchronous: str) -> None:
    """Pragmas of a new connection."""
    driver.isolation_level = None  # pysqlite's own BEGIN is deferred; `begin` emits ours
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={'FULL' if synchronous == 'full' else 'NORMAL'}",
        f"busy_timeout={int(busy_seconds * 1000)}",
        "foreign_keys=ON",
    ):
        driver.execute(f"PRAGMA {pragma}")


def make_private(url: URL) -> None:
    """Make the folder of a SQLite file, those above it and the file itself for the owner alone."""
    if url.database in (None, "", ":memory:"):
        return
    file = Path(str(url.database)).expanduser()
    folder = file.parent
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)
    except OSError as error:
        raise DatabaseUnavailable(
            f"the database {file} cannot be made: {error.strerror}",
            hint="SNIPER_HOME=/a/writable/folder sniper init",
        ) from error


def begin(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("sniper_readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def end_with_it(context: ExceptionContext) -> None:
    """Some errors (a full disk, I/O) make SQLite roll back by itself, in mid-transaction.

    Whoever swallowed one would go on in autocommit, each statement for itself. So the connection is given up: what
    follows in this transaction fails.
    """
    connection = context.connection
    if connection is None or not connection.in_transaction() or connection.invalidated:
        return
    name = str(getattr(context.original_exception, "sqlite_errorname", "SQLITE_BUSY"))
    driver: Any = connection.connection.driver_connection
    if not name.startswith("SQLITE_BUSY") and not driver.in_transaction:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False
