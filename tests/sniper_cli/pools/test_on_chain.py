"""Pools on the real contracts: what is quoted is what is paid, to the wei; calldata is what eth_abi would write."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import moved_by, read_side, read_sides
from sniper_cli.pools.trades import trades_in
from tests import zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import TIERS, list_on_v3, mint, selector

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
TOKEN, WRAPPED, ROUTER, OWNER = ("0x" + digit * 40 for digit in "3456")
V2 = Pool(Exchange(1, WRAPPED, "0x" + "7" * 40, ROUTER), "0x" + "8" * 40, TOKEN, WRAPPED)
V3 = Pool(
    Exchange(1, WRAPPED, "0x" + "7" * 40, ROUTER, protocol=Protocol.V3),
    "0x" + "8" * 40,
    TOKEN,
    WRAPPED,
    500,
    10,
)
SINGLE = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
SINGLE_TYPES = ["address", "address", "uint24", "address", "uint256", "uint256", "uint160"]


def multicall(deadline: int, *calls: str) -> str:
    bodies = [bytes.fromhex(call[2:]) for call in calls]
    return selector("multicall(uint256,bytes[])") + encode(["uint256", "bytes[]"], [deadline, bodies]).hex()


def test_calldata_of_v2() -> None:
    buying = encode(["uint256", "address[]", "address", "uint256"], [7, [WRAPPED, TOKEN], OWNER, 99]).hex()
    selling = encode(
        ["uint256", "uint256", "address[]", "address", "uint256"], [5, 7, [TOKEN, WRAPPED], OWNER, 99]
    ).hex()

    assert swaps.buy_call(V2, OWNER, 5, 7, 99) == (ROUTER, abi.CALL_BUY + buying, 5)
    assert swaps.sell_call(V2, OWNER, 5, 7, 99) == (ROUTER, abi.CALL_SELL + selling, 0)


def test_calldata_of_v3() -> None:
    buying = selector(SINGLE) + encode(SINGLE_TYPES, [WRAPPED, TOKEN, 500, OWNER, 5, 7, 0]).hex()
    router = "0x" + "0" * 39 + "2"
    selling = selector(SINGLE) + encode(SINGLE_TYPES, [TOKEN, WRAPPED, 500, router, 5, 0, 0]).hex()
    unwrap = selector("unwrapWETH9(uint256,address)") + encode(["uint256", "address"], [7, OWNER]).hex()

    assert swaps.buy_call(V3, OWNER, 5, 7, 99) == (ROUTER, multicall(99, buying, selector("refundETH()")), 5)
    assert swaps.sell_call(V3, OWNER, 5, 7, 99) == (ROUTER, multicall(99, selling, unwrap), 0)


def test_an_approval_is_for_what_is_sold() -> None:
    data = selector("approve(address,uint256)") + encode(["address", "uint256"], [ROUTER, 5]).hex()

    assert swaps.approve_call(TOKEN, ROUTER, 5) == (TOKEN, data, 0)
    assert swaps.approval_calls(V2, OWNER, 5) == swaps.approval_calls(V3, OWNER, 5) == ((TOKEN, data, 0),)


def test_an_approval_is_taken_back_whole() -> None:
    data = selector("approve(address,uint256)") + encode(["address", "uint256"], [ROUTER, 0]).hex()
    asked = selector("allowance(address,address)") + encode(["address", "address"], [OWNER, ROUTER]).hex()

    assert swaps.revocation_calls(V3, OWNER) == ((TOKEN, data, 0),)
    assert swaps.allowance_calls(V3, OWNER) == ((TOKEN, asked, 0),)


async def sent(chain: Chain, call: swaps.SwapCall, account: object) -> dict[str, object]:
    done = await zoo.transact(chain.node, account, call.to, call.data, call.value)  # type: ignore[arg-type]
    assert done.ok
    receipt: dict[str, object] = await chain.node.call("eth_getTransactionReceipt", [done.hash])
    return receipt


@pytest.mark.parametrize("fee", TIERS)
@pytest.mark.parametrize("amount", [ONE // 10, 3 * ONE])
async def test_a_v3_quote_is_what_is_paid(anvil: Chain, fee: int, amount: int) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=fee)
    buyer = zoo.anvil_account(5)
    side = await read_side(anvil.node, pool)
    assert side is not None

    receipt = await sent(anvil, swaps.buy_call(pool, buyer.address, amount, 1, zoo.FOREVER), buyer)
    got = await zoo.balance_of(anvil.node, pool.token, buyer.address)
    after = await read_side(anvil.node, pool)

    assert got == side.pays(amount)
    assert trades_in(pool, receipt["logs"]) == [(amount, -got)]  # type: ignore[arg-type]
    assert moved_by(side, pool, receipt["logs"]) == side.moved(amount)  # type: ignore[arg-type]
    assert after is not None
    # A window of ticks read anew may begin elsewhere.
    assert (after.coming, after.going) == (side.moved(amount).coming, side.moved(amount).going)

    await sent(anvil, swaps.approve_call(pool.token, pool.exchange.router, got), buyer)
    receipt = await sent(anvil, swaps.sell_call(pool, buyer.address, got, 1, zoo.FOREVER), buyer)
    assert trades_in(pool, receipt["logs"]) == [(-after.reversed.pays(got), got)]  # type: ignore[arg-type]


async def test_over_several_ranges_and_a_gap(anvil: Chain) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=3000)
    account, buyer = zoo.anvil_account(9), zoo.anvil_account(5)
    side = await read_side(anvil.node, pool)
    middle = side.pool.tick // 60 * 60  # type: ignore[union-attr]
    for offset, width in ((-600, 600), (0, 1200), (1800, 600), (-3000, 1200)):
        lower = middle + offset
        await mint(anvil.node, pool, account, lower, lower + width, ONE, 20_000 * ONE)
    for amount in (ONE // 100, ONE, 6 * ONE):
        side = await read_side(anvil.node, pool)
        assert side is not None
        before = await zoo.balance_of(anvil.node, pool.token, buyer.address)
        await sent(anvil, swaps.buy_call(pool, buyer.address, amount, 1, zoo.FOREVER), buyer)
        got = await zoo.balance_of(anvil.node, pool.token, buyer.address) - before
        assert got == side.pays(amount)


async def test_a_v2_quote_is_what_is_paid(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")
    pool = Pool(anvil.exchange, listing.pool, listing.token, anvil.exchange.wrapped)
    buyer = zoo.anvil_account(5)
    side = await read_side(anvil.node, pool)
    assert side is not None

    receipt = await sent(anvil, swaps.buy_call(pool, buyer.address, ONE, 1, zoo.FOREVER), buyer)

    got = await zoo.balance_of(anvil.node, pool.token, buyer.address)
    assert got == side.pays(ONE)
    assert trades_in(pool, receipt["logs"]) == [(ONE, -got)]  # type: ignore[arg-type]
    assert await read_side(anvil.node, pool) == side.moved(ONE)


async def test_where_there_is_no_pool_there_is_no_side(anvil: Chain) -> None:
    nothing = Pool(anvil.exchange, "0x" + "9" * 40, TOKEN, anvil.exchange.wrapped)
    unpriced = Pool(anvil.v3, "0x" + "9" * 40, TOKEN, anvil.exchange.wrapped, 3000, 60)

    assert await read_sides(anvil.node, [nothing, unpriced]) == [None, None]
