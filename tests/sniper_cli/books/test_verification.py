"""The proof of the books: it passes what is true, finds every figure that somebody changed, and a rebuild mends it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlmodel import select

from sniper_cli.books.cash import move_cash
from sniper_cli.books.differences import MISSING, UNTOLD
from sniper_cli.books.events import Amended, Settled
from sniper_cli.books.rebuild import rebuild
from sniper_cli.books.tables import (
    BALANCES,
    CHANGES,
    ENTRIES,
    FILLS,
    INSTRUMENT_DAYS,
    LOTS,
    MATCHES,
    ORDERS,
    POSITIONS,
    RULES,
    STRATEGY_DAYS,
    Spelling,
)
from sniper_cli.books.verification import Verification, verify
from sniper_cli.trading import recording
from state import schema
from state.accounts import Movement
from state.columns import Exact, Units
from state.database import Database
from state.journal import JournalRecord
from state.orders import OrderState, Side
from state.positions import LotMethod, Position
from tests import first_edition
from tests.books_fixtures import POINT, TOKEN, Ledger

PROJECTED: tuple[Spelling[Any], ...] = (
    ORDERS, CHANGES, FILLS, POSITIONS, LOTS, MATCHES, ENTRIES, BALANCES, STRATEGY_DAYS, INSTRUMENT_DAYS, RULES,
)  # fmt: skip


def live(database: Database) -> Ledger:
    """A life with everything in it: trades, partial sales, a turn to short, gas, a loss, a reorganisation, orders that
    were refused, amended, cancelled and filled afterwards."""
    ledger = Ledger(database)
    ledger.rename(LotMethod.HIFO, Decimal(3))
    ledger.buy(1000, 5000, fee=5, strategy="grid", reason={"origin": "test"})
    ledger.buy(500, 3001, fee=7, fee_asset=TOKEN)
    ledger.buy(40, 241, fee=3, fee_asset=POINT, fee_value=2)
    sold = ledger.sell(700, 4203, fee=4, strategy="grid")
    ledger.gas(sold, 11, "gas-1")
    ledger.write_off(3)
    ledger.sell(5000, 40_001)
    back = ledger.buy(1, 9)
    ledger.undo(back)
    waiting = ledger.open_order(Side.BUY, 100)
    ledger.fill(waiting, 40, 321, "first")
    ledger.turn(
        lambda page: recording.move(page, page.book.find_order(waiting), OrderState.CANCELLED, "enough")
    )
    ledger.fill(waiting, 10, 81, "late")
    resting = ledger.open_order(Side.SELL, 60)
    ledger.turn(lambda page: page.add(Amended(resting, 50, "1.25", 0, None, page.now)))
    ledger.turn(lambda page: ledger.record(page, Side.BUY, 9, state=OrderState.REFUSED, strategy="pairs"))
    ledger.turn(lambda page: page.add(Settled(page.now // 10**6)))
    ledger.turn(lambda page: move_cash(page, POINT, Movement.WITHDRAWAL, -1, reference="out"))
    return ledger


@pytest.fixture
def told(database: Database) -> Iterator[Database]:
    """A database in which something happened, on both kinds."""
    ledger = live(database)
    yield database
    ledger.books.close()


@pytest.fixture(scope="module")
def told_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("told") / "told.db"
    with Database(f"sqlite:///{file}") as database:
        schema.upgrade(database)
        live(database).books.close()
        with database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def copy(told_file: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(told_file, tmp_path / "copy.db")
    with Database(f"sqlite:///{tmp_path / 'copy.db'}") as database:
        yield database


def change(database: Database, statement: str, **values: Any) -> int:
    with database.engine.begin() as connection:
        return connection.execute(sa.text(statement), values).rowcount


def content(database: Database) -> dict[str, list[str]]:
    """Every projected row, ids of ledger entries apart."""
    found = {}
    with database.engine.connect() as connection:
        for spelling in PROJECTED:
            query = sa.text(f'SELECT {spelling.names} FROM "{spelling.table}"')
            found[spelling.table] = sorted(str(tuple(row)) for row in connection.execute(query).all())
    return found


def named(found: Verification) -> set[tuple[str, str]]:
    return {(difference.table, difference.field) for difference in found.findings}


def test_what_is_true_is_whole(told: Database) -> None:
    found = verify(told)

    assert list(found.findings) == []
    assert found.whole
    assert found.rows["order"] == 9
    assert found.rows["fill"] == 8
    assert found.rows["order_change"] == 4


def test_a_rebuild_leaves_every_row_as_it_was(told: Database) -> None:
    before = content(told)

    done = rebuild(told, actor="user:ada")

    assert content(told) == before
    assert done.rows["order"] == 9
    assert verify(told).whole


def test_a_rebuild_brings_back_what_was_deleted_and_keeps_marks_and_exit_rules(told: Database) -> None:
    before = content(told)
    marks = "mark_value = 77, peak_value = 99, exit_rules = :rules"
    change(told, f"UPDATE position SET {marks} WHERE state = 'open'", rules='{"a":1}')
    for spelling in PROJECTED[:-1]:
        if spelling is not POSITIONS:
            change(told, f'DELETE FROM "{spelling.table}"')
    change(told, "UPDATE position SET quantity = 5")
    found = verify(told)
    assert not found.whole

    rebuild(told, actor="user:ada", differences=found.findings.count)

    assert content(told) == before
    assert verify(told).whole
    with told.read() as session:
        positions = session.exec(select(Position).where(Position.mark_value == 77)).all()
        marked = [(p.mark_value, p.peak_value, p.exit_rules) for p in positions]
        record = session.exec(select(JournalRecord).where(JournalRecord.kind == "portfolio.rebuilt")).one()
        session.expunge_all()
    assert marked == [(77, 99, {"a": 1})]
    assert record.actor == "user:ada"
    assert record.data["differences"] == found.findings.count


def test_a_desk_goes_on_after_a_rebuild(told: Database) -> None:
    rebuild(told, actor="user:ada")
    other = Ledger(told)
    other.buy(5, 10)
    other.assert_true()
    other.books.close()

    assert verify(told).whole


COLUMNS = [
    pytest.param(spelling, name, id=f"{spelling.table}-{name}")
    for spelling in PROJECTED
    for name in spelling.columns
    if not (spelling is RULES and name == "id")
]


@pytest.mark.parametrize(("spelling", "name"), COLUMNS)
def test_a_figure_that_somebody_changed_is_found(copy: Database, spelling: Spelling[Any], name: str) -> None:
    key, values = a_row(copy, spelling)
    where = " AND ".join(
        f"{column} = :key_{place}" for place, column in enumerate(spelling.columns[: spelling.keys])
    )
    places = {f"key_{place}": value for place, value in enumerate(key)}
    forged = other_value(spelling, name, values[name])
    assert (
        change(
            copy, f'UPDATE "{spelling.table}" SET "{name}" = :forged WHERE {where}', forged=forged, **places
        )
        == 1
    )

    found = verify(copy)

    is_key = name in spelling.columns[: spelling.keys]
    assert (spelling.table, "row" if is_key else name) in named(found)


@pytest.mark.parametrize("spelling", PROJECTED[:-1], ids=lambda spelling: spelling.table)
def test_a_row_that_somebody_deleted_is_missing(copy: Database, spelling: Spelling[Any]) -> None:
    key, _ = a_row(copy, spelling)
    where = " AND ".join(
        f"{column} = :key_{place}" for place, column in enumerate(spelling.columns[: spelling.keys])
    )
    change(
        copy, f'DELETE FROM "{spelling.table}" WHERE {where}', **{f"key_{p}": v for p, v in enumerate(key)}
    )

    found = verify(copy)

    lost = [d for d in found.findings if d.table == spelling.table and d.field == "row"]
    assert [(d.key, d.found) for d in lost] == [(" ".join(str(part) for part in key), MISSING)]


@pytest.mark.parametrize("spelling", PROJECTED[:-1], ids=lambda spelling: spelling.table)
def test_a_row_that_somebody_added_is_told_by_nobody(copy: Database, spelling: Spelling[Any]) -> None:
    with copy.engine.begin() as connection:
        row = dict(connection.execute(sa.text(f'SELECT * FROM "{spelling.table}" LIMIT 1')).mappings().one())
        fresh = {"id", "order_id", "fill_id", "account_id", "client_order_id"} & row.keys()
        row |= {name: uuid4().hex for name in fresh}
        names, marks = ", ".join(f'"{n}"' for n in row), ", ".join(f":{n}" for n in row)
        connection.execute(sa.text(f'INSERT INTO "{spelling.table}" ({names}) VALUES ({marks})'), row)

    found = verify(copy)

    assert UNTOLD in {d.expected for d in found.findings if d.table == spelling.table}


def test_one_row_put_in_another_ones_place_is_found_twice(copy: Database) -> None:
    """The count is right, and yet one is missing and one too many."""
    change(copy, 'UPDATE "order" SET id = :new WHERE id = (SELECT min(id) FROM "order")', new=uuid4().hex)

    rows = [d.found for d in verify(copy).findings if (d.table, d.field) == ("order", "row")]

    assert sorted(rows) == sorted([MISSING, "there"])


def test_a_spelling_that_means_the_same_is_no_difference(copy: Database) -> None:
    change(copy, "UPDATE \"order\" SET limit_price = '1.250' WHERE limit_price = '1.25'")
    change(copy, 'UPDATE "order" SET reason = \'{ "origin" : "test" }\' WHERE reason <> \'{}\'')

    assert verify(copy).whole


def test_a_record_that_cannot_be_told_is_a_finding_and_no_crash(copy: Database) -> None:
    first = "(SELECT min(seq) FROM journal WHERE body LIKE '%\"sell\"%')"
    change(copy, f"UPDATE journal SET body = replace(body, '\"sell\"', '\"give\"') WHERE seq = {first}")

    found = verify(copy)

    assert not found.whole
    assert [(d.table, d.field, d.expected) for d in found.findings if d.table == "journal"] == [
        ("journal", "record", "can be told")
    ]


def test_a_record_that_cannot_be_told_leaves_other_accounts_proved(copy: Database) -> None:
    other = Ledger(copy)
    other.buy(10, 100)
    other.books.close()
    first = "(SELECT min(seq) FROM journal WHERE body LIKE '%\"sell\"%')"
    change(copy, f"UPDATE journal SET body = replace(body, '\"sell\"', '\"give\"') WHERE seq = {first}")
    change(copy, "UPDATE lot SET cost = '7' WHERE position_id IN (SELECT id FROM position WHERE account_id = :a)",
           a=other.account_id.hex)  # fmt: skip

    found = {(d.table, d.field) for d in verify(copy).findings if d.rule == "journal"}

    assert found == {("journal", "record"), ("lot", "cost")}


@pytest.mark.parametrize("name", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_database_of_the_first_edition_is_whole_and_can_be_rebuilt(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (
        f"sqlite:///{tmp_path / 'old.db'}" if name == "sqlite" else request.getfixturevalue("empty_postgres")
    )
    first_edition.lay(url)
    with Database(url) as database:
        schema.upgrade(database)
        before = content(database)
        found = verify(database)
        assert list(found.findings) == []
        assert found.older["fill"] == 15

        change(database, "UPDATE fill SET realised = 5 WHERE id = (SELECT id FROM fill ORDER BY id LIMIT 1)")
        assert not verify(database).whole

        change(database, "UPDATE fill SET realised = 0 WHERE id = (SELECT id FROM fill ORDER BY id LIMIT 1)")
        change(database, "UPDATE strategy_day SET fills = fills + 1")
        change(database, "UPDATE balance SET amount = 1")
        assert not verify(database).whole
        rebuild(database, actor="user:ada")

        assert content(database) == before
        assert verify(database).whole


def a_row(database: Database, spelling: Spelling[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The key and the values of a row that has as much in it as there is."""
    with database.engine.connect() as connection:
        rows = (
            connection.execute(sa.text(f'SELECT {spelling.names} FROM "{spelling.table}"')).mappings().all()
        )
    fullest = max(rows, key=lambda row: sum(value is not None for value in row.values()))
    return tuple(fullest[column] for column in spelling.columns[: spelling.keys]), dict(fullest)


def other_value(spelling: Spelling[Any], name: str, value: Any) -> Any:
    """Something else that fits the column."""
    kind = sa.inspect(spelling.model).local_table.c[name].type
    if isinstance(kind, sa.Uuid):
        return uuid4().hex
    if isinstance(kind, Units):
        return str(int(value or 0) + 1)
    if isinstance(kind, Exact):
        return str(Decimal(value or 0) + 1)
    if isinstance(kind, sa.Integer):
        return value + 1
    if "DateTime" in type(kind).__name__:
        return "2001-02-03 04:05:06.000007"
    if isinstance(kind, sa.Date):
        return "2001-02-03"
    if isinstance(kind, sa.Enum):
        return next(word for word in kind.enums if word != value)
    return (
        '["forged"]'
        if name == "checks"
        else '{"forged":1}'
        if name in ("reason", "terms")
        else f"{value or ''}!"
    )
