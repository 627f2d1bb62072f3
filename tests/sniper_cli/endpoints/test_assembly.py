"""Which nodes a profile has: the settings', the desk's list, the running devnet's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.endpoints.assembly import nodes_from
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.errors import ConfigurationError, SecretMissing
from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.layers import Origin
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import Paths, home_paths
from state.database import Database
from state.endpoints import Endpoint, EndpointKind

GIVEN = {"chain.rpc_url": Origin("profile")}


@pytest.fixture
def paths(home: Path) -> Paths:
    del home
    return home_paths()


def resolved(origins: dict[str, Origin] | None = None, **told: Any) -> Resolved:
    origins = GIVEN if origins is None else origins
    chain = ChainSettings(chain_id=1, rpc_url="http://first.example")
    return Resolved("mainnet", Settings.model_validate({"chain": chain, "endpoints": told}), origins)


def add(database: Database, name: str, **fields: Any) -> UUID:
    told = {"url": f"http://{name}.example", "chain_id": 1, **fields}
    row = Endpoint(name=name, kind=EndpointKind.NODE, **told)
    with database.write() as session:
        session.add(row)
        return row.id


def test_one_node_of_the_settings_stays_one_node(paths: Paths, sqlite_database: Database) -> None:
    node = nodes_from(resolved(), paths, sqlite_database)

    assert type(node) is Node
    assert node.url == "http://first.example"


def test_settings_and_list_together_make_a_pool(paths: Paths, sqlite_database: Database) -> None:
    identifier = add(sqlite_database, "third", weight=5, terms={"per_second": 20})
    add(sqlite_database, "resting", enabled=False)
    add(sqlite_database, "elsewhere", chain_id=None)
    told = resolved(nodes=("alchemy=http://second.example", "http://plain.example"), spread="weighted")
    pool = nodes_from(told, paths, sqlite_database)

    assert isinstance(pool, NodePool)
    assert [(member.name, member.client.url) for member in pool.members] == [
        ("chain.rpc_url", "http://first.example"),
        ("alchemy", "http://second.example"),
        ("node-3", "http://plain.example"),
        ("third", "http://third.example"),
    ]
    third = pool.members[-1]
    assert (third.weight, third.rate.per_second, third.endpoint_id) == (5, 20, identifier)
    assert pool.pool._spreader.spread is Spread.WEIGHTED
    assert pool.quorum == 3


def test_an_address_that_nobody_set_does_not_count_beside_others(
    paths: Paths, sqlite_database: Database
) -> None:
    add(sqlite_database, "only")
    node = nodes_from(resolved({"chain.rpc_url": Origin("code")}), paths, sqlite_database)

    assert type(node) is Node
    assert node.url == "http://only.example"


def test_a_secret_is_filled_in_where_it_is_used_and_shown_by_name(
    paths: Paths, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNIPER_SECRET__INFURA", "abc")
    add(sqlite_database, "infura", url="https://infura.example/{secret:INFURA}")
    pool = nodes_from(resolved(), paths, sqlite_database)

    assert isinstance(pool, NodePool)
    member = pool.members[1]
    assert (member.client.url, member.client.ws_url) == (
        "https://infura.example/abc",
        "wss://infura.example/abc",
    )
    assert member.client.shown == member.shown == "https://infura.example/{secret:INFURA}"


def test_a_secret_that_no_store_holds_is_said(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "infura", url="https://infura.example/{secret:INFURA}")
    with pytest.raises(SecretMissing, match="infura"):
        nodes_from(resolved(), paths, sqlite_database)


def test_two_nodes_of_one_name_are_a_mistake(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "alchemy")
    with pytest.raises(ConfigurationError, match="alchemy"):
        nodes_from(resolved(nodes=("alchemy=http://x.example",)), paths, sqlite_database)
