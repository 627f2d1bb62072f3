"""Mending what was sent and is stuck or lost, and preparing the sale of what was bought: the desk's acts on a chain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.trading import recording
from sniper_cli.venues.venue import ChainVenue, Granted, Remedy, RemedyKind
from state.accounts import Account
from state.orders import OrderState, Side

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk

logger = logging.getLogger(__name__)


async def mend(
    desk: OrderDesk, account: Account, venue: ChainVenue, *, recovering: bool
) -> list[BookedOrder]:
    orders = desk.open_orders(account, venue)
    idle = [order for order in orders if order.id not in desk.sending]
    remedies = await venue.remedies(idle, recovering=recovering) if idle else []
    return await apply_remedies(desk, account.id, venue, remedies)


async def apply_remedies(
    desk: OrderDesk, account_id: UUID, venue: ChainVenue, remedies: Sequence[Remedy]
) -> list[BookedOrder]:
    """Record what has to be recorded, then send; each remedy's order afterwards."""
    mended = []
    for remedy in remedies:
        if remedy.kind is not RemedyKind.RESEND and not _record_remedy(desk, account_id, venue, remedy):
            continue
        desk.checkpoint(f"{remedy.kind.value}_recorded")
        mended.append(await desk.give(venue, desk.order(remedy.order_id)))
    return mended


def _record_remedy(desk: OrderDesk, account_id: UUID, venue: ChainVenue, remedy: Remedy) -> bool:
    account = desk.account(account_id)

    def work(session: Session, page: Page) -> bool:
        order = page.book.find_order(remedy.order_id.hex)
        before = order.venue_reference
        if not venue.record_remedy(session, account, order, remedy):
            return False
        _signed(page, order, before)
        return True

    return desk.books.turn_with_session(account_id, work)


def _signed(page: Page, order: BookedOrder, before: str | None) -> None:
    """A venue signed something more for an order: the record says so, and what was asked before is old news."""
    reference, order.venue_reference = order.venue_reference, before
    recording.move(page, order, order.state, venue_reference=reference)


async def prepare_exits(
    desk: OrderDesk, account_id: UUID, venue: ChainVenue, changed: Sequence[BookedOrder]
) -> None:
    """Approvals right after a purchase, so that a sale needs one transaction and can be quick."""
    account = desk.account(account_id)
    bought = [
        o for o in changed if desk.prepare_exits and o.side is Side.BUY and o.state is OrderState.FILLED
    ]
    for order in bought:
        try:
            plan = await venue.plan_exit(order)
        except (NetworkError, OrderRefused) as error:
            # No harm: a sale that finds no approval sends one with itdesk.
            logger.warning("the sale of order %s is not prepared: %s", order.id, error.message)
            continue
        if plan is not None and sign_more(desk, account, order, plan, venue.record_exit):
            desk.checkpoint("exit_recorded")
            await desk.give(venue, desk.order(order.id))


async def take_back(desk: OrderDesk, account_id: UUID, venue: ChainVenue) -> None:
    """Take back what stays granted of positions that are closed. By the record: a restart goes on where it ended."""
    account = desk.account(account_id)
    try:
        loose = await venue.loose(account)
    except NetworkError as error:  # they stay loose: looked for again at the next round
        logger.warning("what stays approved could not be read: %s", error.message)
        return
    for granted in loose:
        order = granted.order
        try:
            plan = await venue.plan_revocation(granted)
        except (NetworkError, OrderRefused) as error:
            logger.warning("order %s leaves an approval: %s", order.id, error.message)
            continue
        if plan is None:
            continue

        def record(
            session: Session, owner: Account, order: AnyOrder, plan: Any, granted: Granted = granted
        ) -> bool:
            return venue.record_revocation(session, owner, order, granted, plan)

        if sign_more(desk, account, order, plan, record):
            desk.checkpoint("revocation_recorded")
            await desk.give(venue, desk.order(order.id))


def sign_more(
    desk: OrderDesk,
    account: Account,
    order: AnyOrder,
    plan: object,
    record: Callable[[Session, Account, AnyOrder, Any], bool],
) -> bool:
    """Let the venue sign something more for an order that is over; False where its `record` says no."""

    def work(session: Session, page: Page) -> bool:
        current = page.book.find_order(order.id.hex)
        before = current.venue_reference
        if not record(session, account, current, plan):
            return False
        _signed(page, current, before)
        return True

    return desk.books.turn_with_session(account.id, work)
