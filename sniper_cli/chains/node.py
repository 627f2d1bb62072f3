"""One node, spoken to in raw JSON-RPC over connections that stay open.

web3.py carries the subscriptions (`subscriptions.py`); questions and transactions go past it, for three reasons, all
measured: importing it takes half a second of every command that asks a node one question; its HTTP provider makes
2,000 calls a second, this client 4,700; and it retries by itself, `eth_sendRawTransaction` among the rest, which
hides whether the first attempt reached the node. What it would add, formatted results, costs more than the node's
answer takes (a log decoded by `process_log` 4,800 times a second, by slicing 1,300,000 times).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout, NodeUnreachable, WrongChain
from sniper_cli.settings.masking import mask_url

T = TypeVar("T")

REQUEST_SECONDS = 5.0
CONNECTIONS = 64
WRITING_PREFIXES = ("eth_send", "anvil_", "evm_", "hardhat_", "debug_set")
"""Methods that change something: never repeated here, for only the caller can find out their fate."""


@dataclass(frozen=True, slots=True)
class Head:
    """A block's header, as far as trading needs it."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee: int
    gas_limit: int
    coinbase: str
    gas_used: int = 0


def head_from(block: Mapping[str, Any]) -> Head:
    """The header in a JSON block or in a `newHeads` notification."""
    return Head(
        number=int(block["number"], 16),
        hash=block["hash"],
        parent_hash=block["parentHash"],
        timestamp=int(block["timestamp"], 16),
        base_fee=int(block.get("baseFeePerGas") or "0x0", 16),
        gas_limit=int(block["gasLimit"], 16),
        coinbase=block["miner"],
        gas_used=int(block.get("gasUsed") or "0x0", 16),
    )


class Node:
    """A client of one node. Opens its connection with the first call; belongs to one event loop."""

    quorum: int = 1
    """How many nodes must say the same where money is decided."""

    def __init__(
        self,
        url: str,
        *,
        ws_url: str | None = None,
        timeout_seconds: float = REQUEST_SECONDS,
        shown: str | None = None,
    ) -> None:
        """`shown`: how its address is told to people; by itself without passwords and long keys."""
        self.url = url
        self.shown = mask_url(url) if shown is None else shown
        self.ws_url = ws_url or websocket_url(url)
        self.timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self._calls = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The raw JSON result. Raises NodeUnreachable, NodeTimeout, NodeRefused."""
        answer = await self._exchange(
            self._request(method, params), writing=method.startswith(WRITING_PREFIXES)
        )
        return self._result(answer, method)

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        """The results of several calls in one request, in their order.

        The first refused call raises; with `return_errors` a NodeRefused stands in its place instead.
        """
        if not calls:
            return []
        body = [self._request(method, params) for method, params in calls]
        writing = any(method.startswith(WRITING_PREFIXES) for method, _ in calls)
        answers = await self._exchange(body, writing=writing)
        if not isinstance(answers, list):
            self._result(answers, "batch")
            raise self._unreadable("one answer to a batch")
        if len(answers) != len(calls):
            raise self._unreadable(f"{len(answers)} answers to {len(calls)} calls")
        answers.sort(key=lambda answer: answer["id"])
        results: list[Any] = []
        for (method, _), answer in zip(calls, answers, strict=True):
            try:
                results.append(self._result(answer, method))
            except NodeRefused as refused:
                if not return_errors:
                    raise
                results.append(refused)
        return results

    async def decided(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """As `batch`, for reads that decide about money; a pool asks several nodes, and takes what they say alike."""
        return await self.batch(calls)

    async def steadily(self, work: Callable[[Node], Awaitable[T]], head: Head | None = None) -> T:  # noqa: ARG002
        """Do reads that belong together on one node; a pool chooses one that has the head."""
        return await work(self)

    async def check_chain(self, chain_id: int) -> None:
        """Raise WrongChain unless the node serves that chain."""
        served = int(await self.call("eth_chainId"), 16)
        if served != chain_id:
            raise WrongChain(
                f"the node at {self.shown} serves chain {served}, the profile names chain {chain_id}",
                hint="sniper config show",
                served=served,
                expected=chain_id,
            )

    async def head(self) -> Head:
        """The latest block's header."""
        return await self.block("latest")

    async def block(self, number: int | str) -> Head:
        """The header of a block, by number or by tag. Raises NodeRefused for a block the node does not have."""
        which = hex(number) if isinstance(number, int) else number
        block = await self.call("eth_getBlockByNumber", [which, False])
        if block is None:
            raise NodeRefused(f"the node at {self.shown} has no block {number}", hint="sniper devnet status")
        return head_from(block)

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        self._calls += 1
        return {"jsonrpc": "2.0", "id": self._calls, "method": method, "params": list(params)}

    async def _exchange(self, request: Any, *, writing: bool) -> Any:
        try:
            answer = await self._post(msgspec.json.encode(request), writing=writing)
            return msgspec.json.decode(answer)
        except TimeoutError as error:
            raise NodeTimeout(
                f"the node at {self.shown} did not answer within {self.timeout_seconds:g} s",
                hint="sniper doctor",
                url=self.shown,
            ) from error
        except aiohttp.ClientResponseError as error:
            raise self._refused("HTTP", error.status, f"HTTP {error.status} {error.message}", None) from error
        except (aiohttp.ClientError, OSError) as error:
            words = str(error).replace(self.url, self.shown) or type(error).__name__
            raise NodeUnreachable(
                f"no connection to the node at {self.shown}: {words}",
                hint="sniper doctor",
                url=self.shown,
            ) from error
        except msgspec.DecodeError as error:
            raise self._unreadable(str(error)) from error

    async def _post(self, body: bytes, *, writing: bool) -> bytes:
        """Post once; once more, for a read, where the node had closed the kept connection meanwhile."""
        try:
            return await self._post_once(body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if writing or isinstance(error, aiohttp.ClientConnectorError):
                raise
            return await self._post_once(body)

    async def _post_once(self, body: bytes) -> bytes:
        """The answer's body whatever its HTTP status: many nodes put JSON-RPC errors under a 4xx."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.timeout_seconds),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                headers={"Content-Type": "application/json"},
            )
        async with self._session.post(self.url, data=body) as response:
            answer = await response.read()
            if response.status >= 400 and not answer.lstrip().startswith((b"{", b"[")):
                response.raise_for_status()
            return answer

    def _result(self, answer: Any, method: str) -> Any:
        if not isinstance(answer, dict) or ("result" not in answer and not answer.get("error")):
            raise self._unreadable(f"{method} was answered with {str(answer)[:80]}")
        if error := answer.get("error"):
            if not isinstance(error, dict):
                error = {"message": str(error)}
            raise self._refused(method, error.get("code"), str(error.get("message", "")), error.get("data"))
        return answer["result"]

    def _refused(self, method: str, code: Any, words: str, data: Any) -> NodeRefused:
        refused = NodeRefused(f"the node refused {method}: {words or code}", hint="sniper doctor")
        refused.details = {"method": method, "code": code, "message": words, "data": data}
        return refused

    def _unreadable(self, words: str) -> NetworkError:
        return NetworkError(
            f"the node at {self.shown} does not speak JSON-RPC: {words}", hint="sniper config show"
        )


def websocket_url(url: str) -> str:
    """The WebSocket endpoint beside an HTTP one: the same place under the other scheme."""
    return url.replace("http", "ws", 1) if url.startswith("http") else url
