"""Loads a profile: its settings validated, the origin of every value, and every problem with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sniper_cli.errors import ConfigurationError
from sniper_cli.settings.files import ConfigFile, read_config
from sniper_cli.settings.keys import known_keys, near_key
from sniper_cli.settings.layers import (
    Layer,
    Origin,
    active_profile,
    environment,
    layers,
    origin,
    require_profile,
)
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.settings.tables import near

TOP_LEVEL = ("active", "default", "profile")
"""What may stand at the top of the configuration file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the configuration that does not hold."""

    key: str
    message: str
    file: str | None = None
    line: int | None = None
    near: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else (f"{self.file}: " if self.file else "")
        meant = f"; did you mean {self.near!r}?" if self.near else ""
        return f"{place}{self.key}: {self.message}{meant}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A profile's settings, and the origin of each by dotted key."""

    name: str
    settings: Settings
    origins: Mapping[str, Origin]

    @property
    def account_name(self) -> str:
        """The account that orders go to when none is named."""
        return self.settings.account or self.name


def resolve(profile: str | None, overrides: Mapping[str, Any] | None = None) -> Resolved:
    """Load a profile. Raises ConfigurationError naming every problem, UnknownProfile."""
    file = read_config(home_paths().config_file)
    name = profile or active_profile(file)
    require_profile(file, name)
    sources = layers(file, name, overrides or {})
    settings, problems = validated(file, sources)
    if settings is None or problems:
        raise as_error(problems)
    return Resolved(name, settings, {key: origin(sources, key) for key in known_keys()})


def validated(file: ConfigFile, sources: Sequence[Layer]) -> tuple[Settings | None, list[Problem]]:
    """What the sources make together, or everything in them that does not hold."""
    from sniper_cli.settings.precedence import merged

    problems = [*_unknown_tables(file), *_unknown_variables()]
    flags, *others = sources
    try:
        return merged(flags.table, [layer.table for layer in others]), problems
    except ValidationError as error:
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"] if not isinstance(part, int))
            if item["type"] == "extra_forbidden":
                problems += _unknown_key(key, sources, file)
            else:
                problems.append(_invalid_value(key, item["msg"], sources, file))
    return None, problems


def _unknown_tables(file: ConfigFile) -> list[Problem]:
    return [
        Problem(key, "no such table", file=str(file.path), line=file.line(key), near=near(key, TOP_LEVEL))
        for key in file.tables
        if key not in TOP_LEVEL
    ]


def _unknown_variables() -> list[Problem]:
    """Variables of tables that do not exist: pydantic-settings looks for its own tables only.

    A flat name (`SNIPER_HOME`) is something else, not a misspelling.
    """
    return [
        Problem(key, "no such setting", file=variable, near=near_key(key))
        for key, variable in environment().items()
        if "." in key and key.partition(".")[0] not in Settings.model_fields
    ]


def _unknown_key(key: str, sources: Sequence[Layer], file: ConfigFile) -> list[Problem]:
    """A misspelling, in every source that has it."""
    problems = []
    for found in filter(None, (layer.origin(key) for layer in sources)):
        path, line = _line(found, file)
        problems.append(Problem(key, "no such setting", path or found.place or None, line, near_key(key)))
    return problems


def _invalid_value(key: str, message: str, sources: Sequence[Layer], file: ConfigFile) -> Problem:
    found = origin(sources, key)
    path, line = _line(found, file)
    return Problem(key, message, path or (None if found.kind == "code" else str(found)), line)


def _line(found: Origin, file: ConfigFile) -> tuple[str | None, int | None]:
    """File and line of an origin, if it lies in the file."""
    if found.place == str(file.path):
        return found.place, None
    path, _, line = found.place.rpartition(":")
    return (path, int(line)) if path == str(file.path) and line.isdigit() else (None, None)


def as_error(problems: list[Problem]) -> ConfigurationError:
    """One error for all problems: the first in the message, all in the details."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigurationError(
        f"{problems[0]}{more}",
        hint="sniper config validate",
        problems=[
            {"key": p.key, "message": p.message, "file": p.file, "line": p.line, "near": p.near}
            for p in problems
        ],
    )
