"""What the order and position commands ask for: views of the record, settled first where that costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from sniper_cli.moments import parse_moment
from sniper_cli.settings.model import Mode
from sniper_cli.trading.amounts import whole
from sniper_cli.trading.assembly import address_behind, open_desk, sell_position, settle_paper
from sniper_cli.trading.lookup import find_instrument, find_order, find_position
from sniper_cli.trading.views import (
    OrderView,
    PositionView,
    latest_orders,
    latest_positions,
    order_view,
    position_view,
    whole_view,
)
from sniper_cli.trading.words import read_side, read_type
from state.accounts import Asset, VenueKind
from state.orders import WORKING, Order, OrderState, is_working
from state.positions import Position, PositionState

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are meant, in words. None: whatever it is."""

    state: str | None = None
    at_work: bool = False
    instrument: str | None = None
    side: str | None = None
    type: str | None = None
    strategy: str | None = None
    parent: str | None = None

    def conditions(self, session: Session, context: Context) -> list[Any]:
        """As conditions of a query. Raises NotFound, UsageProblem."""
        found: list[Any] = []
        if self.state:
            found.append(Order.state == OrderState(self.state))
        if self.at_work:
            found.append(is_working())
        if self.instrument:
            venue = VenueKind.PAPER if context.settings.mode is Mode.PAPER else VenueKind.EVM
            found.append(Order.instrument_id == find_instrument(session, self.instrument, venue).id)
        if self.side:
            found.append(Order.side == read_side(self.side))
        if self.type:
            found.append(Order.type == read_type(self.type))
        if self.strategy:
            found.append(Order.strategy == self.strategy)
        if self.parent:
            found.append(Order.parent_id == find_order(session, self.parent).id)
        return found


def orders(
    context: Context,
    *,
    wanted: OrderFilter | None = None,
    after: str | None = None,
    since: str | None = None,
    limit: int | None = None,
) -> list[OrderView]:
    """Orders, newest first, so many at most. Raises NotFound, UsageProblem."""
    settle(context)
    moment = _moment(since)
    with context.database.read() as session:
        cursor = find_order(session, after).id if after else None
        conditions = (wanted or OrderFilter()).conditions(session, context)
        rows = latest_orders(session, after=cursor, since=moment, limit=limit, conditions=conditions)
        return [order_view(session, row) for row in rows]


def orders_at_work(context: Context) -> int:
    """How many orders may still trade."""
    with context.database.read() as session:
        return int(session.exec(select(func.count()).select_from(Order).where(is_working())).one())


def order(context: Context, text: str) -> OrderView:
    """One order with its fills and its family. Raises NotFound, UsageProblem."""
    settle(context)
    with context.database.read() as session:
        return whole_view(session, find_order(session, text))


def positions(
    context: Context, *, closed: bool = False, after: str | None = None, since: str | None = None
) -> list[PositionView]:
    """Positions, newest first; closed ones only when asked for. Raises NotFound, UsageProblem."""
    settle(context)
    moment = _moment(since)
    with context.database.read() as session:
        cursor = find_position(session, after).id if after else None
        found = latest_positions(session, closed=closed, after=cursor, since=moment)
        return [position_view(session, row) for row in found]


def position(context: Context, text: str) -> PositionView:
    """One position with its lots. Raises NotFound, UsageProblem."""
    settle(context)
    with context.database.read() as session:
        return position_view(session, find_position(session, text), lots=True)


async def cancel(
    context: Context, order_id: UUID, *, live: bool = False, wait_seconds: float = 30
) -> OrderView:
    """Cancel an order and see what came of it. Raises OrderRefused, NetworkError."""
    address = address_behind(context, Order, order_id)
    async with open_desk(context, live=live, address=address) as opened:
        cancelled = await opened.settled(await opened.desk.cancel(order_id), wait_seconds)
        with context.database.read() as session:
            return whole_view(session, cancelled)


async def close(
    context: Context, position_id: UUID, *, live: bool = False, wait_seconds: float = 30
) -> OrderView:
    """Sell all of a position. Raises OrderRefused, NetworkError."""
    address = address_behind(context, Position, position_id)
    async with open_desk(context, live=live, address=address) as opened:
        sold = await sell_position(opened, position_id, wait_seconds=wait_seconds)
        with context.database.read() as session:
            return order_view(session, sold, fills=True)


@dataclass(frozen=True, slots=True)
class ReconciledLine:
    """One asset in the ledger and at the venue, in whole assets."""

    asset: str
    asset_id: str
    ledger: Decimal
    venue: Decimal
    difference: Decimal
    booked: bool
    """The difference was booked just now, because that was asked for."""


async def reconcile_account(
    context: Context, *, book: bool = False, live: bool = False
) -> list[ReconciledLine]:
    """Hold the ledger against the venue; with `book`, book what differs: coins as deposits or withdrawals, tokens
    as adjustments. Raises NetworkError, LiveNotConfirmed."""
    async with open_desk(context, live=live) as opened:
        from sniper_cli.trading.reconciliation import adjust, sync

        found = await opened.desk.reconcile(opened.account.id)
        if book and not found.equal:
            await sync(opened.desk, opened.account.id)
            await adjust(opened.desk, opened.account.id)
        with context.database.read() as session:
            assets = {line.asset_id: session.get_one(Asset, line.asset_id) for line in found.lines}
            return [
                ReconciledLine(
                    asset=assets[line.asset_id].symbol,
                    asset_id=line.asset_id,
                    ledger=whole(assets[line.asset_id], line.ledger),
                    venue=whole(assets[line.asset_id], line.venue),
                    difference=whole(assets[line.asset_id], line.difference),
                    booked=book and line.difference != 0,
                )
                for line in found.lines
            ]


def settle(context: Context) -> None:
    """On paper, replay the market for what is at work or held. On a chain that takes the wallet: the desk does it."""
    if context.settings.mode is not Mode.PAPER:
        return
    with context.database.read() as session:
        at_work = session.exec(select(Order.id).where(col(Order.state).in_(WORKING))).first()
        held = session.exec(select(Position.id).where(Position.state == PositionState.OPEN)).first()
    if at_work is not None or held is not None:
        asyncio.run(settle_paper(context))


def _moment(since: str | None) -> datetime | None:
    return parse_moment(since) if since else None
