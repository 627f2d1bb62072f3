"""The root of the one error tree, and what can go wrong with the state itself.

An error is part of the interface: a stable code, an exit status, a sentence for a person and a command
to paste. The tree's other branches stand in `sniper_cli.errors`; the root stands here because the
ground floor raises errors too and imports nothing above it.

    SniperError
    ├── StateError                 the database
    │   ├── DatabaseUnavailable    cannot be opened, read or written (exit 3)
    │   ├── SchemaMissing          no schema yet (exit 3)
    │   ├── SchemaOlder            written by an older Sniper (exit 3)
    │   ├── SchemaNewer            written by a newer Sniper (exit 3)
    │   ├── DatabaseBusy           another writer held on for too long (exit 9)
    │   ├── CommitUnknown          the answer to a COMMIT was lost: done or not (exit 5)
    │   ├── LeaseLost              another process took over this runner's work (exit 9)
    │   └── RowNotFound            no such order, launch, account … (exit 7)
    └── IllegalTransition          a state that may not follow the present one (exit 1)
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """The process's exit status; an interface, printed by `sniper help exit-codes`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    AUTH = 4
    NETWORK = 5
    REFUSED = 6
    NOT_FOUND = 7
    PARTIAL = 8
    LOCKED = 9
    INTERRUPTED = 130


class SniperError(Exception):
    """Every error that Sniper means to raise: `code` and `exit` belong to the class, the rest to the case."""

    code: ClassVar[str] = "failed"
    exit: ClassVar[Exit] = Exit.FAILED

    def __init__(self, message: str, *, hint: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class StateError(SniperError):
    """Something about the database."""

    code = "state"
    exit = Exit.CONFIG


class DatabaseUnavailable(StateError):
    """The database cannot be opened, read or written: wrong URL, no permission, read-only or full disk."""

    code = "database_unavailable"


class SchemaMissing(StateError):
    """The database has no schema yet."""

    code = "schema_missing"


class SchemaOlder(StateError):
    """The database was written by an older Sniper and has not been upgraded."""

    code = "schema_older"


class SchemaNewer(StateError):
    """The database was written by a newer Sniper; this one would not understand it."""

    code = "schema_newer"


class DatabaseBusy(StateError):
    """Another writer held the database for longer than we wait."""

    code = "database_busy"
    exit = Exit.LOCKED


class CommitUnknown(StateError):
    """The connection was lost between a COMMIT and its answer: the change was made whole, or not at all."""

    code = "commit_unknown"
    exit = Exit.NETWORK

    backend: object = None
    """The server's process that had the transaction: while it works, nobody can tell."""


class LeaseLost(StateError):
    """Another process holds the lease this runner needs, or took it over."""

    code = "lease_lost"
    exit = Exit.LOCKED


class RowNotFound(StateError):
    """What was asked for by id or name is not there."""

    code = "not_found"
    exit = Exit.NOT_FOUND


class IllegalTransition(SniperError):
    """A state was asked for that may not follow the present one: a bug, never written."""

    code = "illegal_transition"
