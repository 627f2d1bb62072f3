"""Three nodes of one chain, each of which can be made bad, and a pool of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.endpoints.breaker import Breaker
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.nodes import NodePool
from tests.chain_fixtures import Chain
from tests.conftest import PATIENCE
from tests.unreliable import UnreliableNode

CHAIN = 31337


def member_of(node: UnreliableNode, *, timeout_seconds: float = 2.0) -> Member[Node]:
    client = Node(node.url, ws_url=node.ws_url, timeout_seconds=timeout_seconds)
    return Member(node.name, client, shown=node.url, breaker=Breaker(first_pause=0.2, longest_pause=0.5))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < PATIENCE, "it did not come"
        await asyncio.sleep(0.01)


@dataclass
class Trio:
    """`a`, `b` and `c` in front of one anvil."""

    chain: Chain
    a: UnreliableNode
    b: UnreliableNode
    c: UnreliableNode

    @property
    def nodes(self) -> tuple[UnreliableNode, ...]:
        return (self.a, self.b, self.c)


@pytest.fixture
async def trio(anvil: Chain) -> AsyncIterator[Trio]:
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                UnreliableNode(anvil.process.http_url, anvil.process.ws_url, name)
            )
            for name in "abc"
        ]
        yield Trio(anvil, *nodes)


@pytest.fixture
async def pool(trio: Trio) -> AsyncIterator[NodePool]:
    async with NodePool([member_of(node) for node in trio.nodes], CHAIN, poll_seconds=0.1) as pool:
        yield pool
