"""What a command opens shows everything that was acknowledged, whoever wrote it and however that ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.books.records import Books
from sniper_cli.context import open_context
from state.database import Database
from state.orders import Order
from state.projections import lag
from tests.books_fixtures import Ledger


@pytest.fixture
def left(home: Path, sniper_inside: Callable[..., Any]) -> Path:
    """A home whose bulk desk died before its rows were brought in; its database."""
    sniper_inside("init")
    file = home / "data" / "sniper.db"
    with Database(f"sqlite:///{file}") as database:
        ledger = Ledger(database)
        ledger.books.close()
        ledger.books = Books(database, actor="bulk", defer_above=0)
        ledger.books._leave_to_projector = lambda: None  # type: ignore[method-assign]
        for number in range(60):
            ledger.buy(100, 1000 + number)
        ledger.books.close()
    return file


def orders(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(Order.id)).all())


@pytest.mark.usefixtures("left")
def test_opening_a_profile_brings_in_what_was_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    with open_context(shows_everything=False) as context, context.database.read() as session:
        assert lag(session) == 60
    with open_context() as context:
        assert orders(context.database) == 60
        with context.database.read() as session:
            assert lag(session) == 0
    assert "60 records are on their way into the tables" in capsys.readouterr().err


@pytest.mark.usefixtures("left")
def test_a_screen_opens_without_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    with open_context(shows_everything=False) as context:
        assert orders(context.database) == 0
    assert capsys.readouterr().err == ""


def test_any_command_that_reads_sees_them(left: Path, sniper_inside: Callable[..., Any]) -> None:
    done = sniper_inside("order", "list", "--all", "--fields", "state", "-o", "csv")
    assert done.code == 0
    assert done.stdout.count("filled") == 60
    assert left.exists()
