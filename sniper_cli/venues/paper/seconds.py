"""What a second of the market does to an account's orders, as the replay of the price's path meets it.

Triggers go off and trail along by the middle price; held orders see their price come; and what rests is traded through
when the other side of the second's market reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import Terms, terms_of
from sniper_cli.venues.paper.floor import Floor, Happening
from sniper_cli.venues.paper.matching import Execution, fee_on
from sniper_cli.venues.paper.pit import Pit
from state.orders import OrderState, Side, TimeInForce

MARKET = "market"
"""Who trades with our resting orders."""


def touch(floor: Floor, instrument_id: str, step: int) -> Iterator[Happening]:
    """What the second does to the instrument's orders: triggers in the order of their recording, then what rests.

    One thing at a time: what the caller makes of it (a sibling cancelled, a new order) counts for the next.
    """
    pit = floor.pit(instrument_id)
    middle = pit.path.ticks(step)
    for key in sorted(pit.triggers):
        trigger = pit.triggers.get(key)
        order = floor.book.orders.get(key)
        if trigger is None or order is None:
            continue
        best = trigger.best
        if trigger.touched(middle):
            floor.moved.discard(key)
            yield floor.go_off(pit, order, trigger.terms(terms_of(order), pit.tick), step)
        elif trigger.best != best:
            floor.moved.add(key)
    yield from _traded_through(floor, pit, step)


def expected(floor: Floor, instrument_id: str, step: int) -> list[BookedOrder]:
    """Orders held for a price of this instrument that has come, in the order of their recording."""
    pit = floor.pit(instrument_id)
    middle = pit.path.ticks(step)
    keys = sorted(key for key, prices in pit.waiting.items() if prices.holds(middle))
    return [order for key in keys if (order := floor.book.orders.get(key)) is not None]


def trails(floor: Floor) -> list[tuple[BookedOrder, Terms]]:
    """What trailing stops have seen and nobody has written yet."""
    found = []
    for key in sorted(floor.moved):
        order = floor.book.orders.get(key)
        pit = None if order is None else floor.pit(order.instrument_id)
        trigger = None if pit is None else pit.triggers.get(key)
        if order is not None and pit is not None and trigger is not None:
            found.append((order, trigger.terms(terms_of(order), pit.tick)))
    floor.moved.clear()
    return found


def _traded_through(floor: Floor, pit: Pit, step: int) -> Iterator[Happening]:
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
                yield _gave(floor, pit, str(maker.id), maker.price, lots, step, renewed=renewed)
            else:
                continue
            break


def _gave(floor: Floor, pit: Pit, key: str, ticks: int, lots: int, step: int, *, renewed: bool) -> Happening:
    """A trade of what rested; an iceberg whose slice is gone shows the next one, behind all others."""
    order = floor.book.orders[key]
    notional = ticks * lots * pit.tick_of_lot
    one = Execution(step, 0, ticks, lots, notional, fee_on(notional, floor.conditions.fees.maker_bps), True)
    over = None
    if order.quantity is None and key not in pit.resting:
        over = OrderState.FILLED
    terms = None
    if renewed:
        filled = order.filled_quantity + lots * pit.lot_units
        terms = msgspec.structs.replace(terms_of(order), slice=filled, queued=floor.moment(step))
    return Happening(key, (one,), over, terms=terms)
