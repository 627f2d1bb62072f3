"""Which relays a profile sends what is hidden to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sniper_cli.chains.relays import Identity, Style
from sniper_cli.endpoints.relays import identity_of, relays_from
from sniper_cli.errors import ConfigurationError
from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import Paths, home_paths
from state.database import Database
from state.endpoints import Endpoint, EndpointKind

KEY = "0x" + "11" * 32


@pytest.fixture
def paths(home: Path) -> Paths:
    del home
    return home_paths()


def resolved(**fees: Any) -> Resolved:
    chain = ChainSettings(chain_id=1, rpc_url="http://node.example")
    return Resolved("mainnet", Settings.model_validate({"chain": chain, "fees": fees}), {})


def add(database: Database, name: str, **fields: Any) -> None:
    told = {"url": f"http://{name}.example", "chain_id": 1, **fields}
    with database.write() as session:
        session.add(Endpoint(name=name, kind=EndpointKind.RELAY, **told))


def test_what_goes_to_the_mempool_needs_no_relay(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "one")

    assert relays_from(resolved(), paths, sqlite_database) == {}


def test_those_of_this_chain_that_are_enabled(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "one")
    add(sqlite_database, "two", terms={"style": "protect"})
    add(sqlite_database, "off", enabled=False)
    add(sqlite_database, "elsewhere", chain_id=5)

    found = relays_from(resolved(channel="private"), paths, sqlite_database)

    assert {name: relay.style for name, relay in found.items()} == {
        "one": Style.FLASHBOTS,
        "two": Style.PROTECT,
    }


def test_the_settings_name_them_in_their_order(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "one")
    add(sqlite_database, "two")

    found = relays_from(resolved(exit_channel="bundle", relays=("two", "one")), paths, sqlite_database)

    assert list(found) == ["two", "one"]


def test_a_name_that_is_no_relay_is_an_error(paths: Paths, sqlite_database: Database) -> None:
    with pytest.raises(ConfigurationError, match="'nowhere'"):
        relays_from(resolved(channel="private", relays=("nowhere",)), paths, sqlite_database)


def test_an_unknown_style_is_an_error(paths: Paths, sqlite_database: Database) -> None:
    add(sqlite_database, "one", terms={"style": "smoke"})

    with pytest.raises(ConfigurationError, match="smoke"):
        relays_from(resolved(channel="private"), paths, sqlite_database)


def test_who_signs(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    assert identity_of(resolved(), paths).address != identity_of(resolved(), paths).address

    monkeypatch.setenv("SNIPER_SECRET__RELAY_IDENTITY", KEY)
    assert identity_of(resolved(), paths).address == Identity(KEY).address

    monkeypatch.setenv("SNIPER_SECRET__RELAY_IDENTITY", "no key")
    with pytest.raises(ConfigurationError):
        identity_of(resolved(), paths)
