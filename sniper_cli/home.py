"""Makes a home: folders, configuration file, database, and the paper account. Safe to run again at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sniper_cli.context import acting_person, open_database
from sniper_cli.settings import load
from sniper_cli.settings.paths import Paths, home_paths, write_private

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved


class Outcome(StrEnum):
    DONE = "done"
    ALREADY = "already there"
    WOULD = "would be made"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a home needs, and what was done about it."""

    what: str
    outcome: Outcome
    detail: str


def make_home(profile: str | None, *, dry_run: bool = False) -> Iterator[Step]:
    """Make what is missing, step by step; a step that is done stays done if a later one fails."""
    paths = home_paths()
    yield _folders(paths, dry_run)
    yield _config(paths, dry_run)
    resolved = load(profile)
    yield _schema(resolved, paths, dry_run)
    if resolved.settings.mode == "paper":
        yield _paper_account(resolved, paths, dry_run)


def _folders(paths: Paths, dry_run: bool) -> Step:
    missing = [folder for folder in paths.folders if not folder.is_dir()]
    if missing and not dry_run:
        paths.ensure()
    return Step("folders", _outcome(bool(missing), dry_run), str(paths.data.parent))


def _config(paths: Paths, dry_run: bool) -> Step:
    from sniper_cli.settings.template import commented_config

    missing = not paths.config_file.exists()
    if missing and not dry_run:
        write_private(paths.config_file, commented_config())
    return Step("configuration", _outcome(missing, dry_run), str(paths.config_file))


def _schema(resolved: Resolved, paths: Paths, dry_run: bool) -> Step:
    from state.schema import SchemaState, require_current, status, upgrade

    with open_database(resolved, paths) as database:
        found = status(database)
        missing = found.state in (SchemaState.MISSING, SchemaState.OLDER)
        if missing and not dry_run:
            upgrade(database, actor=acting_person())
        if not missing:
            require_current(database)  # a newer schema is an error, not "already there"
        return Step("database", _outcome(missing, dry_run), f"{database.display_url} at schema {found.head}")


def _paper_account(resolved: Resolved, paths: Paths, dry_run: bool) -> Step:
    from state.accounts import find_account
    from state.schema import SchemaState, status

    name = resolved.account_name
    known = False
    with open_database(resolved, paths) as database:
        if status(database).state is SchemaState.CURRENT:
            with database.read() as session:
                known = find_account(session, name) is not None
        if not known and not dry_run:
            from sniper_cli.venues.paper import ensure_account

            paper = resolved.settings.paper
            ensure_account(database, name, deposit=paper.deposit, margin=paper.margin, actor=acting_person())
    return Step("paper account", _outcome(not known, dry_run), name)


def _outcome(missing: bool, dry_run: bool) -> Outcome:
    if not missing:
        return Outcome.ALREADY
    return Outcome.WOULD if dry_run else Outcome.DONE
