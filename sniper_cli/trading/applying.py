"""What venues report, applied in one transaction with all it means: fills, lots, positions, cash, states, journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.portfolio.booking import book_cost, book_fill, undo_cost, undo_fill
from sniper_cli.venues.venue import Report, Venue
from state import journal
from state.accounts import Account, Instrument, LedgerEntry, Movement
from state.database import lock_row
from state.orders import TRANSITIONS, WORKING, Fill, Order, OrderState, fills_of
from state.positions import matches_of

PROGRESS = (OrderState.RECORDED, OrderState.SENT, OrderState.OPEN, OrderState.PARTIALLY_FILLED)
"""Working states in their order: a report that lags behind the record changes nothing."""


def apply_reports(
    session: Session,
    account: Account,
    venue: Venue,
    reports: Sequence[Report],
    versions: Mapping[UUID, int],
    *,
    actor: str,
) -> list[Order]:
    """Apply reports; the orders that changed. What was asked before an order last changed is old news and dropped."""
    current: list[tuple[Order, Report]] = []
    for report in reports:
        order = lock_row(session, Order, report.order_id)
        if order is not None and order.version == versions[order.id] and _is_news(order, report):
            current.append((order, report))
    undone = _undo(session, current, actor=actor)
    for order, report in current:
        _apply(session, account, venue, order, report, reopened=order.id in undone, actor=actor)
    return [order for order, _ in current]


def _is_news(order: Order, report: Report) -> bool:
    return bool(
        report.state is not order.state or report.fills or report.costs or report.reversed or report.details
    )


def _undo(session: Session, current: Sequence[tuple[Order, Report]], *, actor: str) -> set[UUID]:
    """Take back what a reorganisation undid, newest first, so that a sale goes before the purchase it sold from."""
    undone: set[UUID] = set()
    taken: list[tuple[Fill, Order]] = []
    for order, report in current:
        if report.reversed:
            undone.add(order.id)
            fills = [
                f
                for f in fills_of(session, order.id)
                if f.venue_trade_id in report.reversed and not f.reversed_at
            ]
            taken += [(fill, order) for fill in fills]
    for fill, order in sorted(taken, key=lambda pair: pair[0].id, reverse=True):
        undo_fill(session, fill, order, session.get_one(Instrument, order.instrument_id))
        data = {"reversed": fill.venue_trade_id, "quantity": fill.quantity, "notional": fill.notional}
        journal.append(session, "order.state", order.id, data, actor=actor)
    for order, report in current:
        for reference in report.reversed:
            _undo_gas(session, order, reference)
    return undone


def _undo_gas(session: Session, order: Order, reference: str) -> None:
    query = select(LedgerEntry).where(
        LedgerEntry.account_id == order.account_id,
        LedgerEntry.movement == Movement.GAS,
        col(LedgerEntry.reference) == reference,
    )
    for entry in session.exec(query).all():
        undo_cost(session, order, entry.asset_id, -entry.amount, reference)


def _apply(
    session: Session,
    account: Account,
    venue: Venue,
    order: Order,
    report: Report,
    *,
    reopened: bool,
    actor: str,
) -> None:
    instrument = session.get_one(Instrument, order.instrument_id)
    if reopened and not order.is_working:
        order.move_to(OrderState.SENT, explanation="a reorganisation of the chain took it back")
    for filled in report.fills:
        fill = Fill(
            order_id=order.id,
            account_id=account.id,
            venue_trade_id=filled.venue_trade_id,
            side=order.side,
            quantity=filled.quantity,
            notional=filled.notional,
            fee_asset=filled.fee_asset,
            fee=filled.fee,
            at=filled.at,
        )
        if book_fill(session, order, instrument, fill, actor=actor):
            journal.append(session, "order.filled", order.id, _filled(session, order, fill), actor=actor)
    venue.settle(session, account, order, report)
    for cost in report.costs:
        book_cost(session, order, cost.asset_id, cost.amount, cost.reference)
    _move(session, order, report, actor=actor)


def _move(session: Session, order: Order, report: Report, *, actor: str) -> None:
    if report.venue_reference is not None:
        order.venue_reference = report.venue_reference
    if _behind(order, report) or (
        report.state is order.state and report.state is not OrderState.PARTIALLY_FILLED
    ):
        order.version += 1
        session.add(order)
        return
    before = order.state
    order.move_to(report.state, explanation=report.explanation or "")
    order.explanation = order.explanation or None
    session.add(order)
    kind = "order.sent" if before is OrderState.RECORDED and report.state in WORKING else "order.state"
    data: dict[str, Any] = {"from": before.value, "state": report.state.value, **report.facts}
    if report.explanation:
        data["explanation"] = report.explanation
    if order.venue_reference:
        data["venue_reference"] = order.venue_reference
    journal.append(session, kind, order.id, data, actor=actor)


def _behind(order: Order, report: Report) -> bool:
    """A working state reported of an order that is further on: old news, unless the chain itself went back."""
    if report.state not in PROGRESS:
        return False
    if order.state not in PROGRESS:
        return True
    return (
        PROGRESS.index(report.state) < PROGRESS.index(order.state)
        and report.state not in TRANSITIONS[order.state]
    )


def _filled(session: Session, order: Order, fill: Fill) -> dict[str, Any]:
    data: dict[str, Any] = {
        "fill": fill.id,
        "venue_trade_id": fill.venue_trade_id,
        "side": fill.side.value,
        "quantity": fill.quantity,
        "notional": fill.notional,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "position": order.position_id,
    }
    matches = matches_of(session, fill.id)
    if matches:
        data["lots"] = [
            {"lot": m.lot_id, "quantity": m.quantity, "cost": m.cost, "proceeds": m.proceeds} for m in matches
        ]
    return data
