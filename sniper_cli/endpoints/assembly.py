"""The node of a profile: one, or a pool where the settings and the desk's list name several.

`chain.rpc_url` (on a devnet profile the running devnet) is the first; `endpoints.nodes` and the list that `sniper
endpoints add` writes follow. A `chain.rpc_url` that nobody has set does not count where there are others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from sniper_cli.chains.devnet.record import read_record
from sniper_cli.chains.exchange import node_from
from sniper_cli.chains.node import Node, websocket_url
from sniper_cli.endpoints.addresses import Filled, filled, shown
from sniper_cli.endpoints.budget import RetryBudget
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.errors import ConfigurationError

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved
    from sniper_cli.settings.model import SecretSettings
    from sniper_cli.settings.paths import Paths
    from state.database import Database
    from state.endpoints import Endpoint

FIRST = "chain.rpc_url"
"""The name of the node that the settings of the chain name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An endpoint as it is kept: secrets are still names."""

    name: str
    kind: str
    url: str
    ws_url: str = ""
    chain_id: int | None = None
    venue: str | None = None
    weight: int = 1
    enabled: bool = True
    terms: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None
    origin: str = "settings"

    @classmethod
    def of(cls, row: Endpoint) -> Self:
        """A row of the desk's list."""
        return cls(
            name=row.name,
            kind=row.kind.value,
            url=row.url,
            ws_url=row.ws_url,
            chain_id=row.chain_id,
            venue=row.venue,
            weight=row.weight,
            enabled=row.enabled,
            terms=dict(row.terms or {}),
            id=row.id,
            origin="list",
        )

    @property
    def reading_id(self) -> UUID:
        """Under what its readings are kept: its row, or for one of the settings its address."""
        return self.id or uuid5(NAMESPACE_URL, self.url)


def nodes_from(resolved: Resolved, paths: Paths, database: Database | None = None) -> Node:
    """What speaks to the profile's chain. Raises NodeUnreachable for a devnet that does not run, SecretMissing."""
    chain, secrets = resolved.settings.chain, resolved.settings.secrets
    others = [node for node in further_nodes(resolved, database) if node.enabled]
    timeout = float(chain.request_seconds)
    first = _first(resolved, paths, alone=not others)
    listed = ([] if first is None else [first]) + others
    if len(listed) == 1:
        return _client(listed[0], secrets, paths, timeout)[0]
    members = []
    for each in listed:
        client, address = _client(each, secrets, paths, timeout)
        members.append(
            Member(
                each.name,
                client,
                shown=address.shown,
                hides=address.hides,
                weight=each.weight,
                per_second=float(each.terms.get("per_second") or 0),
                endpoint_id=each.reading_id,
            )
        )
    return _pool(members, resolved, database)


def further_nodes(resolved: Resolved, database: Database | None) -> list[Listed]:
    """The nodes beside `chain.rpc_url`: of the settings, then of the desk's list; also those that are disabled."""
    chain_id = resolved.settings.chain.chain_id
    found = list(_of_settings(resolved.settings.endpoints.nodes, chain_id))
    if database is not None:
        from state.endpoints import EndpointKind

        found += listed_in(database, kind=EndpointKind.NODE, chain_id=chain_id)
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(
            f"two nodes are called {twice!r}, one in endpoints.nodes and one in the list",
            hint="sniper endpoints list",
        )
    return found


def listed_in(database: Database, **wanted: Any) -> list[Listed]:
    """The desk's own list."""
    from state.endpoints import endpoints

    with database.read() as session:
        return [Listed.of(row) for row in endpoints(session, **wanted)]


def first_of_settings(resolved: Resolved) -> Listed | None:
    """`chain.rpc_url`; none where nobody has set it."""
    chain = resolved.settings.chain
    origin = resolved.origins.get(FIRST)
    if origin is not None and origin.kind == "code":
        return None
    return Listed(FIRST, "node", chain.rpc_url, chain.ws_url, chain.chain_id)


def find_in(secrets: SecretSettings, paths: Paths, name: str) -> str:
    """A secret for a URL. Raises SecretMissing."""
    from sniper_cli.secrets.stores import find_secret

    return find_secret(secrets, paths.data, name.lower()).secret.reveal()


def _first(resolved: Resolved, paths: Paths, *, alone: bool) -> Listed | None:
    chain = resolved.settings.chain
    node, record = node_from(chain, paths), read_record(paths.data)
    if record is not None and node.url == record.http_url and record.chain_id == chain.chain_id:
        return Listed("devnet", "node", node.url, node.ws_url, chain.chain_id)
    if alone:
        return Listed(FIRST, "node", chain.rpc_url, chain.ws_url, chain.chain_id)
    return first_of_settings(resolved)


def _of_settings(words: tuple[str, ...], chain_id: int) -> Iterator[Listed]:
    for number, word in enumerate(words, start=2):
        name, separator, url = word.partition("=")
        named = bool(separator) and "://" not in name
        yield Listed(name if named else f"node-{number}", "node", url if named else word, chain_id=chain_id)


def _client(listed: Listed, secrets: SecretSettings, paths: Paths, timeout: float) -> tuple[Node, Filled]:
    """The client of a node, its secrets filled in, and how its address is shown."""
    address = filled(listed.url, lambda name: find_in(secrets, paths, name))
    ws = filled(listed.ws_url or websocket_url(listed.url), lambda name: find_in(secrets, paths, name))
    hides = {**address.hides, **ws.hides}
    client = Node(address.url, ws_url=ws.url, timeout_seconds=timeout, shown=shown(listed.url))
    return client, Filled(address.url, address.shown, hides)


def _pool(members: list[Member[Node]], resolved: Resolved, database: Database | None) -> NodePool:
    told = resolved.settings.endpoints
    recorder = None
    if database is not None:
        from sniper_cli.endpoints.readings import Recorder

        recorder = Recorder(database)
    return NodePool(
        members,
        resolved.settings.chain.chain_id,
        quorum=told.quorum or None,
        spread=Spread(told.spread),
        hedge=told.hedge,
        budget=RetryBudget(share=told.retry_share_bps / 10_000),
        most_lag=told.max_lag_blocks,
        poll_seconds=float(told.poll_seconds),
        observer=recorder,
    )
