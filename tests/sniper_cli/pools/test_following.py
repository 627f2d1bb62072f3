"""Pools followed from block to block: always what a reading from scratch says, in one batch however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.pools import swaps
from sniper_cli.pools.filling import filled_by
from sniper_cli.pools.following import Sights
from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.pools.states import read_side
from sniper_cli.pricing.sides import ConcentratedSide
from tests import zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3, mint, withdraw

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
OWNER = zoo.anvil_account(9)
BUYER = zoo.anvil_account(5)


class CountingNode(Node):
    """Counts the requests: a batch of nothing is none."""

    batches = 0

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        self.batches += bool(calls)
        return await super().batch(calls, return_errors=return_errors)


async def buys(chain: Chain, pool: Pool, amount: int) -> None:
    call = swaps.buy_call(pool, BUYER.address, amount, 1, zoo.FOREVER)
    assert (await zoo.transact(chain.node, BUYER, call.to, call.data, call.value)).ok


async def seen(sights: Sights, node: Node, *pools: Pool) -> list[tuple[int, int, int]]:
    """What a purchase of a coin pays, and the depths, of each."""
    look = await sights.look(node, pools)
    return [(side.pays(ONE), side.coming, side.depth) for side in look.sides if side is not None]


async def true(chain: Chain, *pools: Pool) -> list[tuple[int, int, int]]:
    sides = [await read_side(chain.node, pool) for pool in pools]
    return [(side.pays(ONE), side.coming, side.depth) for side in sides if side is not None]


async def test_a_look_is_one_batch_however_many_pools(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")
    pools = [pair_of(anvil.exchange, *listing), *[await list_on_v3(anvil.node, anvil.v3) for _ in range(3)]]
    sights = Sights()
    async with CountingNode(anvil.node.url) as node:
        first = await seen(sights, node, *pools)
        assert len(first) == 4
        assert node.batches == 2  # the bitmaps, once: liquidity over all prices has no tick near
        for pool in pools:
            await buys(anvil, pool, ONE)
        node.batches = 0
        assert await seen(sights, node, *pools) == await true(anvil, *pools) != first
        assert node.batches == 1


@pytest.mark.parametrize("percent", [50, 100])
async def test_ticks_are_read_anew_when_liquidity_is_moved(anvil: Chain, percent: int) -> None:
    pool, quiet = [await list_on_v3(anvil.node, anvil.v3) for _ in range(2)]
    sights = Sights()
    await seen(sights, anvil.node, pool, quiet)
    side = (await sights.look(anvil.node, [pool])).sides[0]
    assert isinstance(side, ConcentratedSide)
    middle = side.pool.tick // 60 * 60
    await mint(anvil.node, pool, OWNER, middle - 600, middle + 600, ONE, 90_000 * ONE)
    async with CountingNode(anvil.node.url) as node:
        assert await seen(sights, node, pool, quiet) == await true(anvil, pool, quiet)
        assert node.batches == 3
        await withdraw(anvil.node, pool, OWNER, percent)
        assert await seen(sights, node, pool, quiet) == await true(anvil, pool, quiet)
        node.batches = 0
        assert await seen(sights, node, pool, quiet) == await true(anvil, pool, quiet)
        assert node.batches == 1


async def test_they_are_read_anew_when_the_price_has_gone_far(anvil: Chain) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=500, pool_wei=ONE)
    sights = Sights()
    await seen(sights, anvil.node, pool)
    await buys(anvil, pool, 3 * ONE)  # sixteen times the price
    async with CountingNode(anvil.node.url) as node:
        assert await seen(sights, node, pool) == await true(anvil, pool)
        assert node.batches == 2


async def test_a_reorganisation_makes_them_read_anew(anvil: Chain) -> None:
    """The block they were read at is gone, and with it the liquidity that was put in there."""
    pool = await list_on_v3(anvil.node, anvil.v3)
    sights = Sights()
    before = await anvil.node.call("evm_snapshot", [])
    await mint(anvil.node, pool, OWNER, -887_220, 887_220, ONE, 90_000 * ONE)
    await seen(sights, anvil.node, pool)
    await anvil.node.call("evm_revert", [before])
    await anvil.mine(3, 7)
    assert await seen(sights, anvil.node, pool) == await true(anvil, pool)


async def test_an_empty_pair_is_seen_and_no_pair_is_not(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")
    there = pair_of(anvil.exchange, *listing)
    nowhere = pair_of(anvil.exchange, "0x" + "12" * 20)
    asked: list[tuple[str, list[Any]]] = [("eth_chainId", []), ("eth_nonsense", [])]
    look = await Sights().look(anvil.node, [there, nowhere], asked)
    assert look.sides[0] == await read_side(anvil.node, there)
    assert look.sides[1] is None
    assert look.head == await anvil.node.head()
    assert int(look.answers[0], 16) == anvil.exchange.chain_id
    assert isinstance(look.answers[1], Exception)


async def test_a_pool_that_ends_takes_a_part_and_pays_for_that(anvil: Chain) -> None:
    """Held against the contract: V3's router sells what the pool takes and leaves the rest."""
    pool = await list_on_v3(anvil.node, anvil.v3, fee=10_000, width=2000)
    await buys(anvil, pool, ONE)
    await withdraw(anvil.node, pool, OWNER, 95)
    held = await zoo.balance_of(anvil.node, pool.token, BUYER.address)
    side = await read_side(anvil.node, pool)
    assert side is not None
    filled = filled_by(side.reversed, held)

    approval = swaps.approve_call(pool.token, pool.exchange.router, held)
    assert (await zoo.transact(anvil.node, BUYER, approval.to, approval.data)).ok
    coins = int(await anvil.node.call("eth_getBalance", [BUYER.address, "latest"]), 16)
    call = swaps.sell_call(pool, BUYER.address, held, 1, zoo.FOREVER)
    sent = await zoo.transact(anvil.node, BUYER, call.to, call.data)
    left = await zoo.balance_of(anvil.node, pool.token, BUYER.address)
    brought = int(await anvil.node.call("eth_getBalance", [BUYER.address, "latest"]), 16) - coins + sent.cost

    assert sent.ok
    assert filled == (held - left, brought)
    assert 0 < filled.taken < held
