"""Nodes: how every endpoint is doing, as a running Sniper last found it: state, head, lag, latencies, breaker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from decimal import Decimal
from time import monotonic
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget

from sniper_cli.endpoints.listing import EndpointLine, endpoint_lines
from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard
from tui import figures
from tui.screens.detail import FRAME
from tui.screens.live import LiveScreen
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.titles import entitle

LOOK_SECONDS = 1.0
"""Readings are written every two seconds."""
STATES: dict[str, tuple[str, str]] = {
    "healthy": ("● healthy", "good"),
    "lagging": ("◐ lagging", "warn"),
    "half_open": ("◐ on probation", "warn"),
    "unknown": ("○ not watched", "muted"),
    "disabled": ("– disabled", "muted"),
    "frozen": ("✘ frozen", "bad"),
    "failing": ("✘ failing", "bad"),
    "open": ("✘ broken off", "bad"),
    "wrong_chain": ("✘ wrong chain", "bad"),
}
"""A state's sign and word, and its style."""
NOTEWORTHY = Decimal("0.1")
"""Errors in per cent from which they are coloured."""
EMPTY = "no endpoint – sniper endpoints add"


class NodesScreen(LiveScreen):
    """The endpoints of the profile."""

    DEFAULT_CSS = f"""
    NodesScreen {{
        background: $background;
        & .frame {{ width: 1fr; height: 100%; {FRAME} }}
        & .frame:focus {{ border: round $primary; border-title-color: $primary; }}
        & .side {{ width: 40; height: 100%; scrollbar-size-vertical: 1; {FRAME} }}
        & .side:focus {{ border: round $primary; border-title-color: $primary; }}
    }}
    NodesScreen.-narrow {{
        & .side {{ display: none; }}
        & .frame {{ padding: 0; }}
    }}
    NodesScreen.-live {{ border: heavy $error; }}
    """
    NAME = "Nodes"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,backspace", "back", "Back")]

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[EndpointLine] = []
        self._looked = 0.0

    def body(self) -> Iterable[Widget]:
        nodes: LiveTable[EndpointLine] = LiveTable(node_columns(), id="nodes", classes="frame", empty=EMPTY)
        with Horizontal():
            yield nodes
            with VerticalScroll(classes="side"):
                yield Facts(id="figures", label_width=11)

    def on_mount(self) -> None:
        super().on_mount()
        entitle(self.query_one("#nodes"), "Nodes")
        entitle(self.query_one(".side"), "Endpoint")
        nodes = self.query_one("#nodes", LiveTable)
        nodes.focus()
        self.watch(nodes, "cursor", self._tell, init=False)
        self.look()

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        if monotonic() - self._looked >= LOOK_SECONDS and not self.sniper.paused:
            self.look()

    def tick(self) -> None:
        super().tick()
        self._tell()

    def look(self) -> None:
        """Read the list and the newest readings."""
        self._looked = monotonic()
        # The function and not its coroutine: one that is dropped before it begins would never be awaited.
        work: Any = self._look
        self.run_worker(work, exclusive=True, group="nodes")

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(endpoint_lines, self.sniper.context, now=self.sniper.clock())
        except SniperError as error:
            self.sniper.show_error(error)
            return
        if self.is_mounted:
            self.show(found)

    def show(self, found: list[EndpointLine]) -> None:
        """Show how they are doing."""
        self.lines = found
        table = self.query_one("#nodes", LiveTable)
        table.show({line.name: line for line in found})
        used = [line for line in found if line.enabled]
        sound = sum(line.state == "healthy" for line in used)
        entitle(table, "Nodes", f"{sound} of {len(used)} healthy" if used else "")
        self._tell()

    def _tell(self) -> None:
        """The figures of the one under the cursor."""
        line: EndpointLine | None = self.query_one("#nodes", LiveTable).current
        entitle(self.query_one(".side"), "Endpoint" if line is None else line.name)
        self.query_one("#figures", Facts).show([] if line is None else _facts(line))


def node_columns() -> list[Column[EndpointLine]]:
    """Endpoints: state, where they stand, how fast they are, how often they fail."""
    return [
        Column("name", 14, lambda n: n.name, lambda _: "strong", flex=1, key="N"),
        Column("state", 14, lambda n: _state(n)[0], lambda n: _state(n)[1], key="S"),
        Column(
            "head", 11, lambda n: _count(n.head), right=True, drop=1, key="H", order=lambda n: n.head or 0
        ),
        Column("lag", 5, lambda n: _count(n.lag), _lag_tone, right=True, key="L", order=lambda n: n.lag or 0),
        Column("age", 7, lambda n: _span(n.age_seconds, "s"), lambda _: "muted", right=True, drop=2, key="A"),
        Column("p50", 9, lambda n: _span(n.p50_ms, "ms"), right=True, drop=3, order=lambda n: n.p50_ms or 0),
        Column("p95", 9, lambda n: _span(n.p95_ms, "ms"), right=True, key="P", order=lambda n: n.p95_ms or 0),
        Column("errors", 7, lambda n: _span(n.error_pct, "%"), _error_tone, right=True, drop=1, key="E"),
        Column("breaker", 9, lambda n: (n.breaker or "–").replace("_", " "), _breaker_tone, drop=2, key="B"),
    ]


def _state(line: EndpointLine) -> tuple[str, str]:
    return STATES.get(line.state, (f"✘ {line.state.replace('_', ' ')}", "bad"))


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _span(value: Decimal | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}"


def _lag_tone(line: EndpointLine) -> str:
    return "" if not line.lag else "warn" if line.state == "healthy" else "bad"


def _error_tone(line: EndpointLine) -> str:
    return "bad" if line.error_pct is not None and line.error_pct >= NOTEWORTHY else "muted"


def _breaker_tone(line: EndpointLine) -> str:
    return {"open": "bad", "half_open": "warn"}.get(line.breaker or "", "muted")


def _facts(line: EndpointLine) -> Iterator[Fact]:
    word, tone = _state(line)
    yield "state", word, tone
    if line.trouble:
        yield "why", line.trouble, "bad"
    yield "kind", line.kind, ""
    yield "address", line.url, ""
    if line.ws_url:
        yield "websocket", line.ws_url, ""
    yield "chain", "–" if line.chain_id is None else str(line.chain_id), ""
    yield "", "", ""
    yield "head", _count(line.head), ""
    yield "behind", "–" if line.lag is None else f"{line.lag} blocks", ""
    yield "unmoved", _span(line.age_seconds, "s"), ""
    yield "p50", _span(line.p50_ms, "ms"), ""
    yield "p95", _span(line.p95_ms, "ms"), ""
    yield "p99", _span(line.p99_ms, "ms"), ""
    yield "", "", ""
    yield "calls", f"{line.calls:,}", ""
    yield "errors", f"{line.errors:,}", "bad" if line.errors else ""
    yield "weight", str(line.weight), ""
    if line.per_second:
        yield "at most", f"{line.per_second} a second", ""
    yield "from", line.origin, "muted"
    if line.observer and line.seen_at:
        yield "seen by", line.observer, "muted"
        yield "at", figures.clock(line.seen_at), "muted"
