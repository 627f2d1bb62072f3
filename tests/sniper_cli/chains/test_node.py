"""A node that answers, refuses, freezes, dies, or is no node at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.node import Node, websocket_url
from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout, NodeUnreachable, WrongChain
from tests.chain_fixtures import Chain


@asynccontextmanager
async def answering(status: str, body: str) -> AsyncIterator[str]:
    """A web server that answers every request with the same."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_head_is_read_whole(anvil: Chain) -> None:
    head = await anvil.node.head()
    await anvil.mine()
    following = await anvil.node.head()
    assert following.number == head.number + 1
    assert following.parent_hash == head.hash
    assert following.gas_limit == 30_000_000


async def test_an_error_of_the_node_keeps_its_code_words_and_data(anvil: Chain) -> None:
    with pytest.raises(NodeRefused) as caught:
        await anvil.node.call("eth_nonsense")
    assert caught.value.details["code"] == -32601
    assert caught.value.details["method"] == "eth_nonsense"
    assert "not found" in str(caught.value.details["message"]).lower()


async def test_a_batch_answers_in_order_and_can_hold_refusals(anvil: Chain) -> None:
    calls = [("eth_chainId", []), ("eth_nonsense", []), ("web3_clientVersion", [])]
    first, second, third = await anvil.node.batch(calls, return_errors=True)
    assert first == "0x7a69"
    assert isinstance(second, NodeRefused)
    assert third.startswith("anvil/")
    with pytest.raises(NodeRefused):
        await anvil.node.batch(calls)


async def test_another_chain_than_the_profiles_is_told(anvil: Chain) -> None:
    await anvil.node.check_chain(31337)
    with pytest.raises(WrongChain, match="serves chain 31337, the profile names chain 1"):
        await anvil.node.check_chain(1)


async def test_nobody_at_the_address_is_unreachable_at_once() -> None:
    """Not after its timeout, which would outlast this test and raise NodeTimeout."""
    async with Node("http://127.0.0.1:9", timeout_seconds=600) as node:
        with pytest.raises(NodeUnreachable, match="no connection"):
            await node.head()


async def test_a_frozen_node_is_a_timeout_after_the_time_allowed() -> None:
    async with Anvil(block_seconds=0) as process, Node(process.http_url, timeout_seconds=0.3) as node:
        await node.head()
        process.freeze()
        with pytest.raises(NodeTimeout, match=r"did not answer within 0\.3 s"):
            await node.head()


async def test_a_read_survives_that_the_node_was_restarted_between_two_calls() -> None:
    async with Anvil(block_seconds=0) as process, Node(process.http_url) as node:
        await node.head()
        await process.stop()
        async with Anvil(process.port, block_seconds=0):
            assert (await node.head()).number == 0


async def test_a_write_is_never_repeated_behind_the_callers_back() -> None:
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Node(url) as node:
        with pytest.raises(NodeUnreachable):
            await node.call("eth_sendRawTransaction", ["0x00"])
        assert asked == 1
        with pytest.raises(NodeUnreachable):
            await node.call("eth_blockNumber")
        assert asked == 3


async def test_a_page_that_is_no_node_is_told() -> None:
    async with answering("200 OK", "<html>hello</html>") as url, Node(url) as node:
        with pytest.raises(NetworkError, match="does not speak JSON-RPC"):
            await node.head()


async def test_a_refusal_by_http_status_is_a_refusal() -> None:
    async with answering("429 Too Many Requests", "slow down") as url, Node(url) as node:
        with pytest.raises(NodeRefused, match="HTTP 429"):
            await node.head()


async def test_a_json_error_under_a_http_error_keeps_its_words() -> None:
    body = '{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"daily limit reached"}}'
    async with answering("403 Forbidden", body) as url, Node(url) as node:
        with pytest.raises(NodeRefused, match="daily limit reached"):
            await node.head()


@pytest.mark.parametrize(
    ("http", "websocket"),
    [
        ("http://127.0.0.1:8545", "ws://127.0.0.1:8545"),
        ("https://node.example/key", "wss://node.example/key"),
    ],
)
def test_the_websocket_stands_beside_the_http_endpoint(http: str, websocket: str) -> None:
    assert websocket_url(http) == websocket
