"""Accounts to trade on; afterwards the tables must be what the journal tells."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from state.database import Database
from tests.books_fixtures import Ledger


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    found = Ledger(database)
    yield found
    found.assert_true()
    found.books.close()


@pytest.fixture
def margin(database: Database) -> Iterator[Ledger]:
    """An account that may be short."""
    found = Ledger(database, margin=Decimal(3))
    yield found
    found.assert_true()
    found.books.close()
