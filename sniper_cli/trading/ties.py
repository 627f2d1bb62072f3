"""Which orders hang on which: what a fill or an end has to look up without going through all that is at work.

An index and nothing more: the ties themselves stand in the orders (`after`, `cancels`, `parent`), and whoever has the
book can make it anew. Orders without ties cost nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import NO_TERMS, Terms, terms_of

Index = dict[str, dict[str, None]]
"""Keys of orders at work, in the order of their recording, under what ties them."""


class Ties:
    """The ties of one account's orders at work."""

    def __init__(self, book: Book) -> None:
        self.after: Index = {}
        """Under the order whose fill they cover or wait for."""
        self.together: Index = {}
        """Under the group whose fills are taken off each other."""
        self.children: Index = {}
        """Under the parent."""
        self.reducing: Index = {}
        """Reduce-only orders, under their instrument."""
        self.watching: Index = {}
        """Orders held until a position is as they want it, under its instrument."""
        self.busy = 0
        """How many ties there are: where there is one, what happens to an order may have consequences for others."""
        for order in book.orders.values():
            if order.terms_json is not None or order.parent_key is not None:
                self.add(order, terms_of(order))

    def add(self, order: BookedOrder, terms: Terms) -> None:
        """Take in an order that is at work."""
        for index, name in self._places(order, terms):
            known = index.setdefault(name, {})
            self.busy += order.key not in known
            known[order.key] = None

    def discard(self, order: BookedOrder) -> None:
        """Forget an order that is over."""
        terms = NO_TERMS if order.terms_json is None else terms_of(order)
        for index, name in self._places(order, terms):
            known = index.get(name)
            if known is not None and order.key in known:
                del known[order.key]
                self.busy -= 1
                if not known:
                    del index[name]

    def of(self, index: Index, name: str | None) -> list[str]:
        """The orders under a name, as they stand now: what is done to one may end another."""
        return [] if name is None else list(index.get(name, ()))

    def _places(self, order: BookedOrder, terms: Terms) -> Iterable[tuple[Index, str]]:
        if terms.after is not None:
            yield self.after, terms.after
        if terms.cancels is not None:
            yield self.together, terms.cancels
        if order.parent_key is not None:
            yield self.children, order.parent_key
        if terms.reduce_only:
            yield self.reducing, order.instrument_id
        if terms.condition is not None and terms.condition.position is not None:
            yield self.watching, terms.condition.instrument or order.instrument_id
