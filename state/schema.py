"""The schema's revision: checked at every start, upgraded on demand.

The check reads one row and compares it with a constant, because importing Alembic costs 268 ms. Upgrades run
inside one transaction that no other process can enter, so that two processes that upgrade at once are safe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlmodel import Session

from state.columns import utc_now
from state.database import Database
from state.errors import DatabaseUnavailable, SchemaMissing, SchemaNewer, SchemaOlder

REVISIONS = ("0001", "0002", "0003")
"""Every revision, oldest first. A test holds this against the migrations folder."""

HEAD = REVISIONS[-1]

VERSION_TABLE = "alembic_version"

UPGRADE_LOCK = 7_361_746_531
"""Postgres advisory lock that puts upgrading processes in a line."""


class SchemaState(StrEnum):
    CURRENT = "current"
    MISSING = "missing"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The database's revision (None: no schema), the one this program knows, and how they stand to each other."""

    current: str | None
    head: str
    state: SchemaState

    @property
    def pending(self) -> tuple[str, ...]:
        """Revisions an upgrade would run."""
        if self.state is SchemaState.MISSING:
            return REVISIONS
        if self.state is SchemaState.OLDER:
            return REVISIONS[REVISIONS.index(str(self.current)) + 1 :]
        return ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did: from where to where, which revisions ran, and the copy made before."""

    before: str | None
    after: str
    revisions: tuple[str, ...]
    backup: Path | None

    @property
    def changed(self) -> bool:
        return bool(self.revisions)


def status(database: Database) -> SchemaStatus:
    """How the database's schema stands to this program. A SQLite file that is not there is not made."""
    file = sqlite_file(database)
    if file is not None and not file.exists():
        return _status_of(None)
    with database.read() as session:
        return _status_of(_current(session.connection()))


def require_current(database: Database) -> None:
    """Raise SchemaMissing, SchemaOlder or SchemaNewer unless the schema is the one this program knows."""
    found = status(database)
    where = database.display_url
    if found.state is SchemaState.MISSING:
        raise SchemaMissing(f"the database {where} has no schema yet", hint="sniper init", head=HEAD)
    if found.state is SchemaState.OLDER:
        raise SchemaOlder(
            f"the database {where} has schema {found.current}, this Sniper needs {HEAD}",
            hint="sniper db upgrade",
            current=found.current,
            head=HEAD,
        )
    if found.state is SchemaState.NEWER:
        raise _newer(where, found.current)


def upgrade(database: Database, *, actor: str = "sniper") -> Upgrade:
    """Bring the schema to HEAD; nothing happens if it is there. A SQLite database with content is copied first.

    Raises SchemaNewer.
    """
    before = status(database)
    if before.state is SchemaState.CURRENT:
        return Upgrade(before.current, HEAD, (), None)
    if before.state is SchemaState.NEWER:
        raise _newer(database.display_url, before.current)
    backup = _back_up(database, before)
    with _alone(database) as connection:
        found = _status_of(_current(connection))  # another process may have been faster
        revisions = found.pending
        if revisions:
            _migrate(connection)
            _journal(connection, found, actor, backup)
    return Upgrade(found.current, HEAD, revisions, backup)


def sqlite_file(database: Database) -> Path | None:
    """The file of a SQLite database; None for Postgres and for memory."""
    name = database.url.database
    if not database.is_sqlite or name in (None, "", ":memory:"):
        return None
    return Path(str(name)).expanduser()


def _status_of(current: str | None) -> SchemaStatus:
    if current is None:
        return SchemaStatus(None, HEAD, SchemaState.MISSING)
    if current == HEAD:
        return SchemaStatus(current, HEAD, SchemaState.CURRENT)
    known = current in REVISIONS
    return SchemaStatus(current, HEAD, SchemaState.OLDER if known else SchemaState.NEWER)


def _current(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return version


def _newer(where: str, current: str | None) -> SchemaNewer:
    return SchemaNewer(
        f"the database {where} has schema {current}, newer than this Sniper's {HEAD}",
        hint="uv tool upgrade sniper-cli",
        current=current,
        head=HEAD,
    )


def _back_up(database: Database, found: SchemaStatus) -> Path | None:
    """A consistent copy beside the file, before a schema with content is changed."""
    file = sqlite_file(database)
    if file is None or found.state is not SchemaState.OLDER:
        return None
    stamp = utc_now().strftime("%Y%m%dT%H%M%SZ")
    copy = file.with_name(f"{file.stem}-{found.current}-{stamp}-{os.getpid()}.db")
    # VACUUM INTO refuses to run inside a transaction, so it goes past SQLAlchemy's.
    with database._translated():
        raw = database.engine.raw_connection()
        try:
            raw.driver_connection.execute("VACUUM INTO ?", (str(copy),))  # type: ignore[union-attr]
        except Exception as error:
            raise DatabaseUnavailable(
                f"no copy of {file} could be made before the upgrade: {error}", hint="sniper doctor"
            ) from error
        finally:
            raw.close()
    copy.chmod(0o600)
    return copy


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """One write transaction that no other upgrade can enter; committed at its end.

    SQLite rebuilds a table to alter it and would delete what refers to it, so foreign keys are off meanwhile
    and checked before the commit. The pragma does nothing inside a transaction: it comes first.
    """
    with database._translated(), database.engine.connect() as connection:
        if database.is_sqlite:
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
                yield connection
                if database.is_sqlite and (
                    orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                ):
                    raise DatabaseUnavailable(
                        f"the upgrade would leave {len(orphans)} rows without what they refer to; nothing was changed",
                        hint="sniper doctor",
                    )
        finally:
            if database.is_sqlite:
                _pragma(connection, "foreign_keys=ON")


def _pragma(connection: Connection, pragma: str) -> None:
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("state") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _journal(connection: Connection, found: SchemaStatus, actor: str, backup: Path | None) -> None:
    from state import journal, tables  # noqa: F401 - the session must know every table

    with Session(connection) as session:
        at: datetime = utc_now()
        journal.append(
            session,
            "schema.upgraded",
            HEAD,
            {"from": found.current, "to": HEAD, "backup": backup.name if backup else None},
            actor=actor,
            at=at,
        )
        session.commit()
