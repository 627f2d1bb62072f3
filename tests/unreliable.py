"""A node that can be made bad: an HTTP and WebSocket proxy in front of an anvil.

It can lag so many blocks (in everything it says, over both protocols), freeze (take connections and never answer, not
even a ping), die and come back on the same port, lie about its chain, refuse, answer slowly. Several in front of
one anvil are several nodes of one chain.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiohttp import (
    ClientConnectionError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    WSMsgType,
    web,
)

STATE_READS = {
    "eth_getBalance": 1,
    "eth_getTransactionCount": 1,
    "eth_getCode": 1,
    "eth_call": 1,
    "eth_getStorageAt": 2,
    "eth_simulateV1": 1,
}


class UnreliableNode:
    """One proxy. Faults are switched on and off by its attributes and methods, at any time."""

    def __init__(self, http_url: str, ws_url: str, name: str = "proxy") -> None:
        self.name = name
        self.lag = 0
        """Blocks that it is behind."""
        self.slow_seconds = 0.0
        self.chain_id: str | None = None
        """What it says instead of the truth."""
        self.status: int | None = None
        """The HTTP status of all its answers."""
        self.doctor: Callable[[str, Any], Any] | None = None
        """Changes results: method and result to result."""
        self.requests = 0
        self.methods: list[str] = []
        self.sent_raw: list[str] = []
        self._http, self._ws = http_url, ws_url
        self._warm = asyncio.Event()
        self._warm.set()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self._handlers: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._session = ClientSession(timeout=ClientTimeout(total=30))
        await self.restart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.die()
        assert self._session is not None
        await self._session.close()

    # -- faults --------------------------------------------------------------------------------------------------

    async def restart(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def die(self) -> None:
        """Close everything at once."""
        runner, self._runner = self._runner, None
        for handler in list(self._handlers):
            handler.cancel()
        if runner is not None:
            await runner.cleanup()

    def freeze(self) -> None:
        """Take connections and answer nothing."""
        self._warm.clear()

    def thaw(self) -> None:
        self._warm.set()

    # -- HTTP ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._handle_socket(request)
            asked = await request.json()
            await self._patience()
            if self.status is not None:
                return web.Response(status=self.status, text="out of order")
            answer = await self._answer_all(asked)
            await self._warm.wait()  # frozen meanwhile
            return web.json_response(answer)
        finally:
            self._handlers.discard(task)

    async def _patience(self) -> None:
        self.requests += 1
        await self._warm.wait()
        if self.slow_seconds:
            await asyncio.sleep(self.slow_seconds)

    async def _answer_all(self, asked: Any) -> Any:
        single = not isinstance(asked, list)
        requests = [asked] if single else asked
        visible = await self._visible() if self.lag else None
        ready = [self._translate(request, visible) for request in requests]
        answers = await self._upstream([request for request, refusal in ready if refusal is None])
        by_id = {answer["id"]: answer for answer in answers}
        out = [
            {"jsonrpc": "2.0", "id": request["id"], **refusal}
            if refusal is not None
            else self._doctored(request, by_id[request["id"]], visible)
            for request, refusal in ready
        ]
        return out[0] if single else out

    async def _upstream(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not requests:
            return []
        assert self._session is not None
        async with self._session.post(self._http, json=requests) as response:
            answers: list[dict[str, Any]] = await response.json()
            return answers

    async def _visible(self) -> int:
        """The head that it shows."""
        question = {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
        return max(0, int((await self._upstream([question]))[0]["result"], 16) - self.lag)

    def _translate(
        self, request: dict[str, Any], visible: int | None
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The request as of the visible head; or what to refuse it with."""
        method, params = request["method"], list(request.get("params") or [])
        self.methods.append(method)
        if method == "eth_sendRawTransaction":
            self.sent_raw.append(params[0])
        if visible is None:
            return request, None
        if method in STATE_READS and len(params) > STATE_READS[method]:
            place = STATE_READS[method]
            if params[place] == "latest":
                params[place] = hex(visible)
            elif _above(params[place], visible):
                return request, {"error": {"code": -32000, "message": "header not found"}}
        if method == "eth_getBlockByNumber":
            if params[0] in ("latest", "pending"):
                params[0] = hex(visible)
            elif _above(params[0], visible):
                return request, {"result": None}
        if method == "eth_getLogs" and "toBlock" in params[0]:
            to = params[0]["toBlock"]
            params[0] = {
                **params[0],
                "toBlock": hex(visible if to == "latest" else min(int(to, 16), visible)),
            }
            if int(params[0]["fromBlock"], 16) > visible:
                return request, {"result": []}
        return {**request, "params": params}, None

    def _doctored(
        self, request: dict[str, Any], answer: dict[str, Any], visible: int | None
    ) -> dict[str, Any]:
        method, result = request["method"], answer.get("result")
        if method == "eth_chainId" and self.chain_id is not None:
            result = self.chain_id
        elif visible is not None and method == "eth_blockNumber":
            result = hex(visible)
        elif (
            visible is not None
            and isinstance(result, dict)
            and method in ("eth_getTransactionReceipt", "eth_getBlockByHash")
            and _above(result.get("blockNumber") or result.get("number"), visible)
        ):
            result = None
        if self.doctor is not None:
            result = self.doctor(method, result)
        return {**answer, "result": result} if "result" in answer else answer

    # -- WebSocket -----------------------------------------------------------------------------------------------

    async def _handle_socket(self, request: web.Request) -> web.StreamResponse:
        await self._warm.wait()
        near = web.WebSocketResponse(autoping=False, max_msg_size=0, compress=False)
        await near.prepare(request)
        assert self._session is not None
        async with self._session.ws_connect(self._ws, max_msg_size=0, compress=0) as far:
            down = asyncio.create_task(self._down(far, near))
            try:
                await self._up(near, far)
            finally:
                down.cancel()
                with suppress(asyncio.CancelledError, ClientConnectionError):
                    await down
        return near

    async def _up(self, near: web.WebSocketResponse, far: ClientWebSocketResponse) -> None:
        async for message in near:
            await self._warm.wait()
            if message.type is WSMsgType.PING:
                await near.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await far.send_str(message.data)

    async def _down(self, far: ClientWebSocketResponse, near: web.WebSocketResponse) -> None:
        """Notifications of a block are held back until the chain is so many blocks on."""
        held: list[tuple[int, str]] = []
        async for message in far:
            await self._warm.wait()
            if message.type is not WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            text = message.data
            if (
                self.chain_id is not None
                and isinstance(frame.get("result"), str)
                and len(frame["result"]) < 12
            ):
                text = json.dumps({**frame, "result": self.chain_id})
            number = _number_of(frame)
            if number is None:
                await near.send_str(text)
                continue
            held.append((number, text))
            newest = max(block for block, _ in held)
            for block, waiting in [one for one in held if one[0] <= newest - self.lag]:
                held.remove((block, waiting))
                await near.send_str(waiting)
        await near.close()


def _above(block: Any, visible: int) -> bool:
    return isinstance(block, str) and block.startswith("0x") and len(block) < 20 and int(block, 16) > visible


def _number_of(frame: dict[str, Any]) -> int | None:
    """The block that a notification is of."""
    value = (frame.get("params") or {}).get("result") if frame.get("method") == "eth_subscription" else None
    if not isinstance(value, dict) or ("hash" in value and "input" in value):
        return None
    number = value.get("number") or value.get("blockNumber")
    return None if number is None else int(number, 16)
