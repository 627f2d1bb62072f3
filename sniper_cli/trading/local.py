"""The walk of an order at a venue that is here: checked, recorded, matched and booked on one page.

What the price has done to the account's orders since it was last looked at comes first; so an order meets the account
as it really stands. A batch is one walk: a thousand intents are one record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sniper_cli.books.events import Amended, Settled, price_text, wide, wide_or_none
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.errors import OrderRefused
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Limiter, Proposal, examine, malformed, reduces
from sniper_cli.trading.intents import (
    NO_TERMS,
    CheckResult,
    OrderIntent,
    OrderOutcome,
    Terms,
    terms_json,
    terms_of,
)
from sniper_cli.trading.listings import Listing, Listings
from sniper_cli.trading.plain import walk_plain
from state.controls import KillSwitch
from state.orders import RESTING, OrderState, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.venues.paper.floor import Estimate, Floor, Happening
    from sniper_cli.venues.paper.venue import PaperVenue

SECOND = 1_000_000
DAY = 86_400 * SECOND
HOUR = 3_600
"""Seconds after which even a stretch in which nothing happened is written down, so as not to be replayed again."""

React = Callable[["LocalWalk", BookedOrder, int], None]
"""Called after an order has been filled or has ended: what hangs on it."""


class LocalWalk:
    """One page of one account at the paper market."""

    def __init__(
        self,
        page: Page,
        venue: PaperVenue,
        listings: Listings,
        *,
        switch: KillSwitch | None,
        limiter: Limiter | None,
        react: React | None = None,
    ) -> None:
        self.page = page
        self.book = page.book
        self.floor: Floor = venue.floor(page.book)
        self.listings = listings
        self.switch = switch
        self.limiter = limiter
        self.react = react
        self.step = page.now // SECOND
        self.kind = venue.kind

    # -- placing ------------------------------------------------------------------------------------------------

    def place(self, intents: Sequence[OrderIntent]) -> list[OrderOutcome]:
        """Every intent in its turn; an outcome each."""
        self.listings.require(self.page.writer, [intent.instrument_id for intent in intents])
        return [self._place(intent) for intent in intents]

    def _place(self, intent: OrderIntent) -> OrderOutcome:
        order = walk_plain(self, intent)
        if order is not None:
            return OrderOutcome(order)
        known = seen(self.page, intent)
        if known is not None:
            return OrderOutcome(known, True)
        return OrderOutcome(self.walk(intent))

    def walk(self, intent: OrderIntent, *, at: int | None = None) -> BookedOrder:
        """One new intent: its checks, its record, and what the market gives at once."""
        page, book = self.page, self.book
        moment = page.now if at is None else at
        terms = self._dated(intent, moment)
        order = recording.draft(page, intent, OrderState.OPEN, terms)
        order.at = moment
        listing = self.listings.get(intent.instrument_id)
        problem, proposal, needed = None, None, None
        if listing is not None and listing.venue is self.kind:
            problem = malformed(intent, listing)
            if problem is None:
                estimate = self.floor.estimate(order, terms, moment // SECOND)
                needed = order.reserved = estimate.needed
                proposal = self._proposal(intent, listing, estimate, moment)
        found = examine(
            intent,
            listing,
            self.kind,
            book,
            switch=self.switch,
            limiter=self.limiter,
            problem=problem,
            proposal=proposal,
            needed=needed if intent.side is Side.BUY else None,
        )
        if terms.post_only and intent.time_in_force not in RESTING:
            found.failed.append(CheckResult("post_only", False, "what may only rest cannot end at once"))
        waits = _waits(terms, moment)
        if waits:
            order.state = OrderState.HELD
        recording.write(page, order, found)
        if not found.failed and not waits:
            self.apply(self.floor.place(order, terms, moment // SECOND), moment)
        return order

    def _dated(self, intent: OrderIntent, moment: int) -> Terms:
        """The terms, with the end of the day where that is the time in force."""
        terms = intent.terms or NO_TERMS
        if intent.time_in_force is TimeInForce.DAY and terms.expires_at is None:
            return msgspec.structs.replace(terms, expires_at=(moment // DAY + 1) * DAY)
        return terms

    def _proposal(self, intent: OrderIntent, listing: Listing, estimate: Estimate, moment: int) -> Proposal:
        return Proposal(
            intent,
            listing,
            estimate.quantity,
            estimate.notional,
            estimate.worst_price,
            estimate.middle_price,
            reduces(intent, self.book),
            moment,
        )

    # -- what the market says -----------------------------------------------------------------------------------

    def apply(self, happening: Happening, at: int) -> None:
        """Write down what became of an order, and let follow what hangs on it."""
        order = self.book.find_order(happening.order)
        if happening.terms is not None:
            self._amended(order, happening.terms, at)
        named = terms_of(order).lots if order.terms_json is not None else ()
        listing = self.listings.get(order.instrument_id)
        if listing is None:
            self.listings.require(self.page.writer, [order.instrument_id])
            listing = self.listings.get(order.instrument_id)
        assert listing is not None
        for one in happening.executions:
            event = tell_fill(
                self.book,
                order,
                trade=f"{one.step}:{one.index}",
                quantity=one.lots * (listing.lot or 1),
                notional=one.notional,
                fee_asset=listing.quote_id,
                fee=one.fee,
                at=max(order.at, one.step * SECOND),
                lots=named,
            )
            self.page.add(event)
        if happening.state is not None and happening.state is not order.state:
            recording.move(self.page, order, happening.state, happening.explanation, at=at)
        if self.react is not None and (happening.executions or happening.state is not None):
            self.react(self, order, at)

    def _amended(self, order: BookedOrder, terms: Terms, at: int) -> None:
        text = terms_json(terms)
        self.page.add(
            Amended(
                order.key,
                wide_or_none(order.quantity),
                price_text(order.limit_price),
                wide(order.reserved),
                None if text is None else msgspec.Raw(text.encode()),
                at,
            )
        )

    def cancel(
        self,
        order: BookedOrder,
        explanation: str,
        *,
        state: OrderState = OrderState.CANCELLED,
        at: int | None = None,
    ) -> None:
        """End an order; what it has got until now counts. Raises OrderRefused when there is nothing left to end."""
        if not order.is_working:
            raise OrderRefused(
                f"the order is {order.state.value.replace('_', ' ')} already",
                hint=f"sniper order show {order.id}",
            )
        self.floor.remove(order)
        recording.move(self.page, order, state, explanation, at=at)
        if self.react is not None:
            self.react(self, order, self.page.now if at is None else at)

    # -- settling -----------------------------------------------------------------------------------------------

    def settle(self, until: int | None = None) -> int:
        """Replay the market since the account was last settled; how many seconds touched it.

        A second is settled once: what is placed in it meets its book at once.
        """
        end = self.step if until is None else until
        start = self.book.settled
        touched = 0
        while start < end and (step := self._next(start, end)) is not None:
            touched += 1
            for order in self.book.due((step + 1) * SECOND - 1):
                self._fall_due(order, step * SECOND)
            if step > start:
                for instrument in self.floor.instruments():
                    for happening in self.floor.touch(instrument, step):
                        self.apply(happening, step * SECOND)
            start = step
        if self.book.orders and end - self.book.settled > HOUR:
            self.page.add(Settled(end))
        return touched

    def finish(self) -> None:
        """What was written stands at this second: the next replay begins here."""
        if self.page.events and self.book.settled < self.step:
            self.page.add(Settled(self.step))
        self.floor.seq = self.page.seq if self.page.events else self.book.seq

    def _next(self, start: int, end: int) -> int | None:
        """The next second in which something happens: the price reaches an order, or an order's time is up."""
        step = self.floor.next_touch(start, end)
        due = self.book.next_due()
        if due is not None and due // SECOND <= (end if step is None else step):
            return max(due // SECOND, start)
        return step

    def _fall_due(self, order: BookedOrder, at: int) -> None:
        terms = terms_of(order)
        if terms.expires_at is not None and terms.expires_at <= at + SECOND - 1:
            self.cancel(order, "its time in force has ended", state=OrderState.EXPIRED, at=at)
        else:
            self.release(order, at)

    def release(self, order: BookedOrder, at: int) -> None:
        """An order that was held here goes to the market."""
        terms = msgspec.structs.replace(terms_of(order), starts_at=None, after=None, condition=None)
        self._amended(order, terms, at)
        recording.move(self.page, order, OrderState.OPEN, at=at)
        self.apply(self.floor.place(order, terms, at // SECOND), at)


def _waits(terms: Terms, moment: int) -> bool:
    """Held here until something comes true."""
    return (
        (terms.starts_at is not None and terms.starts_at > moment)
        or terms.after is not None
        or terms.condition is not None
        or terms.ladder is not None
    )


def seen(page: Page, intent: OrderIntent) -> BookedOrder | None:
    """The order recorded under an intent's client order id. Raises OrderRefused if it asked for something else."""
    key = page.book.known(intent.client_order_id)
    if key is None:
        return None
    known = page.book.find_order(key)
    if not intent.asks_as(known):
        raise OrderRefused(
            f"the client order id {intent.client_order_id!r} has been used for another order",
            hint=f"sniper order show {known.id}",
            order=str(known.id),
        )
    return known


__all__ = ["Any", "LocalWalk", "seen"]
