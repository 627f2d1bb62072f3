"""A pool of nodes against one node: what a call costs, how fast a bad node is left, what hedging takes off the tail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.endpoints.streams import MergedStream
from tests.unreliable import UnreliableNode

CALLS = 1500
TAIL_CALLS = 300
SLOW_SECONDS = 0.2
CHAIN = 31337
GAS_PRICE = "eth_gasPrice"


async def measure() -> dict[str, Any]:
    """Everything on one machine over loopback: a real node's distance only makes the overhead look smaller."""
    async with Anvil(block_seconds=0) as anvil:
        return {
            **await _overhead(anvil),
            **await _failover(anvil),
            **await _frozen(anvil),
            **await _hedging(anvil),
        }


async def _overhead(anvil: Anvil) -> dict[str, str]:
    """One after the other against the same anvil."""
    async with Node(anvil.http_url) as node:
        bare = await _rate(lambda: node.call(GAS_PRICE))
    members = [Member(name, Node(anvil.http_url)) for name in "abc"]
    async with NodePool(members, CHAIN) as pool:
        await pool.check_chain(CHAIN)
        pooled = await _rate(lambda: pool.call(GAS_PRICE))
        decided = await _rate(lambda: pool.decided([("eth_blockNumber", [])]), calls=CALLS // 5)
    return {
        "a call to one node": f"{1e6 / bare:.0f} µs ({bare:,.0f} a second)",
        "the same through a pool of three": f"{1e6 / pooled:.0f} µs ({pooled:,.0f} a second),"
        f" {1e6 / pooled - 1e6 / bare:+.0f} µs",
        "decided by two of three": f"{1e6 / decided:.0f} µs",
    }


async def _failover(anvil: Anvil) -> dict[str, str]:
    """A node dies under load: the slowest call, and when it is asked no more."""
    async with _pool(anvil, spread=Spread.ROUND_ROBIN) as (nodes, pool):
        await nodes[0].die()
        begun, worst = perf_counter(), 0.0
        while pool.members[0].health.answers:
            worst = max(worst, await _took(lambda: pool.call(GAS_PRICE)))
        left = perf_counter() - begun
    return {
        "a dead node is left after": f"{left * 1000:.0f} ms; the slowest call meanwhile {worst * 1000:.0f} ms"
    }


async def _frozen(anvil: Anvil) -> dict[str, str]:
    """A node freezes under load: the slowest call, when it is asked no more, when its WebSocket is given up."""
    async with _pool(anvil, spread=Spread.ROUND_ROBIN) as (nodes, pool), Node(anvil.http_url) as plain:
        exchange = await deploy_exchange(plain)
        stream = MergedStream(pool)

        async def follow() -> None:
            async for _ in stream.events(factory=exchange.factory):
                pass

        following = asyncio.create_task(follow())
        while len(stream.live) < len(nodes):  # noqa: ASYNC110 - the stream tells events, not this
            await asyncio.sleep(0.01)
        nodes[0].freeze()
        begun, worst, left = perf_counter(), 0.0, 0.0
        while nodes[0].name in stream.live:
            worst = max(worst, await _took(lambda: pool.call(GAS_PRICE)))
            if not left and not pool.members[0].health.answers:
                left = perf_counter() - begun
        heard = perf_counter() - begun
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        nodes[0].thaw()
    return {
        "a frozen node is left after": f"{left:.2f} s; the slowest call meanwhile {worst * 1000:.0f} ms",
        "its WebSocket is given up after": f"{heard:.2f} s",
    }


async def _hedging(anvil: Anvil) -> dict[str, str]:
    """One node of three answers one call in ten 200 ms late; in turn, so that the spread does not avoid it."""
    told = {}
    for hedge in (False, True):
        async with _pool(anvil, hedge=hedge, spread=Spread.ROUND_ROBIN) as (nodes, pool):
            for _ in range(60):
                await pool.call(GAS_PRICE)
            taken = []
            for number in range(TAIL_CALLS):
                nodes[0].slow_seconds = SLOW_SECONDS if number % 30 < 3 else 0.0
                taken.append(await _took(lambda: pool.call(GAS_PRICE)))
            ordered = sorted(taken)
            told["hedged" if hedge else "not hedged"] = (
                f"p50 {ordered[len(ordered) // 2] * 1000:.1f} ms, p99 {ordered[int(len(ordered) * 0.99)] * 1000:.0f}"
                f" ms, worst {ordered[-1] * 1000:.0f} ms; {pool.pool.hedges} extra calls"
            )
    return {f"one node slow at times, {name}": text for name, text in told.items()}


@asynccontextmanager
async def _pool(anvil: Anvil, **options: Any) -> AsyncIterator[tuple[list[UnreliableNode], NodePool]]:
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(UnreliableNode(anvil.http_url, anvil.ws_url, name))
            for name in "abc"
        ]
        members = [Member(node.name, Node(node.url, ws_url=node.ws_url)) for node in nodes]
        pool = await stack.enter_async_context(NodePool(members, CHAIN, **options))
        await pool.check_chain(CHAIN)
        await asyncio.sleep(0.2)
        yield nodes, pool


async def _took(call: Callable[[], Awaitable[Any]]) -> float:
    begun = perf_counter()
    await call()
    return perf_counter() - begun


async def _rate(call: Callable[[], Awaitable[Any]], calls: int = CALLS) -> float:
    """Calls a second, the best of three rounds: the others of this machine take their share of a round."""
    for _ in range(50):
        await call()
    best = 0.0
    for _ in range(3):
        begun = perf_counter()
        for _ in range(calls // 3):
            await call()
        best = max(best, (calls // 3) / (perf_counter() - begun))
    return best
