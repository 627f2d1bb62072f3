"""What all full screens have in common: the status header on top, the keys below, and new figures when they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from sniper_cli.monitoring.rows import Dashboard
from tui.widgets.alarm import AlarmBar
from tui.widgets.keys import Keys
from tui.widgets.status import StatusHeader

if TYPE_CHECKING:
    from tui.app import SniperApp


class LiveScreen(Screen[None]):
    """A screen that shows the present state."""

    NAME: ClassVar[str] = "Dashboard"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("exclamation_mark", "alarm", "Alarm", key_display="!"),
    ]

    @property
    def position(self) -> UUID | None:
        """The position that this screen is about."""
        return None

    @property
    def sniper(self) -> SniperApp:
        return cast("SniperApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusHeader()
        yield AlarmBar()
        yield from self.body()
        yield Keys()

    def body(self) -> Iterable[Widget]:
        """The screen's own widgets."""
        return ()

    def on_mount(self) -> None:
        self.take_current()

    def on_screen_resume(self) -> None:
        self.take_current()

    def take_current(self) -> None:
        """Show what the app has read last."""
        if self.sniper.dashboard is not None:
            self.take(self.sniper.dashboard)

    def take(self, dashboard: Dashboard) -> None:
        """Show new figures."""
        header = self.query_one(StatusHeader)
        header.facts = dashboard.facts
        header.now = self.sniper.clock()
        header.paused = self.sniper.paused
        bar = self.query_one(AlarmBar)
        if bool(bar.alarms) is not bool(dashboard.alarms):
            self.refresh_bindings()  # builds the footer anew: not at every reading
        bar.show(dashboard.alarms, here=self.position)
        self.set_class(dashboard.facts.mode == "live", "-live")

    def tick(self) -> None:
        """A moment has passed: ages grow though nothing changed."""
        self.query_one(StatusHeader).now = self.sniper.clock()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "alarm" or bool(self.sniper.dashboard and self.sniper.dashboard.alarms)

    def action_alarm(self) -> None:
        """Open the position that cannot be sold; pressed on its screen, the next one's."""
        self.sniper.open_alarm()

    def action_back(self) -> None:
        self.dismiss()
