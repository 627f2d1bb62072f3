"""What a trade does to a book: cash moves, the order goes on, lots are closed and opened, the day is counted.

Everything that was decided stands in the event (`trades.tell_fill` decides it); `undoing` takes it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.books import events as ev
from sniper_cli.books.claims import hold
from sniper_cli.books.days import count
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from state.errors import RowNotFound
from state.orders import TRANSITIONS, OrderState, Side
from state.positions import PositionState

if TYPE_CHECKING:
    from sniper_cli.books.book import Book

NOTHING_RECEIVED = "nothing_received"
"""The exit rule of a position that a token never delivered."""

_BUY, _FILLED, _PARTIAL = Side.BUY, OrderState.FILLED, OrderState.PARTIALLY_FILLED


def fill(book: Book, event: ev.Filled, seq: int) -> None:
    """Book a trade: cash, the order's progress, the position and its lots, the day."""
    order = book.orders.get(event.order) or book.find_order(event.order)
    base, quote = book.pairs[order.instrument_id]
    quantity, notional, fee = int(event.quantity), int(event.notional), int(event.fee)
    if order.side is _BUY:
        trade(book, base, "buy", quantity)
        trade(book, quote, "buy", -notional)
    else:
        trade(book, base, "sell", -quantity)
        trade(book, quote, "sell", notional)
    if fee:
        trade(book, event.fee_asset, "fee", -fee)
    hold(book, order, -1)
    order.filled_quantity += quantity
    order.filled_notional += notional
    order.updated = event.at
    order.version += 1
    _progress(order)
    done = BookedFill(
        event.fill,
        order.key,
        order.instrument_id,
        event.flipped or event.position,
        event.trade,
        order.side,
        quantity,
        notional,
        event.fee_asset,
        fee,
        int(event.fee_value),
        int(event.realised),
        event.at,
        None,
        seq,
    )
    book.changes.fills.append(done)
    position = None if event.position is None else _book_position(book, event, order, done)
    if done.position_key is not None:
        order.position_key = done.position_key
    book.settle(order)
    count(book, order, done, quote, position)


def _progress(order: BookedOrder) -> None:
    """A fill implies a state; of a budget only the venue knows whether it is spent."""
    done = order.quantity is not None and order.filled_quantity >= order.quantity
    state = _FILLED if done else _PARTIAL
    if order.state is not state and state in TRANSITIONS[order.state]:
        order.state = state


def _book_position(book: Book, event: ev.Filled, order: BookedOrder, fill: BookedFill) -> BookedPosition:
    """Close what the event says, open what it says; the position that it leaves."""
    assert event.position is not None
    sign = 1 if order.side is _BUY else -1
    position = open_or_new(book, event.position, order, event.at)
    closed = 0
    for match in event.closed:
        closed += int(match.quantity)
        take_lot(book, position, match)
        book.changes.matches.append(
            BookedMatch(event.fill, match.lot, int(match.quantity), int(match.cost), int(match.proceeds))
        )
    opened, cost = int(event.opened), int(event.cost)
    position.quantity += sign * closed
    position.realised += fill.realised
    position.fees += fill.fee_value
    pay(position, sign, fill.notional - cost)
    if event.closed and not position.quantity:
        close(book, position, _exit_rule(order), event.at)
    if event.flipped is not None:
        position = open_or_new(book, event.flipped, order, event.at)
    if opened or not event.closed:
        pay(position, sign, cost)
        _enter(book, position, event, sign, opened, cost)
    position.version += 1
    return position


def _enter(book: Book, position: BookedPosition, event: ev.Filled, sign: int, opened: int, cost: int) -> None:
    position.quantity += sign * opened
    position.basis += cost
    if opened:
        assert event.lot is not None
        lot = position.lots.get(event.lot)
        if lot is None:
            lot = position.lots[event.lot] = BookedLot(event.lot, position.key, 0, 0, 0, event.at)
        if lot.remaining != lot.quantity:
            # A pooled lot that has been sold from begins anew with what is left: one unit cost for all of it.
            lot.quantity, lot.cost = lot.remaining, lot.left
        lot.quantity += opened
        lot.remaining += opened
        lot.cost += cost
        book.changes.lots[lot.key] = lot
    elif not position.quantity:
        close(book, position, NOTHING_RECEIVED, event.at)


def trade(book: Book, asset: str, movement: str, amount: int) -> None:
    book.cash[asset] = book.cash.get(asset, 0) + amount
    trades = book.changes.trades
    key = (asset, movement)
    trades[key] = trades.get(key, 0) + amount


def pay(position: BookedPosition, sign: int, amount: int) -> None:
    if sign > 0:
        position.spent += amount
    else:
        position.received += amount


def open_or_new(book: Book, key: str, order: BookedOrder, at: int) -> BookedPosition:
    position = book.positions.get(order.instrument_id)
    if position is None or position.key != key:
        position = book.changes.positions.get(key) or book.shelf.position(key)
    if position is None:
        position = BookedPosition(
            key, order.instrument_id, at, launch_key=order.launch_key, strategy=order.strategy
        )
    position.state, position.exit_rule, position.closed = PositionState.OPEN, None, None
    book.positions[order.instrument_id] = position
    book.changes.positions[key] = position
    if book.watch is not None:
        book.watch.moved(order.instrument_id)
    return position


def take_lot(book: Book, position: BookedPosition, match: ev.Match) -> None:
    lot = position.lots.get(match.lot) or book.changes.lots.get(match.lot) or book.shelf.lot(match.lot)
    if lot is None:
        raise RowNotFound(f"there is no lot {match.lot}", hint="sniper portfolio verify")
    lot.remaining -= int(match.quantity)
    position.basis -= int(match.cost)
    book.changes.lots[lot.key] = lot
    if not lot.remaining:
        position.lots.pop(lot.key, None)


def close(book: Book, position: BookedPosition, rule: str, at: int) -> None:
    position.state, position.exit_rule, position.closed = PositionState.CLOSED, rule, at
    if book.positions.get(position.instrument_id) is position:
        del book.positions[position.instrument_id]
    if book.watch is not None:
        book.watch.closed(position, rule, at)


def _exit_rule(order: BookedOrder) -> str:
    """Which rule closed a position, by the reason of the order that did."""
    reason = order.reason if order.reason_json != "{}" else {}
    return str(reason.get("rule") or reason.get("origin") or "sold")
