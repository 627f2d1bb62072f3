"""One account's place at the paper market: its resting orders and triggers, and what the market does to them.

What is marketable takes from the simulated book of its second, as a taker. What rests waits in a matching engine of
its own, with price-time priority, for a second in which the other side of the market trades through its price; then
that second's market comes in as the taker, and we get our own price, as a maker. Triggers watch the middle price.

Nobody has to be there when it happens: `next_touch` finds the next second in which the price reaches any of our
orders, by the price path's own bounds instead of second by second, so a year away costs milliseconds.
"""

from __future__ import annotations

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.book_outcomes import Reason
from sniper_cli.market.instruments import find_spec
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.conditions import position_holds
from sniper_cli.trading.intents import NO_TERMS, Condition, Terms, terms_of
from sniper_cli.trading.ties import Ties
from sniper_cli.venues.paper.estimating import LIMITED, worst_for
from sniper_cli.venues.paper.matching import BPS, Conditions, Execution, Taker, affordable, take
from sniper_cli.venues.paper.pit import Pit, PriceRange
from sniper_cli.venues.paper.triggers import trigger_of
from sniper_cli.venues.paper.wording import cut_short
from state.orders import RESTING, TRIGGERED, OrderState, Side, TimeInForce

US = 1
"""The account, in the engine's eyes."""

SECOND = 1_000_000

OPEN_STATES = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


class Happening(msgspec.Struct, frozen=True, gc=False):
    """What became of one of our orders: trades, and a state that no trade implies."""

    order: str
    executions: tuple[Execution, ...] = ()
    state: OrderState | None = None
    explanation: str | None = None
    terms: Terms | None = None
    """Its terms from now on: it was triggered, or queued up anew."""


class Floor:
    """The paper market as one account stands in it."""

    def __init__(self, market: SimulatedMarket, conditions: Conditions, book: Book) -> None:
        self.market = market
        self.conditions = conditions
        self.dearer = max(conditions.fees.taker_bps, conditions.fees.maker_bps)
        """The higher fee: what a purchase may cost at most is reckoned with it."""
        self._kind = not (conditions.slippage_bps or conditions.impact_bps or conditions.latency_ms)
        self.book = book
        self.seq = book.seq
        """The record up to which this floor knows the account's orders."""
        self.looked = book.settled
        """The second up to which it has seen the price. What it saw since the last record is written with the next."""
        self.moved: set[str] = set()
        """Trailing stops that have moved along and are not written yet."""
        self.ties = Ties(book)
        self._queued = (-1, 0)
        self._pits: dict[str, Pit] = {}
        self._admit_all()

    def _admit_all(self) -> None:
        """What stood here when the book was read, in the order in which it had queued up."""
        places: list[tuple[int, str, BookedOrder, Terms]] = []
        late = False
        for order in self.book.orders.values():
            terms = NO_TERMS if order.terms_json is None else terms_of(order)
            if order.state is OrderState.HELD:
                self.expect(order, terms)
            elif order.state in OPEN_STATES and terms.arrives_at is None:
                late = late or terms.queued is not None
                places.append((order.at if terms.queued is None else terms.queued, order.key, order, terms))
        if late:
            places.sort(key=lambda place: place[:2])
        for _, _, order, terms in places:
            self._admit(order, terms)

    def pit(self, instrument_id: str) -> Pit:
        """An instrument's pit. Raises NotFound."""
        pit = self._pits.get(instrument_id)
        if pit is None:
            spec = find_spec(instrument_id)
            path = self.market.path(instrument_id)
            pit = Pit(spec, path, spec.tick, spec.lot_units, tick_of_lot=spec.tick_of_lot)
            self._pits[instrument_id] = pit
        return pit

    # -- placing ------------------------------------------------------------------------------------------------

    def place(self, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """An order comes to the market in this second: what it gets at once."""
        pit = self.pit(order.instrument_id)
        if order.type in TRIGGERED and terms.triggered_at is None:
            return self._watch(pit, order, terms, step)
        quote = pit.quote(step)
        lots = None if order.quantity is None else (order.quantity - order.filled_quantity) // pit.lot_units
        limited = order.limit_price is not None and order.type in LIMITED
        buying = order.side is Side.BUY
        best = quote.ask if buying else quote.bid
        if limited and lots is not None:
            assert order.limit_price is not None
            worst = int(order.limit_price / pit.tick)
            if (worst < best) if buying else (worst > best):
                return self._unreached(pit, order, terms, worst, lots)
        else:
            worst = worst_for(pit, order, terms, best)
        if terms.post_only:
            why = f"post-only, and it would trade at {pit.spec.price(best):f} at once"
            return Happening(order.key, (), OrderState.REJECTED, why)
        return self._take(pit, order, terms, step, worst, lots, limited)

    def takes_at_once(self, pit: Pit, buying: bool, worst: int, lots: int, step: int) -> Execution | None:
        """The one trade of an order that the best price alone fills; None where it is not so simple."""
        if not self._kind:
            return None
        book = pit.path.book(step)
        best = (book.asks if buying else book.bids)[0]
        if best.lots < lots or (best.ticks > worst if buying else best.ticks < worst):
            return None
        notional = best.ticks * lots * pit.tick_of_lot
        fee = -(-notional * self.conditions.fees.taker_bps // BPS)
        return Execution(step, 0, best.ticks, lots, notional, fee, False)

    def _unreached(self, pit: Pit, order: BookedOrder, terms: Terms, worst: int, lots: int) -> Happening:
        """A limit that the market has not reached: it rests, or ends."""
        if order.time_in_force in RESTING:
            return self.rest(pit, order, terms, worst, lots) or Happening(order.key)
        return Happening(order.key, (), OrderState.CANCELLED, cut_short(pit, order, worst, ()))

    def _take(
        self,
        pit: Pit,
        order: BookedOrder,
        terms: Terms,
        step: int,
        worst: int,
        lots: int | None,
        limited: bool,
    ) -> Happening:
        budget = None if order.budget is None else order.budget - order.filled_notional
        if lots is None and limited:  # a budget at a limit is a number of lots; at market it stays a budget
            lots = affordable(worst * pit.tick_of_lot, budget, self.conditions.fees.taker_bps)
            budget = None
        if lots == 0:
            return Happening(order.key, (), OrderState.CANCELLED, "nothing is left to trade")
        taker = Taker(order.side, worst, lots, None if lots is not None else budget)
        executions, satisfied = take(pit.path.book(step), taker, self.conditions, pit.tick_of_lot)
        if satisfied:
            # A quantity that is filled says so itself; a budget has to be told.
            return Happening(order.key, executions, OrderState.FILLED if order.quantity is None else None)
        if order.time_in_force is TimeInForce.FOK:
            why = cut_short(pit, order, worst, executions)
            return Happening(order.key, (), OrderState.CANCELLED, why)
        if not limited or order.time_in_force not in RESTING:
            why = cut_short(pit, order, worst, executions)
            return Happening(order.key, executions, OrderState.CANCELLED, why)
        got = sum(one.lots for one in executions)
        ended = self.rest(pit, order, terms, worst, (lots or 0) - got)
        if ended is not None:
            return Happening(order.key, executions, ended.state, ended.explanation)
        pit.emptied = (step, order.key)
        return Happening(order.key, executions, terms=_sliced(order, terms, got * pit.lot_units))

    def rest(self, pit: Pit, order: BookedOrder, terms: Terms, ticks: int, lots: int) -> Happening | None:
        """Let an order wait in the book. Where it would meet one of our own there, it ends instead: what it says then.

        Exchanges call it self-trade prevention; the order that comes later goes.
        """
        display = 0 if terms.display is None else terms.display // pit.lot_units
        outcome = pit.resting.place(order.key, order.side, ticks, lots, owner=US, display=display)
        pit.changed()
        if outcome.reason is not Reason.SELF_TRADE:
            return None
        why = f"at {pit.spec.price(ticks):f} it would trade with an order of your own"
        return Happening(order.key, (), OrderState.CANCELLED, why)

    def _watch(self, pit: Pit, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """A trigger that the price has passed already goes off at once."""
        trigger = trigger_of(order, terms, pit.tick)
        if trigger.touched(pit.path.ticks(step)):
            return self.go_off(pit, order, trigger.terms(terms, pit.tick), step)
        pit.triggers[order.key] = trigger
        if trigger.best is not None:
            self.moved.add(order.key)
        pit.changed()
        return Happening(order.key)

    def go_off(self, pit: Pit, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """A trigger was touched: the order trades as a plain one from this second on."""
        pit.triggers.pop(order.key, None)
        pit.changed()
        fired = msgspec.structs.replace(terms, triggered_at=step * SECOND, queued=self.moment(step))
        done = self.place(order, fired, step)
        return Happening(order.key, done.executions, done.state, done.explanation, done.terms or fired)

    def moment(self, step: int) -> int:
        """A time within a second that no other queue joined in it has: places in queues are told by it."""
        known, number = self._queued
        number = number + 1 if known == step else 0
        self._queued = (step, number)
        return step * SECOND + number

    def _admit(self, order: BookedOrder, terms: Terms) -> None:
        """An order that was resting, or being watched for, when the book was read."""
        pit = self.pit(order.instrument_id)
        if order.type in TRIGGERED and terms.triggered_at is None:
            pit.triggers[order.key] = trigger_of(order, terms, pit.tick)
            return
        if order.limit_price is None:
            return
        ticks = int(order.limit_price / pit.tick)
        left = self._lots_left(pit, order, ticks)
        if left <= 0:
            return
        shown, display = left, 0
        if terms.display is not None:
            display = terms.display // pit.lot_units
            shown = min(left, display - (order.filled_quantity - (terms.slice or 0)) // pit.lot_units)
        pit.resting.restore((order.key, US, order.side.value, ticks, shown, left - shown, display))

    def expect(self, order: BookedOrder, terms: Terms) -> None:
        """Watch for the price that an order is held for, if a price is what it waits for."""
        condition = terms.condition
        if (
            condition is None
            or terms.starts_at is not None
            or not position_holds(condition, order, self.book)
        ):
            self.forget(order, terms)
            return
        if condition.above is None and condition.below is None:
            return
        pit = self.pit(condition.instrument or order.instrument_id)
        above, below = condition.above, condition.below
        pit.waiting[order.key] = PriceRange(
            None if above is None else -int(-above // pit.tick),
            None if below is None else int(below // pit.tick),
        )
        pit.changed()

    def forget(self, order: BookedOrder, terms: Terms) -> None:
        """Nothing is watched for any more on behalf of a held order."""
        if terms.condition is not None:
            self.pit(terms.condition.instrument or order.instrument_id).waiting.pop(order.key, None)

    def fulfilled(self, order: BookedOrder, condition: Condition, step: int) -> bool:
        """Whether everything that an order waits for holds in this second."""
        if not position_holds(condition, order, self.book):
            return False
        price = self.pit(condition.instrument or order.instrument_id)
        middle = price.path.ticks(step) * price.tick
        return (condition.above is None or middle >= condition.above) and (
            condition.below is None or middle <= condition.below
        )

    def _lots_left(self, pit: Pit, order: BookedOrder, ticks: int) -> int:
        if order.quantity is not None:
            return (order.quantity - order.filled_quantity) // pit.lot_units
        all_lots = affordable(ticks * pit.tick_of_lot, order.budget, self.conditions.fees.taker_bps)
        return all_lots - order.filled_quantity // pit.lot_units

    def rests(self, order: BookedOrder) -> bool:
        """It stands in a queue."""
        return order.key in self.pit(order.instrument_id).resting

    def would_take(self, order: BookedOrder, step: int) -> bool:
        """At its limit it would trade at once."""
        pit = self.pit(order.instrument_id)
        quote = pit.quote(step)
        if order.limit_price is None:
            return True
        ticks = int(order.limit_price / pit.tick)
        return ticks >= quote.ask if order.side is Side.BUY else ticks <= quote.bid

    def remove(self, order: BookedOrder) -> None:
        """An order leaves the market."""
        pit = self.pit(order.instrument_id)
        pit.resting.cancel(order.key)
        pit.triggers.pop(order.key, None)
        self.moved.discard(order.key)
        if order.state is OrderState.HELD:
            self.forget(order, terms_of(order))

    def amend(self, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """An order with other terms: fewer units at the same price keep its place, anything else queues up anew.

        A trigger that is as it was goes on watching, whatever the size.
        """
        pit = self.pit(order.instrument_id)
        trigger = pit.triggers.get(order.key)
        if trigger is not None:
            if trigger.asks_as(trigger_of(order, terms, pit.tick)):
                return Happening(order.key)
            self.remove(order)
            return self.place(order, terms, step)
        resting = pit.resting.get(order.key)
        if resting is None or order.limit_price is None:
            return Happening(order.key)
        ticks = int(order.limit_price / pit.tick)
        left = self._lots_left(pit, order, ticks)
        display = 0 if terms.display is None else terms.display // pit.lot_units
        if ticks == resting.price and 0 < left <= resting.lots and display == resting.display:
            pit.resting.amend(order.key, lots=left)
            return Happening(order.key)
        self.remove(order)
        again = msgspec.structs.replace(
            terms, queued=self.moment(step), slice=order.filled_quantity if display else None
        )
        done = self.place(order, again, step)
        return Happening(order.key, done.executions, done.state, done.explanation, done.terms or again)

    # -- what the price does ------------------------------------------------------------------------------------

    def instruments(self) -> list[str]:
        """Those whose price something of ours depends on; in one order, for a second replays alike everywhere."""
        return sorted(name for name, pit in self._pits.items() if pit.watched)

    def next_touch(self, after: int, until: int) -> int | None:
        """The next second in (after, until] in which the price reaches something of ours."""
        found: int | None = None
        for pit in self._pits.values():
            if pit.watched:
                step = pit.next_touch(after, until if found is None else found - 1)
                found = found if step is None else step
        return found


def _sliced(order: BookedOrder, terms: Terms, got: int) -> Terms | None:
    """The terms of an iceberg that rests after it has taken some: its first slice begins here."""
    if terms.display is None or not got:
        return None
    return msgspec.structs.replace(terms, slice=order.filled_quantity + got)
