"""What of an order's terms makes no sense together, said so that the person knows which word to change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sniper_cli.trading.amounts import spelled
from sniper_cli.trading.conditions import POSITIONS
from sniper_cli.trading.intents import NO_TERMS, OrderIntent, Terms
from sniper_cli.trading.listings import Listing
from state.orders import RESTING, TRIGGERED, OrderType, Side, TimeInForce

LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
BPS = 10_000


def senseless(intent: OrderIntent, listing: Listing) -> str | None:
    """The first thing that does not go together, if any."""
    terms = intent.terms or NO_TERMS
    for rule in (
        _trigger,
        _trail,
        _price,
        _resting,
        _display,
        _reducing,
        _expiry,
        _waiting,
        _condition,
        _group,
    ):
        problem = next(rule(intent, terms, listing), None)
        if problem is not None:
            return problem
    return None


Problems = Iterator[str]


def _name(intent: OrderIntent) -> str:
    word = intent.type.value.replace("_", " ")
    return word if intent.type in (OrderType.STOP, OrderType.TRAILING_STOP) else f"{word} order"


def _trigger(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    fixed = intent.type in TRIGGERED and intent.type is not OrderType.TRAILING_STOP
    if fixed and terms.trigger_price is None:
        yield f"a {_name(intent)} says its trigger price"
    if not fixed and terms.trigger_price is not None and terms.best_price is None:
        yield f"a {_name(intent)} has no trigger; stop, stop limit and take profit have one"


def _trail(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    trailing = intent.type is OrderType.TRAILING_STOP
    ways = (terms.trail_amount is not None) + (terms.trail_bps is not None)
    if trailing and ways != 1:
        yield "a trailing stop says either an amount or a share to stay behind"
    if not trailing and (ways or terms.activation_price is not None):
        yield f"a {_name(intent)} does not trail; a trailing stop does"
    if terms.trail_bps is not None and not 0 < terms.trail_bps < BPS:
        yield "a trailing stop stays behind by more than 0 % and less than 100 %"


def _price(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    if intent.limit_price is None or intent.type in (*LIMITED, OrderType.MARKET):
        return
    yield f"a {_name(intent)} trades at the market and has no limit; a stop limit has"
    del terms


def _resting(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    rests = intent.type in LIMITED and intent.time_in_force in RESTING
    if terms.post_only and intent.type not in LIMITED:
        yield f"post-only means to rest, and a {_name(intent)} never rests; a limit order does"
    if terms.post_only and not rests:
        yield f"post-only means to rest, and {intent.time_in_force.value.upper()} means not to"


def _display(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    if terms.display is None:
        return
    if intent.type not in LIMITED or intent.time_in_force not in RESTING:
        yield "an iceberg rests: it is a limit order that is good till cancelled, till a date or for the day"
    if intent.quantity is None:
        yield "an iceberg says its quantity"
    elif not 0 < terms.display < intent.quantity:
        yield f"an iceberg shows more than nothing and less than its {spelled(listing.base, intent.quantity)}"
    if listing.lot and terms.display % listing.lot:
        nearest = max(listing.lot, terms.display - terms.display % listing.lot)
        yield (
            f"what an iceberg shows must be a multiple of {spelled(listing.base, listing.lot)}; "
            f"the nearest is {spelled(listing.base, nearest)}"
        )


def _reducing(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    if terms.reduce_only and intent.budget is not None:
        yield "reduce-only is about what is held: say how much of it, not how much to spend"


def _expiry(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    tif, held = intent.time_in_force, _held(terms) or intent.type in TRIGGERED
    if tif is TimeInForce.GTD and terms.expires_at is None:
        yield "good till a date says the date"
    if tif in (TimeInForce.IOC, TimeInForce.FOK) and terms.expires_at is not None and not held:
        yield f"{tif.value.upper()} ends at once and has no date"
    if tif in (TimeInForce.GTD, TimeInForce.DAY) and intent.type is OrderType.MARKET and not held:
        yield "a market order ends at once; a limit order can be good till a date"
    if terms.expires_at is not None and terms.starts_at is not None and terms.expires_at <= terms.starts_at:
        yield "it would end before it starts"


def _held(terms: Terms) -> bool:
    return (
        terms.starts_at is not None
        or terms.condition is not None
        or terms.after is not None
        or terms.ladder is not None
    )


def _waiting(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del intent, listing
    if terms.after is not None and (terms.starts_at is not None or terms.condition is not None):
        yield "what follows another order's fill waits for nothing else"
    if terms.ladder is not None and (terms.after is not None or terms.condition is not None):
        yield "a ladder's parent waits for nothing: its orders do"


def _condition(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del intent, listing
    condition = terms.condition
    if condition is None:
        return
    if condition.above is None and condition.below is None and condition.position is None:
        yield "a condition says a price above or below, or what position there must be"
    if any(price is not None and price <= Decimal(0) for price in (condition.above, condition.below)):
        yield "the price of a condition must be above zero"
    if condition.above is not None and condition.below is not None and condition.above > condition.below:
        yield f"no price is at {condition.above:f} or above and at {condition.below:f} or below"
    if condition.position is not None and condition.position not in POSITIONS:
        yield f"a position is {', '.join(POSITIONS[:-1])} or {POSITIONS[-1]}, not {condition.position!r}"


def _group(intent: OrderIntent, terms: Terms, listing: Listing) -> Problems:
    del listing
    if terms.cancels is not None and intent.budget is not None:
        yield "orders that cancel each other say how much, not how much to spend"
    if intent.side is Side.SELL and intent.budget is not None:
        yield "a sale says how much to sell"
