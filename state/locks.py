"""Locks between processes: one piece that everything else uses.

| you need | take | lives |
| --- | --- | --- |
| one row, read to be changed | `lock_row` (state.database) | until the transaction ends |
| a rule over several rows, or over rows not there yet | `exclusive(session, name)` | until the transaction ends |
| work that outlives a transaction | `held_lease(database, name)` | until given back, lost or expired |

`exclusive` is a transaction's advisory lock on Postgres; on SQLite the write transaction itself shuts everybody out.
A lease is a row: who holds it, until when, and an `epoch` that grows with every change of holder. Whoever writes under
a lease calls `require` in the same transaction: one that lost it changes nothing, however late it notices.

Whether a lease has expired is decided by one clock: the database's on Postgres, the machine's on SQLite, whose
processes share it. What that clock does is this:

* a client whose clock is wrong neither steals a lease (Postgres) nor loses one;
* the clock jumps ahead: a lease may change hands early; its old holder is fenced off by the epoch;
* the clock jumps back: no lease lasts longer than its own length from the first look at it after the jump.

A holder known to be dead (its process was on this machine and is gone) is succeeded at once.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import uniform
from threading import Event, Thread

from sqlmodel import Session

from state.database import Database, lock_row
from state.errors import LeaseLost, StateError
from state.leases import (
    TTL,
    Lease,
    Owner,
    break_lease,
    clock,
    is_reader,
    leases,
    new_owner,
    release_lease,
    renew_lease,
    require_lease,
    require_lease_on,
    require_name,
    take_lease,
)
from state.writing import Writer

__all__ = [
    "RENEWALS", "TTL", "HeldLease", "Lease", "Owner", "break_lease", "clock", "exclusive", "held_lease", "leases",
    "lock_key", "lock_row", "new_owner", "release_lease", "renew_lease", "require_lease", "take_lease",
]  # fmt: skip

logger = logging.getLogger(__name__)

RENEWALS = 3
"""In one TTL: two may fail before the lease is lost."""

FIRST_LOOK, LONGEST_LOOK = 0.05, 1.0
"""Seconds between the looks of one who waits for a lease."""


# -- locks that end with the transaction ------------------------------------------------------------------------


def exclusive(session: Session, name: str) -> None:
    """From here to the end of the write transaction no other process is in an `exclusive` of this name.

    Postgres: a transaction's advisory lock; DatabaseBusy after as long as a row's lock is waited for. SQLite: the
    write transaction has shut everybody out already.
    """
    require_name(name)
    if is_reader(session):
        raise ValueError(f"exclusive({name!r}) wants a write transaction")
    connection = session.connection()  # on SQLite: BEGIN IMMEDIATE, if it was not emitted yet
    if connection.dialect.name != "sqlite":
        # The name in a comment is what `sniper db locks` shows of a number.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock_key(name)}) /* lock {name} */")


def lock_key(name: str) -> int:
    """A name as a number for an advisory lock: the first 63 bits of its SHA-256, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


# -- a lease in hand --------------------------------------------------------------------------------------------


class HeldLease:
    """A lease as its holder sees it. It counts as lost once it could not be renewed for its whole length."""

    def __init__(self, database: Database, name: str, *, purpose: str = "", ttl: timedelta = TTL) -> None:
        self._database = database
        self.name = name
        self.owner = new_owner(purpose)
        self.ttl = ttl
        self.epoch = 0
        self.lost = Event()
        """Set when it was found to be lost: something to wait for. `check` is exact."""
        self._until = 0.0

    @property
    def alive(self) -> bool:
        """Whether it is held, as far as this process can know without asking."""
        return bool(self.epoch) and not self.lost.is_set() and _elapsed() < self._until

    def take(self, *, wait: float = 0.0) -> None:
        """Take it, waiting so many seconds for another holder. Raises LeaseLost."""
        deadline = _elapsed() + wait
        pause = FIRST_LOOK
        while True:
            asked = _elapsed()
            epoch = self._database.transact(self._take, idempotent=True)
            if epoch is not None:
                self.epoch = epoch
                self.lost.clear()
                self._held_since(asked)
                return
            left = deadline - _elapsed()
            if left <= 0:
                raise self._refusal()
            time.sleep(min(uniform(0.5, 1.0) * pause, left))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, LONGEST_LOOK)

    def renew(self) -> None:
        """Hold on for another while. Raises LeaseLost if it went to another one meanwhile."""
        asked = _elapsed()
        if not self._database.transact(self._renew, idempotent=True):
            self.lost.set()
            raise self._gone("another process took it over, or somebody broke it")
        self._held_since(asked)

    def require(self, session: Session) -> None:
        """In the transaction that writes: raise LeaseLost unless it is held until that transaction's end.

        The row counts, not the time: nobody having taken it over, it is still ours.
        """
        if not self.epoch or self.lost.is_set():
            raise self._gone("this process has been told so")
        require_lease(session, self.name, self.epoch)

    def require_on(self, writer: Writer) -> None:
        """The same through a writer's connection: what the desk asks on the page that it is about to commit."""
        if not self.epoch or self.lost.is_set():
            raise self._gone("this process has been told so")
        require_lease_on(writer, self.name, self.epoch)

    def check(self) -> None:
        """Raise LeaseLost if it is known to be lost, or could not be renewed in time. Asks nobody."""
        if not self.alive:
            raise self._gone(
                "it was not renewed in time" if not self.lost.is_set() else "it went to another one"
            )

    def release(self) -> None:
        """Give it back, if it is still ours."""
        if self.epoch and not self.lost.is_set():
            self._database.transact(
                lambda session: release_lease(session, self.name, self.owner.holder), idempotent=True
            )
            self._until = 0.0

    def _take(self, session: Session) -> int | None:
        return take_lease(session, self.name, self.owner, self.ttl)

    def _renew(self, session: Session) -> bool:
        return renew_lease(session, self.name, self.owner, self.epoch, self.ttl)

    def _held_since(self, moment: float) -> None:
        """Counted from before the question: the answer may have been long on its way."""
        self._until = moment + self.ttl.total_seconds()

    def _gone(self, why: str) -> LeaseLost:
        return LeaseLost(
            f"the lease {self.name!r} is lost: {why}",
            hint="sniper db locks",
            lease=self.name,
            epoch=self.epoch,
        )

    def _refusal(self) -> LeaseLost:
        with self._database.read() as session:
            now, found = clock(session), session.get(Lease, self.name)
            held = (
                f"{found.holder}{f' ({found.purpose})' if found.purpose else ''}"
                if found
                else "another process"
            )
            seconds = max((found.expires_at - now).total_seconds(), 0.0) if found else 0.0
        return LeaseLost(
            f"the lease {self.name!r} is held by {held}, for another {seconds:.0f} s unless it is renewed",
            hint="sniper db locks",
            lease=self.name,
        )


@contextmanager
def held_lease(
    database: Database,
    name: str,
    *,
    purpose: str = "",
    ttl: timedelta = TTL,
    wait: float = 0.0,
    on_lost: Callable[[LeaseLost], None] | None = None,
) -> Iterator[HeldLease]:
    """A lease held while the block runs, renewed by a thread. Raises LeaseLost if `wait` seconds do not bring it.

    When it is lost, `lease.lost` is set and `on_lost` is called from that thread; the block's end raises LeaseLost
    unless the block raised something itself, for what it did was not done alone.
    """
    lease = HeldLease(database, name, purpose=purpose, ttl=ttl)
    lease.take(wait=wait)
    done = Event()
    renewal = Thread(target=_renew_until, args=(lease, done, on_lost), name=f"lease {name}", daemon=True)
    renewal.start()
    try:
        yield lease
        lease.check()
    finally:
        done.set()
        renewal.join()
        _give_back(lease)


def _renew_until(lease: HeldLease, done: Event, on_lost: Callable[[LeaseLost], None] | None) -> None:
    try:
        _renew_while_held(lease, done, on_lost)
    finally:
        if not done.is_set():
            lease.lost.set()  # whatever ended the renewal


def _renew_while_held(lease: HeldLease, done: Event, on_lost: Callable[[LeaseLost], None] | None) -> None:
    while not done.wait(lease.ttl.total_seconds() / RENEWALS):
        try:
            lease.renew()
        except LeaseLost as lost:
            _tell(lease, lost, on_lost)
            return
        except StateError as error:
            if not lease.alive:
                _tell(lease, lease._gone(f"it could not be renewed: {error.message}"), on_lost)
                return
            logger.warning("the lease %s could not be renewed yet: %s", lease.name, error.message)


def _tell(lease: HeldLease, lost: LeaseLost, on_lost: Callable[[LeaseLost], None] | None) -> None:
    lease.lost.set()
    logger.error("%s", lost.message)
    if on_lost is not None:
        on_lost(lost)


def _give_back(lease: HeldLease) -> None:
    try:
        lease.release()
    except StateError as error:  # it expires by itself; what the block raised counts for more
        logger.warning("the lease %s could not be given back: %s", lease.name, error.message)


def _elapsed() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
