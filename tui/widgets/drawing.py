"""A picture made of pieces of text: drawn anew when its subject or its size changes, not line by line."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from sniper_cli.output.chart import Piece

TONES = (
    "up", "down", "volume-up", "volume-down", "axis", "last",
    "muted", "ask", "ask-fill", "bid", "bid-fill", "fill-ask", "fill-bid",
)  # fmt: skip


class Drawing(Widget):
    """What a subclass draws, in the theme's colours."""

    DEFAULT_CSS = """
    Drawing {
        height: 1fr; background: $surface;
        & .drawing--up { color: $success; } & .drawing--down { color: $error; }
        & .drawing--volume-up { color: $success-muted; } & .drawing--volume-down { color: $error-muted; }
        & .drawing--axis { color: $secondary; }
        & .drawing--last { color: $primary; text-style: bold; }
        & .drawing--muted { color: $secondary; }
        & .drawing--ask { color: $error; } & .drawing--bid { color: $success; }
        & .drawing--ask-fill { color: $error; background: $error-muted; }
        & .drawing--bid-fill { color: $success; background: $success-muted; }
        & .drawing--fill-ask { background: $error-muted; } & .drawing--fill-bid { background: $success-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"drawing--{name}" for name in TONES}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._strips: list[Strip] = []
        self._drawn: tuple[int, int] | None = None
        self._styles: dict[str, Style] = {}

    @abstractmethod
    def draw(self, width: int, height: int) -> Sequence[Sequence[Piece]]:
        """The lines of the picture; what is missing stays blank."""

    def redraw(self) -> None:
        """The subject is another one."""
        self._drawn = None
        self.refresh()

    def notify_style_update(self) -> None:
        self._styles.clear()
        self._drawn = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._drawn != (width, height):
            self._drawn = (width, height)
            self._strips = [self._strip(line, width) for line in self.draw(width, height)]
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, self.rich_style)

    def _strip(self, line: Sequence[Piece], width: int) -> Strip:
        base = self.rich_style
        return Strip([Segment(text, self._style(tone)) for text, tone in line]).adjust_cell_length(
            width, base
        )

    def _style(self, tone: str) -> Style:
        if tone not in self._styles:
            base = self.rich_style
            own = self.get_component_rich_style(f"drawing--{tone}", partial=True) if tone else Style()
            self._styles[tone] = base + own
        return self._styles[tone]
