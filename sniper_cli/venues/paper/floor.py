"""One account's place at the paper market: its resting orders and triggers, and what the market does to them.

What is marketable takes from the simulated book of its second, as a taker. What rests waits in a matching engine of
its own, with price-time priority, for a second in which the other side of the market trades through its price; then
that second's market comes in as the taker, and we get our own price, as a maker. Triggers watch the middle price.

Nobody has to be there when it happens: `next_touch` finds the next second in which the price reaches any of our
orders, by the price path's own bounds instead of second by second, so a year away costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.book_outcomes import Reason
from sniper_cli.market.instruments import find_spec
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.conditions import position_holds
from sniper_cli.trading.intents import NO_TERMS, Condition, Terms, terms_of
from sniper_cli.trading.ties import Ties
from sniper_cli.venues.paper.matching import (
    BPS,
    SLIPPAGE_BPS,
    Conditions,
    Execution,
    Taker,
    affordable,
    fee_on,
    take,
)
from sniper_cli.venues.paper.pit import Pit, PriceRange, Quote
from sniper_cli.venues.paper.triggers import trigger_of
from state.orders import RESTING, TRIGGERED, OrderState, OrderType, Side, TimeInForce

LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)

US = 1
"""The account, in the engine's eyes."""

MARKET = "market"
"""Who trades with our resting orders."""

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


class Estimate(msgspec.Struct, gc=False):
    """An order in figures before it is placed: base units, quote units, prices in ticks."""

    pit: Pit
    quantity: int
    notional: int
    needed: int
    worst: int
    middle: int

    @property
    def worst_price(self) -> Decimal:
        return self.worst * self.pit.tick

    @property
    def middle_price(self) -> Decimal:
        return self.middle * self.pit.tick


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
            worst = self._worst(pit, order, terms, best)
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

    def _worst(self, pit: Pit, order: BookedOrder, terms: Terms, best: int) -> int:
        """The limit, and for a market order the best price with its slippage, to whole ticks on the near side."""
        limit = None if order.limit_price is None else int(order.limit_price / pit.tick)
        if limit is not None and order.type in LIMITED:
            return limit
        slippage = SLIPPAGE_BPS if terms.slippage_bps is None else terms.slippage_bps
        buying = order.side is Side.BUY
        worst = self.worst_at_market(buying, best, slippage)
        if limit is None:
            return worst
        return min(worst, limit) if buying else max(worst, limit)

    @staticmethod
    def worst_at_market(buying: bool, best: int, slippage: int = SLIPPAGE_BPS) -> int:
        """The best price with the slippage it may have, to whole ticks on the near side."""
        if buying:
            return best * (BPS + slippage) // BPS
        return max(1, -(-best * (BPS - slippage) // BPS))

    def _unreached(self, pit: Pit, order: BookedOrder, terms: Terms, worst: int, lots: int) -> Happening:
        """A limit that the market has not reached: it rests, or ends."""
        if order.time_in_force in RESTING:
            return self.rest(pit, order, terms, worst, lots) or Happening(order.key)
        return Happening(order.key, (), OrderState.CANCELLED, self._cut_short(pit, order, worst, ()))

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
            why = self._cut_short(pit, order, worst, executions)
            return Happening(order.key, (), OrderState.CANCELLED, why)
        if not limited or order.time_in_force not in RESTING:
            why = self._cut_short(pit, order, worst, executions)
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
            return self._go_off(pit, order, trigger.terms(terms, pit.tick), step)
        pit.triggers[order.key] = trigger
        if trigger.best is not None:
            self.moved.add(order.key)
        pit.changed()
        return Happening(order.key)

    def passed(self, order: BookedOrder, terms: Terms, step: int) -> str | None:
        """What to say of a trigger that would go off at once."""
        pit = self.pit(order.instrument_id)
        trigger, middle = trigger_of(order, terms, pit.tick), pit.path.ticks(step)
        if not trigger.touched(middle):
            return None
        kind = order.type.value.replace("_", " ")
        verb = "buys" if order.side is Side.BUY else "sells"
        way = "rises" if trigger.above else "falls"
        other = "stop" if order.type is OrderType.TAKE_PROFIT else "take profit"
        return (
            f"a {kind} that {verb} goes off when the price {way} to its trigger; the price is "
            f"{plain(pit.spec.price(middle))} and beyond {plain(pit.spec.price(trigger.ticks))} already (a {other} "
            "waits for the other direction)"
        )

    def _go_off(self, pit: Pit, order: BookedOrder, terms: Terms, step: int) -> Happening:
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

    def touch(self, instrument_id: str, step: int) -> Iterator[Happening]:
        """What the second does to the instrument's orders: triggers in the order of their recording, then what rests.

        One thing at a time: what the caller makes of it (a sibling cancelled, a new order) counts for the next.
        """
        pit = self.pit(instrument_id)
        middle = pit.path.ticks(step)
        for key in sorted(pit.triggers):
            trigger = pit.triggers.get(key)
            order = self.book.orders.get(key)
            if trigger is None or order is None:
                continue
            best = trigger.best
            if trigger.touched(middle):
                self.moved.discard(key)
                yield self._go_off(pit, order, trigger.terms(terms_of(order), pit.tick), step)
            elif trigger.best != best:
                self.moved.add(key)
        yield from self._traded_through(pit, step)

    def expected(self, instrument_id: str, step: int) -> list[BookedOrder]:
        """Orders held for a price of this instrument that has come, in the order of their recording."""
        pit = self.pit(instrument_id)
        middle = pit.path.ticks(step)
        keys = sorted(key for key, prices in pit.waiting.items() if prices.holds(middle))
        return [order for key in keys if (order := self.book.orders.get(key)) is not None]

    def trails(self) -> list[tuple[BookedOrder, Terms]]:
        """What trailing stops have seen and nobody has written yet."""
        found = []
        for key in sorted(self.moved):
            order = self.book.orders.get(key)
            pit = None if order is None else self.pit(order.instrument_id)
            trigger = None if pit is None else pit.triggers.get(key)
            if order is not None and pit is not None and trigger is not None:
                found.append((order, trigger.terms(terms_of(order), pit.tick)))
        self.moved.clear()
        return found

    def _traded_through(self, pit: Pit, step: int) -> Iterator[Happening]:
        """The market of the second comes in as the taker of what rests at its prices or better."""
        middle, bid, ask = pit.path.ticks(step), pit.resting.best_bid, pit.resting.best_ask
        if (bid is None or bid <= middle) and (ask is None or ask >= middle):
            return  # the market's best prices lie beyond its middle: nobody is reached, and no book need be drawn
        market = pit.path.book(step)
        for levels, side, resting in ((market.asks, Side.SELL, Side.BUY), (market.bids, Side.BUY, Side.SELL)):
            for level in levels:
                left = level.lots
                while left:
                    maker = pit.resting.first(resting)
                    if maker is None or (step, maker.id) == pit.emptied:
                        break
                    if maker.price < level.ticks if maker.buys else maker.price > level.ticks:
                        break
                    lots = min(left, maker.shown)
                    left -= lots
                    renewed = lots == maker.shown and bool(maker.hidden)
                    pit.resting.place(MARKET, side, level.ticks, lots, TimeInForce.IOC)
                    yield self._gave(pit, str(maker.id), maker.price, lots, step, renewed=renewed)
                else:
                    continue
                break

    def _gave(self, pit: Pit, key: str, ticks: int, lots: int, step: int, *, renewed: bool) -> Happening:
        """A trade of what rested; an iceberg whose slice is gone shows the next one, behind all others."""
        order = self.book.orders[key]
        notional = ticks * lots * pit.tick_of_lot
        one = Execution(
            step, 0, ticks, lots, notional, fee_on(notional, self.conditions.fees.maker_bps), True
        )
        over = None
        if order.quantity is None and key not in pit.resting:
            over = OrderState.FILLED
        terms = None
        if renewed:
            filled = order.filled_quantity + lots * pit.lot_units
            terms = msgspec.structs.replace(terms_of(order), slice=filled, queued=self.moment(step))
        return Happening(key, (one,), over, terms=terms)

    # -- figures ------------------------------------------------------------------------------------------------

    def estimate(self, order: BookedOrder, terms: Terms, step: int) -> Estimate:
        """What an order comes to at its worst price, and what a purchase may cost at most.

        With the higher fee, and one unit a level for its rounding.
        """
        pit = self.pit(order.instrument_id)
        quote = pit.quote(step)
        buying = order.side is Side.BUY
        worst, middle = self._expected(pit, order, terms, quote)
        unit = worst * pit.tick_of_lot
        if order.quantity is None:
            budget = order.budget or 0
            quantity = budget // unit * pit.lot_units if unit else 0
            return Estimate(pit, quantity, budget, budget, worst, middle)
        notional = order.quantity // pit.lot_units * unit
        needed = notional + fee_on(notional, self.dearer) + 10 if buying else 0
        return Estimate(pit, order.quantity, notional, needed, worst, middle)

    def _expected(self, pit: Pit, order: BookedOrder, terms: Terms, quote: Quote) -> tuple[int, int]:
        """The worst price, and the middle to hold it against: of an order that waits for a trigger, from there."""
        best = quote.ask if order.side is Side.BUY else quote.bid
        if order.type not in TRIGGERED or terms.triggered_at is not None:
            return self._worst(pit, order, terms, best), quote.middle
        level = trigger_of(order, terms, pit.tick).level(best)
        return self._worst(pit, order, terms, level), level

    def _cut_short(self, pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
        """Why an order that had to be filled at once is over."""
        whole = order.time_in_force is TimeInForce.FOK
        said = "not all of it could be had at once" if whole else "the rest was not to be had at once"
        return f"{said}: {self._there(pit, order, worst, taken)}"

    @staticmethod
    def _there(pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
        there = sum(one.lots for one in taken)
        verb = "stood" if order.side is Side.BUY else "were bid for"
        spec = pit.spec
        return f"{plain(there * spec.lot)} {spec.base} {verb} at {plain(spec.price(worst))} or better"


def _sliced(order: BookedOrder, terms: Terms, got: int) -> Terms | None:
    """The terms of an iceberg that rests after it has taken some: its first slice begins here."""
    if terms.display is None or not got:
        return None
    return msgspec.structs.replace(terms, slice=order.filled_quantity + got)


def plain(value: Decimal) -> str:
    """A Decimal without an exponent and without zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


__all__ = ["NO_TERMS", "Floor", "Happening", "plain"]
