"""One chain heard from several nodes at once: what any of them tells in time is told, once.

Every node has a `ChainStream` of its own, which loses nothing of what its node shows. They are merged by what cannot
differ: logs by block hash and index, heads by hash, waiting transactions by hash. So a node that dies or freezes
takes nothing away, and one that lags only repeats.

Which branch is ours: that of the highest head. At the same height or below, a head of another branch is a node's own
opinion as long as any connected node still stands on our latest block; once none does, our block has gone, and the
reorganisation is told. Logs of a block beside our branch are kept until it is.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from sniper_cli.chains.abi import PAIR_CREATED
from sniper_cli.chains.lineage import MEMORY, Lineage
from sniper_cli.chains.node import Head, Node, head_from
from sniper_cli.chains.stream import (
    ChainStream,
    Connected,
    Disconnected,
    Event,
    LogSeen,
    NewHead,
    PendingSeen,
    Quiet,
    Reorganised,
)
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.errors import NetworkError, NodeRefused, WrongChain

SEEN_LOGS = 50_000
SEEN_PENDING = 50_000
KEPT_HEADERS = 4 * MEMORY
KEPT_BLOCKS = MEMORY
"""Whose logs are kept to be told again should the block come (back) into our branch."""
WRONG_CHAIN_SECONDS = 10.0
"""How long a node that serves another chain is left alone."""
CANCEL_SECONDS = 0.2


def chain_stream(node: Node, **options: Any) -> ChainStream | MergedStream:
    """What follows a chain through a node, or through all nodes of a pool."""
    if isinstance(node, NodePool):
        return MergedStream(node, **options)
    return ChainStream(node, **options)


class Remembered:
    """Keys seen before, the newest so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[Any, None] = OrderedDict()

    def is_new(self, key: Any) -> bool:
        """Whether it was not seen yet; from now on it was."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


class MergedStream:
    """Follows one chain through all nodes of a pool, with the interface of `ChainStream`."""

    def __init__(
        self,
        pool: NodePool,
        *,
        from_block: int | None = None,
        pending: bool = True,
        standing: Head | None = None,
    ) -> None:
        self._pool = pool
        self._from_block = from_block
        self._wants_pending = pending
        self._streams: dict[str, ChainStream] = {}
        self._heard: asyncio.Queue[tuple[Member[Node], Event | BaseException]] = asyncio.Queue()
        self._outbox: deque[Event] = deque()
        self._lineage = Lineage(standing)
        self._headers: OrderedDict[str, Head] = OrderedDict()
        self._logs: OrderedDict[str, list[LogSeen]] = OrderedDict()
        self._seen_logs = Remembered(SEEN_LOGS)
        self._seen_pending = Remembered(SEEN_PENDING)
        self._tips: dict[str, Head] = {}
        """The latest head of every connected node."""
        self._live: set[str] = set()
        self._down: set[str] = set()
        """Those that said they lost their node; at the beginning nobody has said anything yet."""
        self._told_lost = False
        self._wrong: dict[str, WrongChain] = {}
        self._last_head_at = monotonic()

    @property
    def latest(self) -> Head | None:
        """The newest block of our branch."""
        return self._lineage.latest

    @property
    def sees_pending(self) -> bool | None:
        """Whether any node shows waiting transactions with their bodies; none until one was asked."""
        told = [stream.sees_pending for stream in self._streams.values()]
        if any(told):
            return True
        return None if None in told or not told else False

    @property
    def live(self) -> frozenset[str]:
        """The names of the nodes that are heard."""
        return frozenset(self._live)

    async def events(
        self, *, factory: str | Sequence[str], topics: Sequence[str] = (PAIR_CREATED,)
    ) -> AsyncIterator[Event]:
        """As `ChainStream.events`. Raises WrongChain once every node serves another chain."""
        if self._from_block is None:
            with suppress(NetworkError):  # then each begins where it stands
                self._from_block = (await self._pool.head()).number + 1
        tasks = [
            asyncio.create_task(self._follow(member, factory, topics), name=f"stream {member.name}")
            for member in self._pool.members
        ]
        try:
            while True:
                await self._take(*await self._heard.get())
                while self._outbox:
                    yield self._outbox.popleft()
        finally:
            await _end_all(tasks)

    async def _follow(
        self, member: Member[Node], factory: str | Sequence[str], topics: Sequence[str]
    ) -> None:
        """Everything that one node tells; with pauses while it serves another chain."""
        while True:
            stream = ChainStream(
                member.client,
                from_block=self._begin(),
                pending=self._wants_pending,
                chain_id=self._pool.chain_id,
            )
            self._streams[member.name] = stream
            try:
                async for event in stream.events(factory=factory, topics=topics):
                    self._heard.put_nowait((member, event))
            except WrongChain as error:
                self._heard.put_nowait((member, error))
            except Exception as error:  # noqa: BLE001 - raised again where the events are read
                self._heard.put_nowait((member, error))
                return
            await asyncio.sleep(WRONG_CHAIN_SECONDS)

    def _begin(self) -> int | None:
        """Where a stream begins: where we began, or a little before where we are."""
        latest = self._lineage.latest
        return self._from_block if latest is None else max(0, latest.number - MEMORY // 2)

    # -- what one node told --------------------------------------------------------------------------------------

    async def _take(self, member: Member[Node], event: Event | BaseException) -> None:
        match event:
            case LogSeen():
                self._take_log(event)
            case NewHead():
                await self._take_head(member, event.head)
            case PendingSeen():
                if self._seen_pending.is_new(event.tx.get("hash")):
                    self._outbox.append(event)
            case Connected():
                self._wrong.pop(member.name, None)
                if not self._live:
                    self._outbox.append(Connected())
                self._live.add(member.name)
                self._down.discard(member.name)
                self._told_lost = False
            case Disconnected():
                await self._lose(member, event)
            case Quiet():
                if monotonic() - self._last_head_at >= event.seconds - 1:
                    self._outbox.append(event)
            case WrongChain():
                await self._reject(member, event)
            case BaseException():
                raise event

    def _take_log(self, event: LogSeen) -> None:
        log = event.log
        block = str(log["blockHash"])
        if not self._seen_logs.is_new((block, str(log["logIndex"]))):
            return
        self._logs.setdefault(block, []).append(event)
        if len(self._logs) > KEPT_BLOCKS:
            self._logs.popitem(last=False)
        ours = self._lineage.hash_at(int(log["blockNumber"], 16))
        if ours in (None, block):
            self._outbox.append(event)

    async def _take_head(self, member: Member[Node], head: Head) -> None:
        member.health.saw_head(head.number, head.hash)
        self._tips[member.name] = head
        self._headers[head.hash] = head
        if len(self._headers) > KEPT_HEADERS:
            self._headers.popitem(last=False)
        if self._lineage.hash_at(head.number) == head.hash:
            return
        latest = self._lineage.latest
        if latest is None or head.number > latest.number:
            await self._step_to(head)
        elif not self._is_late(head, latest):
            await self._leave_a_lost_block()

    async def _lose(self, member: Member[Node], event: Disconnected) -> None:
        self._live.discard(member.name)
        self._tips.pop(member.name, None)
        self._down.add(member.name)
        if len(self._down) == len(self._pool.members) and not self._told_lost:
            self._told_lost = True
            self._outbox.append(Disconnected(f"{member.name}: {member.hidden(event.reason)}"))
        await self._leave_a_lost_block()

    async def _reject(self, member: Member[Node], error: WrongChain) -> None:
        member.health.wrong_chain, member.health.trouble = True, member.hidden(error.message)
        self._wrong[member.name] = error
        if len(self._wrong) == len(self._pool.members):
            raise error
        await self._lose(member, Disconnected(error.message))

    # -- our branch ----------------------------------------------------------------------------------------------

    def _is_late(self, head: Head, latest: Head) -> bool:
        """A block from before all that we remember, or from before we began: of a node that is far behind."""
        return (
            head.number <= latest.number
            and head.timestamp < latest.timestamp
            and self._lineage.hash_at(head.number) is None
        )

    async def _leave_a_lost_block(self) -> None:
        """Go over to another branch if no connected node stands on our latest block any more."""
        latest = self._lineage.latest
        if latest is None or any(tip.hash == latest.hash for tip in self._tips.values()):
            return
        other = [
            tip
            for tip in self._tips.values()
            if self._lineage.hash_at(tip.number) != tip.hash and not self._is_late(tip, latest)
        ]
        if other:
            await self._step_to(max(other, key=lambda tip: tip.number))

    async def _step_to(self, head: Head) -> None:
        """Tell the way to a head. Where the nodes fail on the way, the next head finds it."""
        try:
            step = await self._lineage.step_to(head, self._parent, self._pool.block)
        except NetworkError:
            return
        if step is None:
            return
        self._last_head_at = monotonic()
        if step.replaces:
            self._outbox.append(Reorganised(step.skipped_from, step.vanished))
        self._outbox.extend(NewHead(passed) for passed in step.heads)
        if step.replaces:
            for passed in step.heads:
                self._outbox.extend(self._logs.get(passed.hash, ()))

    async def _parent(self, block_hash: str) -> Head:
        if (known := self._headers.get(block_hash)) is not None:
            return known
        block = await self._pool.call("eth_getBlockByHash", [block_hash, False])
        if block is None:
            raise NodeRefused(f"no node knows the block {block_hash}", hint="sniper endpoints list")
        return head_from(block)


async def _end_all(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel, and again until it took: on Python 3.11 a cancellation that meets a connection just made is lost."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
