"""The keys of the view one is in, what its signs mean, and how its columns sort."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Label, Static

from tui.widgets.live_table import LiveTable

Line = tuple[str, str]

COMMON: tuple[Line, ...] = (
    ("↑ ↓  j k", "move the cursor"),
    ("enter", "open what the cursor is on"),
    ("tab", "next table or block"),
    ("esc", "step back"),
    ("ctrl+k", "trip or reset the kill switch (asks for a word)"),
    ("p", "pause the screen; the sniper goes on"),
    ("ctrl+p", "command palette: everything by name, themes too"),
    ("!", "the position whose exit does not get out"),
    ("?", "this help"),
    ("q", "quit"),
)
VIEWS: dict[str, tuple[Line, ...]] = {
    "Dashboard": (
        ("1 2 3 4", "go to launches, positions, orders, events"),
        ("/", "filter: every word must occur, with /! none may"),
        ("m", "the market: prices, candles, book and trades"),
        ("f", "the portfolio: equity, positions, lots, profit"),
        ("r", "risk: limits, breaches, the kill switch by scope"),
        ("n", "the nodes: state, head, lag, latencies, breakers"),
        ("t", "transactions: bids and base fee, the next step"),
        ("z", "zoom the panel, and back"),
        ("x", "close the position under the cursor (panel 2)"),
        ("x e", "cancel, or change, the order (panel 3)"),
        ("X", "cancel all orders at work (panel 3)"),
    ),
    "Position": (
        ("x", "close this position"),
        ("h", "sell half of it"),
        ("o", "hold: suspend its rules; again: let them count"),
        ("e", "change its exits"),
    ),
    "Order": (("x", "cancel this order"), ("e", "change its size or its price")),
    "Transactions": (
        ("b", "raise the bid of the one under the cursor"),
        ("x", "end it: nothing takes its nonce"),
        ("enter", "its order"),
    ),
    "Portfolio": (("enter", "everything about the position under the cursor"),),
    "Risk": (("s", "stop or resume: choose what, then type the word"),),
    "Market": (
        ("[ ]", "shorter and longer candles: 1s to 1d"),
        ("1 2 3 4 5 6", "candles of 1m, 5m, 15m, 1h, 4h, 1d"),
        ("z  enter", "the chart alone, and back"),
    ),
}
SIGNS: tuple[Line, ...] = (
    ("✔ safe", "sold again in simulation, taxes within limits"),
    ("✘ unsafe", "a check failed: the reason says which"),
    ("? not proven", "could not be simulated: never bought"),
    ("» «  at a time", "seen ahead of its block; found in history"),
    ("struck through", "its block was taken away by a reorganisation"),
    ("▲ ▼", "gain, loss"),
    ("−8.7% in a bar", "the worth must fall by 8.7 % until it is sold"),
    ("■ at a token", "its exit does not get out"),
    ("(+15.5%)", "a trailing stop that wakes after 15.5 % more"),
)


class HelpBox(ModalScreen[None]):
    """Opened over a view, it tells the keys of that view."""

    DEFAULT_CSS = """
    HelpBox {
        align: center middle; background: $background 70%;
        & > .box {
            width: 78; max-width: 96%; height: auto; max-height: 94%; padding: 0 2;
            background: $surface; border: round $primary; border-title-style: bold; border-title-color: $primary;
            border-subtitle-color: $secondary;
        }
        & VerticalScroll { height: auto; max-height: 100%; }
        & .help--key { color: $primary; text-style: bold; }
        & .help--title { color: $secondary; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--key", "help--title"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "close", "Close")]

    def __init__(self, view: Screen[None]) -> None:
        super().__init__()
        self.view = view
        self.view_name = str(getattr(view, "NAME", "Dashboard"))

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = f"Keys · {self.view_name}"
            box.border_subtitle = "esc  close"
            with VerticalScroll():
                yield Static(id="keys")
        yield Label()

    def on_mount(self) -> None:
        self.query_one("#keys", Static).update(self._text())

    def _text(self) -> Text:
        title = self.get_component_rich_style("help--title", partial=True)
        key = self.get_component_rich_style("help--key", partial=True)
        text = Text()
        for number, (heading, lines) in enumerate(self._sections()):
            text.append(f"{chr(10) if number else ''}{heading}\n", title)
            for left, right in lines:
                text.append(f"  {left:<16}", key)
                text.append(f"{right}\n")
        text.rstrip()
        return text

    def _sections(self) -> Iterator[tuple[str, list[Line]]]:
        yield f"In {self.view_name.lower()}", [*VIEWS.get(self.view_name, ()), *COMMON]
        table = self.view.focused
        if isinstance(table, LiveTable) and (sorts := list(_sorts(table))):
            yield f"Sort {table.id}: shift and the underlined letter", sorts
        if self.view_name in ("Dashboard", "Launch", "Position"):
            yield "Signs", list(SIGNS)

    def action_close(self) -> None:
        self.dismiss()


def _sorts(table: LiveTable[object]) -> Iterator[Line]:
    """The letters and their columns, four to a line."""
    pairs = [f"{column.key} {column.title}" for column in table.columns if column.key]
    for place in range(0, len(pairs), 4):
        yield "" if place else "shift +", "   ".join(pairs[place : place + 4])
