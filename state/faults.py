"""What went wrong with the database: the drivers' errors as ours.

Told by code (SQLSTATE, SQLite's extended result code), because a server speaks its own language; only a refused
connection comes without one. Each fault has a sentence, a command that helps, and says whether the same
transaction may be tried again: it may where nothing of it can have been done.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from state.errors import DatabaseBusy, DatabaseUnavailable, StateError

NOTHING_KEPT = "nothing of this transaction was kept"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble. `sentence` and `hint` may name {where}, {folder}, {seconds} and {said}."""

    reason: str
    sentence: str
    hint: str = "sniper doctor"
    retry: bool = False
    outage: bool = False
    """It speaks of the database as a whole, not of one transaction: the circuit breaker counts it."""
    error: type[StateError] = DatabaseUnavailable


IN_THE_WAY = Fault(
    "contention",
    "two transactions stood in each other's way",
    "sniper db locks",
    retry=True,
    error=DatabaseBusy,
)
LOST = Fault(
    "connection_lost",
    f"the connection to {{where}} was lost ({{said}}); {NOTHING_KEPT}",
    retry=True,
    outage=True,
)
UNREACHABLE = Fault("unreachable", "the database {where} cannot be used: {said}", retry=True, outage=True)
TOO_MANY = Fault(
    "too_many_connections",
    "the server of {where} has no connection left for this process ({said})",
    retry=True,
    outage=True,
)
STARTING = Fault("starting", "the server of {where} is starting up or shutting down", retry=True, outage=True)
FULL = Fault("disk_full", f"the disk of {{where}} is full; {NOTHING_KEPT}")
LOGIN = Fault("login_refused", "{where} refuses the login: {said}", "sniper config get database_url")
ABSENT = Fault("no_such_database", "there is no such database: {said}", "sniper config get database_url")
DAMAGED = Fault(
    "damaged",
    f"the data of {{where}} are damaged ({{said}}); {NOTHING_KEPT}. Copy the files before anything else",
)
DISK_FAILS = Fault("io_error", f"the disk of {{where}} fails ({{said}}); {NOTHING_KEPT}")
READ_ONLY = Fault("read_only", f"{{where}} cannot be written ({{said}}); {NOTHING_KEPT}")
OTHER = Fault("other", "the database {where} cannot be used: {said}")

POSTGRES: dict[str, Fault] = {
    "40001": IN_THE_WAY,
    "40P01": IN_THE_WAY,
    "55P03": Fault(
        "lock_timeout",
        "another transaction has held on to what this one needs for {seconds:g} s",
        "sniper db locks",
        error=DatabaseBusy,
    ),
    "57014": Fault(
        "statement_timeout",
        f"the server of {{where}} stopped a statement ({{said}}); {NOTHING_KEPT}",
        "sniper db locks",
        error=DatabaseBusy,
    ),
    "57P01": Fault(
        "shut_down",
        f"the server of {{where}} was shut down, or this connection ended by its administrator; {NOTHING_KEPT}",
        retry=True,
        outage=True,
    ),
    "57P02": Fault("crashed", f"the server of {{where}} crashed; {NOTHING_KEPT}", retry=True, outage=True),
    "57P03": STARTING,
    "57P05": LOST,
    "25P03": LOST,
    "25P04": LOST,
    "25006": READ_ONLY,
    "42501": Fault(
        "no_permission", f"the role of {{where}} may not do this ({{said}}); {NOTHING_KEPT}",
        "sniper config get database_url",
    ),
    "53100": FULL,
    "53200": Fault("out_of_memory", f"the server of {{where}} is out of memory; {NOTHING_KEPT}"),
    "53300": TOO_MANY,
    "3D000": ABSENT,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}  # fmt: skip
POSTGRES_CLASSES: dict[str, Fault] = {"08": LOST, "28": LOGIN, "58": DISK_FAILS}
"""By the SQLSTATE's first two digits, where the state itself has no entry."""

REFUSALS: tuple[tuple[str, Fault], ...] = (
    ("too many clients", TOO_MANY),
    ("remaining connection slots", TOO_MANY),
    ("too many connections", TOO_MANY),
    ("database system is", STARTING),
    ("authentication failed", LOGIN),
    ("no password supplied", LOGIN),
    ("no pg_hba.conf entry", LOGIN),
    ("role ", LOGIN),
    ("database ", ABSENT),
)
"""A connection that Postgres refuses has words only, as libpq keeps no code; in other languages they are shown as
they are."""

SQLITE: dict[str, Fault] = {
    "SQLITE_BUSY": Fault(
        "busy",
        "another process has been writing to {where} for {seconds:g} s",
        "sniper db locks",
        retry=True,
        error=DatabaseBusy,
    ),
    "SQLITE_LOCKED": IN_THE_WAY,
    "SQLITE_PROTOCOL": IN_THE_WAY,
    "SQLITE_FULL": Fault("disk_full", FULL.sentence, "df -h {folder}"),
    "SQLITE_READONLY_DBMOVED": Fault(
        "moved", f"the file of {{where}} was moved or replaced while it was open; {NOTHING_KEPT}", "sniper db status"
    ),
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_CANTOPEN": Fault("cannot_open", "the file of {where} cannot be opened: {said}"),
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": Fault("no_database", "{where} is a file that is no database, or its head is damaged"),
    "SQLITE_IOERR": DISK_FAILS,
    "SQLITE_NOMEM": Fault("out_of_memory", f"there is no memory left for {{where}}; {NOTHING_KEPT}"),
}  # fmt: skip

HIDES_THE_OUTCOME = ("40003", "57P01", "57P02", "57P05")
"""Met at COMMIT, besides a lost connection: the server may have committed before it said this."""


def translate(
    error: DBAPIError, where: str, file: Path | None, *, met: bool, seconds: float
) -> StateError | None:
    """A driver's error as one of ours; None for what is no trouble of the database but a refused row or a bug.

    `met`: this process has been connected before, so that a server that is not there is one that went away.
    """
    fault = fault_of(error)
    if fault is None:
        return None
    fields = {
        "where": where,
        "folder": file.parent if file is not None else ".",
        "seconds": seconds,
        "said": _said(error.orig),
    }
    # Whoever names a server that is not there is told at once: it may be the wrong URL.
    retry = fault.retry and (met or fault is not UNREACHABLE)
    return fault.error(
        fault.sentence.format(**fields), hint=fault.hint.format(**fields), reason=fault.reason, retry=retry
    )


def fault_of(error: DBAPIError) -> Fault | None:
    """Which fault an error is."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return _of_sqlite(name, error)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        found = POSTGRES.get(state) or POSTGRES_CLASSES.get(state[:2])
        return found or (OTHER if isinstance(error, OperationalError) else None)
    if not isinstance(error, OperationalError | InterfaceError) and type(error) is not DatabaseError:
        return None
    return _without_code(error)


def _of_sqlite(name: str, error: DBAPIError) -> Fault | None:
    """By the whole name, then by its family: SQLITE_IOERR_WRITE is an SQLITE_IOERR."""
    family = "_".join(name.split("_")[:2])
    found = SQLITE.get(name) or SQLITE.get(family)
    if found is None and (isinstance(error, OperationalError) or type(error) is DatabaseError):
        return OTHER
    return found


def _without_code(error: DBAPIError) -> Fault:
    text = str(error.orig)
    if not any(words in text for words in ("connection failed", "attempts failed", "connection timeout")):
        return LOST if hasattr(error.orig, "sqlstate") else OTHER
    _, fatal, said = text.partition("FATAL:")
    if not fatal:
        return UNREACHABLE
    return next((fault for words, fault in REFUSALS if words in said), UNREACHABLE)


def hides_the_outcome(error: BaseException) -> bool:
    """Whether an error met at COMMIT leaves open what became of the transaction.

    Postgres: the answer did not come. SQLite: the commit record may have reached the disk before the disk failed;
    a later recovery of the log would then bring it back.
    """
    driver: Any = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(driver, "sqlite_errorname", None)
    if name is not None:
        return bool(name.startswith("SQLITE_IOERR"))
    state = getattr(driver, "sqlstate", None)
    if state is None:
        return hasattr(driver, "sqlstate")  # psycopg's own: the socket broke
    return bool(state in HIDES_THE_OUTCOME or state.startswith("08"))


def _said(error: BaseException | None) -> str:
    """What the driver said, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else "no reason given"
