"""What the checks say of an order at the paper market, at a moment: now, or in the second that is being replayed.

The checks themselves are `checks`; here stands what they need to know of this market: what the order comes to in
figures, whether it waits for something first, which switch counts, what makes no sense at this moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination, Proposal, examine, malformed, over_budget
from sniper_cli.trading.intents import NO_TERMS, CheckResult, OrderIntent, Terms, dated, intent_of
from sniper_cli.trading.listings import Listing
from sniper_cli.venues.paper.estimating import Estimate, estimate
from sniper_cli.venues.paper.wording import passed
from state.controls import KillSwitch
from state.orders import TRIGGERED, OrderState, OrderType, Side
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.trading.local import LocalWalk

SECOND = 1_000_000


def try_out(walk: LocalWalk, intent: OrderIntent) -> list[CheckResult]:
    """What the checks would say against an intent; nothing is written."""
    terms = dated(intent, walk.page.now)
    order = recording.draft(walk.page, intent, OrderState.OPEN, terms)
    held = waits(walk, order, terms, walk.page.now)
    found = examine_here(walk, order, intent, terms, walk.page.now, held=held)
    return [*found.failed, *missed(walk, order, terms, walk.page.now, found, held=held)]


def object_to(walk: LocalWalk, order: BookedOrder, terms: Terms) -> list[CheckResult]:
    """What the checks say against an order as somebody would have it, at this moment."""
    now, held = walk.page.now, order.state is OrderState.HELD
    walk.listing(order.instrument_id)
    found = examine_here(walk, order, intent_of(order, terms), terms, now, held=held)
    refusals = [*found.failed, *missed(walk, order, terms, now, found, held=held)]
    if not refusals and terms.post_only and walk.floor.would_take(order, now // SECOND):
        refusals.append(CheckResult("post_only", False, "post-only, and it would trade at once"))
    return refusals


def beyond_means(walk: LocalWalk, intents: Sequence[OrderIntent]) -> list[CheckResult]:
    """What is wrong with orders that pass one by one: together they cost more than there is."""
    at, needed, listing = walk.page.now, 0, None
    for intent in intents:
        terms = dated(intent, at)
        order = recording.draft(walk.page, intent, OrderState.OPEN, terms)
        if intent.side is Side.BUY and not waits(walk, order, terms, at):
            listing = walk.listings.get(intent.instrument_id)
            needed += estimate(walk.floor, order, terms, at // SECOND).needed
    return [] if listing is None else over_budget(needed, listing, walk.book)


def examine_here(
    walk: LocalWalk,
    order: BookedOrder,
    intent: OrderIntent,
    terms: Terms,
    moment: int,
    *,
    held: bool,
) -> Examination:
    """What the checks say. Of an order that is held here they ask again when it is sent: money then, not now."""
    listing = walk.listings.get(intent.instrument_id)
    problem, proposal, needed = None, None, None
    if listing is not None and listing.venue is walk.kind:
        problem = malformed(intent, listing) or _misplaced(walk, intent, terms, moment)
        counted = intent.quantity is not None or intent.budget is not None
        if problem is None and counted and terms.ladder is None:
            figures = estimate(walk.floor, order, terms, moment // SECOND)
            needed = order.reserved = figures.needed
            proposal = _proposal(intent, listing, figures, moment)
    return examine(
        intent,
        listing,
        walk.kind,
        walk.book,
        switch=_switch(walk, intent.strategy, moment),
        limiter=walk.limiter,
        problem=problem,
        proposal=proposal,
        needed=needed if intent.side is Side.BUY else None,
        held=held,
    )


def missed(
    walk: LocalWalk, order: BookedOrder, terms: Terms, moment: int, found: Examination, *, held: bool
) -> list[CheckResult]:
    """A trigger that the price has passed already: the side, or the kind of trigger, was another one."""
    fixed = order.type in TRIGGERED and order.type is not OrderType.TRAILING_STOP
    if held or found.failed or not fixed or terms.triggered_at is not None:
        return []
    why = passed(walk.floor, order, terms, moment // SECOND)
    return [] if why is None else [CheckResult("trigger", False, why)]


def waits(walk: LocalWalk, order: BookedOrder, terms: Terms, moment: int) -> bool:
    """Held here until something comes true."""
    if terms is NO_TERMS:
        return False
    if terms.after is not None or terms.ladder is not None:
        return True
    if terms.starts_at is not None and terms.starts_at > moment:
        return True
    condition = terms.condition
    if condition is None or walk.listing(condition.instrument or order.instrument_id) is None:
        return False
    return not walk.floor.fulfilled(order, condition, moment // SECOND)


def _switch(walk: LocalWalk, strategy: str | None, moment: int) -> KillSwitch | None:
    """The switch that stops an order: in a replay not what comes before it, now whatever its clock says."""
    switch = None if walk.switches is None else walk.switches.of(strategy)
    if switch is not None and moment < walk.page.now and micros(switch.at) > moment:
        return None
    return switch


def _misplaced(walk: LocalWalk, intent: OrderIntent, terms: Terms, moment: int) -> CheckResult | None:
    """What is wrong with the order at this moment and in this market, if anything."""
    if terms.expires_at is not None and terms.expires_at <= moment:
        return CheckResult("expiry", False, "its end is in the past")
    condition = terms.condition
    if condition is not None and walk.listing(condition.instrument or intent.instrument_id) is None:
        return CheckResult("condition", False, f"there is no instrument {condition.instrument} to watch")
    return None


def _proposal(intent: OrderIntent, listing: Listing, figures: Estimate, moment: int) -> Proposal:
    return Proposal(
        intent,
        listing,
        figures.quantity,
        figures.notional,
        figures.worst,
        figures.middle,
        figures.pit.tick,
        moment,
        figures.needed,
    )
