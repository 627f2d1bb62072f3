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


class TimeInForce(StrEnum):
    """For how long."""

    gtc = "gtc"
    ioc = "ioc"
    fok = "fok"


class OrderState(StrEnum):
    """Where an order stands."""

    refused = "refused"
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
