"""What a route between two tokens would bring, for a command: looked up, quoted, tried, and put into words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import NotFound, OrderRefused, UsageProblem
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pricing.concentrated import ConcentratedPool
from sniper_cli.pricing.constant_product import BPS, ImpossibleSwap, Reserves
from sniper_cli.pricing.sides import ConcentratedSide
from sniper_cli.pricing.splitting import Leg
from sniper_cli.routing.calls import Errand, route_call
from sniper_cli.routing.market import Market, read_market
from sniper_cli.routing.quoting import RouteQuote, best_route
from sniper_cli.routing.tokens import COIN_DECIMALS, Token, address_meant, read_tokens
from sniper_cli.routing.trying import Tried, first_that_works, try_route
from sniper_cli.routing.universal import currency_of

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchanges
    from sniper_cli.chains.node import Node
    from sniper_cli.context import Context

GWEI = 10**9
DEADLINE_SECONDS = 120
STAND_IN = "0x00000000000000000000000000000000000a11ce"
"""Who pays with coins in a simulation where nobody is named."""


@dataclass(frozen=True, slots=True)
class RouteQuestion:
    """What a command asks: tokens by address, or the chain's coin by its name; the amount in whole units."""

    token_in: str
    token_out: str
    amount: str
    via: tuple[str, ...] = ()
    """Further tokens by whose pools the route may lead."""
    holder: str | None = None
    """Who would trade: an address or a wallet's name."""
    splits: bool = True
    hops: int = 3
    slippage_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A route as it was quoted and tried."""

    quote: RouteQuote
    token_in: Token
    token_out: Token
    names: Mapping[str, Token]
    errand: Errand
    tried: Tried
    slippage_bps: int
    holder: str | None


def quote_route(question: RouteQuestion, profile: str | None) -> dict[str, Any]:
    """The best route, its legs, its transaction and what a simulation says of it.

    Raises UsageProblem, NotFound, OrderRefused, ConfigurationError, NetworkError.
    """
    from sniper_cli.context import open_context

    with open_context(profile, needs_schema=False) as context:
        answer = asyncio.run(_answered(context, question))
    return _in_words(answer, context.settings.chain.coin)


def list_pools(tokens: tuple[str, ...], profile: str | None) -> list[dict[str, Any]]:
    """The pools between any two of some tokens and the wrapped coin, as they stand at the latest block.

    Raises UsageProblem, NotFound, ConfigurationError, NetworkError.
    """
    from sniper_cli.context import open_context

    with open_context(profile, needs_schema=False) as context:
        return asyncio.run(_pools(context, tokens))


async def _pools(context: Context, tokens: tuple[str, ...]) -> list[dict[str, Any]]:
    async with _open(context) as (node, exchanges):
        wanted = [exchanges.wrapped, *(address_meant(word, exchanges)[0] for word in tokens)]
        market = await read_market(node, exchanges, wanted)
        names = await read_tokens(node, wanted, market.head.number)
    names[ZERO_ADDRESS] = Token(ZERO_ADDRESS, exchanges.coin, COIN_DECIMALS)
    return [_pool_row(pool, market, names) for pool in market.known.values()]


def _pool_row(pool: Pool, market: Market, names: Mapping[str, Token]) -> dict[str, Any]:
    first, second = (names[token] for token in pool.currencies)
    state = market.pools[pool.id].state
    side = ConcentratedSide(state, zero_for_one=True) if isinstance(state, ConcentratedPool) else state
    assert isinstance(side, ConcentratedSide | Reserves)
    return {
        "protocol": pool.protocol.value,
        "exchange": pool.exchange.name,
        "fee": pool.fee,
        "pool": pool.id,
        "token0": first.address,
        "symbol0": first.symbol,
        "depth0": first.spelled(side.coming),
        "token1": second.address,
        "symbol1": second.symbol,
        "depth1": second.spelled(side.going),
        "block_number": market.head.number,
    }


@asynccontextmanager
async def _open(context: Context) -> AsyncIterator[tuple[Node, Exchanges]]:
    """The profile's node and exchanges."""
    from sniper_cli.chains.exchange import exchanges_from
    from sniper_cli.endpoints.assembly import nodes_from

    exchanges = exchanges_from(context.settings.chain, context.paths)
    async with nodes_from(context.resolved, context.paths, context.database) as node:
        await node.check_chain(exchanges.chain_id)
        yield node, exchanges


async def _answered(context: Context, question: RouteQuestion) -> Answer:
    holder = _holder(context, question.holder)
    async with _open(context) as (node, exchanges):
        return await answer(
            node,
            exchanges,
            question,
            bases=context.settings.chain.bases,
            priority_fee=int(context.settings.sniping.priority_fee_gwei * GWEI),
            slippage_bps=context.settings.sniping.slippage_bps,
            holder=holder,
        )


async def answer(
    node: Node,
    exchanges: Exchanges,
    question: RouteQuestion,
    *,
    bases: tuple[str, ...] = (),
    priority_fee: int = 0,
    slippage_bps: int = 0,
    holder: str | None = None,
) -> Answer:
    """Look up, quote and try. Raises UsageProblem, NotFound, OrderRefused, NetworkError."""
    (into, coin_in), (out, coin_out) = (
        address_meant(word, exchanges) for word in (question.token_in, question.token_out)
    )
    if into == out:
        raise UsageProblem("both are the same token", hint="sniper route quote --help")
    others = [address_meant(word, exchanges)[0] for word in (*bases, *question.via)]
    market = await read_market(node, exchanges, [into, out, exchanges.wrapped, *others])
    names = await read_tokens(node, [into, out, exchanges.wrapped, *others], market.head.number)
    names[ZERO_ADDRESS] = Token(ZERO_ADDRESS, exchanges.coin, COIN_DECIMALS, coin=True)
    token_in, token_out = (
        replace(names[address], symbol=exchanges.coin, coin=True) if coin else names[address]
        for address, coin in ((into, coin_in), (out, coin_out))
    )
    if not market.pools:
        raise NotFound(
            f"no exchange of this chain has a pool between {token_in.symbol} and {token_out.symbol}",
            hint="sniper route quote … --via TOKEN",
        )
    amount, slippage = token_in.units(question.amount), _slippage(question, slippage_bps)

    async def attempt(market: Market) -> tuple[RouteQuote, Tried, Errand]:
        quote = best_route(
            market,
            token_in.address,
            token_out.address,
            amount,
            wrapped=exchanges.wrapped,
            gas_price=market.head.base_fee + priority_fee,
            splits=question.splits,
            most_hops=question.hops,
        )
        deadline = market.head.timestamp + DEADLINE_SECONDS
        errand = Errand(holder or STAND_IN, quote.least(slippage), deadline, coin_in, coin_out)
        tried = await _tried(node, quote, errand, token_in, token_out, named=holder is not None)
        return quote, tried, errand

    try:
        quote, tried, errand = await first_that_works(market, attempt)
    except ImpossibleSwap as impossible:
        raise OrderRefused(
            f"no route takes {question.amount} {token_in.symbol}: {impossible}",
            hint="sniper route quote … --via TOKEN",
            pools=len(market.pools),
        ) from impossible
    return Answer(quote, token_in, token_out, names, errand, tried, slippage, holder)


def _slippage(question: RouteQuestion, usual: int) -> int:
    return usual if question.slippage_bps is None else question.slippage_bps


async def _tried(
    node: Node, quote: RouteQuote, errand: Errand, token_in: Token, token_out: Token, *, named: bool
) -> Tried:
    if not named and not errand.coin_in:
        return Tried(None, words="nobody is named who holds the amount (--holder)")
    # Without the least: what arrives shall be seen where it is less, too.
    call = route_call(quote.reach, quote.split, quote.market.known, replace(errand, least=0))
    return await try_route(
        node,
        quote.reach,
        call,
        errand,
        token_in.address,
        token_out.address,
        quote.split.amount_in,
        quote.market.head.number,
    )


def _holder(context: Context, named: str | None) -> str | None:
    """The address that would trade: who is named, else the profile's wallet where there is one. Raises NotFound."""
    from sniper_cli.secrets.wallets import address_of

    if named:
        return address_of(context.paths, named).lower()
    try:
        return address_of(context.paths, context.settings.wallet).lower()
    except NotFound:  # a quote needs no wallet
        return None


def _in_words(answer: Answer, coin: str) -> dict[str, Any]:
    quote, token_in, token_out = answer.quote, answer.token_in, answer.token_out
    split, market = quote.split, quote.market
    coins = Token("", coin, COIN_DECIMALS)
    tried = answer.tried
    call = route_call(quote.reach, split, market.known, answer.errand)
    return {
        "token_in": token_in.address,
        "symbol_in": token_in.symbol,
        "token_out": token_out.address,
        "symbol_out": token_out.symbol,
        "amount_in": token_in.spelled(split.amount_in),
        "amount_out": token_out.spelled(split.amount_out),
        "least_out": token_out.spelled(answer.errand.least),
        "slippage_bps": answer.slippage_bps,
        "single_out": token_out.spelled(quote.single.amount_out) if quote.single else None,
        "gain_bps": quote.gain_bps,
        "gas": tried.gas or quote.gas,
        "gas_cost": coins.spelled((tried.gas or quote.gas) * quote.gas_price),
        "gas_counted": quote.priced_gas,
        "simulated_out": None if tried.arrived is None else token_out.spelled(tried.arrived),
        "simulation": _verdict(tried, split.amount_out, answer.errand.least),
        "legs": [_leg(leg, answer) for leg in split.legs],
        "pools_seen": len(market.pools),
        "block_number": market.head.number,
        "block_hash": market.head.hash,
        "router": quote.reach.router,
        "holder": answer.holder,
        "call": {"to": call.to, "data": call.data, "value": str(call.value)} if answer.holder else None,
    }


def _verdict(tried: Tried, promised: int, least: int) -> str:
    """What the simulation says of the quote."""
    if tried.arrived is None:
        return tried.words
    if tried.arrived < least:
        return "less arrives than the least: it would revert"
    return "as quoted" if tried.arrived == promised else "a token takes a tax, or gives something away"


def _leg(leg: Leg, answer: Answer) -> dict[str, Any]:
    names, known = answer.names, answer.quote.market.known
    amounts = (leg.amount_in, *leg.paid)
    return {
        "share_bps": leg.amount_in * BPS // answer.quote.split.amount_in,
        "amount_in": answer.token_in.spelled(leg.amount_in),
        "amount_out": answer.token_out.spelled(leg.amount_out),
        "hops": [
            {
                "protocol": known[hop.pool].protocol.value,
                "exchange": known[hop.pool].exchange.name,
                "pool": hop.pool,
                "fee": known[hop.pool].fee,
                "token_in": currency_of(known[hop.pool], hop.token_in),
                "symbol_in": names[currency_of(known[hop.pool], hop.token_in)].symbol,
                "amount_in": names[hop.token_in].spelled(coming),
                "token_out": currency_of(known[hop.pool], hop.token_out),
                "symbol_out": names[currency_of(known[hop.pool], hop.token_out)].symbol,
                "amount_out": names[hop.token_out].spelled(going),
            }
            for hop, coming, going in zip(leg.path.hops, amounts, amounts[1:], strict=False)
        ],
    }
