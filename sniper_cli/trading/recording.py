"""Writing an intent down: as an order that will be sent, or as one that was refused and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.trading.checks import failures
from sniper_cli.trading.intents import CheckResult, OrderIntent, OrderOutcome
from sniper_cli.venues.venue import Venue
from state import journal
from state.accounts import Account, lock_account
from state.database import lock_row
from state.errors import RowNotFound
from state.orders import Order, OrderState, Side
from state.positions import open_position

if TYPE_CHECKING:
    from sniper_cli.trading.desk import Draft


def lock(session: Session, seen: Account) -> tuple[Account, bool]:
    """Take the account, and say whether it has changed since `seen` was read."""
    version = seen.version
    account = lock_account(session, seen.id)
    return account, account.version != version + 1


def lock_order(session: Session, order_id: UUID) -> Order:
    """Take an order for change. Raises RowNotFound."""
    order = lock_row(session, Order, order_id)
    if order is None:
        raise RowNotFound(f"there is no order {order_id}", hint="sniper order list")
    return order


def write(
    session: Session, account: Account, draft: Draft, results: list[CheckResult], venue: Venue, *, actor: str
) -> OrderOutcome:
    """Insert the order, refused or to be sent, with its checks; the venue writes its part beside it."""
    order = build(draft.intent, results)
    if order.side is Side.SELL and order.position_id is None:
        position = open_position(session, account.id, order.instrument_id)
        order.position_id = position.id if position else None
    if order.state is OrderState.REFUSED or draft.plan is None:
        return _refuse(session, order, draft, results, actor=actor)
    order.reserved = draft.plan.quote_needed
    session.add(order)
    session.flush()
    venue.record(session, account, order, draft.plan)
    session.add(order)
    data = {
        **_asked(draft.intent),
        "checks": order.checks,
        "plan": draft.plan.summary,
        "reserved": order.reserved,
    }
    journal.append(session, "order.recorded", order.id, data, actor=actor)
    return OrderOutcome(order, summary=draft.plan.summary)


def rehearse(draft: Draft, results: list[CheckResult]) -> OrderOutcome:
    """What `write` would do, without writing."""
    if draft.known is not None:
        return OrderOutcome(draft.known, replayed=True, dry_run=True)
    order = build(draft.intent, results)
    return OrderOutcome(order, dry_run=True, summary=draft.plan.summary if draft.plan else {})


def build(intent: OrderIntent, results: list[CheckResult]) -> Order:
    """The order of an intent, with the state that its checks lead to."""
    failed = failures(results)
    return Order(
        account_id=intent.account_id,
        client_order_id=intent.client_order_id,
        fingerprint=intent.fingerprint,
        instrument_id=intent.instrument_id,
        side=intent.side,
        type=intent.type,
        time_in_force=intent.time_in_force,
        quantity=intent.quantity,
        budget=intent.budget,
        limit_price=intent.limit_price,
        state=OrderState.REFUSED if failed else OrderState.RECORDED,
        reason=intent.reason,
        checks=[asdict(result) for result in results],
        explanation="; ".join(f"{result.name}: {result.detail}" for result in failed) or None,
        launch_id=intent.launch_id,
        position_id=intent.position_id,
    )


def note(session: Session, order_id: UUID, explanation: str, *, actor: str) -> Order:
    """Write beside an order why it could not be given to the venue; its fate stays open."""
    order = lock_order(session, order_id)
    order.explanation = explanation
    session.add(order)
    data = {"state": order.state.value, "explanation": explanation}
    journal.append(session, "order.state", order.id, data, actor=actor)
    return order


def _refuse(
    session: Session, order: Order, draft: Draft, results: list[CheckResult], *, actor: str
) -> OrderOutcome:
    data = {**_asked(draft.intent), "checks": order.checks, "why": order.explanation}
    if any(result.name == "instrument" and not result.passed for result in results):
        # An instrument that is not in the table cannot stand in an order row: the journal alone keeps the refusal.
        journal.append(session, "order.refused", order.id, data, actor=actor)
        return OrderOutcome(order)
    session.add(order)
    session.flush()
    journal.append(session, "order.refused", order.id, data, actor=actor)
    return OrderOutcome(order)


def _asked(intent: OrderIntent) -> dict[str, Any]:
    asked = asdict(intent)
    return {name: value for name, value in asked.items() if value is not None}
