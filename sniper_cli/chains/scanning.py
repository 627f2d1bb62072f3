"""The logs of many past blocks, in their order, as fast as a node gives them.

Providers limit `eth_getLogs` by blocks, by results or by time, each with other words. So the range adapts instead of
knowing them: what is refused is asked again in halves, what succeeds is followed by twice as much. Several ranges are
asked at once; they are handed on in order, each with its last block's hash, so that a reader can stop anywhere and
say how far he came.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sniper_cli.chains.node import Node, head_from
from sniper_cli.errors import NodeRefused, NodeTimeout

FIRST_BLOCKS = 500
"""The range that is asked for first: the fastest measured, and within every limit we know of."""
MOST_BLOCKS = 4000
LANES = 4
"""Ranges asked for at once."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The logs of a range of blocks, oldest first."""

    first: int
    last: int
    last_hash: str
    logs: Sequence[dict[str, Any]]


class Scan:
    """One reading of a range of blocks."""

    def __init__(self, node: Node, addresses: Sequence[str], topics: Sequence[str]) -> None:
        self._node = node
        self._wanted = {"address": list(addresses), "topics": [list(topics)]}
        self.blocks = FIRST_BLOCKS
        """How many are asked for at present."""
        self.requests = 0
        self.refusals = 0

    async def chunks(self, first: int, last: int, *, lanes: int = LANES) -> AsyncIterator[Chunk]:
        """The range in pieces, in order. Raises NetworkError where a single block cannot be read."""
        asked: deque[asyncio.Task[list[Chunk]]] = deque()
        at = first
        try:
            while at <= last or asked:
                while at <= last and len(asked) < lanes:
                    end = min(last, at + self.blocks - 1)
                    asked.append(asyncio.create_task(self._read(at, end)))
                    at = end + 1
                for chunk in await asked[0]:
                    yield chunk
                asked.popleft()
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _read(self, first: int, last: int) -> list[Chunk]:
        span = {"fromBlock": hex(first), "toBlock": hex(last)}
        self.requests += 1
        try:
            logs, block = await self._node.batch(
                [
                    ("eth_getLogs", [self._wanted | span]),
                    ("eth_getBlockByNumber", [hex(last), False]),
                ]
            )
        except (NodeRefused, NodeTimeout):
            if first == last:
                raise
            self.refusals += 1
            self.blocks = max(1, (last - first + 1) // 2)
            middle = first + self.blocks - 1
            return [*await self._read(first, middle), *await self._read(middle + 1, last)]
        if block is None:
            raise NodeRefused(
                f"the node at {self._node.url} has no block {last}", hint="sniper devnet status"
            )
        if last - first + 1 >= self.blocks:
            self.blocks = min(MOST_BLOCKS, 2 * self.blocks)
        return [Chunk(first, last, head_from(block).hash, logs)]
