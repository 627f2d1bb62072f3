"""Many at once: orders cancelled by what they have in common, positions closed, an account made flat. One page each.

Closing a position ends what would sell it first, for the venue would sell it twice; and as a thin book gives a market
order only so much, it asks again until nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder, BookedPosition
from sniper_cli.trading.intents import OrderIntent, Terms
from sniper_cli.trading.local import LocalWalk
from state.orders import OrderState, OrderType, Side

ATTEMPTS = 20
"""Market orders that close one position: each takes what the book of the second has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Orders at work that have all of this in common. None: whatever it is."""

    instrument_id: str | None = None
    side: Side | None = None
    strategy: str | None = None
    type: OrderType | None = None
    parent: str | None = None
    """The key of the order that they belong to; it itself is not among them."""
    before: int | None = None
    """Recorded before this moment, in microseconds."""

    def of(self, orders: Iterable[BookedOrder]) -> list[BookedOrder]:
        return [order for order in orders if self._takes(order)]

    def _takes(self, order: BookedOrder) -> bool:
        return (
            (self.instrument_id is None or order.instrument_id == self.instrument_id)
            and (self.side is None or order.side is self.side)
            and (self.strategy is None or order.strategy == self.strategy)
            and (self.type is None or order.type is self.type)
            and (self.parent is None or order.parent_key == self.parent)
            and (self.before is None or order.at < self.before)
        )


@dataclass(slots=True)
class Closed:
    """What came of closing positions."""

    cancelled: list[BookedOrder] = field(default_factory=list)
    """Orders that were ended first."""
    orders: list[BookedOrder] = field(default_factory=list)
    """The market orders, refused ones too."""
    left: dict[str, int] = field(default_factory=dict)
    """By instrument, what is still held."""


def cancel_here(walk: LocalWalk, selection: Selection, explanation: str) -> list[BookedOrder]:
    """End every order that a selection takes. One that ends with another (a parent's child) counts as well."""
    chosen = selection.of(list(walk.book.orders.values()))
    for order in chosen:
        if order.is_working:
            walk.cancel(order, explanation)
    return chosen


def close_here(
    walk: LocalWalk,
    position: BookedPosition,
    quantity: int | None,
    name: str,
    *,
    rule: str = "closed_by_hand",
) -> Closed:
    """Close a position at the market, or so many units of it. All of it: what else would close it ends first."""
    closed = Closed()
    side = Side.SELL if position.quantity > 0 else Side.BUY
    if quantity is None:
        closed.cancelled = cancel_here(
            walk, Selection(position.instrument_id, side), "the position is being closed"
        )
    wanted = abs(position.quantity) if quantity is None else quantity
    for attempt in range(ATTEMPTS):
        intent = OrderIntent(
            UUID(walk.book.account_key),
            position.instrument_id,
            side,
            name if not attempt else f"{name}/{attempt}",
            quantity=wanted,
            reason={"origin": "person", "rule": rule},
            terms=Terms(reduce_only=True),
            launch_id=None if position.launch_key is None else UUID(position.launch_key),
            strategy=position.strategy,
        )
        order = walk.place([intent])[0].order
        closed.orders.append(order)
        wanted -= order.filled_quantity
        if not wanted or not order.filled_quantity or order.state is OrderState.REFUSED:
            break
    closed.left[position.instrument_id] = held(walk.book, position.instrument_id)
    return closed


def flatten_here(walk: LocalWalk, name: str) -> Closed:
    """End every order, then close every position."""
    closed = Closed(cancelled=cancel_here(walk, Selection(), "the account is made flat"))
    for position in list(walk.book.positions.values()):
        if position.quantity:
            done = close_here(walk, position, None, f"{name}/{position.key}", rule="flattened")
            closed.orders += done.orders
            closed.left |= done.left
    return closed


def held(book: Book, instrument_id: str) -> int:
    """Units of an instrument's position now."""
    position = book.positions.get(instrument_id)
    return 0 if position is None else position.quantity
