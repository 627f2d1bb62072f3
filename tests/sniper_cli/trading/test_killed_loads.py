"""kill -9 at random moments of a batch load by two processes on one account: some rounds of the crash harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.database import Database
from tests.crash.rounds import run_rounds


@pytest.mark.timeout(300)
def test_what_was_acknowledged_stands_once_and_the_books_agree(database: Database, tmp_path: Path) -> None:
    tally = run_rounds(database, tmp_path, rounds=3, seed=11)
    assert tally.recorded >= tally.acknowledged > 0
