"""Tokens listed on the real Uniswap v4: pools initialised, liquidity put in as positions and taken out again.

A token knows one pair at most; on v4 that is the manager, which holds what all pools hold.
"""

from __future__ import annotations

import json
from functools import cache
from math import isqrt
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from sniper_cli.chains.devnet.deploy import wait_mined
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pricing.liquidity_amounts import liquidity_for_amounts
from sniper_cli.pricing.tick_math import sqrt_ratio_at_tick
from tests import zoo

KEY = "(address,address,uint24,int24,address)"
MOST = 2**128 - 1
DECREASE, MINT, BURN, SETTLE_PAIR, TAKE_PAIR, SWEEP = 0x01, 0x02, 0x03, 0x0D, 0x11, 0x14
"""Actions of the position manager; v4-periphery's Actions.sol."""
WIDEST = 887_272
HOOKS: dict[str, tuple[int, list[str]]] = {
    "TakingHooks": (1 << 6 | 1 << 2, ["manager", "coin", "uint256", "uint256"]),
    "RefusingHooks": (1 << 7, ["coin", "uint256"]),
    "PricingHooks": (1 << 7, ["coin", "uint24", "uint24"]),
}
"""Kinds of hooks: when their address has them called, and what they are made with."""


def key_of(pool: Pool) -> tuple[str, str, int, int, str]:
    """A pool's key, as eth_abi takes it."""
    return (*pool.currencies, pool.fee, pool.tick_spacing, pool.hooks)


async def list_on_v4(
    node: Node,
    exchange: Exchange,
    kind: str = "Normal",
    *,
    quote: str = ZERO_ADDRESS,
    fee: int = 3000,
    tick_spacing: int = 60,
    hooks: str = ZERO_ADDRESS,
    account: LocalAccount | None = None,
    pool_wei: int = zoo.POOL_WEI,
    tokens: int = zoo.LISTED,
    ranges: tuple[tuple[int, int], ...] = (),
    extra: tuple[int, ...] = (),
) -> Pool:
    """Deploy a token, make its pool at the price of the two amounts and put them in, in one range or several."""
    account = account or zoo.anvil_account(9)
    await zoo.propose_blocks_as_somebody(node)
    token = await zoo.deploy_token(node, kind, account=account, extra=extra)
    pool = keyed_pool(exchange, token, quote=quote, fee=fee, tick_spacing=tick_spacing, hooks=hooks)
    amounts = (pool_wei, tokens) if pool.coin_first else (tokens, pool_wei)
    await initialize(node, pool, account, isqrt((amounts[1] << 192) // amounts[0]))
    edge = WIDEST // tick_spacing * tick_spacing
    for lower, upper in ranges or ((-edge, edge),):
        await mint(node, pool, account, lower, upper, pool_wei, tokens)
    # Last: the owner's own liquidity would be taxed as a sale, which V2's router allows for and the manager does not.
    if kind == "HiddenOwner":
        assert (await zoo.transact(node, account, token, zoo.calldata("initPair(address)", pool.keeper))).ok
    elif kind not in zoo.UNPAIRED:
        assert (await zoo.transact(node, account, token, zoo.calldata("setPair(address)", pool.keeper))).ok
    return pool


async def initialize(node: Node, pool: Pool, account: LocalAccount, price: int) -> None:
    """Make a pool, at a price (√(currency1/currency0) in Q64.96)."""
    data = selector(f"initialize({KEY},uint160)") + encode([KEY, "uint160"], [key_of(pool), price]).hex()
    assert (await zoo.transact(node, account, pool.exchange.factory, data)).ok, f"{pool.id} was not made"


async def mint(
    node: Node, pool: Pool, account: LocalAccount, lower: int, upper: int, coins: int, tokens: int
) -> int:
    """Put liquidity into a range, as much as both amounts suffice for, and return its position's number."""
    exchange, spent = pool.exchange, 0
    await permit(node, pool, pool.token, account)
    if pool.quote == ZERO_ADDRESS:
        spent = coins
    else:
        if pool.quote == exchange.wrapped:
            await zoo.transact(node, account, exchange.wrapped, selector("deposit()"), coins)
        await permit(node, pool, pool.quote, account)
    amounts = (coins, tokens) if pool.coin_first else (tokens, coins)
    price = await price_of(node, pool)
    ends = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    # What goes in is rounded up: a unit of liquidity in a million is left out, so that the amounts suffice.
    liquidity = liquidity_for_amounts(price, *ends, *amounts) * 999_999 // 1_000_000
    position = await next_position(node, exchange)
    types = [KEY, "int24", "int24", "uint256", "uint128", "uint128", "address", "bytes"]
    fields = [key_of(pool), lower, upper, liquidity, MOST, MOST, account.address, b""]
    steps = [(MINT, encode(types, fields)), (SETTLE_PAIR, encode(["address"] * 2, pool.currencies))]
    if spent:
        steps.append((SWEEP, encode(["address"] * 2, [ZERO_ADDRESS, account.address])))
    await modify(node, exchange, account, steps, spent)
    return position


async def remove(
    node: Node, pool: Pool, account: LocalAccount, position: int, liquidity: int | None = None
) -> None:
    """Take liquidity out of a position; all of it, and the position with it, unless told how much."""
    if liquidity is None:
        taking = BURN, encode(["uint256", "uint128", "uint128", "bytes"], [position, 0, 0, b""])
    else:
        types = ["uint256", "uint256", "uint128", "uint128", "bytes"]
        taking = DECREASE, encode(types, [position, liquidity, 0, 0, b""])
    paid = TAKE_PAIR, encode(["address"] * 3, [*pool.currencies, account.address])
    await modify(node, pool.exchange, account, [taking, paid])


async def modify(
    node: Node, exchange: Exchange, account: LocalAccount, steps: list[tuple[int, bytes]], value: int = 0
) -> None:
    """A list of actions on the position manager."""
    done = await zoo.transact(node, account, exchange.position_manager, modify_data(steps), value)
    assert done.ok, f"the actions {[action for action, _ in steps]} were refused"


def modify_data(steps: list[tuple[int, bytes]]) -> str:
    """modifyLiquidities(bytes,uint256) for a list of actions."""
    plan = encode(
        ["bytes", "bytes[]"], [bytes(action for action, _ in steps), [fields for _, fields in steps]]
    )
    return zoo.calldata("modifyLiquidities(bytes,uint256)", plan, zoo.FOREVER)


async def permit(node: Node, pool: Pool, currency: str, account: LocalAccount) -> None:
    """Let the position manager take a currency, through Permit2, without limit."""
    exchange = pool.exchange
    let = zoo.calldata("approve(address,uint256)", exchange.permit2, zoo.MAX_UINT)
    assert (await zoo.transact(node, account, currency, let)).ok
    signature = "approve(address,address,uint160,uint48)"
    permitted = zoo.calldata(signature, currency, exchange.position_manager, 2**160 - 1, 2**48 - 1)
    assert (await zoo.transact(node, account, exchange.permit2, permitted)).ok


async def hooks_of(
    node: Node, exchange: Exchange, kind: str, *arguments: int, quote: str = ZERO_ADDRESS
) -> str:
    """Hooks of a kind (contracts/Hooks.sol), laid where their address says when they are called."""
    flags, types = HOOKS[kind]
    known = {"manager": exchange.factory, "coin": quote}
    given = iter(arguments)
    values = [known[each] if each in known else next(given) for each in types]
    code = artifacts()[kind]["bytecode"]
    code += encode(["address" if each in known else each for each in types], values).hex()
    made = await zoo.transact(node, zoo.anvil_account(9), None, code)
    assert made.created
    address = "0x" + made.created[2:38] + f"{flags:04x}"
    await node.call("anvil_setCode", [address, await node.call("eth_getCode", [made.created, "latest"])])
    return address


@cache
def artifacts() -> dict[str, dict[str, Any]]:
    return json.loads((Path(__file__).parent / "contracts" / "hooks.json").read_text())["contracts"]


async def set_protocol_fee(node: Node, pool: Pool, owner: str, downwards: int, upwards: int) -> None:
    """Let the protocol take a fee of its own of each direction, in hundredths of a basis point; at most 1000."""
    let = zoo.calldata("setProtocolFeeController(address)", owner)
    take = selector(f"setProtocolFee({KEY},uint24)")
    take += encode([KEY, "uint24"], [key_of(pool), upwards << 12 | downwards]).hex()
    for data in (let, take):
        call = {"from": owner, "to": pool.exchange.factory, "data": data}
        sent = await node.call("eth_sendTransaction", [call])
        assert (await wait_mined(node, sent))["status"] == "0x1"


async def set_dynamic_fee(node: Node, pool: Pool, fee: int) -> None:
    """What only a pool's hooks may do: set the fee of a pool made with a dynamic one."""
    data = selector(f"updateDynamicLPFee({KEY},uint24)") + encode([KEY, "uint24"], [key_of(pool), fee]).hex()
    await node.call("anvil_setBalance", [pool.hooks, hex(10**18)])
    await node.call("anvil_impersonateAccount", [pool.hooks])
    call = {"from": pool.hooks, "to": pool.exchange.factory, "data": data}
    assert (await wait_mined(node, await node.call("eth_sendTransaction", [call])))["status"] == "0x1"


async def price_of(node: Node, pool: Pool) -> int:
    """The pool's price, out of the word that v4-core's StateLibrary reads it from."""
    slot = keccak(bytes.fromhex(pool.id[2:]) + (6).to_bytes(32))
    data = zoo.calldata("extsload(bytes32)", slot)
    answer = await node.call("eth_call", [{"to": pool.exchange.factory, "data": data}, "latest"])
    return int(answer, 16) & (1 << 160) - 1


async def next_position(node: Node, exchange: Exchange) -> int:
    """The number that the next position will have."""
    call = {"to": exchange.position_manager, "data": selector("nextTokenId()")}
    return int(await node.call("eth_call", [call, "latest"]), 16)


def selector(signature: str) -> str:
    return "0x" + keccak(text=signature)[:4].hex()


def filling(pool: Pool, account: LocalAccount, coins: int = zoo.POOL_WEI, tokens: int = zoo.LISTED) -> str:
    """One call of the position manager that makes a pool at the price of two amounts and puts them in, everywhere."""
    amounts = (coins, tokens) if pool.coin_first else (tokens, coins)
    price = isqrt((amounts[1] << 192) // amounts[0])
    edge = WIDEST // pool.tick_spacing * pool.tick_spacing
    ends = sqrt_ratio_at_tick(-edge), sqrt_ratio_at_tick(edge)
    liquidity = liquidity_for_amounts(price, *ends, *amounts) * 999_999 // 1_000_000
    types = [KEY, "int24", "int24", "uint256", "uint128", "uint128", "address", "bytes"]
    fields = [key_of(pool), -edge, edge, liquidity, MOST, MOST, account.address, b""]
    steps = [
        (MINT, encode(types, fields)),
        (SETTLE_PAIR, encode(["address"] * 2, pool.currencies)),
        (SWEEP, encode(["address"] * 2, [ZERO_ADDRESS, account.address])),
    ]
    creation = (
        selector(f"initializePool({KEY},uint160)") + encode([KEY, "uint160"], [key_of(pool), price]).hex()
    )
    calls = [bytes.fromhex(call[2:]) for call in (creation, modify_data(steps))]
    return zoo.calldata("multicall(bytes[])", calls)
