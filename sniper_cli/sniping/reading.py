"""Launches for people: lists, one by its id or address, and the checks of its report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.errors import NotFound, UsageProblem
from state.identifiers import SHORT
from state.launches import Launch, Verdict


def launches(
    session: Session,
    *,
    limit: int | None,
    after: str | None = None,
    since: datetime | None = None,
    verdict: Verdict | None = None,
) -> Sequence[Launch]:
    """Launches, newest first, from the one after `after` on. Raises NotFound."""
    query = select(Launch).order_by(sa.desc(col(Launch.id))).limit(limit)
    if verdict is not None:
        query = query.where(Launch.verdict == verdict)
    if since is not None:
        query = query.where(col(Launch.seen_at) >= since)
    if after is not None:
        query = query.where(col(Launch.id) < named(session, after).id)
    found = session.exec(query).all()
    session.expunge_all()
    return found


def launch_named(session: Session, name: str) -> Launch:
    """A launch by its id, by the tail of it, by its token or its pool. Raises NotFound."""
    launch = named(session, name)
    session.expunge_all()
    return launch


def named(session: Session, name: str) -> Launch:
    """As `launch_named`, still in the session."""
    word = name.strip().lower()
    query = select(Launch).order_by(sa.desc(col(Launch.id)))
    if word.startswith("0x"):
        query = query.where(sa.or_(col(Launch.token) == word, col(Launch.pool) == word))
    elif (identifier := _uuid(word)) is not None:
        query = query.where(Launch.id == identifier)
    else:
        tail = "".join(letter for letter in word if letter in "0123456789abcdef")
        if len(word) > SHORT or tail != word or not word:
            raise _unknown(name)
        query = query.where(sa.cast(col(Launch.id), sa.String).endswith(tail))
    launch = session.exec(query).first()
    if launch is None:
        raise _unknown(name)
    return launch


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no launch {name!r}", hint="sniper snipe launches", launch=name)


def verdict_named(name: str | None) -> Verdict | None:
    """A verdict by its name. Raises UsageProblem."""
    if name is None:
        return None
    try:
        return Verdict(name.strip().lower().replace("-", "_"))
    except ValueError:
        known = ", ".join(verdict.value for verdict in Verdict)
        raise UsageProblem(f"{name!r} is no verdict: {known}", hint="sniper snipe launches --help") from None
