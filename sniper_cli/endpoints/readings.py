"""Writes down what a running pool finds, for those who look: `sniper endpoints list`, the nodes screen.

Best effort and beside the work: a row an endpoint every two seconds, in a thread, one at a time. Where the database
is busy or away the reading is not written and the next one is; no call ever waits for it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlmodel import col

from sniper_cli.errors import StateError
from state.columns import utc_now
from state.database import Database
from state.endpoints import EndpointReading

if TYPE_CHECKING:
    from sniper_cli.endpoints.member import Member
    from sniper_cli.endpoints.nodes import NodePool

EVERY_SECONDS = 2.0
FORGOTTEN_AFTER = timedelta(days=1)
"""Readings of processes that ended long ago are taken away by the next that writes."""


def observer() -> str:
    """Host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Recorder:
    """Give it to a pool as its observer."""

    def __init__(self, database: Database, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._database = database
        self._every = every_seconds
        self._observer = observer()
        self._next = 0.0
        self._writing: asyncio.Task[None] | None = None
        self.missed = 0
        """Readings that could not be written."""

    def look(self, pool: NodePool) -> None:
        """After a sweep: write, if it is time and the last writing is over."""
        if monotonic() < self._next or (self._writing is not None and not self._writing.done()):
            return
        self._next = monotonic() + self._every
        best = pool.pool.best_head
        rows = [self._row(member, pool.pool.state_of(member).value, best) for member in pool.members]
        self._writing = asyncio.create_task(self._write([row for row in rows if row is not None]))

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await self._writing

    def _row(self, member: Member[Any], state: str, best: int | None) -> EndpointReading | None:
        if member.endpoint_id is None:
            return None
        return EndpointReading(
            endpoint_id=member.endpoint_id,
            observer=self._observer,
            state=state,
            head=member.health.head,
            figures=member.figures(best),
            at=utc_now(),
        )

    async def _write(self, rows: list[EndpointReading]) -> None:
        try:
            await asyncio.to_thread(write_readings, self._database, rows)
        except StateError:
            self.missed += 1


def write_readings(database: Database, rows: list[EndpointReading]) -> None:
    """Put the readings in the place of this observer's former ones. Raises StateError."""
    with database.write() as session:
        old = utc_now() - FORGOTTEN_AFTER
        session.execute(sa.delete(EndpointReading).where(col(EndpointReading.at) < old))
        for row in rows:
            session.merge(row)
