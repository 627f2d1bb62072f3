"""The stream on a real anvil that is frozen, killed, restarted and reorganised: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
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
from sniper_cli.errors import NodeRefused, WrongChain
from tests.chain_fixtures import ADDRESSES, Chain
from tests.conftest import PATIENCE


class Follower:
    """Collects what a stream says."""

    def __init__(self, stream: ChainStream, exchange: Exchange) -> None:
        self.stream = stream
        self.events: list[Event] = []
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None

    async def _follow(self) -> None:
        async for event in self.stream.events(factory=self._exchange.factory):
            self.events.append(event)

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def wait_for(self, kind: type[Any], count: int = 1) -> None:
        """Wait until so many events of a kind are there."""
        started = time.monotonic()
        while len(self.of(kind)) < count:
            assert self._task is not None
            if self._task.done():
                self._task.result()
            assert time.monotonic() - started < PATIENCE, (
                f"{count} × {kind.__name__} did not come: {self.events}"
            )
            await asyncio.sleep(0.01)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def pools(self) -> list[str]:
        return [abi.pair_created(event.log).pair for event in self.of(LogSeen)]


@asynccontextmanager
async def following(node: Node, exchange: Exchange, **options: Any) -> AsyncIterator[Follower]:
    follower = Follower(ChainStream(node, **options), exchange)
    follower.start()
    try:
        await follower.wait_for(NewHead)
        yield follower
    finally:
        await follower.stop()


async def create_pool(node: Node, exchange: Exchange, number: int) -> str:
    token = f"0x{number + 1:040x}"
    data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], [token, exchange.wrapped])
    transaction = {"from": ADDRESSES[1], "to": exchange.factory, "data": data, "gas": hex(4_000_000)}
    await node.call("eth_sendTransaction", [transaction])
    return exchange.pool_of(token)


async def test_a_new_pool_is_seen_once(anvil: Chain) -> None:
    async with following(anvil.node, anvil.exchange) as follower:
        pool = await create_pool(anvil.node, anvil.exchange, 1)
        await follower.wait_for(LogSeen)
        await follower.wait_for(NewHead, 2)
        assert follower.pools == [pool]


async def test_pools_from_before_are_read_when_asked_for(anvil: Chain) -> None:
    pool = await create_pool(anvil.node, anvil.exchange, 1)
    await anvil.mine()
    async with following(anvil.node, anvil.exchange, from_block=0) as follower:
        await follower.wait_for(LogSeen)
        assert follower.pools == [pool]
    async with following(anvil.node, anvil.exchange) as follower:
        await anvil.mine()
        await follower.wait_for(NewHead, 2)
        assert follower.pools == []


REFUSALS = (
    (-32005, "query returned more than 10000 results"),
    (-32602, "block range is too wide"),
    (413, "HTTP 413 Request Entity Too Large"),
)


class Narrow(Node):
    """A node that gives no more than so many blocks' logs at once, and refuses in some provider's words."""

    MOST = 3

    def __init__(self, chain: Chain, code: int, words: str) -> None:
        super().__init__(chain.node.url, ws_url=chain.node.ws_url)
        self._said = code, words
        self.refused = 0

    async def batch(self, calls: Any, *, return_errors: bool = False) -> list[Any]:
        for method, params in calls:
            if method == "eth_getLogs":
                self._refuse(params[0])
        return await super().batch(calls, return_errors=return_errors)

    async def call(self, method: str, params: Any = ()) -> Any:
        if method == "eth_getLogs":
            self._refuse(params[0])
        return await super().call(method, params)

    def _refuse(self, span: dict[str, str]) -> None:
        if int(span["toBlock"], 16) - int(span["fromBlock"], 16) >= self.MOST:
            self.refused += 1
            refused = NodeRefused(self._said[1])
            refused.details = {"code": self._said[0], "message": self._said[1]}
            raise refused


@pytest.mark.parametrize(("code", "words"), REFUSALS)
async def test_a_gap_is_filled_in_pieces_that_the_node_gives(anvil: Chain, code: int, words: str) -> None:
    pools = []
    for number in range(9):
        pools.append(await create_pool(anvil.node, anvil.exchange, number))
        await anvil.mine()
    async with Narrow(anvil, code, words) as node, following(node, anvil.exchange, from_block=0) as follower:
        await follower.wait_for(LogSeen, 9)
        await anvil.mine()
        await follower.wait_for(NewHead, 2)
        assert follower.pools == pools
        assert follower.of(Disconnected) == []
        assert node.refused


async def test_the_event_of_another_factory_is_not_ours(anvil: Chain) -> None:
    from dataclasses import replace

    other = replace(anvil.exchange, factory="0x" + "77" * 20)
    async with following(anvil.node, other) as follower:
        await create_pool(anvil.node, anvil.exchange, 1)
        await follower.wait_for(NewHead, 2)
        assert follower.pools == []


async def test_waiting_transactions_come_with_their_bodies(anvil: Chain) -> None:
    async with following(anvil.node, anvil.exchange) as follower:
        await create_pool(anvil.node, anvil.exchange, 1)
        await follower.wait_for(PendingSeen)
        transaction = follower.of(PendingSeen)[0].tx
        assert transaction["to"] == anvil.exchange.factory
        assert transaction["input"].startswith(abi.CALL_CREATE_PAIR)
        assert follower.stream.sees_pending is True


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[Anvil, Node, Exchange]]:
    """A chain of this test's own, with blocks every second and its state kept."""
    process = Anvil(block_seconds=1, state_file=tmp_path / "state.json")
    async with process, Node(process.http_url, timeout_seconds=2) as node:
        yield process, node, await deploy_exchange(node)


async def test_a_frozen_node_is_noticed_and_nothing_is_lost(
    own: tuple[Anvil, Node, Exchange],
) -> None:
    process, node, exchange = own
    async with following(node, exchange) as follower:
        first = await create_pool(node, exchange, 1)
        await follower.wait_for(LogSeen)
        process.freeze()
        await follower.wait_for(Disconnected)
        process.thaw()
        second = await create_pool(node, exchange, 2)
        await follower.wait_for(Connected, 2)
        await follower.wait_for(LogSeen, 2)
        assert follower.pools == [first, second]


async def test_no_pool_is_lost_or_doubled_over_a_kill_and_a_restart(
    own: tuple[Anvil, Node, Exchange], tmp_path: Path
) -> None:
    process, node, exchange = own
    async with following(node, exchange) as follower:
        pools = [await create_pool(node, exchange, number) for number in range(3)]
        await follower.wait_for(LogSeen, 3)
        await process.stop()
        await follower.wait_for(Disconnected)
        async with Anvil(process.port, block_seconds=1, state_file=tmp_path / "state.json"):
            pools += [await create_pool(node, exchange, number) for number in range(3, 6)]
            await node.call("evm_mine")
            await follower.wait_for(Connected, 2)
            await follower.wait_for(LogSeen, 6)
            pools += [await create_pool(node, exchange, number) for number in range(6, 8)]
            await follower.wait_for(LogSeen, 8)
        assert follower.pools == pools
        assert len(follower.of(Disconnected)) >= 1


async def test_another_chain_in_the_place_of_ours_ends_the_stream(own: tuple[Anvil, Node, Exchange]) -> None:
    process, node, exchange = own
    async with following(node, exchange) as follower:
        await process.stop()
        await follower.wait_for(Disconnected)
        async with Anvil(process.port, block_seconds=0, chain_id=1001):
            with pytest.raises(WrongChain):
                await follower.wait_for(Connected, 2)


async def test_a_reorganisation_is_told_with_its_first_block_and_new_heads_follow(
    own: tuple[Anvil, Node, Exchange],
) -> None:
    _, node, exchange = own
    async with following(node, exchange) as follower:
        await create_pool(node, exchange, 1)
        await follower.wait_for(LogSeen)
        await follower.wait_for(NewHead, 3)
        before = (await node.head()).number
        await node.call("anvil_reorg", [2, []])
        behind = (await node.head()).number  # blocks come by themselves meanwhile
        await follower.wait_for(Reorganised)
        await follower.wait_for(NewHead, len(follower.of(NewHead)) + 1)
        told = follower.of(Reorganised)[0].from_number
        assert before - 2 <= told <= behind
        latest = follower.stream.latest
        assert latest is not None
        assert (await node.block(latest.number)).hash == latest.hash


async def test_a_block_that_the_reader_holds_already_is_missed_when_it_goes(
    own: tuple[Anvil, Node, Exchange],
) -> None:
    _, node, exchange = own
    await node.call("evm_setIntervalMining", [0])  # none comes between what is held and what replaces it
    await node.call("anvil_mine", [hex(3)])
    held = await node.head()
    await node.call("anvil_reorg", [2, []])
    await node.call("anvil_mine", [hex(1)])
    async with following(node, exchange, standing=held) as follower:
        await follower.wait_for(Reorganised)
        told = follower.of(Reorganised)[0]
        assert told.from_number <= held.number
        assert held.hash in told.vanished


async def test_a_quiet_chain_is_told_apart_from_a_broken_stream(anvil: Chain) -> None:
    async with following(anvil.node, anvil.exchange) as follower:
        await follower.wait_for(Quiet)
        assert follower.of(Disconnected) == []
        await anvil.mine()
        await follower.wait_for(NewHead, 2)


async def test_a_subscription_that_falls_silent_is_noticed_by_asking_the_node(anvil: Chain) -> None:
    async def accept_and_say_nothing(socket: ServerConnection) -> None:
        async for text in socket:
            request = json.loads(text)
            result = "0x7a69" if request["method"] == "eth_chainId" else "0x1"
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))

    async with serve(accept_and_say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        node = Node(anvil.node.url, ws_url=f"ws://127.0.0.1:{port}")
        async with node, following(node, anvil.exchange) as follower:
            pool = await create_pool(anvil.node, anvil.exchange, 1)
            await follower.wait_for(Disconnected)
            await follower.wait_for(LogSeen)
            assert "silent" in follower.of(Disconnected)[0].reason
            assert follower.pools == [pool]
