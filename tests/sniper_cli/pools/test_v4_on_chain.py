"""Pools of the real Uniswap v4: what is quoted is what is paid, to the wei, whatever the fees and the ticks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sniper_cli.chains import abi
from sniper_cli.pools import swaps
from sniper_cli.pools.finding import find_deepest, find_made, find_pools
from sniper_cli.pools.keys import DYNAMIC_FEE, follows_its_formula, id_of, keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import moved_by, read_side, read_sides
from sniper_cli.pools.trades import trades_in
from sniper_cli.pricing.sides import ConcentratedSide
from tests import zoo
from tests.chain_fixtures import ADDRESSES, Chain
from tests.concentrated_zoo import list_on_v3
from tests.v4_zoo import hooks_of, initialize, list_on_v4, mint, set_dynamic_fee, set_protocol_fee

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
Listed = Callable[[Chain, int, int], Awaitable[Pool]]
BUYER = zoo.anvil_account(5)


async def sent(chain: Chain, call: swaps.SwapCall) -> dict[str, Any]:
    done = await zoo.transact(chain.node, BUYER, call.to, call.data, call.value)
    assert done.ok
    receipt: dict[str, Any] = await chain.node.call("eth_getTransactionReceipt", [done.hash])
    return receipt


async def coins(chain: Chain) -> int:
    return int(await chain.node.call("eth_getBalance", [BUYER.address, "latest"]), 16)


async def held(chain: Chain, pool: Pool) -> int:
    return await zoo.balance_of(chain.node, pool.token, BUYER.address)


async def buy(chain: Chain, pool: Pool, amount: int, least: int = 1) -> tuple[int, int, list[abi.Log]]:
    """Buy; coins spent beside gas, tokens got, and the logs."""
    before = await coins(chain), await held(chain, pool)
    receipt = await sent(chain, swaps.buy_call(pool, BUYER.address, amount, least, zoo.FOREVER))
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    return before[0] - await coins(chain) - gas, await held(chain, pool) - before[1], receipt["logs"]


async def sell(chain: Chain, pool: Pool, quantity: int, least: int = 1) -> tuple[int, list[abi.Log]]:
    """Approve exactly, and sell; coins got beside gas, and the logs."""
    for call in swaps.approval_calls(pool, BUYER.address, quantity):
        await sent(chain, call)
    before = await coins(chain)
    receipt = await sent(chain, swaps.sell_call(pool, BUYER.address, quantity, least, zoo.FOREVER))
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    return await coins(chain) - before + gas, receipt["logs"]


async def side_of(chain: Chain, pool: Pool) -> ConcentratedSide:
    side = await read_side(chain.node, pool)
    assert isinstance(side, ConcentratedSide)
    return side


def quote(chain: Chain, wrapped: bool) -> str:
    return chain.v4.wrapped if wrapped else ZERO_ADDRESS


async def native(chain: Chain, fee: int, spacing: int) -> Pool:
    return await list_on_v4(chain.node, chain.v4, fee=fee, tick_spacing=spacing)


async def wrapped(chain: Chain, fee: int, spacing: int) -> Pool:
    """Against the wrapped coin, whose address is the lower."""
    return await wrapped_until(chain, fee, spacing, coin_first=True)


async def upside_down(chain: Chain, fee: int, spacing: int) -> Pool:
    """Against the wrapped coin, whose address is the higher."""
    return await wrapped_until(chain, fee, spacing, coin_first=False)


async def wrapped_until(chain: Chain, fee: int, spacing: int, *, coin_first: bool) -> Pool:
    for _ in range(20):
        pool = await list_on_v4(chain.node, chain.v4, quote=chain.v4.wrapped, fee=fee, tick_spacing=spacing)
        if pool.coin_first is coin_first:
            return pool
    pytest.fail("twenty tokens in a row on one side of the coin")


@pytest.mark.parametrize("listed", [native, wrapped, upside_down])
@pytest.mark.parametrize(("fee", "spacing"), [(100, 1), (3000, 60), (12_345, 200), (0, 10)])
async def test_a_v4_quote_is_what_is_paid(anvil: Chain, listed: Listed, fee: int, spacing: int) -> None:
    pool = await listed(anvil, fee, spacing)
    for amount in (1000, ONE // 7, 3 * ONE):
        side = await side_of(anvil, pool)

        spent, got, logs = await buy(anvil, pool, amount)

        assert (spent, got) == (amount, side.pays(amount))
        assert trades_in(pool, logs) == [(amount, -got)]
        assert moved_by(side, pool, logs) == side.moved(amount)
        after = await side_of(anvil, pool)
        assert (after.coming, after.going) == (side.moved(amount).coming, side.moved(amount).going)

    for quantity in (await held(anvil, pool) // 3, await held(anvil, pool) // 2):
        side = await side_of(anvil, pool)
        brought, logs = await sell(anvil, pool, quantity)
        assert brought == side.reversed.pays(quantity)
        assert trades_in(pool, logs) == [(-brought, quantity)]


async def test_nothing_stays_at_the_router_and_nothing_is_found_there(anvil: Chain) -> None:
    """Whoever leaves a coin at the router would make a ledger differ from its chain if it came along."""
    left = "0x" + "0" * 39 + "7"
    for wrapped in (False, True):
        await anvil.node.call("anvil_setBalance", [anvil.v4.router, left])
        narrow = ((-120, 120),)
        pool = await list_on_v4(
            anvil.node, anvil.v4, quote=quote(anvil, wrapped), pool_wei=ONE, tokens=ONE, ranges=narrow
        )
        spent, got, _ = await buy(anvil, pool, 5 * ONE)  # more than the pool has tokens for

        assert 0 < spent < 5 * ONE
        assert got > 0
        router = anvil.v4.router
        assert int(await anvil.node.call("eth_getBalance", [router, "latest"]), 16) == 7
        assert await zoo.balance_of(anvil.node, anvil.v4.wrapped, router) == 0


@pytest.mark.parametrize("wrapped", [False, True])
async def test_over_several_ranges_and_a_gap(anvil: Chain, wrapped: bool) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4, quote=quote(anvil, wrapped))
    account = zoo.anvil_account(9)
    middle = (await side_of(anvil, pool)).pool.tick // 60 * 60
    for offset, width in ((-600, 600), (0, 1200), (1800, 600), (-3000, 1200)):
        lower = middle + offset
        await mint(anvil.node, pool, account, lower, lower + width, ONE, 20_000 * ONE)
    for amount in (ONE // 100, ONE, 6 * ONE):
        side = await side_of(anvil, pool)
        spent, got, _ = await buy(anvil, pool, amount)
        assert (spent, got) == (amount, side.pays(amount))
    assert (await side_of(anvil, pool)).pool.tick // 60 * 60 not in (middle - 600, middle, middle + 600)
    whole = await held(anvil, pool)
    side = await side_of(anvil, pool)
    assert (await sell(anvil, pool, whole))[0] == side.reversed.pays(whole)


@pytest.mark.parametrize("fee", [0, 500, 10_000])
async def test_the_protocol_takes_its_fee_in_each_direction(anvil: Chain, fee: int) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4, fee=fee)
    await set_protocol_fee(anvil.node, pool, ADDRESSES[0], 250, 1000)
    side = await side_of(anvil, pool)

    assert side.pool.fee != side.pool.fee_upwards
    spent, got, logs = await buy(anvil, pool, ONE)
    assert (spent, got) == (ONE, side.pays(ONE))
    assert moved_by(side, pool, logs) == side.moved(ONE)
    side = await side_of(anvil, pool)
    assert (await sell(anvil, pool, got))[0] == side.reversed.pays(got)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["BuySellTax", "Fot5"])
async def test_a_token_that_keeps_a_part_of_each_transfer_is_sold_all_the_same(
    anvil: Chain, wrapped: bool, kind: str
) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4, kind, quote=quote(anvil, wrapped))
    buy_tax, sell_tax = zoo.TAXES[kind]
    side = await side_of(anvil, pool)

    spent, got, logs = await buy(anvil, pool, ONE)

    paid = side.pays(ONE)
    assert spent == ONE
    assert got == paid - paid * buy_tax // 10_000
    assert trades_in(pool, logs) == [(ONE, -paid)]

    side = await side_of(anvil, pool)
    arrives = got - got * sell_tax // 10_000
    brought, logs = await sell(anvil, pool, got)
    assert brought == side.reversed.pays(arrives)
    assert trades_in(pool, logs) == [(-brought, arrives)]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_less_than_the_least_is_refused(anvil: Chain, wrapped: bool) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4, quote=quote(anvil, wrapped))
    fair = (await side_of(anvil, pool)).pays(ONE)
    call = swaps.buy_call(pool, BUYER.address, ONE, fair + 1, zoo.FOREVER)
    assert not (await zoo.transact(anvil.node, BUYER, call.to, call.data, call.value)).ok

    _, got, _ = await buy(anvil, pool, ONE, fair)

    assert got == fair
    fair = (await side_of(anvil, pool)).reversed.pays(got)
    for approval in swaps.approval_calls(pool, BUYER.address, got):
        await sent(anvil, approval)
    call = swaps.sell_call(pool, BUYER.address, got, fair + 1, zoo.FOREVER)
    assert not (await zoo.transact(anvil.node, BUYER, call.to, call.data)).ok
    assert (await sell(anvil, pool, got, fair))[0] == fair


async def test_a_passed_deadline_is_refused(anvil: Chain) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4)
    call = swaps.buy_call(pool, BUYER.address, ONE, 1, 1)

    assert not (await zoo.transact(anvil.node, BUYER, call.to, call.data, call.value)).ok


async def allowed(chain: Chain, pool: Pool) -> int:
    answers = [
        await chain.node.call("eth_call", [{"to": call.to, "data": call.data}, "latest"])
        for call in swaps.allowance_calls(pool, BUYER.address)
    ]
    return min(abi.word(answer, 0) for answer in answers)


async def test_an_approval_is_used_up_by_its_sale_and_can_be_taken_back(anvil: Chain) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4)
    _, got, _ = await buy(anvil, pool, ONE)
    assert await allowed(anvil, pool) == 0
    for call in swaps.approval_calls(pool, BUYER.address, got):
        await sent(anvil, call)
    assert await allowed(anvil, pool) == got

    for call in swaps.revocation_calls(pool, BUYER.address):
        await sent(anvil, call)

    assert await allowed(anvil, pool) == 0
    sale = swaps.sell_call(pool, BUYER.address, got, 1, zoo.FOREVER)
    assert not (await zoo.transact(anvil.node, BUYER, sale.to, sale.data)).ok
    await sell(anvil, pool, got)
    assert await allowed(anvil, pool) == 0


async def test_pools_of_all_protocols_are_read_together(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")
    v2 = Pool(anvil.exchange, listing.pool, listing.token, anvil.exchange.wrapped)
    v3 = await list_on_v3(anvil.node, anvil.v3)
    v4 = await list_on_v4(anvil.node, anvil.v4)
    narrow = await list_on_v4(anvil.node, anvil.v4, ranges=((-120, 120),), pool_wei=ONE, tokens=ONE)
    nothing = keyed_pool(anvil.v4, "0x" + "9" * 40)

    sides = await read_sides(anvil.node, [nothing, v4, v2, narrow, v3])

    assert sides[0] is None
    assert sides[1:] == [await read_side(anvil.node, pool) for pool in (v4, v2, narrow, v3)]
    assert None not in sides[1:]


async def test_a_pool_has_the_id_that_the_manager_announces(anvil: Chain) -> None:
    for wrapped in (False, True):
        pool = await list_on_v4(anvil.node, anvil.v4, quote=quote(anvil, wrapped), fee=777, tick_spacing=33)
        [log] = await anvil.node.call(
            "eth_getLogs",
            [{"address": anvil.v4.factory, "fromBlock": "0x0", "topics": [abi.INITIALIZE_V4, pool.id]}],
        )
        assert (abi.topic_address(log["topics"][2]), abi.topic_address(log["topics"][3])) == pool.currencies
        assert id_of(pool) == pool.id


async def test_with_ticks_close_together_a_factor_of_ten_is_read_all_the_same(anvil: Chain) -> None:
    pool = (await side_of(anvil, await list_on_v4(anvil.node, anvil.v4, fee=100, tick_spacing=1))).pool

    assert pool.known is not None
    assert pool.known[0] < pool.tick - 23_027 < pool.tick + 23_027 < pool.known[1]


async def test_a_fee_that_hooks_set_is_read_with_the_price(anvil: Chain) -> None:
    hooks = "0x" + "2" * 36 + "0000"  # called at nothing: all they do is set the fee
    pool = await list_on_v4(anvil.node, anvil.v4, fee=DYNAMIC_FEE, hooks=hooks)
    for fee in (0, 1500, 250_000):
        await set_dynamic_fee(anvil.node, pool, fee)
        side = await side_of(anvil, pool)

        spent, got, _ = await buy(anvil, pool, ONE)

        assert side.pool.fee == fee
        assert (spent, got) == (ONE, side.pays(ONE))
        side = await side_of(anvil, pool)
        assert (await sell(anvil, pool, got // 2))[0] == side.reversed.pays(got // 2)


async def test_hooks_that_take_of_what_is_swapped_are_bounded_by_the_least(anvil: Chain) -> None:
    """The formula does not know what such a hook takes; the least in the call does."""
    hooks = await hooks_of(anvil.node, anvil.v4, "TakingHooks", half := 5_000, 0)
    pool = await list_on_v4(anvil.node, anvil.v4, hooks=hooks)
    side = await side_of(anvil, pool)
    paid = side.pays(ONE)
    call = swaps.buy_call(pool, BUYER.address, ONE, paid - paid * half // 10_000 + 1, zoo.FOREVER)
    assert not (await zoo.transact(anvil.node, BUYER, call.to, call.data, call.value)).ok

    spent, got, logs = await buy(anvil, pool, ONE)

    assert (spent, got) == (ONE, paid - paid * half // 10_000)
    assert trades_in(pool, logs) == [(ONE, -paid)]
    assert not follows_its_formula(pool)


async def test_hooks_refuse_sales_or_price_them_as_they_like(anvil: Chain) -> None:
    """What no formula tells a simulated trade does: it runs the hooks."""
    refusing = await hooks_of(anvil.node, anvil.v4, "RefusingHooks", 0)
    pool = await list_on_v4(anvil.node, anvil.v4, hooks=refusing)
    _, got, _ = await buy(anvil, pool, ONE)
    for call in swaps.approval_calls(pool, BUYER.address, got):
        await sent(anvil, call)
    sale = swaps.sell_call(pool, BUYER.address, got, 1, zoo.FOREVER)
    assert not (await zoo.transact(anvil.node, BUYER, sale.to, sale.data)).ok

    pricing = await hooks_of(anvil.node, anvil.v4, "PricingHooks", 0, 990_000)
    pool = await list_on_v4(anvil.node, anvil.v4, hooks=pricing, fee=DYNAMIC_FEE)
    side = await side_of(anvil, pool)
    _, got, _ = await buy(anvil, pool, ONE)
    assert got == side.pays(ONE)
    assert (await sell(anvil, pool, got))[0] < ONE // 90


async def test_pools_without_hooks_and_of_usual_fees_are_found_by_the_token_alone(anvil: Chain) -> None:
    pool = await list_on_v4(anvil.node, anvil.v4, fee=500, tick_spacing=10)
    wrapped = keyed_pool(anvil.v4, pool.token, quote=anvil.v4.wrapped, fee=10_000, tick_spacing=200)
    await initialize(anvil.node, wrapped, zoo.anvil_account(9), 2**96)
    unusual = keyed_pool(anvil.v4, pool.token, fee=501, tick_spacing=10)
    await initialize(anvil.node, unusual, zoo.anvil_account(9), 2**96)

    assert await find_pools(anvil.node, anvil.exchanges, pool.token) == [pool, wrapped]
    assert await find_pools(anvil.node, anvil.exchanges, pool.token, quote=anvil.v4.wrapped) == [wrapped]
    assert await find_deepest(anvil.node, anvil.exchanges, pool.token) == pool
    assert await find_made(anvil.node, anvil.exchanges, unusual.id) == unusual
    assert await find_made(anvil.node, anvil.exchanges, wrapped.id) == wrapped
    assert await find_made(anvil.node, anvil.exchanges, "0x" + "9" * 64) is None
