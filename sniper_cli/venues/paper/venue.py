"""The paper venue: the simulated market as accounts trade on it.

It is a venue that is here: the desk places orders with it inside its own transaction, and what they get is booked in
the same record. It keeps nothing of its own; a floor is rebuilt from the book whenever the book is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.instruments import INSTRUMENTS, find_spec
from sniper_cli.market.simulated import SimulatedMarket, step_of
from sniper_cli.trading.intents import OrderIntent, Terms, terms_of
from sniper_cli.venues.paper.estimating import estimate
from sniper_cli.venues.paper.floor import Floor
from sniper_cli.venues.paper.matching import Conditions, fee_on
from state.accounts import VenueKind
from state.columns import utc_now
from state.orders import RESTING, OrderType, Side


class PaperVenue:
    """Takes orders for paper accounts."""

    kind = VenueKind.PAPER

    def __init__(
        self,
        market: SimulatedMarket,
        *,
        clock: Callable[[], datetime] = utc_now,
        conditions: Conditions = Conditions(),  # noqa: B008 - frozen
    ) -> None:
        self.market = market
        self.clock = clock
        self.conditions = conditions
        self._floors: dict[str, Floor] = {}

    def floor(self, book: Book) -> Floor:
        """The account's floor, true to its book."""
        floor = self._floors.get(book.account_key)
        if floor is None or floor.book is not book or floor.seq != book.seq:
            floor = self._floors[book.account_key] = Floor(self.market, self.conditions, book)
        return floor

    def price(self, instrument_id: str) -> Decimal:
        """The middle price now. Raises NotFound."""
        return self.market.price(instrument_id, self.clock())

    def rate(self, instrument_id: str) -> tuple[int, int] | None:
        """The middle price now, as so many quote units for so many base units; None for what is not traded here."""
        spec = INSTRUMENTS.get(instrument_id)
        if spec is None:
            return None
        return self.market.path(instrument_id).ticks(step_of(self.clock())) * spec.tick_of_lot, spec.lot_units

    def rates(self, step: int) -> Callable[[str], tuple[int, int] | None]:
        """The middle prices of a second that is past, as `rate` has them of the present one."""

        def rate(instrument_id: str) -> tuple[int, int] | None:
            spec = INSTRUMENTS.get(instrument_id)
            if spec is None:
                return None
            return self.market.path(instrument_id).ticks(step) * spec.tick_of_lot, spec.lot_units

        return rate

    def proceeds(self, instrument_id: str, quantity: int) -> int:
        """Quote units that closing so many base units would bring now, fees taken off: a position's mark.

        A short position's is negative: what buying back would cost. What the book does not hold is reckoned at its
        last price.
        """
        spec = find_spec(instrument_id)
        book = self.market.book(instrument_id, self.clock())
        levels = book.bids if quantity >= 0 else book.asks
        left, notional = abs(quantity) // spec.lot_units, 0
        for level in levels:
            got = min(left, level.lots)
            notional += spec.notional(level.ticks, got)
            left -= got
            if not left:
                break
        notional += spec.notional(levels[-1].ticks, left)
        fee = fee_on(notional, self.conditions.fees.taker_bps)
        return notional - fee if quantity >= 0 else -(notional + fee)

    def summary(self, order: BookedOrder, intent: OrderIntent) -> Mapping[str, Any]:
        """What an order did or would do at this second, for people: exact figures in base units."""
        spec = find_spec(order.instrument_id)
        book = self.market.book(order.instrument_id, self.clock())
        buying = order.side is Side.BUY
        fees = self.conditions.fees
        summary: dict[str, Any] = {
            "instrument": spec.symbol,
            "side": order.side.value,
            "best_price": spec.price((book.asks if buying else book.bids)[0].ticks),
            "worst_price": self._worst(order, terms_of(order)),
            "fee_bps": {"maker": fees.maker_bps, "taker": fees.taker_bps},
        }
        if order.filled_quantity:
            summary["fills_now"] = order.filled_quantity
            summary["notional_now"] = order.filled_notional
            summary["fee_now"] = fee_on(order.filled_notional, fees.taker_bps)
            lots = order.filled_quantity // spec.lot_units
            average = spec.tick * order.filled_notional / (lots * spec.tick_of_lot)
            summary["average_price"] = average.quantize(spec.tick.scaleb(-2))
        left = order.left
        if left and intent.type is OrderType.LIMIT and intent.time_in_force in RESTING and order.is_working:
            summary["rests"] = left
            assert order.limit_price is not None
            assert order.quantity is not None
            at_limit = spec.notional(int(order.limit_price / spec.tick), order.quantity // spec.lot_units)
            # What all of it is worth at the limit: at most for a purchase, at least for a sale.
            summary["spend" if buying else "least"] = at_limit
        return summary

    def _worst(self, order: BookedOrder, terms: Terms) -> Decimal:
        floor = Floor(self.market, self.conditions, _nothing(order.account_key))
        return estimate(floor, order, terms, step_of(self.clock())).worst_price


def _nothing(account_key: str) -> Book:
    """An empty book, to ask the market something without an account."""
    return Book(account_key, None, {})  # type: ignore[arg-type]
