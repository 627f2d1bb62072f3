"""REST hosts over sockets: one dies, one freezes, one sheds load; what is no read is sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from sniper_cli.endpoints import rest
from sniper_cli.endpoints.breaker import BreakerState
from sniper_cli.endpoints.rest import RestPool, rest_member
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout
from tests.conftest import PATIENCE


class Host:
    """A server that can be made bad."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200
        self.frozen = False
        self.body: bytes | None = None
        self.asked: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        if self.frozen:
            await asyncio.Event().wait()
        if self.body is not None:
            return web.Response(body=self.body)
        return web.json_response({"host": self.name}, status=self.status)

    async def start(self, stack: AsyncExitStack) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def hosts() -> AsyncIterator[list[Host]]:
    async with AsyncExitStack() as stack:
        made = [Host("a"), Host("b")]
        for host in made:
            await host.start(stack)
        yield made


@pytest.fixture
async def pool(hosts: list[Host]) -> AsyncIterator[RestPool]:
    """Without hedges: on a slow machine one more request of theirs would be counted."""
    members = [rest_member(host.name, host.url, timeout_seconds=1) for host in hosts]
    async with RestPool(members, spread=Spread.ROUND_ROBIN, hedge=False) as pool:
        yield pool


async def test_a_read_is_answered_by_either(hosts: list[Host], pool: RestPool) -> None:
    said = [(await pool.get("/price")).json()["host"] for _ in range(4)]

    assert said == ["a", "b", "a", "b"]


async def test_a_host_that_fails_is_left_out_after_three_times(hosts: list[Host], pool: RestPool) -> None:
    hosts[0].status = 503
    for _ in range(20):
        assert (await pool.get("/price")).json() == {"host": "b"}

    assert pool.pool.members[0].breaker.state is not BreakerState.CLOSED
    assert len(hosts[0].asked) == 3


async def test_it_is_asked_again_when_it_works_again(hosts: list[Host], pool: RestPool) -> None:
    hosts[0].status = 503
    for _ in range(10):
        await pool.get("/price")
    hosts[0].status = 200
    async with asyncio.timeout(PATIENCE):
        while pool.pool.members[0].breaker.state is not BreakerState.CLOSED:
            await pool.get("/price")
            await asyncio.sleep(0.02)


async def test_a_frozen_host_costs_a_hedge(hosts: list[Host]) -> None:
    """And not its timeout, which is longer than this test may take."""
    members = [rest_member(host.name, host.url, timeout_seconds=600) for host in hosts]
    async with RestPool(members, spread=Spread.ROUND_ROBIN) as pool:
        for _ in range(6):
            await pool.get("/price")
        before = pool.pool.hedges
        hosts[0].frozen = True
        said = [(await pool.get("/price")).json()["host"] for _ in range(2)]

        assert said == ["b", "b"]
        assert pool.pool.hedges > before


async def test_what_is_no_read_is_sent_once(hosts: list[Host], pool: RestPool) -> None:
    for host in hosts:
        host.status = 500
    with pytest.raises(NodeRefused):
        await pool.send("POST", "/order", json={"side": "buy"})

    assert [request for host in hosts for request in host.asked] == ["POST /order"]


async def test_a_lost_order_is_not_sent_again(hosts: list[Host], pool: RestPool) -> None:
    for host in hosts:
        host.frozen = True
    with pytest.raises(NodeTimeout):
        await pool.send("POST", "/order")

    assert [request for host in hosts for request in host.asked] == ["POST /order"]


async def test_a_refusal_is_an_answer(hosts: list[Host], pool: RestPool) -> None:
    hosts[0].status = 404
    answer = await pool.get("/nothing")

    assert (answer.status, answer.host) == (404, "a")
    assert hosts[1].asked == []


async def test_no_error_tells_a_key() -> None:
    member = rest_member("x", "http://127.0.0.1:9/v1/0123456789abcdef0123456789", timeout_seconds=1)
    async with RestPool([member]) as pool:
        with pytest.raises(NetworkError) as raised:
            await pool.get("/price")

    assert "0123456789abcdef" not in raised.value.message
    assert "/v1/***" in raised.value.message


async def test_what_is_no_json_or_too_long_is_said(
    hosts: list[Host], pool: RestPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in hosts:
        host.body = b"<html>"
    with pytest.raises(NetworkError, match="JSON"):
        (await pool.get("/price")).json()
    monkeypatch.setattr(rest, "MOST_BYTES", 5)
    with pytest.raises(NetworkError, match="more than 5 bytes"):
        await pool.get("/price")
