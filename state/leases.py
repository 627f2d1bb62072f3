"""The rows behind leases: who holds what, until when, and the epoch that fences the last holder off.

Everything here happens inside the caller's transaction. What to use, and what a clock can do to a lease, is told in
`state.locks`, which is also where the rest imports these names from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import utc_now
from state.database import insert_ignoring, lock_row
from state.errors import LeaseLost, RowNotFound
from state.identifiers import new_id, short
from state.processes import Alive, Process, this_process
from state.writing import Writer

TTL = timedelta(seconds=15)
"""How long a lease lasts without being renewed."""

NAME = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,199}", re.ASCII)
"""What a lock may be called: it is pasted into a shell (`sniper db unlock`) and into a comment of SQL."""

LONG_AGO = datetime.fromtimestamp(0, UTC)


class Lease(SQLModel, table=True):
    """Who does a piece of work now. `epoch` is the fencing token; `holder` is empty once it was given back."""

    name: str = Field(primary_key=True)
    holder: str
    """Names one taking of the lease, never used again."""
    epoch: int
    expires_at: datetime
    host: str = Field(default="", sa_column_kwargs={"server_default": ""})
    machine: str = Field(default="", sa_column_kwargs={"server_default": ""})
    pid: int | None = Field(default=None, sa_type=sa.BigInteger)
    process_started: str = Field(default="", sa_column_kwargs={"server_default": ""})
    purpose: str = Field(default="", sa_column_kwargs={"server_default": ""})
    taken_at: datetime | None = None
    renewed_at: datetime | None = None

    @property
    def alive(self) -> Alive | None:
        """Whether the holder's process still runs; None where nobody holds it or no process is named."""
        if not self.holder or self.pid is None:
            return None
        return Process(self.host, self.machine, self.pid, self.process_started).alive

    def is_held(self, now: datetime) -> bool:
        """Whether it is kept from others at this moment."""
        return bool(self.holder) and self.expires_at > now and self.alive is not Alive.NO


@dataclass(frozen=True, slots=True)
class Owner:
    """One taking of a lease: a name of its own, the process, and what for."""

    holder: str
    process: Process
    purpose: str = ""


def new_owner(purpose: str = "") -> Owner:
    """This process, about to take a lease."""
    process = this_process()
    return Owner(f"{process.host}:{process.pid}:{short(new_id())}", process, purpose)


def take_lease(session: Session, name: str, owner: Owner, ttl: timedelta = TTL) -> int | None:
    """Take or renew a lease in the caller's write transaction; its epoch, or None while somebody else holds it."""
    require_name(name)
    lease = lock_row(session, Lease, name)
    if lease is None:
        first = _values(owner, clock(session), ttl) | {"name": name, "epoch": 1}
        if insert_ignoring(session, Lease, [first], ["name"]):
            return 1
        lease = lock_row(session, Lease, name)  # another one was faster
        assert lease is not None
    now = clock(session)  # after the wait for the row
    _rein_in(lease, now)
    session.add(lease)
    if lease.holder != owner.holder:
        if lease.is_held(now):
            return None
        lease.epoch += 1
        lease.taken_at = now
    for column, value in _values(owner, now, ttl).items():
        if column != "taken_at":
            setattr(lease, column, value)
    return lease.epoch


def renew_lease(session: Session, name: str, owner: Owner, epoch: int, ttl: timedelta = TTL) -> bool:
    """Hold on for another while; False if it is no longer this owner's. Never takes over."""
    lease = lock_row(session, Lease, name)
    if lease is None or (lease.holder, lease.epoch) != (owner.holder, epoch):
        return False
    now = clock(session)
    lease.renewed_at, lease.expires_at = now, now + ttl
    session.add(lease)
    return True


def require_lease(session: Session, name: str, epoch: int) -> None:
    """Raise LeaseLost unless the lease still has this epoch: whoever lost it can place nothing.

    In a write transaction the lease cannot change hands before the transaction has ended (FOR SHARE on Postgres).
    """
    connection = session.connection()
    shared = connection.dialect.name != "sqlite" and not is_reader(session)
    lease = session.get(
        Lease, name, with_for_update={"read": True} if shared else None, populate_existing=shared
    )
    if lease is None or lease.epoch != epoch or not lease.holder:
        raise _not_held(name, epoch)


def require_lease_on(writer: Writer, name: str, epoch: int) -> None:
    """The same through a writer's connection, in its transaction."""
    query = "SELECT epoch, holder FROM lease WHERE name = ?"
    if not writer.on_sqlite:
        query += " FOR SHARE"
    found = writer.row(query, (name,))
    if found is None or found[0] != epoch or not found[1]:
        raise _not_held(name, epoch)


def _not_held(name: str, epoch: int) -> LeaseLost:
    return LeaseLost(
        f"this process no longer holds the lease {name!r}", hint="sniper db locks", lease=name, epoch=epoch
    )


def release_lease(session: Session, name: str, holder: str) -> None:
    """Give a lease back, so that the next one need not wait for it to expire."""
    lease = lock_row(session, Lease, name)
    if lease is not None and lease.holder == holder:
        _free(lease)
        session.add(lease)


def break_lease(session: Session, name: str) -> Lease:
    """Take a lease from its holder, whoever that is. The epoch grows, so that the holder is fenced off.

    Raises RowNotFound.
    """
    lease = lock_row(session, Lease, name)
    if lease is None:
        raise RowNotFound(f"there is no lease {name!r}", hint="sniper db locks")
    lease.epoch += 1
    _free(lease)
    session.add(lease)
    return lease


def leases(session: Session) -> list[Lease]:
    """All leases, by name."""
    return list(session.exec(select(Lease).order_by(sa.column("name"))).all())


def clock(session: Session) -> datetime:
    """The one clock that decides about leases: the database's on Postgres, the machine's on SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        return utc_now()
    moment: datetime = session.connection().execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def _values(owner: Owner, now: datetime, ttl: timedelta) -> dict[str, object]:
    return {
        "holder": owner.holder,
        "host": owner.process.host,
        "machine": owner.process.machine,
        "pid": owner.process.pid,
        "process_started": owner.process.started,
        "purpose": owner.purpose,
        "taken_at": now,
        "renewed_at": now,
        "expires_at": now + ttl,
    }


def _rein_in(lease: Lease, now: datetime) -> None:
    """A lease renewed in the future: the clock went back since. It gets its own length from now, once."""
    if lease.holder and lease.renewed_at is not None and lease.renewed_at > now:
        lease.expires_at = now + (lease.expires_at - lease.renewed_at)
        lease.renewed_at = now


def _free(lease: Lease) -> None:
    lease.holder, lease.expires_at = "", LONG_AGO


def require_name(name: str) -> None:
    """Raise ValueError for what no lock may be called."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a lock")


def is_reader(session: Session) -> bool:
    """Whether the session is one of `Database.read()`."""
    return bool(session.connection().get_execution_options().get("sniper_readonly"))
