"""The one table renderer: aligned text that fits the terminal, or as wide as it needs in a pipe.

A narrow terminal first loses the columns of lowest importance, then words in elastic columns are shortened.
A number is never cut: better a line too long than a wrong figure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from sniper_cli.output.formats import Column, words
from sniper_cli.output.terminal import encodable, paint

GAP = 2
SHORTEST = 8
"""An elastic column keeps at least so many characters."""


def table_lines(rows: Sequence[Any], columns: Sequence[Column], width: int | None) -> list[str]:
    """Header, rule and rows of a list."""
    shown = [column for column in columns if column.in_table]
    cells = [[_cell(column, row) for column in shown] for row in rows]
    sizes = [
        max([display_width(column.title), *(display_width(line[place]) for line in cells)])
        for place, column in enumerate(shown)
    ]
    kept = _that_fit(shown, sizes, width)
    sizes = _shrunk(shown, sizes, kept, width)
    lines = [_line([paint(_fit(shown[i].title, sizes[i], shown[i]), "strong") for i in kept])]
    lines.append(_line([encodable("─", "-") * sizes[i] for i in kept]))
    for row, texts in zip(rows, cells, strict=True):
        lines.append(_line([_painted(shown[i], row, _fit(texts[i], sizes[i], shown[i])) for i in kept]))
    return lines


def record_lines(row: Any, columns: Sequence[Column]) -> list[str]:
    """One record, a field a line."""
    size = max((display_width(column.title) for column in columns), default=0)
    lines = []
    for column in columns:
        title = paint(column.title.ljust(size), "strong")
        first, *more = (_cell(column, row) or encodable("–", "-")).splitlines()
        lines.append(f"{title}{' ' * GAP}{_painted(column, row, first)}")
        lines.extend(f"{' ' * (size + GAP)}{line}" for line in more)
    return lines


def display_width(text: str) -> int:
    """Cells that a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _cell(column: Column, row: Any) -> str:
    value = column.of(row)
    text = column.show(value) if column.show is not None and value is not None else words(value)
    return printable(text)


def printable(text: str) -> str:
    """Without control characters: a token's name comes from a stranger and may hold escape codes."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def _that_fit(columns: Sequence[Column], sizes: Sequence[int], width: int | None) -> list[int]:
    """The places of the columns to show: the highest priority number is dropped first, the rightmost of equals."""
    kept = list(range(len(columns)))
    if width is None:
        return kept
    least = [
        min(size, SHORTEST) if column.elastic else size for column, size in zip(columns, sizes, strict=True)
    ]
    while len(kept) > 1 and sum(least[i] for i in kept) + GAP * (len(kept) - 1) > width:
        victim = max(kept, key=lambda i: (columns[i].priority, i))
        if columns[victim].priority == 0:
            break
        kept.remove(victim)
    return kept


def _shrunk(columns: Sequence[Column], sizes: list[int], kept: list[int], width: int | None) -> list[int]:
    """Take what is too wide from the elastic columns, the widest first."""
    if width is None:
        return sizes
    sizes = list(sizes)
    excess = sum(sizes[i] for i in kept) + GAP * (len(kept) - 1) - width
    while excess > 0:
        elastic = [i for i in kept if columns[i].elastic and sizes[i] > SHORTEST]
        if not elastic:
            break
        widest = max(elastic, key=lambda i: sizes[i])
        taken = min(excess, sizes[widest] - SHORTEST)
        sizes[widest] -= taken
        excess -= taken
    return sizes


def _fit(text: str, size: int, column: Column) -> str:
    text = text.replace("\n", " ")
    if column.elastic and display_width(text) > size:
        ellipsis = encodable("…", "~")
        while text and display_width(text) > size - 1:
            text = text[:-1]
        text += ellipsis
    blank = " " * max(size - display_width(text), 0)
    return blank + text if column.right else text + blank


def _painted(column: Column, row: Any, text: str) -> str:
    return paint(text, column.style(column.of(row)) if column.style is not None else None)


def _line(cells: Sequence[str]) -> str:
    return (" " * GAP).join(cells).rstrip()
