"""Fills as CSV or Parquet, a million of them in seconds.

Amounts are written as whole assets, exactly. The database does that itself, for a Python call a cell would take longer
than the reading: SQLite by putting the point into the digits, Postgres with its decimals; its rows come by COPY, and
SQLite's go from its cursor into the CSV writer without touching Python in between. Parquet needs pyarrow.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sniper_cli.errors import ConfigurationError, NotFound, UsageProblem
from state.database import Database
from state.reading import Reader, snapshot, uncollected
from state.writing import micros

STRETCH = 50_000
"""Rows of a Parquet row group."""

ZEROS = "0" * 80

TABLES = (
    "FROM fill f JOIN instrument i ON i.id = f.instrument_id JOIN asset b ON b.id = i.base_asset "
    "JOIN asset q ON q.id = i.quote_asset JOIN asset c ON c.id = f.fee_asset "
    'JOIN account a ON a.id = f.account_id JOIN "order" o ON o.id = f.order_id'
)

FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("key", "f.id"),
    "at": ("time", "f.at"),
    "account": ("word", "a.name"),
    "venue": ("word", "i.venue"),
    "instrument": ("word", "i.symbol"),
    "side": ("word", "f.side"),
    "quantity": ("amount", "f.quantity", "b.decimals"),
    "notional": ("amount", "f.notional", "q.decimals"),
    "quote": ("word", "q.symbol"),
    "fee": ("amount", "f.fee", "c.decimals"),
    "fee_asset": ("word", "c.symbol"),
    "realised": ("amount", "f.realised", "q.decimals"),
    "strategy": ("word", "o.strategy"),
    "order_id": ("key", "f.order_id"),
    "client_order_id": ("word", "o.client_order_id"),
    "position_id": ("key", "f.position_id"),
    "venue_trade_id": ("word", "f.venue_trade_id"),
    "record": ("number", "f.seq"),
    "reversed_at": ("time", "f.reversed_at"),
}
"""What a line of fills may have: what kind of value, and where it stands."""
REPEATED = ("account", "venue", "instrument", "side", "quote", "fee_asset", "strategy")
"""Words that come again and again: a dictionary of them is smaller, of ids it would be larger."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fills, and what of them."""

    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    fields: tuple[str, ...] = tuple(FIELDS)
    reversed_too: bool = False
    """Also those that a reorganisation took back."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    file: str | None
    format: str
    fills: int
    bytes: int | None


def export_csv(database: Database, wanted: Wanted, file: Path | None) -> Exported:
    """Write fills as CSV to a file, whole or not at all, or to stdout. Raises NotFound."""
    with snapshot(database) as reader, uncollected():
        query, values = _query(reader, wanted)
        number = reader.number(f"SELECT count(*) {_where(reader, wanted)[0]}", values)
        if file is None:
            _write_csv(reader, query, values, wanted.fields, sys.stdout)
            return Exported(None, "csv", number, None)
        with whole_file(file) as stream:
            _write_csv(reader, query, values, wanted.fields, stream)
    return Exported(str(file), "csv", number, file.stat().st_size)


def _write_csv(
    reader: Reader, query: str, values: Sequence[Any], fields: Sequence[str], stream: IO[str]
) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    if reader.on_sqlite:
        writer.writerows(reader.cursor(query, values))
        return
    stream.flush()
    with reader.copy(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", values) as copy:
        for part in copy:
            stream.write(bytes(part).decode())


def export_parquet(database: Database, wanted: Wanted, file: Path) -> Exported:
    """Write fills as Parquet, whole or not at all. Raises ConfigurationError without pyarrow, NotFound."""
    arrow, parquet = _arrow()
    with snapshot(database) as reader, drafted(file) as draft, uncollected():
        query, values = _query(reader, wanted)
        schema = arrow.schema(_arrow_types(arrow, reader, wanted))
        number, alike = 0, [name for name in wanted.fields if name in REPEATED]
        with parquet.ParquetWriter(draft, schema, compression="zstd", use_dictionary=alike) as writer:
            for rows in reader.stretches(query, values, size=STRETCH):
                columns = [
                    _column(arrow, kind, cells)
                    for kind, cells in zip(schema.types, zip(*rows, strict=True), strict=True)
                ]
                writer.write_batch(arrow.record_batch(columns, schema=schema))
                number += len(rows)
    return Exported(str(file), "parquet", number, file.stat().st_size)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs pyarrow, which is not installed; CSV needs nothing",
            hint="pip install 'sniper-cli[parquet]'",
        ) from error
    return pyarrow, pyarrow.parquet


def _arrow_types(arrow: Any, reader: Reader, wanted: Wanted) -> list[tuple[str, Any]]:
    """Amounts are decimals where all of them fit 38 digits, 18 of them after the point; else text, still exact."""
    finest, coarsest = reader.row("SELECT max(decimals), min(decimals) FROM asset")
    amounts = [name for name in wanted.fields if FIELDS[name][0] == "amount"]
    text = "" if reader.on_sqlite else "::text"
    longest = ", ".join(f"max(length({FIELDS[name][1]}{text}))" for name in amounts) or "0"
    widest = dict(zip(amounts, reader.row(f"SELECT {longest} FROM fill f"), strict=False))  # noqa: S608
    kinds = {"time": arrow.timestamp("us", tz="UTC"), "number": arrow.int64()}
    for name in amounts:
        fits = (finest or 0) <= 18 and (widest[name] or 0) - (coarsest or 0) <= 20
        kinds[name] = arrow.decimal128(38, 18) if fits else arrow.string()
    return [(name, kinds.get(name) or kinds.get(FIELDS[name][0]) or arrow.string()) for name in wanted.fields]


def _column(arrow: Any, kind: Any, cells: Sequence[Any]) -> Any:
    if arrow.types.is_integer(kind):
        return arrow.array(cells, type=kind)
    return arrow.array(cells, type=arrow.string()).cast(kind)


# -- the query ----------------------------------------------------------------------------------------------------


def _query(reader: Reader, wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    spell = _sqlite if reader.on_sqlite else _postgres
    columns = ", ".join(f"{spell(*FIELDS[name])} AS {name}" for name in wanted.fields)
    frame, values = _where(reader, wanted)
    return f"SELECT {columns} {frame} ORDER BY f.id", values


def _where(reader: Reader, wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """The tables with the conditions, and their values."""
    zone = "" if reader.on_sqlite else "+00"
    conditions, values = [], []
    if not wanted.reversed_too:
        conditions.append("f.reversed_at IS NULL")
    if wanted.account is not None:
        row = reader.row("SELECT id FROM account WHERE name = ?", (wanted.account,))
        if row is None:
            raise NotFound(f"there is no account {wanted.account!r}", hint="sniper account list")
        conditions.append("f.account_id = ?")
        values.append(row[0] if reader.on_sqlite else str(row[0]))
    for sign, moment in ((">=", wanted.since), ("<=", wanted.until)):
        if moment is not None:
            from sniper_cli.books.tables import moment as spelled

            conditions.append(f"f.at {sign} ?")
            values.append(spelled(micros(moment)) + zone)
    return f"{TABLES} WHERE {' AND '.join(conditions) or '1 = 1'}", tuple(values)


def _sqlite(kind: str, name: str, decimals: str = "") -> str:
    """A cell as text, on SQLite. Every call of a function there costs a tenth of a microsecond a row."""
    if kind == "time":
        return f"substr({name}, 1, 10) || 'T' || substr({name}, 12) || 'Z'"
    if kind != "amount":
        return name
    size, minus = f"length({name})", f"substr({name}, 2)"
    long = f"substr({name}, 1, {size} - {decimals}) || '.' || substr({name}, -{decimals})"
    short = f"'0.' || substr('{ZEROS}', 1, {decimals} - {size}) || {name}"
    short_minus = f"'-0.' || substr('{ZEROS}', 1, {decimals} - {size} + 1) || {minus}"
    cases = (
        f"WHEN {decimals} = 0 THEN {name} || '.' "
        f"WHEN {name} >= '0' THEN CASE WHEN {size} > {decimals} THEN {long} ELSE {short} END "
        f"WHEN {size} - 1 > {decimals} THEN {long} ELSE {short_minus}"
    )
    return f"rtrim(rtrim(CASE {cases} END, '0'), '.')"


def _postgres(kind: str, name: str, decimals: str = "") -> str:
    """The same on Postgres."""
    if kind == "key":
        return f"replace({name}::text, '-', '')"
    if kind == "time":
        return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    if kind == "amount":
        return f"trim_scale({name} * ('1e-' || {decimals})::numeric)::text"
    return name


# -- files --------------------------------------------------------------------------------------------------------


@contextmanager
def drafted(file: Path) -> Iterator[Path]:
    """A name beside the file to write to; it takes the file's place at the end, and is gone after an error."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageProblem(
            f"{file} cannot be written: {error.strerror}", hint="name a folder that is there"
        ) from error
    os.close(descriptor)
    try:
        yield draft
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def whole_file(file: Path) -> Iterator[IO[str]]:
    """A text file for its owner alone, written whole or not at all."""
    with drafted(file) as draft, draft.open("w", encoding="utf-8", newline="", buffering=1 << 20) as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
