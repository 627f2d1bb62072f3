"""Reading straight from the driver says the same on both databases, of one moment, however much there is."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session

from state.accounts import Asset, LedgerEntry, Movement
from state.database import Database
from state.positions import Position
from state.reading import KEYS, Reader, snapshot, uncollected

KEY = UUID("01a210c4-05db-77dc-9d4b-e65eeb1db25e")
AT = datetime(2026, 3, 1, 12, 30, 15, 42, tzinfo=UTC)


@pytest.fixture
def filled(database: Database) -> Database:
    """A position with amounts beyond any integer column, and twelve hundred assets."""
    with database.write() as session:
        session.add(Position(id=KEY, account_id=uuid4(), instrument_id="x", quantity=-(2**200), opened_at=AT))
        session.add_all(Asset(id=f"asset-{n:04}", symbol="A%", decimals=n % 7) for n in range(1200))
    return database


def entry(session: Session) -> None:
    session.add(
        LedgerEntry(
            account_id=uuid4(),
            asset_id="a",
            movement=Movement.DEPOSIT,
            counterpart="outside",
            amount=1,
            reference="r",
        )
    )


def test_ids_amounts_and_times_are_spelled_alike(filled: Database) -> None:
    with snapshot(filled) as reader:
        names = reader.columns(Position, "id, quantity, opened_at, closed_at, state")
        [row] = reader.rows(f"SELECT {names} FROM position")

    assert tuple(row) == (KEY.hex, str(-(2**200)), "2026-03-01 12:30:15.000042", None, "open")


def test_an_alias_stands_before_every_column(filled: Database) -> None:
    with snapshot(filled) as reader:
        names = reader.columns(Position, "id, quantity", "p")
        assert len(reader.rows(f"SELECT {names} FROM position p JOIN asset a ON a.id = 'asset-0000'")) == 1


def test_a_stream_gives_everything_in_order_some_at_a_time(filled: Database) -> None:
    with snapshot(filled) as reader:
        sizes = [len(part) for part in reader.stretches("SELECT id FROM asset ORDER BY id", size=500)]
        names = [row[0] for row in reader.stream("SELECT id FROM asset ORDER BY id", size=7)]

    assert sizes == [500, 500, 200]
    assert names == [f"asset-{n:04}" for n in range(1200)]


def test_more_keys_than_one_query_takes_are_all_found(filled: Database) -> None:
    wanted = [f"asset-{n:04}" for n in range(KEYS + 100)]
    with snapshot(filled) as reader:
        query = "SELECT id FROM asset WHERE decimals >= ? AND id IN ({keys})"
        found = {row[0] for row in reader.by_keys(query, [*wanted, "nobody"], (0,))}

    assert found == set(wanted)


def test_a_percent_sign_is_itself_with_values_and_without(filled: Database) -> None:
    with snapshot(filled) as reader:
        assert reader.number("SELECT count(*) FROM asset WHERE symbol LIKE 'A%'") == 1200
        assert (
            reader.number("SELECT count(*) FROM asset WHERE symbol LIKE 'A%' AND decimals = ?", (3,)) == 171
        )


def test_nothing_counts_as_nothing(filled: Database) -> None:
    with snapshot(filled) as reader:
        assert reader.number("SELECT max(decimals) FROM asset WHERE id = ?", ("nobody",)) == 0
        assert reader.row("SELECT 1 FROM asset WHERE id = ?", ("nobody",)) is None


def test_all_reads_are_of_one_moment(filled: Database) -> None:
    with snapshot(filled) as reader:
        assert isinstance(reader, Reader)
        assert reader.number("SELECT count(*) FROM ledger_entry") == 0
        with filled.write() as session:
            entry(session)
        assert reader.number("SELECT count(*) FROM ledger_entry") == 0
    with snapshot(filled) as reader:
        assert reader.number("SELECT count(*) FROM ledger_entry") == 1


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_it_was_afterwards(before: bool) -> None:
    was = gc.isenabled()
    try:
        gc.enable() if before else gc.disable()
        with pytest.raises(RuntimeError), uncollected():
            assert not gc.isenabled()
            raise RuntimeError
        assert gc.isenabled() is before
    finally:
        gc.enable() if was else gc.disable()
