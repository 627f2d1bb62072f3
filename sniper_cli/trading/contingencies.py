"""What follows when an order is filled or ends: brackets, orders that cancel each other, ladders, reductions.

    a fill of what others come after   → they cover what it filled (a bracket's exits), or go (one triggers the other)
    a fill of one of a group           → as much is taken off the others; nothing left of one: it is cancelled
    a fill that changes what is held   → reduce-only orders are cut to it; orders that wait for a position look again
    the end of what others come after  → they end with it, if it filled nothing
    the end of a ladder's order        → a grid lays the next one; the last one's end is the ladder's

Everything is decided from the book and written as events on the page at hand, so it comes out alike whoever replays it
and whenever. It stands on three acts of the walk at a venue: give an order another size, send it, end it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Protocol

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.checks import closable
from sniper_cli.trading.intents import NO_TERMS, OrderIntent, Terms, asked_first, terms_of
from sniper_cli.trading.ties import Ties
from state.identifiers import new_key, short
from state.orders import OrderState, OrderType, Side

GRID, AVERAGE, SCHEDULE = "grid", "average", "schedule"
"""The kinds of ladder: orders that lay each other, orders at steps of the price, orders at steps of time."""

NOTHING_TO_REDUCE = "nothing is held any more that it could reduce"


class Walk(Protocol):
    """One account's turn at a venue, as far as contingencies need it."""

    book: Book
    ties: Ties

    def walk(self, intent: OrderIntent, *, at: int | None = None) -> BookedOrder: ...
    def cancel(
        self,
        order: BookedOrder,
        explanation: str,
        *,
        state: OrderState = OrderState.CANCELLED,
        at: int | None = None,
    ) -> None: ...
    def resize(self, order: BookedOrder, quantity: int, at: int) -> None: ...
    def release(self, order: BookedOrder, at: int, *, quantity: int | None = None) -> None: ...
    def reconsider(self, order: BookedOrder, at: int) -> None: ...
    def amended(self, order: BookedOrder, terms: Terms, at: int) -> None: ...


def follow(walk: Walk, order: BookedOrder, at: int, filled: int) -> None:
    """Let happen what hangs on an order that was filled by so many base units just now, or has ended."""
    terms = NO_TERMS if order.terms_json is None else terms_of(order)
    if filled:
        _feed(walk, order, filled, at)
        _spare(walk, order, terms, filled, at)
        _reduce(walk, order, at)
        for each in _at_work(walk, walk.ties.of(walk.ties.watching, order.instrument_id)):
            walk.reconsider(each, at)
    if not order.is_working:
        walk.ties.discard(order)
        _ended(walk, order, terms, at)
    if order.parent_key is not None:
        _climb(walk, order, terms, filled, at)


def _at_work(walk: Walk, keys: list[str]) -> list[BookedOrder]:
    return [order for key in keys if (order := walk.book.orders.get(key)) is not None]


# -- one after another --------------------------------------------------------------------------------------------


def covers(child: BookedOrder, before: BookedOrder) -> bool:
    """Whether an order covers, fill by fill, what the one before it fills; else it waits until all of it is filled."""
    return child.instrument_id == before.instrument_id and child.side is not before.side


def _feed(walk: Walk, order: BookedOrder, filled: int, at: int) -> None:
    """Orders after this one: the first fill sends them, a later one lets those that cover it grow."""
    for child in _at_work(walk, walk.ties.of(walk.ties.after, order.key)):
        if not child.is_working:
            continue
        if not covers(child, order):
            if order.state is OrderState.FILLED and child.state is OrderState.HELD:
                walk.release(child, at)
            continue
        planned = asked_first(child, terms_of(child))["quantity"]
        covered, before = order.filled_quantity, order.filled_quantity - filled
        if planned is not None:
            covered, before = min(covered, planned), min(before, planned)
        if child.state is OrderState.HELD:
            walk.release(child, at, quantity=covered)
        elif covered > before and child.quantity is not None:
            walk.resize(child, child.quantity + covered - before, at)


def _ended(walk: Walk, order: BookedOrder, terms: Terms, at: int) -> None:
    """An order is over: so is what waited for it in vain, and what a finished exit leaves nothing to do."""
    for child in _at_work(walk, walk.ties.of(walk.ties.after, order.key)):
        if child.state is OrderState.HELD and (not order.filled_quantity or not covers(child, order)):
            word = order.state.value.replace("_", " ")
            walk.cancel(child, f"the order before it, {short(order.id)}, was {word}", at=at)
    if terms.ladder is not None:
        for child in _at_work(walk, walk.ties.of(walk.ties.children, order.key)):
            if child.is_working:
                walk.cancel(child, f"its parent {short(order.id)} has ended", at=at)
    if terms.after is not None and order.state is OrderState.FILLED:
        entry = walk.book.orders.get(terms.after)
        if entry is not None and covers(order, entry) and entry.state is not OrderState.HELD:
            walk.cancel(entry, f"its exit {short(order.id)} was filled: no more is bought", at=at)


# -- orders that cancel each other --------------------------------------------------------------------------------


def _spare(walk: Walk, order: BookedOrder, terms: Terms, filled: int, at: int) -> None:
    """Take what one of a group filled off the others."""
    for sibling in _at_work(walk, walk.ties.of(walk.ties.together, terms.cancels)):
        if sibling.key == order.key or not sibling.is_working:
            continue
        same = sibling.instrument_id == order.instrument_id
        left = sibling.left
        if not same or (left is not None and left <= filled):
            walk.cancel(sibling, f"the order {short(order.id)} was filled in its place", at=at)
        elif sibling.quantity is not None:
            walk.resize(sibling, sibling.quantity - filled, at)


# -- what only reduces --------------------------------------------------------------------------------------------


def _reduce(walk: Walk, order: BookedOrder, at: int) -> None:
    """Cut reduce-only orders to what is held now."""
    for each in _at_work(walk, walk.ties.of(walk.ties.reducing, order.instrument_id)):
        left = each.left
        if not each.is_at_venue or left is None:
            continue
        free = closable(walk.book, each)
        if left <= free:
            continue
        if free:
            walk.resize(each, each.filled_quantity + free, at)
        else:
            walk.cancel(each, NOTHING_TO_REDUCE, at=at)


# -- ladders ------------------------------------------------------------------------------------------------------


def _climb(walk: Walk, order: BookedOrder, terms: Terms, filled: int, at: int) -> None:
    """Something happened to an order of a ladder: a grid lays the next one; after the last one the ladder ends."""
    parent = walk.book.orders.get(order.parent_key or "")
    if parent is None or parent.terms_json is None:
        return
    whole = terms_of(parent)
    plan = whole.ladder
    if plan is None:
        return
    if filled and not plan.get("traded"):
        whole = msgspec.structs.replace(whole, ladder={**plan, "traded": True})
        walk.amended(parent, whole, at)
    if order.is_working:
        return
    if plan["kind"] == GRID and order.state is OrderState.FILLED:
        walk.walk(_next_rung(walk, parent, plan, order, terms), at=at)
    if parent.is_working and not walk.ties.of(walk.ties.children, parent.key):
        traded = (whole.ladder or {}).get("traded")
        state = OrderState.FILLED if traded else OrderState.CANCELLED
        walk.cancel(parent, "all its orders are over", state=state, at=at)


def _next_rung(
    walk: Walk, parent: BookedOrder, plan: dict[str, Any], order: BookedOrder, terms: Terms
) -> OrderIntent:
    """A grid's answer to a fill: what was bought is sold one price up, what was sold is bought one price down."""
    gap, laid = terms.rung or 0, terms.laid + 1
    buying = order.side is Side.SELL
    prices = plan["prices"]
    client_id = f"{parent.client_order_id}/{gap}.{laid}"
    if walk.book.known(client_id) is not None:  # somebody else has taken the name
        client_id = f"{client_id}-{new_key()}"
    return OrderIntent(
        parent.account_id,
        parent.instrument_id,
        Side.BUY if buying else Side.SELL,
        client_id,
        OrderType.LIMIT,
        quantity=order.quantity,
        limit_price=Decimal(prices[gap] if buying else prices[gap + 1]),
        reason={"origin": GRID, "gap": gap},
        terms=Terms(rung=gap, laid=laid),
        strategy=parent.strategy,
        parent_id=parent.id,
    )
