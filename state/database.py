"""One door to the database, SQLite or Postgres by URL, with transactions that cannot lose an update.

SQLAlchemy's default transactions on SQLite begin deferred and lose updates silently (4 processes × 100
increments gave 129); so a write begins IMMEDIATE here and a read is a plain BEGIN. Transactions are short
and never span a network call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform
from time import monotonic, sleep
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlmodel import Session, create_engine

from state.errors import DatabaseBusy, DatabaseUnavailable

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a writer waits for another one before it gives up."""

BACKENDS = ("sqlite", "postgresql", "postgres")

RETRIED = ("40001", "40P01")
"""Postgres: serialization failure and deadlock; the transaction did not happen and may be tried again."""


class Database:
    """Opens sessions. `read()` sees a snapshot, `write()` is exclusive on SQLite and commits at its end."""

    def __init__(self, url: str, *, durability: str = "normal") -> None:
        """`durability` is SQLite's `synchronous`: `normal` survives kill -9, `full` also a power cut."""
        self.url = normalized(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._durability = durability
        self.engine = self._open()

    def _open(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, pool_pre_ping=True, pool_size=5, max_overflow=10)
        engine = create_engine(self.url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        event.listen(engine, "do_connect", lambda *_: _make_private(self.url))
        event.listen(engine, "connect", self._prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:
        connection.isolation_level = None  # pysqlite's own BEGIN is deferred; _begin_sqlite emits ours
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if self._durability == 'full' else 'NORMAL'}",
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; never waits for a writer on SQLite (WAL)."""
        with self._translated(), self.engine.connect() as connection:
            # A snapshot on Postgres too: a chain or a balance read in two queries must not change between them.
            options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            reader = connection.execution_options(sniper_readonly=True, **options)
            with Session(reader) as session:
                yield session
                session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that writes: begun IMMEDIATE on SQLite, committed at the end, rolled back on any error."""
        with self._translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def transact(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a write transaction; a deadlock or a serialization failure is tried again for a while.

        `work` may run more than once, each time from a clean session, and must have no effect outside it.
        """
        deadline = monotonic() + BUSY_SECONDS
        delay = 0.005
        while True:
            try:
                with self.write() as session:
                    return work(session)
            except DatabaseBusy as error:
                if monotonic() >= deadline or not error.details.get("retry"):
                    raise
                sleep(uniform(0.5, 1.0) * delay)  # noqa: S311 - jitter, not a secret
                delay = min(delay * 2, 0.25)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The driver's errors become ours, with what the person can do about them."""
        try:
            yield
        except DBAPIError as error:
            raise _translate(error, self.display_url) from error

    @property
    def display_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def normalized(url: str) -> URL:
    """`postgres://` and `postgresql://` mean psycopg. Raises DatabaseUnavailable for what is no URL of ours."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in BACKENDS:
        raise DatabaseUnavailable(
            "database_url is neither sqlite:///… nor postgresql://…", hint="sniper config get database_url"
        )
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _make_private(url: URL) -> None:
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


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("sniper_readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _translate(error: DBAPIError, where: str) -> Exception:
    text = str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    if "database is locked" in text:
        return DatabaseBusy(
            f"another process has been writing to {where} for {BUSY_SECONDS:g} s",
            hint="sniper db status",
            retry=False,
        )
    if state in RETRIED:
        return DatabaseBusy("two transactions stood in each other's way", hint="sniper db status", retry=True)
    if isinstance(error, OperationalError) or error.connection_invalidated or type(error) is DatabaseError:
        return DatabaseUnavailable(
            f"the database {where} cannot be used: {_first_line(text)}", hint="sniper doctor"
        )
    return error


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"


def lock_row(session: Session, model: type[T], key: object) -> T | None:
    """Read a row for change: `SELECT … FOR UPDATE` on Postgres.

    On SQLite the write transaction is exclusive: a row read in it once is good until its end, and not read again.
    """
    if session.get_bind().dialect.name == "sqlite":
        return session.get(model, key)
    return session.get(model, key, with_for_update=True, populate_existing=True)


def insert_ignoring(session: Session, model: type[Any], rows: list[dict[str, Any]], keys: list[str]) -> int:
    """Insert rows whose keys are not there yet; how many were new."""
    if not rows:
        return 0
    statement: Any
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(model)
    else:
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        statement = postgres_insert(model)
    # Counted by what comes back: the drivers' row counts do not agree on a list of rows.
    first = sa.inspect(model).local_table.c[keys[0]]
    new = statement.values(rows).on_conflict_do_nothing(index_elements=keys).returning(first)
    return len(session.execute(new).all())


def count_rows(session: Session, model: type[Any]) -> int:
    """How many rows a table holds."""
    return int(session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one())
