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


class OneFile:
    """Holds a process to the file it opened.

    A file restored or removed under an open connection leaves the connection writing to one without a name: every
    COMMIT succeeds, and all is gone with the process. So the name is looked up before each use and each COMMIT, which
    takes 1.4 µs, and a process whose file is another one does nothing more. That includes the new file: what it
    remembers is of the old one.
    """

    def __init__(self, url: URL) -> None:
        named = url.database not in (None, "", ":memory:") and not str(url.database).startswith("file:")
        self.path = Path(str(url.database)) if named else None
        self._where = url.render_as_string()
        self._identity: tuple[int, int] | None = None

    def opened(self) -> None:
        """A connection was made: the first one says which file it is, the others must have found the same."""
        if self.path is not None and self._identity is None:
            self.path = self.path.absolute()
            self._identity = self._found()
        self.require()

    def require(self) -> None:
        """Raise DatabaseUnavailable if the name belongs to another file by now, or to none."""
        if self._identity is not None and self._found() != self._identity:
            raise DatabaseUnavailable(
                f"the file of {self._where} was moved or replaced while it was open; nothing of this transaction was"
                " kept, and this process must be started again",
                hint="sniper db status",
                reason="moved",
                retry=False,
            )

    def _found(self) -> tuple[int, int] | None:
        assert self.path is not None
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


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
