"""What stands in an order book: orders in queues, a queue to a price, the prices of a side.

A price is looked up in a dict, and the best one stands on top of a heap; bids have the negative of their price as
their key, so that on both sides the smallest key is the best. A cancelled order stays in its queue as a tombstone,
and a price that nothing stands at stays in the heap; either is swept out when it is the larger part. So a
cancellation searches for nothing, and a book that is quoted and cancelled all day does not grow.

Resting orders are unknown to the garbage collector (gc=False): it would visit all of them in every full collection,
0.2 s for 125,000. In return they must never be part of a cycle: an order does not know its level.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, nsmallest
from itertools import takewhile

import msgspec

from state.orders import Side

OrderId = int | str
"""Not a UUID, whose hash is computed in Python: a third of the price of an order."""
Participant = int | str

SWEPT_AT = 32
"""So many tombstones or stale keys are never worth a sweep."""


class Resting(msgspec.Struct, gc=False):
    """An order in the book. Others may read it; only the book changes it."""

    id: OrderId
    owner: Participant | None
    buys: bool
    price: int
    shown: int
    """Lots that stand in the queue for all to see; 0 for a tombstone."""
    hidden: int = 0
    """Lots that come forward when the shown ones are gone."""
    display: int = 0
    """The size of an iceberg's slice; 0 for an order that shows all."""

    @property
    def side(self) -> Side:
        return Side.BUY if self.buys else Side.SELL

    @property
    def lots(self) -> int:
        """All that is still open of it."""
        return self.shown + self.hidden

    def hide(self, display: int) -> None:
        """Make it an iceberg: show no more than a slice."""
        self.display = display
        self.hidden = max(0, self.shown - display)
        self.shown -= self.hidden

    def renew(self) -> None:
        """Bring an iceberg's next slice forward."""
        self.shown = min(self.display, self.hidden)
        self.hidden -= self.shown


class Level:
    """The orders at one price, first come first."""

    __slots__ = ("dead", "hidden", "queue", "shown")

    def __init__(self, first: Resting) -> None:
        self.queue: deque[Resting] = deque()
        self.queue.append(first)
        self.shown = first.shown
        """Lots that all of them show; where none are shown there is no level."""
        self.hidden = first.hidden
        self.dead = 0
        """Tombstones in the queue."""

    def join(self, order: Resting) -> None:
        """Queue an order up behind all others."""
        self.queue.append(order)
        self.shown += order.shown
        self.hidden += order.hidden

    def sweep(self) -> None:
        """Take the tombstones out, in place: a taker may be at work on the queue."""
        living = [order for order in self.queue if order.shown]
        self.queue.clear()
        self.queue.extend(living)
        self.dead = 0

    def shown_before(self, owner: Participant | None) -> int:
        """Lots shown by those who come before the first order of a participant."""
        return sum(
            one.shown for one in takewhile(lambda one: one.owner != owner or not one.shown, self.queue)
        )


class Half:
    """The bids of a book, or its asks."""

    __slots__ = ("buys", "keys", "levels")

    def __init__(self, *, buys: bool) -> None:
        self.buys = buys
        self.levels: dict[int, Level] = {}
        self.keys: list[int] = []
        """A heap with the key of every level; a key may be stale, or there twice."""

    def key(self, price: int) -> int:
        """The smaller, the better the price."""
        return -price if self.buys else price

    def price(self, key: int) -> int:
        """The price of a key."""
        return -key if self.buys else key

    def best(self) -> int | None:
        """The best key, or none where nobody stands."""
        keys, levels = self.keys, self.levels
        while keys:
            if keys[0] in levels:
                return keys[0]
            heappop(keys)
        return None

    def best_price(self) -> int | None:
        """The best price, or none where nobody stands."""
        key = self.best()
        return None if key is None else self.price(key)

    def within(self, reach: int) -> Iterator[tuple[int, Level]]:
        """Keys up to `reach` and their levels, best first."""
        keys, last = self.keys.copy(), None
        while keys and keys[0] <= reach:
            key = heappop(keys)
            if key != last and (level := self.levels.get(key)):
                yield key, level
            last = key

    def depth(self, levels: int | None) -> list[tuple[int, int]]:
        """Prices and the lots shown there, best first."""
        keys = sorted(self.levels) if levels is None else nsmallest(levels, self.levels)
        return [(self.price(key), self.levels[key].shown) for key in keys]

    def join(self, order: Resting) -> None:
        """Queue an order up behind all others of its price."""
        key = self.key(order.price)
        level = self.levels.get(key)
        if level is None:
            self.open(key, order)
        else:
            level.join(order)

    def open(self, key: int, first: Resting) -> None:
        """A new level, with its first order."""
        self.levels[key] = Level(first)
        keys = self.keys
        heappush(keys, key)
        if len(keys) > 2 * (len(self.levels) + SWEPT_AT):
            keys[:] = self.levels
            heapify(keys)

    def shrink(self, order: Resting, lots: int) -> None:
        """Leave an order fewer lots, where it stands. Hidden ones go first."""
        level = self.levels[self.key(order.price)]
        off_hidden = min(order.lots - lots, order.hidden)
        off_shown = order.lots - lots - off_hidden
        order.hidden -= off_hidden
        level.hidden -= off_hidden
        order.shown -= off_shown
        level.shown -= off_shown
