"""Words and options that the trading groups share.

The enums repeat those of `state.orders`, whose module takes 300 ms to import; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Side(StrEnum):
    """Which way."""

    buy = "buy"
    sell = "sell"


class OrderType(StrEnum):
    """At what price."""

    market = "market"
    limit = "limit"
    stop = "stop"
    stop_limit = "stop_limit"
    take_profit = "take_profit"
    trailing_stop = "trailing_stop"


class TimeInForce(StrEnum):
    """For how long."""

    gtc = "gtc"
    ioc = "ioc"
    fok = "fok"
    gtd = "gtd"
    day = "day"


class OrderState(StrEnum):
    """Where an order stands."""

    refused = "refused"
    held = "held"
    recorded = "recorded"
    sent = "sent"
    open = "open"
    partially_filled = "partially_filled"
    filled = "filled"
    cancelled = "cancelled"
    expired = "expired"
    rejected = "rejected"
    dropped = "dropped"


LiveOption = Annotated[bool, typer.Option("--live", help="Agree to trade live money, on a live profile.")]
WaitOption = Annotated[
    float,
    typer.Option(
        "--wait", min=0, metavar="SECONDS", help="How long to wait for the order's fate on a chain."
    ),
]


def complete_sides(incomplete: str) -> list[str]:
    """Sides, for the shell."""
    return [side.value for side in Side if side.value.startswith(incomplete.lower())]


def complete_types(incomplete: str) -> list[str]:
    """Kinds of order, for the shell."""
    return [kind.value for kind in OrderType if kind.value.startswith(incomplete.lower())]


def complete_times(incomplete: str) -> list[str]:
    """Times in force, for the shell."""
    return [tif.value for tif in TimeInForce if tif.value.startswith(incomplete.lower())]


SideOption = Annotated[
    str | None,
    typer.Option("--side", metavar="buy|sell", help="Only this side.", autocompletion=complete_sides),
]
TypeOption = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="Only this kind of order.", autocompletion=complete_types),
]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", metavar="NAME", help="Only of this strategy.")
]
