"""Changing an order that is at work: its size, its prices, its distance, its end.

What is changed is checked like a new order in the place of the old one, as if that claimed nothing; so a change that
the account cannot pay for is refused, and the order stays as it was. Fewer units at the same price keep their place in
the queue; anything else queues up anew, as on an exchange.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from sniper_cli.books.claims import without
from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.errors import OrderRefused, UsageProblem
from sniper_cli.trading.combinations import LIMITED
from sniper_cli.trading.examining import object_to
from sniper_cli.trading.intents import CheckResult, Terms, remember, terms_json, terms_of
from sniper_cli.trading.local import LocalWalk
from sniper_cli.venues.paper.venue import PaperVenue
from state.orders import TRIGGERED, OrderType

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk


class Amendment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What shall be other than it is. Amounts in base units, prices in whole assets; none: as it was."""

    quantity: int | None = None
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_bps: int | None = None
    display: int | None = None
    expires_at: int | None = None
    for_good: bool = False
    """It shall not expire any more."""


@dataclass(frozen=True, slots=True)
class Amended:
    """An order after a change."""

    order: AnyOrder
    before: dict[str, Any]
    """What was changed, as it was."""
    keeps_place: bool
    """It stands where it stood in its queue."""


def amend(desk: OrderDesk, order_id: UUID, wanted: Amendment, *, dry_run: bool = False) -> Amended:
    """Change an order. Raises RowNotFound, OrderRefused, UsageProblem."""
    order = desk.order(order_id)
    account = desk.account(order.account_id)
    venue = desk.venue_of(account)
    if isinstance(venue, PaperVenue):
        return desk.walk_here(
            account,
            venue,
            lambda walk: amend_here(walk, walk.book.find_order(order.id.hex), wanted),
            dry_run=dry_run,
        )
    from sniper_cli.trading.emulation import amend_there

    return amend_there(desk, account, order, wanted, dry_run=dry_run)


def amend_here(walk: LocalWalk, order: BookedOrder, wanted: Amendment) -> Amended:
    """Change an order at a venue that is here."""
    terms = amended_terms(order, wanted)
    changed = amended_order(order, wanted, terms)
    with without(walk.book, order):
        refusals = object_to(walk, rest_of(changed, order), terms)
    refuse_if(order, refusals)
    before = differences(order, changed)
    resting = walk.floor.rests(order)
    keeps = (
        resting
        and changed.limit_price == order.limit_price
        and (changed.quantity or 0) <= (order.quantity or 0)
    )
    keeps = keeps and terms.display == terms_of(order).display
    walk.rewrite(
        order,
        remember(order, terms),
        walk.page.now,
        quantity=changed.quantity,
        limit_price=changed.limit_price,
        facts={"before": before},
    )
    return Amended(order, before, keeps)


def amended_terms(order: BookedOrder, wanted: Amendment) -> Terms:
    """The terms as they would be. Raises OrderRefused, UsageProblem for what cannot be changed."""
    terms = terms_of(order)
    if wanted == Amendment():
        raise UsageProblem(
            "nothing is to be changed", hint=f"sniper order amend {order.id} --quantity AMOUNT --price PRICE"
        )
    refuse_if(order, [CheckResult("amend", False, why) for why in _impossible(order, terms, wanted)])
    changes: dict[str, Any] = {
        name: value
        for name in ("trigger_price", "display", "expires_at")
        if (value := getattr(wanted, name)) is not None
    }
    if wanted.trail_amount is not None or wanted.trail_bps is not None:
        changes |= {"trail_amount": wanted.trail_amount, "trail_bps": wanted.trail_bps}
    if wanted.for_good:
        changes["expires_at"] = None
    return msgspec.structs.replace(terms, **changes)


def _impossible(order: BookedOrder, terms: Terms, wanted: Amendment) -> list[str]:
    kind = order.type.value.replace("_", " ")
    found = []
    if not order.is_working:
        return [f"the order is {order.state.value.replace('_', ' ')} already"]
    if terms.ladder is not None:
        return ["a ladder's orders are changed one by one; the whole of it can only be cancelled"]
    if wanted.quantity is not None and order.quantity is None:
        found.append("it says how much to spend, or follows another order: it has no quantity to change")
    if (
        wanted.quantity is not None
        and order.quantity is not None
        and wanted.quantity <= order.filled_quantity
    ):
        found.append("so much of it is filled already; cancelling it keeps that and ends the rest")
    if wanted.limit_price is not None and order.type not in LIMITED:
        found.append(f"a {kind} order has no limit price")
    fixed = order.type in TRIGGERED and order.type is not OrderType.TRAILING_STOP
    if wanted.trigger_price is not None and not fixed:
        found.append(f"a {kind} order has no trigger price")
    trails = wanted.trail_amount is not None or wanted.trail_bps is not None
    if trails and order.type is not OrderType.TRAILING_STOP:
        found.append(f"a {kind} order does not trail")
    if (trails or wanted.trigger_price is not None) and terms.triggered_at is not None:
        found.append("its trigger went off already")
    return found


def amended_order(order: BookedOrder, wanted: Amendment, terms: Terms) -> BookedOrder:
    """The order as it would be."""
    changed = copy(order)
    changed.quantity = order.quantity if wanted.quantity is None else wanted.quantity
    changed.limit_price = order.limit_price if wanted.limit_price is None else wanted.limit_price
    changed.terms_json = terms_json(terms)
    return changed


def rest_of(changed: BookedOrder, order: BookedOrder) -> BookedOrder:
    """What of a changed order is still to come: that is what must fit and be paid for."""
    rest = copy(changed)
    if rest.quantity is not None:
        rest.quantity -= order.filled_quantity
    elif rest.budget is not None:
        rest.budget -= order.filled_notional
    rest.filled_quantity = rest.filled_notional = 0
    return rest


def refuse_if(order: BookedOrder, refusals: list[CheckResult]) -> None:
    """Raise what the checks say against a change."""
    if refusals:
        raise OrderRefused(
            "the order cannot be changed so: " + "; ".join(each.detail for each in refusals),
            hint=f"sniper order show {order.id}",
            order=str(order.id),
        )


def differences(order: BookedOrder, changed: BookedOrder) -> dict[str, Any]:
    """What a change takes back, for the record."""
    before: dict[str, Any] = {}
    for name in ("quantity", "limit_price"):
        was = getattr(order, name)
        if was != getattr(changed, name):
            before[name] = None if was is None else str(was)
    old, new = terms_of(order), terms_of(changed)
    for name in ("trigger_price", "trail_amount", "trail_bps", "display", "expires_at"):
        was = getattr(old, name)
        if was != getattr(new, name):
            before[name] = None if was is None else str(was)
    return before
