"""What waiting transactions announce, read from their calldata; broken and hostile ones announce nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.fees import Fees, fees_behind
from sniper_cli.chains.profiles import PROFILES, UNISWAP_V3_INIT_CODE_HASH
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS
from sniper_cli.sniping.announcements import (
    MOST_BEFORE,
    Waiting,
    fees_of,
    inner_calls,
    may_open,
    read_announcement,
)
from tests.v4_zoo import modify_data
from tests.zoo import calldata

WRAPPED, TOKEN, OTHER, SENDER = ("0x" + each * 20 for each in ("cc", "a1", "ee", "0f"))
V2 = Exchange(1, WRAPPED, "0x" + "f2" * 20, "0x" + "d2" * 20)
V3 = replace(
    V2,
    factory="0x" + "f3" * 20,
    router="0x" + "d3" * 20,
    protocol=Protocol.V3,
    position_manager="0x" + "93" * 20,
    init_code_hash=UNISWAP_V3_INIT_CODE_HASH,
)
V4 = replace(V3, factory="0x" + "f4" * 20, protocol=Protocol.V4, position_manager="0x" + "94" * 20)
BOTH = Exchanges((V2, V3, V4))
ADD_ETH = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
ADD = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"


def waiting(to: str | None, data: str = "0x", **fields: Any) -> dict[str, Any]:
    return {
        "from": SENDER.upper().replace("0X", "0x"), "to": to, "input": data, "nonce": "0x7", "value": "0x5",
        "gas": "0x5208", "hash": "0x01", "maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x3",
    } | fields  # fmt: skip


def minted(token0: str, token1: str, fee: int = 3000) -> str:
    return (
        abi.CALL_MINT_POSITION
        + encode(
            ["address", "address", "uint24", "int24", "int24", *["uint256"] * 4, "address", "uint256"],
            [token0, token1, fee, -887_220, 887_220, 10, 10, 0, 0, SENDER, 2**40],
        ).hex()
    )


def several(*calls: str) -> str:
    return abi.CALL_MULTICALL + encode(["bytes[]"], [[bytes.fromhex(call[2:]) for call in calls]]).hex()


@pytest.mark.parametrize(
    "data",
    [
        calldata(ADD_ETH, TOKEN, 10, 0, 0, SENDER, 2**40),
        calldata(ADD, TOKEN, WRAPPED, 10, 10, 0, 0, SENDER, 2**40),
        calldata(ADD, WRAPPED, TOKEN, 10, 10, 0, 0, SENDER, 2**40),
    ],
)
def test_liquidity_through_the_router_announces_the_pool(data: str) -> None:
    found = read_announcement(waiting(V2.router, data), BOTH, 9)
    assert found is not None
    assert (found.listing.token, found.listing.pool) == (TOKEN, V2.pool_of(TOKEN))
    assert (found.sender, found.nonce, found.value, found.fees) == (SENDER, 7, 5, Fees(100, 3))
    assert (found.listing.block_hash, found.tx_hash, found.listing.received_at) == ("", "0x01", 9)


def test_a_position_minted_with_the_pool_announces_it() -> None:
    creation = calldata(
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)", TOKEN, WRAPPED, 3000, 2**96
    )
    data = several(creation, minted(TOKEN, WRAPPED))
    found = read_announcement(waiting(V3.position_manager, data), BOTH, 0)
    assert found is not None
    assert found.listing.pool == abi.pool_address_v3(
        V3.factory, TOKEN, WRAPPED, 3000, UNISWAP_V3_INIT_CODE_HASH
    )
    assert (found.listing.protocol, found.listing.fee, found.listing.tick_spacing) == (Protocol.V3, 3000, 60)


@pytest.mark.parametrize("coin", [WRAPPED, ZERO_ADDRESS])
def test_a_position_minted_on_v4_announces_the_pool_of_its_key(coin: str) -> None:
    named = keyed_pool(V4, TOKEN, quote=coin, fee=500, tick_spacing=10, hooks=OTHER)
    types = ["(address,address,uint24,int24,address)", "int24", "int24", "uint256"]
    key = (*named.currencies, 500, 10, OTHER)
    data = modify_data([(0x02, encode(types, [key, -10, 10, 5])), (0x0D, b"")])
    found = read_announcement(waiting(V4.position_manager, several(data)), BOTH, 0)
    assert found is not None
    assert found.place == named
    listing = found.listing
    assert (listing.pool, listing.quote_token, listing.hooks, listing.tick_spacing) == (
        named.id,
        coin,
        OTHER,
        10,
    )


def test_the_pool_of_a_position_stands_where_mainnet_has_it() -> None:
    # USDC/WETH at 0.05 %: 0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640
    listed = PROFILES["ethereum"].exchanges
    exchange = listed.of(Protocol.V3)[0]
    usdc = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    data = minted(usdc, listed.wrapped, 500)
    found = read_announcement(waiting(exchange.position_manager, data), listed, 0)
    assert found is not None
    assert found.listing.pool == "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"


@pytest.mark.parametrize(
    ("to", "data"),
    [
        (V3.router, calldata(ADD_ETH, TOKEN, 10, 0, 0, SENDER, 2**40)),
        (V2.router, calldata(ADD, TOKEN, OTHER, 10, 10, 0, 0, SENDER, 2**40)),
        (V2.router, calldata(ADD, WRAPPED, WRAPPED, 10, 10, 0, 0, SENDER, 2**40)),
        (V2.router, calldata(ADD_ETH, TOKEN, 10, 0, 0, SENDER, 2**40)[:200]),
        (V2.router, abi.CALL_BUY),
        (V3.position_manager, minted(TOKEN, OTHER)),
        (V3.position_manager, minted(TOKEN, WRAPPED, 777)),
        (V3.position_manager, several(abi.CALL_POSITIONS)),
        (None, "0x6080"),
    ],
)
def test_what_lists_nothing_against_the_coin_announces_nothing(to: str | None, data: str) -> None:
    assert read_announcement(waiting(to, data), BOTH, 0) is None


@given(st.binary(max_size=400))
def test_no_bytes_that_a_stranger_sends_break_the_reader(body: bytes) -> None:
    selectors = (
        abi.CALL_MULTICALL,
        abi.CALL_ADD_LIQUIDITY,
        abi.CALL_MINT_POSITION,
        abi.CALL_MODIFY_LIQUIDITIES,
    )
    for to in (V2.router, V3.position_manager, V4.position_manager):
        for selector in selectors:
            read_announcement(waiting(to, selector + body.hex()), BOTH, 0)


def test_a_count_of_calls_that_nobody_could_send_ends_where_the_data_does() -> None:
    data = abi.CALL_MULTICALL + encode(["uint256", "uint256"], [32, 2**255]).hex()
    assert list(inner_calls(data)) == []


def test_a_gas_price_stands_for_both_fees() -> None:
    transaction = waiting(V2.router, maxFeePerGas=None, gasPrice="0x2a")
    assert fees_of(transaction) == Fees(42, 42)


def test_what_everybody_calls_on_a_token_opens_nothing() -> None:
    assert may_open(waiting(TOKEN, calldata("openTrading()")))
    assert not may_open(waiting(TOKEN, calldata("transfer(address,uint256)", SENDER, 1)))
    assert not may_open(waiting(TOKEN))


def test_a_senders_waiting_transactions_are_put_in_their_order() -> None:
    pool = Waiting()
    for nonce in (9, 8):
        pool.note(waiting(V2.router, nonce=hex(nonce), hash=hex(nonce)))
    calls = pool.run_up(SENDER, 8, 9)
    assert calls is not None
    assert [(call.to, call.gas, call.fees) for call in calls] == [(V2.router, 21_000, Fees(100, 3))] * 2
    assert pool.run_up(SENDER, 7, 9) is None  # one of them was never seen
    assert pool.run_up(SENDER, 10, 9) is None  # it is mined already
    assert pool.run_up(SENDER, 9 - MOST_BEFORE, 9) is None


def test_a_contract_that_does_not_stand_yet_is_not_judged() -> None:
    pool = Waiting()
    pool.note(waiting(None, "0x6080", nonce="0x1"))
    assert pool.run_up(SENDER, 1, 1) is None


def test_a_transaction_that_takes_the_place_of_another_names_it() -> None:
    pool = Waiting(most=2)
    assert pool.note(waiting(V2.router)) is None
    assert pool.note(waiting(V2.router)) is None  # the same, told by another node
    assert pool.note(waiting(V2.router, hash="0x02")) == "0x01"
    for nonce in (20, 21):
        pool.note(waiting(V2.router, nonce=hex(nonce)))
    assert pool.run_up(SENDER, 7, 7) is None  # forgotten: only so many are kept


@given(
    st.builds(lambda tip, room: Fees(tip + room, tip), st.integers(0, 10**12), st.integers(1, 10**12)),
    st.integers(0, 10**12),
)
def test_a_bid_behind_another_is_below_it_in_whatever_block(target: Fees, base_fee: int) -> None:
    behind = fees_behind(target, max_fee_cap=10**13)
    assert behind.max_fee < target.max_fee  # anvil's order
    if (
        target.max_fee - base_fee > 0 and target.priority_fee
    ):  # builders' order: what each pays above the base fee
        assert behind.effective(base_fee) == target.effective(base_fee) - 1


def test_a_bid_behind_another_stays_under_the_cap() -> None:
    assert fees_behind(Fees(500, 400), max_fee_cap=300) == Fees(300, 300)
    assert fees_behind(Fees(500, 0), max_fee_cap=300) == Fees(300, 0)
