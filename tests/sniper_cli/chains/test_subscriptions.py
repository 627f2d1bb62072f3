"""The WebSocket on which the stream stands: values as the node wrote them, and peers that behave badly."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sniper_cli.chains import abi
from sniper_cli.chains.subscriptions import Subscriptions
from sniper_cli.errors import NodeRefused, NodeTimeout, NodeUnreachable
from tests.chain_fixtures import ADDRESSES, Chain
from tests.conftest import PATIENCE

Say = Callable[[Any], Awaitable[None]]
POA_EXTRA_DATA = "0x" + "d8" * 32 + "00" * 65
"""A signed header of a proof-of-authority chain: 32 bytes of vanity, 65 of signature."""


@asynccontextmanager
async def peer(behave: Callable[[dict[str, Any], Say], Awaitable[None]]) -> AsyncIterator[str]:
    """A node that does with each request what the test says."""

    async def talk(socket: ServerConnection) -> None:
        async def say(value: Any) -> None:
            await socket.send(value if isinstance(value, str) else json.dumps(value))

        async for text in socket:
            await behave(json.loads(text), say)

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answer(request: dict[str, Any], result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": result}


def notice(value: Any, subscription: str = "0xa1") -> dict[str, Any]:
    params = {"subscription": subscription, "result": value}
    return {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}


async def test_values_arrive_as_the_node_wrote_them(anvil: Chain) -> None:
    async with Subscriptions(anvil.node.ws_url) as subscriptions:
        await subscriptions.follow_heads()
        await subscriptions.follow_logs([anvil.exchange.factory], [abi.PAIR_CREATED])
        await subscriptions.follow_pending()
        arguments = ["0x" + "11" * 20, anvil.exchange.wrapped]
        data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], arguments)
        receipt = await anvil.send(ADDRESSES[1], anvil.exchange.factory, data)
        heard = {}
        while len(heard) < 3:
            notification = await subscriptions.next(PATIENCE)
            heard[notification.name] = notification.value
    [log] = await anvil.node.call("eth_getLogs", [{"blockHash": receipt["blockHash"]}])
    block = await anvil.node.call("eth_getBlockByHash", [receipt["blockHash"], False])
    assert heard["log"] == log
    assert heard["pending"]["hash"] == receipt["transactionHash"]
    assert heard["pending"]["input"] == data
    assert heard["head"].items() <= block.items()


async def test_what_comes_while_nobody_reads_is_kept_in_its_order() -> None:
    async def flood(request: dict[str, Any], say: Say) -> None:
        await say(notice({"number": "0x0"}))  # even before the subscription is known
        await say(answer(request, "0xa1"))
        for number in range(1, 3_000):
            await say(notice({"number": hex(number)}))

    async with peer(flood) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        await asyncio.sleep(0.5)
        numbers = [int((await subscriptions.next(PATIENCE)).value["number"], 16) for _ in range(3_000)]
        assert numbers == list(range(3_000))


async def test_the_stamp_is_of_the_arrival_and_not_of_the_reading() -> None:
    async def send_one(request: dict[str, Any], say: Say) -> None:
        await say(answer(request, "0xa1"))
        await say(notice({"number": "0x1"}))

    async with peer(send_one) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        async with asyncio.timeout(PATIENCE):
            while subscriptions._web3.provider.sent.empty():  # noqa: ASYNC110 - whoever reads it, takes it
                await asyncio.sleep(0.01)
        arrived_before = time.monotonic_ns()
        assert (await subscriptions.next(PATIENCE)).received_at < arrived_before


async def test_the_long_header_of_a_proof_of_authority_chain_is_a_header() -> None:
    async def send_one(request: dict[str, Any], say: Say) -> None:
        await say(answer(request, "0xa1"))
        await say(notice({"number": "0x1", "extraData": POA_EXTRA_DATA}))

    async with peer(send_one) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        assert (await subscriptions.next(PATIENCE)).value["extraData"] == POA_EXTRA_DATA


async def test_a_refused_subscription_is_told_with_its_code_and_the_others_go_on() -> None:
    async def refuse_pending(request: dict[str, Any], say: Say) -> None:
        if request["params"][0] == "newPendingTransactions":
            error = {"code": -32601, "message": "no such subscription"}
            await say({"jsonrpc": "2.0", "id": request["id"], "error": error})
            await say(notice({"number": "0x1"}))
        else:
            await say(answer(request, "0xa1"))

    async with peer(refuse_pending) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        with pytest.raises(NodeRefused, match="no such subscription") as refused:
            await subscriptions.follow_pending()
        assert refused.value.details["code"] == -32601
        assert (await subscriptions.next(PATIENCE)).value == {"number": "0x1"}


async def test_an_error_that_answers_nothing_is_passed_over() -> None:
    async def complain(request: dict[str, Any], say: Say) -> None:
        await say(answer(request, "0xa1"))
        await say({"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "slow down"}})
        await say([1, 2])
        await say(notice({"number": "0x1"}))

    async with peer(complain) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        assert (await subscriptions.next(PATIENCE)).value == {"number": "0x1"}


@pytest.mark.parametrize("words", ["no JSON", "{"])
async def test_a_peer_that_does_not_speak_json_is_left(words: str) -> None:
    async def mumble(request: dict[str, Any], say: Say) -> None:
        await say(answer(request, "0xa1"))
        await say(words)

    async with peer(mumble) as url, Subscriptions(url) as subscriptions:
        await subscriptions.follow_heads()
        with pytest.raises(NodeUnreachable):
            await subscriptions.next(PATIENCE)


async def test_a_peer_that_hangs_up_is_noticed_at_once() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        request = json.loads(await socket.recv())
        await socket.send(json.dumps(answer(request, "0xa1")))

    async with serve(hang_up, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Subscriptions(url) as subscriptions:
            await subscriptions.follow_heads()
            with pytest.raises(NodeUnreachable):
                await subscriptions.next(PATIENCE)


async def test_a_question_left_unanswered_is_a_timeout() -> None:
    async def keep_silent(request: dict[str, Any], say: Say) -> None: ...

    async with peer(keep_silent) as url, Subscriptions(url) as subscriptions:
        subscriptions._web3.provider.request_timeout = 0.3  # the handshake may take its time
        with pytest.raises(NodeTimeout, match="eth_chainId"):
            await subscriptions.chain_id()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "ipc:/nowhere"])
async def test_nobody_at_the_address_is_no_connection(url: str) -> None:
    with pytest.raises(NodeUnreachable, match="no connection to the node"):
        async with Subscriptions(url):
            pass


async def test_a_cancellation_is_obeyed_whenever_it_comes(anvil: Chain) -> None:
    """web3 swallows some; a stream that is stopped while it subscribes or reconnects would go on for ever."""

    async def subscribe_and_close() -> None:
        while True:
            async with Subscriptions(anvil.node.ws_url) as subscriptions:
                await subscriptions.chain_id()
                await subscriptions.follow_heads()

    for number in range(100):
        task = asyncio.create_task(subscribe_and_close())
        await asyncio.sleep(number * 0.0002)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        task.cancel()
        assert done, f"cancelled after {number * 0.2:.1f} ms, it went on"


def test_a_short_command_does_not_pay_for_web3() -> None:
    program = "import sys, sniper_cli.chains.stream, sniper_cli.chains.node; print('web3' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
