"""The journal read, held against a head kept elsewhere, and exported so that an outsider can verify it.

An exported line carries the exact bytes that were hashed: hash = SHA-256(previous hash's hex digits ‖ body).
`jq` and `sha256sum` are enough to check it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.acts import MANY, Act, acts_of
from sniper_cli.books.looking import places
from sniper_cli.errors import JournalBroken, UsageProblem
from sniper_cli.monitoring.sentences import Money, sentence
from sniper_cli.output import Column, Format, emit
from sniper_cli.output.emission import choose
from sniper_cli.settings.paths import write_private
from state.database import Database
from state.journal import (
    GENESIS,
    TRADING,
    Break,
    JournalHead,
    JournalRecord,
    Verification,
    read_forward,
    verify,
)
from state.orders import Order

HASH_DIGITS = 64

PLACES = 8
"""Positions named in one line; the details have all."""


TRADING_FAMILIES = ("order", "position", "account")
"""What acts in trading records are about: their kinds begin so."""
STRETCH = 200
"""Records read at a time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it is shown, with the record that it stands in."""

    seq: int
    at: datetime
    actor: str
    kind: str
    subject: str
    what: str
    """In words."""
    data: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, record: JournalRecord, act: Act) -> Entry:
        listed = act.listed
        money = Money()
        if listed is not None:
            money = Money(listed.quote, listed.decimals, listed.base, listed.base_decimals)
        words = sentence(act.kind, act.data, money)
        return cls(record.seq, record.at, record.actor, act.kind, act.subject, words, act.data, record.hash)


@dataclass(frozen=True, slots=True)
class Entries:
    """Acts, oldest first, and whether there are more of them."""

    entries: list[Entry]
    more: bool


class _Wanted:
    """Which acts are asked for, as a condition on records and on what they tell."""

    def __init__(self, session: Session, kind: str | None, subject: str | None) -> None:
        self.kind, self.subject = kind, subject
        self.conditions: list[Any] = []
        if kind:
            self.conditions.append(self._of_kind(kind))
        if subject:
            self.subject = str(_id(subject) or subject)
            told_in = col(JournalRecord.seq).in_(_places(session, _id(subject)))
            self.conditions.append(sa.or_(col(JournalRecord.subject) == self.subject, told_in))

    @staticmethod
    def _of_kind(kind: str) -> Any:
        found = [col(JournalRecord.kind) == kind, col(JournalRecord.kind).startswith(f"{kind}.")]
        if kind.partition(".")[0] in TRADING_FAMILIES:
            found.append(col(JournalRecord.kind).startswith(TRADING))
        return sa.or_(*found)

    @property
    def most(self) -> int | None:
        """Who looks for something wants each act of it; who just looks is told large records as one."""
        return None if self.kind or self.subject else MANY

    def acts(self, record: JournalRecord, acts: Sequence[Act]) -> list[Entry]:
        return [Entry.of(record, act) for act in acts if self._meant(record, act)]

    def _meant(self, record: JournalRecord, act: Act) -> bool:
        if self.subject and self.subject not in (act.subject, record.subject):
            return False
        if not self.kind or (record.is_trading and f"{self.kind}.".startswith(TRADING)):
            return True
        return act.kind == self.kind or act.kind.startswith(f"{self.kind}.")


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _places(session: Session, subject: UUID | None) -> list[int]:
    """Where trading records tell an order, or a position's orders."""
    if subject is None:
        return []
    query = select(Order).where(sa.or_(col(Order.id) == subject, col(Order.position_id) == subject))
    return places(session, session.exec(query).all())


def entries(
    database: Database,
    *,
    limit: int | None,
    kind: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    after: int | None = None,
) -> Entries:
    """The latest acts, oldest first; with `after`, those that follow a record. `limit`: none means all of them.

    A kind is a whole one or a family (`order` finds `order.filled`). After a position whole records are shown, so that
    the next page begins where this one ends.
    """
    forward = after is not None
    found: list[list[Entry]] = []
    count = 0
    with database.read() as session:
        wanted = _Wanted(session, kind, subject)
        for group in _groups(session, wanted, since, after, forward=forward):
            if limit is not None and forward and count and count + len(group) > limit:
                return Entries([entry for one in found for entry in one], True)
            found.append(group)
            count += len(group)
            if limit is not None and not forward and count > limit:
                break
    ordered = found if forward else found[::-1]
    flat = [entry for group in ordered for entry in group]
    if limit is None or forward:
        return Entries(flat, False)
    return Entries(flat[-limit:] if limit else [], count > limit)


def _groups(
    session: Session, wanted: _Wanted, since: datetime | None, after: int | None, *, forward: bool
) -> Iterator[list[Entry]]:
    """What each record has of what is wanted, in the order of reading."""
    place = col(JournalRecord.seq)
    query = select(JournalRecord).where(*wanted.conditions).limit(STRETCH)
    query = query.order_by(place if forward else sa.desc(place))
    if since is not None:
        query = query.where(JournalRecord.at >= since)
    reached = after
    while True:
        onward = query if reached is None else query.where(place > reached if forward else place < reached)
        records = session.exec(onward).all()
        told = acts_of(session, records, most=wanted.most)
        for record, acts in zip(records, told, strict=True):
            group = wanted.acts(record, acts)
            if group:
                yield group
        if len(records) < STRETCH:
            return
        reached = records[-1].seq
        session.expunge_all()


def verify_journal(database: Database, head: str | None = None) -> Verification:
    """Walk the chain, and hold it against a head that was kept where nobody here can change it."""
    with database.read() as session:
        found = verify(session)
        if head is None:
            return found
        return _against(session, found, require_hash(head))


def require_hash(text: str) -> str:
    """A head as 64 hexadecimal digits. Raises UsageProblem."""
    digits = text.strip().lower()
    if len(digits) != HASH_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise UsageProblem(f"{text!r} is no journal head", hint="sniper audit head")
    return digits


def _against(session: Session, found: Verification, head: str) -> Verification:
    """The kept head must be the hash of some record: later records are fine, another history is not."""
    known = (
        head == GENESIS or session.exec(select(JournalRecord.seq).where(JournalRecord.hash == head)).first()
    )
    if known:
        return found
    lost = Break(
        found.records, f"no record has the head {head[:12]}… that was kept: the journal was rewritten or cut"
    )
    return Verification(found.records, found.head, (*found.breaks, lost))


def head_of(database: Database) -> tuple[int, str]:
    """The journal's length and last hash: what to keep elsewhere."""
    with database.read() as session:
        head = session.get(JournalHead, "journal")
        return (head.seq, head.hash) if head else (0, GENESIS)


EXPORT = (Column("seq"), Column("previous_hash"), Column("hash"), Column("body"))


def export_journal(
    database: Database, file: Path | None, *, after: int, fmt: Format, fields: str | None
) -> None:
    """Write the journal, in order, to a file (0600, whole or not at all) or to stdout."""
    chosen = choose(EXPORT, fields)
    with database.read() as session:
        rows = (_exported(record) for record in read_forward(session, after))
        if fmt is not Format.JSONL:
            emit(rows, columns=chosen, fmt=fmt)
        elif file is None:
            for row in rows:
                sys.stdout.write(_line(row, chosen))
        else:
            write_private(file.absolute(), "".join(_line(row, chosen) for row in rows))


def _line(row: Mapping[str, Any], columns: Sequence[Column]) -> str:
    return json.dumps({column.name: row[column.name] for column in columns}, separators=(",", ":")) + "\n"


def _exported(record: JournalRecord) -> dict[str, Any]:
    """A record with the bytes that were hashed."""
    return {
        "seq": record.seq,
        "previous_hash": record.previous_hash,
        "hash": record.hash,
        "body": record.body,
    }


def position(text: str | None) -> int | None:
    """A place in the journal. Raises UsageProblem."""
    if text is None:
        return None
    if not text.isdigit():
        raise UsageProblem(f"{text!r} is no position in the journal", hint="sniper audit tail")
    return int(text)


def broken(found: Verification) -> list[dict[str, Any]]:
    """The breaks, for JSON."""
    return [{"seq": item.seq, "problem": item.problem} for item in found.breaks]


def as_error(found: Verification) -> JournalBroken:
    """What a broken journal raises: the positions in the message, the problems in the details."""
    places = ", ".join(dict.fromkeys(str(item.seq) for item in found.breaks[:PLACES]))
    more = f" and {len(found.breaks) - PLACES} more" if len(found.breaks) > PLACES else ""
    return JournalBroken(
        f"the journal is broken at {places}{more}: {found.breaks[0].problem}",
        hint="sniper audit export journal.jsonl, and compare it with a copy kept elsewhere",
        breaks=broken(found),
    )
