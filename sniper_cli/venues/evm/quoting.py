"""What pools would pay now: one batch of reads, then each pool's own arithmetic.

For those who watch a price rather than trade at it: a stop, a resting limit, a condition. The middle is the price of
the pool's state; the price of an order is what all of it would pay or bring on average, fee and impact in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.pools.following import Sights
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.trading.listings import Listing
from sniper_cli.venues.evm.instruments import pool_of
from sniper_cli.venues.venue import Asked, Quoted
from state.orders import Side

DIGITS = Context(prec=36)


async def read_quotes(
    node: Node, sights: Sights, exchanges: Exchanges, asked: Sequence[Asked]
) -> list[Quoted | None]:
    """What each would get; None where there is no pool, or nothing in it. Raises NetworkError, OrderRefused."""
    if not asked:
        return []
    pools = {one.listing.id: pool_of(one.listing.instrument, exchanges) for one in asked}
    seen = await sights.look(node, list(pools.values()))
    sides = dict(zip(pools, seen.sides, strict=True))
    return [_quoted(one, sides[one.listing.id]) for one in asked]


def _quoted(asked: Asked, side: PoolSide | None) -> Quoted | None:
    if side is None or not side.coming or not side.going:
        return None
    middle = _price(asked.listing, side.coming, side.going)
    try:
        return Quoted(middle, _average(asked, side))
    except ImpossibleSwap:
        return Quoted(middle, None)


def _average(asked: Asked, side: PoolSide) -> Decimal:
    """What the order pays or brings, a unit."""
    if asked.side is Side.SELL:
        quantity = asked.quantity or 0
        return _price(asked.listing, side.reversed.pays(quantity), quantity)
    if asked.quantity is not None:
        return _price(asked.listing, side.asks(asked.quantity), asked.quantity)
    budget = asked.budget or 0
    return _price(asked.listing, budget, side.pays(budget))


def _price(listing: Listing, quote: int, base: int) -> Decimal:
    """Quote per base in whole assets."""
    return DIGITS.divide(listing.quote.amount(quote), listing.base.amount(base))
