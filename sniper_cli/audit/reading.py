"""The journal read, held against a head kept elsewhere, and exported so that an outsider can verify it.

An exported line carries the exact bytes that were hashed: hash = SHA-256(previous hash's hex digits ‖ body).
`jq` and `sha256sum` are enough to check it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.errors import JournalBroken, UsageProblem
from sniper_cli.output import Column, Format, emit
from sniper_cli.output.emission import choose
from sniper_cli.settings.paths import write_private
from state.database import Database
from state.journal import GENESIS, Break, JournalHead, JournalRecord, Verification, read_forward, verify

HASH_DIGITS = 64

PLACES = 8
"""Positions named in one line; the details have all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it is shown."""

    seq: int
    at: datetime
    actor: str
    kind: str
    subject: str
    data: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, record: JournalRecord) -> Entry:
        return cls(record.seq, record.at, record.actor, record.kind, record.subject, record.data, record.hash)


def entries(
    database: Database,
    *,
    limit: int | None,
    kind: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    after: int | None = None,
) -> list[Entry]:
    """The latest records, oldest first; with `after`, those that follow a position. None: all of them."""
    query = select(JournalRecord)
    if kind:
        query = query.where(
            sa.or_(col(JournalRecord.kind) == kind, col(JournalRecord.kind).startswith(f"{kind}."))
        )
    if subject:
        query = query.where(JournalRecord.subject == subject)
    if since is not None:
        query = query.where(JournalRecord.at >= since)
    forward = after is not None
    if after is not None:
        query = query.where(JournalRecord.seq > after)
    query = query.order_by(col(JournalRecord.seq) if forward else sa.desc(col(JournalRecord.seq)))
    if limit is not None:
        query = query.limit(limit)
    with database.read() as session:
        found = [Entry.of(record) for record in session.exec(query).all()]
    return found if forward else found[::-1]


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
