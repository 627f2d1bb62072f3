"""Several hosts of one REST API behind one call: as nodes are, each with its breaker, budget, rate and hedge.

A GET is a read and may be hedged and repeated. Whatever else is sent once: a venue may have taken an order whose
answer was lost, and only the caller can find out. A 4xx is an answer; 429 and 5xx are the host's trouble.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from sniper_cli.endpoints.budget import RetryBudget
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.pool import Pool, Question
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout, NodeUnreachable
from sniper_cli.settings.masking import mask_url

REQUEST_SECONDS = 5.0
MOST_BYTES = 16 * 2**20
"""A longer answer is no answer: who asks a stranger's server shall not be filled up by it."""
BUSY = 429
BROKEN = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    host: str
    """The name of the endpoint."""

    def json(self) -> Any:
        """The body as JSON. Raises NetworkError."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NetworkError(
                f"{self.host} does not answer with JSON", hint="sniper endpoints check"
            ) from error


class RestHost:
    """One host: a base URL, and the headers that every request carries."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = REQUEST_SECONDS,
        shown: str | None = None,
    ) -> None:
        self.name = name
        self.shown = mask_url(url) if shown is None else shown
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._timeout = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        """One request. Raises NodeTimeout, NodeUnreachable; NodeRefused for 429 and 5xx."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout), headers=self._headers
            )
        try:
            async with self._session.request(method, self._url + path, **options) as response:
                body = await self._body(response)
                answer = Answer(response.status, body, dict(response.headers), self.name)
        except TimeoutError as error:
            raise NodeTimeout(
                f"{self.shown} did not answer within {self._timeout:g} s", hint="sniper endpoints check"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            # The error's own words may hold the address with its key.
            raise NodeUnreachable(
                f"no connection to {self.shown}: {type(error).__name__}", hint="sniper endpoints check"
            ) from error
        if answer.status == BUSY or answer.status >= BROKEN:
            refused = NodeRefused(
                f"{self.shown} answered HTTP {answer.status}", hint="sniper endpoints check"
            )
            refused.details = {"method": "HTTP", "code": answer.status, "message": ""}
            raise refused
        return answer

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = await response.content.read(MOST_BYTES + 1)
        while len(body) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES + 1 - len(body))):
            body += more
        if len(body) > MOST_BYTES:
            raise NetworkError(f"{self.shown} answers with more than {MOST_BYTES} bytes")
        return body


class RestPool:
    """Hosts that answer alike."""

    def __init__(
        self,
        hosts: Sequence[Member[RestHost]],
        *,
        spread: Spread = Spread.FASTEST,
        hedge: bool = True,
        budget: RetryBudget | None = None,
    ) -> None:
        self.pool: Pool[RestHost] = Pool(hosts, spread=spread, hedge=hedge, budget=budget)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        for member in self.pool.members:
            await member.client.close()

    async def get(self, path: str, **options: Any) -> Answer:
        """A read: hedged, and asked of another host where one fails. Raises NetworkError."""

        async def work(host: RestHost) -> Answer:
            return await host.request("GET", path, **options)

        return await self.pool.ask(Question(work))

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        """Anything else: one host, once. Raises NetworkError: it may have arrived or not."""

        async def work(host: RestHost) -> Answer:
            return await host.request(method, path, **options)

        return await self.pool.ask(Question(work, repeatable=False))


def rest_member(name: str, url: str, *, per_second: float = 0, **options: Any) -> Member[RestHost]:
    """A host as a member of a pool."""
    host = RestHost(name, url, **options)
    return Member(name, host, shown=host.shown, per_second=per_second)
