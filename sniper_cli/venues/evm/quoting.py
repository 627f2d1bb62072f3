"""What pools would pay now: one batch of reads, then the pair's own arithmetic.

For those who watch a price rather than trade at it: a stop, a resting limit, a condition. The middle is the ratio of
the reserves; the price of an order is what all of it would pay or bring on average, fee and impact in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, amount_in, amount_out
from sniper_cli.trading.listings import Listing
from sniper_cli.venues.evm.instruments import token_of
from sniper_cli.venues.venue import Asked, Quoted
from state.orders import Side

DIGITS = Context(prec=36)


async def read_quotes(node: Node, exchange: Exchange, asked: Sequence[Asked]) -> list[Quoted | None]:
    """What each would get; None where there is no pool, or nothing in it. Raises NetworkError."""
    pools = list(dict.fromkeys(str(one.listing.pool) for one in asked))
    calls = [("eth_call", [{"to": pool, "data": abi.CALL_GET_RESERVES}, "latest"]) for pool in pools]
    answers = dict(zip(pools, await node.batch(calls, return_errors=True) if calls else (), strict=True))
    return [_quoted(exchange, one, answers[str(one.listing.pool)]) for one in asked]


def _quoted(exchange: Exchange, asked: Asked, answer: object) -> Quoted | None:
    if not isinstance(answer, str) or len(answer) < 2 + 64 * 2:
        return None
    first, second = abi.reserves(answer)
    token = token_of(asked.listing.instrument)
    coins, tokens = (first, second) if int(exchange.wrapped, 16) < int(token, 16) else (second, first)
    if not coins or not tokens:
        return None
    middle = _price(asked.listing, coins, tokens)
    try:
        return Quoted(middle, _average(asked, coins, tokens))
    except ImpossibleSwap:
        return Quoted(middle, None)


def _average(asked: Asked, coins: int, tokens: int) -> Decimal:
    """What the order pays or brings, a unit."""
    if asked.side is Side.SELL:
        quantity = asked.quantity or 0
        return _price(asked.listing, amount_out(quantity, Reserves(tokens, coins)), quantity)
    pool = Reserves(coins, tokens)
    if asked.quantity is not None:
        return _price(asked.listing, amount_in(asked.quantity, pool), asked.quantity)
    budget = asked.budget or 0
    return _price(asked.listing, budget, amount_out(budget, pool))


def _price(listing: Listing, quote: int, base: int) -> Decimal:
    """Quote per base in whole assets."""
    return DIGITS.divide(listing.quote.amount(quote), listing.base.amount(base))
