"""The two lines above every screen: whose money, which chain, how fresh, how much, and the kill switch."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from sniper_cli.monitoring.rows import Facts
from sniper_cli.settings.model import Mode
from tui import figures

WIDE = 104
"""From this width on, the second line has room for the words and the trend."""


CALM = 10**6
"""An equity that moves by less than a millionth draws a flat line: it moves far less than a position."""


class StatusHeader(Widget):
    """Profile, mode, head and its age, equity, profit, kill switch: always there, on every screen."""

    DEFAULT_CSS = """
    StatusHeader {
        dock: top; height: 2; padding: 0 1; background: $background; color: $foreground;
        & .status--name { color: $foreground; text-style: bold; }
        & .status--muted { color: $secondary; }
        & .status--good { color: $success; }
        & .status--bad { color: $error; }
        & .status--stale { color: $secondary; text-style: italic; }
        & .status--paper { background: $primary-muted; color: $foreground; text-style: bold; }
        & .status--devnet { background: $accent-muted; color: $foreground; text-style: bold; }
        & .status--live { background: $error; color: $background; text-style: bold; }
        & .status--tripped { background: $error; color: $background; text-style: bold; }
        & .status--paused { background: $warning; color: $background; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"status--{name}"
        for name in ("name", "muted", "good", "bad", "stale", "paper", "devnet", "live", "tripped", "paused")
    }

    facts: reactive[Facts | None] = reactive(None)
    """The figures; none until the first reading."""
    now: reactive[datetime | None] = reactive(None)
    """The moment that ages are counted to."""
    paused: reactive[bool] = reactive(False)
    """Whether the screen has been told to stand still."""

    def render(self) -> Text:
        facts = self.facts
        if facts is None or self.now is None:
            return Text("reading …")
        width = self.content_size.width
        top = _spread(self._who(facts, width), self._switch(facts, width), width)
        return Text("\n").join([top, _spread(self._money(facts, width), self._counts(facts), width)])

    def _tone(self, name: str) -> str:
        return str(self.get_component_rich_style(f"status--{name}", partial=True))

    def _who(self, facts: Facts, width: int) -> Text:
        """Profile, mode, chain, head and its age."""
        mode = {Mode.PAPER: "paper", Mode.DEVNET: "devnet", Mode.LIVE: "live"}[facts.mode]
        line = Text.assemble(
            (f" {facts.mode.upper()} ", self._tone(mode)), "  ", (facts.profile, self._tone("name")), "  "
        )
        if facts.mode is Mode.PAPER:
            line.append("simulated market", self._tone("muted"))
            return line
        line.append(f"chain {facts.chain_id}  " if width >= 70 else f"{facts.chain_id} ", self._tone("muted"))
        if facts.head_number is None or facts.head_at is None or self.now is None:
            line.append("no block yet", self._tone("stale"))
            return line
        seconds = max(0.0, (self.now - facts.head_at).total_seconds())
        age = f"{seconds:.1f} s" if seconds < 60 else figures.age(self.now - facts.head_at)
        if facts.stale(self.now):
            line.append(f"block {facts.head_number:,} · stale, {age} old", self._tone("stale"))
        else:
            line.append(f"block {facts.head_number:,}", self._tone("name"))
            line.append(f" · {age} ago" if width >= 70 else f" {age}", self._tone("muted"))
        return line

    def _switch(self, facts: Facts, width: int) -> Text:
        line = Text()
        if self.paused:
            line.append(" PAUSED ", self._tone("paused"))
            line.append(" ")
        if facts.switch is None:
            line.append("○ ", self._tone("good"))
            line.append("trading allowed" if width >= 70 else "armed", self._tone("muted"))
        else:
            line.append(" ■ KILL SWITCH ", self._tone("tripped"))
            if width >= WIDE:
                line.append(f" {facts.switch.actor}: {facts.switch.reason}"[:40], self._tone("bad"))
        return line

    def _money(self, facts: Facts, width: int) -> Text:
        """Equity, and the profit made and standing open."""
        muted = self._tone("muted")
        if facts.equity is None:
            return Text("no account yet", muted)
        line = Text.assemble(
            ("equity " if width >= WIDE else "", muted),
            (f"{figures.amount(facts.equity, facts.decimals)} {facts.coin}", self._tone("name")),
        )
        for word, brief, units in (
            ("realised", "made", facts.realised),
            ("unrealised", "open", facts.unrealised),
        ):
            line.append(f"   {word if width >= WIDE else brief} ", muted)
            line.append(figures.gain(units, facts.decimals), self._profit_tone(units))
        if width >= WIDE and len(facts.trend) > 1:
            line.append("   ")
            line.append(
                figures.trend(facts.trend, 16, calm=CALM),
                self._profit_tone(facts.realised + facts.unrealised),
            )
        return line

    def _profit_tone(self, units: int) -> str:
        return self._tone({"good": "good", "bad": "bad"}.get(figures.tone(units), "muted"))

    def _counts(self, facts: Facts) -> Text:
        if facts.lag:
            return Text(f"{facts.lag:,} records still to come in", self._tone("stale"))
        return Text(f"{facts.open} open" if facts.open else "nothing open", self._tone("muted"))


def _spread(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of a line; the right one goes if both do not fit."""
    room = width - left.cell_len - right.cell_len
    if room < 1:
        left.truncate(width)
        return left
    return Text.assemble(left, " " * room, right)
