"""Where a token is traded, for whoever knows only its address: asked of each exchange's factory.

V2's factories have one pool a pair, V3's one for each fee. v4's manager keeps no list, but a pool's key names it: those
without hooks and with the usual fees are looked for by their ids, against the coin itself and the wrapped one. Any
other is known only from the log that made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools import storage
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import read_sides
from sniper_cli.pools.words import words

SPACINGS = {100: 1, 500: 10, 2500: 50, 3000: 60, 10_000: 200}
"""The fees of Uniswap V3's factory and of its forks (2500 is PancakeSwap's), and the ticks between their steps."""
RECENT = 5_000
"""Blocks in which most nodes look for logs at once."""
USUAL = {fee: SPACINGS[fee] for fee in (100, 500, 3000, 10_000)}
"""Those of Uniswap's V3, which its own pages offer for a pool of v4, too."""


async def find_pools(
    node: Node, exchanges: Exchanges, token: str, *, quote: str | None = None, block: int | str = "latest"
) -> list[Pool]:
    """The pools of a token against the coin, or another quote, that the exchanges know. Raises NetworkError."""
    at = hex(block) if isinstance(block, int) else block
    token = token.lower()
    asked = [question for each in exchanges.listed for question in _questions(each, token, quote)]
    answers = await node.batch([_ask(pool, data, at) for pool, data in asked], return_errors=True)
    told = [_told(pool, answer) for (pool, _), answer in zip(asked, answers, strict=True)]
    return [pool for pool in told if pool is not None]


async def find_made(node: Node, exchanges: Exchanges, pool_id: str) -> Pool | None:
    """The v4 pool of an id, from the manager's log that made it; None where no log is found. Raises NetworkError.

    All of the chain is asked for it, since the id is indexed; a node that refuses so much is asked for the newest part.
    """
    head = await node.head()
    for exchange in exchanges.of(Protocol.V4):
        for since in (0, max(0, head.number - RECENT)):
            span = {"address": exchange.factory, "fromBlock": hex(since), "toBlock": hex(head.number)}
            question = {**span, "topics": [abi.INITIALIZE_V4, pool_id]}
            [logs] = await node.batch([("eth_getLogs", [question])], return_errors=True)
            if not isinstance(logs, NodeRefused):
                break
        found = [] if isinstance(logs, NodeRefused) else [_made_by(log, exchange) for log in logs]
        if found:
            return found[0]
    return None


def _made_by(log: abi.Log, exchange: Exchange) -> Pool | None:
    """The pool against the coin that a creation log of v4 tells of; None where neither side is the coin."""
    sides = [abi.topic_address(topic) for topic in log["topics"][2:4]]
    quote = next((each for each in (ZERO_ADDRESS, exchange.wrapped) if each in sides), None)
    if quote is None:
        return None
    token, data = sides[1 - sides.index(quote)], log["data"]
    terms = {"fee": abi.word(data, 0), "tick_spacing": abi.signed_word(data, 1)}
    return keyed_pool(exchange, token, quote=quote, hooks=abi.address_word(data, 2), **terms)


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


def _questions(exchange: Exchange, token: str, named: str | None) -> Iterator[tuple[Pool, str]]:
    """Pools that there may be, and what to ask of the factory: of V2 and V3 the address, of v4 what it keeps of it."""
    quote = (named or exchange.wrapped).lower()
    pair = words(token, quote)
    if exchange.protocol is Protocol.V2:
        yield Pool(exchange, "", token, quote, exchange.fee), abi.CALL_GET_PAIR + pair
    elif exchange.protocol is Protocol.V3:
        for fee, spacing in SPACINGS.items():
            yield Pool(exchange, "", token, quote, fee, spacing), abi.CALL_GET_POOL + pair + words(fee)
    else:
        for fee, spacing in USUAL.items():
            for each in (quote,) if named else (ZERO_ADDRESS, quote):
                pool = keyed_pool(exchange, token, quote=each, fee=fee, tick_spacing=spacing)
                yield pool, storage.load_data(storage.first_slots(pool))


def _told(pool: Pool, answer: Any) -> Pool | None:
    """The pool, if there is one."""
    if pool.protocol is Protocol.V4:
        return pool if any(storage.read(answer)[:1]) else None
    found = _address(answer)
    return None if found == ZERO_ADDRESS else replace(pool, id=found)


def _ask(pool: Pool, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": pool.exchange.factory, "data": data}, at]


def _address(answer: Any) -> str:
    readable = isinstance(answer, str) and len(answer) >= 2 + 64
    return abi.address_word(answer, 0) if readable else ZERO_ADDRESS
