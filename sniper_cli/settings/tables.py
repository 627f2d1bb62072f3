"""Nested tables as dotted keys and back, and the key that a misspelt one most likely means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as dotted keys."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as nested tables."""
    root: dict[str, Any] = {}
    for key, value in flat.items():
        table = root
        *parents, leaf = key.split(".")
        for parent in parents:
            table = table.setdefault(parent, {})
        table[leaf] = value
    return root


def near(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate most like `word`, if any is like it at all."""
    found = get_close_matches(word, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else None
