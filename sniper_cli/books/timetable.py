"""When orders begin or end by the clock: what is scheduled, what is on its way, what expires."""

from __future__ import annotations

from heapq import heappop, heappush

import msgspec

from sniper_cli.books.holdings import BookedOrder

SECOND = 1_000_000


class _Times(msgspec.Struct):
    """Of an order's terms, what the clock decides."""

    expires_at: int | None = None
    starts_at: int | None = None
    arrives_at: int | None = None


_READ_TIMES = msgspec.json.Decoder(_Times)


class Timetable:
    """The moments of a book's orders. A moment that no longer holds is left out when it comes."""

    def __init__(self, orders: dict[str, BookedOrder]) -> None:
        """`orders`: those at work, as the book keeps them."""
        self._orders = orders
        self._due: list[tuple[int, str]] = []
        """(time, order): when held orders are sent and those with an end expire."""

    def next(self) -> int | None:
        """When the next order begins or ends by the clock."""
        while self._due:
            moment, key = self._due[0]
            order = self._orders.get(key)
            if order is not None and moment in _times(order):
                return moment
            heappop(self._due)
        return None

    def due(self, until: int) -> list[BookedOrder]:
        """Orders whose time has come, earliest first; they are not given twice."""
        found = []
        while (moment := self.next()) is not None and moment <= until:
            _, key = heappop(self._due)
            found.append(self._orders[key])
        return found

    def note(self, order: BookedOrder) -> None:
        """Remember when an order begins or ends by the clock."""
        for moment in _times(order):
            heappush(self._due, (moment, order.key))


def _times(order: BookedOrder) -> list[int]:
    """When something happens to an order by the clock. It ends in the first whole second at or after its expiry."""
    if order.terms_json is None or "s_at" not in order.terms_json:
        return []
    times = _READ_TIMES.decode(order.terms_json)
    found = [moment for moment in (times.starts_at, times.arrives_at) if moment is not None]
    if times.expires_at is not None:
        found.append(-(-times.expires_at // SECOND) * SECOND)
    return found
