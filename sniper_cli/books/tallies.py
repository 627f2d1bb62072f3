"""What one account's records tell of one table, and which of it the table does not tell alike.

A row that has been found as told is forgotten here: the table has it. Kept is what is yet to be compared, and what the
table says otherwise.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any, Generic, TypeVar

from sniper_cli.books.changes import Entry
from sniper_cli.books.differences import MISSING, THERE, Difference
from sniper_cli.books.tables import Row, Spelling, key_of
from state.reading import Reader

T = TypeVar("T")


class Tally(Generic[T]):
    """One account's part of one table: what is told and not yet found to be so."""

    def __init__(
        self, spelling: Spelling[T], reader: Reader, account: str, remember: Container[str] = ()
    ) -> None:
        self.spelling = spelling
        self.account = account
        self.told = 0
        """Rows that the journal tells by now."""
        self.keys: set[Any] | None = set() if spelling.table in remember else None
        """Their keys, where somebody wants to know."""
        self._reader = reader
        self._fresh: dict[Any, T] = {}
        self._other: dict[Any, T] = {}
        """What the table tells otherwise: changed by a later record, or never right."""
        names = reader.columns(spelling.model, spelling.names)
        self._query = f'SELECT {names} FROM "{spelling.table}" WHERE {{column}} IN ({{{{keys}}}})'  # noqa: S608

    def tell(self, key: Any, thing: T) -> None:
        """The journal says so. `key`: what the first columns hold, alone or as a tuple."""
        self._fresh[key] = thing
        if self.keys is not None:
            self.keys.add(key)

    def forget(self, key: Any) -> None:
        """The journal takes it back."""
        self.told -= 1
        if self.keys is not None:
            self.keys.discard(key)
        self._fresh.pop(key, None)
        self._other.pop(key, None)

    def find(self, key: Any) -> T | None:
        """What was told and is not, or not yet, found in the table."""
        found = self._fresh.get(key)
        return found if found is not None else self._other.get(key)

    def unfound(self) -> Iterator[T]:
        """Everything told that is not, or not yet, found in the table."""
        yield from {**self._other, **self._fresh}.values()

    def compare(self) -> None:
        """Hold what was told since the last time against the table."""
        fresh, self._fresh = self._fresh, {}
        if not fresh:
            return
        rows, row, account = self._rows(fresh), self.spelling.row, self.account
        for key, thing in fresh.items():
            found, expected = rows.get(key), row(account, thing)
            if found != expected and (found is None or not self.spelling.agree(expected, found)):
                self._other[key] = thing
            elif self._other:
                self._other.pop(key, None)

    def differences(self) -> Iterator[Difference]:
        """What is told and stands otherwise, at the end."""
        self.compare()
        rows = self._rows(self._other)
        for key, thing in self._other.items():
            yield from against(self.spelling, self.spelling.row(self.account, thing), rows.get(key))

    def _rows(self, keys: Iterable[Any]) -> dict[Any, Row]:
        """The table's rows of these keys, and maybe some others."""
        size, first = self.spelling.keys, self.spelling.columns[0]
        query = self._query.format(column=first)
        if size == 1:
            return {row[0]: row for row in self._reader.by_keys(query, list(keys))}
        names = list(dict.fromkeys(key[0] for key in keys))
        return {tuple(row[:size]): row for row in self._reader.by_keys(query, names)}


class Entries(Tally[Entry]):
    """Ledger entries are found by account, asset, movement and reference: their index."""

    def _rows(self, keys: Iterable[Any]) -> dict[Any, Row]:
        found: dict[Any, Row] = {}
        groups: dict[tuple[str, str], list[str]] = {}
        for _, asset, movement, reference in keys:
            groups.setdefault((asset, movement), []).append(reference)
        before = "account_id = ? AND asset_id = ? AND movement = ? AND reference"
        for (asset, movement), references in groups.items():
            query = self._query.format(column=before)
            for row in self._reader.by_keys(query, references, (self.account, asset, movement)):
                found[tuple(row[:4])] = row
        return found


def against(spelling: Spelling[Any], expected: Row, found: Row | None) -> Iterator[Difference]:
    """What a row says otherwise than it should, or that it is not there."""
    if found is None:
        yield Difference(spelling.table, key_of(expected[: spelling.keys]), "row", THERE, MISSING)
    else:
        yield from spelling.differences(expected, found)
