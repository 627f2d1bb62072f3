"""Journals a change of the settings, where there is a database to journal in.

The file is written first: a record of a change that never came about would be a lie, and a change without its
record is reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.context import acting_person, open_database
from sniper_cli.errors import SniperError
from sniper_cli.settings.paths import Paths

if TYPE_CHECKING:
    from sniper_cli.settings.writing import Change


def apply_change(change: Change, paths: Paths) -> bool:
    """Write a change of the settings and journal it; False if there is no database yet (nothing to answer for)."""
    from sniper_cli.settings.writing import write

    write(change)
    return change.changes and record(change.kind, change.subject, change.data, paths)


def change_profile(
    act: str,
    name: str,
    *,
    copy_of: str | None = None,
    values: dict[str, str] | None = None,
    dry_run: bool,
) -> dict[str, object]:
    """`use`, `create` or `delete` a profile, or say what that would change."""
    from sniper_cli.settings import writing
    from sniper_cli.settings.paths import home_paths

    paths = home_paths()
    if act == "use":
        change = writing.use_profile(paths.config_file, name)
    elif act == "create":
        change = writing.create_profile(paths.config_file, name, copy_of=copy_of, values=values or {})
    else:
        change = writing.delete_profile(paths.config_file, name)
    journalled = False if dry_run else apply_change(change, paths)
    return {"profile": name, **change.data, "dry_run": dry_run, "journalled": journalled}


def record(kind: str, subject: str, data: dict[str, object], paths: Paths) -> bool:
    """Append an act to the journal of the active profile's database, if its schema is there."""
    from sniper_cli.settings import load
    from state.journal import append
    from state.schema import SchemaState, status

    try:
        resolved = load()
    except SniperError:
        # The settings in force are broken in another place; a change must still be possible to mend them.
        return False
    with open_database(resolved, paths) as database:
        if status(database).state is not SchemaState.CURRENT:
            return False
        with database.write() as session:
            append(session, kind, subject, data, actor=acting_person())
    return True
