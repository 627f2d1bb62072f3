"""The first screen: launches, positions, orders and events, live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from sniper_cli.monitoring.rows import Dashboard, EventRow, LaunchRow, OrderRow, PositionRow
from tui import columns
from tui.screens.live import LiveScreen
from tui.widgets.live_table import LiveTable
from tui.widgets.titles import entitle

PANELS = ("launches", "positions", "orders", "events")
COMPANIONS = {"launches": "positions", "positions": "launches", "orders": "positions", "events": "launches"}
"""Which panel stays beside the active one where there is room for two."""
ACTS = {
    "close_position": "positions",
    "cancel_order": "orders",
    "amend_order": "orders",
    "cancel_orders": "orders",
}
"""Keys that mean something in one panel alone."""
EMPTY = {
    "launches": "no launch seen yet – the sniper lists every new pool here",
    "positions": "no position",
    "orders": "no order",
    "events": "the journal is empty",
}


class DashboardScreen(LiveScreen):
    """Four live tables. On a narrow terminal the active one and its companion, else all of them."""

    DEFAULT_CSS = """
    DashboardScreen {
        background: $background;
        & #panels { height: 1fr; }
        & LiveTable {
            border: round $border; border-title-color: $secondary; border-title-style: bold;
            border-subtitle-color: $secondary; padding: 0 1; background: $surface; height: 1fr;
        }
        & LiveTable:focus { border: round $primary; border-title-color: $primary; }
        & #launches { height: 14fr; }
        & #positions { height: 9fr; }
        & #lower { height: 8fr; }
        & #orders { width: 58%; height: 100%; }
        & #events { width: 1fr; height: 100%; }
        & #filter { dock: bottom; display: none; height: 1; border: none; padding: 0 1; background: $panel; }
        & #filter.-open { display: block; }
        &.-zoomed LiveTable { display: none; }
        &.-zoomed #lower { display: none; }
        &.-zoomed LiveTable.-active { display: block; height: 1fr; width: 1fr; }
        &.-zoomed #lower.-active { display: block; height: 1fr; }
    }
    DashboardScreen.-narrow, DashboardScreen.-short {
        & LiveTable { display: none; padding: 0; }
        & #lower { display: none; }
        & LiveTable.-active { display: block; height: 13fr; width: 1fr; }
        & #lower.-active { display: block; height: 13fr; }
        & LiveTable.-companion { display: block; height: 8fr; }
        &.-zoomed LiveTable.-companion { display: none; }
    }
    DashboardScreen.-live { border: heavy $error; }
    """
    NAME = "Dashboard"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "panel('launches')", "Launches", show=False),
        Binding("2", "panel('positions')", "Positions", show=False),
        Binding("3", "panel('orders')", "Orders", show=False),
        Binding("4", "panel('events')", "Events", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("m", "market", "Market"),
        Binding("r", "risk", "Risk"),
        Binding("f", "portfolio", "Portfolio", show=False),
        Binding("n", "nodes", "Nodes", show=False),
        Binding("t", "transactions", "Transactions", show=False),
        Binding("z", "zoom", "Zoom"),
        Binding("x", "close_position", "Close"),
        Binding("x", "cancel_order", "Cancel"),
        Binding("e", "amend_order", "Change"),
        Binding("X", "cancel_orders", "Cancel all", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    active: reactive[str] = reactive("launches")
    """The panel that has the keys."""

    def __init__(self, panel: str = "launches") -> None:
        super().__init__()
        self._first = panel

    def body(self) -> Iterable[Widget]:
        clock = self.sniper.clock
        launches: LiveTable[LaunchRow] = LiveTable(
            columns.launch_columns(), id="launches", empty=EMPTY["launches"], search=_launch_words
        )
        positions: LiveTable[PositionRow] = LiveTable(
            columns.position_columns(clock), id="positions", empty=EMPTY["positions"]
        )
        orders: LiveTable[OrderRow] = LiveTable(columns.order_columns(), id="orders", empty=EMPTY["orders"])
        events: LiveTable[EventRow] = LiveTable(columns.event_columns(), id="events", empty=EMPTY["events"])
        with Vertical(id="panels"):
            yield launches
            yield positions
            with Horizontal(id="lower"):
                yield orders
                yield events
        yield Input(
            placeholder="words that must occur; a leading ! turns it round", id="filter", compact=True
        )

    def on_mount(self) -> None:
        super().on_mount()
        for name in PANELS:
            self._entitle(name)
        self.action_panel(self._first)

    def table(self, name: str) -> LiveTable[Any]:
        return self.query_one(f"#{name}", LiveTable)

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        rows: dict[str, Mapping[Any, Any]] = {
            "launches": {row.id: row for row in dashboard.launches},
            "positions": {row.id: row for row in dashboard.positions},
            "orders": {row.id: row for row in dashboard.orders},
            "events": {row.key: row for row in dashboard.events},
        }
        for name, found in rows.items():
            self.table(name).show(found)
            self._entitle(name)

    def tick(self) -> None:
        super().tick()
        self.table("positions").refresh()

    def _entitle(self, name: str) -> None:
        """The panel's number, name and counts, and its filter."""
        table = self.table(name)
        shown, total = len(table.shown), table.total
        counts = f"/{table.words}  {shown} of {total}" if table.words else self._counts(name, total)
        entitle(table, f"{PANELS.index(name) + 1} {name.capitalize()}", counts)

    def _counts(self, name: str, total: int) -> str:
        """What a panel holds, in numbers."""
        facts = self.sniper.dashboard.facts if self.sniper.dashboard else None
        if facts is None or not total:
            return ""
        if name == "launches":
            return f"{facts.seen} seen · {facts.safe} safe · {facts.bought} bought"
        if name == "positions":
            stuck = len(self.sniper.dashboard.alarms) if self.sniper.dashboard else 0
            counts = f"{facts.open} open · {total - facts.open} closed"
            return f"{stuck} cannot be sold · {counts}" if stuck else counts
        return f"{facts.journal} in the journal" if name == "events" else str(total)

    def on_live_table_arranged(self, message: LiveTable.Arranged) -> None:
        if message.table.id in PANELS:
            self._entitle(message.table.id)

    # Keys

    def action_panel(self, name: str) -> None:
        self.active = name
        self.table(name).focus()

    def on_descendant_focus(self) -> None:
        focused = self.focused
        if isinstance(focused, LiveTable) and focused.id in PANELS:
            self.active = focused.id

    def watch_active(self, name: str) -> None:
        for panel in PANELS:
            self.table(panel).set_class(panel == name, "-active")
            self.table(panel).set_class(panel == COMPANIONS[name], "-companion")
        self.query_one("#lower").set_class(name in ("orders", "events"), "-active")
        self.refresh_bindings()

    def action_risk(self) -> None:
        self.sniper.open_risk()

    def action_nodes(self) -> None:
        self.sniper.open_nodes()

    def action_transactions(self) -> None:
        self.sniper.open_transactions()

    def action_portfolio(self) -> None:
        self.sniper.open_portfolio()

    def action_market(self) -> None:
        self.sniper.open_market()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.value = self.table(self.active).words
        field.add_class("-open")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter" and event.input.has_class("-open"):
            self.table(self.active).filter(event.value.lstrip("/"))
            self._entitle(self.active)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "filter":
            self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("-open")
        self.table(self.active).focus()

    def action_back(self) -> None:
        """Step back: out of the filter's field, then the filter, then the zoom, then the sorting."""
        table = self.table(self.active)
        if self.query_one("#filter", Input).has_class("-open") or table.words:
            table.filter("")
            self._entitle(self.active)
            self._close_filter()
        elif self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif table.sorted_by is not None:
            table.sort(None)

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        self.sniper.open_detail(str(message.table.id), message.key)

    def action_close_position(self) -> None:
        row = self.table("positions").current
        if isinstance(row, PositionRow) and row.is_open:
            self.sniper.ask_close(row)
        else:
            self.notify("this position is closed already", severity="warning", markup=False)

    def action_cancel_order(self) -> None:
        row = self.table("orders").current
        if isinstance(row, OrderRow):
            self.sniper.ask_cancel(row)

    def action_amend_order(self) -> None:
        row = self.table("orders").current
        if isinstance(row, OrderRow):
            self.sniper.ask_amend(row)

    def action_cancel_orders(self) -> None:
        self.sniper.ask_cancel_all()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        panel = ACTS.get(action)
        return super().check_action(action, parameters) if panel is None else self.active == panel


def _launch_words(row: LaunchRow) -> str:
    """What a filter looks at: also what stands in no column."""
    verdict = str(row.verdict).replace("_", " ")
    parts = (
        row.symbol,
        row.name,
        row.token,
        row.pool,
        verdict,
        row.classification.replace("_", " "),
        str(row.decision),
        columns.market_of(row),
        str(row.source),
        row.gone,
    )
    return " ".join((*parts, columns.rule_name(row.exit_rule), *row.reasons))
