"""Tokens listed on the real Uniswap V3: pools made, given a price and liquidity, and emptied again."""

from __future__ import annotations

from math import isqrt

from eth_abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.tick_math import tick_at_sqrt_ratio
from tests import zoo

SPACINGS = {100: 1, 500: 10, 3000: 60, 10_000: 200}
TIERS = (500, 3000, 10_000)
"""The fees that V3's factory comes with; 100 was added by a vote later."""
WIDEST = 887_272
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"


def whole_range(fee: int) -> tuple[int, int]:
    """The widest ticks of a fee's spacing."""
    edge = WIDEST // SPACINGS[fee] * SPACINGS[fee]
    return -edge, edge


async def deploy_kind(node: Node, kind: str, account: LocalAccount, extra: tuple[int, ...] = ()) -> str:
    await zoo.propose_blocks_as_somebody(node)
    return await zoo.deploy_token(node, kind, account=account, extra=extra)


async def list_on_v3(
    node: Node,
    exchange: Exchange,
    kind: str = "Normal",
    *,
    fee: int = 3000,
    account: LocalAccount | None = None,
    pool_wei: int = zoo.POOL_WEI,
    tokens: int = zoo.LISTED,
    ranges: tuple[tuple[int, int], ...] = (),
    extra: tuple[int, ...] = (),
    width: int = 0,
    tokens_only: bool = False,
) -> Pool:
    """Deploy a token, make its pool at the price of the two amounts and put them in, in one range or several.

    `width`: one range of so many ticks either side of the price. `tokens_only`, as launchpads list: one range beside
    the price, and no coin.
    """
    account = account or zoo.anvil_account(9)
    token = await deploy_kind(node, kind, account, extra)
    pool, price = await create(node, exchange, token, account, fee, pool_wei, tokens)
    if kind == "HiddenOwner":
        assert (await zoo.transact(node, account, token, zoo.calldata("initPair(address)", pool.id))).ok
    elif kind not in zoo.UNPAIRED:
        assert (await zoo.transact(node, account, token, zoo.calldata("setPair(address)", pool.id))).ok
    if width:
        middle = tick_at_sqrt_ratio(price) // SPACINGS[fee] * SPACINGS[fee]
        ranges = ((middle - width, middle + width),)
    if tokens_only:
        ranges, pool_wei = (beside(pool, tick_at_sqrt_ratio(price)),), 0
    for lower, upper in ranges or (whole_range(fee),):
        await mint(node, pool, account, lower, upper, pool_wei, tokens)
    return pool


async def create(
    node: Node, exchange: Exchange, token: str, account: LocalAccount, fee: int, coins: int, tokens: int
) -> tuple[Pool, int]:
    """Make a token's pool at the price of two amounts, and let the position manager take the tokens."""
    pool = Pool(exchange, "", token, exchange.wrapped, fee, SPACINGS[fee])
    first, second = pool.currencies
    amounts = (coins, tokens) if pool.coin_first else (tokens, coins)
    price = isqrt((amounts[1] << 192) // amounts[0])
    approval = zoo.calldata("approve(address,uint256)", exchange.position_manager, zoo.MAX_UINT)
    assert (await zoo.transact(node, account, token, approval)).ok
    creation = zoo.calldata(
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)", first, second, fee, price
    )
    assert (await zoo.transact(node, account, exchange.position_manager, creation)).ok
    where = await pool_address(node, exchange, token, fee)
    return Pool(exchange, where, token, exchange.wrapped, fee, SPACINGS[fee]), price


def beside(pool: Pool, tick: int) -> tuple[int, int]:
    """The range from the price on to where tokens are dearest: it takes no coins."""
    spacing, (lowest, highest) = pool.tick_spacing, whole_range(pool.fee)
    below = tick // spacing * spacing
    return (lowest, below) if pool.coin_first else (below + spacing, highest)


async def mint(
    node: Node, pool: Pool, account: LocalAccount, lower: int, upper: int, coins: int, tokens: int
) -> zoo.Sent:
    """Put liquidity into a range; what does not fit comes back."""
    amounts = (coins, tokens) if pool.coin_first else (tokens, coins)
    fields = (*pool.currencies, pool.fee, lower, upper, *amounts, 0, 0, account.address, zoo.FOREVER)
    signature = "mint(address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256)"
    # The function takes one tuple of words, which is encoded as its members are.
    data = selector(
        "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    )
    body = zoo.calldata(signature, *fields)[10:]
    steps = [bytes.fromhex((data + body)[2:]), bytes.fromhex(selector("refundETH()")[2:])]
    sent = await zoo.transact(
        node, account, pool.exchange.position_manager, zoo.calldata("multicall(bytes[])", steps), coins
    )
    assert sent.ok, f"no liquidity was added to {pool.id}"
    return sent


async def withdraw(node: Node, pool: Pool, account: LocalAccount, percent: int) -> zoo.Sent:
    """Take a share out of the liquidity that was put in last; what it comes to stays in the pool until collected."""
    manager = pool.exchange.position_manager
    count = await _number(node, manager, zoo.calldata("totalSupply()"))
    token_id = await _number(node, manager, zoo.calldata("tokenByIndex(uint256)", count - 1))
    liquidity = await _number(node, manager, zoo.calldata("positions(uint256)", token_id), 7)
    fields = (token_id, liquidity * percent // 100, 0, 0, zoo.FOREVER)
    body = zoo.calldata("decreaseLiquidity(uint256,uint128,uint256,uint256,uint256)", *fields)[10:]
    data = selector("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))") + body
    sent = await zoo.transact(node, account, manager, data)
    assert sent.ok, f"no liquidity was taken out of {pool.id}"
    return sent


async def _number(node: Node, to: str, data: str, word: int = 0) -> int:
    answer: str = await node.call("eth_call", [{"to": to, "data": data}, "latest"])
    return int(answer[2 + 64 * word : 66 + 64 * word], 16)


async def pool_address(node: Node, exchange: Exchange, token: str, fee: int) -> str:
    data = zoo.calldata("getPool(address,address,uint24)", token, exchange.wrapped, fee)
    answer = await node.call("eth_call", [{"to": exchange.factory, "data": data}, "latest"])
    return "0x" + answer[-40:].lower()


def selector(signature: str) -> str:
    return "0x" + keccak(text=signature)[:4].hex()


def filling(pool: Pool, account: LocalAccount, coins: int = zoo.POOL_WEI, tokens: int = zoo.LISTED) -> str:
    """One call of the position manager that makes a pool at the price of two amounts and puts them in, everywhere."""
    amounts = (coins, tokens) if pool.coin_first else (tokens, coins)
    price = isqrt((amounts[1] << 192) // amounts[0])
    creation = zoo.calldata(
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *pool.currencies, pool.fee, price,
    )  # fmt: skip
    fields = (
        *pool.currencies,
        pool.fee,
        *whole_range(pool.fee),
        *amounts,
        0,
        0,
        account.address,
        zoo.FOREVER,
    )
    types = ["address", "address", "uint24", "int24", "int24", *["uint256"] * 4, "address", "uint256"]
    mint = selector(MINT) + encode(types, fields).hex()
    steps = [bytes.fromhex(call[2:]) for call in (creation, mint, selector("refundETH()"))]
    return zoo.calldata("multicall(bytes[])", steps)
