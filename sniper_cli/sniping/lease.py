"""One sniper an account at a time: the lease it works under, renewed while it runs.

A runner killed with -9 cannot give its lease back. Its successor on the same machine need not wait for the
lease to expire: it looks whether the holder's process still lives, and takes over at once if not.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlmodel import Session

from state.controls import Lease, release_lease, require_lease, take_lease
from state.database import Database, lock_row
from state.errors import LeaseLost
from state.identifiers import new_id, short

TTL = timedelta(seconds=15)
RENEW_SECONDS = 5.0


class RunnerLease:
    """The right to trade on one account. `alive` turns false when somebody else took over."""

    def __init__(self, database: Database, account_id: UUID) -> None:
        self._database = database
        self.name = f"sniper:{account_id}"
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}:{short(new_id())}"
        self.epoch = 0
        self.alive = False

    def take(self) -> None:
        """Take the lease. Raises LeaseLost while another living runner holds it."""
        epoch = self._database.transact(self._claim)
        if epoch is None:
            raise LeaseLost(
                "another sniper is running on this account", hint="sniper db status", lease=self.name
            )
        self.epoch, self.alive = epoch, True

    def renew(self) -> None:
        """Hold on for another while. Raises LeaseLost if the lease went to another runner meanwhile."""
        epoch = self._database.transact(lambda session: take_lease(session, self.name, self.holder, TTL))
        if epoch != self.epoch:
            self.alive = False
            raise LeaseLost(
                "another sniper took over this account; this one places nothing more", hint="sniper db status"
            )

    def require(self, session: Session) -> None:
        """Raise LeaseLost unless this runner still holds its lease."""
        if not self.alive:
            raise LeaseLost("this sniper no longer holds its account", hint="sniper db status")
        require_lease(session, self.name, self.epoch)

    def release(self) -> None:
        """Give the lease back."""
        if self.alive:
            self._database.transact(lambda session: release_lease(session, self.name, self.holder))
            self.alive = False

    def _claim(self, session: Session) -> int | None:
        held = lock_row(session, Lease, self.name)
        if held is not None and _is_dead(held.holder):
            release_lease(session, self.name, held.holder)
            session.flush()
        return take_lease(session, self.name, self.holder, TTL)


def _is_dead(holder: str) -> bool:
    """Whether a holder is a process of this machine that no longer runs."""
    host, _, rest = holder.partition(":")
    process, _, rest = rest.partition(":")
    started, _, _ = rest.partition(":")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(process)) != started


def _started(process: int) -> str:
    """When a process began, as the kernel counts it: its id may have been given out again since.

    Empty for a process that has ended and was not collected by its parent yet; `?` where there is no /proc.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "?"
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
