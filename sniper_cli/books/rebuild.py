"""Writes the projected tables anew from the journal, in one transaction.

For a database whose tables were edited by hand, restored from another moment, or written by a program that was wrong:
the journal is what happened, the tables are only what is read. Marks and exit rules are no part of the journal and
are kept; so is what is older than the journal's telling (`upgraded`). Nobody else writes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from sniper_cli.books.book import Book
from sniper_cli.books.events import decode
from sniper_cli.books.loading import Pairs
from sniper_cli.books.projecting import project
from sniper_cli.books.shelf import TableShelf
from sniper_cli.books.upgraded import Carry, carries, older_keys
from state import journal
from state.accounts import Balance, LedgerEntry
from state.database import Database
from state.orders import Fill, Order, OrderChange
from state.positions import Lot, LotMatch, Position
from state.projections import InstrumentDay, StrategyDay
from state.reading import Reader
from state.writing import Writer, read_hex, read_micros

TABLES: tuple[type[SQLModel], ...] = (
    Order, OrderChange, Fill, Position, Lot, LotMatch, Balance, LedgerEntry, StrategyDay, InstrumentDay,
)  # fmt: skip

KEYS = {"lot_match": "fill_id, lot_id", "ledger_entry": "account_id, asset_id, movement, reference"}
"""What tells rows apart where it is not `id`."""

MARKS = "mark_value, marked_at, peak_value, exit_rules"
PAGE = 50
"""Records in memory at a time."""

REBUILT = "portfolio.rebuilt"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was written: records told, the last of them, and the rows of each table afterwards."""

    records: int
    seq: int
    rows: dict[str, int]


def rebuild(database: Database, *, actor: str, differences: int = 0) -> Rebuilt:
    """Empty the projected tables and fold the journal into them. `differences`: how many made it needed."""

    def work(session: Session) -> Rebuilt:
        writer = Writer(database, session=session)
        _shut_out(writer)
        done = _rewrite(writer, Reader(session))
        data = {"differences": differences, "records": done.records, "rows": done.rows}
        journal.append(session, REBUILT, "desk", data, actor=actor)
        return done

    return database.transact(work, idempotent=True)


def _shut_out(writer: Writer) -> None:
    """Everybody who writes the books takes his account, then the journal's head: so do we, all of them."""
    for query in (
        "SELECT id FROM account ORDER BY id",
        "SELECT seq FROM journal_head",
        "SELECT seq FROM projection",
    ):
        writer.rows(query + writer.for_update)


def _rewrite(writer: Writer, reader: Reader) -> Rebuilt:
    carried = carries(reader)
    older = older_keys(reader, carried)
    writer.run(f"CREATE TEMPORARY TABLE kept_mark AS SELECT id, {MARKS} FROM position")  # noqa: S608
    for model in TABLES:
        _empty(writer, reader, model, older, carried)
    writer.run("UPDATE account SET lot_method = 'fifo', margin = ?, settled_until = 0", ("0",))
    records, seq = _tell(writer)
    _mark(writer)
    writer.run("DROP TABLE kept_mark")
    writer.run("UPDATE projection SET seq = ? WHERE name = 'desk'", (seq,))
    rows = {_name(model): reader.number(f'SELECT count(*) FROM "{_name(model)}"') for model in TABLES}  # noqa: S608
    return Rebuilt(records, seq, rows)


def _name(model: type[SQLModel]) -> str:
    return str(model.__tablename__)


def _empty(
    writer: Writer,
    reader: Reader,
    model: type[SQLModel],
    older: dict[str, set[Any]],
    carried: dict[str, Carry],
) -> None:
    """Delete all rows but those that no journal could bring back."""
    table = _name(model)
    kept = list(_kept(reader, model, older.get(table, set())))
    if model in (StrategyDay, InstrumentDay):
        kept = list(_days_before(reader, model, carried))
    writer.run(f'DELETE FROM "{table}"')  # noqa: S608
    writer.insert(table, ", ".join(_columns(model)), kept)


def _columns(model: type[SQLModel]) -> list[str]:
    return [column.name for column in sa.inspect(model).local_table.columns]


def _kept(reader: Reader, model: type[SQLModel], keys: set[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows with these keys, as they lie in the database."""
    if not keys:
        return
    named, columns = KEYS.get(_name(model), "id"), ", ".join(_columns(model))
    size = len(named.split(","))
    for row in reader.stream(f'SELECT {named}, {columns} FROM "{_name(model)}"'):  # noqa: S608
        key = tuple(part if isinstance(part, str) else read_hex(part) for part in row[:size])
        if (key if size > 1 else key[0]) in keys:
            yield tuple(row[size:])


def _days_before(
    reader: Reader, model: type[SQLModel], carried: dict[str, Carry]
) -> Iterator[tuple[Any, ...]]:
    """The sums that fills before the journal's telling come to, for those after them to be added to."""
    from sniper_cli.books.tables import INSTRUMENT_DAYS, STRATEGY_DAYS

    for account, carry in carried.items():
        if model is StrategyDay:
            yield from (STRATEGY_DAYS.row(account, day) for day in carry.strategy_days.items())
            continue
        held = {
            (row[0], row[1]): row[2:]
            for row in reader.rows(
                f"SELECT {reader.columns(InstrumentDay, 'day, instrument_id, held, basis')} "  # noqa: S608
                "FROM instrument_day WHERE account_id = ?",
                (account,),
            )
        }
        for (day, instrument), figures in carry.instrument_days.items():
            # What was held at an old day's end stands only here; on the day of the upgrade the record tells it.
            figures.held, figures.basis = carry.held(day, instrument) or _pair(
                held.get((str(day), instrument))
            )
            yield INSTRUMENT_DAYS.row(account, ((day, instrument), figures))


def _pair(held: tuple[Any, ...] | None) -> tuple[int, int]:
    return (0, 0) if held is None else (int(held[0]), int(held[1]))


def _tell(writer: Writer) -> tuple[int, int]:
    """Fold every trading record into the tables; how many there are, and the last one."""
    books: dict[str, Book] = {}
    pairs = Pairs(writer)
    query = (
        "SELECT seq, at, subject, body FROM journal "  # noqa: S608
        f"WHERE seq > ? AND kind LIKE 'desk.%' ORDER BY seq LIMIT {PAGE}"
    )
    records, seq = 0, 0
    while rows := writer.rows(query, (seq,)):
        for seq, at, subject, body in rows:
            account = read_hex(subject.replace("-", ""))
            book = books.get(account)
            if book is None:
                book = books[account] = Book(account, TableShelf(writer, account), pairs)
            for event in decode(body).data.events:
                book.apply(event, seq)
            project(writer, book, book.take_changes(), seq, read_micros(at))
            book.forget_recent()
        records += len(rows)
    return records, seq


def _mark(writer: Writer) -> None:
    """Put marks, peaks and exit rules back."""
    columns = [name.strip() for name in MARKS.split(",")]
    given = ", ".join(
        f"{name} = (SELECT k.{name} FROM kept_mark k WHERE k.id = position.id)"  # noqa: S608
        for name in columns
    )
    writer.run(f"UPDATE position SET {given} WHERE id IN (SELECT id FROM kept_mark)")  # noqa: S608
