"""Asks strangers what they think of a token: GoPlus and honeypot.is, only where the settings name them.

Whoever asks tells a stranger which token he looks at: hence off by default. Each is a pool of REST hosts: the service's
own, and those of the desk's list whose venue is its name (a mirror, an address with a key). A service that was asked
a moment ago is not pressed and not waited for: a launch does not wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sniper_cli.endpoints.rest import RestPool, rest_member
from sniper_cli.errors import ConfigurationError, NetworkError
from sniper_cli.safety.lines import Group, Line, unproven
from sniper_cli.safety.opinions import GOPLUS, HONEYPOT_IS, read_goplus, read_honeypot_is

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved
    from sniper_cli.settings.paths import Paths
    from state.database import Database

URLS = {GOPLUS: "https://api.gopluslabs.io", HONEYPOT_IS: "https://api.honeypot.is"}
READERS = {GOPLUS: read_goplus, HONEYPOT_IS: read_honeypot_is}
SECONDS = 3.0
PER_SECOND = {GOPLUS: 0.5, HONEYPOT_IS: 2.0}
"""GoPlus takes 30 questions a minute from whoever has no key."""
WRONG = 400

Opinion = Callable[[int, str, str], Awaitable[Line]]


class SecondOpinions:
    """The services that are asked, each with its hosts. Use it in an `async with`, or close it."""

    def __init__(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """`hosts`: the addresses of each service, by its name. Raises ConfigurationError for a name nobody knows."""
        for name in hosts:
            if name not in URLS:
                raise ConfigurationError(
                    f"there is no second opinion {name!r}: {', '.join(URLS)}",
                    hint="sniper config set sniping.opinions goplus,honeypot_is",
                )
        self._services = [_Service(name, urls) for name, urls in hosts.items()]

    @property
    def asked(self) -> list[Opinion]:
        """One function a service: from chain, token and pool to a line."""
        return [service.ask for service in self._services]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        for service in self._services:
            await service.pool.close()


def second_opinions(resolved: Resolved, paths: Paths, database: Database | None) -> SecondOpinions:
    """Those that the settings name. Raises ConfigurationError, SecretMissing.

    `database`: where the desk's list is; none where there is no such list yet.
    """
    names = resolved.settings.sniping.opinions
    if not names or database is None:
        return SecondOpinions({name: [URLS.get(name, "")] for name in names})
    from sniper_cli.endpoints.addresses import filled
    from sniper_cli.endpoints.assembly import find_in, listed_in
    from state.endpoints import EndpointKind

    listed = [each for each in listed_in(database, kind=EndpointKind.REST) if each.enabled]
    secrets = resolved.settings.secrets
    return SecondOpinions(
        {
            name: [
                URLS.get(name, ""),
                *(
                    filled(each.url, lambda secret: find_in(secrets, paths, secret)).url
                    for each in listed
                    if each.venue == name
                ),
            ]
            for name in names
        }
    )


class _Service:
    """One service and its hosts."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        self.name = name
        members = [
            rest_member(
                name if place == 0 else f"{name}-{place + 1}",
                url,
                per_second=PER_SECOND[name],
                timeout_seconds=SECONDS,
            )
            for place, url in enumerate(urls)
        ]
        self.pool = RestPool(members)

    async def ask(self, chain_id: int, token: str, pool: str) -> Line:
        """The service's opinion; not proven where it does not answer or has none."""
        if all(member.rate.wait_seconds() for member in self.pool.pool.members):
            return self._silent(f"{self.name} was asked a moment ago and is not pressed")
        path = (
            f"/api/v1/token_security/{chain_id}?contract_addresses={token}"
            if self.name == GOPLUS
            else f"/v2/IsHoneypot?address={token}&pair={pool}&chainID={chain_id}"
        )
        try:
            answer = await self.pool.get(path)
            body: Any = answer.json()
        except NetworkError as error:
            return self._silent(f"{self.name} did not answer: {error.message}")
        if answer.status >= WRONG:
            return self._silent(f"{self.name} answered HTTP {answer.status}")
        return READERS[self.name](body, token, URLS[self.name] + path)

    def _silent(self, words: str) -> Line:
        return unproven(self.name, Group.OPINIONS, words)
