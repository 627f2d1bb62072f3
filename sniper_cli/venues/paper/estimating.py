"""An order in figures before it is placed: what it comes to at its worst price, and what it may cost at most."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import Terms
from sniper_cli.venues.paper.matching import BPS, SLIPPAGE_BPS, fee_on
from sniper_cli.venues.paper.pit import Pit, Quote
from sniper_cli.venues.paper.triggers import trigger_of
from state.orders import TRIGGERED, OrderType, Side

if TYPE_CHECKING:
    from sniper_cli.venues.paper.floor import Floor

LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)


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


def estimate(floor: Floor, order: BookedOrder, terms: Terms, step: int) -> Estimate:
    """What an order comes to at its worst price, and what a purchase may cost at most.

    With the higher fee, and one unit a level for its rounding.
    """
    pit = floor.pit(order.instrument_id)
    quote = pit.quote(step)
    buying = order.side is Side.BUY
    worst, middle = _expected(pit, order, terms, quote)
    unit = worst * pit.tick_of_lot
    if order.quantity is None:
        budget = order.budget or 0
        quantity = budget // unit * pit.lot_units if unit else 0
        return Estimate(pit, quantity, budget, budget, worst, middle)
    notional = order.quantity // pit.lot_units * unit
    needed = notional + fee_on(notional, floor.dearer) + 10 if buying else 0
    return Estimate(pit, order.quantity, notional, needed, worst, middle)


def _expected(pit: Pit, order: BookedOrder, terms: Terms, quote: Quote) -> tuple[int, int]:
    """The worst price, and the middle to hold it against: of an order that waits for a trigger, from there."""
    best = quote.ask if order.side is Side.BUY else quote.bid
    if order.type not in TRIGGERED or terms.triggered_at is not None:
        return worst_for(pit, order, terms, best), quote.middle
    level = trigger_of(order, terms, pit.tick).level(best)
    return worst_for(pit, order, terms, level), level


def worst_for(pit: Pit, order: BookedOrder, terms: Terms, best: int) -> int:
    """The limit, and for a market order the best price with its slippage, to whole ticks on the near side."""
    limit = None if order.limit_price is None else int(order.limit_price / pit.tick)
    if limit is not None and order.type in LIMITED:
        return limit
    slippage = SLIPPAGE_BPS if terms.slippage_bps is None else terms.slippage_bps
    buying = order.side is Side.BUY
    worst = worst_at_market(buying, best, slippage)
    if limit is None:
        return worst
    return min(worst, limit) if buying else max(worst, limit)


def worst_at_market(buying: bool, best: int, slippage: int = SLIPPAGE_BPS) -> int:
    """The best price with the slippage it may have, to whole ticks on the near side."""
    if buying:
        return best * (BPS + slippage) // BPS
    return max(1, -(-best * (BPS - slippage) // BPS))
