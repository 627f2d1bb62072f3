"""What becomes of orders once they are recorded: asked for, applied, ended, hastened. `OrderDesk` is the way in.

At the paper market it is the replay of its path. Elsewhere the venue is asked, what it reports is applied in one
transaction, and what is stuck is mended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import OrderRefused
from sniper_cli.trading import applying
from sniper_cli.trading.halting import keep_in_check
from sniper_cli.trading.local import LocalWalk
from sniper_cli.trading.mending import apply_remedies, mend, prepare_exits, take_back
from sniper_cli.venues.paper.venue import PaperVenue
from sniper_cli.venues.venue import ChainVenue, Report, Venue
from state.accounts import Account
from state.orders import Order, OrderState

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk


async def refresh(desk: OrderDesk, account_id: UUID, *, recovering: bool = False) -> list[BookedOrder]:
    """Find out what became of an account's orders and apply it; the orders that changed.

    At the paper market that is the replay of its path. Elsewhere the venue is asked, and what is stuck is mended:
    sent again where the node has lost it, its bid raised, ended where it is stale.
    """
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    if isinstance(venue, PaperVenue):
        return desk.walk_here(account, venue, _changed)
    orders = desk.open_orders(account, venue)
    reports = await venue.report(orders) if orders else []
    desk.checkpoint("reported")
    changed = apply(desk, account_id, reports, {order.id: order.version for order in orders})
    desk.checkpoint("applied")
    if isinstance(venue, ChainVenue):
        await prepare_exits(desk, account_id, venue, changed)
        mended = await mend(desk, account, venue, recovering=recovering)
        await take_back(desk, account_id, venue)
        changed = list({order.id: order for order in (*changed, *mended)}.values())
    changed += await _watch(desk, account, venue)
    await keep_in_check(desk, account_id)
    return changed


async def _watch(desk: OrderDesk, account: Account, venue: Venue) -> list[BookedOrder]:
    """Orders that are held here for a venue that does not know such ones."""
    if not desk.look(account.id, lambda book: any(order.terms_json for order in book.orders.values())):
        return []
    from sniper_cli.trading.emulation import watch

    return await watch(desk, account, venue)


def apply(
    desk: OrderDesk, account_id: UUID, reports: Sequence[Report], versions: Mapping[UUID, int]
) -> list[BookedOrder]:
    """Apply reports in one transaction; those about an order that has changed since (`versions`) are left out."""
    news = [report for report in reports if report.order_id in versions]
    if not news:
        return []
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    assert not isinstance(venue, PaperVenue)

    def work(session: Session, page: Page) -> list[BookedOrder]:
        filled = {
            order.key: order.filled_quantity
            for order in (page.book.find_order(report.order_id.hex) for report in news)
        }
        changed = applying.apply_reports(session, page, account, venue, news, versions)
        _tell(desk, page, account, filled, changed)
        desk.checkpoint("before_apply_commit")
        return changed

    return desk.books.turn_with_session(account_id, work)


def _tell(
    desk: OrderDesk, page: Page, account: Account, filled: dict[str, int], orders: Sequence[BookedOrder]
) -> None:
    """What hangs on orders that a venue has reported about; nothing does where no order has terms."""
    if any(order.terms_json for order in page.book.orders.values()):
        from sniper_cli.trading.emulation import tell

        tell(desk, page, account, filled, orders)


async def cancel(desk: OrderDesk, order_id: UUID, explanation: str = "cancelled by request") -> AnyOrder:
    """Ask the venue to end an order. What the venue then reports counts: a fill may have been faster.

    Raises RowNotFound, OrderRefused, NetworkError.
    """
    order = desk.order(order_id)
    account = desk.account(order.account_id)
    venue = desk.venue_of(account)
    if isinstance(venue, PaperVenue):
        return desk.walk_here(account, venue, lambda walk: _cancel(walk, order_id, explanation))
    if not order.is_working:
        raise OrderRefused(f"the order is {order.state.value} already", hint=f"sniper order show {order.id}")
    if order.state is OrderState.HELD:
        from sniper_cli.trading.emulation import end_held

        return end_held(desk, account, order, explanation)
    if isinstance(venue, ChainVenue):
        await apply_remedies(desk, order.account_id, venue, [await venue.kill(order)])
    else:
        apply(desk, order.account_id, [await venue.cancel(order)], {order.id: order.version})
    return desk.order(order_id)


async def hasten(
    desk: OrderDesk, order_id: UUID, *, urgency: int = 1, outbid_fee: int | None = None
) -> Order:
    """Raise the bid of an order that has been sent: the same call under the same nonce, so it happens once."""
    order = desk.order(order_id)
    venue = desk.venue_by_order(order)
    if not isinstance(venue, ChainVenue) or not order.is_working:
        raise OrderRefused(f"order {order.id} cannot be hastened", hint=f"sniper order show {order.id}")
    remedy = await venue.hasten(order, urgency=urgency, outbid_fee=outbid_fee)
    await apply_remedies(desk, order.account_id, venue, [remedy])
    return desk.order(order_id)


def _changed(walk: LocalWalk) -> list[BookedOrder]:
    """The orders that the replay has changed."""
    return list(walk.book.changes.moved.values())


def _cancel(walk: LocalWalk, order_id: UUID, explanation: str) -> BookedOrder:
    """End an order, unless the replay up to now has just filled or ended it: then that is what became of it."""
    order = walk.book.find_order(order_id.hex)
    if order.is_working or order.key not in walk.book.changes.moved:
        walk.cancel(order, explanation)
    return order
