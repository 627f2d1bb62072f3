"""Fills become lots, positions and cash, in the caller's transaction; a reorganisation undoes them exactly.

Lots are sold first in, first out. Shares of a lot's cost and of a sale's proceeds are cut by cumulative
floor division, so that the parts always add up to the whole, to the last unit.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session, select

from state import journal
from state.accounts import Instrument, Movement, post
from state.columns import utc_now
from state.database import lock_row
from state.errors import IllegalTransition
from state.orders import Fill, Order, Side
from state.positions import Lot, LotMatch, Position, PositionState, lots_of, matches_of, open_position

REORGANISED = "reorganised"
"""The exit rule of a position whose purchase a reorganisation took back."""
NOTHING_RECEIVED = "nothing_received"
"""The exit rule of a position that a token never delivered."""


def book_fill(session: Session, order: Order, instrument: Instrument, fill: Fill, *, actor: str) -> bool:
    """Apply a fill to ledger, lots, position and order. False if this trade has been booked before."""
    known = select(Fill.id).where(
        Fill.account_id == fill.account_id, Fill.venue_trade_id == fill.venue_trade_id
    )
    if session.exec(known).first() is not None:
        return False
    session.add(fill)
    session.flush()
    for asset, movement, amount in _movements(fill, instrument):
        post(session, fill.account_id, asset, movement, amount, reference=fill.id, at=fill.at)
    order.filled_quantity += fill.quantity
    order.filled_notional += fill.notional
    if fill.side is Side.BUY:
        _enter(session, order, instrument, fill, actor=actor)
    else:
        _leave(session, order, fill, actor=actor)
    session.add(order)
    return True


def book_cost(session: Session, order: Order, asset_id: str, amount: int, reference: str) -> bool:
    """Apply a cost that is no fill (gas). False if it has been booked before."""
    if not post(session, order.account_id, asset_id, Movement.GAS, -amount, reference=reference):
        return False
    _charge(session, order, amount)
    return True


def undo_fill(session: Session, fill: Fill, order: Order, instrument: Instrument) -> None:
    """Take a fill back that a reorganisation undid. Later sales of its lot must have been undone before."""
    fill.reversed_at = utc_now()
    session.add(fill)
    for asset, movement, amount in _movements(fill, instrument):
        post(session, fill.account_id, asset, movement, -amount, reference=f"{fill.id}:reversed")
    order.filled_quantity -= fill.quantity
    order.filled_notional -= fill.notional
    session.add(order)
    if fill.side is Side.BUY:
        _unenter(session, order, fill, instrument)
    else:
        _unleave(session, order, fill)


def undo_cost(session: Session, order: Order, asset_id: str, amount: int, reference: str) -> bool:
    """Take a cost back. False if that has been done before."""
    if not post(session, order.account_id, asset_id, Movement.GAS, amount, reference=f"{reference}:reversed"):
        return False
    _charge(session, order, -amount)
    return True


def write_off(session: Session, position: Position, quantity: int, *, rule: str, actor: str) -> None:
    """Take units off a position that the venue no longer holds: lots first in, first out, for no proceeds."""
    cost = sum(cost for _, _, cost in _taken(session, position, quantity))
    position.realised -= cost
    position.quantity -= quantity
    _touch(session, position)
    if position.quantity == 0:
        _close(session, position, rule, actor=actor)


def _movements(fill: Fill, instrument: Instrument) -> Iterator[tuple[str, Movement, int]]:
    sign, movement = (1, Movement.BUY) if fill.side is Side.BUY else (-1, Movement.SELL)
    yield instrument.base_asset, movement, sign * fill.quantity
    yield instrument.quote_asset, movement, -sign * fill.notional
    if fill.fee:
        yield fill.fee_asset, Movement.FEE, -fill.fee


def _enter(session: Session, order: Order, instrument: Instrument, fill: Fill, *, actor: str) -> None:
    position = _position_for(session, order)
    opened = position is None
    if position is None:
        position = Position(
            account_id=order.account_id,
            instrument_id=order.instrument_id,
            launch_id=order.launch_id,
            opened_at=fill.at,
        )
    received = fill.quantity - (fill.fee if fill.fee_asset == instrument.base_asset else 0)
    position.state, position.exit_rule, position.closed_at = PositionState.OPEN, None, None
    position.quantity += received
    position.spent += fill.notional
    position.fees += fill.fee if fill.fee_asset == instrument.quote_asset else 0
    _touch(session, position)
    session.flush()
    order.position_id = position.id
    if received:
        session.add(
            Lot(
                position_id=position.id,
                fill_id=fill.id,
                quantity=received,
                remaining=received,
                cost=fill.notional,
                opened_at=fill.at,
            )
        )
    if opened:
        data = {
            "instrument": position.instrument_id,
            "quantity": received,
            "spent": fill.notional,
            "fill": fill.id,
        }
        journal.append(session, "position.opened", position.id, data, actor=actor)
    if position.quantity == 0:
        _close(session, position, NOTHING_RECEIVED, actor=actor)


def _position_for(session: Session, order: Order) -> Position | None:
    if order.position_id is not None:
        return lock_row(session, Position, order.position_id)
    return open_position(session, order.account_id, order.instrument_id)


def _leave(session: Session, order: Order, fill: Fill, *, actor: str) -> None:
    position = _position_for(session, order)
    if position is None:
        return
    order.position_id = position.id
    sold = min(fill.quantity, position.quantity)
    realised, done, given = fill.notional, 0, 0
    for lot, quantity, cost in _taken(session, position, sold):
        done += quantity
        proceeds = fill.notional * done // fill.quantity - given
        given += proceeds
        session.add(LotMatch(lot_id=lot.id, fill_id=fill.id, quantity=quantity, cost=cost, proceeds=proceeds))
        realised -= cost
    position.quantity -= sold
    position.received += fill.notional
    position.realised += realised
    position.fees += fill.fee if fill.fee_asset == _quote_of(session, order) else 0
    _touch(session, position)
    if position.quantity == 0:
        _close(
            session,
            position,
            str(order.reason.get("rule") or order.reason.get("origin") or "sold"),
            actor=actor,
        )


def _taken(session: Session, position: Position, quantity: int) -> Iterator[tuple[Lot, int, int]]:
    """Take units from the oldest lots: each lot, how many of it, and their share of its cost."""
    for lot in lots_of(session, position.id):
        if quantity == 0:
            return
        taken = min(lot.remaining, quantity)
        gone = lot.quantity - lot.remaining
        cost = lot.cost * (gone + taken) // lot.quantity - lot.cost * gone // lot.quantity
        lot.remaining -= taken
        quantity -= taken
        session.add(lot)
        yield lot, taken, cost


def _close(session: Session, position: Position, rule: str, *, actor: str) -> None:
    position.state, position.closed_at, position.exit_rule = PositionState.CLOSED, utc_now(), rule
    session.add(position)
    data = {
        "instrument": position.instrument_id,
        "rule": rule,
        "spent": position.spent,
        "received": position.received,
        "fees": position.fees,
        "realised": position.realised,
    }
    journal.append(session, "position.closed", position.id, data, actor=actor)


def _unenter(session: Session, order: Order, fill: Fill, instrument: Instrument) -> None:
    position = lock_row(session, Position, order.position_id) if order.position_id else None
    if position is None:
        return
    lot = session.exec(select(Lot).where(Lot.fill_id == fill.id)).first()
    if lot is not None:
        if lot.remaining != lot.quantity:
            raise IllegalTransition(
                f"the purchase {fill.venue_trade_id} cannot be undone before the sales from its lot"
            )
        position.quantity -= lot.quantity
        session.delete(lot)
    position.spent -= fill.notional
    position.fees -= fill.fee if fill.fee_asset == instrument.quote_asset else 0
    if position.quantity == 0:
        position.state, position.closed_at, position.exit_rule = PositionState.CLOSED, utc_now(), REORGANISED
    _touch(session, position)


def _unleave(session: Session, order: Order, fill: Fill) -> None:
    position = lock_row(session, Position, order.position_id) if order.position_id else None
    if position is None:
        return
    cost = 0
    for match in matches_of(session, fill.id):
        lot = session.get_one(Lot, match.lot_id)
        lot.remaining += match.quantity
        position.quantity += match.quantity
        cost += match.cost
        session.add(lot)
        session.delete(match)
    position.received -= fill.notional
    position.realised -= fill.notional - cost
    position.fees -= fill.fee if fill.fee_asset == _quote_of(session, order) else 0
    position.state, position.closed_at, position.exit_rule = PositionState.OPEN, None, None
    _touch(session, position)


def _charge(session: Session, order: Order, amount: int) -> None:
    position = lock_row(session, Position, order.position_id) if order.position_id else None
    if position is not None:
        position.fees += amount
        _touch(session, position)


def _quote_of(session: Session, order: Order) -> str:
    return session.get_one(Instrument, order.instrument_id).quote_asset


def _touch(session: Session, position: Position) -> None:
    position.version += 1
    session.add(position)
