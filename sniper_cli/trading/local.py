"""The walk of an order at a venue that is here: checked, recorded, matched and booked on one page.

What the price has done to the account's orders since it was last looked at comes first; so an order meets the account
as it really stands. A batch is one walk: a thousand intents are one record.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from sniper_cli.books.events import Amended, price_text, raw, wide, wide_or_none
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.errors import OrderRefused
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Limiter, closable
from sniper_cli.trading.contingencies import NOTHING_TO_REDUCE, follow
from sniper_cli.trading.examining import examine_here, missed, waits
from sniper_cli.trading.intents import (
    CheckResult,
    OrderIntent,
    OrderOutcome,
    Terms,
    dated,
    intent_of,
    remember,
    terms_json,
    terms_of,
)
from sniper_cli.trading.listings import Listing, Listings
from sniper_cli.trading.plain import walk_plain
from sniper_cli.trading.settling import mark, settle
from sniper_cli.venues.paper.estimating import estimate
from state.controls import Switches
from state.orders import OrderState, Side

if TYPE_CHECKING:
    from sniper_cli.venues.paper.floor import Floor, Happening
    from sniper_cli.venues.paper.venue import PaperVenue

SECOND = 1_000_000


class LocalWalk:
    """One page of one account at the paper market."""

    def __init__(
        self,
        page: Page,
        venue: PaperVenue,
        listings: Listings,
        *,
        switches: Switches | None,
        limiter: Limiter | None,
    ) -> None:
        self.page = page
        self.book = page.book
        self.floor: Floor = venue.floor(page.book)
        self.listings = listings
        self.switches = switches or None  # a tripped one sends every order down the general walk
        self.limiter = limiter
        self.step = page.now // SECOND
        self.kind = venue.kind
        self.venue = venue
        self.ties = self.floor.ties

    # -- placing ------------------------------------------------------------------------------------------------

    def place(self, intents: Sequence[OrderIntent]) -> list[OrderOutcome]:
        """Every intent in its turn; an outcome each."""
        self.listings.require(self.page.writer, [intent.instrument_id for intent in intents])
        return [self.place_one(intent) for intent in intents]

    def place_one(self, intent: OrderIntent) -> OrderOutcome:
        """An intent whose instrument has been read."""
        order = walk_plain(self, intent)
        if order is not None:
            return OrderOutcome(order)
        known = recording.seen(self.page, intent)
        if known is not None:
            return OrderOutcome(known, True)
        return OrderOutcome(self.walk(intent))

    def walk(self, intent: OrderIntent, *, at: int | None = None) -> BookedOrder:
        """One new intent: its checks, its record, and what the market gives at once."""
        order = self.record(intent, at=at)
        self.send(order)
        return order

    def record(
        self, intent: OrderIntent, *, at: int | None = None, refusals: Sequence[CheckResult] = ()
    ) -> BookedOrder:
        """Write an intent down with what the checks say of it, and with what others say against it."""
        page = self.page
        moment = page.now if at is None else at
        terms = dated(intent, moment)
        order = recording.draft(page, intent, OrderState.OPEN, terms)
        order.at = moment
        held = waits(self, order, terms, moment)
        late = None if held else self._arrival(moment)
        if late is not None:
            terms = msgspec.structs.replace(terms, arrives_at=late)
            order.terms_json = terms_json(terms)
        found = examine_here(self, order, intent, terms, moment, held=held)
        found.failed += [*refusals, *missed(self, order, terms, moment, found, held=held)]
        if held:
            order.state, order.reserved = OrderState.HELD, 0
        recording.write(page, order, found)
        if not found.failed and (order.terms_json is not None or order.parent_key is not None):
            self.ties.add(order, terms)
        return order

    def send(self, order: BookedOrder) -> None:
        """An order that has been recorded goes to the market, or is waited for."""
        terms = terms_of(order)
        if order.state is OrderState.HELD:
            self.floor.expect(order, terms)
        elif order.state is OrderState.OPEN and terms.arrives_at is None:
            self.apply(self.floor.place(order, terms, order.at // SECOND), order.at)

    def listing(self, instrument_id: str) -> Listing | None:
        """An instrument of this venue; none where there is no such."""
        self.listings.require(self.page.writer, [instrument_id])
        listing = self.listings.get(instrument_id)
        return listing if listing is not None and listing.venue is self.kind else None

    # -- what the market says -----------------------------------------------------------------------------------

    def apply(self, happening: Happening, at: int) -> None:
        """Write down what became of an order, and let follow what hangs on it."""
        order = self.book.find_order(happening.order)
        if happening.terms is not None:
            self.amended(order, happening.terms, at)
        named = terms_of(order).lots if order.terms_json is not None else ()
        listing = self.listings.get(order.instrument_id) or self.listing(order.instrument_id)
        assert listing is not None
        before = order.filled_quantity
        for one in happening.executions:
            event = tell_fill(
                self.book,
                order,
                trade=f"{one.step}:{order.filled_quantity}",
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
        if happening.executions or happening.state is not None:
            self.tell(order, at, order.filled_quantity - before)

    def tell(self, order: BookedOrder, at: int, filled: int) -> None:
        """Let follow what hangs on an order that was filled by so much just now, or has ended."""
        if self.ties.busy:
            follow(self, order, at, filled)

    def amended(self, order: BookedOrder, terms: Terms, at: int, facts: dict[str, Any] | None = None) -> None:
        """Write an order's terms down as they now are, with its size, price and reservation."""
        text = terms_json(terms)
        self.page.add(
            Amended(
                order.key,
                wide_or_none(order.quantity),
                price_text(order.limit_price),
                wide(order.reserved),
                None if text is None else msgspec.Raw(text.encode()),
                at,
                raw(facts) if facts else None,
            )
        )

    # -- changing -----------------------------------------------------------------------------------------------

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
        self.tell(order, self.page.now if at is None else at, 0)

    def resize(self, order: BookedOrder, quantity: int, at: int) -> None:
        """Give an order another size because of what became of others. What is left of it must be above zero."""
        terms = remember(order, terms_of(order))
        self.rewrite(order, terms, at, quantity=quantity)

    def rewrite(
        self,
        order: BookedOrder,
        terms: Terms,
        at: int,
        *,
        quantity: int | None,
        limit_price: Decimal | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Write an order's new size, price and terms down, and let the market know."""
        changed = copy(order)
        changed.quantity, changed.terms_json = quantity, terms_json(terms)
        changed.limit_price = order.limit_price if limit_price is None else limit_price
        if order.state is not OrderState.HELD:
            changed.reserved = order.filled_notional + self._still_needed(changed, terms, at)
        self.amended(changed, terms, at, facts)
        if order.state is not OrderState.HELD and terms.arrives_at is None:
            self.apply(self.floor.amend(order, terms, at // SECOND), at)

    def _still_needed(self, order: BookedOrder, terms: Terms, at: int) -> int:
        """Quote units that what is left of a purchase may still cost."""
        if order.side is Side.SELL:
            return 0
        if order.quantity is None:
            return (order.budget or 0) - order.filled_notional
        rest = copy(order)
        rest.quantity, rest.filled_quantity = order.quantity - order.filled_quantity, 0
        return estimate(self.floor, rest, terms, at // SECOND).needed

    def release(self, order: BookedOrder, at: int, *, quantity: int | None = None) -> None:
        """An order that was held here goes to the market, if the checks let it: they look at this moment.

        `quantity`: its size, where that comes from another order's fill.
        """
        held = terms_of(order)
        self.floor.forget(order, held)
        terms = msgspec.structs.replace(
            held if quantity in (None, order.quantity) else remember(order, held),
            starts_at=None,
            condition=None,
            queued=self.floor.moment(at // SECOND),
            arrives_at=self._arrival(at),
        )
        ready = copy(order)
        ready.state, ready.terms_json = OrderState.OPEN, terms_json(terms)
        ready.quantity = order.quantity if quantity is None else quantity
        if terms.reduce_only and ready.quantity is not None:
            ready.quantity = min(ready.quantity, closable(self.book, order))
            if ready.quantity <= order.filled_quantity:
                self.cancel(order, NOTHING_TO_REDUCE, at=at)
                return
        intent = intent_of(ready, terms)
        self.listing(order.instrument_id)
        found = examine_here(self, ready, intent, terms, at, held=False)
        if found.failed:
            self.cancel(order, found.explanation or "refused", state=OrderState.REFUSED, at=at)
            return
        self.amended(ready, terms, at)
        recording.move(self.page, order, OrderState.OPEN, at=at)
        if terms.arrives_at is None:
            self.apply(self.floor.place(order, terms, at // SECOND), at)

    def start(self, order: BookedOrder, at: int) -> None:
        """The time that an order was held for has come; it goes, unless it waits for a price or a position too."""
        terms = msgspec.structs.replace(terms_of(order), starts_at=None)
        if terms.condition is None or self.floor.fulfilled(order, terms.condition, at // SECOND):
            self.release(order, at)
            return
        self.amended(order, terms, at)
        self.floor.expect(order, terms)

    def reconsider(self, order: BookedOrder, at: int) -> None:
        """What is held has changed: an order that waits for a position may go, or begin or cease to watch a price."""
        terms = terms_of(order)
        if order.state is not OrderState.HELD or terms.starts_at is not None or terms.condition is None:
            return
        if self.floor.fulfilled(order, terms.condition, at // SECOND):
            self.release(order, at)
        else:
            self.floor.expect(order, terms)

    def arrive(self, order: BookedOrder, at: int) -> None:
        """An order that was on its way reaches the market."""
        terms = msgspec.structs.replace(
            terms_of(order), arrives_at=None, queued=self.floor.moment(at // SECOND)
        )
        self.amended(order, terms, at)
        self.apply(self.floor.place(order, terms, at // SECOND), at)

    def _arrival(self, moment: int) -> int | None:
        late = self.floor.conditions.latency_ms
        return moment + late * 1_000 if late else None

    # -- settling -----------------------------------------------------------------------------------------------

    def settle(self, until: int | None = None) -> int:
        """Replay the market since the account was last settled; how many seconds had something happen in them."""
        return settle(self, until)

    def turn_to(self, step: int) -> None:
        """Limits count at the prices of the second that is being replayed, whenever it is replayed."""
        if self.limiter is not None:
            self.limiter.begin(step * SECOND, self.venue.rates(step))

    def turn_to_present(self) -> None:
        """… and from here on at those of now."""
        if self.limiter is not None:
            self.limiter.begin(self.page.now, self.venue.rate)

    def finish(self) -> None:
        """What was written stands at this second: the next replay begins here."""
        if self.page.events:
            mark(self, self.floor.looked)
        self.floor.seq = self.page.seq if self.page.events else self.book.seq
