"""Which exchanges a devnet's record stands for."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sniper_cli.chains.devnet.deploy import created_address, v3_beside, v4_beside
from sniper_cli.chains.devnet.record import DevnetRecord, write_record
from sniper_cli.chains.exchange import Protocol, exchanges_from
from sniper_cli.settings.chains import ChainSettings

DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
WRAPPED, FACTORY, ROUTER = (created_address(DEPLOYER, nonce) for nonce in range(3))
RECORD = DevnetRecord(
    os.getpid(),
    8545,
    "http://x",
    "ws://x",
    31337,
    1,
    WRAPPED,
    FACTORY,
    ROUTER,
    (),
    "state",
    "log",
    "2026-01-01",
)


@dataclass
class Folder:
    data: Path


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_devnets_exchanges_are_those_of_its_record(tmp_path: Path, count: int) -> None:
    protocols = tuple(Protocol)[:count]
    write_record(tmp_path, replace(RECORD, protocols=tuple(each.value for each in protocols)))

    found = exchanges_from(ChainSettings(), Folder(tmp_path))

    first = found.listed[0]
    assert (first.wrapped, first.factory, first.router) == (WRAPPED, FACTORY, ROUTER)
    assert found.listed == (first, v3_beside(first), v4_beside(first))[:count]
    assert tuple(each.protocol for each in found.listed) == protocols


def test_a_v4_deployment_of_the_settings_uses_uniswaps_permit2_unless_it_names_another(
    tmp_path: Path,
) -> None:
    own = {"name": "own", "protocol": "uniswap_v4", "factory": "0x" + "1" * 40, "router": "0x" + "2" * 40}
    other = own | {"factory": "0x" + "3" * 40, "permit2": "0x" + "4" * 40}
    fork = own | {"protocol": "uniswap_v3", "factory": "0x" + "5" * 40}
    chain = ChainSettings.model_validate(
        {"chain_id": 5, "wrapped": "0x" + "6" * 40, "exchanges": [own, other, fork]}
    )

    found = [each.permit2 for each in exchanges_from(chain, Folder(tmp_path)).listed]

    assert found == ["0x000000000022d473030f116ddee9f6b43ac78ba3", "0x" + "4" * 40, ""]
