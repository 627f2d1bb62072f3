"""The replay of a market that is here, from the second an account was last settled to now.

Second by second, but only those in which something happens; and in each second in one order, so that one replay over
a week and a thousand small ones, by whatever processes, write the same:

    1. what has expired by its beginning ends
    2. the price touches what stands: triggers, then what rests, each with what follows from it
    3. orders that were held for a price go
    4. orders whose time falls into the second go, or arrive

What a second's price does is done once. What falls due in a second that was looked at before its end is done when the
time has come, at the price of that second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.books.events import Settled
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import terms_of
from sniper_cli.venues.paper.seconds import expected, touch, trails
from state.orders import OrderState

if TYPE_CHECKING:
    from sniper_cli.trading.local import LocalWalk

SECOND = 1_000_000
HOUR = 3_600
"""Seconds after which even a stretch in which nothing happened is written down, so as not to be replayed again."""

TIME_IS_UP = "its time in force has ended"


def settle(walk: LocalWalk, until: int | None = None) -> int:
    """Replay up to a second (now, if none is named); how many seconds had something happen in them."""
    end = walk.step if until is None else until
    limit = walk.page.now if until is None else (until + 1) * SECOND - 1
    start = max(walk.book.settled, walk.floor.looked)
    touched = 0
    while (step := _next(walk, start, end, limit)) is not None:
        touched += 1
        walk.turn_to(step)
        begun = _expire(walk, step)
        if step > start:
            _touch(walk, step)
        _begin(walk, [*begun, *walk.book.timetable.due(min(limit, (step + 1) * SECOND - 1))], step)
        start = step
    if until is None:
        walk.turn_to_present()
    walk.floor.looked = max(start, end)
    if walk.book.orders and end - walk.book.settled > HOUR:
        mark(walk, end)
    return touched


def mark(walk: LocalWalk, second: int) -> None:
    """Write down that everything up to a second has been replayed, with what trailing stops have seen by then."""
    for order, terms in trails(walk.floor):
        walk.amended(order, terms, max(order.updated, second * SECOND))
    if walk.book.settled < second:
        walk.page.add(Settled(second))


def _next(walk: LocalWalk, start: int, end: int, limit: int) -> int | None:
    """The next second in which something happens: the price reaches an order, or an order's time has come."""
    step = walk.floor.next_touch(start, end)
    due = walk.book.timetable.next()
    if due is not None and due <= limit and (step is None or due // SECOND <= step):
        return max(due // SECOND, start)
    return step


def _expire(walk: LocalWalk, step: int) -> list[BookedOrder]:
    """End what has expired by the beginning of a second; what else falls due by then."""
    begun = []
    for order in walk.book.timetable.due(step * SECOND):
        if not order.is_working:
            continue
        expiry = terms_of(order).expires_at
        if expiry is not None and expiry <= step * SECOND:
            walk.cancel(order, TIME_IS_UP, state=OrderState.EXPIRED, at=max(order.at, step * SECOND))
        else:
            begun.append(order)
    return begun


def _touch(walk: LocalWalk, step: int) -> None:
    """What the second's prices do, instrument by instrument."""
    at = step * SECOND
    for instrument in walk.floor.instruments():
        for happening in touch(walk.floor, instrument, step):
            walk.apply(happening, at)
    for instrument in walk.floor.instruments():
        for order in expected(walk.floor, instrument, step):
            condition = terms_of(order).condition
            if order.state is OrderState.HELD and condition and walk.floor.fulfilled(order, condition, step):
                walk.release(order, at)


def _begin(walk: LocalWalk, orders: list[BookedOrder], step: int) -> None:
    """Orders whose time has come: those on their way arrive, those held for it go, unless they wait for more."""
    for order in orders:
        if not order.is_working:
            continue
        terms = terms_of(order)
        if terms.arrives_at is not None:
            walk.arrive(order, max(terms.arrives_at, step * SECOND))
        elif order.state is OrderState.HELD and terms.starts_at is not None:
            walk.start(order, max(terms.starts_at, step * SECOND))
