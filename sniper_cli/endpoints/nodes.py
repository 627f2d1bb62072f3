"""Several nodes of one chain behind the interface of one: whoever knows `Node` needs to know nothing else.

- Reads go to a node in good condition, a second one when the first is late, another when it fails.
- Reads that belong together (`sticky`, `steadily`) stay on one node: two nodes are two moments.
- A signed transaction goes to all nodes at once; the first to take it decides (`broadcasting`).
- Reads that decide about money (`decided`) are asked of several nodes as of one block, and count when they agree.
- A watchdog (`watchdog`) polls every node: its head, its chain, whether it answers at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, TypeVar

from sniper_cli.chains.node import WRITING_PREFIXES, Head, Node
from sniper_cli.endpoints import deciding
from sniper_cli.endpoints.broadcasting import SEND_RAW, Broadcasts
from sniper_cli.endpoints.budget import RetryBudget
from sniper_cli.endpoints.faults import Fault, fault_of
from sniper_cli.endpoints.latency import Latencies
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.pool import MOST_LAG, Pool, Question
from sniper_cli.endpoints.quorum import Decided, decide
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.endpoints.steady import Spoilt, Watched
from sniper_cli.endpoints.watchdog import POLL_SECONDS, Observer, Watchdog
from sniper_cli.errors import NetworkError, NodeRefused, NodeUnreachable, WrongChain

T = TypeVar("T")

WORK_AT_LEAST_SECONDS = 0.25
WORK_UNKNOWN_SECONDS = 1.0
WORK_AT_MOST_SECONDS = 3.0
"""When work of many calls is begun on a second node as well."""
FRESH_SECONDS = 0.15
"""How long a decision waits for enough nodes to reach the newest block; after that it is made as of an older one."""
DISSENTS_KEPT = 100
BLOCK_READS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})


class MissingBlock(NodeRefused):
    """The node has not that block (yet, or on its branch)."""


class PartlySkewed(NodeRefused):
    """Some calls of a batch failed for want of a block or a method; `results` are what there is."""

    results: list[Any]


class NodePool(Node):
    """Nodes of one chain. Opens connections with the first call; belongs to one event loop."""

    def __init__(
        self,
        members: Sequence[Member[Node]],
        chain_id: int,
        *,
        quorum: int | None = None,
        spread: Spread = Spread.FASTEST,
        hedge: bool = True,
        budget: RetryBudget | None = None,
        most_lag: int = MOST_LAG,
        poll_seconds: float = POLL_SECONDS,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`quorum`: how many must agree on money; none: a majority of three and more, of two any one."""
        first = members[0].client
        shown = ", ".join(member.name for member in members)
        super().__init__(first.url, ws_url=first.ws_url, timeout_seconds=first.timeout_seconds, shown=shown)
        for member in members:
            member.watched = True
        self.chain_id = chain_id
        self.pool: Pool[Node] = Pool(
            members,
            spread=spread,
            budget=budget,
            hedge=hedge,
            most_lag=most_lag,
            prepare=self._ensure_chain,
            clock=clock,
        )
        self.quorum = min(quorum or (len(members) // 2 + 1 if len(members) > 2 else 1), len(members))
        self.dissents: deque[Decided[Any]] = deque(maxlen=DISSENTS_KEPT)
        """Decisions that not everybody agreed with."""
        self._broadcasts = Broadcasts(self.pool)
        self.fates = self._broadcasts.fates
        """What each node made of the last transactions, by the bytes that were sent."""
        self._clock = clock
        self._works = Latencies(clock=clock)
        self._watchdog = Watchdog(self, poll_seconds=poll_seconds, observer=observer, clock=clock)

    @property
    def members(self) -> tuple[Member[Node], ...]:
        return self.pool.members

    async def close(self) -> None:
        """Let transactions on their way arrive, then close everything."""
        await self._broadcasts.close()
        await self._watchdog.close()
        for member in self.members:
            await member.client.close()

    # -- the interface of a node ---------------------------------------------------------------------------------

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """As of a node. Raises NoEndpoint besides."""
        self._watchdog.wake()
        if method == SEND_RAW:
            return await self._broadcasts.send(str(params[0]))
        if method.startswith(WRITING_PREFIXES):
            return await self._primary().client.call(method, params)

        async def work(node: Node) -> Any:
            result = await node.call(method, params)
            if result is None and _names_a_block(method, params):
                raise MissingBlock(f"the node at {node.shown} has no block {params[0]}")
            return result

        try:
            return await self.pool.ask(
                Question(work, method=method, fitting=self._fitting([(method, params)]))
            )
        except MissingBlock:
            return None

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        """As of a node: all of it by one node, so that it is of one moment."""
        if not calls:
            return []
        self._watchdog.wake()
        if any(method.startswith(WRITING_PREFIXES) for method, _ in calls):
            return await self._primary().client.batch(calls, return_errors=return_errors)

        async def work(node: Node) -> list[Any]:
            results = await node.batch(calls, return_errors=return_errors)
            for (method, params), result in zip(calls, results, strict=True):
                lacks = result is None and _names_a_block(method, params)
                if lacks or (
                    isinstance(result, NodeRefused) and fault_of(result) in (Fault.SKEW, Fault.UNABLE)
                ):
                    raise _partly(node, method, results)
            return results

        question = Question(work, calls=len(calls), fitting=self._fitting(calls))
        try:
            return await self.pool.ask(question)
        except PartlySkewed as skewed:
            return skewed.results

    async def check_chain(self, chain_id: int) -> None:
        """Raise WrongChain where every node that answers serves another chain; one that does not is left out."""
        self.chain_id = chain_id
        await self._watchdog.first_look()
        self._watchdog.wake()
        if self.pool.sound():
            return
        wrong = [member for member in self.members if member.health.wrong_chain]
        if wrong:
            raise WrongChain(
                f"no node serves chain {chain_id}: "
                + "; ".join(
                    f"{member.name} {member.health.trouble or 'is silent'}" for member in self.members
                ),
                hint="sniper endpoints list",
                expected=chain_id,
                served={member.name: member.health.served_chain for member in wrong},
            )
        raise NodeUnreachable(
            "no node answers: " + "; ".join(f"{m.name}: {m.health.trouble}" for m in self.members),
            hint="sniper endpoints check",
        )

    # -- several calls of one moment -----------------------------------------------------------------------------

    @asynccontextmanager
    async def sticky(self, head: Head | None = None) -> AsyncIterator[Node]:
        """One node for reads that belong together, of those that have the head. What fails there, fails."""
        self._watchdog.wake()
        member = self.pool.choose(self._having(None if head is None else head.number))
        await self._ensure_chain(member)
        begun = member.begin()
        try:
            yield member.client
        except NetworkError as error:
            member.failed(begun, error, timed=False)
            raise
        except BaseException:
            member.abandoned()
            raise
        member.ended(begun, timed=False)

    async def steadily(self, work: Callable[[Node], Awaitable[T]], head: Head | None = None) -> T:
        """Work of many reads on one node; begun anew on another where that one fails, or takes unusually long."""
        self._watchdog.wake()
        begun = self._clock()
        usual = self._works.quantile(0.95)
        after = (
            WORK_UNKNOWN_SECONDS
            if usual is None
            else min(max(usual, WORK_AT_LEAST_SECONDS), WORK_AT_MOST_SECONDS)
        )

        async def watched(node: Node) -> T:
            one = Watched(node)
            result = await work(one)
            if one.trouble is not None:
                raise Spoilt(one.trouble, result)
            return result

        having = self._having(None if head is None else head.number)
        try:
            answer = await self.pool.ask(Question(watched, fitting=having, timed=False), hedge_after=after)
        except Spoilt as spoilt:  # nobody is left who could do better
            result: T = spoilt.result
            return result
        self._works.record(self._clock() - begun)
        return answer

    # -- where money is decided ----------------------------------------------------------------------------------

    async def decided(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of the calls as of one block, as `quorum` nodes give them alike; "latest" means that block.

        Raises NodesDisagree naming who said what, NoQuorum; NodeRefused where the nodes refuse alike.
        """
        self._watchdog.wake()
        asked = self._witnesses()
        pin = await self._pin(asked)
        pinned = [deciding.pinned(method, params, pin) for method, params in calls]
        questions = [(method, params) for method, params in pinned if method != deciding.BLOCK_NUMBER]

        async def work(node: Node) -> deciding.Testimony:
            block, *answers = await node.batch([("eth_getBlockByNumber", [hex(pin), False]), *questions])
            if block is None:
                raise MissingBlock(f"the node at {node.shown} has no block {pin}")
            return deciding.testimony(block["hash"], pin, pinned, answers)

        question = Question(work, calls=len(questions) + 1)
        found = await decide(
            {m.name: self.pool.attempt(m, question) for m in asked}, self.quorum, key=deciding.Testimony.key
        )
        if found.dissent:
            self.dissents.append(found)
        return found.value.results

    def _witnesses(self) -> list[Member[Node]]:
        """Whom a decision asks: the sound nodes, and the rest of those of this chain where they are too few."""
        sound = self.pool.sound()
        if len(sound) >= self.quorum:
            return sound
        return sound + [m for m in self.members if m not in sound and not m.health.wrong_chain]

    async def _pin(self, asked: Sequence[Member[Node]]) -> int:
        """The newest block that enough of them have. Raises what they raised where too few answer."""

        async def number(node: Node) -> int:
            return int(await node.call(deciding.BLOCK_NUMBER), 16)

        best = self.pool.best_head or 0
        question = Question(number, method=deciding.BLOCK_NUMBER)
        waiting = {asyncio.ensure_future(self.pool.attempt(member, question)) for member in asked}
        heads: list[int] = []
        failures: list[NetworkError] = []
        until = None
        try:
            while waiting and sum(head >= best for head in heads) < self.quorum:
                patience = None if until is None else max(0.0, until - self._clock())
                done, waiting = await asyncio.wait(
                    waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                for task in done:
                    try:
                        heads.append(task.result())
                    except NetworkError as error:
                        failures.append(error)
                if until is None and len(heads) >= self.quorum:
                    until = self._clock() + FRESH_SECONDS
        finally:
            for task in waiting:
                task.cancel()
            if waiting:
                await asyncio.gather(*waiting, return_exceptions=True)
        if len(heads) < self.quorum:
            if not heads and failures:
                raise failures[0]
            raise deciding.too_few(heads, failures, self.quorum)
        return sorted(heads, reverse=True)[self.quorum - 1]

    # -- whom to ask ---------------------------------------------------------------------------------------------

    def _primary(self) -> Member[Node]:
        """Who is told what changes a test chain: the first in good condition, in the order of the settings."""
        return next(iter(self.pool.sound()), self.members[0])

    def _fitting(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> Callable[[Member[Node]], bool] | None:
        """Nodes that have the block which the calls name; for "latest" those with the newest head."""
        numbers = [number for _, params in calls if (number := _number_in(params)) is not None]
        return self._having(max(numbers) if numbers else None)

    def _having(self, number: int | None) -> Callable[[Member[Node]], bool] | None:
        wanted = self.pool.best_head if number is None else number
        if wanted is None:
            return None
        return lambda member: member.health.head is not None and member.health.head >= wanted

    # -- looking after them --------------------------------------------------------------------------------------

    async def _ensure_chain(self, member: Member[Node]) -> None:
        """Ask a node that is new, or was lost, for its chain before anything else. Raises NodeUnreachable."""
        health = member.health
        if health.served_chain is None:
            health.serves(int(await member.client.call("eth_chainId"), 16), self.chain_id)
        if health.wrong_chain:
            raise NodeUnreachable(f"{member.name} {health.trouble}", hint="sniper endpoints list")


def _partly(node: Node, method: str, results: list[Any]) -> PartlySkewed:
    skewed = PartlySkewed(f"the node at {node.shown} has no block or no method for {method}: block not found")
    skewed.results = results
    return skewed


def _names_a_block(method: str, params: Sequence[Any]) -> bool:
    """Whether a block is asked for by its number or hash, which some node must have or have had."""
    return method in BLOCK_READS and bool(params) and str(params[0]).startswith("0x")


def _number_in(params: Sequence[Any]) -> int | None:
    """The block number that a call names, as most methods have it: their last or next to last parameter."""
    for param in params[-2:]:
        if isinstance(param, str) and param.startswith("0x") and 2 < len(param) <= 12:
            return int(param, 16)
    return None
