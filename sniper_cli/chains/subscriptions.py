"""One WebSocket to a node, and the subscriptions on it.

Frames are read by a task of their own and stamped as they arrive, so that a slow reader neither delays the
stamps nor the pongs. The timings make a frozen peer known after 3.5 s: with a library's defaults (20 s ping,
20 s pong, 10 s close) one that was stopped by SIGSTOP went unnoticed for more than 50.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from time import monotonic_ns
from types import TracebackType
from typing import Any, NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from sniper_cli.errors import NodeRefused, NodeTimeout, NodeUnreachable

PING_SECONDS = 1.0
PONG_SECONDS = 2.0
CLOSE_SECONDS = 1.0
OPEN_SECONDS = 3.0
"""For the handshake and for each answer."""


class Notification(NamedTuple):
    """What a subscription sent: when it arrived (monotonic ns), which subscription, and the raw JSON value."""

    received_at: int
    name: str
    value: Any


class Subscriptions:
    """An open WebSocket. Use it in an `async with`; any trouble with the peer raises NodeUnreachable."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._frames: asyncio.Queue[tuple[int, dict[str, Any]] | NodeUnreachable] = asyncio.Queue()
        self._early: deque[tuple[int, dict[str, Any]]] = deque()
        self._names: dict[str, str] = {}
        self._calls = 0

    async def __aenter__(self) -> Self:
        try:
            self._socket = await connect(
                self.url,
                ping_interval=PING_SECONDS,
                ping_timeout=PONG_SECONDS,
                close_timeout=CLOSE_SECONDS,
                open_timeout=OPEN_SECONDS,
                max_size=None,
                max_queue=None,
                compression=None,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise self._lost(error) from error
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def call(self, method: str, params: list[Any]) -> Any:
        """Call a method over this socket; what subscriptions send meanwhile is kept for `next`."""
        assert self._socket is not None
        self._calls += 1
        number = self._calls
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            await self._socket.send(json.dumps(request))
            async with asyncio.timeout(OPEN_SECONDS):
                while True:
                    stamped = await self._frame()
                    if stamped[1].get("id") == number:
                        return self._result(stamped[1], method)
                    self._early.append(stamped)
        except TimeoutError as error:
            raise NodeTimeout(
                f"the node at {self.url} left {method} unanswered", hint="sniper doctor"
            ) from error
        except (OSError, WebSocketException) as error:
            raise self._lost(error) from error

    async def subscribe(self, name: str, params: list[Any]) -> None:
        """Subscribe under a name of ours. Raises NodeRefused where the node does not offer it."""
        self._names[str(await self.call("eth_subscribe", params))] = name

    async def next(self, seconds: float | None = None) -> Notification:
        """The next notification; TimeoutError after so many seconds without one."""
        async with asyncio.timeout(seconds):
            while True:
                received_at, frame = self._early.popleft() if self._early else await self._frame()
                params = frame.get("params") or {}
                name = self._names.get(str(params.get("subscription")))
                if name is not None:
                    return Notification(received_at, name, params.get("result"))

    async def _frame(self) -> tuple[int, dict[str, Any]]:
        frame = await self._frames.get()
        if isinstance(frame, NodeUnreachable):
            raise frame
        return frame

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                received_at = monotonic_ns()
                frame = json.loads(text)
                if isinstance(frame, dict):
                    self._frames.put_nowait((received_at, frame))
            self._frames.put_nowait(NodeUnreachable(f"the node at {self.url} closed the connection"))
        except (OSError, WebSocketException, ValueError) as error:
            self._frames.put_nowait(self._lost(error))

    def _result(self, answer: dict[str, Any], method: str) -> Any:
        if error := answer.get("error"):
            refused = NodeRefused(f"the node refused {method}: {error.get('message')}", hint="sniper doctor")
            refused.details = {"code": error.get("code"), "message": error.get("message"), "method": method}
            raise refused
        return answer.get("result")

    def _lost(self, error: Exception) -> NodeUnreachable:
        words = str(error) or type(error).__name__
        return NodeUnreachable(
            f"no connection to the node at {self.url}: {words}", hint="sniper doctor", url=self.url
        )
