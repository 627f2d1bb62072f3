"""A Postgres with the table that tests of trouble write to."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from state.database import Database


@pytest.fixture
def direct(postgres_database: Database) -> Database:
    """The server, without a wire between; with the table of the tests."""
    with postgres_database.write() as session:
        session.execute(sa.text("CREATE TABLE note (id integer PRIMARY KEY, word text NOT NULL)"))
    return postgres_database
