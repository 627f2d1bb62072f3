"""The configuration file as read: its tables, and the line on which each key stands.

`tomllib` tells no lines, so they are found by a second, shallow reading: good enough to point at a key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sniper_cli.errors import ConfigurationError

HEADER = re.compile(r"^\s*\[{1,2}\s*(?P<name>[^\]]+?)\s*\]{1,2}\s*(#.*)?$")
ENTRY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_\-.\"' ]+?)\s*=")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One reading of the file; empty if there is none."""

    path: Path
    tables: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def default(self) -> Mapping[str, Any]:
        """The `[default]` table."""
        return self._table("default")

    @property
    def active(self) -> str | None:
        """The profile that `sniper profile use` chose."""
        name = self.tables.get("active")
        return str(name) if name else None

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The `[profile.NAME]` tables."""
        found = self._table("profile")
        return {name: table for name, table in found.items() if isinstance(table, Mapping)}

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self.tables.get(name, {})
        if not isinstance(table, Mapping):
            raise ConfigurationError(
                f"{self.where(name)}: [{name}] must be a table", hint="sniper config validate"
            )
        return table

    def where(self, key: str) -> str:
        """`path:line` of a dotted key, as near as it can be told."""
        while key:
            if key in self.lines:
                return f"{self.path}:{self.lines[key]}"
            key = key.rpartition(".")[0]
        return str(self.path)

    def line(self, key: str) -> int | None:
        return self.lines.get(key)


def read_config(path: Path) -> ConfigFile:
    """Read the file. Raises ConfigurationError if it is no TOML or cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ConfigFile(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", hint="sniper doctor") from error
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}", hint="sniper config path") from error
    return ConfigFile(path, tables, locate(text))


def locate(text: str) -> dict[str, int]:
    """The line of every table and key, by dotted name."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := HEADER.match(line):
            table = _dotted(header["name"])
            parts = table.split(".")
            for size in range(1, len(parts) + 1):  # [a.b] is the first sight of `a` too
                lines.setdefault(".".join(parts[:size]), number)
        elif not line.lstrip().startswith("#") and (entry := ENTRY.match(line)):
            key = _dotted(entry["key"])
            lines.setdefault(f"{table}.{key}" if table else key, number)
    return lines


def _dotted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
