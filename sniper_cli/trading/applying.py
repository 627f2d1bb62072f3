"""What distant venues report, as events of one page: fills, costs, states, and what a reorganisation took back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Reversed
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.trading import recording
from sniper_cli.venues.venue import FillReport, Report, Venue
from state.accounts import Account, LedgerEntry, Movement
from state.orders import TRANSITIONS, Fill, OrderState
from state.writing import micros

PROGRESS = (OrderState.RECORDED, OrderState.SENT, OrderState.OPEN, OrderState.PARTIALLY_FILLED)
"""Working states in their order: a report that lags behind the record changes nothing."""


def apply_reports(
    session: Session,
    page: Page,
    account: Account,
    venue: Venue,
    reports: Sequence[Report],
    versions: Mapping[UUID, int],
) -> list[BookedOrder]:
    """Apply reports; the orders that changed. What was asked before an order last changed is old news and dropped."""
    current: list[tuple[BookedOrder, Report]] = []
    for report in reports:
        order = page.book.find_order(report.order_id.hex)
        if order.version == versions[report.order_id] and _is_news(order, report):
            current.append((order, report))
    undone = _undo(session, page, current)
    for order, report in current:
        _apply(session, page, account, venue, order, report, reopened=order.key in undone)
    return [order for order, _ in current]


def _is_news(order: BookedOrder, report: Report) -> bool:
    return bool(
        report.state is not order.state or report.fills or report.costs or report.reversed or report.details
    )


def _undo(session: Session, page: Page, current: Sequence[tuple[BookedOrder, Report]]) -> set[str]:
    """Take back what a reorganisation undid, newest first, so that a sale goes before the purchase it sold from."""
    undone: set[str] = set()
    taken: list[Fill] = []
    for order, report in current:
        if not report.reversed:
            continue
        undone.add(order.key)
        query = select(Fill).where(
            Fill.order_id == order.id,
            col(Fill.venue_trade_id).in_(report.reversed),
            col(Fill.reversed_at).is_(None),
        )
        taken += session.exec(query).all()
    for fill in sorted(taken, key=lambda one: one.id, reverse=True):
        page.add(Reversed(fill.id.hex, fill.order_id.hex, fill.venue_trade_id, page.now))
    for order, report in current:
        for reference in report.reversed:
            _undo_gas(session, page, order, reference)
    return undone


def _undo_gas(session: Session, page: Page, order: BookedOrder, reference: str) -> None:
    query = select(LedgerEntry).where(
        LedgerEntry.account_id == order.account_id,
        LedgerEntry.movement == Movement.GAS,
        col(LedgerEntry.reference) == reference,
    )
    for entry in session.exec(query).all():
        move_cash(
            page,
            entry.asset_id,
            Movement.GAS,
            -entry.amount,
            reference=f"{reference}:reversed",
            order=order.key,
        )


def _apply(
    session: Session,
    page: Page,
    account: Account,
    venue: Venue,
    order: BookedOrder,
    report: Report,
    *,
    reopened: bool,
) -> None:
    if reopened and not order.is_working:
        recording.move(page, order, OrderState.SENT, "a reorganisation of the chain took it back")
    for filled in report.fills:
        book_fill(page, order, filled)
    venue.settle(session, account, order, report)
    for cost in report.costs:
        move_cash(page, cost.asset_id, Movement.GAS, -cost.amount, reference=cost.reference, order=order.key)
    _move(page, order, report)


def book_fill(page: Page, order: BookedOrder, filled: FillReport) -> bool:
    """Book a reported trade. False if it has been booked before: a fill is keyed by the venue's own trade id."""
    here = any(
        one.order_key == order.key and one.trade == filled.venue_trade_id for one in page.book.changes.fills
    )
    if here or page.book.shelf.knows_trade(order.key, filled.venue_trade_id):
        return False
    event = tell_fill(
        page.book,
        order,
        trade=filled.venue_trade_id,
        quantity=filled.quantity,
        notional=filled.notional,
        fee_asset=filled.fee_asset,
        fee=filled.fee,
        at=micros(filled.at),
    )
    page.add(event)
    return True


def _move(page: Page, order: BookedOrder, report: Report) -> None:
    state = order.state if _behind(order, report) else report.state
    facts: dict[str, Any] = dict(report.facts)
    same = state is order.state
    reference = report.venue_reference
    if same and not (facts and report.fills) and reference in (None, order.venue_reference):
        return
    recording.move(
        page, order, state, None if same else report.explanation, venue_reference=reference, facts=facts
    )


def _behind(order: BookedOrder, report: Report) -> bool:
    """A working state reported of an order that is further on: old news, unless the chain itself went back."""
    if report.state not in PROGRESS:
        return False
    if order.state not in PROGRESS:
        return True
    return (
        PROGRESS.index(report.state) < PROGRESS.index(order.state)
        and report.state not in TRANSITIONS[order.state]
    )
