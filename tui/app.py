"""The app: reads the state a few times a second, shows it, and lets a person act.

It can host a runtime, the work of a demo or a sniper, in its own event loop: started when the first screen
stands, cancelled and awaited when the person leaves, so that nothing is left running behind the terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from sniper_cli.context import Context
from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard, PositionRow
from sniper_cli.monitoring.snapshot import Monitor
from state.columns import utc_now
from tui.screens.dashboard import DashboardScreen
from tui.screens.live import LiveScreen
from tui.theme import THEMES

if TYPE_CHECKING:
    from sniper_cli.screens import Runtime

POLL_SECONDS = 0.25
"""How often the state is read: four times a second is what eyes follow in a table."""
SLOW_SECONDS = 2.0
"""How often it is tried when the last reading failed."""


class SniperApp(App[None]):
    """The dashboards of one profile."""

    TITLE = "Sniper"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+k", "kill_switch", "Kill switch"),
        Binding("p", "pause", "Pause", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        context: Context,
        runtime: Runtime | None = None,
        *,
        panel: str = "launches",
        clock: Callable[[], datetime] = utc_now,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`poll_seconds` 0: the state is read only when `read_state` is called."""
        super().__init__()
        self.context = context
        self.runtime = runtime
        self.clock = clock
        self.panel = panel
        self.poll_seconds = poll_seconds
        self.paused = False
        self.dashboard: Dashboard | None = None
        self.monitor = Monitor(
            context.database, profile=context.profile, settings=context.settings, clock=clock
        )
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    async def on_mount(self) -> None:
        await self.read_state()
        await self.push_screen(DashboardScreen(self.panel))
        if self.poll_seconds:
            self.set_timer(self.poll_seconds, self._poll)
            self.set_interval(0.5, self._tick)

    # Reading

    async def read_state(self) -> None:
        """Read the state once and show it."""
        self.dashboard = await asyncio.to_thread(self.monitor.read)
        if isinstance(self.screen, LiveScreen):
            self.screen.take(self.dashboard)

    async def _poll(self) -> None:
        """Read, show, and only then set the next time: slow readings never pile up."""
        pause = self.poll_seconds
        if not self.paused:
            try:
                await self.read_state()
            except SniperError as error:
                pause = SLOW_SECONDS
                self.notify(
                    error.message, title="The state cannot be read", severity="error", timeout=SLOW_SECONDS
                )
        self.set_timer(pause, self._poll)

    def _tick(self) -> None:
        if isinstance(self.screen, LiveScreen) and not self.paused:
            self.screen.tick()

    def action_pause(self) -> None:
        self.paused = not self.paused
        if isinstance(self.screen, LiveScreen):
            self.screen.take_current()

    def open_detail(self, panel: str, key: object) -> None:
        pass

    def ask_close(self, row: PositionRow) -> None:
        pass


def run(context: Context, *, panel: str = "launches") -> None:
    """Open the dashboard of a profile and return when the person leaves."""
    SniperApp(context, panel=panel).run()
