"""A profile's sources one over the other, and which of them said a value.

pydantic-settings merges the sources (`precedence`) and forgets where a value came from; the sources stay here, so
that `config show` can tell the exact place, an error its file and line, and `profile list` does without the library.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sniper_cli.errors import UnknownProfile
from sniper_cli.settings.files import ConfigFile
from sniper_cli.settings.tables import flatten, near, nest

PREFIX = "SNIPER_"
NOT_SETTINGS = ("SNIPER_SECRET__",)
"""Environment variables that look like nested settings and are something else."""

FALLBACK_PROFILE = "paper"

BUILT_IN: dict[str, dict[str, Any]] = {
    "paper": {"mode": "paper"},
    "devnet": {"mode": "devnet", "chain": {"block_seconds": "1"}},
}
"""Profiles that need no file. A table of the same name in the file is laid over them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: `flag`, `environment`, `profile`, `default` or `code`, and the exact place."""

    kind: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.place})" if self.place else self.kind


@dataclass(frozen=True, slots=True)
class Layer:
    """One source: its values by dotted key, and where each of them stands.

    Of the environment the names only: pydantic-settings reads it itself, and what is no setting may be a secret.
    """

    kind: str
    values: Mapping[str, Any]
    place: Callable[[str], str]
    table: Mapping[str, Any]
    """The same values nested, for pydantic-settings."""

    def origin(self, key: str) -> Origin | None:
        """Where this source says a key, or something in the table of that name; None if it does not."""
        if key in self.values or any(known.startswith(f"{key}.") for known in self.values):
            return Origin(self.kind, self.place(key))
        return None


def layers(file: ConfigFile, name: str, overrides: Mapping[str, Any]) -> list[Layer]:
    """The sources of a profile, the strongest first."""
    flags = {key: value for key, value in flatten(overrides) if value is not None}
    own = file.profiles.get(name, {})
    built_in = BUILT_IN.get(name, {})
    variables = environment()
    # A built-in profile stands for what the file's profile table would say, so it lies above [default].
    return [
        Layer("flag", flags, lambda _: "", nest(flags)),
        Layer("environment", variables, lambda key: _variable(variables, key), {}),
        Layer("profile", dict(flatten(own)), lambda key: file.where(f"profile.{name}.{key}"), own),
        Layer("profile", dict(flatten(built_in)), lambda _: f"built-in profile {name}", built_in),
        Layer("default", dict(flatten(file.default)), lambda key: file.where(f"default.{key}"), file.default),
    ]


def origin(sources: Sequence[Layer], key: str) -> Origin:
    """Where the value in force comes from."""
    return next((found for layer in sources if (found := layer.origin(key))), Origin("code"))


def told(sources: Sequence[Layer], key: str, default: Any) -> Any:
    """What the strongest source says of a key, as written and not yet validated."""
    for layer in sources:
        if key in layer.values:
            value = layer.values[key]
            return os.environ[value] if layer.kind == "environment" else value
    return default


def environment() -> dict[str, str]:
    """The variables that may name settings, by dotted key: `SNIPER_SNIPING__AMOUNT` is `sniping.amount`."""
    return {
        variable.upper().removeprefix(PREFIX).lower().replace("__", "."): variable
        for variable in os.environ
        if variable.upper().startswith(PREFIX) and not variable.upper().startswith(NOT_SETTINGS)
    }


def _variable(variables: Mapping[str, str], key: str) -> str:
    inner = (variable for known, variable in variables.items() if known.startswith(f"{key}."))
    return variables.get(key) or next(inner, "")


def active_profile(file: ConfigFile) -> str:
    """The profile in force when no flag names one."""
    return os.environ.get("SNIPER_PROFILE") or file.active or FALLBACK_PROFILE


def profile_names(file: ConfigFile) -> list[str]:
    """Built-in profiles first, then those of the file."""
    return [*BUILT_IN, *(name for name in file.profiles if name not in BUILT_IN)]


def require_profile(file: ConfigFile, name: str) -> None:
    """Raise UnknownProfile, with the nearest name, unless the profile exists."""
    names = profile_names(file)
    if name in names:
        return
    meant = near(name, names)
    raise UnknownProfile(
        f"there is no profile {name!r}" + (f"; did you mean {meant!r}?" if meant else ""),
        hint="sniper profile list",
        profile=name,
        near=meant,
        profiles=names,
    )
