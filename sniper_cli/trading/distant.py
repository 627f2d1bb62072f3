"""The walk of an order that is held here for a venue that is elsewhere: written down, watched, changed, ended.

What `local.LocalWalk` is at the paper market, as far as it can be where nothing is matched here: contingencies and
the look at the prices change what is held, and what the venue has been sent is only marked to be asked back.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from sniper_cli.books.events import Amended as AmendedEvent
from sniper_cli.books.events import price_text, raw, wide, wide_or_none
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.records import Page
from sniper_cli.market.triggers import Trailing, stop_touched, target_touched
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination, closable, examine, malformed
from sniper_cli.trading.conditions import position_holds
from sniper_cli.trading.contingencies import NOTHING_TO_REDUCE, follow
from sniper_cli.trading.intents import CheckResult, OrderIntent, Terms, dated, remember, terms_json, terms_of
from sniper_cli.trading.settling import TIME_IS_UP
from sniper_cli.trading.ties import Ties
from sniper_cli.venues.venue import Quoted
from state.accounts import Account
from state.orders import TRIGGERED, OrderState, OrderType

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk


class DistantWalk:
    """One page of one account at a venue that is elsewhere, as far as orders that are held here need it."""

    def __init__(self, desk: OrderDesk, page: Page, account: Account) -> None:
        self.desk, self.page, self.account = desk, page, account
        self.book = page.book
        self.ties = Ties(page.book)

    def record(self, intent: OrderIntent, refusals: Sequence[CheckResult] = ()) -> BookedOrder:
        """Write an order down that is held here; limits, holdings and funds are asked for when it is sent."""
        terms = msgspec.structs.replace(dated(intent, self.page.now), emulated=True)
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
