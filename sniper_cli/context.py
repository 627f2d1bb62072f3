"""What a command works with: a profile's settings, its folders and its database, opened once and closed at the end."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.settings import load
from sniper_cli.settings.paths import Paths, home_paths

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved
    from sniper_cli.settings.model import Settings
    from state.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    """A profile, opened. Use it in a `with`."""

    resolved: Resolved
    paths: Paths
    database: Database
    actor: str

    @property
    def profile(self) -> str:
        return self.resolved.name

    @property
    def settings(self) -> Settings:
        return self.resolved.settings

    @property
    def account_name(self) -> str:
        """The account that orders go to when none is named."""
        return self.resolved.account_name

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


MANY_RECORDS = 50
"""From so many on, a person is told what is waited for: half a second of work."""


def open_context(
    profile: str | None = None, *, needs_schema: bool = True, shows_everything: bool = True
) -> Context:
    """Open a profile. Raises UnknownProfile, ConfigurationError, SchemaMissing, SchemaOlder, SchemaNewer.

    `shows_everything`: what was acknowledged by now is in the tables. A bulk desk's rows follow its records, and if
    it was killed in between, the first who reads brings them in.
    """
    from state.schema import require_current

    resolved = load(profile)
    paths = home_paths()
    database = open_database(resolved, paths)
    try:
        if needs_schema:
            require_current(database)
            if shows_everything:
                _show_everything(database)
    except BaseException:
        database.close()
        raise
    return Context(resolved, paths, database, acting_person())


def _show_everything(database: Database) -> None:
    from state.projections import lag

    with database.read() as session:
        behind = lag(session)
    if not behind:
        return
    from sniper_cli.books.projector import catch_up
    from sniper_cli.output import note

    if behind > MANY_RECORDS:
        note(f"{behind:,} records are on their way into the tables", "dim")
    catch_up(database)


def open_database(resolved: Resolved, paths: Paths) -> Database:
    """The database that a profile names, or `sniper.db` in the data folder."""
    from state.database import Database

    settings = resolved.settings
    return Database(
        settings.database_url or f"sqlite:///{paths.database_file}", durability=settings.synchronous
    )


def acting_person() -> str:
    """Who acts, for the journal: the operating system's user."""
    try:
        return f"user:{getpass.getuser()}"
    except (OSError, KeyError):  # a container's user without a name; 3.13 raises OSError
        return f"user:{os.getuid()}"
