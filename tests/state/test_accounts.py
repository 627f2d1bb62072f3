"""The ledger counts every movement once, and a balance is the sum of its entries."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from state.accounts import (
    Account,
    Asset,
    LedgerEntry,
    Movement,
    VenueKind,
    balance_of,
    find_account,
    lock_account,
    post,
)
from state.database import Database
from state.errors import RowNotFound
from state.identifiers import new_id, short


@pytest.fixture
def account(database: Database) -> Account:
    with database.write() as session:
        session.add(Asset(id="paper:USDT", symbol="USDT", decimals=6))
        session.flush()
        found = Account(name="paper", venue=VenueKind.PAPER, reporting_asset="paper:USDT")
        session.add(found)
    return found


def book(database: Database, account: Account, amount: int, reference: str) -> bool:
    return database.transact(
        lambda session: post(session, account.id, "paper:USDT", Movement.DEPOSIT, amount, reference=reference)
    )


def test_a_movement_changes_the_balance(database: Database, account: Account) -> None:
    assert book(database, account, 2**200, "one")
    assert book(database, account, -5, "two")

    with database.read() as session:
        assert balance_of(session, account.id, "paper:USDT") == 2**200 - 5


def test_the_same_movement_counts_once(database: Database, account: Account) -> None:
    book(database, account, 100, "one")

    assert not book(database, account, 100, "one")
    with database.read() as session:
        assert balance_of(session, account.id, "paper:USDT") == 100
        assert len(session.exec(select(LedgerEntry)).all()) == 1


def test_the_balance_is_the_sum_of_its_entries(database: Database, account: Account) -> None:
    for number in range(20):
        book(database, account, (-1) ** number * number * 10**70, str(number))

    with database.read() as session:
        entries = session.exec(select(LedgerEntry)).all()
        assert balance_of(session, account.id, "paper:USDT") == sum(entry.amount for entry in entries)


def test_an_asset_never_touched_is_zero(database: Database, account: Account) -> None:
    with database.read() as session:
        assert balance_of(session, account.id, "paper:BTC") == 0


def test_taking_an_account_moves_its_version(database: Database, account: Account) -> None:
    database.transact(lambda session: lock_account(session, account.id))

    with database.read() as session:
        assert find_account(session, "paper").version == 1


def test_an_account_that_is_not_there_is_exit_7(database: Database) -> None:
    with pytest.raises(RowNotFound) as caught, database.write() as session:
        lock_account(session, new_id())
    assert caught.value.exit == 7


@given(units=st.integers(min_value=-(2**256) + 1, max_value=2**256 - 1), decimals=st.integers(0, 77))
def test_units_and_amounts_are_the_same_number(units: int, decimals: int) -> None:
    asset = Asset(id="x", symbol="X", decimals=decimals)

    assert asset.units(asset.amount(units)) == units


def test_an_amount_finer_than_the_asset_is_refused() -> None:
    with pytest.raises(ValueError, match="finer"):
        Asset(id="x", symbol="X", decimals=2).units(Decimal("0.001"))


def test_ids_grow_and_their_tails_differ() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len({short(identifier) for identifier in ids}) == 1000
