"""Routes through pools of v4 on the real contracts: one transaction of UniversalRouter pays what was quoted."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import pytest

from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import ZERO_ADDRESS
from sniper_cli.pools.swaps import SwapCall
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.routes import Hop, Path, paths_between
from sniper_cli.pricing.splitting import Split, executed
from sniper_cli.routing.calls import Errand, coins_moved, route_call
from sniper_cli.routing.market import Market, Reach, read_market
from sniper_cli.routing.quoting import best_route
from sniper_cli.routing.trying import arrived, try_route
from tests import zoo
from tests.chain_fixtures import Chain
from tests.route_zoo import Tokens, list_all, list_on_v4_too

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
GWEI = 10**9
TRADER = zoo.anvil_account(9)
"""Who made the tokens holds some of each."""
OWNER = TRADER.address.lower()


class Part(NamedTuple):
    """A leg: its weight, its pools by protocol, fee and whether of the coin unwrapped, and the tokens on the way."""

    weight: int
    pools: tuple[tuple[Protocol, int, bool], ...]
    way: tuple[str, ...]


V2 = (Protocol.V2, 3000, False)
V3 = (Protocol.V3, 500, False)
DIRECT = (Protocol.V4, 500, False)
COIN_FIRST, COIN_SECOND = (Protocol.V4, 500, True), (Protocol.V4, 3000, True)
WRAPPED_FIRST, WRAPPED_SECOND = (Protocol.V4, 3000, False), (Protocol.V4, 500, False)
STRAIGHT = ("first", "second")
OVER = ("first", "coin", "second")
ROUTES: dict[str, tuple[Part, ...]] = {
    "one pool of v4": (Part(1, (DIRECT,), STRAIGHT),),
    "V2, then v4 with the coin unwrapped": (Part(1, (V2, COIN_SECOND), OVER),),
    "v4, then V3 with the coin wrapped": (Part(1, (COIN_FIRST, V3), OVER),),
    "V3, then v4 of the wrapped coin": (Part(1, (V3, WRAPPED_SECOND), OVER),),
    "two of v4 by one command": (Part(1, (COIN_FIRST, COIN_SECOND), OVER),),
    "two of v4, the coin wrapped between them": (Part(1, (COIN_FIRST, WRAPPED_SECOND), OVER),),
    "two of v4, the coin unwrapped between them": (Part(1, (WRAPPED_FIRST, COIN_SECOND), OVER),),
    "divided over all three": (
        Part(2, (V2,), STRAIGHT),
        Part(3, (V3,), STRAIGHT),
        Part(4, (DIRECT,), STRAIGHT),
        Part(1, (V2, COIN_SECOND), OVER),
        Part(1, (COIN_FIRST, V2), OVER),
    ),
    "coins wrapped by their holder into unwrapped ones": (
        Part(1, (COIN_SECOND,), ("coin", "second")),
        Part(2, (WRAPPED_SECOND,), ("coin", "second")),
        Part(1, (COIN_FIRST, DIRECT), ("coin", "first", "second")),
    ),
    "wrapped coins come out of an unwrapped pool": (Part(1, (COIN_FIRST,), ("first", "coin")),),
    "wrapped coins come out of both": (
        Part(1, (COIN_FIRST,), ("first", "coin")),
        Part(1, (WRAPPED_FIRST,), ("first", "coin")),
    ),
}


def along(market: Market, tokens: Tokens, route: str, amount: int) -> Split:
    """One of the routes by its name, its parts of the amount, on the market's pools."""
    whole = sum(part.weight for part in ROUTES[route])
    shares = []
    for part in ROUTES[route]:
        way = [getattr(tokens, name) for name in part.way]
        hops = [
            Hop(pool_of(market, kind, one, other), one, other)
            for kind, one, other in zip(part.pools, way, way[1:], strict=False)
        ]
        shares.append((Path(tuple(hops)), amount * part.weight // whole))
    return executed(shares, market.pools)


def pool_of(market: Market, kind: tuple[Protocol, int, bool], one: str, other: str) -> str:
    (found,) = [
        pool.id
        for pool in market.known.values()
        if (pool.protocol, pool.fee, ZERO_ADDRESS in pool.currencies) == kind
        and set(market.pools[pool.id].tokens) == {one, other}
    ]
    return found


async def read(chain: Chain, tokens: Tokens) -> tuple[Market, Reach]:
    """The market, and the router that deals in v4."""
    market = await read_market(chain.node, chain.exchanges, [tokens.first, tokens.second, tokens.coin])
    return market, market.reaches[-1]


async def prepared(chain: Chain) -> tuple[Tokens, Market, Reach]:
    tokens = await list_all(chain)
    await list_on_v4_too(chain, tokens)
    return tokens, *await read(chain, tokens)


async def sent(chain: Chain, call: SwapCall) -> dict[str, Any]:
    done = await zoo.transact(chain.node, TRADER, call.to, call.data, call.value)
    assert done.ok
    receipt: dict[str, Any] = await chain.node.call("eth_getTransactionReceipt", [done.hash])
    return receipt


async def allow(chain: Chain, reach: Reach, token: str, amount: int) -> None:
    for call in swaps.approval_calls(reach.taking(token), OWNER, amount):
        await sent(chain, call)


async def held(chain: Chain, token: str, of: str = OWNER) -> int:
    return await zoo.balance_of(chain.node, token, of)


async def coins(chain: Chain, of: str = OWNER) -> int:
    return int(await chain.node.call("eth_getBalance", [of, "latest"]), 16)


def gas_of(receipt: dict[str, Any]) -> int:
    return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)


async def test_which_pools_and_which_router(anvil: Chain) -> None:
    """A manager keeps no list, a router says nothing: by the ids of the usual keys, and by the router's code."""
    tokens, market, reach = await prepared(anvil)

    fourth = [pool for pool in market.known.values() if pool.protocol is Protocol.V4]
    assert len(fourth) == 5
    assert {market.pools[pool.id].tokens for pool in fourth if ZERO_ADDRESS in pool.currencies} == {
        (tokens.coin, tokens.first),
        (tokens.coin, tokens.second),
    }
    assert (reach.router, reach.factories) == (
        anvil.v4.router,
        {anvil.exchange.factory, anvil.v3.factory, anvil.v4.factory},
    )
    assert [each.router for each in market.reaches] == [anvil.v3.router, anvil.v4.router]

    # What needs no v4 goes as it did, without Permit2's approval.
    hop = Hop(pool_of(market, V2, tokens.first, tokens.second), tokens.first, tokens.second)
    plain = executed([(Path((hop,)), ONE)], market.pools)
    fourth_alone = along(market, tokens, "one pool of v4", ONE)
    assert [each.trades(plain, market.known) for each in market.reaches] == [True, True]
    assert [each.trades(fourth_alone, market.known) for each in market.reaches] == [False, True]
    without = market.without(reach)
    for one, router in ((market, anvil.v4.router), (without, anvil.v3.router)):
        quote = best_route(
            one, tokens.first, tokens.second, 20_000 * ONE, wrapped=tokens.coin, gas_price=GWEI
        )
        assert quote.reach.router == router


async def test_every_route_pays_what_was_quoted(anvil: Chain) -> None:
    """One chain for all of them: each is quoted on the pools as the one before left them."""
    tokens, _, _ = await prepared(anvil)
    for route, parts in ROUTES.items():
        token_in, token_out = (getattr(tokens, parts[0].way[end]) for end in (0, -1))
        for amount in (ONE // 7, 5 * ONE) if token_in == tokens.coin else (ONE, 2_500 * ONE):
            market, reach = await read(anvil, tokens)
            split = along(market, tokens, route, amount)
            terms = Errand(OWNER, split.amount_out, zoo.FOREVER)
            call = route_call(reach, split, market.known, terms)
            tried = await try_route(
                anvil.node, reach, call, terms, token_in, token_out, split.amount_in, market.head.number
            )
            await allow(anvil, reach, token_in, split.amount_in)
            before = await held(anvil, token_in), await held(anvil, token_out)
            receipt = await sent(anvil, call)
            after = await held(anvil, token_in), await held(anvil, token_out)

            assert (before[0] - after[0], after[1] - before[1]) == (split.amount_in, split.amount_out), route
            assert (tried.arrived, tried.words) == (split.amount_out, ""), route
            assert arrived(receipt["logs"], call.to, terms, token_out) == split.amount_out, route
    for token in (tokens.coin, tokens.first, tokens.second):
        assert await held(anvil, token, anvil.v4.router) == 0
    assert await coins(anvil, anvil.v4.router) == 0


async def test_whatever_the_route_a_simulation_pays_what_was_quoted(anvil: Chain) -> None:
    """Forty at random with a pool of v4 in each: up to five legs of up to three hops, sharing pools or not."""
    tokens, market, reach = await prepared(anvil)
    random, tried = Random(11), 0
    while tried < 40:
        token_in, token_out = random.sample([tokens.first, tokens.second, tokens.coin], 2)
        amount = min(int(10 ** random.uniform(0, 22)), await held(anvil, token_in))
        plain = random.random() < 0.5
        ends = {"coin_in": token_in == tokens.coin and plain, "coin_out": token_out == tokens.coin and plain}
        paths = paths_between(market.pools.values(), token_in, token_out)
        chosen = random.sample(paths, random.randint(1, 5))
        shares = [(path, amount * random.randint(1, 100) // 500) for path in chosen]
        try:
            split = executed([each for each in shares if each[1]], market.pools)
        except ImpossibleSwap:
            continue
        used = {market.known[hop.pool].protocol for leg in split.legs for hop in leg.path.hops}
        if Protocol.V4 not in used:
            continue
        terms = Errand(OWNER, split.amount_out, zoo.FOREVER, **ends)
        call = route_call(reach, split, market.known, terms)

        found = await try_route(
            anvil.node, reach, call, terms, token_in, token_out, split.amount_in, market.head.number
        )

        assert found.arrived == split.amount_out, (split, found)
        tried += 1


async def test_the_coin_itself_goes_in_and_comes_out(anvil: Chain) -> None:
    """Found as the best, through pools of both kinds of coin; a coin that somebody left with the router stays there."""
    tokens, market, _ = await prepared(anvil)
    await anvil.node.call("anvil_setBalance", [anvil.v4.router, "0x1"])
    buying = best_route(market, tokens.coin, tokens.first, 9 * ONE, wrapped=tokens.coin, gas_price=GWEI)
    used = {market.known[leg.path.hops[0].pool] for leg in buying.split.legs}
    assert {ZERO_ADDRESS in pool.currencies for pool in used} == {True, False}
    assert buying.reach.router == anvil.v4.router
    terms = Errand(OWNER, buying.split.amount_out, zoo.FOREVER, coin_in=True)
    call = route_call(buying.reach, buying.split, market.known, terms)
    before, had = await held(anvil, tokens.first), await coins(anvil)
    receipt = await sent(anvil, call)
    assert await held(anvil, tokens.first) - before == buying.split.amount_out
    assert had - await coins(anvil) - gas_of(receipt) == 9 * ONE
    assert coins_moved(call, tokens.coin, receipt["logs"])[0] == 9 * ONE
    assert await coins(anvil, anvil.v4.router) == 1

    market, _ = await read(anvil, tokens)
    selling = best_route(market, tokens.first, tokens.coin, 9_000 * ONE, wrapped=tokens.coin, gas_price=GWEI)
    assert selling.reach.router == anvil.v4.router
    terms = Errand(OWNER, selling.split.amount_out, zoo.FOREVER, coin_out=True)
    call = route_call(selling.reach, selling.split, market.known, terms)
    await allow(anvil, selling.reach, tokens.first, 9_000 * ONE)
    had = await coins(anvil)
    receipt = await sent(anvil, call)
    brought = await coins(anvil) - had + gas_of(receipt)
    # The one unit that lay in the router is unwrapped with the rest, and told of: the books stay equal to the chain.
    assert brought == selling.split.amount_out + 1
    assert coins_moved(call, tokens.coin, receipt["logs"])[1] == brought


async def test_one_unit_less_than_the_least_and_nothing_is_traded(anvil: Chain) -> None:
    tokens, market, reach = await prepared(anvil)
    for route in ("one pool of v4", "v4, then V3 with the coin wrapped", "divided over all three"):
        split = along(market, tokens, route, 100 * ONE)
        await allow(anvil, reach, tokens.first, split.amount_in)
        call = route_call(reach, split, market.known, Errand(OWNER, split.amount_out + 1, zoo.FOREVER))
        assert not (await zoo.transact(anvil.node, TRADER, call.to, call.data)).ok
        call = route_call(reach, split, market.known, Errand(OWNER, 1, 1))
        assert not (await zoo.transact(anvil.node, TRADER, call.to, call.data)).ok
