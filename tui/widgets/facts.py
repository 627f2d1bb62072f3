"""A block of labelled facts: two columns of text, built line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.widget import Widget

Fact = tuple[str, str, str]
"""A label, a value and the value's style. An empty label continues, an empty pair leaves a line."""


class Facts(Widget):
    """Labels in a column, values beside them; long values go on under their beginning."""

    DEFAULT_CSS = """
    Facts {
        height: auto;
        & .facts--label { color: $secondary; }
        & .facts--good { color: $success; }
        & .facts--bad { color: $error; }
        & .facts--warn { color: $warning; }
        & .facts--muted { color: $secondary; }
        & .facts--strong { text-style: bold; }
        & .facts--accent { color: $primary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"facts--{name}" for name in ("label", "good", "bad", "warn", "muted", "strong", "accent")
    }

    def __init__(self, *, label_width: int = 12, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.label_width = label_width
        self.facts: list[Fact] = []

    def show(self, facts: Iterable[Fact]) -> None:
        """Take new facts."""
        found = list(facts)
        if found != self.facts:
            self.facts = found
            self.refresh(layout=True)

    def render(self) -> Text:
        lines = Text()
        room = max(8, self.content_size.width - self.label_width)
        for number, (label, value, tone) in enumerate(self.facts):
            if number:
                lines.append("\n")
            lines.append(label.ljust(self.label_width), self._tone("label"))
            style = self._tone(tone) if tone else ""
            for place, part in enumerate(_wrapped(value, room)):
                if place:
                    lines.append("\n" + " " * self.label_width)
                lines.append(part, style)
        return lines

    def _tone(self, name: str) -> str:
        return str(self.get_component_rich_style(f"facts--{name}", partial=True))


def _wrapped(value: str, room: int) -> list[str]:
    """A value in lines that fit: broken between words, or inside an address that is longer than a line."""
    lines, line = [], ""
    for word in value.replace(" %", "\N{NO-BREAK SPACE}%").split(" "):
        rest = word
        if line and len(line) + 1 + len(rest) > room:
            lines.append(line)
            line = ""
        while len(rest) > room:
            lines.append(rest[:room])
            rest = rest[room:]
        line = f"{line} {rest}" if line else rest
    return [*lines, line]
