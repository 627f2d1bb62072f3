"""The modals: an act to confirm, an error that happened, a record in full."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from sniper_cli.errors import SniperError
from sniper_cli.monitoring.stories import CheckLine
from tui.actions import Act
from tui.widgets.titles import entitle

BOX = """
    align: center middle; background: $background 70%;
    & > .box {
        width: 72; max-width: 94%; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $primary; border-title-style: bold; border-title-color: $primary;
        & > .text { width: 100%; height: auto; margin-bottom: 1; }
        & > .command {
            width: 100%; height: auto; padding: 0 1; margin-bottom: 1; background: $panel; color: $primary;
        }
        & > .keys { width: 100%; color: $secondary; }
        & > Input { margin-bottom: 1; border: round $border; background: $surface; height: 3; }
        & > Input:focus { border: round $error; }
    }
"""


class ConfirmAct(ModalScreen[bool]):
    """Says what an act will do and the command it equals. Enter does it; a grave act wants its word typed."""

    DEFAULT_CSS = f"""
    ConfirmAct {{ {BOX} }}
    ConfirmAct.-grave > .box {{ border: round $error; border-title-color: $error; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "Leave it"),
        Binding("enter", "confirm", "Do it"),
    ]

    def __init__(self, act: Act, prefix: str = "") -> None:
        super().__init__(classes="-grave" if act.word else "")
        self.act = act
        self.prefix = prefix

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            entitle(box, self.act.title)
            yield Static(self.act.consequence, classes="text", markup=False)
            yield Static(f"$ {self.prefix}{self.act.command}", classes="command", markup=False)
            if self.act.word:
                yield Input(placeholder=f"type {self.act.word} to confirm", id="word")
            yield Label("enter  do it      esc  leave it", classes="keys")

    def on_mount(self) -> None:
        if self.act.word:
            self.query_one("#word", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field: by its message, so that it comes after the letters typed before it."""
        event.stop()
        self.action_confirm()

    def action_confirm(self) -> None:
        if self.act.word and self.query_one("#word", Input).value.strip().lower() != self.act.word:
            field = self.query_one("#word", Input)
            field.value = ""
            field.placeholder = f"the word is: {self.act.word}"
            return
        self.dismiss(True)

    def action_refuse(self) -> None:
        self.dismiss(False)


class AmendBox(ModalScreen[tuple[str, str] | None]):
    """Asks for an order's new size and price; what is left empty stays as it is."""

    DEFAULT_CSS = f"""
    AmendBox {{ {BOX} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "refuse", "Leave it")]

    def __init__(self, title: str, price: str) -> None:
        super().__init__()
        self.heading = title
        self.price = price

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            entitle(box, self.heading)
            yield Input(placeholder="quantity: all of it, what is filled included", id="quantity")
            yield Input(placeholder=self.price, id="price")
            yield Label("enter  go on      esc  leave it", classes="keys")

    def on_mount(self) -> None:
        self.query_one("#quantity", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in either field goes on, once there is something to change."""
        event.stop()
        typed = (
            self.query_one("#quantity", Input).value.strip(),
            self.query_one("#price", Input).value.strip(),
        )
        if any(typed):
            self.dismiss(typed)

    def action_refuse(self) -> None:
        self.dismiss(None)


class ErrorBox(ModalScreen[None]):
    """An error in words, with what can be done about it. The app goes on."""

    DEFAULT_CSS = f"""
    ErrorBox {{ {BOX} }}
    ErrorBox > .box {{ border: round $error; border-title-color: $error; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close")]

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def compose(self) -> ComposeResult:
        ours = isinstance(self.error, SniperError)
        with Vertical(classes="box") as box:
            box.border_title = "That did not work"
            text = (
                self.error.message
                if isinstance(self.error, SniperError)
                else f"{_name(self.error)}: {self.error}"
            )
            yield Static(text, classes="text", markup=False)
            if isinstance(self.error, SniperError) and self.error.hint:
                yield Static(f"$ {self.error.hint}", classes="command", markup=False)
            if not ours:
                yield Static(
                    "This is a bug in Sniper; nothing of it was written.", classes="text", markup=False
                )
            yield Label("esc  close", classes="keys")

    def action_close(self) -> None:
        self.dismiss()


class RecordBox(ModalScreen[None]):
    """One journal record: its place in the chain and everything it says."""

    DEFAULT_CSS = f"""
    RecordBox {{ {BOX} }}
    RecordBox > .box {{ width: 92; }}
    RecordBox VerticalScroll {{ height: auto; max-height: 24; margin-bottom: 1; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close")]

    def __init__(self, seq: int, text: str, digest: str) -> None:
        super().__init__()
        self.seq = seq
        self.text = text
        self.digest = digest

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = f"Journal record {self.seq}"
            with VerticalScroll():
                yield Static(self.text, markup=False)
            yield Static(f"sha-256 {self.digest}", classes="text", markup=False)
            yield Label("esc  close", classes="keys")

    def action_close(self) -> None:
        self.dismiss()


class EvidenceBox(ModalScreen[None]):
    """One line of a dossier: what it says, and each call that proves it with its result."""

    DEFAULT_CSS = f"""
    EvidenceBox {{ {BOX} }}
    EvidenceBox > .box {{ width: 92; }}
    EvidenceBox VerticalScroll {{ height: auto; max-height: 22; margin-bottom: 1; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close")]

    def __init__(self, line: CheckLine) -> None:
        super().__init__()
        self.line = line

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            group = f"{self.line.group} · " if self.line.group else ""
            box.border_title = f"{group}{self.line.name}"
            box.border_subtitle = self.line.outcome.value.replace("_", " ")
            yield Static(self.line.detail, classes="text", markup=False)
            with VerticalScroll():
                yield Static(evidence_text(self.line), markup=False)
            yield Label("esc  close", classes="keys")

    def action_close(self) -> None:
        self.dismiss()


def evidence_text(line: CheckLine) -> str:
    """Each proof as lines of words and values; what a check of trading tried is in its own sentence."""
    if not line.evidence:
        return "no single call stands behind this line"
    return "\n\n".join(
        "\n".join(
            f"{name:<8}{value}"
            for name, value in (
                ("asked", proof.what),
                ("from", proof.sender),
                ("to", proof.to),
                ("data", proof.data),
                ("block", "" if proof.block is None else f"{proof.block:,}"),
                ("result", proof.result),
            )
            if value
        )
        for proof in line.evidence
    )


def _name(error: BaseException) -> str:
    return type(error).__name__
