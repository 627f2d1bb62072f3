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
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from sqlmodel import Session

from sniper_cli.books.events import Amended as AmendedEvent
from sniper_cli.books.events import price_text, raw, wide, wide_or_none
from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.market.triggers import Trailing, stop_touched, target_touched
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination, closable, examine, malformed
from sniper_cli.trading.conditions import position_holds
from sniper_cli.trading.contingencies import NOTHING_TO_REDUCE, follow
from sniper_cli.trading.elsewhere import examine_there, write_down
from sniper_cli.trading.families import Family, bind, holds
from sniper_cli.trading.intents import (
    NO_TERMS,
    CheckResult,
    OrderIntent,
    OrderOutcome,
    Terms,
    terms_json,
    terms_of,
)
from sniper_cli.trading.local import intent_of, remember, seen
from sniper_cli.trading.settling import TIME_IS_UP
from sniper_cli.trading.ties import Ties
from sniper_cli.venues.venue import Asked, Plan, Quoted, QuotingVenue, Venue
from state.accounts import Account
from state.columns import utc_now
from state.identifiers import new_key
from state.orders import TRIGGERED, OrderState, OrderType, Side, TimeInForce
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.trading.amending import Amended, Amendment
    from sniper_cli.trading.desk import OrderDesk

logger = logging.getLogger(__name__)

DAY = 86_400_000_000


class DistantWalk:
    """One page of one account at a venue that is elsewhere, as far as orders that are held here need it."""

    def __init__(self, desk: OrderDesk, page: Page, account: Account) -> None:
        self.desk, self.page, self.account = desk, page, account
        self.book = page.book
        self.ties = Ties(page.book)

    def record(self, intent: OrderIntent, refusals: Sequence[CheckResult] = ()) -> BookedOrder:
        """Write an order down that is held here; limits, holdings and funds are asked for when it is sent."""
        terms = msgspec.structs.replace(self._dated(intent), emulated=True)
        order = recording.draft(self.page, intent, OrderState.HELD, terms)
        found = self._examine(intent)
        found.failed += [*refusals, *_unknown_here(terms)]
        recording.write(self.page, order, found)
        if not found.failed:
            self.ties.add(order, terms)
        return order

    def object_to(self, intent: OrderIntent) -> list[CheckResult]:
        """What the checks say against an order as somebody would have it."""
        return self._examine(intent).failed

    def _examine(self, intent: OrderIntent) -> Examination:
        listing = self.desk.listings.get(intent.instrument_id)
        return examine(
            intent,
            listing,
            self.account.venue,
            self.book,
            switch=self.desk.controls_on(self.page).switches.of(intent.strategy),
            limiter=None,
            problem=None if listing is None else malformed(intent, listing),
            held=True,
        )

    def _dated(self, intent: OrderIntent) -> Terms:
        terms = intent.terms or NO_TERMS
        if intent.time_in_force is TimeInForce.DAY and terms.expires_at is None:
            return msgspec.structs.replace(terms, expires_at=(self.page.now // DAY + 1) * DAY)
        return terms

    # -- what contingencies do ----------------------------------------------------------------------------------

    def walk(self, intent: OrderIntent, *, at: int | None = None) -> BookedOrder:
        """A grid's next order."""
        del at
        return self.record(intent)

    def amended(self, order: BookedOrder, terms: Terms, at: int, facts: dict[str, Any] | None = None) -> None:
        text = terms_json(terms)
        self.page.add(
            AmendedEvent(
                order.key,
                wide_or_none(order.quantity),
                price_text(order.limit_price),
                wide(order.reserved),
                None if text is None else msgspec.Raw(text.encode()),
                at,
                raw(facts) if facts else None,
            )
        )

    def rewrite(
        self, order: BookedOrder, changed: BookedOrder, terms: Terms, facts: dict[str, Any] | None = None
    ) -> None:
        """Give an order that is held here another size, price or terms."""
        new = copy(changed)
        new.reserved = order.reserved
        self.amended(new, terms, self.page.now, facts)

    def cancel(
        self,
        order: BookedOrder,
        explanation: str,
        *,
        state: OrderState = OrderState.CANCELLED,
        at: int | None = None,
    ) -> None:
        """End an order. One that the venue has is asked back at the next look: that its end has come stands in it."""
        moment = self.page.now if at is None else at
        if order.state is OrderState.HELD:
            recording.move(self.page, order, state, explanation, at=moment)
            follow(self, order, moment, 0)
            return
        self.amended(order, msgspec.structs.replace(terms_of(order), expires_at=moment), moment)

    def resize(self, order: BookedOrder, quantity: int, at: int) -> None:
        """Another size, for what is held here: what the venue has been sent cannot be cut."""
        if order.state is OrderState.HELD:
            changed = copy(order)
            changed.quantity = quantity
            self.amended(changed, remember(order, terms_of(order)), at)

    def release(self, order: BookedOrder, at: int, *, quantity: int | None = None) -> None:
        """What it waited for has come: from now on its price is watched, if it has one to watch."""
        held = terms_of(order)
        wanted = order.quantity if quantity is None else quantity
        if held.reduce_only and wanted is not None:
            wanted = min(wanted, closable(self.book, order))
            if wanted <= order.filled_quantity:
                self.cancel(order, NOTHING_TO_REDUCE, at=at)
                return
        changed = copy(order)
        changed.quantity = wanted
        terms = held if wanted == order.quantity else remember(order, held)
        self.amended(changed, msgspec.structs.replace(terms, starts_at=None, condition=None, queued=at), at)

    def reconsider(self, order: BookedOrder, at: int) -> None:
        """Positions are looked at with the prices, at the next look."""

    # -- watching -----------------------------------------------------------------------------------------------

    def look_at(self, order: BookedOrder, seen_now: Watched) -> bool:
        """Hold an order against the prices; whether it is to be sent."""
        terms, now = terms_of(order), self.page.now
        if terms.expires_at is not None and terms.expires_at <= now:
            self.cancel(order, TIME_IS_UP, state=OrderState.EXPIRED)
            return False
        if terms.ladder is not None or (terms.after is not None and terms.queued is None):
            return False
        if terms.starts_at is not None and terms.starts_at > now:
            return False
        if terms.condition is not None and not self._fulfilled(order, terms, seen_now):
            return False
        return self._reached(order, terms, seen_now.quotes.get(order.key))

    def _fulfilled(self, order: BookedOrder, terms: Terms, seen_now: Watched) -> bool:
        condition = terms.condition
        assert condition is not None
        if not position_holds(condition, order, self.book):
            return False
        middle = seen_now.middles.get(condition.instrument or order.instrument_id)
        if condition.above is None and condition.below is None:
            return True
        return (
            middle is not None
            and (condition.above is None or middle >= condition.above)
            and (condition.below is None or middle <= condition.below)
        )

    def _reached(self, order: BookedOrder, terms: Terms, quoted: Quoted | None) -> bool:
        """Whether its price has come: a trigger by the middle price, a limit by what all of it would get."""
        if quoted is None:
            return order.type is OrderType.MARKET
        if order.type in TRIGGERED and terms.triggered_at is None:
            if not self._goes_off(order, terms, quoted):
                return False
            terms = msgspec.structs.replace(terms_of(order), triggered_at=self.page.now)
            self.amended(order, terms, self.page.now)
        if order.limit_price is None:
            return True
        return quoted.price is not None and target_touched(order.side, order.limit_price, quoted.price)

    def _goes_off(self, order: BookedOrder, terms: Terms, quoted: Quoted) -> bool:
        middle = quoted.middle
        if order.type is OrderType.TRAILING_STOP:
            trailing: Trailing[Decimal] = Trailing(
                order.side,
                terms.trail_amount,
                None if terms.trail_bps is None else Decimal(terms.trail_bps) / 100,
                terms.activation_price,
                terms.best_price,
                terms.trigger_price if terms.best_price is not None else None,
            )
            off = trailing.update(middle)
            if not off and trailing.best != terms.best_price:
                changed = msgspec.structs.replace(
                    terms, best_price=trailing.best, trigger_price=trailing.stop
                )
                self.amended(order, changed, self.page.now)
            return off
        assert terms.trigger_price is not None
        touched = target_touched if order.type is OrderType.TAKE_PROFIT else stop_touched
        return touched(order.side, terms.trigger_price, middle)


def _unknown_here(terms: Terms) -> list[CheckResult]:
    """What cannot be emulated: a place in a queue that is not there."""
    if terms.post_only:
        return [CheckResult("venue", False, "a pool keeps no orders: nothing can be post-only there")]
    if terms.display is not None:
        return [CheckResult("venue", False, "a pool keeps no orders: there is nothing an iceberg could hide")]
    return []


@dataclass(slots=True)
class Watched:
    """What the venue said at one look."""

    quotes: dict[str, Quoted] = field(default_factory=dict)
    """By order."""
    middles: dict[str, Any] = field(default_factory=dict)
    """By instrument."""


# -- placing ------------------------------------------------------------------------------------------------------


async def place_there(
    desk: OrderDesk, account: Account, venue: Venue, families: Sequence[Family], *, dry_run: bool = False
) -> list[list[OrderOutcome]]:
    """Families at a venue that is elsewhere: heads that trade now are sent, everything else is held here."""
    plain = [family.head for family in families if not holds(family.head)]
    drafts = {id(draft.intent): draft for draft in await desk.prepare(account, venue, plain)}
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
            raise _Rehearsed
        return outcomes

    if dry_run:
        with suppress(_Rehearsed):
            desk.books.turn_with_session(account.id, work)
        return found[-1]
    outcomes = desk.books.turn_with_session(account.id, work)
    for members in outcomes:
        head = members[0]
        if head.order.state is OrderState.RECORDED and not head.replayed:
            head.order = await desk.give(venue, head.order)
    return outcomes


class _Rehearsed(Exception):
    """Takes everything back."""


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
            raise _Rehearsed
        return done

    if not dry_run:
        return desk.books.turn(account.id, work)
    with suppress(_Rehearsed):
        desk.books.turn(account.id, work)
    return found[-1]
