"""Statements straight to the driver: where the order path gets its speed.

The ORM's unit of work costs 0.4 ms an order and Core's compiled statements 15 µs each; a driver's `executemany` costs
1 µs a row. So what is written by the thousand goes through here, as text the two databases read alike, in the same
transactions as everything else. On Postgres the statements of one transaction travel together (libpq's pipeline), and
rows by the hundred travel as COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from state.database import Database

T = TypeVar("T")

Row = Sequence[Any]

COPIED = 50
"""From so many rows on, Postgres takes them by COPY: fewer are cheaper as statements in the pipeline."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Writer:
    """One connection of a database, taken for good; or a session's, for as long as its transaction lasts.

    Amounts, ids, words and times go in as text (`str(units)`, 32 hexadecimal digits, `moment(us)`).
    """

    def __init__(self, database: Database, *, session: Session | None = None) -> None:
        self._database = database
        self.on_sqlite = database.is_sqlite
        self._pooled: Any = None
        self._driver: Any = None
        self._cursor: Any = None
        """Of Postgres: making one takes as long as a statement."""
        self._pipeline = ExitStack()
        self._pipelined = False
        if session is not None:
            self._driver = session.connection().connection.driver_connection

    @property
    def driver(self) -> Any:
        """The driver's own connection, opened at its first use."""
        if self._driver is None:
            self._pooled = self._database.engine.raw_connection()
            self._database.lend(self)
            self._driver = self._pooled.driver_connection
            if not self.on_sqlite:
                self._driver.rollback()
                self._driver.autocommit = True  # BEGIN and COMMIT are ours: they travel in the pipeline
        return self._driver

    def leave_checkpoints(self) -> None:
        """On SQLite: somebody else moves the log into the file (`state.checkpoints`)."""
        if self.on_sqlite:
            self.driver.execute("PRAGMA wal_autocheckpoint=0")

    def close(self) -> None:
        """Close the connection: it is not as the pool made it."""
        pooled, self._pooled, self._driver = self._pooled, None, None
        if pooled is None:
            return
        pooled.invalidate()

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """A write transaction: exclusive on SQLite, committed at the end, rolled back on any error.

        On Postgres its statements travel without waiting for each answer, COMMIT with the last of them.
        """
        with self._database.admitted(), self._raised_as_dbapi():
            try:
                if self.on_sqlite:
                    self.run("BEGIN IMMEDIATE")
                else:
                    self._pipeline.enter_context(self.driver.pipeline())
                    self._pipelined = True
                    self.run("BEGIN")
                yield self
                with self._database.committing(self._pooled):
                    self.run("COMMIT")
                    self._leave_pipeline()
            except BaseException:
                self._roll_back()
                raise

    def _leave_pipeline(self) -> None:
        """Wait for everything that was sent."""
        if self._pipelined:
            self._pipelined = False
            self._pipeline.close()

    def _roll_back(self) -> None:
        """Whatever went wrong, the next transaction begins on a connection that has none."""
        if self._driver is None:
            return
        try:
            if self.on_sqlite:
                if self._driver.in_transaction:
                    self._driver.rollback()
                return
            with suppress(
                self._errors()
            ):  # what the pipeline still has to say is the error that brought us here
                self._leave_pipeline()
            self._driver.execute("ROLLBACK")
        except self._errors():
            self.close()  # the connection is gone, and the transaction with it

    def _errors(self) -> Any:
        return self._database.engine.dialect.loaded_dbapi.Error

    @contextmanager
    def _raised_as_dbapi(self) -> Iterator[None]:
        """The driver's errors as SQLAlchemy's, which `Database` translates."""
        try:
            yield
        except self._errors() as error:
            dialect = self._database.engine.dialect
            raise DBAPIError.instance("", None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error

    def run(self, sql: str, row: Row = ()) -> None:
        """One statement, `?` for values."""
        if self.on_sqlite:
            self.driver.execute(sql, row)
        else:
            self._execute(sql, row)

    def _execute(self, sql: str, row: Row) -> Any:
        """On Postgres; without values a `%` stands for itself."""
        if self._cursor is None or self._cursor.connection is not self.driver:
            self._cursor = self.driver.cursor()
        return self._cursor.execute(_for_postgres(sql), row) if row else self._cursor.execute(sql)

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """One statement for many rows."""
        if not rows:
            return
        if len(rows) == 1:
            self.run(sql, rows[0])
            return
        if self.on_sqlite:
            self.driver.executemany(sql, rows)
        else:
            self.driver.cursor().executemany(_for_postgres(sql), rows)

    def insert(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        """New rows; `columns` as in SQL, separated by commas."""
        if not rows:
            return
        if self.on_sqlite or len(rows) < COPIED:
            self.many(insertion(table, columns), rows)
            return
        self._leave_pipeline()  # COPY does not travel in one
        with self.driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)

    def rows(self, sql: str, row: Row = ()) -> list[Any]:
        """What a query finds."""
        if self.on_sqlite:
            found: list[Any] = self.driver.execute(sql, row).fetchall()
            return found
        return list(self._execute(sql, row).fetchall())

    def row(self, sql: str, row: Row = ()) -> Any:
        """The first row of a query, or None."""
        if self.on_sqlite:
            return self.driver.execute(sql, row).fetchone()
        return self._execute(sql, row).fetchone()

    @property
    def for_update(self) -> str:
        """Ends a query whose rows are locked: SQLite's write transaction has locked everything."""
        return "" if self.on_sqlite else " FOR UPDATE"

    def moment(self, micros: int) -> str:
        """A time as the database keeps it: UTC without a zone on SQLite, with one on Postgres."""
        return spelled_moment(micros, on_sqlite=self.on_sqlite)

    def truth(self, value: bool) -> Any:
        return int(value) if self.on_sqlite else value


class Statements:
    """Statements noted down to be written later: what they take to work out is not done while locks are held."""

    def __init__(self, *, on_sqlite: bool) -> None:
        self.on_sqlite = on_sqlite
        self._noted: list[tuple[str, tuple[Any, ...]]] = []

    def insert(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        if rows:
            self._noted.append(("insert", (table, columns, rows)))

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        if rows:
            self._noted.append(("many", (sql, rows)))

    def run(self, sql: str, row: Row = ()) -> None:
        self._noted.append(("run", (sql, row)))

    def moment(self, micros: int) -> str:
        return spelled_moment(micros, on_sqlite=self.on_sqlite)

    def write(self, writer: Writer) -> None:
        """All of them, in their order."""
        for kind, values in self._noted:
            getattr(writer, kind)(*values)


def spelled_moment(micros: int, *, on_sqlite: bool) -> str:
    """A time as the database keeps it: UTC without a zone on SQLite, with one on Postgres."""
    return _moment(micros) if on_sqlite else _moment(micros) + "+00"


@lru_cache(maxsize=256)
def insertion(table: str, columns: str) -> str:
    """The INSERT of a table's columns."""
    marks = ", ".join("?" for _ in columns.split(","))
    return f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of ours


@lru_cache(maxsize=1024)
def _for_postgres(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


@lru_cache(maxsize=4096)
def _moment(micros: int) -> str:
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


def micros(moment: datetime) -> int:
    """A time as microseconds since 1970, whole."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def instant(micros: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return EPOCH + timedelta(microseconds=micros)


def day_of(micros: int) -> date:
    """The day in UTC."""
    return _day(micros // 86_400_000_000)


@lru_cache(maxsize=1024)
def _day(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=days)


def read_micros(value: Any) -> int:
    """A time as a driver gives it back."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return micros(found if found.tzinfo else found.replace(tzinfo=UTC))


def read_hex(value: Any) -> str:
    """An id as a driver gives it back, as 32 hexadecimal digits."""
    if isinstance(value, str):
        return value
    found: str = value.hex if isinstance(value, UUID) else str(value).replace("-", "")
    return found


def transact(database: Database, writer: Writer, work: Callable[[Writer], T]) -> T:
    """Run `work` in a writer's transaction; tried again where the database certainly took nothing of it.

    A COMMIT whose answer was lost is tried again too: what is written here is keyed (client order ids, trade ids,
    references, the place in the journal), so that done twice it counts once.
    """

    def attempt() -> T:
        with writer.transaction():
            return work(writer)

    return database.retried(attempt, idempotent=True)
