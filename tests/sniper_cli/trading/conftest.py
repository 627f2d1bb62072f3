"""A desk at the paper market; afterwards what is booked must come out even."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from state.database import Database
from tests.desk_fixtures import assert_books_balance
from tests.paper_fixtures import PaperDesk, paper_desk


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[PaperDesk]:
    with paper_desk(sqlite_database) as desk:
        yield desk
        assert_books_balance(desk.database)
