"""A v4 pool's id and calldata are what eth_abi and keccak make of its key; hooks' addresses tell when they act."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.keys import DYNAMIC_FEE, HookCalls, follows_its_formula, hook_calls, id_of, keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.storage import net_of, slot0_of, whole_fee
from sniper_cli.pools.words import words

WRAPPED, MANAGER, ROUTER, PERMIT2 = ("0x" + digit * 40 for digit in "5678")
V4 = Exchange(1, WRAPPED, MANAGER, ROUTER, protocol=Protocol.V4, permit2=PERMIT2)
KEY = "(address,address,uint24,int24,address)"
SWAP = f"({KEY},bool,uint128,uint128,bytes)"

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
amounts = st.integers(0, 2**128 - 1)
pools = st.builds(
    keyed_pool,
    st.just(V4),
    addresses.filter(lambda token: token not in (ZERO_ADDRESS, WRAPPED)),
    quote=st.sampled_from([ZERO_ADDRESS, WRAPPED]),
    fee=st.integers(0, 2**24 - 1),
    tick_spacing=st.integers(1, 2**15 - 1),
    hooks=addresses,
)


def key(pool: Pool) -> tuple[str, str, int, int, str]:
    first, second = sorted((pool.token, pool.quote), key=lambda address: int(address, 16))
    return first, second, pool.fee, pool.tick_spacing, pool.hooks


def execute(commands: bytes, inputs: list[bytes], deadline: int) -> str:
    selector = keccak(text="execute(bytes,bytes[],uint256)")[:4]
    return "0x" + (selector + encode(["bytes", "bytes[]", "uint256"], [commands, inputs, deadline])).hex()


def plan(actions: bytes, parameters: list[bytes]) -> bytes:
    return encode(["bytes", "bytes[]"], [actions, parameters])


@given(pools)
def test_an_id_is_the_hash_of_the_key(pool: Pool) -> None:
    assert id_of(pool) == pool.id == "0x" + keccak(encode([KEY], [key(pool)])).hex()


def test_the_id_of_a_pool_of_the_world() -> None:
    """ETH/USDC at 0.05 % on Ethereum, as Uniswap's own pages address it."""
    usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
    known = "0x21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27"

    assert keyed_pool(V4, usdc, fee=500, tick_spacing=10).id == known


@given(pools, addresses, amounts, amounts, st.integers(0, 2**40))
def test_a_purchase_is_what_eth_abi_writes(
    pool: Pool, owner: str, amount: int, least: int, deadline: int
) -> None:
    coin_first = key(pool)[0] == pool.quote
    taker = owner if pool.quote == ZERO_ADDRESS else "0x" + "0" * 39 + "2"
    steps = plan(
        b"\x0b\x06\x0e\x0e",
        [
            encode(["address", "uint256", "bool"], [pool.quote, amount, False]),
            encode([SWAP], [(key(pool), coin_first, 0, least, b"")]),
            encode(["address", "address", "uint256"], [pool.token, owner, 0]),
            encode(["address", "address", "uint256"], [pool.quote, taker, 0]),
        ],
    )
    if pool.quote == ZERO_ADDRESS:
        data = execute(b"\x10", [steps], deadline)
    else:
        wrap = encode(["address", "uint256"], ["0x" + "0" * 39 + "2", amount])
        unwrap = encode(["address", "uint256"], [owner, 0])
        data = execute(b"\x0b\x10\x0c", [wrap, steps, unwrap], deadline)

    assert swaps.buy_call(pool, owner, amount, least, deadline) == (ROUTER, data, amount)


@given(pools, addresses, amounts, amounts, st.integers(0, 2**40))
def test_a_sale_is_what_eth_abi_writes(
    pool: Pool, owner: str, quantity: int, least: int, deadline: int
) -> None:
    direct = pool.quote == ZERO_ADDRESS
    taker = owner if direct else "0x" + "0" * 39 + "2"
    steps = plan(
        b"\x0b\x06\x0e",
        [
            encode(["address", "uint256", "bool"], [pool.token, quantity, True]),
            encode([SWAP], [(key(pool), key(pool)[0] == pool.token, 0, least, b"")]),
            encode(["address", "address", "uint256"], [pool.quote, taker, 0]),
        ],
    )
    unwrap = [] if direct else [encode(["address", "uint256"], [owner, least])]
    data = execute(b"\x10" if direct else b"\x10\x0c", [steps, *unwrap], deadline)

    assert swaps.sell_call(pool, owner, quantity, least, deadline) == (ROUTER, data, 0)


@given(pools, addresses, st.integers(0, 2**256 - 1))
def test_the_token_lets_permit2_and_permit2_the_router(pool: Pool, owner: str, quantity: int) -> None:
    let = encode(["address", "uint256"], [PERMIT2, quantity]).hex()
    types = ["address", "address", "uint160", "uint48"]
    permit = encode(types, [pool.token, ROUTER, min(quantity, 2**160 - 1), 2**48 - 1]).hex()
    selector = keccak(text="approve(address,address,uint160,uint48)")[:4].hex()

    assert swaps.spender(pool) == PERMIT2
    assert swaps.approval_calls(pool, owner, quantity) == (
        (pool.token, "0x095ea7b3" + let, 0),
        (PERMIT2, "0x" + selector + permit, 0),
    )
    asked = keccak(text="allowance(address,address,address)")[:4] + encode(
        ["address"] * 3, [owner, pool.token, ROUTER]
    )
    assert swaps.allowance_calls(pool, owner)[1] == (PERMIT2, "0x" + asked.hex(), 0)


@given(st.lists(st.one_of(st.integers(-(2**255), 2**255 - 1), addresses), max_size=4))
def test_words_are_words(values: list[int | str]) -> None:
    types = ["address" if isinstance(value, str) else "int256" for value in values]

    assert words(*values) == encode(types, values).hex()


def test_hooks_tell_by_their_address_when_they_are_called() -> None:
    assert hook_calls(ZERO_ADDRESS) == 0
    assert hook_calls("0x" + "f" * 36 + "c0c8") == (
        HookCalls.BEFORE_SWAP | HookCalls.AFTER_SWAP | HookCalls.BEFORE_SWAP_MOVES
    )


@pytest.mark.parametrize(
    ("hooks", "fee", "follows"),
    [
        (ZERO_ADDRESS, 3000, True),
        ("0x" + "1" * 36 + "2000", 3000, True),  # before the pool is made, and never again
        ("0x" + "1" * 36 + "0300", 3000, True),  # around removals of liquidity
        ("0x" + "1" * 36 + "0080", 3000, False),
        ("0x" + "1" * 36 + "0040", 3000, False),
        ("0x" + "1" * 36 + "0000", DYNAMIC_FEE, False),
    ],
)
def test_what_hooks_do_around_swaps_no_formula_tells(hooks: str, fee: int, follows: bool) -> None:
    assert follows_its_formula(keyed_pool(V4, "0x" + "3" * 40, fee=fee, hooks=hooks)) is follows


@given(
    st.integers(1, 2**160 - 1),
    st.integers(-887_272, 887_272),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 1_000_000),
)
def test_a_price_shares_its_word_with_tick_and_fees(
    price: int, tick: int, down: int, up: int, fee: int
) -> None:
    word = price | tick % 2**24 << 160 | down << 184 | up << 196 | fee << 208

    assert slot0_of(word) == (price, tick, whole_fee(down, fee), whole_fee(up, fee))


@pytest.mark.parametrize(
    ("protocol", "liquidity", "whole"),
    [(0, 3000, 3000), (1000, 0, 1000), (1000, 3000, 3997), (250, 10_000, 10_248)],
)
def test_the_protocols_fee_comes_first(protocol: int, liquidity: int, whole: int) -> None:
    """By hand: 0.1 % of 1, then 0.3 % of the rest, is 0.3997 %; 0.025 % and 1 %: 1.02475 %, rounded up."""
    assert whole_fee(protocol, liquidity) == whole


@given(st.integers(-(2**127), 2**127 - 1), st.integers(0, 2**128 - 1))
def test_a_ticks_net_is_the_upper_half_of_its_word(net: int, gross: int) -> None:
    assert net_of(net % 2**128 << 128 | gross) == net
