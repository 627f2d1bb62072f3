"""What a position's sales have come to so far, by its orders: the only memory that exits have.

Steps done, failures in a row, the size that went through: all of it is read from the orders' rows. So a kill -9 between
a fill and whatever would have been noted about it forgets nothing, and a reorganisation that takes a fill back takes
the step back with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from state.orders import Order, OrderState, Side
from state.positions import Position
from state.transactions import ChainTransaction

FAILED = frozenset(
    {OrderState.REFUSED, OrderState.REJECTED, OrderState.DROPPED, OrderState.CANCELLED, OrderState.EXPIRED}
)
TURNED_DOWN = frozenset({OrderState.REFUSED, OrderState.REJECTED})
"""Failures that a smaller size may cure: the sale would fail, or did."""
WHOLE_TRIES = 2
"""So many full sales fail before a half is tried, so many halves before a quarter …"""
SMALLEST = 64
WAITS_LONG = 20
"""A sale that is in none of so many blocks after it was sent is told aloud."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sale that was tried, as a report tells it. Fees in wei per gas, amounts in base units."""

    number: int
    quantity: int
    max_slippage_bps: int | None
    max_fee: int | None
    state: str
    reason: str


def sales_of(session: Session, account_id: UUID, positions: Iterable[UUID]) -> dict[UUID, list[Order]]:
    """The sales of positions so far, oldest first; by rules and by hand."""
    found: dict[UUID, list[Order]] = defaultdict(list)
    wanted = list(positions)
    if not wanted:
        return found
    query = (
        select(Order)
        .where(Order.account_id == account_id, col(Order.position_id).in_(wanted), Order.side == Side.SELL)
        .order_by(col(Order.id))
    )
    for order in session.exec(query).all():
        if order.position_id is not None:
            found[order.position_id].append(order)
    return found


def sold_of(session: Session, positions: Iterable[Position]) -> dict[UUID, tuple[tuple[Decimal, int], ...]]:
    """What each step of each ladder has sold, of positions of which something was sold."""
    parted: dict[UUID, list[UUID]] = defaultdict(list)
    for position in positions:
        if position.received:
            parted[position.account_id].append(position.id)
    return {
        key: sold_by_steps(orders)
        for account_id, ids in parted.items()
        for key, orders in sales_of(session, account_id, ids).items()
    }


def is_exit(order: AnyOrder) -> bool:
    """Whether a rule, or a request that the sniper carried out, placed it."""
    return order.client_order_id.startswith("position-") and "-exit-" in order.client_order_id


def sold_by(order: AnyOrder) -> int:
    """What an order took off the position. One that is filled took what it asked for: a pool may pay for less."""
    if order.state is OrderState.FILLED:
        return max(order.quantity or 0, order.filled_quantity)
    return order.filled_quantity


def sold_by_steps(orders: Sequence[AnyOrder]) -> tuple[tuple[Decimal, int], ...]:
    """What each step of the ladder, named by its gain, has sold."""
    found: dict[Decimal, int] = {}
    for order in orders:
        left = sold_by(order)
        for gain, units in order.reason.get("steps") or ():
            taken = min(left, int(units))
            left -= taken
            found[Decimal(gain)] = found.get(Decimal(gain), 0) + taken
    return tuple(sorted((gain, units) for gain, units in found.items() if units))


def sold_for(request: str, orders: Sequence[AnyOrder]) -> int:
    """What has been sold because somebody asked for it."""
    return sum(sold_by(order) for order in orders if order.reason.get("request") == request)


def failures(orders: Sequence[AnyOrder]) -> list[AnyOrder]:
    """The sales that failed since the last one that brought something, oldest first."""
    found: list[AnyOrder] = []
    for order in reversed(orders):
        if order.state not in FAILED or order.filled_quantity:
            break
        found.append(order)
    return found[::-1]


def failing(orders: Sequence[AnyOrder]) -> list[AnyOrder]:
    """The exits that failed since the last one that brought something, whatever is being tried at the moment."""
    return failures([order for order in orders if is_exit(order) and not order.is_working])


def divisor(orders: Sequence[AnyOrder]) -> int:
    """Into how many parts the next sale is cut: a token may forbid large ones. What went through stays the size."""
    start, turned_down = _cut(orders)
    return min(SMALLEST, start << (turned_down // WHOLE_TRIES))


def part(wanted: int, orders: Sequence[AnyOrder]) -> int:
    """How much of what is wanted the next sale takes.

    After a part went through, the next is at least as large: halves of what is left would never come to an end.
    """
    start, _ = _cut(orders)
    before = orders[: len(orders) - len(failures(orders))]
    size = -(-wanted // start)
    if start > 1:
        size = max(size, min(wanted, before[-1].quantity or 0))
    return max(1, -(-size // (divisor(orders) // start)))


def _cut(orders: Sequence[AnyOrder]) -> tuple[int, int]:
    """The divisor of the last sale that went through, and how many have been turned down since."""
    failed = failures(orders)
    before = orders[: len(orders) - len(failed)]
    start = int(before[-1].reason.get("divisor") or 1) if before else 1
    return start, sum(order.state in TURNED_DOWN for order in failed)


def told(session: Session, orders: Sequence[AnyOrder]) -> tuple[Attempt, ...]:
    """Attempts with what they bid, for a report."""
    query = select(ChainTransaction).where(col(ChainTransaction.order_id).in_([o.id for o in orders]))
    bids: dict[UUID, int] = {}
    for transaction in session.exec(query.order_by(col(ChainTransaction.id))).all():
        if transaction.order_id is not None:
            bids[transaction.order_id] = transaction.max_fee
    return tuple(
        Attempt(
            number=int(order.reason.get("attempt") or place),
            quantity=order.quantity or 0,
            max_slippage_bps=order.reason.get("max_slippage_bps"),
            max_fee=bids.get(order.id),
            state=order.state.value,
            reason=order.explanation or order.state.value,
        )
        for place, order in enumerate(orders, 1)
    )
