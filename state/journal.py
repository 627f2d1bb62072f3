"""The journal: one append-only record of what was decided and done, chained by hash.

Each record keeps the exact bytes that were hashed (`body`), and hash = SHA-256(previous hash ‖ body), so a
record changed, removed, inserted or moved breaks the chain at its place. The head row says how long the
journal is, so that a cut tail shows too. The tables of orders, fills and positions are projections of it,
written in the same transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import canonical, timestamp, utc_now

GENESIS = "0" * 64
"""What the first record follows."""

PAGE = 1000

TRADING = "desk."
"""Kinds of trading records begin so: their data is a list of events, their subject an account."""


class JournalRecord(SQLModel, table=True):
    """One act. The columns beside `body` repeat parts of it for queries; `verify` holds them against it."""

    __tablename__ = "journal"

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime
    actor: str
    kind: str = Field(index=True)
    subject: str = Field(index=True)
    body: str = Field(sa_type=sa.Text)
    previous_hash: str
    hash: str

    @property
    def data(self) -> dict[str, Any]:
        """What the act was about: the `data` of the body."""
        content: dict[str, Any] = json.loads(self.body)["data"]
        return content

    @property
    def is_trading(self) -> bool:
        """It carries a list of trading events, for one account."""
        return self.kind.startswith(TRADING)


class JournalHead(SQLModel, table=True):
    """The journal's length and last hash; its row is the lock that puts writers in a line on Postgres."""

    __tablename__ = "journal_head"

    name: str = Field(default="journal", primary_key=True)
    seq: int = Field(default=0, sa_type=sa.BigInteger)
    hash: str = GENESIS
    desk_seq: int = Field(default=0, sa_type=sa.BigInteger)
    """The last trading record: the tables of the desk follow up to here."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the journal does not hold: the position, and what is wrong there."""

    seq: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`records` read, the head they lead to, and every break found (none: the journal is whole)."""

    records: int
    head: str
    breaks: tuple[Break, ...]

    @property
    def whole(self) -> bool:
        return not self.breaks


def append(
    session: Session,
    kind: str,
    subject: object,
    data: Mapping[str, Any],
    *,
    actor: str,
    at: datetime | None = None,
) -> JournalRecord:
    """Add one record inside the caller's write transaction: it stands if and only if the act does."""
    connection = session.connection()
    seq, previous = _lock_head(connection)
    seq += 1
    moment = at or utc_now()
    body = canonical(
        {
            "seq": seq,
            "at": timestamp(moment),
            "actor": actor,
            "kind": kind,
            "subject": str(subject),
            "data": dict(data),
        }
    )
    record = JournalRecord(
        seq=seq,
        at=moment,
        actor=actor,
        kind=kind,
        subject=str(subject),
        body=body,
        previous_hash=previous,
        hash=chain_hash(previous, body),
    )
    connection.execute(sa.insert(_RECORDS).values(record.model_dump()))
    connection.execute(sa.update(_HEADS).values(seq=seq, hash=record.hash))
    return record


def _lock_head(connection: sa.Connection) -> tuple[int, str]:
    """The head as it is now, past the session: the desk writes it through statements of its own."""
    query = sa.select(_HEADS.c.seq, _HEADS.c.hash).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        connection.execute(sa.insert(_HEADS).values(name="journal", seq=0, hash=GENESIS, desk_seq=0))
        return 0, GENESIS
    return found.seq, found.hash


_RECORDS: Any = sa.inspect(JournalRecord).local_table
_HEADS: Any = sa.inspect(JournalHead).local_table


def chain_hash(previous: str, body: str) -> str:
    """SHA-256 over the previous hash's hex digits and the body's UTF-8 bytes."""
    return hashlib.sha256(previous.encode() + body.encode()).hexdigest()


def read_forward(session: Session, after: int = 0) -> Iterator[JournalRecord]:
    """Every record after a position, in order, a page at a time."""
    while True:
        query = select(JournalRecord).where(sa.column("seq") > after).order_by(sa.column("seq")).limit(PAGE)
        page = session.exec(query).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq
        session.expunge_all()


def read_latest(
    session: Session, limit: int, *, kind: str | None = None, subject: str | None = None
) -> list[JournalRecord]:
    """The last records, oldest first; `kind` matches a whole kind or a family (`order` finds `order.sent`)."""
    query = select(JournalRecord).order_by(sa.desc(sa.column("seq"))).limit(limit)
    if kind:
        query = query.where(sa.or_(sa.column("kind") == kind, sa.column("kind").startswith(f"{kind}.")))
    if subject:
        query = query.where(sa.column("subject") == subject)
    return list(reversed(session.exec(query).all()))


def verify(session: Session) -> Verification:
    """Walk the whole chain; every record changed, removed, inserted or reordered is named by its position."""
    previous, expected, count = GENESIS, 1, 0
    breaks: list[Break] = []
    for row in _raw_rows(session):
        count += 1
        breaks.extend(Break(row.seq, problem) for problem in _problems(row, expected, previous))
        previous, expected = row.hash, row.seq + 1
    head = session.get(JournalHead, "journal")
    last = expected - 1
    if head is None and last:
        breaks.append(Break(last, "the head row is missing"))
    elif head is not None and head.seq > last:
        gone = f"record {head.seq}" if head.seq == last + 1 else f"records {last + 1} to {head.seq}"
        breaks.append(Break(last + 1, f"{gone} at the end removed"))
    elif head is not None and (head.seq, head.hash) != (last, previous):
        breaks.append(Break(last, "the head row does not match the last record: changed"))
    return Verification(records=count, head=previous, breaks=tuple(breaks))


@dataclass(frozen=True, slots=True)
class _Row:
    """A record as it lies in the database, whatever somebody made of it."""

    seq: int
    at: str
    actor: str
    kind: str
    subject: str
    body: str
    previous_hash: str
    hash: str


def _raw_rows(session: Session) -> Iterator[_Row]:
    """The rows as text: a value that is no time or no JSON any more is a finding, not a crash."""
    table = sa.inspect(JournalRecord).local_table
    names = ("actor", "kind", "subject", "body", "previous_hash", "hash")
    after = None
    while True:
        texts = [sa.cast(table.c[name], sa.Text).label(name) for name in names]
        query = (
            sa.select(table.c.seq, sa.cast(table.c.at, sa.Text).label("at"), *texts)
            .order_by(table.c.seq)
            .limit(PAGE)
        )
        if after is not None:
            query = query.where(table.c.seq > after)
        page = session.connection().execute(query).all()
        for row in page:
            yield _Row(row.seq, row.at or "", *(getattr(row, name) or "" for name in names))
        if len(page) < PAGE:
            return
        after = page[-1].seq


def _problems(row: _Row, expected: int, previous: str) -> Iterator[str]:
    if row.seq > expected:
        gone = f"record {expected}" if row.seq == expected + 1 else f"records {expected} to {row.seq - 1}"
        yield f"{gone} before it removed"
    elif row.seq < expected or row.previous_hash != previous:
        yield "does not follow the record before it: inserted, reordered or its link changed"
    if row.hash != chain_hash(row.previous_hash, row.body):
        yield "its content does not match its hash: changed"
    elif _columns(row) != _from_body(row.body):
        yield "its columns do not match its body: changed"


def _columns(row: _Row) -> tuple[object, ...]:
    return row.seq, _instant(row.at), row.actor, row.kind, row.subject


def _from_body(body: str) -> tuple[object, ...] | None:
    try:
        content = json.loads(body)
        return content["seq"], _instant(content["at"]), content["actor"], content["kind"], content["subject"]
    except (ValueError, KeyError, TypeError):
        return None


def _instant(text: str) -> datetime | None:
    """A time as SQLite (no zone: UTC), Postgres (the session's zone) or the body spells it."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
