"""What open orders have a claim on: quote units put aside for purchases, base units that sales may still take.

Of orders that cancel each other only one can fill, so a group of them claims what the largest of its claims is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from sniper_cli.books.holdings import BookedOrder
from state.orders import AT_VENUE, Side

if TYPE_CHECKING:
    from sniper_cli.books.book import Book

Claims = dict[tuple[str, str], int]
"""By kind (`reserved`, `selling`, `buying`) and the asset's or instrument's id."""


class _Grouped(msgspec.Struct):
    """Of an order's terms, its group."""

    cancels: str | None = None


_READ_GROUP = msgspec.json.Decoder(_Grouped)


def hold(book: Book, order: BookedOrder, sign: int) -> None:
    """Put aside, or give back, what an order may still take. What is held here takes nothing until it is sent."""
    if book.watch is not None:
        book.watch.held(order, sign)
    if order.state not in AT_VENUE:
        return
    if order.terms_json is not None:
        if '"reduce_only":true' in order.terms_json:
            return  # it is cut to what is held as that changes
        if '"cancels":' in order.terms_json:
            _hold_together(book, order, sign)
            return
    instrument = order.instrument_id
    left = None if order.quantity is None else order.quantity - order.filled_quantity
    if order.side is Side.BUY:
        held = order.reserved - order.filled_notional
        if held > 0:
            quote = book.pairs[instrument][1]
            book.reserved[quote] = book.reserved.get(quote, 0) + sign * held
        if left:
            book.buying[instrument] = book.buying.get(instrument, 0) + sign * left
    elif left:
        book.selling[instrument] = book.selling.get(instrument, 0) + sign * left


def _hold_together(book: Book, order: BookedOrder, sign: int) -> None:
    """The same for one of a group: the group claims what the largest of its claims is."""
    group = _group(order)
    claims = book.groups.setdefault(group, {})
    before = _largest(claims)
    if sign > 0:
        claims[order.key] = _claim(book, order)
    else:
        claims.pop(order.key, None)
    after = _largest(claims)
    for kind, name in before | after:
        known = getattr(book, kind)
        known[name] = known.get(name, 0) + after.get((kind, name), 0) - before.get((kind, name), 0)
    if not claims:
        del book.groups[group]


def _claim(book: Book, order: BookedOrder) -> Claims:
    left = 0 if order.quantity is None else order.quantity - order.filled_quantity
    if order.side is Side.SELL:
        return {("selling", order.instrument_id): left}
    quote = book.pairs[order.instrument_id][1]
    held = max(0, order.reserved - order.filled_notional)
    return {("reserved", quote): held, ("buying", order.instrument_id): left}


def claimed(book: Book, group: str | None, kind: str, name: str) -> int:
    """What a group has put aside already: `reserved` of a quote asset, `selling` or `buying` of an instrument."""
    claims = book.groups.get(group) if group is not None else None
    return 0 if claims is None else _largest(claims).get((kind, name), 0)


@contextmanager
def without(book: Book, order: BookedOrder) -> Iterator[None]:
    """The book as if an order claimed nothing: what another one in its place would find."""
    hold(book, order, -1)
    try:
        yield
    finally:
        hold(book, order, 1)


def _group(order: BookedOrder) -> str:
    assert order.terms_json is not None
    return _READ_GROUP.decode(order.terms_json).cancels or order.key


def _largest(claims: dict[str, Claims]) -> Claims:
    found: Claims = {}
    for claim in claims.values():
        for name, amount in claim.items():
            found[name] = max(amount, found.get(name, 0))
    return found
