"""A piece of work that leaves one note, and a look at the notes that were kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from state.database import Database


class Work:
    """Writes one note; knows how often it ran."""

    def __init__(self, before_end: Callable[[Session], Any] | None = None) -> None:
        self.runs = 0
        self._before_end = before_end

    def __call__(self, session: Session) -> str:
        self.runs += 1
        session.execute(sa.text("INSERT INTO note VALUES (1, 'done')"))
        if self._before_end is not None and self.runs == 1:
            self._before_end(session)
        return "by work"


def notes(session: Session) -> list[int]:
    return list(session.execute(sa.text("SELECT id FROM note ORDER BY id")).scalars())


def kept(direct: Database) -> list[int]:
    with direct.read() as session:
        return notes(session)
