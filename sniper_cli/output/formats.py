"""The formats, the columns, and the one spelling of every kind of value in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

SAFE_INTEGER = 2**53
"""Beyond it JSON readers make doubles of integers, so they are written as strings."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    YAML = "yaml"


def format_of(output: Format, as_json: bool) -> Format:
    """`--json` is short for `-o json`."""
    return Format.JSON if as_json else output


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row: its stable name in JSON, and how a table shows it."""

    name: str
    header: str | None = None
    """Over the table's column; the name when none is given."""
    value: Callable[[Any], Any] | None = None
    """Takes the value out of a row; by default the key or attribute of that name."""
    show: Callable[[Any], str] | None = None
    """The value as a table shows it; JSON keeps the exact one."""
    style: Callable[[Any], str | None] | None = None
    """Names a colour for the value: `good`, `bad`, `warn`, `dim` or `strong`."""
    right: bool = False
    """Numbers stand at the right."""
    exact: bool = False
    """Money, a size or an id: a string in JSON, whatever it is here."""
    elastic: bool = False
    """Words that may be shortened with an ellipsis in a narrow terminal; numbers never are."""
    priority: int = 1
    """Where the terminal is narrow, the highest goes first; 0 always stays."""
    in_table: bool = True
    """False: only in the machine-readable formats (and in the table of a single record)."""

    @property
    def title(self) -> str:
        return self.header if self.header is not None else self.name.replace("_", " ")

    def of(self, row: Any) -> Any:
        """The column's value in a row."""
        if self.value is not None:
            found = self.value(row)
        elif isinstance(row, Mapping):
            found = row.get(self.name)
        else:
            found = getattr(row, self.name)
        return str(plain(found)) if self.exact and found is not None else found


def plain(value: Any) -> Any:
    """A value as JSON spells it: exact numbers and ids are strings, times ISO-8601 in UTC with a Z."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return value if abs(value) < SAFE_INTEGER else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str | float):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return format(Decimal(value // timedelta(microseconds=1)).scaleb(-6).normalize(), "f")
    return str(value)


def iso(moment: datetime) -> str:
    """ISO-8601 in UTC with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def words(value: Any) -> str:
    """A value as a table's cell shows it when the column does not say otherwise."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={'none' if item is None else words(item)}" for key, item in value.items())
    return str(plain(value))
