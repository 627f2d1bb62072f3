"""The pools between some tokens: asked of the factories, read at one block.

Every pair of the tokens is asked for: V2's factories for their one pool of it, V3's for the pool of each usual fee.
All questions go in one request, all states are of one block, so that what is quoted was true of all pools at one time.

A route is worth only what one transaction can do. Uniswap's SwapRouter02 trades in V3's pools and in those of one V2
factory, in any mixture; a fork's Router02 only in its own, one path at a time. `Reach` says who can do what.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Head, Node
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import read_sides
from sniper_cli.pools.words import words
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.routes import RoutePool
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide

GET_POOL = "0x1698ee82"
"""getPool(address, address, uint24)"""
FACTORY_V2 = "0x68e0d4e1"
"""factoryV2(), whose pools a SwapRouter02 trades in besides V3's"""
SPACINGS: Mapping[int, int] = {100: 1, 500: 10, 3000: 60, 10_000: 200}
"""V3's usual fees, in hundredths of a basis point, and the spacing of their ticks."""

AT_ONCE = 8
"""Pools whose states are asked for in one request; nodes take 1,000 questions and fewer."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A router, and the factories in whose pools it trades."""

    router: str
    factories: frozenset[str]
    splits: bool
    """A SwapRouter02: several paths in one transaction, each through V2 and V3 as they come."""


@dataclass(frozen=True, slots=True)
class Market:
    """Pools as they stood at one block."""

    head: Head
    pools: Mapping[str, RoutePool]
    known: Mapping[str, Pool]
    """The same by what names them; `quote` is the token of the lower address."""
    reaches: tuple[Reach, ...]

    def within(self, reach: Reach) -> dict[str, RoutePool]:
        """The pools that a router trades in."""
        return {
            id_: pool
            for id_, pool in self.pools.items()
            if self.known[id_].exchange.factory in reach.factories
        }


async def read_market(node: Node, exchanges: Exchanges, tokens: Iterable[str]) -> Market:
    """The pools between any two of the tokens, as they stand at the latest block. Raises NetworkError."""
    head = await node.head()

    async def work(one: Node) -> Market:
        return await _read(one, exchanges, tuple(dict.fromkeys(tokens)), head)

    return await node.steadily(work, head)


async def _read(node: Node, exchanges: Exchanges, tokens: Sequence[str], head: Head) -> Market:
    found = await find_pools(node, exchanges, tokens, head.number)
    sides = await _states(node, found, head.number)
    standing = {pool.id: (pool, side) for pool, side in zip(found, sides, strict=True) if side is not None}
    return Market(
        head,
        {id_: as_route_pool(pool, side) for id_, (pool, side) in standing.items()},
        {id_: pool for id_, (pool, _) in standing.items()},
        await _reaches(node, exchanges, head.number),
    )


async def _states(node: Node, pools: Sequence[Pool], block: int) -> list[PoolSide | None]:
    """Their states at one block. Few pools a request: a V3 pool's ticks are up to a hundred questions."""
    groups = [pools[start : start + AT_ONCE] for start in range(0, len(pools), AT_ONCE)]
    read = await asyncio.gather(*(read_sides(node, group, block) for group in groups))
    return [side for group in read for side in group]


async def find_pools(node: Node, exchanges: Exchanges, tokens: Sequence[str], block: int) -> list[Pool]:
    """The pools that V2's and V3's factories know of any two of the tokens. Raises NetworkError."""
    asked = [
        candidate
        for one, other in combinations(sorted(tokens, key=lambda token: int(token, 16)), 2)
        for exchange in exchanges.listed
        for candidate in _possible(exchange, one, other)
    ]
    answers = await node.batch([_question(pool, block) for pool in asked], return_errors=True)
    found = []
    for pool, answer in zip(asked, answers, strict=True):
        address = (
            abi.address_word(answer, 0) if isinstance(answer, str) and len(answer) >= 66 else ZERO_ADDRESS
        )
        if address != ZERO_ADDRESS:
            found.append(Pool(pool.exchange, address, pool.token, pool.quote, pool.fee, pool.tick_spacing))
    return found


def _possible(exchange: Exchange, one: str, other: str) -> list[Pool]:
    """The pools that an exchange may have of two tokens, without their addresses."""
    if exchange.protocol is Protocol.V2:
        return [Pool(exchange, "", other, one, exchange.fee)]
    if exchange.protocol is Protocol.V3:
        return [Pool(exchange, "", other, one, fee, spacing) for fee, spacing in SPACINGS.items()]
    return []


def _question(pool: Pool, block: int) -> tuple[str, list[Any]]:
    if pool.protocol is Protocol.V2:
        data = abi.CALL_GET_PAIR + words(pool.quote, pool.token)
    else:
        data = GET_POOL + words(pool.quote, pool.token, pool.fee)
    return "eth_call", [{"to": pool.exchange.factory, "data": data}, hex(block)]


def as_route_pool(pool: Pool, side: PoolSide) -> RoutePool:
    """A pool as a route passes through it, from the side that `read_sides` gives."""
    if isinstance(side, ConcentratedSide):
        return RoutePool(pool.id, pool.currencies, side.pool)
    assert isinstance(side, Reserves)
    return RoutePool(pool.id, pool.currencies, side if pool.coin_first else side.reversed)


async def _reaches(node: Node, exchanges: Exchanges, block: int) -> tuple[Reach, ...]:
    """The routers, those first that reach the most. A router that does not say trades in its own exchange only."""
    concentrated = exchanges.of(Protocol.V3)
    calls = [("eth_call", [{"to": each.router, "data": FACTORY_V2}, hex(block)]) for each in concentrated]
    answers = await node.batch(calls, return_errors=True)
    reaches = []
    for each, answer in zip(concentrated, answers, strict=True):
        beside = {abi.address_word(answer, 0)} if isinstance(answer, str) and len(answer) >= 66 else set()
        reaches.append(Reach(each.router, frozenset({each.factory} | beside), splits=True))
    covered = {factory for reach in reaches for factory in reach.factories}
    own = (each for each in exchanges.of(Protocol.V2) if each.factory not in covered)
    return (*reaches, *(Reach(each.router, frozenset({each.factory}), splits=False) for each in own))
