"""Writing an intent down, once: as an order that will be sent, or as one that was refused and why."""

from __future__ import annotations

from uuid import UUID

import msgspec

from sniper_cli.books.events import Moved, Recorded, price_text, raw, wide, wide_or_none
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import OrderRefused
from sniper_cli.trading.checks import Examination
from sniper_cli.trading.intents import OrderIntent, Terms, terms_json
from state.columns import canonical
from state.identifiers import new_key
from state.orders import OrderState


def seen(page: Page, intent: OrderIntent) -> BookedOrder | None:
    """The order recorded under an intent's client order id. Raises OrderRefused if it asked for something else."""
    key = page.book.known(intent.client_order_id)
    if key is None:
        return None
    known = page.book.find_order(key)
    if not intent.asks_as(known):
        raise OrderRefused(
            f"the client order id {intent.client_order_id!r} has been used for another order",
            hint=f"sniper order show {known.id}",
            order=str(known.id),
        )
    return known


def draft(page: Page, intent: OrderIntent, state: OrderState, terms: Terms | None = None) -> BookedOrder:
    """The order of an intent, not yet written anywhere."""
    return BookedOrder(
        new_key(),
        intent.client_order_id,
        intent.instrument_id,
        intent.side,
        intent.type,
        intent.time_in_force,
        intent.quantity,
        intent.budget,
        intent.limit_price,
        state,
        0,
        page.now,
        reason_json=_reason(page, intent),
        terms_json=terms_json(terms if terms is not None else intent.terms),
        position_key=_key(intent.position_id),
        launch_key=_key(intent.launch_id),
        strategy=intent.strategy,
        parent_key=_key(intent.parent_id),
        seq=page.seq,
        account_key=page.book.account_key,
    )


def _reason(page: Page, intent: OrderIntent) -> str:
    """Why it was asked for, and under which epoch of its runner's lease."""
    if page.fence is not None:
        return canonical({**intent.reason, "lease_epoch": page.fence.epoch})
    return canonical(intent.reason) if intent.reason else "{}"


def write(page: Page, order: BookedOrder, found: Examination) -> None:
    """Put an order into the book and the record, as it now is: refused if a check failed."""
    if found.failed:
        order.state = OrderState.REFUSED
        order.explanation = found.explanation
        order.reserved = 0
    order.checks_json = found.json()
    page.book.add(order)
    page.append(told(order))


def told(order: BookedOrder) -> Recorded:
    """The event of an order as it now is."""
    return Recorded(
        order.key,
        order.client_order_id,
        order.instrument_id,
        order.side._value_,
        order.type._value_,
        order.time_in_force._value_,
        wide_or_none(order.quantity),
        wide_or_none(order.budget),
        price_text(order.limit_price),
        order.state._value_,
        wide(order.reserved),
        order.at,
        msgspec.Raw(order.checks_json.encode()),
        msgspec.Raw(order.reason_json.encode()),
        None if order.terms_json is None else msgspec.Raw(order.terms_json.encode()),
        order.explanation,
        order.venue_reference,
        order.position_key,
        order.launch_key,
        order.strategy,
        order.parent_key,
    )


def note(page: Page, order: BookedOrder, explanation: str) -> None:
    """Write beside an order why it could not be given to the venue; its fate stays open."""
    page.add(Moved(order.key, order.state._value_, page.now, explanation))


def move(
    page: Page,
    order: BookedOrder,
    state: OrderState,
    explanation: str | None = None,
    *,
    at: int | None = None,
    venue_reference: str | None = None,
    facts: dict[str, object] | None = None,
) -> None:
    """Write down an order's next state. Raises IllegalTransition."""
    page.add(
        Moved(
            order.key,
            state.value,
            page.now if at is None else at,
            explanation,
            venue_reference,
            raw(facts) if facts else None,
        )
    )


def _key(identifier: UUID | None) -> str | None:
    return None if identifier is None else identifier.hex
