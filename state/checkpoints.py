"""SQLite's log moved into the file by a thread of its own, so that no order's COMMIT does it.

A COMMIT that finds 1,000 pages in the log moves them itself and takes 3 to 10 ms for it: the whole latency tail of a
desk. A thread does it twice a second instead. PASSIVE waits for nobody, but lets the log grow as long as somebody
always reads or writes; past 64 MB one RESTART makes writers wait once (0.2 s at most, measured) and it begins anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from threading import Event, Thread

from state.database import Database

PAUSE_SECONDS = 0.5

TOO_LONG = 64 * 2**20
"""Bytes of log."""


class Checkpoints:
    """The thread, from here on until `close`."""

    def __init__(self, database: Database) -> None:
        self._file = Path(str(database.url.database))
        self._over = Event()
        self._thread = Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, with the log moved as far as nobody stands in the way."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.closing(sqlite3.connect(self._file, timeout=1.0, isolation_level=None)) as connection:
            while not self._over.wait(PAUSE_SECONDS):
                _move(connection, "RESTART" if self._length() > TOO_LONG else "PASSIVE")
            _move(connection, "TRUNCATE")

    def _length(self) -> int:
        log = self._file.with_name(f"{self._file.name}-wal")
        return log.stat().st_size if log.exists() else 0


def _move(connection: sqlite3.Connection, how: str) -> None:
    """One checkpoint. Where the database cannot be written, the next COMMIT says so to somebody who can act on it."""
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
