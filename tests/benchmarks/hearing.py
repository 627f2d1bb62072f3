"""How long from sending a transaction until its log is heard by subscription, on a chain that mines at once."""

from __future__ import annotations

import asyncio
import contextlib
from statistics import median
from time import monotonic_ns
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.chains.stream import ChainStream, Connected, LogSeen
from tests.chain_fixtures import ADDRESSES

POOLS = 200


async def measure() -> dict[str, Any]:
    """Create one pool after the other; the send's time, the log's stamp and its arrival at the reader."""
    async with Anvil(block_seconds=0) as anvil, Node(anvil.http_url, ws_url=anvil.ws_url) as node:
        exchange = await deploy_exchange(node)
        heard: asyncio.Queue[tuple[LogSeen, int]] = asyncio.Queue()
        connected = asyncio.Event()
        listening = asyncio.create_task(_listen(ChainStream(node), exchange, heard, connected))
        await connected.wait()
        stamped, delivered, carried = [], [], []
        for number in range(POOLS):
            sent_at = monotonic_ns()
            await _create_pool(node, exchange, number)
            log, reached_at = await heard.get()
            stamped.append(log.received_at - sent_at)
            delivered.append(reached_at - sent_at)
            carried.append(reached_at - log.received_at)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return {
        "transactions": str(POOLS),
        "send to the log's stamp": _spread(stamped),
        "send to the reader": _spread(delivered),
        "stamp to the reader": _spread(carried),
    }


async def _listen(
    stream: ChainStream,
    exchange: Exchange,
    heard: asyncio.Queue[tuple[LogSeen, int]],
    connected: asyncio.Event,
) -> None:
    async for event in stream.events(factory=exchange.factory):
        if isinstance(event, Connected):
            connected.set()
        elif isinstance(event, LogSeen):
            heard.put_nowait((event, monotonic_ns()))


async def _create_pool(node: Node, exchange: Exchange, number: int) -> None:
    data = abi.encode_call(
        abi.CALL_CREATE_PAIR, ["address", "address"], [f"0x{number + 1:040x}", exchange.wrapped]
    )
    transaction = {"from": ADDRESSES[1], "to": exchange.factory, "data": data, "gas": hex(4_000_000)}
    await node.call("eth_sendTransaction", [transaction])


def _spread(nanoseconds: list[int]) -> str:
    """Median, 95th percentile and the worst, in milliseconds."""
    ordered = sorted(nanoseconds)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {median(ordered) / 1e6:.2f} ms, p95 {high / 1e6:.2f} ms, worst {ordered[-1] / 1e6:.1f} ms"
