"""Two tokens and the wrapped coin on the real V2, V3 and v4, in pools of every two: what routes are found over."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import isqrt

from eth_account.signers.local import LocalAccount

from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS
from sniper_cli.pricing.tick_math import tick_at_sqrt_ratio
from tests import v4_zoo, zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import SPACINGS, selector, whole_range

DEPTHS = {"V2": 40, 500: 30, 3000: 60}
"""How many coins' worth stand on each side of a pair's pools."""
RATES = {"coin": 1, "first": 1000, "second": 500}
"""So many of each are worth one coin."""

MINT = "mint(address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256)"
MINT_OF_A_TUPLE = MINT.replace("(", "((").replace(")", "))")
"""The function takes one tuple of words, which is encoded as its members are."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Addresses, in lower case."""

    coin: str
    first: str
    second: str

    def worth(self, token: str, coins: int) -> int:
        """So many coins in units of a token, at the price the pools begin with."""
        name = next(name for name in RATES if getattr(self, name) == token)
        return coins * RATES[name]


async def list_all(chain: Chain, account: LocalAccount | None = None) -> Tokens:
    """Deploy both tokens and give every two of the three a V2 pool and two of V3."""
    node, account = chain.node, account or zoo.anvil_account(9)
    await zoo.propose_blocks_as_somebody(node)
    first, second = [
        await zoo.deploy_token(node, "NormalRenounced", account=account, symbol=symbol)
        for symbol in ("FIRST", "SECOND")
    ]
    tokens = Tokens(chain.exchange.wrapped, first, second)
    assert (await zoo.transact(node, account, tokens.coin, selector("deposit()"), 1_000 * zoo.WEI)).ok
    for token in (tokens.coin, first, second):
        for spender in (chain.exchange.router, chain.v3.position_manager):
            approval = zoo.calldata("approve(address,uint256)", spender, zoo.MAX_UINT)
            assert (await zoo.transact(node, account, token, approval)).ok
    for one, other in combinations((tokens.coin, first, second), 2):
        await _on_v2(chain, account, tokens, one, other)
        for fee in (500, 3000):
            await _on_v3(chain, account, tokens, one, other, fee)
    return tokens


async def _on_v2(chain: Chain, account: LocalAccount, tokens: Tokens, one: str, other: str) -> None:
    amounts = [tokens.worth(token, DEPTHS["V2"] * zoo.WEI) for token in (one, other)]
    data = zoo.calldata(
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        one, other, *amounts, 0, 0, account.address, zoo.FOREVER,
    )  # fmt: skip
    assert (await zoo.transact(chain.node, account, chain.exchange.router, data)).ok


async def _on_v3(chain: Chain, account: LocalAccount, tokens: Tokens, one: str, other: str, fee: int) -> None:
    """A pool with liquidity over all prices and, over it, in a band of ten spacings around the price."""
    manager = chain.v3.position_manager
    lower, upper = sorted((one, other), key=lambda token: int(token, 16))
    amounts = [tokens.worth(token, DEPTHS[fee] * zoo.WEI) for token in (lower, upper)]
    price = isqrt((amounts[1] << 192) // amounts[0])
    creation = zoo.calldata(
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)", lower, upper, fee, price
    )
    assert (await zoo.transact(chain.node, account, manager, creation)).ok
    middle = await _tick(chain, lower, upper, fee)
    near = (middle - 10 * SPACINGS[fee], middle + 10 * SPACINGS[fee])
    for ends, part in ((whole_range(fee), 1), (near, 4)):
        body = zoo.calldata(
            MINT,
            lower, upper, fee, *ends, *(amount // part for amount in amounts), 0, 0, account.address, zoo.FOREVER,
        )[10:]  # fmt: skip
        assert (await zoo.transact(chain.node, account, manager, selector(MINT_OF_A_TUPLE) + body)).ok


async def list_on_v4_too(chain: Chain, tokens: Tokens, account: LocalAccount | None = None) -> None:
    """Pools of v4 beside: of the coin itself, of the wrapped one, and of the two tokens."""
    account = account or zoo.anvil_account(9)
    for one, token, fee in (
        (ZERO_ADDRESS, tokens.first, 500),
        (ZERO_ADDRESS, tokens.second, 3000),
        (tokens.coin, tokens.first, 3000),
        (tokens.coin, tokens.second, 500),
        (tokens.first, tokens.second, 500),
    ):
        pool = keyed_pool(chain.v4, token, quote=one, fee=fee, tick_spacing=SPACINGS[fee])
        quoted = tokens.coin if one == ZERO_ADDRESS else one
        amounts = [tokens.worth(each, DEPTHS[fee] * zoo.WEI) for each in (quoted, token)]
        ordered = amounts if pool.coin_first else amounts[::-1]
        await v4_zoo.initialize(chain.node, pool, account, isqrt((ordered[1] << 192) // ordered[0]))
        middle = tick_at_sqrt_ratio(await v4_zoo.price_of(chain.node, pool)) // SPACINGS[fee] * SPACINGS[fee]
        near = (middle - 10 * SPACINGS[fee], middle + 10 * SPACINGS[fee])
        for ends, part in ((whole_range(fee), 1), (near, 4)):
            await v4_zoo.mint(chain.node, pool, account, *ends, *(amount // part for amount in amounts))


async def _tick(chain: Chain, lower: str, upper: str, fee: int) -> int:
    asking = zoo.calldata("getPool(address,address,uint24)", lower, upper, fee)
    pool = await chain.node.call("eth_call", [{"to": chain.v3.factory, "data": asking}, "latest"])
    slot = {"to": "0x" + pool[-40:], "data": selector("slot0()")}
    answer = await chain.node.call("eth_call", [slot, "latest"])
    tick = int(answer[66:130], 16)
    tick = tick - (1 << 256) if tick >> 255 else tick
    return tick // SPACINGS[fee] * SPACINGS[fee]
