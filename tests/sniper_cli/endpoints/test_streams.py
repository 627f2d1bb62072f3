"""One chain heard from three nodes: nothing lost or doubled, late heads are no reorganisation, a real one is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sniper_cli.chains import abi
from sniper_cli.chains.lineage import Lineage
from sniper_cli.chains.node import Head
from sniper_cli.chains.stream import (
    ChainStream,
    Connected,
    Disconnected,
    Event,
    LogSeen,
    NewHead,
    PendingSeen,
    Reorganised,
)
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.streams import MergedStream, chain_stream
from sniper_cli.errors import WrongChain
from tests.chain_fixtures import ADDRESSES
from tests.conftest import PATIENCE
from tests.sniper_cli.endpoints.conftest import Trio, member_of, until

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


class Follower:
    """Collects what a merged stream says."""

    def __init__(self, stream: MergedStream, factory: str) -> None:
        self.stream = stream
        self.events: list[Event] = []
        self._factory = factory
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self.stream.events(factory=self._factory):
            self.events.append(event)

    async def wait_for(self, kind: type[Any], count: int = 1) -> None:
        begun = time.monotonic()
        while len(self.of(kind)) < count:
            if self.task.done():
                self.task.result()
            assert time.monotonic() - begun < PATIENCE, f"{count} × {kind.__name__}: {self.events}"
            await asyncio.sleep(0.01)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def pools(self) -> list[str]:
        return [abi.pair_created(event.log).pair for event in self.of(LogSeen)]

    @property
    def heads(self) -> list[int]:
        return [event.head.number for event in self.of(NewHead)]


@asynccontextmanager
async def following(
    trio: Trio, pool: NodePool, *, all_live: bool = True, **options: Any
) -> AsyncIterator[Follower]:
    stream = MergedStream(pool, **options)
    follower = Follower(stream, trio.chain.exchange.factory)
    try:
        await follower.wait_for(Connected)
        if all_live:
            await until(lambda: len(stream.live) == len(pool.members))
        yield follower
    finally:
        follower.task.cancel()
        await asyncio.gather(follower.task, return_exceptions=True)


async def create_pool(trio: Trio, number: int) -> str:
    exchange = trio.chain.exchange
    token = f"0x{number + 1:040x}"
    data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], [token, exchange.wrapped])
    transaction = {"from": ADDRESSES[1], "to": exchange.factory, "data": data, "gas": hex(4_000_000)}
    await trio.chain.node.call("eth_sendTransaction", [transaction])
    return exchange.pool_of(token)


async def test_one_node_needs_no_merging(trio: Trio, pool: NodePool) -> None:
    assert isinstance(chain_stream(trio.chain.node), ChainStream)
    assert isinstance(chain_stream(pool), MergedStream)


async def test_what_three_nodes_tell_is_told_once(trio: Trio, pool: NodePool) -> None:
    async with following(trio, pool) as follower:
        pools = [await create_pool(trio, number) for number in range(5)]
        await follower.wait_for(LogSeen, 5)
        await asyncio.sleep(0.3)

        assert follower.pools == pools
        assert follower.heads == sorted(set(follower.heads))
        assert len(follower.of(PendingSeen)) == len({event.tx["hash"] for event in follower.of(PendingSeen)})
        assert follower.of(Reorganised) == []
        assert len(follower.of(Connected)) == 1
        assert follower.stream.sees_pending is True


async def test_a_node_that_dies_and_one_that_freezes_take_nothing_away(trio: Trio, pool: NodePool) -> None:
    async with following(trio, pool) as follower:
        pools = [await create_pool(trio, 0)]
        await follower.wait_for(LogSeen)
        await trio.a.die()
        trio.b.freeze()
        pools += [await create_pool(trio, number) for number in (1, 2)]
        await follower.wait_for(LogSeen, 3)
        await trio.a.restart()
        trio.b.thaw()
        await until(lambda: len(follower.stream.live) == 3)
        trio.c.freeze()
        pools += [await create_pool(trio, number) for number in (3, 4)]
        await follower.wait_for(LogSeen, 5)

        assert follower.pools == pools
        assert follower.of(Disconnected) == []
        assert follower.of(Reorganised) == []


async def test_a_frozen_socket_is_noticed_by_its_silence(trio: Trio, pool: NodePool) -> None:
    async with following(trio, pool) as follower:
        trio.b.freeze()
        await until(lambda: "b" not in follower.stream.live)

        assert follower.stream.live == {"a", "c"}


async def test_the_late_heads_of_a_lagging_node_look_like_nothing(trio: Trio, pool: NodePool) -> None:
    trio.c.lag = 3
    async with following(trio, pool) as follower:
        pools = []
        for number in range(6):
            pools.append(await create_pool(trio, number))
            await trio.chain.mine()
        await follower.wait_for(LogSeen, 6)
        await asyncio.sleep(0.3)

        assert follower.pools == pools
        assert follower.of(Reorganised) == []
        assert follower.heads == sorted(set(follower.heads))


async def test_the_lagging_node_alone_left_over_is_followed_without_a_reorganisation(
    trio: Trio, pool: NodePool
) -> None:
    trio.c.lag = 3
    async with following(trio, pool) as follower:
        for number in range(4):
            await create_pool(trio, number)
        await follower.wait_for(LogSeen, 4)
        await trio.a.die()
        await trio.b.die()
        await until(lambda: follower.stream.live == {"c"})
        pools = [await create_pool(trio, number) for number in range(4, 8)]
        await trio.chain.mine(3)
        await follower.wait_for(LogSeen, 8)

        assert follower.pools[4:] == pools
        assert follower.of(Reorganised) == []


async def test_a_real_reorganisation_is_told_once_and_its_heads_follow(trio: Trio, pool: NodePool) -> None:
    async with following(trio, pool) as follower:
        await create_pool(trio, 1)
        await follower.wait_for(LogSeen)
        await trio.chain.mine()
        await trio.chain.mine()
        await follower.wait_for(NewHead, 3)
        before = (await trio.chain.node.head()).number
        await trio.chain.node.call("anvil_reorg", [2, []])
        await follower.wait_for(Reorganised)
        await trio.chain.mine()
        # Named by its height: counted from here, the new head would be waited for that has been told meanwhile.
        await until(lambda: before + 1 in follower.heads)

        told = follower.of(Reorganised)
        assert len(told) == 1
        assert before - 2 <= told[0].from_number <= before
        after = follower.events[follower.events.index(told[0]) :]
        heads = [event.head for event in after if isinstance(event, NewHead)]
        assert [head.number for head in heads] == [*range(told[0].from_number, before + 2)]
        assert [head.hash for head in heads] == [
            (await trio.chain.node.block(head.number)).hash for head in heads
        ]


async def test_when_all_are_gone_it_is_told_once_and_the_gap_is_read(trio: Trio, pool: NodePool) -> None:
    async with following(trio, pool) as follower:
        for node in trio.nodes:
            await node.die()
        await follower.wait_for(Disconnected)
        pools = [await create_pool(trio, number) for number in range(2)]
        await asyncio.sleep(0.5)
        assert len(follower.of(Disconnected)) == 1
        await trio.b.restart()
        await follower.wait_for(LogSeen, 2)

        assert follower.pools == pools
        assert len(follower.of(Connected)) == 2


async def test_a_node_of_another_chain_is_not_heard(trio: Trio, pool: NodePool) -> None:
    trio.a.chain_id = "0x1"
    async with following(trio, pool, all_live=False) as follower:
        await create_pool(trio, 1)
        await follower.wait_for(LogSeen)

        assert "a" not in follower.stream.live
        assert pool.members[0].health.wrong_chain


async def test_where_all_are_of_another_chain_the_stream_ends(trio: Trio) -> None:
    for node in trio.nodes:
        node.chain_id = "0x1"
    async with NodePool([member_of(node) for node in trio.nodes], 31337, poll_seconds=0) as pool:
        with pytest.raises(WrongChain):
            async for _ in MergedStream(pool).events(factory=trio.chain.exchange.factory):
                pass


async def test_a_node_that_is_dead_from_the_beginning_is_no_outage(trio: Trio, pool: NodePool) -> None:
    await trio.a.die()
    async with following(trio, pool, all_live=False) as follower:
        await until(lambda: follower.stream.live == {"b", "c"})
        await asyncio.sleep(0.3)

        assert follower.of(Disconnected) == []
        assert len(follower.of(Connected)) == 1


# -- branches, without sockets ----------------------------------------------------------------------------------------


def head(number: int, branch: str = "x", parent: str | None = None) -> Head:
    above = branch if parent is None else parent
    return Head(number, f"0x{branch}{number}", f"0x{above}{number - 1}", 1_000 + number, 0, 0, "0x")


def log(block: Head, index: int = 0) -> LogSeen:
    return LogSeen(
        {"blockHash": block.hash, "blockNumber": hex(block.number), "logIndex": hex(index)}, received_at=0
    )


@pytest.fixture
async def merged(trio: Trio) -> AsyncIterator[MergedStream]:
    async with NodePool([member_of(node) for node in trio.nodes], 31337, poll_seconds=0) as pool:
        yield MergedStream(pool)


async def told(stream: MergedStream, *heard: tuple[int, Event]) -> list[Event]:
    for place, event in heard:
        await stream._take(stream._pool.members[place], event)
    events = list(stream._outbox)
    stream._outbox.clear()
    return events


async def test_another_opinion_at_the_same_height_is_not_followed_until_nobody_stands_on_ours(
    merged: MergedStream,
) -> None:
    nine, ten, other = head(9), head(10), head(10, "y", parent="x")
    await told(merged, (0, NewHead(nine)), (0, NewHead(ten)), (1, NewHead(ten)))
    assert await told(merged, (2, NewHead(other))) == []
    assert await told(merged, (0, NewHead(other))) == []

    assert await told(merged, (1, NewHead(other))) == [Reorganised(10), NewHead(other)]


async def test_the_higher_branch_wins_at_once_and_its_parents_are_told(merged: MergedStream) -> None:
    await told(merged, *((place, NewHead(head(number))) for number in (8, 9, 10) for place in (0, 1)))
    branch = [head(9, "y", parent="x"), head(10, "y"), head(11, "y")]

    assert await told(merged, *((2, NewHead(one)) for one in branch)) == [
        Reorganised(9),
        *(NewHead(one) for one in branch),
    ]


async def test_logs_beside_our_branch_wait_and_are_told_when_it_becomes_ours(merged: MergedStream) -> None:
    ours, other, next_ = head(10), head(10, "y", parent="x"), head(11, "y")
    await told(merged, (0, NewHead(head(9))), (0, NewHead(ours)))
    assert await told(merged, (1, log(other))) == []

    assert await told(merged, (1, NewHead(other)), (1, NewHead(next_))) == [
        Reorganised(10),
        NewHead(other),
        NewHead(next_),
        log(other),
    ]


async def test_a_log_that_was_told_before_its_reorganisation_is_told_again_after_it(
    merged: MergedStream,
) -> None:
    """Its reader takes back what it believes of the replaced blocks, this log's among them."""
    await told(merged, (0, NewHead(head(9))), (0, NewHead(head(10))))
    higher = head(11, "y", parent="y")
    assert await told(merged, (0, log(higher))) == [log(higher)]
    merged._headers["0xy10"] = head(10, "y", parent="x")

    events = await told(merged, (0, NewHead(higher)))
    assert events[0] == Reorganised(10)
    assert events[-1] == log(higher)


async def test_the_loss_of_the_last_node_on_our_block_lets_the_others_decide(merged: MergedStream) -> None:
    other = head(10, "y", parent="x")
    for place in range(3):
        await told(merged, (place, Connected()), (place, NewHead(head(9))))
    await told(merged, (0, NewHead(head(10))), (1, NewHead(other)), (2, NewHead(other)))

    assert await told(merged, (0, Disconnected("gone"))) == [Reorganised(10), NewHead(other)]


async def test_a_block_of_long_ago_is_late_and_no_reorganisation(merged: MergedStream) -> None:
    await told(merged, (0, NewHead(head(500))), (0, Disconnected("gone")))

    assert await told(merged, (1, NewHead(head(100)))) == []


async def test_a_block_from_before_we_began_is_late_and_no_reorganisation(merged: MergedStream) -> None:
    await told(merged, (1, NewHead(head(497))))
    merged._lineage = Lineage()
    await told(merged, (0, NewHead(head(500))))

    assert await told(merged, (0, Disconnected("gone")), (1, NewHead(head(498)))) == []
    assert await told(merged, (1, NewHead(head(501)))) == [NewHead(head(501))]
