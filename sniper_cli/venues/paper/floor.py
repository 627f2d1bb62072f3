"""One account's place at the paper market: its resting orders and triggers, and what the market does to them.

What is marketable takes from the simulated book of its second, as a taker. What rests waits in a matching engine of
its own, with price-time priority, for a second in which the other side of the market trades through its price; then
that second's market comes in as the taker, and we get our own price, as a maker. Triggers watch the middle price.

Nobody has to be there when it happens: `next_touch` finds the next second in which the price reaches any of our
orders, by the price path's own bounds instead of second by second, so a year away costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.book_outcomes import Reason, SelfTrade
from sniper_cli.market.instruments import Spec, find_spec
from sniper_cli.market.matching import OrderBook
from sniper_cli.market.simulated import PricePath, SimulatedMarket
from sniper_cli.trading.intents import NO_TERMS, Terms, terms_of
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
from sniper_cli.venues.paper.triggers import Trigger, trigger_of
from state.orders import RESTING, TRIGGERED, OrderState, OrderType, Side, TimeInForce

LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)

US = 1
"""The account, in the engine's eyes."""

MARKET = "market"
"""Who trades with our resting orders."""

OPEN_STATES = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


class Happening(msgspec.Struct, frozen=True, gc=False):
    """What became of one of our orders: trades, and a state that no trade implies."""

    order: str
    executions: tuple[Execution, ...] = ()
    state: OrderState | None = None
    explanation: str | None = None
    terms: Terms | None = None
    """Its terms from now on: it was triggered."""


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A second's best bid, best ask and middle price, in ticks."""

    step: int
    bid: int
    ask: int
    middle: int


@dataclass(slots=True)
class Pit:
    """One instrument on the floor."""

    spec: Spec
    path: PricePath
    tick: Decimal
    lot_units: int
    resting: OrderBook = field(default_factory=lambda: OrderBook(SelfTrade.CANCEL_NEWEST))
    triggers: dict[str, Trigger] = field(default_factory=dict)
    searched: tuple[int, int] = (-1, -1)
    """(after, until) of the last search that found nothing: that stretch need not be searched again."""
    tick_of_lot: int = 1
    """Quote units of one lot at a price of one tick."""
    quoted: Quote = Quote(-1, 0, 0, 0)

    def quote(self, step: int) -> Quote:
        """The best prices of a second, worked out once."""
        if self.quoted.step != step:
            book = self.path.book(step)
            middle = self.path.ticks(step)
            self.quoted = Quote(step, book.bids[0].ticks, book.asks[0].ticks, middle)
        return self.quoted


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
        self._pits: dict[str, Pit] = {}
        for order in book.orders.values():
            if order.state in OPEN_STATES:
                self._admit(order, terms_of(order))

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
            why = f"not all of it could be had at once: {self._there(pit, order, worst, executions)}"
            return Happening(order.key, (), OrderState.CANCELLED, why)
        if not limited or order.time_in_force not in RESTING:
            why = self._cut_short(pit, order, worst, executions)
            return Happening(order.key, executions, OrderState.CANCELLED, why)
        left = (lots or 0) - sum(one.lots for one in executions)
        ended = self.rest(pit, order, terms, worst, left)
        if ended is not None:
            return Happening(order.key, executions, ended.state, ended.explanation)
        return Happening(order.key, executions)

    def rest(self, pit: Pit, order: BookedOrder, terms: Terms, ticks: int, lots: int) -> Happening | None:
        """Let an order wait in the book. Where it would meet one of our own there, it ends instead: what it says then.

        Exchanges call it self-trade prevention; the order that comes later goes.
        """
        display = 0 if terms.display is None else terms.display // pit.lot_units
        outcome = pit.resting.place(order.key, order.side, ticks, lots, owner=US, display=display)
        pit.searched = (-1, -1)
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
        pit.searched = (-1, -1)
        return Happening(order.key)

    def _go_off(self, pit: Pit, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """A trigger was touched: the order trades as a plain one from this second on."""
        pit.triggers.pop(order.key, None)
        pit.searched = (-1, -1)
        fired = msgspec.structs.replace(terms, triggered_at=step * 1_000_000)
        done = self.place(order, fired, step)
        return Happening(order.key, done.executions, done.state, done.explanation, fired)

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
        if left > 0:
            self.rest(pit, order, terms, ticks, left)

    def _lots_left(self, pit: Pit, order: BookedOrder, ticks: int) -> int:
        if order.quantity is not None:
            return (order.quantity - order.filled_quantity) // pit.lot_units
        all_lots = affordable(ticks * pit.tick_of_lot, order.budget, self.conditions.fees.taker_bps)
        return all_lots - order.filled_quantity // pit.lot_units

    def remove(self, order: BookedOrder) -> None:
        """An order leaves the market."""
        pit = self.pit(order.instrument_id)
        pit.resting.cancel(order.key)
        pit.triggers.pop(order.key, None)

    def amend(self, order: BookedOrder, terms: Terms, step: int) -> Happening:
        """An order with other terms: fewer units at the same price keep its place, anything else queues up anew."""
        pit = self.pit(order.instrument_id)
        resting = pit.resting.get(order.key)
        if resting is not None and order.limit_price is not None:
            ticks = int(order.limit_price / pit.tick)
            left = self._lots_left(pit, order, ticks)
            if ticks == resting.price and 0 < left <= resting.lots:
                pit.resting.amend(order.key, lots=left)
                return Happening(order.key)
        self.remove(order)
        return self.place(order, terms, step)

    # -- what the price does ------------------------------------------------------------------------------------

    def instruments(self) -> list[str]:
        """Those in which orders of ours stand."""
        return [name for name, pit in self._pits.items() if len(pit.resting) or pit.triggers]

    def next_touch(self, after: int, until: int) -> int | None:
        """The next second in (after, until] in which the price reaches an order of ours."""
        found: int | None = None
        for pit in self._pits.values():
            if len(pit.resting) or pit.triggers:
                step = self._search(pit, after, until if found is None else found - 1)
                found = found if step is None else step
        return found

    def _search(self, pit: Pit, after: int, until: int) -> int | None:
        if pit.searched[0] != -1 and pit.searched[0] <= after and after <= pit.searched[1]:
            after = pit.searched[1]
        if after >= until:
            return None
        found = until + 1
        bid, ask = pit.resting.best_bid, pit.resting.best_ask
        # The best price of the other side lies beyond the middle, so the middle must pass the limit first.
        if bid is not None and (step := pit.path.next_below(bid, after, found - 1)) is not None:
            found = step
        if ask is not None and (step := pit.path.next_above(ask, after, found - 1)) is not None:
            found = step
        for trigger in pit.triggers.values():
            step = trigger.next_touch(pit.path, after, found - 1)
            if step is not None:
                found = step
        if found <= until:
            return found
        start = pit.searched[0] if pit.searched[0] != -1 else after
        pit.searched = (start, until)
        return None

    def touch(self, instrument_id: str, step: int) -> Iterator[Happening]:
        """What the second does to the instrument's orders: triggers in the order of their placing, then what rests."""
        pit = self.pit(instrument_id)
        middle = pit.path.ticks(step)
        for key, trigger in list(pit.triggers.items()):
            if trigger.touched(middle):
                order = self.book.orders.get(key)
                if order is not None:
                    yield self._go_off(pit, order, trigger.terms(terms_of(order), pit.tick), step)
        yield from self._traded_through(pit, step)

    def _traded_through(self, pit: Pit, step: int) -> Iterator[Happening]:
        """The market of the second comes in as the taker of what rests at its prices or better."""
        market = pit.path.book(step)
        index = 0
        for levels, side in ((market.asks, Side.SELL), (market.bids, Side.BUY)):
            for level in levels:
                outcome = pit.resting.place(MARKET, side, level.ticks, level.lots, TimeInForce.IOC)
                for fill in outcome.fills:
                    maker_bps = self.conditions.fees.maker_bps
                    notional = fill.price * fill.lots * pit.tick_of_lot
                    fee = fee_on(notional, maker_bps)
                    one = Execution(step, index, fill.price, fill.lots, notional, fee, True)
                    index += 1
                    over = OrderState.FILLED if fill.left == 0 and self._by_budget(str(fill.maker)) else None
                    yield Happening(str(fill.maker), (one,), over)
                if not outcome.fills:
                    break

    def _by_budget(self, key: str) -> bool:
        order = self.book.orders.get(key)
        return order is not None and order.quantity is None

    # -- figures ------------------------------------------------------------------------------------------------

    def estimate(self, order: BookedOrder, terms: Terms, step: int) -> Estimate:
        """What an order comes to at its worst price, and what a purchase may cost at most.

        With the higher fee, and one unit a level for its rounding.
        """
        pit = self.pit(order.instrument_id)
        quote = pit.quote(step)
        buying = order.side is Side.BUY
        worst = self._expected_worst(pit, order, terms, quote.ask if buying else quote.bid)
        unit = worst * pit.tick_of_lot
        if order.quantity is None:
            budget = order.budget or 0
            quantity = budget // unit * pit.lot_units if unit else 0
            return Estimate(pit, quantity, budget, budget, worst, quote.middle)
        notional = order.quantity // pit.lot_units * unit
        needed = notional + fee_on(notional, self.dearer) + 10 if buying else 0
        return Estimate(pit, order.quantity, notional, needed, worst, quote.middle)

    def _expected_worst(self, pit: Pit, order: BookedOrder, terms: Terms, best: int) -> int:
        """Of an order that waits for a trigger, the worst price from there."""
        if order.type in TRIGGERED and order.limit_price is None and terms.trigger_price is not None:
            return self._worst(pit, order, terms, int(terms.trigger_price / pit.tick))
        return self._worst(pit, order, terms, best)

    def _cut_short(self, pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
        return f"the rest was not to be had at once: {self._there(pit, order, worst, taken)}"

    @staticmethod
    def _there(pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
        there = sum(one.lots for one in taken)
        verb = "stood" if order.side is Side.BUY else "were bid for"
        spec = pit.spec
        return f"{plain(there * spec.lot)} {spec.base} {verb} at {plain(spec.price(worst))} or better"


def plain(value: Decimal) -> str:
    """A Decimal without an exponent and without zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


__all__ = ["NO_TERMS", "Floor", "Happening", "plain"]
