"""What a person can do from a screen. Each act goes through the service that its command goes through.

An act says what will happen and the command line it equals before it runs, so that the screen teaches the commands
and nothing can be done here that cannot be done there.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sniper_cli.context import Context
from sniper_cli.monitoring.rows import PositionRow, token_of
from sniper_cli.settings.model import Mode
from state.identifiers import short
from tui import figures


@dataclass(frozen=True, slots=True)
class Act:
    """One change a person asks for: what it does, the command it equals, and how it is done."""

    title: str
    consequence: str
    command: str
    perform: Callable[[], Awaitable[str]]
    """Does it; returns what came of it, in a sentence."""
    word: str = ""
    """What must be typed to confirm; empty: enter is enough."""


def command_line(context: Context, *words: str) -> str:
    """The command that does the same, as it would be typed."""
    profile = () if context.profile == "paper" else ("-p", context.profile)
    return shlex.join(["sniper", *profile, *words])


def trip_switch(context: Context, reason: str = "tripped in the dashboard") -> Act:
    """Let only reductions pass from now on."""

    async def perform() -> str:
        from sniper_cli.risk import switch

        await asyncio.to_thread(switch.trip, context.database, context.actor, reason)
        return "The kill switch is tripped: only orders that reduce a position pass."

    return Act(
        "Trip the kill switch",
        "No order that opens or enlarges a position passes any more, from any process on this database. "
        "Open positions stay open; their exits still work.",
        command_line(context, "risk", "kill", "--reason", reason),
        perform,
        word="kill",
    )


def reset_switch(context: Context, reason: str = "resumed in the dashboard") -> Act:
    """Let all orders pass again."""

    async def perform() -> str:
        from sniper_cli.risk import switch

        await asyncio.to_thread(switch.reset, context.database, context.actor, reason)
        return "The kill switch is reset: orders pass again."

    return Act(
        "Resume trading",
        "Orders pass again, the sniper's purchases with them.",
        command_line(context, "risk", "resume", "--reason", reason),
        perform,
        word="resume",
    )


def close_position(context: Context, row: PositionRow) -> Act:
    """Sell everything a position holds, at the market."""

    async def perform() -> str:
        from sniper_cli.trading.assembly import close_position as close

        return await close(context, row.id, live=live)

    live = context.settings.mode is Mode.LIVE
    profit = f"{figures.gain(row.profit, row.quote_decimals)} {figures.percent(row.profit_pct)}"
    return Act(
        f"Close position {row.symbol}",
        f"Sells {figures.exact(row.quantity, row.decimals)} {token_of(row.symbol)}, "
        f"worth {figures.amount(row.value, row.quote_decimals)} now ({profit}), at the market.",
        command_line(context, "position", "close", short(row.id), *(["--live"] if live else [])),
        perform,
        word="live" if live else "",
    )
