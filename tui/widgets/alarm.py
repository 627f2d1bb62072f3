"""An exit that does not get out, in two red lines above whatever one looks at: what is wrong, what was tried, the key.

It is there as long as the state says so. It does not scroll, nothing covers it but a question, and it cannot be closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from sniper_cli.monitoring.rows import Alarm
from sniper_cli.sniping.attempts import Attempt
from tui import figures

GWEI = 9


class AlarmBar(Widget):
    """The alarm that has stood longest, and how many there are."""

    DEFAULT_CSS = """
    AlarmBar {
        display: none; height: 2; padding: 0 1; background: $error; color: $background; text-style: bold;
        &.-raised { display: block; }
    }
    """
    alarms: reactive[tuple[Alarm, ...]] = reactive(())
    """The longest standing first; none: the bar is not there."""

    here: reactive[UUID | None] = reactive(None)
    """The position whose own screen this is."""

    def show(self, alarms: Sequence[Alarm], *, here: UUID | None = None) -> None:
        """Take what is raised; on a position's own screen its own comes first."""
        self.here = here
        self.alarms = tuple(sorted(alarms, key=lambda alarm: alarm.position_id != here))

    def watch_alarms(self) -> None:
        self.set_class(bool(self.alarms), "-raised")

    def render(self) -> Text:
        if not self.alarms:
            return Text()
        first, width = self.alarms[0], self.content_size.width
        count = f"  (1 of {len(self.alarms)})" if len(self.alarms) > 1 else ""
        keys = "e  other rules · h  half · x  all" if first.position_id == self.here else "!  opens it"
        top = _between(f"■ ALARM  {first.token} cannot be sold: {first.problem}", count, width)
        return Text("\n").join([top, _between(tried(first.attempts), keys, width)])


def tried(attempts: Sequence[Attempt]) -> str:
    """What was tried, in a line: how small, how high a bid, how bad a price, and why the last one failed."""
    if not attempts:
        return ""
    bids = [attempt.max_fee for attempt in attempts if attempt.max_fee is not None]
    slippages = [a.max_slippage_bps for a in attempts if a.max_slippage_bps is not None]
    smallest, largest = min(a.quantity for a in attempts), max(a.quantity for a in attempts)
    parts = [f"tried: down to {fraction(smallest, largest)}" if smallest < largest else "tried: whole"]
    parts += [f"up to {gwei(max(bids))} gwei"] if bids else ["none was signed"]
    parts += [f"{figures.bps(max(slippages))} worse"] if slippages else []
    return f"{', '.join(parts)}: {attempts[-1].reason}"


def fraction(part: int, whole: int) -> str:
    """Which part of a whole it is, as sales are cut: `1/4`."""
    return "whole" if part >= whole or part <= 0 else f"1/{(whole + part // 2) // part}"


def gwei(wei: int) -> str:
    """A fee per gas in three places at most: `2.07`, `300`."""
    text = f"{Decimal(wei).scaleb(-GWEI):,.3f}"
    return text.rstrip("0").rstrip(".")


def _between(left: str, right: str, width: int) -> Text:
    """Two texts at the two ends; the left one gives way, the right one tells what to press."""
    line = Text(left)
    line.truncate(max(0, width - len(right) - (1 if right else 0)), overflow="ellipsis")
    line.append(" " * max(0, width - line.cell_len - len(right)))
    line.append(right)
    return line
