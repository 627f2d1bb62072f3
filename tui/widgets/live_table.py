"""A table for live data on Textual's line API.

Textual's DataTable renders every visible cell again on any change: 52 % of a core for 200 rows at 10 Hz,
where this takes 9 %. Rows are plain values and columns functions of a row; `show` may be called as often as
the data comes, a frame timer repaints the lines that changed and are in view, at most `fps` times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

Row = TypeVar("Row")
Piece = tuple[str, str]
"""A text and the name of its style: `good`, `muted` …, or nothing."""

TONES = (
    "good", "bad", "warn", "muted", "strong", "accent", "alarm", "gone",
    "trend-good", "trend-bad", "track", "fill-good", "fill-bad", "fill-warn", "fill-muted",
)  # fmt: skip


def _plain(_row: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: a title, a width, and functions from a row to what is shown."""

    title: str
    width: int
    text: Callable[[Row], str]
    tone: Callable[[Row], str] = _plain
    """The name of the cell's style."""
    right: bool = False
    flex: int = 0
    """Its share of the width that is left over."""
    drop: int = 0
    """When there is no room, columns with the highest figure go first; 0 stays."""
    key: str = ""
    """The capital letter that sorts by this column."""
    order: Callable[[Row], Any] | None = None
    """What is compared when sorting; the text if nothing is given."""
    paint: Callable[[Row, int], Sequence[Piece]] | None = None
    """Draws the cell in several styles, to exactly the width it is given."""


def fit(columns: Sequence[Column[Row]], width: int) -> list[tuple[Column[Row], int]]:
    """The columns that there is room for, with their widths: whole columns go, no cell is squeezed."""
    kept = list(columns)
    while len(kept) > 1 and sum(c.width + 1 for c in kept) - 1 > width:
        last = max(kept, key=lambda c: c.drop)
        if last.drop == 0:
            break
        kept.remove(last)
    spare = max(0, width - sum(c.width + 1 for c in kept) + 1)
    shares = sum(c.flex for c in kept)
    return [(c, c.width + (spare * c.flex // shares if shares else 0)) for c in kept]


class LiveTable(ScrollView, Generic[Row], can_focus=True):
    """Shows a mapping of rows: sorted by a key, filtered by words, with a cursor that stays on its row."""

    DEFAULT_CSS = """
    LiveTable {
        background: $surface; color: $foreground; overflow-x: hidden; scrollbar-size-vertical: 1;
        & .live-table--header { color: $secondary; text-style: bold; }
        & .live-table--sorted { color: $primary; text-style: bold; }
        & .live-table--cursor { background: $primary-muted; }
        & .live-table--resting { background: $panel; }
        & .live-table--good { color: $success; }
        & .live-table--bad { color: $error; }
        & .live-table--warn { color: $warning; }
        & .live-table--muted { color: $secondary; }
        & .live-table--strong { text-style: bold; }
        & .live-table--accent { color: $primary; }
        & .live-table--alarm { color: $background; background: $error; text-style: bold; }
        & .live-table--gone { color: $secondary; text-style: strike; }
        & .live-table--trend-good { color: $success-darken-2; }
        & .live-table--trend-bad { color: $error-darken-2; }
        & .live-table--track { background: $panel; }
        & .live-table--fill-good { background: $success-muted; text-style: bold; }
        & .live-table--fill-bad { background: $error-muted; text-style: bold; }
        & .live-table--fill-warn { background: $warning-muted; text-style: bold; }
        & .live-table--fill-muted { background: $secondary-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"live-table--{name}" for name in ("header", "sorted", "cursor", "resting", *TONES)
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move_to(0)", "Top", show=False),
        Binding("end", "move_to(-1)", "Bottom", show=False),
        Binding("enter", "choose", "Open"),
    ]

    cursor: reactive[int] = reactive(0)
    """The line the cursor is on. While it is on the first, it stays there and new rows pass under it."""

    class Chosen(Message):
        """A row was opened with enter or a click."""

        def __init__(self, table: LiveTable[Any], key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable[Any]:
            return self.table

    class Arranged(Message):
        """The rows in view are others than before: sorted, filtered, added, removed."""

        def __init__(self, table: LiveTable[Any]) -> None:
            super().__init__()
            self.table = table

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        *,
        empty: str = "nothing yet",
        search: Callable[[Row], str] | None = None,
        fps: int = 10,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = list(columns)
        self.empty = empty
        self.fps = fps
        self.words = ""
        """The filter: every word must occur; a leading `!` turns it round."""
        self.sorted_by: Column[Row] | None = None
        self.descending = False
        self._search = search or self._all_text
        self._rows: dict[Hashable, Row] = {}
        self._order: list[Hashable] = []
        self._line: dict[Hashable, int] = {}
        self._dirty: set[Hashable] = set()
        self._styles: dict[str, Style] = {}
        self._fitted: tuple[int, list[tuple[Column[Row], int]]] = (-1, [])

    def on_mount(self) -> None:
        self.set_interval(1 / self.fps, self._flush)

    # What is shown

    def show(self, rows: Mapping[Hashable, Row]) -> None:
        """Take new rows; lines that did not change are not painted again."""
        known = self._rows
        changed = [key for key, row in rows.items() if known.get(key) is not row and known.get(key) != row]
        if not changed and len(rows) == len(known) and list(rows) == list(known):
            return
        self._rows = dict(rows)
        if not self._arrange():
            self._dirty.update(changed)

    def recast(self, columns: Sequence[Column[Row]]) -> None:
        """Show the same rows in other columns."""
        self.columns, self.sorted_by, self._fitted = list(columns), None, (-1, [])
        self.refresh()

    def touch(self, key: Hashable, row: Row) -> None:
        """Replace one known row; it is painted with the next frame, and sorted with the next `show`."""
        if key in self._rows:
            self._rows[key] = row
            self._dirty.add(key)

    def filter(self, words: str) -> None:
        """Show only rows that contain every word, or, after a `!`, rows that do not contain them all."""
        self.words = words.strip()
        self._arrange()

    def sort(self, column: Column[Row] | None) -> None:
        """Sort by a column: figures from the highest, words from A; once more turns it round, a third time ends it."""
        if column is None or column is not self.sorted_by:
            self.sorted_by = column
            self.descending = column is not None and column.order is not None
        elif self.descending is (column.order is not None):
            self.descending = not self.descending
        else:
            self.sorted_by = None
        self._arrange(force=True)

    @property
    def shown(self) -> list[Hashable]:
        """The keys in view, in their order."""
        return list(self._order)

    @property
    def total(self) -> int:
        return len(self._rows)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._order[self.cursor]] if self.cursor < len(self._order) else None

    def _arrange(self, *, force: bool = False) -> bool:
        """Filter and sort; whether the order changed."""
        order = [key for key, row in self._rows.items() if self._matches(row)]
        if self.sorted_by is not None:
            order = self._sorted(order, self.sorted_by)
        if order == self._order and not force:
            return False
        anchor = self._order[self.cursor] if 0 < self.cursor < len(self._order) else None
        self._order = order
        self._line = {key: line for line, key in enumerate(order)}
        self.virtual_size = Size(self.size.width, len(order) + 1)
        self.cursor = (
            self._line.get(anchor, min(self.cursor, max(0, len(order) - 1))) if anchor is not None else 0
        )
        self.refresh()
        self.post_message(self.Arranged(self))
        return True

    def _sorted(self, keys: list[Hashable], column: Column[Row]) -> list[Hashable]:
        """By a column's value; rows without one stay at the end, whichever way round."""
        value = column.order or column.text
        values = {key: value(self._rows[key]) for key in keys}
        present = [key for key in keys if values[key] is not None]
        present.sort(key=lambda key: values[key], reverse=self.descending)
        return present + [key for key in keys if values[key] is None]

    def _matches(self, row: Row) -> bool:
        if not self.words:
            return True
        inverse = self.words.startswith("!")
        words = self.words.lstrip("!").lower().split()
        if not words:
            return True
        text = self._search(row).lower()
        return all(word in text for word in words) is not inverse

    def _all_text(self, row: Row) -> str:
        return " ".join(column.text(row) for column in self.columns)

    # Painting

    def _flush(self) -> None:
        """One frame: repaint the changed lines that are in view."""
        if not self._dirty:
            return
        top, height = self.scroll_offset.y, self.size.height
        lines = [y for key in self._dirty if 0 < (y := self._line.get(key, -9) + 1 - top) < height]
        self._dirty.clear()
        if len(lines) > height // 2:
            self.refresh()
        elif lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = (
                self.get_component_rich_style(f"live-table--{name}", partial=True)
                if name
                else self.rich_style
            )
            self._styles[name] = style
        return style

    def layout_columns(self) -> list[tuple[Column[Row], int]]:
        """The columns in view at the present width."""
        width = self.scrollable_content_region.width
        if self._fitted[0] != width:
            self._fitted = (width, fit(self.columns, width))
        return self._fitted[1]

    def render_line(self, y: int) -> Strip:
        base = self._style("")
        width = self.scrollable_content_region.width
        if y == 0:
            return self._render_header(width, base)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._order):
            return self._render_blank(y, width, base)
        row = self._rows[self._order[index]]
        if index == self.cursor:
            base += self._style("cursor" if self.has_focus else "resting")
        segments: list[Segment] = []
        for column, room in self.layout_columns():
            segments.extend(self._render_cell(column, row, room, base))
            segments.append(Segment(" ", base))
        return Strip(segments[:-1]).adjust_cell_length(width, base)

    def _render_cell(self, column: Column[Row], row: Row, room: int, base: Style) -> list[Segment]:
        if column.paint is not None:
            return [Segment(text, base + self._style(tone)) for text, tone in column.paint(row, room)]
        tone = column.tone(row)
        return [
            Segment(
                padded(column.text(row), room, right=column.right), base + self._style(tone) if tone else base
            )
        ]

    def _render_header(self, width: int, base: Style) -> Strip:
        header, chosen = base + self._style("header"), base + self._style("sorted")
        segments: list[Segment] = []
        for column, room in self.layout_columns():
            if column is self.sorted_by:
                title = f"{column.title} {'▼' if self.descending else '▲'}"
                segments.append(Segment(padded(title, room + 1, right=column.right), chosen))
                continue
            segments.extend(_title(column, room, header))
            segments.append(Segment(" ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def _render_blank(self, y: int, width: int, base: Style) -> Strip:
        if self._order or y != 2:
            return Strip.blank(width, base)
        text = f"no line matches /{self.words}" if self._rows and self.words else self.empty
        return Strip([Segment(text.center(width)[:width], base + self._style("muted"))]).adjust_cell_length(
            width, base
        )

    # Moving and choosing

    def validate_cursor(self, line: int) -> int:
        return max(0, min(line, len(self._order) - 1))

    def watch_cursor(self) -> None:
        top, room = self.scroll_offset.y, self.size.height - 1
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif room > 0 and self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False)
        self.refresh()

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_page(self, by: int) -> None:
        self.cursor += by * max(1, self.size.height - 2)

    def action_move_to(self, line: int) -> None:
        self.cursor = line if line >= 0 else len(self._order) + line

    def action_choose(self) -> None:
        if self.cursor < len(self._order):
            self.post_message(self.Chosen(self, self._order[self.cursor]))

    def on_key(self, event: events.Key) -> None:
        """A capital letter sorts by the column it belongs to."""
        letter = event.character or ""
        column = next((c for c in self.columns if c.key and c.key == letter), None)
        if column is not None:
            event.stop()
            self.sort(column)

    def on_click(self, event: events.Click) -> None:
        """A click on a title sorts, on a row moves the cursor, on the cursor opens."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y == 0:
            self.sort(self._column_at(place.x))
            return
        line = place.y - 1 + self.scroll_offset.y
        if line < len(self._order):
            if line == self.cursor:
                self.action_choose()
            self.cursor = line

    def _column_at(self, x: int) -> Column[Row] | None:
        edge = 0
        for column, room in self.layout_columns():
            edge += room + 1
            if x < edge:
                return column
        return None


def _title(column: Column[Any], room: int, style: Style) -> list[Segment]:
    """A column's title with the letter underlined that sorts by it."""
    text = padded(column.title, room, right=column.right)
    place = text.lower().find(column.key.lower()) if column.key else -1
    if place < 0:
        return [Segment(text, style)]
    letter = Segment(text[place], style + Style(underline=True))
    return [Segment(text[:place], style), letter, Segment(text[place + 1 :], style)]


def padded(text: str, room: int, *, right: bool) -> str:
    """A text at exactly this width. What is too long ends in an ellipsis: words only, figures have their room."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > room:
        return set_cell_size(text, max(0, room - 1)) + "…"[:room]
    space = " " * (room - length)
    return space + text if right else text + space
