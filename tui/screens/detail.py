"""What the three detail screens share: tables and facts side by side, read again when the journal has grown."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from textual.binding import Binding, BindingType

from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard, EventRow
from sniper_cli.monitoring.sentences import Money
from sniper_cli.monitoring.stories import CheckLine
from sniper_cli.safety.report import Outcome
from tui import columns, figures
from tui.screens.live import LiveScreen
from tui.widgets.live_table import Column, LiveTable

Story = TypeVar("Story")

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.PASS: ("✔", "good"),
    Outcome.FAIL: ("✘", "bad"),
    Outcome.NOT_PROVEN: ("?", "warn"),
}
"""The sign and the style of a check's outcome."""

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40,}")

FRAME = """
    border: round $border; border-title-color: $secondary; border-title-style: bold;
    border-subtitle-color: $secondary; background: $surface; padding: 0 1;
"""


class DetailScreen(LiveScreen, Generic[Story]):
    """One thing and everything known about it."""

    DEFAULT_CSS = f"""
    DetailScreen {{
        background: $background;
        & .frame {{ {FRAME} }}
        & .frame:focus {{ border: round $primary; border-title-color: $primary; }}
        & .side {{ width: 38; height: 100%; scrollbar-size-vertical: 1; {FRAME} }}
        & .side:focus {{ border: round $primary; border-title-color: $primary; }}
        & .main {{ width: 1fr; height: 100%; }}
        & .banner {{ height: auto; {FRAME} }}
    }}
    DetailScreen.-narrow {{
        & .side {{ width: 30; padding: 0; }}
        & .frame {{ padding: 0; }}
    }}
    DetailScreen.-live {{ border: heavy $error; }}
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back"),
        Binding("tab", "app.focus_next", "Next table", show=False),
    ]

    def __init__(self, identifier: UUID) -> None:
        super().__init__()
        self.identifier = identifier
        self.story: Story | None = None
        self._journal = -1

    @property
    def money(self) -> Money:
        """What amounts in the records are counted in."""
        facts = self.sniper.dashboard.facts if self.sniper.dashboard else None
        return Money(facts.coin, facts.decimals) if facts else Money()

    @abstractmethod
    def read(self) -> Story:
        """Read the story; runs in a thread."""

    @abstractmethod
    def tell(self, story: Story) -> None:
        """Show the story."""

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        if dashboard.facts.journal != self._journal:
            self._journal = dashboard.facts.journal
            self.run_worker(self._learn(), exclusive=True, group="story")

    async def _learn(self) -> None:
        try:
            self.story = await asyncio.to_thread(self.read)
        except SniperError as error:
            self.sniper.show_error(error)
            return
        if self.is_mounted:
            self.tell(self.story)


def check_columns(*, grouped: bool = False) -> list[Column[CheckLine]]:
    """Checks: the sign, what was tried, the figure and its limit, how it ended; of a dossier with their group."""
    group: Column[CheckLine] = Column("group", 9, lambda r: r.group, lambda _: "accent")
    return [
        Column("", 1, lambda r: OUTCOMES[r.outcome][0], lambda r: OUTCOMES[r.outcome][1]),
        *([group] if grouped else []),
        Column("check", 22, lambda r: r.name, lambda r: "strong" if r.outcome is not Outcome.PASS else ""),
        Column("figure", 13, _figure, _figure_tone, right=True, drop=2),
        Column("limit", 13, lambda r: figures.readable(r.limit), lambda _: "muted", right=True, drop=3),
        # A dossier's figures stand in its sentences, too: on a narrow screen those have their room.
        Column(
            "what was tried", 34 if grouped else 20, lambda r: _brief(r.detail), _detail_tone, flex=1, drop=1
        ),
    ]


def _figure(row: CheckLine) -> str:
    return _brief(figures.readable(row.figure))


def _brief(text: str) -> str:
    """With its addresses as people recognise them; in full they stand in the evidence."""
    return ADDRESS.sub(lambda found: figures.address(found[0]), text)


def _figure_tone(row: CheckLine) -> str:
    return OUTCOMES[row.outcome][1] if row.outcome is not Outcome.PASS else ""


def _detail_tone(row: CheckLine) -> str:
    return OUTCOMES[row.outcome][1] if row.outcome is not Outcome.PASS else "muted"


def timeline_columns(start: Callable[[], datetime | None]) -> list[Column[EventRow]]:
    """A timeline: how long after the beginning, and what."""
    return [
        Column("after", 9, lambda r: after(r.at, start()), lambda _: "muted", right=True),
        Column("event", 20, lambda r: r.kind, lambda _: "accent", drop=1),
        Column("what", 20, lambda r: r.text, flex=1),
    ]


def after(moment: datetime, start: datetime | None) -> str:
    """The time between, in the unit that suits it: `+38 ms`, `+2.41 s`, `+1m05s`."""
    if start is None:
        return figures.clock(moment)
    span = (moment - start).total_seconds()
    if span < 1:
        return f"+{span * 1000:.0f} ms"
    return f"+{span:.2f} s" if span < 60 else f"+{figures.age(moment - start)}"


def fill(table: LiveTable[Any], rows: Sequence[Any]) -> None:
    """Show rows that have no key of their own, by their place."""
    table.show(dict(enumerate(rows)))


__all__ = ["DetailScreen", "after", "check_columns", "columns", "fill", "timeline_columns"]
