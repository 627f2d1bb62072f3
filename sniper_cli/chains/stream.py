"""What happens on a chain, as it happens, with nothing lost and nothing twice.

A subscription alone loses what happens while it is broken, and nodes break it without a word. So: subscribe first, then
read the gap over HTTP, then let through each log once (by block hash and index); follow the parent
hashes for reorganisations and read the replaced blocks' logs anew; and ask the node over HTTP when heads
stay away, since a dead subscription and a quiet chain look the same. It reconnects for ever, with pauses that
grow; the reader sees `Disconnected` once an outage and `Connected` at its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, Any

from sniper_cli.chains.abi import PAIR_CREATED
from sniper_cli.chains.lineage import Lineage
from sniper_cli.chains.node import Head, Node, head_from
from sniper_cli.chains.scanning import Scan
from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout, NodeUnreachable, WrongChain

if TYPE_CHECKING:
    from sniper_cli.chains.subscriptions import Subscriptions

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
SEEN_LOGS = 50_000
QUIET_BLOCKS = 3
"""Heads are overdue after so many block times …"""
QUIET_AT_LEAST_SECONDS = 3.0
"""… and after no less than this, nor more than the next: blocks of a chain that mines on demand come when they come."""
QUIET_AT_MOST_SECONDS = 40.0

ASK_SECONDS = 1.0
"""How long the node may take to say whether there are blocks we have not heard of."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream flows; what was missed follows."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream is broken; it is being mended."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The node answers, but has had no new block for this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NewHead:
    """A block was mined."""

    head: Head


@dataclass(frozen=True, slots=True)
class LogSeen:
    """A log that was asked for; `received_at` in nanoseconds of the monotonic clock."""

    log: dict[str, Any]
    received_at: int


@dataclass(frozen=True, slots=True)
class PendingSeen:
    """A transaction waits to be mined; `tx` is its whole body."""

    tx: dict[str, Any]
    received_at: int


@dataclass(frozen=True, slots=True)
class Reorganised:
    """Blocks from this number on were replaced; the heads and logs in their place follow.

    Whoever believed something because of a log of theirs believes it no longer: what still holds is told again.
    """

    from_number: int
    vanished: tuple[str, ...] = field(default=(), compare=False)
    """The hashes of the blocks that went, as far as they are remembered."""


Event = Connected | Disconnected | Quiet | NewHead | LogSeen | PendingSeen | Reorganised


class ChainStream:
    """Follows one chain through one node."""

    def __init__(
        self,
        node: Node,
        *,
        from_block: int | None = None,
        pending: bool = True,
        chain_id: int | None = None,
        standing: Head | None = None,
    ) -> None:
        """`from_block`: also the logs since that block; none: only what comes. `chain_id`: of which chain; none: of
        the one that answers first. `standing`: the block that the reader holds already, lest it go unnoticed."""
        self._node = node
        self._next_block = from_block
        self._wants_pending = pending
        self._lineage = Lineage(standing)
        self._seen: dict[tuple[str, str], int] = {}
        self._chain_id = chain_id
        self._addresses: list[str] = []
        self._topics: list[str] = []
        self._scan = Scan(node, (), ())
        self._outbox: deque[Event] = deque()
        self._last_head_at = 0.0
        self._asked_at = 0.0
        self._block_seconds = 0.0
        self.sees_pending: bool | None = None
        """Whether the node shows waiting transactions with their bodies; none until it has been asked."""

    @property
    def latest(self) -> Head | None:
        """The newest block seen."""
        return self._lineage.latest

    async def events(
        self, *, factory: str | Sequence[str], topics: Sequence[str] = (PAIR_CREATED,)
    ) -> AsyncIterator[Event]:
        """Everything that happens, for ever. The logs are those of `factory`, for anyone can emit its like.

        Raises WrongChain if another chain answers after a reconnection; every other trouble is mended.
        """
        self._addresses = [factory] if isinstance(factory, str) else list(factory)
        self._topics = list(topics)
        self._scan = Scan(self._node, self._addresses, self._topics)
        pause, told = FIRST_PAUSE_SECONDS, False
        connect = await asyncio.to_thread(_web3_subscriptions)
        while True:
            try:
                async with connect(self._node.ws_url) as subscriptions:
                    await self._subscribe(subscriptions)
                    yield Connected()
                    pause, told = FIRST_PAUSE_SECONDS, False
                    await self._catch_up()
                    while True:
                        while self._outbox:
                            yield self._outbox.popleft()
                        await self._take(subscriptions)
            except NetworkError as error:
                reason = error.message
            while self._outbox:
                yield self._outbox.popleft()
            if not told:
                yield Disconnected(reason)
                told = True
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _subscribe(self, subscriptions: Subscriptions) -> None:
        chain_id = await subscriptions.chain_id()
        if self._chain_id not in {None, chain_id}:
            raise WrongChain(
                f"the node at {self._node.url} now serves chain {chain_id}, it was {self._chain_id}",
                hint="sniper devnet status",
            )
        self._chain_id = chain_id
        await subscriptions.follow_heads()
        await subscriptions.follow_logs(self._addresses, self._topics)
        if self._wants_pending and self.sees_pending is not False:
            try:
                await subscriptions.follow_pending()
                self.sees_pending = True
            except NodeRefused:
                self.sees_pending = False

    async def _take(self, subscriptions: Subscriptions) -> None:
        """Wait for one notification and put what it means into the outbox."""
        try:
            received_at, name, value = await subscriptions.next(self._overdue_in())
        except TimeoutError:
            await self._ask_after_heads()
            return
        if name == "head":
            await self._advance(head_from(value))
        elif name == "log":
            if not value.get("removed"):
                self._put_log(value, received_at)
        elif isinstance(value, dict):
            self._outbox.append(PendingSeen(value, received_at))
        else:
            self.sees_pending = False  # hashes only: asking for each body would come too late

    async def _catch_up(self) -> None:
        """The node's head, and the logs of the blocks that may have been missed."""
        self._last_head_at = monotonic()
        head = await self._node.head()
        first = head.number + 1 if self._next_block is None else self._next_block
        await self._advance(head)
        await self._read_logs(first, head.number)

    async def _advance(self, head: Head) -> None:
        before = self._lineage.latest
        step = await self._lineage.step_to(head, self._block_of, self._node.block)
        if step is None:
            return
        self._note_pace(before, head)
        if step.replaces:
            self._outbox.append(Reorganised(step.skipped_from, step.vanished))
            # What is told from there on is told anew, also of a block that was heard of before its head.
            self._seen = {key: number for key, number in self._seen.items() if number < step.skipped_from}
        self._outbox.extend(NewHead(passed) for passed in step.heads)
        if step.skipped_from <= head.number:
            await self._read_logs(step.skipped_from, head.number)
        elif self._next_block is not None:
            # This block's logs may still be on their way: after an outage it is read again.
            self._next_block = max(self._next_block, head.number)

    async def _read_logs(self, first: int, last: int) -> None:
        """Read the logs of a range, oldest first, in pieces that the node gives: what it refuses is asked in halves.

        Where it fails, what is left is read at the next connection.
        """
        self._next_block = first if self._next_block is None else min(self._next_block, first)
        async for chunk in self._scan.chunks(first, last, lanes=1):
            received_at = monotonic_ns()
            for log in chunk.logs:
                self._put_log(log, received_at)
            if chunk.first <= self._next_block <= chunk.last:
                self._next_block = chunk.last + 1
        self._next_block = max(first, last)

    async def _block_of(self, block_hash: str) -> Head:
        block = await self._node.call("eth_getBlockByHash", [block_hash, False])
        if block is None:
            raise NodeRefused(f"the node at {self._node.url} does not know the block {block_hash}")
        return head_from(block)

    async def _ask_after_heads(self) -> None:
        """No head for long: a quiet chain says so, a dead subscription raises NodeUnreachable."""
        self._asked_at = monotonic()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                head = await self._node.head()
        except TimeoutError as error:
            raise NodeTimeout(
                f"the node at {self._node.url} stopped answering", hint="sniper doctor"
            ) from error
        latest = self._lineage.latest
        if latest is not None and head.hash != latest.hash and head.number >= latest.number:
            raise NodeUnreachable(
                f"the subscription fell silent at block {latest.number}; the node stands at {head.number}"
            )
        self._outbox.append(Quiet(round(monotonic() - self._last_head_at, 1)))

    def _overdue_in(self) -> float:
        patience = min(max(QUIET_BLOCKS * self._block_seconds, QUIET_AT_LEAST_SECONDS), QUIET_AT_MOST_SECONDS)
        return max(0.0, max(self._last_head_at, self._asked_at) + patience - monotonic())

    def _note_pace(self, before: Head | None, head: Head) -> None:
        self._last_head_at = monotonic()
        if before is not None and head.number == before.number + 1:
            self._block_seconds = float(head.timestamp - before.timestamp)

    def _put_log(self, log: dict[str, Any], received_at: int) -> None:
        key = (str(log["blockHash"]), str(log["logIndex"]))
        if key in self._seen:
            return
        self._outbox.append(LogSeen(log, received_at))
        self._seen[key] = int(log["blockNumber"], 16)
        if len(self._seen) > SEEN_LOGS:
            del self._seen[next(iter(self._seen))]


def _web3_subscriptions() -> type[Subscriptions]:
    """Half a second of imports, paid by those who listen, and in a thread: the screen goes on meanwhile."""
    from sniper_cli.chains.subscriptions import Subscriptions

    return Subscriptions
