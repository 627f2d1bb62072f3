"""Orders that a venue does not know: the desk keeps them, watches the venue's price, and sends a plain order in time.

A pool has no resting orders and no triggers. What a person asks for all the same is HELD here, says so (`emulated`),
and is looked at whenever the account is (`OrderDesk.refresh`): by a runner, the dashboard, `sniper order watch`. Nobody
looking, nothing happens; so a stop kept here is as good as the watch that is kept over it.

Everything that counts stands in the order: the best price that a trailing stop has seen, that a trigger went off, that
what it waited for has come. So any process goes on where another one stopped; and an order is sent by the same walk as
any other, recorded and signed before the venue hears of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

import msgspec
from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.trading import recording
from sniper_cli.trading.contingencies import follow
from sniper_cli.trading.distant import DistantWalk, Watched
from sniper_cli.trading.elsewhere import Rehearsed, examine_there, prepare, write_down
from sniper_cli.trading.families import Family, bind, holds
from sniper_cli.trading.intents import NO_TERMS, OrderIntent, OrderOutcome, intent_of, remember, terms_of
from sniper_cli.trading.recording import seen
from sniper_cli.trading.settling import TIME_IS_UP
from sniper_cli.venues.venue import Asked, Plan, QuotingVenue, Venue
from state.accounts import Account
from state.columns import utc_now
from state.identifiers import new_key
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.trading.amending import Amended, Amendment
    from sniper_cli.trading.desk import OrderDesk

logger = logging.getLogger(__name__)


async def place_there(
    desk: OrderDesk, account: Account, venue: Venue, families: Sequence[Family], *, dry_run: bool = False
) -> list[list[OrderOutcome]]:
    """Families at a venue that is elsewhere: heads that trade now are sent, everything else is held here."""
    plain = [family.head for family in families if not holds(family.head)]
    drafts = {id(draft.intent): draft for draft in await prepare(desk, account, venue, plain)}
    found: list[list[list[OrderOutcome]]] = []

    def work(session: Session, page: Page) -> list[list[OrderOutcome]]:
        page.fence = desk.fence
        names = [intent.instrument_id for family in families for intent in (family.head, *family.legs)]
        desk.listings.require(page.writer, names)
        walk = DistantWalk(desk, page, account)
        outcomes = []
        for family in families:
            draft, group = drafts.get(id(family.head)), new_key()
            if draft is not None:
                head = write_down(desk, session, page, account, venue, [draft])[0]
            else:
                known = seen(page, family.head)
                head = (
                    OrderOutcome(walk.record(bind(family.head, None, group)))
                    if known is None
                    else OrderOutcome(known, True)
                )
            outcomes.append([head, *_legs(walk, page, family, head, group)])
        if dry_run:
            for outcome in (one for members in outcomes for one in members):
                outcome.dry_run = True
            found.append(outcomes)
            raise Rehearsed
        return outcomes

    if dry_run:
        with suppress(Rehearsed):
            desk.books.turn_with_session(account.id, work)
        return found[-1]
    outcomes = desk.books.turn_with_session(account.id, work)
    for members in outcomes:
        head = members[0]
        if head.order.state is OrderState.RECORDED and not head.replayed:
            head.order = await desk.give(venue, head.order)
    return outcomes


def _legs(
    walk: DistantWalk, page: Page, family: Family, head: OrderOutcome, group: str
) -> list[OrderOutcome]:
    if head.refused:
        return []
    if head.replayed:
        known = (seen(page, leg) for leg in family.legs)
        return [OrderOutcome(order, True) for order in known if order is not None]
    return [OrderOutcome(walk.record(bind(leg, head.order, group))) for leg in family.legs]


# -- watching -----------------------------------------------------------------------------------------------------


async def watch(desk: OrderDesk, account: Account, venue: Venue) -> list[BookedOrder]:
    """Look at every order that is held here; those whose moment has come are sent. Raises NetworkError."""
    held = desk.look(
        account.id, lambda book: [copy(order) for order in book.orders.values() if order.terms_json]
    )
    waiting = [order for order in held if order.state is OrderState.HELD]
    changed: list[BookedOrder] = []
    if waiting and isinstance(venue, QuotingVenue):
        watched = await _ask(desk, account, venue, waiting)

        def work(page: Page) -> tuple[list[str], list[BookedOrder]]:
            walk = DistantWalk(desk, page, account)
            due = [
                order.key
                for key in [one.key for one in waiting]
                if (order := page.book.orders.get(key)) is not None
                and order.state is OrderState.HELD
                and walk.look_at(order, watched)
            ]
            return due, list(page.book.changes.moved.values())

        due, changed = desk.books.turn(account.id, work)
        for key in due:
            sent = await _send(desk, account, venue, key)
            if sent is not None:
                changed.append(sent)
    for order in held:
        await _end_if_over(desk, order)
    return changed


async def _ask(
    desk: OrderDesk, account: Account, venue: QuotingVenue, orders: Sequence[BookedOrder]
) -> Watched:
    """One batch of questions for all of them, and for what their conditions watch."""
    conditions = {c.instrument for o in orders if (c := terms_of(o).condition) is not None and c.instrument}
    names = [*(order.instrument_id for order in orders), *conditions]
    desk.books.turn(account.id, lambda page: desk.listings.require(page.writer, names))
    listings = {name: listing for name in names if (listing := desk.listings.get(name)) is not None}
    mine = [order for order in orders if order.instrument_id in listings]
    asked = [Asked(listings[order.instrument_id], order.side, order.left, order.budget) for order in mine] + [
        Asked(listings[name], Side.BUY) for name in sorted(conditions) if name in listings
    ]
    answers = await venue.quotes(asked)
    watched = Watched()
    for one, answer in zip(asked, answers, strict=True):
        if answer is not None:
            watched.middles[one.listing.id] = answer.middle
    for order, answer in zip(mine, answers, strict=False):
        if answer is not None:
            watched.quotes[order.key] = answer
    return watched


async def _send(desk: OrderDesk, account: Account, venue: Venue, key: str) -> BookedOrder | None:
    """Plan, record and send the plain order of one whose moment has come; what stands against it is noted with it."""
    order = desk.look(account.id, lambda book: copy(book.find_order(key)))
    intent = _plain(order)
    listing = desk.listings.get(order.instrument_id)
    assert listing is not None
    try:
        plan = await venue.plan(account, listing.instrument, intent)
    except OrderRefused as refused:
        why = refused.message
        return desk.books.turn(account.id, lambda page: _note(page, key, why))

    def work(session: Session, page: Page) -> BookedOrder | None:
        page.fence = desk.fence
        current = page.book.find_order(key)
        if current.state is not OrderState.HELD:
            return None
        found = examine_there(desk, page, account, intent, listing, plan)
        if found.failed:
            return _note(page, key, found.explanation or "refused")
        _record(desk, session, page, account, venue, current, plan)
        return current

    recorded = desk.books.turn_with_session(account.id, work)
    if recorded is None or recorded.state is not OrderState.RECORDED:
        return recorded
    desk.checkpoint("recorded")
    return await desk.give(venue, recorded)


def _record(
    desk: OrderDesk,
    session: Session,
    page: Page,
    account: Account,
    venue: Venue,
    order: BookedOrder,
    plan: Plan,
) -> None:
    walk = DistantWalk(desk, page, account)
    ready = copy(order)
    ready.reserved = plan.quote_needed
    walk.amended(ready, terms_of(order), page.now)
    before = order.venue_reference
    venue.record(session, account, order, plan)
    reference, order.venue_reference = order.venue_reference, before
    recording.move(page, order, OrderState.RECORDED, "", venue_reference=reference)


def _plain(order: BookedOrder) -> OrderIntent:
    """The order that the venue gets: at the market, or bounded by its limit."""
    terms = terms_of(order)
    intent = intent_of(order, NO_TERMS)
    limited = order.limit_price is not None
    return msgspec.structs.replace(
        intent,
        type=OrderType.LIMIT if limited else OrderType.MARKET,
        time_in_force=TimeInForce.IOC if limited else TimeInForce.GTC,
        quantity=order.left,
        max_slippage_bps=terms.slippage_bps,
        terms=None,
    )


def _note(page: Page, key: str, why: str) -> BookedOrder:
    """Its moment has come and something stands against it: it stays, and is tried again at every look."""
    order = page.book.find_order(key)
    words = f"its moment has come, but: {why}"
    if order.state is OrderState.HELD and order.explanation != words:
        recording.note(page, order, words)
    return order


async def _end_if_over(desk: OrderDesk, order: BookedOrder) -> None:
    """Ask an order back whose end has come while the venue had it."""
    expiry = terms_of(order).expires_at
    if order.state is OrderState.HELD or expiry is None or expiry > micros(utc_now()):
        return
    try:
        await desk.cancel(order.id, TIME_IS_UP)
    except (OrderRefused, NetworkError) as error:
        logger.info("order %s is past its end and still at the venue: %s", order.id, error.message)


def tell(
    desk: OrderDesk, page: Page, account: Account, before: dict[str, int], orders: Sequence[BookedOrder]
) -> None:
    """Let follow what hangs on orders that a venue has just reported about; `before`: what they had filled."""
    walk = DistantWalk(desk, page, account)
    if not walk.ties.busy:
        return
    for order in orders:
        filled = order.filled_quantity - before[order.key]
        if filled > 0 or not order.is_working:
            follow(walk, order, page.now, max(0, filled))


# -- changing -----------------------------------------------------------------------------------------------------


def end_held(desk: OrderDesk, account: Account, order: AnyOrder, explanation: str) -> AnyOrder:
    """Cancel an order that no venue knows of."""

    def work(page: Page) -> BookedOrder:
        found = page.book.find_order(order.id.hex)
        DistantWalk(desk, page, account).cancel(found, explanation)
        return found

    return desk.books.turn(account.id, work)


def amend_there(
    desk: OrderDesk, account: Account, order: AnyOrder, wanted: Amendment, *, dry_run: bool
) -> Amended:
    """Change an order that is held here. What a chain has been sent cannot be changed. Raises OrderRefused."""
    from sniper_cli.trading.amending import (
        Amended,
        amended_order,
        amended_terms,
        differences,
        refuse_if,
        rest_of,
    )

    if order.is_at_venue:
        raise OrderRefused(
            "a transaction that has been sent cannot be changed; it can be cancelled, and another order placed",
            hint=f"sniper order cancel {order.id}",
        )
    found: list[Amended] = []

    def work(page: Page) -> Amended:
        current = page.book.find_order(order.id.hex)
        desk.listings.require(page.writer, [current.instrument_id])
        terms = amended_terms(current, wanted)
        changed = amended_order(current, wanted, terms)
        walk = DistantWalk(desk, page, account)
        intent = intent_of(rest_of(changed, current), terms)
        refuse_if(current, walk.object_to(intent))
        before = differences(current, changed)
        walk.rewrite(current, changed, remember(current, terms), {"before": before})
        done = Amended(current, before, False)
        if dry_run:
            found.append(done)
            raise Rehearsed
        return done

    if not dry_run:
        return desk.books.turn(account.id, work)
    with suppress(Rehearsed):
        desk.books.turn(account.id, work)
    return found[-1]
