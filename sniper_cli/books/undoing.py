"""Taking trades back, as a reorganisation of a chain demands it; and making one lot of many.

Undone newest first: what a fill opened must be whole before it can go, and what it closed is open again. A pool of
lots with one unit cost gives back what a fill added to it; what was sold of it before stays as it was told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.books.claims import hold
from sniper_cli.books.days import count
from sniper_cli.books.events import Reversed
from sniper_cli.books.filling import close, open_or_new, pay, trade
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from state.errors import IllegalTransition, RowNotFound
from state.orders import Side

if TYPE_CHECKING:
    from sniper_cli.books.book import Book

REORGANISED = "reorganised"
"""The exit rule of a position whose opening trade a reorganisation took back."""


def reverse(book: Book, event: Reversed, _seq: int) -> None:
    fill = book.shelf.fill(event.fill)
    if fill is None or fill.reversed_at is not None:
        raise RowNotFound(f"there is no fill {event.fill} to take back", hint="sniper portfolio verify")
    order = book.find_order(event.order)
    base, quote = book.pairs[order.instrument_id]
    fill.reversed_at = event.at
    book.changes.reversed_fills.append(fill)
    sign = 1 if fill.side is Side.BUY else -1
    trade(book, base, "buy" if sign > 0 else "sell", -sign * fill.quantity)
    trade(book, quote, "buy" if sign > 0 else "sell", sign * fill.notional)
    if fill.fee:
        trade(book, fill.fee_asset, "fee", fill.fee)
    hold(book, order, -1)
    order.filled_quantity -= fill.quantity
    order.filled_notional -= fill.notional
    order.version += 1
    order.updated = event.at
    position = _reverse_position(book, order, fill, sign, event.at)
    book.settle(order)
    book.tell(order)
    count(book, order, fill, quote, position, -1)


def _reverse_position(
    book: Book, order: BookedOrder, fill: BookedFill, sign: int, at: int
) -> BookedPosition | None:
    """What the fill opened goes first, then what it had closed is open again: a turn touches two positions."""
    if fill.position_key is None:
        return None
    matches = book.shelf.matches(fill.key)
    lot = _find_lot(book, fill.instrument_id, fill.key)
    position = None
    if lot is not None or not matches:
        position = _unopen(book, order, fill, lot, matches, sign, at)
    if matches:
        position = _unclose(book, order, fill, matches, sign, at)
    assert position is not None
    position.realised -= fill.realised
    position.fees -= fill.fee_value
    order.position_key = position.key
    return position


def _unopen(
    book: Book,
    order: BookedOrder,
    fill: BookedFill,
    lot: BookedLot | None,
    matches: list[BookedMatch],
    sign: int,
    at: int,
) -> BookedPosition:
    """Take back what a fill opened: its own lot, and what of it was pooled with another's."""
    assert fill.position_key is not None
    position = open_or_new(book, fill.position_key, order, at)
    base, _ = book.pairs[fill.instrument_id]
    kept = fill.fee if fill.fee_asset == base else 0
    units = fill.quantity - sign * kept - sum(match.quantity for match in matches)
    paid = cost = fill.notional - sum(match.proceeds for match in matches)
    if lot is not None:
        if lot.remaining != lot.quantity or lot.quantity > units:
            raise _too_early(fill)
        units, cost = units - lot.quantity, cost - lot.cost
        position.quantity -= sign * lot.quantity
        position.basis -= lot.cost
        _drop(book, position, lot)
    if units:
        _leave_pool(book, position, fill, units, cost, sign)
    pay(position, sign, -paid)
    position.version += 1
    if not position.quantity:
        close(book, position, REORGANISED, at)
    return position


def _leave_pool(
    book: Book, position: BookedPosition, fill: BookedFill, units: int, cost: int, sign: int
) -> None:
    """Take what a fill added to a pooled lot out of it."""
    lot = next(iter(position.lots.values()), None)
    if lot is None or lot.remaining != lot.quantity or lot.quantity < units:
        raise _too_early(fill)
    lot.quantity -= units
    lot.remaining -= units
    lot.cost -= cost
    position.quantity -= sign * units
    position.basis -= cost
    book.changes.lots[lot.key] = lot
    if not lot.quantity:
        _drop(book, position, lot)


def _drop(book: Book, position: BookedPosition, lot: BookedLot) -> None:
    position.lots.pop(lot.key, None)
    book.changes.lots.pop(lot.key, None)
    book.changes.gone_lots.append(lot.key)


def _unclose(
    book: Book, order: BookedOrder, fill: BookedFill, matches: list[BookedMatch], sign: int, at: int
) -> BookedPosition:
    """Give back to their lots the units that a fill took."""
    position = None
    for match in matches:
        lot = _find_lot(book, fill.instrument_id, match.lot_key)
        if lot is None:
            raise RowNotFound(f"there is no lot {match.lot_key}", hint="sniper portfolio verify")
        position = open_or_new(book, lot.position_key, order, at)
        if match.quantity > lot.quantity - lot.remaining:
            # A pool that has begun anew since: it takes back more than was sold of it.
            lot.quantity, lot.cost = lot.remaining + match.quantity, lot.left + match.cost
        lot.remaining += match.quantity
        position.lots[lot.key] = lot
        position.quantity -= sign * match.quantity
        position.basis += match.cost
        book.changes.lots[lot.key] = lot
    assert position is not None
    book.changes.gone_matches.append(fill.key)
    position.lots = dict(sorted(position.lots.items()))
    pay(position, sign, -sum(match.proceeds for match in matches))
    position.version += 1
    return position


def _find_lot(book: Book, instrument: str, key: str) -> BookedLot | None:
    """A lot, wherever it is: open, changed in this record, or used up."""
    position = book.positions.get(instrument)
    found = position.lots.get(key) if position is not None else None
    return found or book.changes.lots.get(key) or book.shelf.lot(key)


def pool_lots(book: Book, position: BookedPosition) -> None:
    """Put what is left of a position's lots into its first: one unit cost for all. The others keep what is sold."""
    first, *others = position.lots.values()
    if not others:
        return
    first.quantity = first.remaining = abs(position.quantity)
    first.cost = position.basis
    book.changes.lots[first.key] = first
    for lot in others:
        lot.cost -= lot.left
        lot.quantity -= lot.remaining
        lot.remaining = 0
        if lot.quantity:
            position.lots.pop(lot.key)
            book.changes.lots[lot.key] = lot
        else:
            _drop(book, position, lot)


def _too_early(fill: BookedFill) -> IllegalTransition:
    return IllegalTransition(
        f"the trade {fill.trade} cannot be undone before those that closed what it opened"
    )
