"""A place where two accounts of the same thing do not agree, and how many of them are told one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

MOST = 1_000
"""Differences told with their figures; of a table that is gone altogether only the count is of use."""

THERE, MISSING, UNTOLD = "there", "missing", "not told"
"""Of a whole row: what the journal tells stands in the table, does not, or stands there untold."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one row: what it should be and what the table says."""

    table: str
    key: str
    field: str
    expected: str
    found: str
    rule: str = "journal"
    """What says so: the journal's telling, or an identity that tables must keep among themselves."""


@dataclass(slots=True)
class Findings:
    """All differences counted, the first thousand kept."""

    count: int = 0
    kept: list[Difference] = field(default_factory=list)
    by_table: dict[str, int] = field(default_factory=dict)

    def add(self, difference: Difference) -> None:
        self.count += 1
        self.by_table[difference.table] = self.by_table.get(difference.table, 0) + 1
        if len(self.kept) < MOST:
            self.kept.append(difference)

    def extend(self, differences: Iterable[Difference]) -> None:
        for difference in differences:
            self.add(difference)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.kept)


def words(value: Any) -> str:
    """A figure as a difference shows it."""
    return "none" if value is None else str(value)
