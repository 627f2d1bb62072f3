"""The watchdog of a pool of nodes: each one's head and chain, and whether it answers at all.

It asks with little patience and keeps what it finds in the member's health, by which everybody else chooses whom to
ask. A node that is frozen holds nobody up: it is only looked at again later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from sniper_cli.chains.node import Node
from sniper_cli.endpoints.member import Member
from sniper_cli.errors import NetworkError, NodeTimeout

if TYPE_CHECKING:
    from sniper_cli.endpoints.nodes import NodePool

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 1.0
"""A node that takes longer to tell its head is frozen: in trading it might as well be."""
GATHER_SECONDS = 0.1
"""How long the first look at the pool waits for the slower nodes once one has answered."""


class Observer(Protocol):
    """Wants to know what the watchdog finds."""

    def look(self, pool: NodePool) -> None:
        """After every sweep; must not take long."""
        ...

    async def close(self) -> None:
        """The pool is closed: nothing of it is looked at any more."""
        ...


class Watchdog:
    """Looks at every node of a pool once a while, from the pool's first call on."""

    def __init__(
        self,
        nodes: NodePool,
        *,
        poll_seconds: float,
        observer: Observer | None,
        clock: Callable[[], float],
    ) -> None:
        """`poll_seconds` 0: it looks only when somebody asks it to."""
        self.nodes = nodes
        self._poll_seconds = poll_seconds
        self._observer = observer
        self._clock = clock
        self._polling: asyncio.Task[None] | None = None
        self._looking: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Begin to look, where that has not begun."""
        if self._polling is None and self._poll_seconds:
            self._polling = asyncio.create_task(self._poll(), name="endpoints")

    async def close(self) -> None:
        """Look no more."""
        polling, self._polling = self._polling, None
        for task in (*self._looking, *([polling] if polling else [])):
            task.cancel()
            with suppress(asyncio.CancelledError, NetworkError):
                await task
        if self._observer is not None:
            await self._observer.close()

    async def first_look(self) -> None:
        """Look at all until one is in good condition, and a moment longer; the rest answer in their own time."""
        looks = [asyncio.ensure_future(self.look(member)) for member in self.nodes.members]
        waiting: set[asyncio.Task[None]] = set(looks)
        while waiting and not self.nodes.pool.sound():
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=GATHER_SECONDS)
        for look in waiting:
            self._looking.add(look)
            look.add_done_callback(self._looking.discard)

    async def _poll(self) -> None:
        """Look at every node once a while; one that does not answer holds nobody up."""
        while True:
            begun = self._clock()
            await self.sweep()
            if self._observer is not None:
                self._observer.look(self.nodes)
            await asyncio.sleep(max(0.0, self._poll_seconds - (self._clock() - begun)))

    async def sweep(self) -> None:
        """One look at every node that may be asked."""
        looks: list[Coroutine[Any, Any, None]] = [
            self.look(member) for member in self.nodes.members if member.breaker.permits
        ]
        await asyncio.gather(*looks)

    async def look(self, member: Member[Node]) -> None:
        """Ask for chain and head, with little patience; what comes of it stands in the member's health."""
        begun = member.begin()
        try:
            served, number, block_hash = await _chain_and_head(member.client)
        except NetworkError as error:
            member.failed(begun, error)
            return
        except BaseException:
            member.abandoned()
            raise
        if member.health.serves(served, self.nodes.chain_id):
            member.health.trouble = ""
            member.health.saw_head(number, block_hash)
        member.ended(begun)


async def _chain_and_head(node: Node) -> tuple[int, int, str]:
    """What a node is asked at every look. Raises NetworkError."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            served, latest = await node.batch(
                [("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False])]
            )
        return int(served, 16), int(latest["number"], 16), str(latest["hash"])
    except TimeoutError as error:
        raise NodeTimeout(
            f"the node at {node.shown} did not tell its head within {PATIENCE_SECONDS:g} s",
            hint="sniper endpoints check",
        ) from error
    except (TypeError, ValueError, KeyError) as error:
        raise NetworkError(
            f"the node at {node.shown} tells no head that can be read: {error}", hint="sniper endpoints check"
        ) from error
