"""What an order book is asked and what it answers: the options of an order, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sniper_cli.market.book_levels import OrderId


class ImpossibleOrder(ValueError):
    """No such order can be: no lots, no price for what is to rest, an id that is in the book already."""


class SelfTrade(StrEnum):
    """What becomes of two orders of one participant that would trade with each other."""

    ALLOW = "none"
    CANCEL_NEWEST = "cancel_newest"
    """The order that comes in ends there; what it has got by then stands."""
    CANCEL_OLDEST = "cancel_oldest"
    """The resting order goes; the one that comes in trades on."""
    CANCEL_BOTH = "cancel_both"
    DECREMENT = "decrement"
    """Both lose what they would have traded, slice by slice."""


class PostOnly(StrEnum):
    """What becomes of an order that may only rest, and would trade."""

    REJECT = "reject"
    SLIDE = "slide"
    """It rests one tick short of the best price of the other side."""


class Status(StrEnum):
    """What became of an order when it came in."""

    FILLED = "filled"
    RESTING = "resting"
    PARTIALLY_FILLED_RESTING = "partially_filled_resting"
    PARTIALLY_FILLED_CANCELLED = "partially_filled_cancelled"
    CANCELLED = "cancelled"
    """Nothing traded and nothing rests."""
    REJECTED = "rejected"
    """The book is as if it had not come."""


class Reason(StrEnum):
    """Why an order did not get all that it asked for."""

    WOULD_TRADE = "would_trade"
    """Post-only, and it would have taken."""
    NOT_ALL_AT_ONCE = "not_all_at_once"
    """FOK, and less stood there."""
    NOTHING_LEFT = "nothing_left"
    """IOC or at the market, and no more stood within its price."""
    SELF_TRADE = "self_trade"
    """It met an order of its own participant."""
    NOT_RESTING = "not_resting"
    """To be amended, and not in the book, or no longer."""


class Fill(msgspec.Struct, gc=False):
    """What an order that came in took from a resting one, at the resting one's price."""

    maker: OrderId
    price: int
    lots: int
    left: int
    """Lots that the maker has still open, hidden ones too; at 0 it has left the book."""


class Outcome(msgspec.Struct, gc=False):
    """What became of an order when it came in or was amended."""

    status: Status
    remaining: int
    """Lots still wanted: they rest, or the status says that they are gone."""
    fills: Sequence[Fill] = ()
    price: int | None = None
    """Where it rests."""
    hidden: int = 0
    """Lots of what rests that do not show."""
    reason: Reason | None = None
    prevented: Sequence[Fill] = ()
    """What self-trade prevention took from resting orders, without a trade."""


class Depth(NamedTuple):
    """Prices and the lots shown there, best first."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
