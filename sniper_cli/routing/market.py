"""The pools between some tokens: asked of the factories, read at one block.

Every pair of the tokens is asked for: V2's factories for their one pool of it, V3's for the pool of each usual fee,
v4's manager for the pools of the usual fees without hooks, against the coin itself and against the wrapped one: for a
route both are the same token. Pools with hooks are taken in where they are named, if the formula alone says what they
pay.
All questions go in one request, all states are of one block, so that what is quoted was true of all pools at one time.

A route is worth only what one transaction can do. Uniswap's SwapRouter02 trades in V3's pools and in those of one V2
factory, in any mixture; a fork's Router02 only in its own, one path at a time; UniversalRouter in v4's besides, and in
those of one V2 and one V3 factory. `Reach` says who can do what.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Head, Node
from sniper_cli.pools import storage
from sniper_cli.pools.finding import USUAL
from sniper_cli.pools.keys import follows_its_formula, keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import read_sides
from sniper_cli.pools.words import words
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.routes import RoutePool
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
from sniper_cli.pricing.splitting import Split

FACTORY_V2 = "0x68e0d4e1"
"""factoryV2(), whose pools a SwapRouter02 trades in besides V3's"""
AT_ONCE = 8
"""Pools whose states are asked for in one request; nodes take 1,000 questions and fewer."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A router, and the factories in whose pools it trades."""

    exchange: Exchange
    """Whose router it is."""
    factories: frozenset[str]
    splits: bool
    """A SwapRouter02 or UniversalRouter: several paths in one transaction, each through all its pools as they come."""

    @property
    def router(self) -> str:
        """The contract that the transaction calls."""
        return self.exchange.router

    def trades(self, split: Split, known: Mapping[str, Pool]) -> bool:
        """Whether one transaction of it can do that division."""
        hops = (hop for leg in split.legs for hop in leg.path.hops)
        reached = all(known[hop.pool].exchange.factory in self.factories for hop in hops)
        return reached and (self.splits or len(split.legs) == 1)

    def taking(self, token: str) -> Pool:
        """A pool, as far as an approval asks, whose router takes the token."""
        return Pool(self.exchange, "", token, self.exchange.wrapped)


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

    def without(self, reach: Reach) -> Market:
        """The same without one of the routers."""
        return replace(self, reaches=tuple(each for each in self.reaches if each != reach))


async def read_market(
    node: Node, exchanges: Exchanges, tokens: Iterable[str], *, beside: Iterable[Pool] = ()
) -> Market:
    """The pools between any two of the tokens, as they stand at the latest block, and some known ones of v4.

    Raises NetworkError.
    """
    head = await node.head()
    named = [pool for pool in beside if pool.protocol is Protocol.V4 and follows_its_formula(pool)]

    async def work(one: Node) -> Market:
        return await _read(one, exchanges, tuple(dict.fromkeys(tokens)), head, named)

    return await node.steadily(work, head)


async def _read(
    node: Node, exchanges: Exchanges, tokens: Sequence[str], head: Head, named: Sequence[Pool]
) -> Market:
    usual = await find_pools(node, exchanges, tokens, head.number)
    found = list({pool.id: pool for pool in (*usual, *named)}.values())
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
    """The pools that the exchanges know of any two of the tokens. Raises NetworkError."""
    asked = [
        candidate
        for one, other in combinations(sorted(tokens, key=lambda token: int(token, 16)), 2)
        for exchange in _asked(exchanges)
        for candidate in _possible(exchange, one, other)
    ]
    answers = await node.batch([_question(pool, block) for pool in asked], return_errors=True)
    told = [_told(pool, answer) for pool, answer in zip(asked, answers, strict=True)]
    return [pool for pool in told if pool is not None]


def _possible(exchange: Exchange, one: str, other: str) -> Iterator[Pool]:
    """The pools that an exchange may have of two tokens; those of V2 and V3 without their addresses."""
    if exchange.protocol is Protocol.V2:
        yield Pool(exchange, "", other, one, exchange.fee)
        return
    for fee, spacing in USUAL.items():
        if exchange.protocol is Protocol.V3:
            yield Pool(exchange, "", other, one, fee, spacing)
        else:
            yield keyed_pool(exchange, other, quote=one, fee=fee, tick_spacing=spacing)
            if exchange.wrapped in (one, other):
                token = other if one == exchange.wrapped else one
                yield keyed_pool(exchange, token, fee=fee, tick_spacing=spacing)


def _question(pool: Pool, block: int) -> tuple[str, list[Any]]:
    if pool.protocol is Protocol.V4:
        return storage.ask(pool, storage.first_slots(pool), hex(block))
    if pool.protocol is Protocol.V2:
        data = abi.CALL_GET_PAIR + words(pool.quote, pool.token)
    else:
        data = abi.CALL_GET_POOL + words(pool.quote, pool.token, pool.fee)
    return "eth_call", [{"to": pool.exchange.factory, "data": data}, hex(block)]


def _told(pool: Pool, answer: Any) -> Pool | None:
    """The pool, if there is one."""
    if pool.protocol is Protocol.V4:
        return pool if any(storage.read(answer)[:1]) else None
    readable = isinstance(answer, str) and len(answer) >= 66
    address = abi.address_word(answer, 0) if readable else ZERO_ADDRESS
    return None if address == ZERO_ADDRESS else replace(pool, id=address)


def as_route_pool(pool: Pool, side: PoolSide) -> RoutePool:
    """A pool as a route passes through it, from the side that `read_sides` gives; the coin as the wrapped one."""
    first, second = (pool.exchange.wrapped if each == ZERO_ADDRESS else each for each in pool.currencies)
    if isinstance(side, ConcentratedSide):
        return RoutePool(pool.id, (first, second), side.pool)
    assert isinstance(side, Reserves)
    return RoutePool(pool.id, (first, second), side if pool.coin_first else side.reversed)


def _asked(exchanges: Exchanges) -> list[Exchange]:
    """Those with pools for a route. Of managers of v4 one: a pool of the same key has the same id in every one."""
    fourth = [each for each in exchanges.of(Protocol.V4) if each.factory in exchanges.traded]
    return [each for each in exchanges.listed if each.protocol is not Protocol.V4 or each in fourth[:1]]


async def _reaches(node: Node, exchanges: Exchanges, block: int) -> tuple[Reach, ...]:
    """The routers, in the order of their preference where several can do the same.

    A SwapRouter02 that does not say trades in its own exchange only. UniversalRouter says nothing: the factories that
    it computes its pools' addresses from stand in its code.
    """
    at, listed = hex(block), _asked(exchanges)
    third, fourth = (
        [each for each in listed if each.protocol is wanted] for wanted in (Protocol.V3, Protocol.V4)
    )
    answers = await node.batch(
        [
            *(("eth_call", [{"to": each.router, "data": FACTORY_V2}, at]) for each in third),
            *(("eth_getCode", [each.router, at]) for each in fourth),
        ],
        return_errors=True,
    )
    reaches = []
    for each, answer in zip(third, answers, strict=False):
        beside = {abi.address_word(answer, 0)} if isinstance(answer, str) and len(answer) >= 66 else set()
        reaches.append(Reach(each, frozenset({each.factory} | beside), splits=True))
    covered = {factory for reach in reaches for factory in reach.factories}
    own = [each for each in listed if each.protocol is Protocol.V2 and each.factory not in covered]
    reaches += [Reach(each, frozenset({each.factory}), splits=False) for each in own]
    for each, code in zip(fourth, answers[len(third) :], strict=True):
        known = {other.factory for other in listed if isinstance(code, str) and other.factory[2:] in code}
        reaches.append(Reach(each, frozenset({each.factory} | known), splits=True))
    return tuple(reaches)
