"""Routes on the real contracts: what is quoted is what a simulation says and what is paid, to the wei."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from sniper_cli.chains.exchange import Exchanges
from sniper_cli.pools.swaps import SwapCall, approve_call
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.routes import Hop, Path, paths_between
from sniper_cli.pricing.splitting import Split, executed
from sniper_cli.routing.calls import Errand, route_call
from sniper_cli.routing.market import Market, read_market
from sniper_cli.routing.quoting import best_route
from sniper_cli.routing.trying import arrived, try_route
from tests import zoo
from tests.chain_fixtures import Chain
from tests.route_zoo import Tokens, list_all

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
GWEI = 10**9
TRADER = zoo.anvil_account(9)
"""Who made the tokens holds some of each."""
V2 = ("uniswap_v2", 3000)
LOW, HIGH = ("uniswap_v3", 500), ("uniswap_v3", 3000)

ROUTES: dict[str, tuple[tuple[int, tuple[tuple[str, int], ...], tuple[str, ...]], ...]] = {
    "one pool of V2": ((1, (V2,), ("first", "second")),),
    "one pool of V3": ((1, (LOW,), ("first", "second")),),
    "two of V2": ((1, (V2, V2), ("first", "coin", "second")),),
    "two of V3": ((1, (HIGH, LOW), ("first", "coin", "second")),),
    "V2, then V3": ((1, (V2, LOW), ("first", "coin", "second")),),
    "V3, then V2": ((1, (LOW, V2), ("first", "coin", "second")),),
    "divided over V2 and V3": (
        (2, (V2,), ("first", "second")),
        (3, (LOW,), ("first", "second")),
    ),
    "three legs, one of two hops": (
        (2, (V2,), ("first", "second")),
        (3, (LOW,), ("first", "second")),
        (1, (V2, HIGH), ("first", "coin", "second")),
    ),
    "two legs through one pool": (
        (1, (V2, LOW), ("first", "coin", "second")),
        (2, (V2, HIGH), ("first", "coin", "second")),
    ),
}


def along(market: Market, tokens: Tokens, route: str, amount: int) -> Split:
    """One of the routes by its name, its parts of the amount, on the market's pools."""
    parts = sum(weight for weight, _, _ in ROUTES[route])
    shares = []
    for weight, pools, names in ROUTES[route]:
        way = [getattr(tokens, name) for name in names]
        hops = [
            Hop(pool_of(market, kind, one, other), one, other)
            for kind, one, other in zip(pools, way, way[1:], strict=False)
        ]
        shares.append((Path(tuple(hops)), amount * weight // parts))
    return executed(shares, market.pools)


def pool_of(market: Market, kind: tuple[str, int], one: str, other: str) -> str:
    (found,) = [
        pool.id
        for pool in market.known.values()
        if (pool.protocol.value, pool.fee) == kind and set(pool.currencies) == {one, other}
    ]
    return found


async def prepared(chain: Chain) -> tuple[Tokens, Market]:
    tokens = await list_all(chain)
    return tokens, await read_market(chain.node, chain.exchanges, [tokens.first, tokens.second, tokens.coin])


async def sent(chain: Chain, call: SwapCall) -> dict[str, Any]:
    done = await zoo.transact(chain.node, TRADER, call.to, call.data, call.value)
    assert done.ok
    receipt: dict[str, Any] = await chain.node.call("eth_getTransactionReceipt", [done.hash])
    return receipt


async def allow(chain: Chain, token: str, router: str, amount: int) -> None:
    await sent(chain, approve_call(token, router, amount))


def errand(least: int, **coins: bool) -> Errand:
    return Errand(TRADER.address.lower(), least, zoo.FOREVER, **coins)


async def test_every_route_pays_what_was_quoted(anvil: Chain) -> None:
    """One chain for all of them: each is quoted on the pools as the one before left them."""
    tokens = await list_all(anvil)
    for route in ROUTES:
        for amount in (ONE, 2_500 * ONE):
            market = await read_market(
                anvil.node, anvil.exchanges, [tokens.first, tokens.second, tokens.coin]
            )
            split = along(market, tokens, route, amount)
            call = route_call(market.reaches[0], split, market.known, errand(split.amount_out))
            tried = await try_route(
                anvil.node,
                market.reaches[0],
                call,
                errand(0),
                tokens.first,
                tokens.second,
                split.amount_in,
                market.head.number,
            )
            await allow(anvil, tokens.first, call.to, split.amount_in)
            before = await balances(anvil, [tokens.first, tokens.second])
            receipt = await sent(anvil, call)
            after = await balances(anvil, [tokens.first, tokens.second])

            assert (before[0] - after[0], after[1] - before[1]) == (split.amount_in, split.amount_out), route
            assert (tried.arrived, tried.words) == (split.amount_out, ""), route
            assert arrived(receipt["logs"], call.to, errand(0), tokens.second) == split.amount_out


async def test_whatever_the_route_a_simulation_pays_what_was_quoted(anvil: Chain) -> None:
    """Sixty at random, from a unit to half a pool: up to five legs of up to three hops, sharing pools or not."""
    tokens, market = await prepared(anvil)
    random, tried = Random(7), 0
    everything = [tokens.first, tokens.second, tokens.coin]
    while tried < 60:
        token_in, token_out = random.sample(everything, 2)
        amount = min(
            int(10 ** random.uniform(0, 22)), await zoo.balance_of(anvil.node, token_in, TRADER.address)
        )
        paths = paths_between(market.pools.values(), token_in, token_out)
        chosen = random.sample(paths, random.randint(1, 5))
        shares = [(path, amount * random.randint(1, 100) // 500) for path in chosen]
        try:
            split = executed([each for each in shares if each[1]], market.pools)
        except ImpossibleSwap:
            continue
        if not split.legs:
            continue
        coins = {"coin_in": token_in == tokens.coin, "coin_out": token_out == tokens.coin}
        terms = errand(split.amount_out, **{word: is_so for word, is_so in coins.items() if is_so})
        call = route_call(market.reaches[0], split, market.known, terms)

        found = await try_route(
            anvil.node,
            market.reaches[0],
            call,
            terms,
            token_in,
            token_out,
            split.amount_in,
            market.head.number,
        )

        assert found.arrived == split.amount_out, (split, found)
        tried += 1


async def balances(chain: Chain, tokens: Sequence[str], of: str | None = None) -> list[int]:
    return [await zoo.balance_of(chain.node, token, of or TRADER.address) for token in tokens]


async def test_the_coin_itself_goes_in_and_comes_out(anvil: Chain) -> None:
    tokens, market = await prepared(anvil)
    buying = best_route(market, tokens.coin, tokens.first, 6 * ONE, wrapped=tokens.coin, gas_price=GWEI)
    assert len(buying.split.legs) > 1
    terms = errand(buying.split.amount_out, coin_in=True)
    call = route_call(buying.reach, buying.split, market.known, terms)
    tried = await try_route(
        anvil.node, buying.reach, call, terms, tokens.coin, tokens.first, 6 * ONE, market.head.number
    )
    before = await zoo.balance_of(anvil.node, tokens.first, TRADER.address)
    await sent(anvil, call)
    got = await zoo.balance_of(anvil.node, tokens.first, TRADER.address) - before
    assert got == tried.arrived == buying.split.amount_out

    market = await read_market(anvil.node, anvil.exchanges, [tokens.first, tokens.second, tokens.coin])
    selling = best_route(market, tokens.first, tokens.coin, got, wrapped=tokens.coin, gas_price=GWEI)
    terms = errand(selling.split.amount_out, coin_out=True)
    call = route_call(selling.reach, selling.split, market.known, terms)
    await allow(anvil, tokens.first, call.to, got)
    coins = int(await anvil.node.call("eth_getBalance", [TRADER.address, "latest"]), 16)
    receipt = await sent(anvil, call)
    then = int(await anvil.node.call("eth_getBalance", [TRADER.address, "latest"]), 16)
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert then - coins + gas == selling.split.amount_out
    assert arrived(receipt["logs"], call.to, terms, tokens.coin) == selling.split.amount_out
    assert await balances(anvil, [tokens.coin, tokens.first, tokens.second], call.to) == [0, 0, 0]


async def test_one_unit_less_than_the_least_and_nothing_is_traded(anvil: Chain) -> None:
    tokens, market = await prepared(anvil)
    for route in ("two of V2", "V2, then V3", "divided over V2 and V3"):
        split = along(market, tokens, route, 100 * ONE)
        await allow(anvil, tokens.first, market.reaches[0].router, split.amount_in)
        call = route_call(market.reaches[0], split, market.known, errand(split.amount_out + 1))
        assert not (await zoo.transact(anvil.node, TRADER, call.to, call.data)).ok
        late = Errand(TRADER.address, 1, 1)
        call = route_call(market.reaches[0], split, market.known, late)
        assert not (await zoo.transact(anvil.node, TRADER, call.to, call.data)).ok


async def test_a_forks_router_takes_one_path_through_its_own_pools(anvil: Chain) -> None:
    """V2 alone: its Router02 does what SwapRouter02 would, for tokens and for the coin at either end."""
    tokens = await list_all(anvil)
    only = Exchanges((anvil.exchange,))
    ways = (
        (tokens.first, tokens.second, {}),
        (tokens.coin, tokens.second, {"coin_in": True}),
        (tokens.second, tokens.coin, {"coin_out": True}),
    )
    for token_in, token_out, coins in ways:
        market = await read_market(anvil.node, only, [tokens.first, tokens.second, tokens.coin])
        quote = best_route(market, token_in, token_out, ONE, wrapped=tokens.coin, gas_price=GWEI)
        assert (quote.reach.router, quote.reach.splits, len(quote.split.legs)) == (
            anvil.exchange.router,
            False,
            1,
        )
        terms = errand(quote.split.amount_out, **coins)
        call = route_call(quote.reach, quote.split, market.known, terms)
        await allow(anvil, token_in, call.to, ONE)
        receipt = await sent(anvil, call)
        assert arrived(receipt["logs"], call.to, terms, token_out) == quote.split.amount_out


async def test_a_division_brings_more_than_the_best_path_and_costs_its_gas(anvil: Chain) -> None:
    tokens, market = await prepared(anvil)
    wanted = {"wrapped": tokens.coin, "gas_price": GWEI}

    divided = best_route(market, tokens.first, tokens.second, 20_000 * ONE, **wanted)
    whole = best_route(market, tokens.first, tokens.second, 20_000 * ONE, splits=False, **wanted)
    small = best_route(market, tokens.first, tokens.second, ONE, **wanted)

    assert len(divided.split.legs) > 1
    assert divided.split.net > whole.split.net == divided.single.net
    assert divided.gain_bps > 0
    assert (len(small.split.legs), small.priced_gas) == (1, True)


async def test_what_the_sender_does_not_hold_is_not_tried(anvil: Chain) -> None:
    tokens, market = await prepared(anvil)
    split = along(market, tokens, "one pool of V2", ONE)
    nobody = Errand("0x" + "9" * 40, 1, zoo.FOREVER)
    call = route_call(market.reaches[0], split, market.known, nobody)

    tried = await try_route(
        anvil.node, market.reaches[0], call, nobody, tokens.first, tokens.second, ONE, market.head.number
    )

    assert tried.arrived is None
    assert "does not hold" in tried.words
