"""The walk of a plain order, unrolled: a limit or market order with a quantity and no terms of its own.

It is the same walk as `LocalWalk.walk`, step for step and to the letter of what is recorded (a property test holds the
two against each other); only nothing is called that such an order does not need. A thousand of them in a batch are
why: a call costs 0.1 µs, an enum's `value` 0.06 µs, a Decimal's operation 0.2 µs, and the general walk has 120 of them.
Whatever is out of the ordinary (a check that fails, a switch, a name already used) is left to the general walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sniper_cli.books.events import EMPTY, Recorded
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.trades import tell_fill
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import NO_TERMS, OrderIntent
from sniper_cli.venues.paper.estimating import worst_at_market
from state.columns import canonical
from state.identifiers import new_key
from state.orders import OrderState, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.trading.local import LocalWalk

SECOND = 1_000_000

NARROW = 2**53
"""Numbers from here on are written as text: such an order is not plain."""

_BUY, _LIMIT, _MARKET = Side.BUY, OrderType.LIMIT, OrderType.MARKET
_GTC, _IOC, _FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
_OPEN = OrderState.OPEN
_ENCODE = msgspec.json.Encoder().encode


def walk_plain(  # noqa: PLR0911, PLR0912, PLR0915 - written out on purpose: see above
    walk: LocalWalk, intent: OrderIntent
) -> BookedOrder | None:
    """Place a plain order; None where the general walk has to look at it. Nothing has been written then."""
    if (
        intent.terms is not None
        or intent.quantity is None
        or intent.budget is not None
        or intent.position_id is not None
        or intent.parent_id is not None
        or walk.floor.conditions.latency_ms
        or walk.switches
        or walk.page.fence is not None
    ):
        return None
    kind, tif, side, price = intent.type, intent.time_in_force, intent.side, intent.limit_price
    if (kind is not _LIMIT and kind is not _MARKET) or (
        tif is not _GTC and tif is not _IOC and tif is not _FOK
    ):
        return None
    page, book = walk.page, walk.book
    client_id = intent.client_order_id
    if client_id <= book.last_client_id and book.known(client_id) is not None:
        return None
    listing = walk.listings.get(intent.instrument_id)
    if listing is None or listing.venue is not walk.kind or not listing.lot:
        return None
    quantity = intent.quantity
    lots, rest = divmod(quantity, listing.lot)
    if lots <= 0 or rest:
        return None
    floor, step = walk.floor, walk.step
    pit = floor.pit(intent.instrument_id)
    quote = pit.quoted if pit.quoted.step == step else pit.quote(step)
    buying = side is _BUY
    if kind is _LIMIT:
        if price is None:
            return None
        ticks, rest_price = divmod(price, pit.tick)
        worst = int(ticks)
        if worst <= 0 or rest_price:
            return None
    elif price is not None:
        return None
    else:
        worst = worst_at_market(buying, quote.ask if buying else quote.bid)
    notional = lots * worst * pit.tick_of_lot
    least, most = listing.minimum_notional, listing.maximum_notional
    if (
        (least is not None and notional < least)
        or (most is not None and notional > most)
        or notional >= NARROW
    ):
        return None

    passed: list[Figure] = [("instrument",), ("kill_switch",), ("quantity",)]
    if least is not None:
        passed.append(("minimum_notional", notional, least))
    needed = notional + -(-notional * floor.dearer // 10_000) + 10 if buying else 0
    if walk.limiter is not None:
        proposal = Proposal(
            intent, listing, quantity, notional, worst, quote.middle, pit.tick, page.now, needed
        )
        more, failed = walk.limiter.examine(book, proposal)
        if failed:
            return None
        passed += more
    if buying:
        if not book.margin:
            quote_id = listing.quote_id
            available = book.cash.get(quote_id, 0) - book.reserved.get(quote_id, 0)
            if needed > available or available >= NARROW:
                return None
            passed.append(("funds", needed, available))
    elif not book.margin:
        free = book.cash.get(listing.base_id, 0) - book.selling.get(intent.instrument_id, 0)
        if quantity > free or free >= NARROW:
            return None
        passed.append(("holdings", quantity, free))

    checks = _ENCODE(passed)
    reason = canonical(intent.reason) if intent.reason else None
    launch = None if intent.launch_id is None else intent.launch_id.hex
    parent = None if intent.parent_id is None else intent.parent_id.hex
    key, now = new_key(), page.now
    order = BookedOrder(
        key,
        client_id,
        intent.instrument_id,
        side,
        kind,
        tif,
        quantity,
        None,
        price,
        _OPEN,
        needed,
        now,
        checks.decode(),
        "{}" if reason is None else reason,
        None,
        None,
        None,
        None,
        launch,
        intent.strategy,
        parent,
        0,
        0,
        0,
        0,
        page.seq,
        book.account_key,
    )
    book.add(order)
    page.events.append(
        Recorded(
            key,
            client_id,
            intent.instrument_id,
            side._value_,
            kind._value_,
            tif._value_,
            quantity,
            None,
            None if price is None else format(price, "f"),
            "open",
            needed,
            now,
            msgspec.Raw(checks),
            EMPTY if reason is None else msgspec.Raw(reason.encode()),
            None,
            None,
            None,
            None,
            launch,
            intent.strategy,
            parent,
        )
    )
    if kind is _LIMIT and tif is _GTC and ((worst < quote.ask) if buying else (worst > quote.bid)):
        happening = floor.rest(pit, order, NO_TERMS, worst, lots)
        if happening is None:
            return order
    else:
        one = floor.takes_at_once(pit, buying, worst, lots, step)
        if one is not None:
            page.add(
                tell_fill(book, order, f"{step}:0", quantity, one.notional, listing.quote_id, one.fee, now)
            )
            if walk.ties.busy:
                walk.tell(order, now, quantity)
            return order
        happening = floor.place(order, NO_TERMS, step)
    walk.apply(happening, now)
    return order
