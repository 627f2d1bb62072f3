"""Changes to the configuration file: comments and order kept, the result proven before it is written.

Every change is a value first (`Change`), so that --dry-run shows exactly what the real call does.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit import TOMLDocument

from sniper_cli.errors import ConfigurationError, UsageProblem
from sniper_cli.settings.files import ConfigFile, locate, read_config
from sniper_cli.settings.keys import known_keys, near_key
from sniper_cli.settings.layers import BUILT_IN, layers, profile_names, require_profile
from sniper_cli.settings.loading import Problem, as_error, validated
from sniper_cli.settings.masking import masked
from sniper_cli.settings.paths import FILE_MODE, make_private_folder, write_private
from sniper_cli.settings.tables import flatten
from sniper_cli.settings.template import commented_config

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTIVE = re.compile(r"^(?:# )?active = .*$", re.MULTILINE)

NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True)
class Change:
    """What a call changes, or would change: the journal's record of it and the new text of the file."""

    kind: str
    subject: str
    before: str | None
    after: str | None
    file: Path
    old_text: str
    new_text: str

    @property
    def changes(self) -> bool:
        return self.old_text != self.new_text

    @property
    def data(self) -> dict[str, Any]:
        """For the journal: secrets hidden."""
        return {"before": self.before, "after": self.after, "file": str(self.file)}


def set_value(path: Path, key: str, text: str, *, profile: str | None) -> Change:
    """Set a key of a profile's table, or of `[default]`. Raises ConfigurationError for what does not hold."""
    require_key(key)

    def edit(document: TOMLDocument) -> str | None:
        table = _table(document, ["default"] if profile is None else ["profile", profile], key)
        leaf = key.rpartition(".")[2]
        before = table.get(leaf)
        table[leaf] = _value(key, text)
        return None if before is None else str(before)

    place = f"profile.{profile}.{key}" if profile else f"default.{key}"
    return _change(path, "config.changed", place, masked(key, text), edit, key=key)


def unset_value(path: Path, key: str, *, profile: str | None) -> Change:
    """Take a key out of a profile's table, or of `[default]`."""
    require_key(key)

    def edit(document: TOMLDocument) -> str | None:
        *parents, leaf = [*(["default"] if profile is None else ["profile", profile]), *key.split(".")]
        table: Any = document
        for parent in parents:
            table = table.get(parent, {})
        before = table.get(leaf)
        if before is not None:
            del table[leaf]
        return None if before is None else str(before)

    place = f"profile.{profile}.{key}" if profile else f"default.{key}"
    return _change(path, "config.changed", place, None, edit, key=key)


def use_profile(path: Path, name: str) -> Change:
    """Make a profile the active one. Raises UnknownProfile."""
    file = read_config(path)
    require_profile(file, name)
    old = _text(path) or commented_config()
    line = f'active = "{name}"'
    # At the top, before any table: by text, because tomlkit would put a new key at the end, inside the last table.
    new, found = ACTIVE.subn(line, old, count=1)
    if not found:
        new = f"{line}\n\n{old}"
    _prove(path, old, new)
    return Change("profile.changed", name, file.active, name, path, _text(path), new)


def create_profile(path: Path, name: str, *, copy_of: str | None, values: dict[str, str]) -> Change:
    """A new profile, empty or as a copy of another one, with values laid over it."""
    file = read_config(path)
    require_name(name)
    if name in profile_names(file):
        raise UsageProblem(f"there is a profile {name!r} already", hint=f"sniper profile show {name}")
    start: dict[str, Any] = {}
    if copy_of is not None:
        require_profile(file, copy_of)
        start = {**dict(flatten(BUILT_IN.get(copy_of, {}))), **dict(flatten(file.profiles.get(copy_of, {})))}
    for key in values:
        require_key(key)

    def edit(document: TOMLDocument) -> str | None:
        for key, value in {**start, **values}.items():
            _table(document, ["profile", name], key)[key.rpartition(".")[2]] = _value(key, value)
        if not start and not values:
            _table(document, ["profile", name], "mode")
        return None

    return _change(path, "profile.changed", name, "created", edit)


def delete_profile(path: Path, name: str) -> Change:
    """Take a profile out of the file. Built-in ones cannot go."""
    file = read_config(path)
    require_profile(file, name)
    if name not in file.profiles:
        raise UsageProblem(
            f"the profile {name!r} is built in and cannot be deleted", hint="sniper profile list"
        )
    if file.active == name:
        raise UsageProblem(f"the profile {name!r} is the active one", hint="sniper profile use paper")

    def edit(document: TOMLDocument) -> str | None:
        profiles: Any = document["profile"]
        del profiles[name]
        return "profile"

    return _change(path, "profile.changed", name, "deleted", edit)


def write(change: Change) -> None:
    """Write a change, unless somebody changed the file since it was read."""
    with _locked(change.file):
        present = _text(change.file)
        if present != change.old_text:
            raise ConfigurationError(f"{change.file} was changed meanwhile", hint="sniper config show")
        if change.changes:
            write_private(change.file, change.new_text)


def require_key(key: str) -> None:
    """Raise ConfigurationError, with the nearest key, unless the setting exists."""
    if key in known_keys():
        return
    raise as_error([Problem(key, "no such setting", near=near_key(key))])


def require_name(name: str) -> None:
    """Raise UsageProblem unless the name can stand in a file, an environment variable and a command line."""
    if not name or not set(name) <= NAME_LETTERS or name.startswith("-"):
        raise UsageProblem(f"{name!r} is no name for a profile", hint="letters, digits, - and _")


def problems_of(file: ConfigFile) -> list[Problem]:
    """Everything that does not hold in any profile of the file."""
    found: dict[tuple[str, int | None], Problem] = {}
    for name in profile_names(file):
        _, problems = validated(file, layers(file, name, {}))
        for problem in problems:
            found.setdefault((problem.key, problem.line), problem)
    if file.active is not None and file.active not in profile_names(file):
        found["active", None] = Problem(
            "active", f"names no profile: {file.active!r}", str(file.path), file.line("active")
        )
    return list(found.values())


def _change(
    path: Path,
    kind: str,
    subject: str,
    after: str | None,
    edit: Callable[[TOMLDocument], str | None],
    *,
    key: str | None = None,
) -> Change:
    read_config(path)  # a file that is no TOML is reported with its place
    old = _text(path)
    document = tomlkit.parse(old or commented_config())
    before = edit(document)
    new = tomlkit.dumps(document)
    _prove(path, old, new)
    return Change(kind, subject, masked(key, before) if key else before, after, path, old, new)


def _prove(path: Path, old: str, new: str) -> None:
    """Refuse a text with problems that the old one did not have."""
    known = {(problem.key, problem.message) for problem in problems_of(_parsed(path, old))}
    fresh = [p for p in problems_of(_parsed(path, new)) if (p.key, p.message) not in known]
    if fresh:
        # The line would be one of a text that nobody will ever see.
        raise as_error([Problem(problem.key, problem.message, near=problem.near) for problem in fresh])


def _parsed(path: Path, text: str) -> ConfigFile:
    return ConfigFile(path, tomllib.loads(text, parse_float=Decimal), locate(text))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _table(document: TOMLDocument, parents: list[str], key: str) -> Any:
    """The table that a key stands in, made on the way."""
    table: Any = document
    names = [*parents, *key.split(".")[:-1]]
    for place, name in enumerate(names):
        if name not in table:
            # Only the innermost table needs a header of its own.
            table[name] = tomlkit.table(is_super_table=place < len(names) - 1)
        table = table[name]
    return table


def _value(key: str, value: Any) -> Any:
    """Text as the setting's own kind, so that the file reads well; Decimals stay text, which is exact."""
    kind = known_keys()[key].annotation
    if kind is bool or kind is int:
        try:
            return {"true": True, "false": False}[str(value).lower()] if kind is bool else int(str(value))
        except (KeyError, ValueError):
            return str(value)
    if "tuple" in str(kind) and isinstance(value, str):
        return [part.strip() for part in value.strip("[]").replace('"', "").split(",") if part.strip()]
    return str(value)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    make_private_folder(path.parent)
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        flock(lock, LOCK_EX)
        yield
    finally:
        os.close(lock)
