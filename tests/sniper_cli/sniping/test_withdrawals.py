"""Positions of V3 and v4 emptied by a waiting transaction: what is held is sold first, and for nothing less."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.pools.pool import Pool
from sniper_cli.sniping.events import (
    ExitDecided,
    HeadSeen,
    PendingRemoval,
    PositionClosed,
    PositionOpened,
)
from sniper_cli.sniping.exits import ExitRule
from sniper_cli.sniping.listings import Removal
from sniper_cli.sniping.withdrawals import Positions, read_withdrawals, together
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.v4_zoo import BURN, DECREASE, TAKE_PAIR, list_on_v4, modify_data
from tests.zoo import FOREVER, anvil_account, calldata, transact, until_waiting

pytestmark = pytest.mark.anvil

STRANGER = anvil_account(7)
COLLECT = "0xfc6f7865"
"""collect((position, to, most, most))"""
BIDS = {"maxFeePerGas": hex(50 * 10**9), "maxPriorityFeePerGas": hex(3 * 10**9)}


@dataclass(frozen=True)
class Owned:
    """A pool, its only position, and how much is in it."""

    pool: Pool
    position: int
    liquidity: int

    @property
    def manager(self) -> str:
        return self.pool.exchange.position_manager


async def asked(chain: Chain, to: str, data: str, word: int = 0) -> int:
    return abi.word(await chain.node.call("eth_call", [{"to": to, "data": data}, "latest"]), word)


async def owned_v3(chain: Chain) -> Owned:
    pool = await list_on_v3(chain.node, chain.v3, "Normal")
    manager = chain.v3.position_manager
    count = await asked(chain, manager, calldata("totalSupply()"))
    position = await asked(chain, manager, calldata("tokenByIndex(uint256)", count - 1))
    liquidity = await asked(chain, manager, calldata("positions(uint256)", position), 7)
    return Owned(pool, position, liquidity)


async def owned_v4(chain: Chain) -> Owned:
    pool = await list_on_v4(chain.node, chain.v4, "Normal")
    manager = chain.v4.position_manager
    position = await asked(chain, manager, calldata("nextTokenId()")) - 1
    liquidity = await asked(chain, manager, calldata("getPositionLiquidity(uint256)", position))
    return Owned(pool, position, liquidity)


def decrease(position: int, liquidity: int) -> str:
    fields = (position, liquidity, 0, 0, FOREVER)
    return abi.CALL_DECREASE_LIQUIDITY + encode(["uint256"] * 5, fields).hex()


def collect(position: int) -> str:
    fields = (position, int(OWNER.address, 16), 2**128 - 1, 2**128 - 1)
    return COLLECT + encode(["uint256"] * 4, fields).hex()


def several(*calls: str) -> str:
    return calldata("multicall(bytes[])", [bytes.fromhex(call[2:]) for call in calls])


def emptied_v4(owned: Owned, liquidity: int | None = None) -> str:
    if liquidity is None:
        step = BURN, encode(["uint256", "uint128", "uint128", "bytes"], [owned.position, 0, 0, b""])
    else:
        types = ["uint256", "uint256", "uint128", "uint128", "bytes"]
        step = DECREASE, encode(types, [owned.position, liquidity, 0, 0, b""])
    paid = TAKE_PAIR, encode(["address"] * 3, [*owned.pool.currencies, OWNER.address])
    return modify_data([step, paid])


def waiting(exchange: Exchange, data: str, sender: LocalAccount = OWNER) -> dict[str, Any]:
    return {"from": sender.address, "to": exchange.position_manager, "input": data, "hash": "0x1"} | BIDS


async def removals(chain: Chain, exchange: Exchange, data: str, sender: LocalAccount = OWNER) -> list[Any]:
    positions, found = Positions(), read_withdrawals(waiting(exchange, data, sender), chain.exchanges)
    return [await positions.removal_by(chain.node, each) for each in found]


async def test_a_decrease_names_the_pool_and_what_it_takes_on_v3(anvil: Chain) -> None:
    owned = await owned_v3(anvil)
    half = owned.liquidity // 2
    for data in (
        decrease(owned.position, half),
        several(decrease(owned.position, half), collect(owned.position)),
    ):
        [found] = await removals(anvil, anvil.v3, data)
        assert found == Removal(None, owned.pool.id, half, "0x1", 50 * 10**9)


async def test_decreases_and_burns_name_the_pool_and_what_they_take_on_v4(anvil: Chain) -> None:
    owned = await owned_v4(anvil)
    [part] = await removals(anvil, anvil.v4, emptied_v4(owned, owned.liquidity // 3))
    [whole] = await removals(anvil, anvil.v4, several(emptied_v4(owned)))
    assert (part.pool, part.shares) == (owned.pool.id, owned.liquidity // 3)
    assert (whole.pool, whole.shares) == (owned.pool.id, owned.liquidity)


async def test_what_will_fail_or_takes_nothing_is_no_removal(anvil: Chain) -> None:
    owned = await owned_v3(anvil)
    take = decrease(owned.position, owned.liquidity)
    assert await removals(anvil, anvil.v3, take, STRANGER) == [None]
    assert await removals(anvil, anvil.v3, decrease(owned.position, owned.liquidity + 1)) == [None]
    assert await removals(anvil, anvil.v3, decrease(owned.position, 0)) == [None]
    assert await removals(anvil, anvil.v3, decrease(owned.position + 1, 1)) == [None]
    assert await removals(anvil, anvil.v3, collect(owned.position)) == []
    let = calldata("setApprovalForAll(address,bool)", STRANGER.address, True)
    assert (await transact(anvil.node, OWNER, owned.manager, let)).ok
    [found] = await removals(anvil, anvil.v3, take, STRANGER)
    assert found is not None


def test_small_positions_of_one_pool_are_counted_together() -> None:
    parts = [
        Removal(None, "0xa", 3, "0x1", 9),
        Removal(None, "0xb", 1, "0x1", 9),
        Removal(None, "0xa", 4, "0x1", 9),
    ]
    assert [(each.pool, each.shares) for each in together(parts)] == [("0xa", 7), ("0xb", 1)]


MANAGERS = Exchanges(
    tuple(
        Exchange(1, "0x" + "cc" * 20, factory, factory, protocol=protocol, position_manager=factory)
        for protocol, factory in (("uniswap_v3", "0x" + "13" * 20), ("uniswap_v4", "0x" + "14" * 20))
    )
)


@given(st.binary(max_size=500))
def test_no_bytes_that_a_stranger_sends_break_the_reader(body: bytes) -> None:
    for exchange in MANAGERS.listed:
        for selector in (abi.CALL_MULTICALL, abi.CALL_DECREASE_LIQUIDITY, abi.CALL_MODIFY_LIQUIDITIES):
            read_withdrawals(waiting(exchange, selector + body.hex()), MANAGERS)


@pytest.fixture
async def holder(hunt: Hunt) -> AsyncIterator[Hunt]:
    """A sniper that flees from what waits, on all exchanges; blocks come by hand once automine is off."""
    await hunt.start(
        sniping(exits(watch_pending=True, liquidity_drop_pct=30), level="daring"),
        exchanges=hunt.chain.exchanges,
    )
    yield hunt
    await hunt.chain.node.call("evm_setAutomine", [True])


@pytest.mark.parametrize("protocol", ["v3", "v4"])
async def test_a_position_is_sold_before_the_liquidity_it_needs_is_gone(holder: Hunt, protocol: str) -> None:
    owned = await (owned_v3 if protocol == "v3" else owned_v4)(holder.chain)
    await holder.until(PositionOpened)
    await holder.chain.mine()
    await holder.until(HeadSeen)
    await holder.chain.node.call("evm_setAutomine", [False])
    data = (
        several(decrease(owned.position, owned.liquidity), collect(owned.position))
        if protocol == "v3"
        else emptied_v4(owned)
    )
    call = {"from": OWNER.address, "to": owned.manager, "data": data, "gas": hex(800_000), **BIDS}
    removal = await holder.chain.node.call("eth_sendTransaction", [call])
    assert (await holder.until(PendingRemoval)).tx_hash == removal
    await holder.until(ExitDecided, lambda event: event.rule is ExitRule.LIQUIDITY_PENDING)
    await until_waiting(holder.chain.node, holder.account.address)
    await holder.chain.mine()
    await holder.chain.node.call("evm_setAutomine", [True])
    with holder.ticking():
        closed = await holder.until(PositionClosed)
    assert (closed.rule, closed.token) == (ExitRule.LIQUIDITY_PENDING, owned.pool.token)
    assert closed.received > WEI * 97 // 1000, "sold behind the removal, a sale would bring next to nothing"
    await holder.stop()
    await holder.require_true_ledger()
