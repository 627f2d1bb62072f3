"""Reading a whole table, or thousands of rows by their keys: straight from the driver, and alike on both databases.

The ORM makes an object of every row (20 µs); a driver's cursor gives a tuple for 1 µs. What differs between the
databases is evened out in the query: ids come as 32 hexadecimal digits, amounts as text, times as UTC text with
microseconds, as SQLite keeps them. All reads of a `Reader` see one snapshot, however long it takes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from state.columns import Exact, Units
from state.database import Database

STRETCH = 5_000
"""Rows that come over at a time."""
KEYS = 500
"""Keys of one query."""

_names = count()


class Reader:
    """One transaction that only reads, through its driver's connection. `?` stands for values."""

    def __init__(self, session: Session) -> None:
        self.on_sqlite = session.get_bind().dialect.name == "sqlite"
        self._driver: Any = session.connection().connection.driver_connection

    def rows(self, sql: str, row: Sequence[Any] = ()) -> list[Any]:
        """All that a query finds."""
        return list(self._cursor(sql, row).fetchall())

    def row(self, sql: str, row: Sequence[Any] = ()) -> Any:
        """The first row of a query, or None."""
        return self._cursor(sql, row).fetchone()

    def number(self, sql: str, row: Sequence[Any] = ()) -> int:
        """What a query counts or sums; 0 for nothing."""
        found = self.row(sql, row)
        return 0 if found is None or found[0] is None else int(found[0])

    def stream(self, sql: str, row: Sequence[Any] = (), *, size: int = STRETCH) -> Iterator[Any]:
        """The rows of a query one by one; only `size` of them are in memory."""
        for stretch in self.stretches(sql, row, size=size):
            yield from stretch

    def stretches(self, sql: str, row: Sequence[Any] = (), *, size: int = STRETCH) -> Iterator[list[Any]]:
        """The rows of a query, some thousand at a time."""
        cursor = self._cursor(sql, row, named=True)
        try:
            while found := cursor.fetchmany(size):
                yield found
        finally:
            cursor.close()

    def by_keys(self, sql: str, keys: Sequence[str], before: Sequence[Any] = ()) -> Iterator[Any]:
        """The rows of a query that ends with `IN ({keys})`, ids or words; in no order. `before`: its other values."""
        for first in range(0, len(keys), KEYS):
            part = keys[first : first + KEYS]
            yield from self.rows(sql.format(keys=_marks(len(part))), (*before, *part))

    def cursor(self, sql: str, row: Sequence[Any] = ()) -> Any:
        """A driver's cursor over a query, for what iterates in C; on Postgres it stays on the server."""
        return self._cursor(sql, row, named=True)

    def copy(self, sql: str, row: Sequence[Any] = ()) -> Any:
        """Postgres only: COPY of a query to text, as the server writes it."""
        return (
            self._driver.cursor().copy(_for_postgres(sql), tuple(row))
            if row
            else self._driver.cursor().copy(sql)
        )

    def _cursor(self, sql: str, row: Sequence[Any], *, named: bool = False) -> Any:
        if self.on_sqlite:
            return self._driver.execute(sql, row)
        cursor = self._driver.cursor(f"sniper_{next(_names)}") if named else self._driver.cursor()
        cursor.execute(_for_postgres(sql) if row else sql, tuple(row) or None)
        return cursor

    def columns(self, model: type[SQLModel], names: str, alias: str = "") -> str:
        """Columns of a table for a SELECT, spelled alike on both databases."""
        listed = [name.strip() for name in names.split(",")]
        prefix = f"{alias}." if alias else ""
        if self.on_sqlite:
            return ", ".join(prefix + name for name in listed)
        kinds = sa.inspect(model).local_table.c
        return ", ".join(_as_text(prefix + name, kinds[name].type) for name in listed)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector: a million rows make no cycles, and looking for some takes a tenth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def snapshot(database: Database) -> Iterator[Reader]:
    """A reader of one moment of the database."""
    with database.read() as session:
        yield Reader(session)


def _as_text(name: str, kind: TypeEngine[Any]) -> str:
    if isinstance(kind, sa.Uuid):
        return f"replace({name}::text, '-', '')"
    if isinstance(kind, UTCDateTime | sa.DateTime):
        return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    if isinstance(kind, Units | Exact | sa.Date):
        return f"{name}::text"
    return name


@lru_cache(maxsize=64)
def _marks(size: int) -> str:
    return ", ".join("?" for _ in range(size))


@lru_cache(maxsize=256)
def _for_postgres(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")
