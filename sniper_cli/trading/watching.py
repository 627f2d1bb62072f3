"""Orders as they change: looked at again and again, and with every look settled, or asked about at their venue.

On a chain this is also what keeps watch over orders that are held here: as long as it runs, they are sent in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.errors import NetworkError
from sniper_cli.trading.assembly import OpenDesk, open_desk
from sniper_cli.trading.reading import OrderFilter
from sniper_cli.trading.views import OrderView, latest_orders, order_view
from state.orders import Order, is_working

if TYPE_CHECKING:
    from sniper_cli.context import Context

Show = Callable[[Sequence[OrderView], Sequence[OrderView]], None]
"""Is given the orders at work, and those that have changed since the last look, finished ones too."""


async def watch(
    context: Context,
    wanted: OrderFilter,
    show: Show,
    tell: Callable[[str], None],
    *,
    seconds: float,
    count: int | None = None,
    live: bool = False,
) -> None:
    """Look every so many seconds, so many times or until interrupted. A network that fails is told and tried again."""
    async with open_desk(context, live=live) as opened:
        known: dict[UUID, Any] = {}
        looks = 0
        while True:
            try:
                await opened.desk.refresh(opened.account.id)
            except NetworkError as error:
                tell(f"{error.message}; trying again")
            with context.database.read() as session:
                at_work, over = _look(session, context, opened, wanted, known)
            views = [*at_work, *over]
            show(at_work, [view for view in views if known.get(view.id) != _mark(view)])
            known = {view.id: _mark(view) for view in at_work}
            looks += 1
            if looks == count:
                return
            await asyncio.sleep(seconds)


def _look(
    session: Session, context: Context, opened: OpenDesk, wanted: OrderFilter, known: dict[UUID, Any]
) -> tuple[list[OrderView], list[OrderView]]:
    conditions = [
        Order.account_id == opened.account.id,
        is_working(),
        *wanted.conditions(session, context),
    ]
    at_work = [order_view(session, row) for row in latest_orders(session, conditions=conditions)]
    gone = known.keys() - {view.id for view in at_work}
    over = [row for key in gone if (row := session.get(Order, key)) is not None]
    return at_work, [order_view(session, row) for row in sorted(over, key=lambda row: row.updated_at)]


def _mark(view: OrderView) -> tuple[Any, ...]:
    """What of an order makes it another one to a watcher."""
    return (
        view.state,
        view.filled_quantity,
        view.quantity,
        view.limit_price,
        view.trigger_price,
        view.waits_for,
    )
