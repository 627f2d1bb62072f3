"""Who waits for whom on a Postgres: its advisory locks, blocked sessions, and those they wait for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from state.postgres import client_of

LOCK_NAME = re.compile(r"/\* lock (\S+) \*/")
"""How `state.locks.exclusive` tells the name behind a number."""

STATEMENT = 200
"""Characters of a statement that are shown."""

ADVISORY = sa.text("""
SELECT l.pid AS backend, (l.classid::bigint << 32) | l.objid::bigint AS key, a.application_name AS application,
       coalesce(a.xact_start, a.state_change) AS since, a.query AS statement
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY since, backend
""")
BLOCKED = sa.text("""
SELECT a.pid AS backend, pg_blocking_pids(a.pid) AS waits_for, a.application_name AS application,
       coalesce(l.waitstart, a.query_start) AS since, a.query AS statement, l.locktype AS kind,
       CASE WHEN l.locktype = 'advisory' THEN (l.classid::bigint << 32) | l.objid::bigint END AS key,
       l.relation::regclass::text AS relation
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()
ORDER BY since, backend
""")
BLOCKING = sa.text("""
SELECT pid AS backend, application_name AS application, coalesce(xact_start, state_change) AS since,
       query AS statement
FROM pg_stat_activity WHERE pid = ANY(:backends) ORDER BY since, backend
""")


@dataclass(frozen=True, slots=True)
class ServerLock:
    """An advisory lock that is held, a session that is blocked, or one that blocks it (`kind`)."""

    kind: str
    name: str
    backend: int
    since: datetime | None
    host: str | None
    pid: int | None
    """The client's, where it is a Sniper."""
    statement: str
    waits_for: tuple[int, ...] = ()


def server_locks(session: Session, names: dict[int, str]) -> list[ServerLock]:
    """Everything held or waited for in this database; `names` are of keys known beforehand."""
    connection = session.connection()
    held = connection.execute(ADVISORY).mappings().all()
    blocked = connection.execute(BLOCKED).mappings().all()
    blockers = sorted({backend for row in blocked for backend in row["waits_for"] if backend})
    blocking = connection.execute(BLOCKING, {"backends": blockers}).mappings().all() if blockers else []
    known = dict(names)
    for row in (*held, *blocked):  # whoever waits names the lock for the one that holds it
        if row["key"] is not None and (found := LOCK_NAME.search(row["statement"] or "")):
            known[row["key"]] = found[1]
    return [
        *(_lock("advisory", known.get(row["key"], str(row["key"])), row) for row in held),
        *(_lock("blocked", _wanted(row, known), row, tuple(row["waits_for"])) for row in blocked),
        *(_lock("blocking", "", row) for row in blocking),
    ]


def _lock(kind: str, name: str, row: Any, waits_for: tuple[int, ...] = ()) -> ServerLock:
    host, pid = client_of(row["application"] or "") or (None, None)
    statement = " ".join((row["statement"] or "").split())[:STATEMENT]
    return ServerLock(kind, name, row["backend"], row["since"], host, pid, statement, waits_for)


def _wanted(row: Any, known: dict[int, str]) -> str:
    """What a blocked session waits for: an advisory lock by its name, or the kind of lock and the table."""
    if row["key"] is not None:
        return known.get(row["key"], str(row["key"]))
    return f"{row['kind']} {row['relation']}" if row["relation"] else str(row["kind"])
