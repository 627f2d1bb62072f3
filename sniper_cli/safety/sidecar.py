"""An anvil beside a node that does not simulate: a fork of its chain at the head, which does.

Started when it is first needed, set to another head when there is one, ended with whoever owns it (the kernel ends it
should we be killed). It asks the node for each slot that a simulation touches, once, so the first judgement of a
token takes about a second, against 25 ms on a node that simulates itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Self

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import ConfigurationError, NetworkError
from sniper_cli.safety.capabilities import probe
from sniper_cli.safety.simulation import METHOD as NATIVE

METHOD = "anvil fork + eth_simulateV1"
PROBE_AGAIN_BLOCKS = 50
PATIENCE_SECONDS = 30.0
"""Behind one question to a fork stand dozens to its node."""


class SideCar:
    """The fork, at most one; judgements on it take turns, for a fork stands at one head."""

    def __init__(self, chain_id: int) -> None:
        self.chain_id = chain_id
        self._anvil: Anvil | None = None
        self._node: Node | None = None
        self._stands_at: tuple[str, str] | None = None
        self._turn = asyncio.Lock()
        self._probed: dict[str, tuple[bool, int]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the fork; a later judgement starts another."""
        node, self._node = self._node, None
        anvil, self._anvil = self._anvil, None
        self._stands_at = None
        if node is not None:
            await node.close()
        if anvil is not None:
            await anvil.stop()

    @asynccontextmanager
    async def proving(self, node: Node, head: Head) -> AsyncIterator[tuple[Node, str]]:
        """The node whose simulations prove something, and by which method: the node itself, else the fork.

        Where there is no fork either it is the node itself, which proves nothing.
        """
        honest = await self._is_honest(node, head)
        async with AsyncExitStack() as stack:
            prover, method = node, NATIVE
            if not honest:
                with suppress(NetworkError, ConfigurationError):
                    prover, method = await stack.enter_async_context(self.at(node.url, head)), METHOD
            yield prover, method

    @asynccontextmanager
    async def at(self, url: str, head: Head) -> AsyncIterator[Node]:
        """A node that simulates, its chain forked off `url` at the head.

        Raises DevnetMissing where no anvil is installed, NetworkError, ConfigurationError where it does not start.
        """
        async with self._turn:
            if self._anvil is None or not self._anvil.running:
                await self.close()
                await self._start(url, head)
            assert self._node is not None
            if self._stands_at != (url, head.hash):
                forking = {"jsonRpcUrl": url, "blockNumber": head.number}
                await self._node.call("anvil_reset", [{"forking": forking}])
                self._stands_at = (url, head.hash)
            yield self._node

    async def _is_honest(self, node: Node, head: Head) -> bool:
        """Found out once for each node; again after a while where it failed, for a node may have been too busy."""
        known = self._probed.get(node.url)
        if known is None or (not known[0] and head.number - known[1] > PROBE_AGAIN_BLOCKS):
            try:
                known = (await probe(node, head)).proven, head.number
            except NetworkError:
                return True  # out of reach: the judgement itself will say so
            self._probed[node.url] = known
        return known[0]

    async def _start(self, url: str, head: Head) -> None:
        arguments = ("--fork-url", url, "--fork-block-number", str(head.number), "--no-storage-caching")
        anvil = Anvil(block_seconds=0, chain_id=self.chain_id, arguments=arguments)
        await anvil.start()
        self._anvil = anvil
        self._node = Node(anvil.http_url, timeout_seconds=PATIENCE_SECONDS)
        self._stands_at = (url, head.hash)
