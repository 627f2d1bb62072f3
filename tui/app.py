"""The app: reads the state a few times a second, shows it, and lets a person act.

It can host a runtime, the work of a demo or a sniper, in its own event loop: started when the first screen
stands, cancelled and awaited when the person leaves, so that nothing is left running behind the terminal.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from textual.app import App
from textual.binding import Binding, BindingType

from sniper_cli.context import Context
from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard, OrderRow, PositionRow
from sniper_cli.monitoring.snapshot import Monitor
from sniper_cli.settings.model import Mode
from state.columns import utc_now
from tui import actions
from tui.actions import Act
from tui.palette import SniperCommands
from tui.screens.dashboard import DashboardScreen
from tui.screens.detail import DetailScreen
from tui.screens.dialogs import AmendBox, ConfirmAct, ErrorBox, RecordBox
from tui.screens.exits import ExitsBox
from tui.screens.help import HelpBox
from tui.screens.launch import LaunchScreen
from tui.screens.live import LiveScreen
from tui.screens.market import MarketScreen
from tui.screens.nodes import NodesScreen
from tui.screens.order import OrderScreen
from tui.screens.portfolio import PortfolioScreen
from tui.screens.position import PositionScreen
from tui.screens.risk import RiskScreen
from tui.screens.summary import SummaryScreen
from tui.screens.transactions import TransactionsScreen
from tui.theme import THEMES

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver

    from sniper_cli.screens import Runtime
    from sniper_cli.sniping.rules import ExitRules
    from sniper_cli.trading.transactions import TransactionView

POLL_SECONDS = 0.25
"""How often the state is read: four times a second is what eyes follow in a table."""
SETTLE_SECONDS = 2.0
"""How often a paper account is brought up to the present of its market."""
SLOW_SECONDS = 2.0
"""How often it is tried when the last reading failed."""


DETAILS: dict[str, type[DetailScreen[Any]]] = {
    "launches": LaunchScreen,
    "positions": PositionScreen,
    "orders": OrderScreen,
}
"""The screen that enter opens, by panel."""


class SniperApp(App[None]):
    """The dashboards of one profile."""

    TITLE = "Sniper"
    COMMANDS = App.COMMANDS | {SniperCommands}
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
        self.report: RenderableType | None = None
        """What the runtime ended with."""
        self.failure: Exception | None = None
        """What the runtime failed with."""
        self._hosted: asyncio.Task[None] | None = None
        self.command_prefix = ""
        """What must stand before the commands that acts equal: where a throw-away home is."""
        self._reading = asyncio.Lock()
        self._leaving = False
        self._settle_at = 0.0
        self._rung: frozenset[UUID] = frozenset()
        self.monitor = Monitor(
            context.database, profile=context.profile, settings=context.settings, clock=clock
        )
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, save that ours outlives its terminal."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":
            return chosen
        from tui.terminal import LastingDriver

        return LastingDriver

    async def on_mount(self) -> None:
        try:
            await self.read_state()
        except SniperError as error:
            self.failure = error
            self.exit()
            return
        await self.push_screen(DashboardScreen(self.panel))
        if not self.is_headless:
            self._listen_for_the_end()
        if self.runtime is not None:
            self._hosted = asyncio.create_task(self._host(self.runtime), name="runtime")
        if self.poll_seconds:
            self.set_timer(self.poll_seconds, self._poll)
            self.set_interval(0.5, self._tick)

    def _listen_for_the_end(self) -> None:
        """A terminated process, or a closed terminal, ends the runtime as q does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: self.call_later(self.action_quit))

    # Reading

    async def read_state(self) -> None:
        """Read the state once and show it. One reading at a time: the monitor remembers between them."""
        async with self._reading:
            self.dashboard = await asyncio.to_thread(self.monitor.read)
        self._ring(self.dashboard)
        if (view := self.view) is not None:
            view.take(self.dashboard)

    def _ring(self, dashboard: Dashboard) -> None:
        """Once for each position that has got an alarm; again only where it was out of it in between."""
        raised = frozenset(alarm.position_id for alarm in dashboard.alarms)
        if raised - self._rung and self.context.settings.screens.bell:
            self.bell()
        self._rung = raised

    @property
    def view(self) -> LiveScreen | None:
        """The full screen one looks at, also through a dialog: behind a question the figures go on.

        One that is being built or taken down has no widgets to show them in.
        """
        return next(
            (
                screen
                for screen in reversed(self.screen_stack)
                if isinstance(screen, LiveScreen) and screen.is_mounted and screen.is_running
            ),
            None,
        )

    async def _poll(self) -> None:
        """Read, show, and only then set the next time: slow readings never pile up."""
        pause = self.poll_seconds
        if not self.paused:
            try:
                await self._settle_paper()
                await self.read_state()
            except SniperError as error:
                pause = SLOW_SECONDS
                self.notify(
                    error.message,
                    title="The state cannot be read",
                    severity="error",
                    timeout=SLOW_SECONDS,
                    markup=False,
                )
        self.set_timer(pause, self._poll)

    async def _settle_paper(self) -> None:
        """A paper account's orders fill when somebody looks: we do, every few seconds."""
        facts = self.dashboard.facts if self.dashboard else None
        if (
            facts is None
            or facts.mode is not Mode.PAPER
            or facts.account is None
            or monotonic() < self._settle_at
        ):
            return
        from sniper_cli.trading.assembly import settle_paper

        self._settle_at = monotonic() + SETTLE_SECONDS
        await settle_paper(self.context)

    def _tick(self) -> None:
        if getattr(self._driver, "lost", False) and not self._leaving:
            self.call_later(self.action_quit)
        elif (view := self.view) is not None and not self.paused:
            view.tick()

    def action_pause(self) -> None:
        self.paused = not self.paused
        if (view := self.view) is not None:
            view.take_current()

    # Going places

    def open_detail(self, panel: str, key: object) -> None:
        """Open what a row stands for."""
        if panel == "events" and isinstance(key, tuple):
            self.open_record(key[0])
        elif panel in DETAILS and isinstance(key, UUID):
            self.push_screen(DETAILS[panel](key))

    def open_alarm(self) -> None:
        """The position whose exit has been stuck longest; from its own screen the next one's."""
        keys = [alarm.position_id for alarm in self.dashboard.alarms] if self.dashboard else []
        if not keys:
            return
        here = self.screen.identifier if isinstance(self.screen, PositionScreen) else None
        key = keys[(keys.index(here) + 1) % len(keys)] if here in keys else keys[0]
        if isinstance(self.screen, PositionScreen):
            if key == here:
                return
            self.pop_screen()
        self.push_screen(PositionScreen(key))

    def open_risk(self) -> None:
        """Show limits, breaches and switches."""
        if not isinstance(self.screen, RiskScreen):
            self.push_screen(RiskScreen())

    def open_nodes(self) -> None:
        """Show how every endpoint is doing."""
        if not isinstance(self.screen, NodesScreen):
            self.push_screen(NodesScreen())

    def open_transactions(self) -> None:
        """Show what is signed and waits, and what happens to it next."""
        if not isinstance(self.screen, TransactionsScreen):
            self.push_screen(TransactionsScreen())

    def open_portfolio(self) -> None:
        """Show what there is and what was earned."""
        if not isinstance(self.screen, PortfolioScreen):
            self.push_screen(PortfolioScreen())

    def open_market(self, instrument: str | None = None) -> None:
        """Show the market, beginning with an instrument."""
        if not isinstance(self.screen, MarketScreen):
            self.push_screen(MarketScreen(instrument))

    def open_record(self, seq: int) -> None:
        """Show one journal record in full."""
        from sniper_cli.monitoring.stories import record_in_full

        try:
            found = record_in_full(self.context.database, seq)
        except SniperError as error:
            self.show_error(error)
            return
        if found is not None:
            self.push_screen(RecordBox(seq, *found))

    def go_to_panel(self, name: str) -> None:
        """Back to the dashboard, with the keys in a panel."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, DashboardScreen):
            self.pop_screen()
        if isinstance(self.screen, DashboardScreen):
            self.screen.action_panel(name)

    def action_help(self) -> None:
        if isinstance(self.screen, LiveScreen):
            self.push_screen(HelpBox(self.screen))

    def show_error(self, error: BaseException) -> None:
        """Say what went wrong; the app goes on."""
        self.push_screen(ErrorBox(error))

    # Acting

    def action_kill_switch(self) -> None:
        tripped = self.dashboard is not None and self.dashboard.facts.switch is not None
        self.ask(actions.reset_switch(self.context) if tripped else actions.trip_switch(self.context))

    def ask_close(self, row: PositionRow) -> None:
        """Ask, then sell everything a position holds."""
        self.ask(actions.close_position(self.context, row))

    def ask_exit(self, row: PositionRow, share: str) -> None:
        """Ask, then sell a share of a position, by whoever holds its account."""
        self.ask(actions.exit_position(self.context, row, share))

    def ask_hold(self, row: PositionRow, *, held: bool) -> None:
        """Ask, then suspend a position's rules or let them count again."""
        self.ask(actions.hold_position(self.context, row, held=held))

    def ask_exits(self, row: PositionRow, rules: ExitRules) -> None:
        """Ask for a position's new exits; the form does it and stays while something is wrong with them."""

        def told(words: str | None) -> None:
            if words is not None:
                self.notify(words, title=f"Exits of {row.symbol}", markup=False)
                self.run_worker(self.read_state(), group="act")

        self.push_screen(ExitsBox(actions.edit_exits(self.context, row, rules), self.command_prefix), told)

    def ask_cancel(self, row: OrderRow) -> None:
        """Ask, then end an order."""
        if row.is_working:
            self.ask(actions.cancel_order(self.context, row))
        else:
            self.notify("this order is over already", severity="warning", markup=False)

    def ask_cancel_all(self) -> None:
        """Say how many orders are at work, ask, then end them all."""
        from sniper_cli.trading.reading import orders_at_work

        count = orders_at_work(self.context)
        if count:
            self.ask(actions.cancel_orders(self.context, count))
        else:
            self.notify("no order is at work", severity="warning", markup=False)

    def ask_amend(self, row: OrderRow) -> None:
        """Ask for an order's new size and price, show the act, then do it."""
        if not row.is_working:
            self.notify("this order is over already", severity="warning", markup=False)
            return

        def go_on(typed: tuple[str, str] | None) -> None:
            if typed is not None:
                self.ask(actions.amend_order(self.context, row, *typed))

        option = actions.PRICED.get(row.type, "--price").removeprefix("--")
        self.push_screen(
            AmendBox(f"Change the {row.side} of {row.symbol}", f"{option}: as in the command"), go_on
        )

    async def ask_replace(self, view: TransactionView, *, ends: bool) -> None:
        """Find out what a higher bid, or an end, would cost now, then ask."""
        try:
            act = await actions.replace_transaction(self.context, view, ends=ends)
        except Exception as error:  # noqa: BLE001 - shown in full, whatever it is
            self.show_error(error)
        else:
            self.ask(act)

    def ask(self, act: Act) -> None:
        """Show an act with its command line; do it when it is confirmed."""
        if isinstance(self.screen, ConfirmAct):
            return

        def decide(confirmed: bool | None) -> None:
            if confirmed:
                self.run_worker(self._perform(act), group="act")

        self.push_screen(ConfirmAct(act, self.command_prefix), decide)

    async def _perform(self, act: Act) -> None:
        """Whatever goes wrong is shown: an act may fail, the dashboard may not."""
        try:
            words = await act.perform()
            await self.read_state()
        except Exception as error:  # noqa: BLE001 - shown in full, whatever it is
            self.show_error(error)
        else:
            self.notify(words, title=act.title, markup=False)

    # Hosting

    async def _host(self, runtime: Runtime) -> None:
        """Run the runtime and show what it ends with."""
        try:
            self.report = await runtime()
        except Exception as error:  # noqa: BLE001 - shown here, raised again when the app has closed
            self.failure = error
            self.show_error(error)
            return
        if self.report is not None and not self._leaving:
            await self.read_state()
            self.push_screen(SummaryScreen(self.report))

    async def action_quit(self) -> None:
        """Let the runtime come to its end, then leave; asked a second time, leave at once."""
        task = self._hosted
        if task is None or task.done() or self._leaving:
            self.exit()
            return
        self._leaving = True
        self.notify("ending the run: what is in flight is settled first", title="One moment", timeout=30)
        task.cancel()
        self.run_worker(self._leave(task), group="leave")

    async def _leave(self, task: asyncio.Task[None]) -> None:
        await asyncio.wait([task])
        self.exit()


def run(context: Context, *, panel: str = "launches") -> None:
    """Open the dashboard of a profile and return when the person leaves."""
    _run(SniperApp(context, panel=panel))


def run_demo(context: Context, runtime: Runtime) -> RenderableType | None:
    """Open the dashboard over a runtime. Returns its report, None if it was cut short; raises what it raised."""
    app = SniperApp(context, runtime)
    if home := os.environ.get("SNIPER_HOME"):
        app.command_prefix = f"SNIPER_HOME={home} "
    _run(app)
    return app.report


def _run(app: SniperApp) -> None:
    """Run an app to its end; raise what it or its runtime failed with."""
    app.run()
    if app.failure is not None:
        raise app.failure
    if app.return_code:  # Textual has shown the traceback of a bug
        raise SystemExit(app.return_code)
