"""web3.py's WebSocket to a node, and the subscriptions on it.

web3 opens the connection, asks, matches the answers and keeps the book of subscriptions. What the subscriptions send is
taken out where web3 reads the socket (`socket_recv`, which its providers implement): stamped as it arrives, and raw.
web3's own way on would guess from a value's keys whether it is a block, a log or a transaction, rebuild it for
0.1 to 0.2 ms, and end in an error at a header with more than 32 bytes of extra data, as BNB Chain's and Polygon's have.

The timings make a frozen peer known after 3.5 s: with the library's (30 s ping, 300 s pong) one that was stopped by
SIGSTOP would go unnoticed for minutes. Importing this module costs half a second: import it where it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic_ns
from types import TracebackType
from typing import Any, NamedTuple, Self

from eth_typing import HexStr
from eth_utils.address import to_checksum_address
from web3 import AsyncWeb3, WebSocketProvider
from web3.exceptions import TimeExhausted, Web3Exception, Web3RPCError
from web3.types import RPCResponse
from web3.utils.subscriptions import (
    EthSubscription,
    LogsSubscription,
    NewHeadsSubscription,
    PendingTxSubscription,
)
from websockets.exceptions import ConnectionClosed, WebSocketException

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
        self._web3: AsyncWeb3[_Socket]

    async def __aenter__(self) -> Self:
        try:
            # No middleware: it would turn results into other types, and look up names.
            self._web3 = AsyncWeb3(_Socket(self.url), middleware=[])
            await self._web3.provider.connect()
        except Web3Exception as error:
            raise self._lost(error.__cause__ or error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._web3.provider.disconnect()
        obey_cancellation()

    async def chain_id(self) -> int:
        """The chain this very connection leads to."""
        with self._as_our_errors("eth_chainId"):
            return await self._web3.eth.chain_id

    async def follow_heads(self) -> None:
        """Subscribe to the headers of new blocks."""
        await self._follow(NewHeadsSubscription(label="head"))

    async def follow_logs(self, addresses: Sequence[str], topics: Sequence[str]) -> None:
        """Subscribe to logs of these contracts, whose first topic is one of these."""
        await self._follow(
            LogsSubscription(
                address=[to_checksum_address(address) for address in addresses],
                topics=[[HexStr(topic) for topic in topics]],
                label="log",
            )
        )

    async def follow_pending(self) -> None:
        """Subscribe to waiting transactions with their bodies. Raises NodeRefused where the node does not offer it."""
        await self._follow(PendingTxSubscription(full_transactions=True, label="pending"))

    async def next(self, seconds: float | None = None) -> Notification:
        """The next notification; TimeoutError after so many seconds without one."""
        async with asyncio.timeout(seconds):
            while True:
                sent = await self._web3.provider.sent.get()
                if isinstance(sent, Exception):
                    raise self._lost(sent)
                received_at, params = sent
                known: EthSubscription[Any] | None = self._web3.subscription_manager.get_by_id(
                    HexStr(str(params.get("subscription")))
                )
                if known is not None:
                    return Notification(received_at, known.label, params.get("result"))

    async def _follow(self, subscription: EthSubscription[Any]) -> None:
        with self._as_our_errors("eth_subscribe"):
            await self._web3.subscription_manager.subscribe(subscription)

    @contextmanager
    def _as_our_errors(self, method: str) -> Iterator[None]:
        try:
            yield
        except Web3RPCError as error:
            answer: Any = (error.rpc_response or {}).get("error")
            said = answer if isinstance(answer, dict) else {"message": answer or error.message}
            refused = NodeRefused(f"the node refused {method}: {said.get('message')}", hint="sniper doctor")
            refused.details = {"code": said.get("code"), "message": said.get("message"), "method": method}
            raise refused from error
        except (TimeExhausted, TimeoutError) as error:
            raise NodeTimeout(
                f"the node at {self.url} left {method} unanswered", hint="sniper doctor"
            ) from error
        except (OSError, WebSocketException, Web3Exception) as error:
            raise self._lost(error) from error
        finally:
            obey_cancellation()

    def _lost(self, error: BaseException) -> NodeUnreachable:
        words = str(error) or type(error).__name__
        return NodeUnreachable(
            f"no connection to the node at {self.url}: {words}", hint="sniper doctor", url=self.url
        )


def obey_cancellation() -> None:
    """Raise the cancellation that web3 swallowed: at one in six stops during a subscription, a stream went on for ever.

    Its requests wait by `asyncio.wait_for`, which on Python 3.11 returns an answer that came in the same step; its
    `disconnect` waits for the reader under a clause that takes any cancellation for the reader's.
    """
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError


class _Socket(WebSocketProvider):
    """web3's WebSocket, with a way out for what subscriptions send."""

    def __init__(self, url: str) -> None:
        self.sent: asyncio.Queue[tuple[int, dict[str, Any]] | Exception] = asyncio.Queue()
        """What subscriptions sent, stamped; an exception where the connection ended. Without limit: web3's own
        queues stop reading the socket at 500."""
        super().__init__(
            url,
            {
                "ping_interval": PING_SECONDS,
                "ping_timeout": PONG_SECONDS,
                "close_timeout": CLOSE_SECONDS,
                "open_timeout": OPEN_SECONDS,
                "max_size": None,
                "max_queue": None,
                "compression": None,
            },
            use_text_frames=True,  # binary ones, web3's default, are not understood everywhere
            request_timeout=OPEN_SECONDS,
            max_connection_retries=1,  # the stream retries, and tells
        )

    async def socket_recv(self) -> RPCResponse:
        """The next answer to a request; notifications go to `sent`."""
        while True:
            try:
                frame: Any = await super().socket_recv()
            except ConnectionClosed as error:
                self.sent.put_nowait(error)
                raise
            except ValueError as error:
                # Not JSON. The reader ends the connection; ended here, web3 would leave the socket open.
                self.sent.put_nowait(error)
                continue
            received_at = monotonic_ns()
            if not isinstance(frame, dict):
                continue
            if frame.get("method") == "eth_subscription" and isinstance(frame.get("params"), dict):
                self.sent.put_nowait((received_at, frame["params"]))
            elif frame.get("id") is not None:  # an error that answers nothing would end web3's reader unseen
                answer: RPCResponse = frame  # type: ignore[assignment]
                return answer
