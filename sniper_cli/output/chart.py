"""Candle charts made of characters, for the terminal and for the screens: pieces of text with the name of their style.

A line is two half-cells of the price axis: heavy strokes are bodies, light ones wicks (│ ┃ ╽ ╿ ╻ ╹ ╷ ╵). Rising and
falling are told by colour; where there is none, rising bodies are hollow (║) as they were on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Piece = tuple[str, str]
"""A text and its style: `up`, `down`, `volume-up`, `volume-down`, `axis`, `last`, or nothing."""

EIGHTHS = " ▁▂▃▄▅▆▇█"
STROKES = {
    ("body", "body"): "┃", ("body", "wick"): "╿", ("body", ""): "╹",
    ("wick", "body"): "╽", ("", "body"): "╻",
    ("wick", "wick"): "│", ("wick", ""): "╵", ("", "wick"): "╷",
}  # fmt: skip
"""The character of a line, by what its upper and its lower half hold."""
BLOCKS = {
    ("body", "body"): "█",
    ("body", "wick"): "▀",
    ("wick", "body"): "▄",
    ("body", ""): "▀",
    ("", "body"): "▄",
}
ASCII = str.maketrans(
    dict.fromkeys("┃╿╹╽╻█▀▄▅▆▇", "#")
    | dict.fromkeys("│╵╷", "|")
    | dict.fromkeys("▁▂▃", ".")
    | {"║": "O", "┤": "+"}
)
"""What stands for it where the terminal has no more than ASCII."""

LEAST = (24, 6)
"""Columns and lines below which nothing can be read off a chart."""


class Bar(Protocol):
    """What a chart needs to know of a candle, in whole numbers."""

    @property
    def open(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def close(self) -> int: ...
    @property
    def lots(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Axes:
    """How a chart is lettered: a price, and the moment of a bar by its number. No figure is ever cut."""

    price: Callable[[int], str]
    moment: Callable[[int], str]


def capacity(width: int, axis: int) -> int:
    """How many bars fit beside an axis of so many characters."""
    return max(0, width - axis - 2)


def chart(
    bars: Sequence[Bar], axes: Axes, *, width: int, height: int, hollow: bool = False
) -> list[list[Piece]]:
    """The lines of a chart of exactly this size: prices, volume below where there is room, moments at the foot.

    Shows the last bars that fit. `hollow`: rising bodies are drawn so, for terminals without colour.
    """
    axis = max((len(axes.price(value)) for bar in bars for value in (bar.high, bar.low)), default=0)
    room = capacity(width, axis)
    bars, skipped = bars[-room:] if room else bars[:0], max(0, len(bars) - room)
    if not bars or width < LEAST[0] or height < LEAST[1]:
        text = "too small for a chart" if bars else "nothing to draw"
        return [[(text[:width].ljust(width), "axis")], *([[(" " * width, "")]] * (height - 1))][:height]
    pitch = _pitch(len(bars), room)
    volume_lines = max(2, height // 6) if height >= 12 else 0
    price_lines = height - volume_lines - 1
    letters = _price_letters(bars, axes, price_lines)
    lines = []
    for line, cells in enumerate(_price_cells(bars, price_lines, pitch, hollow)):
        text, style = letters.get(line, ("", "axis"))
        lines.append([*_row(cells, room), (" ┤" if text else " │", "axis"), (text.ljust(axis), style)])
    blank = (" │" + " " * axis, "axis")
    lines.extend([*_row(cells, room), blank] for cells in _volume_cells(bars, volume_lines, pitch))
    lines.append([(_moments(len(bars), axes, pitch, room, skipped).ljust(width), "axis")])
    return lines


def _pitch(count: int, room: int) -> int:
    """Columns from one bar to the next: few bars stand apart, and four columns have room for a wide body."""
    return next((pitch for pitch in (4, 2) if count * pitch <= room), 1)


def scaled(value: int, high: int, span: int, steps: int) -> int:
    """The step of a value from the top, to the nearest of `steps`."""
    return ((high - value) * (steps - 1) * 2 + span) // (2 * span)


def _range(bars: Sequence[Bar]) -> tuple[int, int]:
    """The highest price and the span that is drawn: a bar that never moved lies on a line of its own."""
    high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
    return high, max(high - low, 1)


def _price_cells(bars: Sequence[Bar], lines: int, pitch: int, hollow: bool) -> list[list[Piece]]:
    """For each line, one piece a bar."""
    high, span = _range(bars)
    grid: list[list[Piece]] = [[] for _ in range(lines)]
    for bar in bars:
        rising = bar.close >= bar.open
        peak, top, bottom, foot = (
            scaled(price, high, span, 2 * lines)
            for price in (bar.high, max(bar.open, bar.close), min(bar.open, bar.close), bar.low)
        )
        held = [
            "body" if top <= half <= bottom else "wick" if peak <= half <= foot else ""
            for half in range(2 * lines)
        ]
        for line in range(lines):
            text = _cell((held[2 * line], held[2 * line + 1]), pitch, hollow and rising)
            grid[line].append((text, "up" if rising else "down"))
    return grid


def _cell(pair: tuple[str, str], pitch: int, hollow: bool) -> str:
    """A bar's characters in one line, with the gap to the next bar."""
    stroke = "║" if hollow and "body" in pair else STROKES.get(pair, " ")
    if pitch < 4:
        return stroke.ljust(pitch)
    return f" {stroke}  " if hollow or "body" not in pair else f"{BLOCKS[pair] * 3} "


def _volume_cells(bars: Sequence[Bar], lines: int, pitch: int) -> list[list[Piece]]:
    most = max(bar.lots for bar in bars) or 1
    grid = []
    for line in range(lines):
        floor = (lines - 1 - line) * 8
        cells = []
        for bar in bars:
            eighths = -(-bar.lots * lines * 8 // most) - floor
            letter = EIGHTHS[min(8, max(0, eighths))]
            text = f"{letter * 3} " if pitch == 4 else letter.ljust(pitch)
            cells.append((text, "volume-up" if bar.close >= bar.open else "volume-down"))
        grid.append(cells)
    return grid


def _row(cells: Sequence[Piece], room: int) -> list[Piece]:
    """Neighbours of one style joined, and the line filled up."""
    joined: list[Piece] = []
    for text, style in cells:
        if joined and (joined[-1][1] == style or not text.strip()):
            joined[-1] = (joined[-1][0] + text, joined[-1][1])
        else:
            joined.append((text, style if text.strip() else ""))
    used = sum(len(text) for text, _ in joined)
    return [*joined, (" " * (room - used), "")]


def _price_letters(bars: Sequence[Bar], axes: Axes, lines: int) -> dict[int, Piece]:
    """What stands beside which line: round prices, and the last one, which has the say where they meet."""
    high, span = _range(bars)
    step = round_step(span, max(2, lines // 2))
    letters = {
        scaled(price, high, span, 2 * lines) // 2: (axes.price(price), "axis")
        for price in range(-(-(high - span) // step) * step, high + 1, step)
    }
    letters[scaled(bars[-1].close, high, span, 2 * lines) // 2] = (axes.price(bars[-1].close), "last")
    return letters


def round_step(span: int, count: int) -> int:
    """The least of 1, 2, 5, 10, 20 … that divides a span into no more than so many parts."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if span <= step * factor * count:
                return step * factor
        step *= 10


def _moments(count: int, axes: Axes, pitch: int, room: int, skipped: int) -> str:
    """The foot: moments under their bars, as many as there is room for."""
    line = ""
    for number in range(count):
        place = number * pitch
        text = axes.moment(number + skipped)
        if place + len(text) > room:
            break
        if not line or place >= len(line) + 4:
            line = line.ljust(place) + text
    return line


def plain_lines(lines: Sequence[Sequence[Piece]]) -> list[str]:
    """The chart without styles."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]
