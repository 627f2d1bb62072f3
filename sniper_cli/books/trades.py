"""From what a venue reports to the event that tells it: which lots a trade closes, what it opens, what was realised.

Shares of a lot's cost and of a trade's proceeds are cut by cumulative floor division, so that the parts always add up
to the whole, to the last unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sniper_cli.books.book import Book
from sniper_cli.books.events import Filled, Match, wide
from sniper_cli.books.holdings import BookedLot, BookedOrder, BookedPosition
from sniper_cli.books.lots import in_order
from state.identifiers import new_key
from state.orders import Side
from state.positions import LotMethod

UNORDERED = (LotMethod.AVERAGE, LotMethod.SPECIFIC)
"""Methods without an order of their own: one pooled lot, or what the order names; then the oldest first."""


def tell_fill(
    book: Book,
    order: BookedOrder,
    trade: str,
    quantity: int,
    notional: int,
    fee_asset: str,
    fee: int,
    at: int,
    *,
    fee_value: int | None = None,
    lots: Sequence[str] = (),
) -> Filled:
    """The event of a trade, with its effect on the position decided by the account's lot method.

    `fee_value`: the fee in quote units, where it was paid in neither of the instrument's assets. `lots`: the ones that
    the order names, to be taken first.
    """
    base, quote = book.pairs[order.instrument_id]
    key = new_key()
    event = Filled(
        key,
        order.key,
        trade,
        wide(quantity),
        wide(notional),
        fee_asset,
        wide(fee),
        wide(fee if fee_asset == quote else (fee_value or 0)),
        at,
    )
    buying = order.side is Side.BUY
    moved = quantity  # a fee in what is traded makes a purchase bring less, and a sale take more
    if fee_asset == base:
        moved += -fee if buying else fee
    position = book.position_for(order)
    held = 0 if position is None else position.quantity
    if position is not None and held and moved and (held > 0) is not buying:
        _close(book, order, position, event, moved, notional, lots)
    elif buying or book.margin or held < 0:
        _open(book, position, event, moved, notional, position.key if position else new_key())
    return event


def _close(
    book: Book,
    order: BookedOrder,
    position: BookedPosition,
    event: Filled,
    quantity: int,
    notional: int,
    named: Sequence[str],
) -> None:
    """What the trade takes from the open lots; where it takes more than there is, the rest opens the other side."""
    event.position = position.key
    closing = min(quantity, abs(position.quantity))
    flips = quantity > closing and (order.side is Side.BUY or bool(book.margin))
    # Without margin nothing opens short: what is sold beyond the position came from outside, and its price is profit.
    value = notional * closing // quantity if flips else notional
    event.closed, cost = match_lots(book, position, closing, value, named)
    event.realised = wide(value - cost if position.quantity > 0 else cost - value)
    if flips:
        event.flipped = new_key()
        _open_into(event, quantity - closing, notional - value, event.fill)


def _open(
    book: Book, position: BookedPosition | None, event: Filled, quantity: int, notional: int, key: str
) -> None:
    event.position = key
    if not quantity:
        event.realised = wide(-notional)  # paid for nothing: no lot will ever bring it back
        return
    pooled = book.lot_method is LotMethod.AVERAGE and position is not None and position.lots
    lot = next(iter(position.lots)) if pooled and position is not None else event.fill
    _open_into(event, quantity, notional, lot)


def _open_into(event: Filled, quantity: int, cost: int, lot: str) -> None:
    event.opened, event.cost, event.lot = wide(quantity), wide(cost), lot


def match_lots(
    book: Book, position: BookedPosition, quantity: int, value: int, named: Sequence[str] = ()
) -> tuple[tuple[Match, ...], int]:
    """Lots for so many units, with their shares of cost and of `value`; and what they cost together."""
    matches: list[Match] = []
    total, left, given = 0, quantity, 0
    lots = position.lots
    candidates: Iterable[BookedLot] = lots.values()
    if named or book.lot_method is not LotMethod.FIFO:
        candidates = _chosen(book, lots, named)
    for lot in candidates:
        taken = min(left, lot.remaining)
        gone = lot.quantity - lot.remaining
        cost = lot.cost * (gone + taken) // lot.quantity - lot.cost * gone // lot.quantity
        left -= taken
        share = value * (quantity - left) // quantity - given
        given += share
        total += cost
        matches.append(Match(lot.key, wide(taken), wide(cost), wide(share)))
        if not left:
            break
    return tuple(matches), total


def _chosen(book: Book, lots: Mapping[str, BookedLot], named: Sequence[str]) -> Iterable[BookedLot]:
    """Lots in the order in which they are taken: those that the order names, then as the account's method has it."""
    first = [key for key in named if key in lots]
    method = LotMethod.FIFO if book.lot_method in UNORDERED else book.lot_method
    rest = [str(lot.id) for lot in in_order(list(lots.values()), method.value)]
    return [lots[key] for key in dict.fromkeys([*first, *rest])]
