"""Reading raw logs and waiting transactions; calldata made by eth_abi, not by the code under test."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.sniping.launches import clean
from sniper_cli.sniping.listings import read_listing, read_removal, topics_of

WRAPPED, FACTORY, ROUTER, TOKEN, POOL, SOMEBODY = (f"0x{digit * 40}" for digit in "ecd3ab")
V3_FACTORY, POOL_MANAGER, HOOKS = (f"0x{digit * 40}" for digit in "457")
POOL_ID = "0x" + "9" * 64
ZERO = "0x" + "0" * 40
EXCHANGES = Exchanges(
    (
        Exchange(31337, WRAPPED, FACTORY, ROUTER),
        Exchange(31337, WRAPPED, V3_FACTORY, SOMEBODY, protocol=Protocol.V3),
        Exchange(31337, WRAPPED, POOL_MANAGER, SOMEBODY, protocol=Protocol.V4),
    )
)


def call(signature: str, *values: Any) -> str:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return "0x" + (keccak(text=signature)[:4] + encode(types, values)).hex()


def waiting(to: str, data: str, **fields: str) -> dict[str, str]:
    return {"to": to, "input": data, "hash": "0x99", "maxFeePerGas": hex(7_000), **fields}


def created(first: str, second: str) -> dict[str, Any]:
    return {
        "address": FACTORY,
        "topics": [abi.PAIR_CREATED, "0x" + first[2:].rjust(64, "0"), "0x" + second[2:].rjust(64, "0")],
        "data": "0x" + POOL[2:].rjust(64, "0") + "1".rjust(64, "0"),
        "blockNumber": "0x10",
        "blockHash": "0x77",
        "transactionHash": "0x88",
    }


@pytest.mark.parametrize("pair", [(TOKEN, WRAPPED), (WRAPPED, TOKEN)])
def test_a_pool_against_the_coin_is_a_listing_of_the_other_token(pair: tuple[str, str]) -> None:
    listing = read_listing(created(*pair), EXCHANGES, received_at=5)
    assert listing is not None
    assert (listing.token, listing.pool, listing.block_number, listing.received_at) == (TOKEN, POOL, 16, 5)


def topic(value: str | int) -> str:
    number = value if isinstance(value, int) else int(value, 16)
    return f"0x{number:064x}"


def logged(address: str, topics: list[str], types: list[str], values: list[Any]) -> dict[str, Any]:
    block = {"blockNumber": "0x10", "blockHash": "0x77", "transactionHash": "0x88"}
    return {"address": address, "topics": topics, "data": "0x" + encode(types, values).hex(), **block}


def test_a_v3_pool_tells_its_fee_and_its_spacing() -> None:
    event = "PoolCreated(address,address,uint24,int24,address)"
    topics = ["0x" + keccak(text=event).hex(), topic(TOKEN), topic(WRAPPED), topic(10_000)]
    log = logged(V3_FACTORY, topics, ["int24", "address"], [200, POOL])
    listing = read_listing(log, EXCHANGES, received_at=5)
    assert listing is not None
    assert (listing.pool, listing.token, listing.protocol) == (POOL, TOKEN, Protocol.V3)
    assert (listing.fee, listing.tick_spacing, listing.hooks) == (10_000, 200, None)


@pytest.mark.parametrize("coin", [ZERO, WRAPPED])
def test_a_v4_pool_is_against_the_coin_itself_or_its_wrapping(coin: str) -> None:
    event = "Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)"
    sides = sorted((coin, TOKEN))
    topics = ["0x" + keccak(text=event).hex(), POOL_ID, topic(sides[0]), topic(sides[1])]
    types = ["uint24", "int24", "address", "uint160", "int24"]
    listing = read_listing(
        logged(POOL_MANAGER, topics, types, [0x800000, 60, HOOKS, 2**96, -7]), EXCHANGES, received_at=5
    )
    assert listing is not None
    assert (listing.pool, listing.token, listing.quote_token) == (POOL_ID, TOKEN, coin)
    assert (listing.protocol, listing.fee, listing.tick_spacing) == (Protocol.V4, 0x800000, 60)
    assert (listing.hooks, listing.sqrt_price) == (HOOKS, 2**96)


def test_a_v4_pool_of_the_coin_and_its_wrapping_lists_nothing() -> None:
    topics = [abi.INITIALIZE_V4, POOL_ID, topic(ZERO), topic(WRAPPED)]
    types = ["uint24", "int24", "address", "uint160", "int24"]
    assert read_listing(logged(POOL_MANAGER, topics, types, [500, 10, ZERO, 2**96, 0]), EXCHANGES, 5) is None


def test_an_event_from_another_contract_than_the_protocol_s_factory_is_no_listing() -> None:
    assert read_listing(created(TOKEN, WRAPPED) | {"address": SOMEBODY}, EXCHANGES, 5) is None
    assert read_listing(created(TOKEN, WRAPPED) | {"address": V3_FACTORY}, EXCHANGES, 5) is None


def test_one_subscription_asks_for_the_events_of_the_protocols_that_are_watched() -> None:
    assert topics_of(EXCHANGES) == (abi.PAIR_CREATED, abi.POOL_CREATED, abi.INITIALIZE_V4)
    assert topics_of(Exchanges(EXCHANGES.listed[:1])) == (abi.PAIR_CREATED,)


def test_a_pool_of_two_tokens_is_none_of_ours() -> None:
    assert read_listing(created(TOKEN, SOMEBODY), EXCHANGES, received_at=5) is None


@pytest.mark.parametrize(
    "name",
    ["removeLiquidityETH", "removeLiquidityETHSupportingFeeOnTransferTokens"],
)
def test_the_router_s_removal_names_its_token_and_its_shares(name: str) -> None:
    data = call(f"{name}(address,uint256,uint256,uint256,address,uint256)", TOKEN, 123, 0, 0, SOMEBODY, 1)
    removal = read_removal(waiting(ROUTER, data), EXCHANGES)
    assert removal is not None
    assert (removal.token, removal.shares, removal.max_fee, removal.tx_hash) == (TOKEN, 123, 7_000, "0x99")


def test_a_removal_that_names_both_tokens_is_of_the_one_that_is_not_the_coin() -> None:
    signature = "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)"
    for pair in ((TOKEN, WRAPPED), (WRAPPED, TOKEN)):
        removal = read_removal(waiting(ROUTER, call(signature, *pair, 5, 0, 0, SOMEBODY, 1)), EXCHANGES)
        assert removal is not None
        assert (removal.token, removal.shares) == (TOKEN, 5)


def test_shares_sent_to_the_pool_itself_are_the_beginning_of_a_removal() -> None:
    sent = read_removal(waiting(POOL, call("transfer(address,uint256)", POOL, 9)), EXCHANGES)
    assert sent is not None
    assert (sent.pool, sent.shares) == (POOL, 9)
    assert read_removal(waiting(POOL, call("transfer(address,uint256)", SOMEBODY, 9)), EXCHANGES) is None


def test_a_burn_called_on_the_pool_is_a_removal() -> None:
    removal = read_removal(waiting(POOL, call("burn(address)", SOMEBODY)), EXCHANGES)
    assert removal is not None
    assert (removal.pool, removal.shares) == (POOL, None)


@pytest.mark.parametrize(
    "data", ["0x", "0x02751cec", "0x02751cec" + "00" * 31, "0xa9059cbb", "0xdeadbeef" + "00" * 64]
)
def test_cut_or_foreign_calldata_is_no_removal(data: str) -> None:
    assert read_removal(waiting(ROUTER, data), EXCHANGES) is None


def test_a_legacy_transaction_s_gas_price_is_what_must_be_outbid() -> None:
    transaction = waiting(POOL, call("burn(address)", SOMEBODY), gasPrice=hex(55))
    del transaction["maxFeePerGas"]
    removal = read_removal(transaction, EXCHANGES)
    assert removal is not None
    assert removal.max_fee == 55


def test_a_contract_s_creation_is_no_removal() -> None:
    assert read_removal({"to": None, "input": "0x6080", "hash": "0x1", "gasPrice": "0x1"}, EXCHANGES) is None


def test_a_name_that_a_stranger_wrote_cannot_reach_the_terminal_s_controls() -> None:
    assert clean("MOON\x1b[31m\n\u202eNUR") == "MOON[31mNUR"
    assert len(clean("x" * 500)) == 40
