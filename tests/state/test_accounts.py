"""Accounts are found and taken; amounts of assets are exact. What moves them is under test with the books."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.accounts import Account, Asset, VenueKind, balance_of, find_account, lock_account
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


def test_an_asset_never_touched_is_zero(database: Database, account: Account) -> None:
    with database.read() as session:
        assert balance_of(session, account.id, "paper:BTC") == 0


def test_an_account_is_found_by_its_name_and_taken(database: Database, account: Account) -> None:
    taken = database.transact(lambda session: lock_account(session, account.id).name)

    with database.read() as session:
        found = find_account(session, "paper")
        assert found is not None
        assert (taken, found.id, find_account(session, "main")) == ("paper", account.id, None)


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
