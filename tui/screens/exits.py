"""The form for a position's exits: every rule in force, to be typed over.

It holds the whole conversation: what is wrong with a rule is said in the form, which stays open with what was typed;
the command that does the same grows at its foot as one types.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from sniper_cli.errors import SniperError
from tui.actions import ExitEdit
from tui.widgets.titles import entitle

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("take_profit", "take profit", "GAIN:SHARE in %: 100:50,…"),
    ("stop_loss", "stop loss", "% lost of what was paid"),
    ("trailing", "trailing stop", "% below the peak"),
    ("trailing_activation", "  wakes at", "% gained"),
    ("break_even", "break even", "% gained, then back at cost"),
    ("break_even_steps", "  or after", "steps of the ladder done"),
    ("max_age", "time", "held so long: 90s, 30m, 2h"),
    ("no_profit_after", "no profit", "shown after this time"),
    ("volume_stall", "volume stall", "BLOCKS:COINS traded at most"),
    ("price_stall", "price stall", "BLOCKS:PERCENT moved at most"),
    ("liquidity_drop", "liquidity", "% of the pool's coins gone"),
    ("watch_pending", "flee", "from removals: yes or no"),
)
"""A rule's option, its name in the form, and what its figure means."""


class ExitsBox(ModalScreen[str | None]):
    """Asks for other exits. Enter changes what was typed over, escape changes nothing."""

    DEFAULT_CSS = """
    ExitsBox {
        align: center middle; background: $background 70%;
        & > .box {
            width: 76; max-width: 98%; height: auto; max-height: 100%; padding: 0 2;
            background: $surface; border: round $primary; border-title-style: bold; border-title-color: $primary;
        }
        & VerticalScroll { height: auto; max-height: 14; scrollbar-size-vertical: 1; }
        & .row { height: 1; width: 100%; }
        & .row Label { width: 15; color: $secondary; }
        & .row .about { width: 1fr; padding-left: 1; }
        & .row Input { width: 24; border: none; height: 1; padding: 0 1; background: $panel; }
        & .row Input:focus { background: $primary-muted; }
        & .row Input.-changed { color: $warning; text-style: bold; }
        & .command { width: 100%; height: auto; padding: 0 1; background: $panel; color: $primary; }
        & #problem { display: none; width: 100%; height: auto; color: $error; text-style: bold; }
        & #problem.-there { display: block; }
        & .keys { width: 100%; color: $secondary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "Leave it"),
        Binding("down", "app.focus_next", "Next rule", show=False),
        Binding("up", "app.focus_previous", "The rule before", show=False),
    ]

    def __init__(self, edit: ExitEdit, prefix: str = "") -> None:
        super().__init__()
        self.edit = edit
        self.prefix = prefix

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            entitle(box, self.edit.title)
            with VerticalScroll(can_focus=False):
                for name, title, about in FIELDS:
                    with Horizontal(classes="row"):
                        yield Label(title)
                        yield Input(self.edit.typed[name], id=name, compact=True, select_on_focus=True)
                        yield Label(about, classes="about")
            yield Static(id="problem", markup=False)
            yield Static(classes="command", markup=False)
            yield Label("enter  change    ↑ ↓  move    off  turns it off    esc  leave it", classes="keys")

    def on_mount(self) -> None:
        self.query_one(f"#{FIELDS[0][0]}", Input).focus()
        self._show_command()

    @property
    def changed(self) -> dict[str, str]:
        """What was typed over."""
        fields = {name: self.query_one(f"#{name}", Input).value.strip() for name, *_ in FIELDS}
        return {name: text for name, text in fields.items() if text != self.edit.typed[name]}

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.input.set_class(str(event.input.id) in self.changed, "-changed")
        self._say("")
        self._show_command()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in any field changes all that was typed over."""
        event.stop()
        if not (changed := self.changed):
            self._say("nothing is changed yet")
            return
        self.run_worker(self._perform(changed), exclusive=True, group="exits")

    async def _perform(self, changed: dict[str, str]) -> None:
        """What is wrong is said here, and the form stays; a bug is shown as everywhere."""
        try:
            words = await self.edit.perform(changed)
        except SniperError as error:
            self._say(error.message, error.hint)
        else:
            self.dismiss(words)

    def _show_command(self) -> None:
        changed = self.changed
        command = self.edit.command(changed) if changed else "type over what shall change"
        self.query_one(".command", Static).update(f"$ {self.prefix}{command}" if changed else command)

    def _say(self, problem: str, hint: str | None = None) -> None:
        field = self.query_one("#problem", Static)
        field.update(f"✘ {problem}" + (f"\n  $ {hint}" if hint else ""))
        field.set_class(bool(problem), "-there")

    def action_refuse(self) -> None:
        self.dismiss(None)
