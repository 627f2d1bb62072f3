"""Who holds what in the database, who waits for whom, and how a lease is taken from a holder that hangs."""

from __future__ import annotations

from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from sqlmodel import Session

from state import journal
from state.database import Database
from state.errors import RowNotFound
from state.locks import Lease, break_lease, clock, leases, lock_key
from state.schema import UPGRADE_LOCK

BROKEN = "lease.broken"


def held_locks(database: Database) -> list[dict[str, Any]]:
    """Every lease; on Postgres also advisory locks, blocked sessions, and those that block them."""
    with database.read() as session:
        now = clock(session)
        found = leases(session)
        rows = [_lease_row(lease, now) for lease in found]
        if not database.is_sqlite:
            names = {UPGRADE_LOCK: "schema upgrade"} | {lock_key(lease.name): lease.name for lease in found}
            rows += _server_rows(session, names)
    return rows


def unlock(database: Database, name: str, *, actor: str, dry_run: bool) -> dict[str, Any]:
    """Break a lease, in the journal under `lease.broken`: its holder is fenced off. Nothing is done to a free one.

    Raises RowNotFound.
    """
    if dry_run:
        before = describe(database, name)
        return _outcome(before, before["epoch"] + bool(before["holder"]), dry_run=True)
    return database.transact(lambda session: _break(session, name, actor))


def describe(database: Database, name: str) -> dict[str, Any]:
    """One lease as `held_locks` tells it. Raises RowNotFound."""
    with database.read() as session:
        return _lease_row(_find(session, name), clock(session))


def _break(session: Session, name: str, actor: str) -> dict[str, Any]:
    before = _lease_row(_find(session, name), clock(session))
    if not before["holder"]:
        return _outcome(before, before["epoch"], dry_run=False)
    epoch = break_lease(session, name).epoch
    data = {key: before[key] for key in ("holder", "host", "pid", "purpose", "epoch", "expires_at")}
    journal.append(session, BROKEN, name, {**data, "new_epoch": epoch}, actor=actor)
    return _outcome(before, epoch, dry_run=False)


def _find(session: Session, name: str) -> Lease:
    lease = session.get(Lease, name)
    if lease is None:
        near = get_close_matches(name, [each.name for each in leases(session)], n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise RowNotFound(f"there is no lease {name!r}{meant}", hint="sniper db locks")
    return lease


def _outcome(before: dict[str, Any], epoch: int, *, dry_run: bool) -> dict[str, Any]:
    kept = {key: before[key] for key in ("name", "holder", "host", "pid", "alive", "purpose", "epoch")}
    return {**kept, "new_epoch": epoch, "broken": bool(before["holder"]) and not dry_run, "dry_run": dry_run}


def _lease_row(lease: Lease, now: datetime) -> dict[str, Any]:
    left = lease.expires_at - now
    return {
        "kind": "lease",
        "name": lease.name,
        "holder": lease.holder,
        "host": lease.host or None,
        "pid": lease.pid,
        "alive": lease.alive,
        "purpose": lease.purpose,
        "epoch": lease.epoch,
        "held": lease.is_held(now),
        "expires_in": max(left, timedelta()) if lease.holder else None,
        "expired": bool(lease.holder) and left <= timedelta(),
        "expires_at": lease.expires_at if lease.holder else None,
        "taken_at": lease.taken_at,
        "renewed_at": lease.renewed_at,
    }


def _server_rows(session: Session, names: dict[int, str]) -> list[dict[str, Any]]:
    from state.sessions import server_locks

    return [
        {
            "kind": lock.kind,
            "name": lock.name,
            "host": lock.host,
            "pid": lock.pid,
            "backend": lock.backend,
            "waits_for": list(lock.waits_for),
            "since": lock.since,
            "statement": lock.statement,
        }
        for lock in server_locks(session, names)
    ]
