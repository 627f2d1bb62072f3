"""Orders that are recorded together: an entry with its exits, pairs, ladders.

A family is written on one page before any of it is sent, so that there is no moment at which an entry stands filled
and its stop is not known. Its members find each other by ids that do not exist yet when the family is put together:
`HEAD` and `GROUP` stand for them until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.contingencies import AVERAGE, GRID, SCHEDULE
from sniper_cli.trading.examining import beyond_means, try_out
from sniper_cli.trading.intents import NO_TERMS, CheckResult, OrderIntent, OrderOutcome, Terms, terms_of
from sniper_cli.trading.recording import seen
from state.identifiers import new_key
from state.orders import RESTING, TRIGGERED, OrderState, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.trading.local import LocalWalk

HEAD, GROUP = "head", "group"


class Family(msgspec.Struct, frozen=True):
    """The first order and those that hang on it."""

    head: OrderIntent
    legs: tuple[OrderIntent, ...] = ()
    names: tuple[str, ...] = ()
    """What a person calls each leg: `take profit`, `stop loss`, `step 3`."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a position is left: at a price, or trailing behind it."""

    price: Decimal | None = None
    limit: Decimal | None = None
    """A stop that becomes a limit order."""
    trail_amount: Decimal | None = None
    trail_bps: int | None = None
    activation: Decimal | None = None

    @property
    def trailing(self) -> bool:
        return self.trail_amount is not None or self.trail_bps is not None


def bracket(entry: OrderIntent, *, take_profit: Exit | None = None, stop_loss: Exit | None = None) -> Family:
    """An entry whose exits cover what it fills, fill by fill, and never more than is held; one cancels the other."""
    side = Side.SELL if entry.side is Side.BUY else Side.BUY
    terms = Terms(after=HEAD, cancels=GROUP, reduce_only=True)
    legs, names = [], []
    if take_profit is not None:
        legs.append(
            _leg(entry, "tp", side, OrderType.LIMIT, terms, "take_profit", limit_price=take_profit.price)
        )
        names.append("take profit")
    if stop_loss is not None:
        legs.append(_stop(entry, side, terms, stop_loss))
        names.append("stop loss")
    return Family(entry, tuple(legs), tuple(names))


def _stop(entry: OrderIntent, side: Side, terms: Terms, leave: Exit) -> OrderIntent:
    if leave.trailing:
        kind = OrderType.TRAILING_STOP
        terms = msgspec.structs.replace(
            terms,
            trail_amount=leave.trail_amount,
            trail_bps=leave.trail_bps,
            activation_price=leave.activation,
        )
    else:
        kind = OrderType.STOP if leave.limit is None else OrderType.STOP_LIMIT
        terms = msgspec.structs.replace(terms, trigger_price=leave.price)
    return _leg(entry, "sl", side, kind, terms, "stop_loss", limit_price=leave.limit)


def _leg(
    head: OrderIntent,
    suffix: str,
    side: Side,
    kind: OrderType,
    terms: Terms,
    rule: str,
    *,
    quantity: int | None = None,
    limit_price: Decimal | None = None,
) -> OrderIntent:
    return OrderIntent(
        head.account_id,
        head.instrument_id,
        side,
        f"{head.client_order_id}/{suffix}",
        kind,
        TimeInForce.GTC,
        quantity,
        None,
        limit_price,
        reason={**head.reason, "rule": rule},
        terms=terms,
        strategy=head.strategy,
    )


def one_cancels_other(first: OrderIntent, second: OrderIntent) -> Family:
    """Two orders of which a fill of one is taken off the other."""
    return Family(_with(first, cancels=GROUP), (_with(second, cancels=GROUP),), ("the other",))


def one_triggers_other(first: OrderIntent, then: OrderIntent) -> Family:
    """An order that goes when the first is filled; where it is its opposite, as much of it as the first fills."""
    return Family(first, (_with(then, after=HEAD),), ("the one after",))


def _with(intent: OrderIntent, **terms: str) -> OrderIntent:
    changed = msgspec.structs.replace(intent.terms or NO_TERMS, **terms)
    return msgspec.structs.replace(intent, terms=changed)


def schedule(head: OrderIntent, starts: Sequence[int], amounts: Sequence[int]) -> Family:
    """Slices over time: each goes at its own moment, whatever becomes of the others.

    `head` says what they are together; amounts are of what it counts in, its quantity or its budget.
    """
    by_quantity = head.quantity is not None
    legs = tuple(
        msgspec.structs.replace(
            head,
            client_order_id=f"{head.client_order_id}/{number}",
            quantity=amount if by_quantity else None,
            budget=None if by_quantity else amount,
            terms=msgspec.structs.replace(head.terms or NO_TERMS, starts_at=start, rung=number),
            reason={**head.reason, "slice": number},
        )
        for number, (start, amount) in enumerate(zip(starts, amounts, strict=True), 1)
    )
    return Family(_parent(head, {"kind": SCHEDULE}), legs, tuple(f"slice {n + 1}" for n in range(len(legs))))


def average(head: OrderIntent, steps: Sequence[tuple[Decimal, int]]) -> Family:
    """An averaging ladder: orders at prices further and further away. The first goes at the market if the head does."""
    legs = tuple(
        msgspec.structs.replace(
            head,
            client_order_id=f"{head.client_order_id}/{number}",
            type=OrderType.MARKET if number == 0 and head.type is OrderType.MARKET else OrderType.LIMIT,
            quantity=quantity,
            budget=None,
            limit_price=None if number == 0 and head.type is OrderType.MARKET else price,
            terms=msgspec.structs.replace(head.terms or NO_TERMS, rung=number),
            reason={**head.reason, "step": number},
        )
        for number, (price, quantity) in enumerate(steps)
    )
    total = sum(quantity for _, quantity in steps)
    whole = msgspec.structs.replace(head, quantity=total, budget=None)
    return Family(_parent(whole, {"kind": AVERAGE}), legs, tuple(f"step {n}" for n in range(len(legs))))


def grid(
    head: OrderIntent,
    prices: Sequence[Decimal],
    quantities: Sequence[int],
    reference: Decimal,
    *,
    from_stock: bool = False,
) -> Family:
    """A grid: in each gap between two prices one order, which lays the next one when it is filled.

    Below the reference what one buys is sold one price up, and what that sells is bought again one price down. Above
    it nothing can be sold that is not owned: only with `from_stock` do its gaps begin with a sale.
    """
    legs = []
    for gap, quantity in enumerate(quantities):
        buys = prices[gap] < reference
        if not buys and not from_stock:
            continue
        legs.append(
            msgspec.structs.replace(
                head,
                client_order_id=f"{head.client_order_id}/{gap}.0",
                side=Side.BUY if buys else Side.SELL,
                type=OrderType.LIMIT,
                quantity=quantity,
                budget=None,
                limit_price=prices[gap] if buys else prices[gap + 1],
                terms=Terms(rung=gap),
                reason={**head.reason, "gap": gap},
            )
        )
    plan = {"kind": GRID, "prices": [format(price, "f") for price in prices]}
    total = sum(leg.quantity or 0 for leg in legs)
    whole = msgspec.structs.replace(
        head, side=Side.BUY, type=OrderType.LIMIT, quantity=total, budget=None, limit_price=prices[0]
    )
    return Family(
        _parent(whole, plan), tuple(legs), tuple(f"the order at {leg.limit_price:f}" for leg in legs)
    )


def _parent(head: OrderIntent, plan: dict[str, Any]) -> OrderIntent:
    return msgspec.structs.replace(
        head, terms=msgspec.structs.replace(head.terms or NO_TERMS, ladder=plan, starts_at=None)
    )


def holds(intent: OrderIntent) -> bool:
    """Whether an order is more than a venue understands that trades at once or not at all."""
    terms = intent.terms or NO_TERMS
    return (
        intent.type in TRIGGERED
        or (intent.type is OrderType.LIMIT and intent.time_in_force in RESTING)
        or terms.starts_at is not None
        or terms.condition is not None
        or terms.after is not None
        or terms.ladder is not None
    )


# -- placing ------------------------------------------------------------------------------------------------------


def place(walk: LocalWalk, families: Sequence[Family]) -> list[list[OrderOutcome]]:
    """Every family in its turn, its head's outcome first. Of one whose member the checks refuse nothing is sent."""
    members = [intent for family in families for intent in (family.head, *family.legs)]
    walk.listings.require(walk.page.writer, [intent.instrument_id for intent in members])
    return [_place(walk, family) for family in families]


def _place(walk: LocalWalk, family: Family) -> list[OrderOutcome]:
    if not family.legs:
        return [walk.place_one(family.head)]
    known = seen(walk.page, family.head)
    if known is not None:
        legs = (seen(walk.page, leg) for leg in family.legs)
        return [OrderOutcome(order, True) for order in (known, *legs) if order is not None]
    group, refusals = new_key(), _against(walk, family)
    head = walk.record(bind(family.head, None, group), refusals=refusals)
    if head.state is OrderState.REFUSED:
        return [OrderOutcome(head)]
    members = [head, *(walk.record(bind(leg, head, group)) for leg in family.legs)]
    states = [order.state for order in members]
    for order, state in zip(members, states, strict=True):
        if order.is_working and order.state is state:  # else a fill of one before it has sent it, or ended it
            walk.send(order)
    return [OrderOutcome(order) for order in members]


def _against(walk: LocalWalk, family: Family) -> list[CheckResult]:
    """What the checks say against the legs, each by itself and a ladder's together; the head bears it."""
    found = [
        replace(one, detail=f"{name}: {one.detail}")
        for name, leg in zip(family.names, family.legs, strict=True)
        for one in try_out(walk, leg)
    ]
    return found or beyond_means(
        walk, [leg for leg in family.legs if leg.terms is not None and leg.terms.rung is not None]
    )


def bind(intent: OrderIntent, head: BookedOrder | None, group: str) -> OrderIntent:
    """An intent with the ids that it knew only by what they stand for."""
    terms, parent = intent.terms or NO_TERMS, intent.parent_id
    if head is not None and (terms.after == HEAD or terms_of(head).ladder is not None):
        parent = head.id
    if terms.after is not None or terms.cancels is not None:
        terms = msgspec.structs.replace(
            terms,
            after=head.key if terms.after == HEAD and head is not None else terms.after,
            cancels=group if terms.cancels == GROUP else terms.cancels,
        )
    return msgspec.structs.replace(
        intent, terms=terms if intent.terms is not None else None, parent_id=parent
    )
