"""Where a token is traded, for whoever knows only its address: asked of each exchange's factory.

V2's factories have one pool a pair, V3's one for each fee. v4's manager keeps no list: its pools are known from the
logs that made them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import read_sides
from sniper_cli.pools.swaps import words

SPACINGS = {100: 1, 500: 10, 2500: 50, 3000: 60, 10_000: 200}
"""The fees of Uniswap V3's factory and of its forks (2500 is PancakeSwap's), and the ticks between their steps."""


async def find_pools(
    node: Node, exchanges: Exchanges, token: str, *, quote: str | None = None, block: int | str = "latest"
) -> list[Pool]:
    """The pools of a token against the wrapped coin, or another quote, that the factories know. Raises NetworkError."""
    at = hex(block) if isinstance(block, int) else block
    token, quote = token.lower(), (quote or exchanges.wrapped).lower()
    asked = [question for each in exchanges.listed for question in _questions(each, token, quote)]
    answers = await node.batch([_ask(pool, data, at) for pool, data in asked], return_errors=True)
    return [
        Pool(pool.exchange, found, token, quote, pool.fee, pool.tick_spacing)
        for (pool, _), answer in zip(asked, answers, strict=True)
        if (found := _address(answer)) != ZERO_ADDRESS
    ]


async def find_deepest(
    node: Node, exchanges: Exchanges, token: str, *, block: int | str = "latest"
) -> Pool | None:
    """Of a token's pools the one that most must go into to move its price; None where there is none at all.

    Raises NetworkError.
    """
    found = await find_pools(node, exchanges, token, block=block)
    sides = await read_sides(node, found, block)
    depths = [0 if side is None else side.depth for side in sides]
    return found[depths.index(max(depths))] if found else None


def _questions(exchange: Exchange, token: str, quote: str) -> Iterator[tuple[Pool, str]]:
    pair = words(token, quote)
    if exchange.protocol is Protocol.V2:
        yield Pool(exchange, "", token, quote, exchange.fee), abi.CALL_GET_PAIR + pair
    elif exchange.protocol is Protocol.V3:
        for fee, spacing in SPACINGS.items():
            yield Pool(exchange, "", token, quote, fee, spacing), abi.CALL_GET_POOL + pair + words(fee)


def _ask(pool: Pool, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": pool.exchange.factory, "data": data}, at]


def _address(answer: Any) -> str:
    readable = isinstance(answer, str) and len(answer) >= 2 + 64
    return abi.address_word(answer, 0) if readable else ZERO_ADDRESS
