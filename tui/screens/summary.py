"""The end of a hosted runtime: its own report, in a screen that scrolls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.console import RenderableType
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui.screens.live import LiveScreen


class SummaryScreen(LiveScreen):
    """What came of it all. Escape goes back to the dashboard, q leaves."""

    DEFAULT_CSS = """
    SummaryScreen {
        background: $background;
        & VerticalScroll {
            border: round $primary; border-title-color: $primary; border-title-style: bold;
            border-subtitle-color: $secondary; background: $surface; padding: 0 1;
        }
        & Static { width: auto; height: auto; }
    }
    """
    NAME = "Summary"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back to the dashboard")]

    def __init__(self, report: RenderableType) -> None:
        super().__init__()
        self.report = report

    def body(self) -> Iterable[Widget]:
        with VerticalScroll(id="report"):
            yield Static(self.report, markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        box = self.query_one("#report")
        box.border_title = "The run is over"
        box.border_subtitle = "esc  dashboard · q  quit"
        box.focus()
