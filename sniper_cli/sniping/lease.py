"""One sniper an account at a time: the lease it works under, renewed while it runs.

A runner killed with -9 cannot give its lease back. Its successor on the same machine need not wait for the lease to
expire: a lease knows its holder's process (see `state.locks`).
"""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from state.database import Database
from state.errors import LeaseLost
from state.locks import RENEWALS, TTL, HeldLease
from state.writing import Writer

RENEW_SECONDS = TTL.total_seconds() / RENEWALS


class RunnerLease:
    """The right to trade on one account. `alive` turns false when somebody else took over."""

    def __init__(self, database: Database, account_id: UUID) -> None:
        self._lease = HeldLease(database, f"sniper:{account_id}", purpose="sniper")
        self.name = self._lease.name

    @property
    def epoch(self) -> int:
        return self._lease.epoch

    @property
    def alive(self) -> bool:
        return bool(self._lease.epoch) and not self._lease.lost.is_set()

    def take(self) -> None:
        """Take the lease. Raises LeaseLost while another living runner holds it."""
        try:
            self._lease.take()
        except LeaseLost as held:
            raise LeaseLost(
                "another sniper is running on this account", hint="sniper db locks", **held.details
            ) from held

    def renew(self) -> None:
        """Hold on for another while. Raises LeaseLost if the lease went to another runner meanwhile."""
        try:
            self._lease.renew()
        except LeaseLost as lost:
            raise LeaseLost(
                "another sniper took over this account; this one places nothing more",
                hint="sniper db locks",
                **lost.details,
            ) from lost

    def require(self, session: Session) -> None:
        """Raise LeaseLost unless this runner still holds its lease."""
        self._lease.require(session)

    def require_on(self, writer: Writer) -> None:
        """The same on the page of a desk that is about to place something."""
        self._lease.require_on(writer)

    def release(self) -> None:
        """Give the lease back."""
        self._lease.release()
