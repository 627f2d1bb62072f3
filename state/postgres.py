"""What only Postgres needs: connections that notice their death, and a look at whether a lost one has finished.

A ping before each use would cost a round trip. A server that closes a connection says so on its socket, and
looking there takes a microsecond; only a connection that has long lain idle is pinged, because a firewall between
may have forgotten it without a word.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from time import monotonic
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlmodel import Session

IDLE_SECONDS = 30.0
"""A connection unused for longer is pinged before it is used."""

SOCKET_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A network that swallows packets is noticed within some ten seconds; the kernel's own would take two hours."""

APPLICATION = "sniper"
NAME_BYTES = 63
"""Postgres cuts an application's name there."""

BACKEND, USED = "sniper_backend", "sniper_used"
"""Places in a pooled connection's record."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The server's process behind a connection, told apart from a later one under the same pid."""

    pid: int
    started: object


def connect_arguments(url: URL) -> dict[str, Any]:
    """What the driver gets beside the URL; the URL's own settings stand."""
    name = f"{APPLICATION} {os.getpid()}@{socket.gethostname()}".encode()[:NAME_BYTES].decode(errors="ignore")
    wanted = {**SOCKET_OPTIONS, "application_name": name}
    return {key: value for key, value in wanted.items() if key not in url.query}


def client_of(application: str) -> tuple[str, int] | None:
    """Host and pid of the Sniper that opened a connection, from its application's name."""
    program, _, rest = application.partition(" ")
    pid, _, host = rest.partition("@")
    return (host, int(pid)) if program == APPLICATION and pid.isdigit() and host else None


def prepare(driver: Any, record: Any, lock_seconds: float) -> None:
    """A new connection waits for locks no longer than a writer waits on SQLite, and knows its backend."""
    driver.autocommit = True
    limit = f"{int(lock_seconds * 1000)}ms"
    row = driver.execute(
        "SELECT pid, backend_start, set_config('lock_timeout', %s, false)"
        " FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        (limit,),
    ).fetchone()
    driver.autocommit = False
    if row is not None:  # a pooler between may show another server's process
        record.info[BACKEND] = Backend(row[0], row[1])


def require_live(driver: Any, record: Any, _proxy: Any) -> None:
    """Before a pooled connection is used: raise DisconnectionError if it is dead, and the pool makes another."""
    import psycopg

    now = monotonic()
    idle = now - record.info.get(USED, now)
    record.info[USED] = now
    if is_gone(driver):
        raise DisconnectionError("the server has closed the connection")
    if idle > IDLE_SECONDS:
        try:
            driver.execute("SELECT 1")
            driver.rollback()
        except psycopg.Error as error:
            raise DisconnectionError("the connection died while it lay idle") from error


def is_gone(driver: Any) -> bool:
    """Whether the server has closed the connection, as far as its socket tells: no round trip, about 1 µs."""
    import psycopg

    if driver.closed:
        return True
    try:
        # The first takes the server's last words off the socket, the second finds its end.
        driver.pgconn.consume_input()
        driver.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return bool(driver.pgconn.status != psycopg.pq.ConnStatus.OK)


def has_failed(driver: Any) -> bool:
    """Whether the transaction is one that Postgres would roll back at COMMIT, without an error."""
    import psycopg

    return bool(driver.info.transaction_status == psycopg.pq.TransactionStatus.INERROR)


def has_ended(session: Session, backend: Backend) -> bool:
    """Whether the transaction of a connection that was lost has come to its end on the server."""
    query = sa.text(
        "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND backend_start = :started"
        " AND (xact_start IS NOT NULL OR state IS DISTINCT FROM 'idle')"
    )
    found = session.connection().execute(query, {"pid": backend.pid, "started": backend.started}).first()
    return found is None
