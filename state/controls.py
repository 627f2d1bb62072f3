"""What holds runners in check across processes: leases with fencing epochs, and the kill switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import utc_now
from state.database import lock_row
from state.errors import LeaseLost

GLOBAL = "global"


class Lease(SQLModel, table=True):
    """Who runs a piece of work now. `epoch` grows with every change of holder: a token that fences the old one off."""

    name: str = Field(primary_key=True)
    holder: str
    epoch: int
    expires_at: datetime


class KillSwitch(SQLModel, table=True):
    """Tripped: only orders that reduce a position pass. Scope `global`, or an account's id."""

    __tablename__ = "kill_switch"

    scope: str = Field(primary_key=True)
    tripped: bool = False
    actor: str = ""
    reason: str = ""
    at: datetime = Field(default_factory=utc_now)


def take_lease(
    session: Session, name: str, holder: str, ttl: timedelta, *, now: datetime | None = None
) -> int | None:
    """Take or renew a lease in the caller's write transaction; its epoch, or None while somebody else holds it."""
    moment = now or utc_now()
    lease = lock_row(session, Lease, name)
    if lease is None:
        session.add(Lease(name=name, holder=holder, epoch=1, expires_at=moment + ttl))
        session.flush()
        return 1
    if lease.holder != holder:
        if lease.expires_at > moment:
            return None
        lease.epoch += 1
        lease.holder = holder
    lease.expires_at = moment + ttl
    session.add(lease)
    return lease.epoch


def require_lease(session: Session, name: str, epoch: int) -> None:
    """Raise LeaseLost unless the lease still has this epoch: whoever lost it can place nothing."""
    lease = session.get(Lease, name)
    if lease is None or lease.epoch != epoch:
        raise LeaseLost(f"this runner no longer holds the lease {name!r}", hint="sniper db status")


def release_lease(session: Session, name: str, holder: str) -> None:
    """Give a lease back, so that the next runner need not wait for it to expire."""
    lease = lock_row(session, Lease, name)
    if lease is not None and lease.holder == holder:
        lease.expires_at = datetime.fromtimestamp(0, UTC)
        session.add(lease)


def leases(session: Session) -> list[Lease]:
    """All leases, by name."""
    return list(session.exec(select(Lease).order_by(sa.column("name"))).all())


def tripped_switch(session: Session, *scopes: str) -> KillSwitch | None:
    """The first tripped switch among the global one and `scopes`."""
    for scope in (GLOBAL, *scopes):
        switch = session.get(KillSwitch, scope)
        if switch is not None and switch.tripped:
            return switch
    return None
