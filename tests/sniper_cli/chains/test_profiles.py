"""The table of chains: addresses spelled with their checksum, settings filled from it, forks added to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_utils.address import is_checksum_address
from pydantic import ValidationError

from sniper_cli.chains.exchange import Protocol, exchange_from, exchanges_from
from sniper_cli.chains.profiles import KNOWN, PERMIT2, PROFILES
from sniper_cli.settings.chains import ChainSettings


@dataclass(frozen=True)
class Folder:
    data: Path


ADDRESSES = [
    (chain.name, address)
    for chain in KNOWN
    for address in (
        chain.wrapped,
        *(
            address
            for each in chain.deployments
            for address in (each.factory, each.router, each.position_manager)
            if address
        ),
    )
]
FORK = {"name": "fork", "factory": "0x" + "11" * 20, "router": "0x" + "22" * 20, "fee": 2000}


@pytest.mark.parametrize(("chain", "address"), [*ADDRESSES, ("every", PERMIT2)])
def test_addresses_are_spelled_with_their_checksum(chain: str, address: str) -> None:
    assert is_checksum_address(address), f"{address} on {chain}"


def test_no_two_chains_share_a_name_or_an_id_and_no_two_exchanges_a_factory() -> None:
    assert len({chain.name for chain in KNOWN}) == len({chain.chain_id for chain in KNOWN}) == len(KNOWN)
    for chain in KNOWN:
        assert len(set(chain.exchanges.factories)) == len(chain.deployments)


# Published pools, each computed by CREATE2 from what the table says.
@pytest.mark.parametrize(
    ("chain", "name", "token", "pool"),
    [
        (
            "ethereum",
            "uniswap",
            "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc",
        ),
        (
            "ethereum",
            "sushiswap",
            "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "0x397ff1542f962076d0bfe58ea045ffa2d347aca0",
        ),
        (
            "bsc",
            "pancakeswap",
            "0x0E09FaBB73Bd3Ade0a17ECC321fD13a19e81cE82",
            "0x0ed7e52944161450477ee417de9cd3a859b14fd0",
        ),
        (
            "polygon",
            "quickswap",
            "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174",
            "0x6e7a5fafcec6bb1e78bae2a1f0b612012bf14827",
        ),
    ],
)
def test_well_known_pools_are_where_the_table_puts_them(chain: str, name: str, token: str, pool: str) -> None:
    [exchange] = [each for each in PROFILES[chain].exchanges.of(Protocol.V2) if each.name == name]
    assert exchange.pool_of(token) == pool


def test_a_profile_fills_what_is_not_set(tmp_path: Path) -> None:
    chain = ChainSettings(profile="bsc")
    assert (chain.chain_id, chain.coin, str(chain.block_seconds)) == (56, "BNB", "0.75")
    watched = exchanges_from(chain, Folder(tmp_path))
    assert [each.protocol for each in watched.listed].count(Protocol.V2) == 2
    assert exchange_from(chain, Folder(tmp_path)).name == "pancakeswap"
    assert all(each.coin == "BNB" and each.factory.islower() for each in watched.listed)
    assert ChainSettings(profile="bsc", coin="tBNB").coin == "tBNB"


def test_an_exchange_of_the_settings_is_watched_beside_the_profile_s(tmp_path: Path) -> None:
    chain = ChainSettings.model_validate({"profile": "base", "exchanges": [FORK]})
    watched = exchanges_from(chain, Folder(tmp_path))
    added = watched.by_factory("0x" + "11" * 20)
    assert added is not None
    assert (added.name, added.fee, added.wrapped) == ("fork", 2000, PROFILES["base"].wrapped.lower())
    assert len(watched.listed) == len(PROFILES["base"].deployments) + 1


def test_an_exchange_of_the_settings_replaces_the_profile_s_of_the_same_factory(tmp_path: Path) -> None:
    known = PROFILES["base"].deployments[0]
    chain = ChainSettings.model_validate(
        {"profile": "base", "exchanges": [FORK | {"factory": known.factory}]}
    )
    replaced = exchanges_from(chain, Folder(tmp_path)).by_factory(known.factory)
    assert replaced is not None
    assert replaced.router == "0x" + "22" * 20


def test_the_old_keys_name_the_one_exchange(tmp_path: Path) -> None:
    wrapped, factory, router = ("0x" + digit * 40 for digit in "abc")
    chain = ChainSettings(wrapped=wrapped, factory=factory, router=router)
    assert exchanges_from(chain, Folder(tmp_path)).factories == (factory,)


def test_an_unknown_chain_and_one_of_another_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="there are ethereum, base"):
        ChainSettings(profile="etherium")
    with pytest.raises(ValidationError, match="has the id 8453, not 1"):
        ChainSettings(profile="base", chain_id=1)
