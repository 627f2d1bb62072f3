"""An order's way to a venue that is elsewhere: checked, planned by the venue, written down and signed, not yet sent.

No transaction spans a network call: the venue plans first, then one page looks again, writes the orders down and lets
the venue sign; whatever is sent stands committed before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlmodel import Session

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import OrderRefused
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination, Proposal, examine, malformed
from sniper_cli.trading.families import Family, holds
from sniper_cli.trading.intents import CheckResult, OrderIntent, OrderOutcome
from sniper_cli.trading.listings import Listing
from sniper_cli.trading.recording import seen
from sniper_cli.venues.paper.venue import PaperVenue
from sniper_cli.venues.venue import ChainVenue, Plan, Venue
from state.accounts import Account
from state.orders import OrderState, Side

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk

NO_PLANS: Mapping[str, Plan] = {}

STEP = Decimal("1e-18")
"""The step in which prices are counted where a venue has none."""


class Rehearsed(Exception):
    """Ends a rehearsal's transaction, so that nothing of it stays."""


@dataclass(slots=True)
class Draft:
    """An intent on its way to a venue that is elsewhere."""

    intent: OrderIntent
    account: Account
    known: BookedOrder | None = None
    listing: Listing | None = None
    found: Examination = field(default_factory=Examination)
    plan: Plan | None = None


async def submit_there(
    desk: OrderDesk,
    account: Account,
    venue: Venue,
    intents: Sequence[OrderIntent],
    *,
    dry_run: bool,
    plans: Mapping[str, Plan],
) -> list[OrderOutcome]:
    """The walk of a batch: planned by the venue, recorded on one page, then sent one by one."""
    if any(holds(intent) for intent in intents):
        families = await desk.place_there(account, venue, [Family(one) for one in intents], dry_run=dry_run)
        return [members[0] for members in families]
    drafts = await prepare(desk, account, venue, intents, plans)
    outcomes = record(desk, account, venue, drafts, dry_run=dry_run)
    if dry_run:
        return outcomes
    desk.checkpoint("recorded")
    for outcome in outcomes:
        if outcome.order.state is OrderState.RECORDED and not outcome.replayed:
            outcome.order = await desk.give(venue, outcome.order)
    return outcomes


async def prepare(
    desk: OrderDesk,
    account: Account,
    venue: Venue,
    intents: Sequence[OrderIntent],
    plans: Mapping[str, Plan] = NO_PLANS,
) -> list[Draft]:
    """Check intents and let the venue plan them; nothing is written."""
    drafts = look(desk, account, intents)
    if any(draft.known is None and draft.listing is None for draft in drafts):
        introduce(desk, account, venue, intents)
        drafts = look(desk, account, intents)
    for draft in drafts:
        draft.plan = plans.get(draft.intent.client_order_id)
    await asyncio.gather(*(plan(venue, draft) for draft in drafts if draft.plan is None))
    desk.checkpoint("planned")
    return drafts


def look(desk: OrderDesk, account: Account, intents: Sequence[OrderIntent]) -> list[Draft]:
    """Check every intent against the book as it stands, before the venue is asked anything."""

    def work(page: Page) -> list[Draft]:
        desk.listings.require(page.writer, [intent.instrument_id for intent in intents])
        return [drafted(desk, page, account, intent) for intent in intents]

    return desk.books.turn(account.id, work)


def drafted(desk: OrderDesk, page: Page, account: Account, intent: OrderIntent) -> Draft:
    known = seen(page, intent)
    if known is not None:
        return Draft(intent, account, known)
    listing = desk.listings.get(intent.instrument_id)
    return Draft(intent, account, None, listing, examine_there(desk, page, account, intent, listing, None))


def examine_there(
    desk: OrderDesk,
    page: Page,
    account: Account,
    intent: OrderIntent,
    listing: Listing | None,
    plan: Plan | None,
) -> Examination:
    proposal = None
    held = desk.controls_on(page)
    problem = None if listing is None else malformed(intent, listing)
    if listing is not None and problem is None:
        proposal = proposal_of(page, intent, listing, plan)
    return examine(
        intent,
        listing,
        account.venue,
        page.book,
        switch=held.switches.of(intent.strategy),
        limiter=held.gate,
        problem=problem,
        proposal=proposal,
        needed=None if plan is None or intent.side is Side.SELL else plan.quote_needed,
    )


def introduce(desk: OrderDesk, account: Account, venue: Venue, intents: Sequence[OrderIntent]) -> None:
    """Let the venue make unknown instruments from the launches it saw."""
    if not isinstance(venue, ChainVenue):
        return

    def work(session: Session) -> None:
        for intent in intents:
            if desk.listings.get(intent.instrument_id) is None:
                venue.introduce(session, account, intent.instrument_id)

    desk.database.transact(work)


async def plan(venue: Venue, draft: Draft) -> None:
    if draft.known is not None or draft.found.failed or draft.listing is None:
        return
    try:
        draft.plan = await venue.plan(draft.account, draft.listing.instrument, draft.intent)
    except OrderRefused as refused:
        figures = {name: str(value) for name, value in refused.details.items()}
        draft.found.failed.append(CheckResult("venue", False, refused.message, figures))


def record(
    desk: OrderDesk, account: Account, venue: Venue, drafts: Sequence[Draft], *, dry_run: bool
) -> list[OrderOutcome]:
    """One page: look again, write down, let the venue sign."""
    found: list[list[OrderOutcome]] = []

    def work(session: Session, page: Page) -> list[OrderOutcome]:
        outcomes = write_down(desk, session, page, account, venue, drafts)
        if dry_run:
            for outcome in outcomes:
                outcome.dry_run = True
            found.append(outcomes)
            raise Rehearsed
        desk.checkpoint("before_record_commit")
        return outcomes

    if not dry_run:
        return desk.books.turn_with_session(account.id, work)
    with suppress(Rehearsed):
        desk.books.turn_with_session(account.id, work)
    return found[-1]


def write_down(
    desk: OrderDesk, session: Session, page: Page, account: Account, venue: Venue, drafts: Sequence[Draft]
) -> list[OrderOutcome]:
    page.fence = desk.fence
    outcomes = []
    for draft in drafts:
        known = seen(page, draft.intent)
        if known is not None:
            outcomes.append(OrderOutcome(known, replayed=True))
            continue
        refusals = [result for result in draft.found.failed if result.name == "venue"]
        found = examine_there(desk, page, account, draft.intent, draft.listing, draft.plan)
        found.failed += refusals
        if draft.plan is not None and isinstance(venue, ChainVenue):
            costly = venue.check_costs(session, account, draft.plan)
            found.failed += [] if costly is None else [costly]
        order = recording.draft(page, draft.intent, OrderState.RECORDED)
        if order.side is Side.SELL and order.position_key is None:
            position = page.book.positions.get(order.instrument_id)
            order.position_key = position.key if position is not None else None
        if draft.plan is not None and not found.failed:
            order.reserved = draft.plan.quote_needed
            venue.record(session, account, order, draft.plan)
        recording.write(page, order, found)
        outcomes.append(OrderOutcome(order, summary=draft.plan.summary if draft.plan else {}))
    return outcomes


def proposal_of(page: Page, intent: OrderIntent, listing: Listing, plan: Plan | None) -> Proposal:
    """An intent at a venue that is elsewhere, in figures; its market's price nobody knows here."""
    price = intent.limit_price
    if intent.budget is not None:
        notional = intent.budget
    elif price is not None and intent.quantity is not None:
        notional = listing.notional(intent.quantity, price)
    else:
        notional = plan.quote_needed if plan is not None and intent.side is Side.BUY else 0
    needed = notional if plan is None or intent.side is Side.SELL else plan.quote_needed
    worst = 0 if price is None else int(price / STEP)
    return Proposal(intent, listing, intent.quantity or 0, notional, worst, 0, STEP, page.now, needed)


def rehearse(desk: OrderDesk, intent: OrderIntent, plan: Plan, prepare: Callable[[Session], object]) -> None:
    """Write an order down as `submit` would, and take all of it back: nothing stays, nothing is sent.

    The first order of a process pays for what only the first one pays for (compiled statements, modules); a
    runner has that paid before it counts. `prepare` writes what the intent stands on, to be taken back too.
    """
    account = desk.account(intent.account_id)
    venue = desk.venue_of(account)
    assert not isinstance(venue, PaperVenue)

    def work(session: Session, page: Page) -> None:
        prepare(session)
        session.flush()
        desk.listings.require(page.writer, [intent.instrument_id])
        draft = drafted(desk, page, account, intent)
        draft.plan = plan
        write_down(desk, session, page, account, venue, [draft])
        session.flush()
        raise Rehearsed

    with suppress(Rehearsed):
        desk.books.turn_with_session(account.id, work)
    desk.listings.forget(intent.instrument_id)
