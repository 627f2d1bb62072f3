"""Exits that do not get out, as the state has them: sales that fail one after the other, and one that nobody mines.

Nothing is remembered here or noted when it happened: an alarm is what the orders of an open position say now. So every
terminal shows the same ones, one that is opened later too, and the alarm is gone with the sale that goes through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.monitoring.rows import Alarm, PositionRow, token_of
from sniper_cli.sniping.attempts import WAITS_LONG, Attempt, is_exit, told
from sniper_cli.sniping.telling import stuck_sales
from state.orders import WORKING, Order, Side
from state.transactions import ChainTransaction


@dataclass(frozen=True, slots=True)
class Tried:
    """The sales of a position that came to nothing, or the one that waits, with what they bid."""

    attempts: tuple[Attempt, ...]
    since: datetime
    waits_from: int | None = None
    """The block at whose sight the waiting sale was planned; none where sales have failed."""


def tried_in_vain(session: Session, *, after: int) -> dict[UUID, Tried]:
    """What was tried for each open position that is stuck, or may become so while its sale waits."""
    waiting = {key: _tried(session, [order], block) for key, (order, block) in _at_work(session).items()}
    stuck = stuck_sales(session, after=after)
    return waiting | {key: _tried(session, failed) for key, failed in stuck.items()}


def alarms(
    found: Mapping[UUID, Tried], positions: Sequence[PositionRow], head: int | None
) -> tuple[Alarm, ...]:
    """The alarms of these positions, the longest standing first."""
    rows = {row.id: row for row in positions if row.is_open}
    raised = [
        Alarm(key, token_of(rows[key].symbol), problem, tried.attempts, tried.since)
        for key, tried in found.items()
        if key in rows and (problem := _problem(tried, head))
    ]
    return tuple(sorted(raised, key=lambda alarm: alarm.since))


def _problem(tried: Tried, head: int | None) -> str:
    """In words; empty while a waiting sale has not waited long."""
    if tried.waits_from is None:
        return f"{len(tried.attempts)} sales in a row have failed"
    blocks = 0 if head is None else head - tried.waits_from
    return f"a sale has waited for {blocks} blocks and is in none" if blocks >= WAITS_LONG else ""


def _tried(session: Session, orders: Sequence[AnyOrder], waits_from: int | None = None) -> Tried:
    return Tried(told(session, orders), orders[0].created_at, waits_from)


def _at_work(session: Session) -> dict[UUID, tuple[AnyOrder, int]]:
    """The exits that are sent and not mined, with the block they were first planned at."""
    query = (
        select(Order, sa.func.min(ChainTransaction.planned_block))
        .join(ChainTransaction, col(ChainTransaction.order_id) == col(Order.id))
        .where(Order.side == Side.SELL, col(Order.state).in_(WORKING), col(Order.position_id).is_not(None))
        .group_by(col(Order.id))
    )
    return {
        order.position_id: (order, block)
        for order, block in session.exec(query).all()
        if order.position_id is not None and block is not None and is_exit(order)
    }


__all__ = ["Tried", "alarms", "tried_in_vain"]
