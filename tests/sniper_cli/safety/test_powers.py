"""Owner powers are found in bytecode and proved by the act itself, wherever the owner hides."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.lines import Line
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.powers import Powers, prove_powers
from sniper_cli.safety.proxies import read_code
from sniper_cli.safety.report import Outcome
from sniper_cli.safety.simulation import surroundings
from sniper_cli.safety.trades import Market
from tests.chain_fixtures import Chain
from tests.zoo import (
    SUPPLY,
    ZOO_POLICY,
    Listing,
    add_liquidity,
    anvil_account,
    calldata,
    list_token,
    propose_blocks_as_somebody,
    transact,
)

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("powers")]

DEPLOYER, KEEPER = anvil_account(9), anvil_account(7)
WITHOUT = {"powers_tried", "unknown_authority"}

EXPECTED = {
    "Normal": set(),
    "Fot5": set(),
    "CappedTax": set(),
    "BuySellTax": {"raises_tax", "blocks_sales"},
    "OwnerBlacklist": {"blocks_sales"},
    "Pausable": {"blocks_sales"},
    "MaxTx": {"blocks_sales"},
    "Mintable": {"mints"},
    "RoleMint": {"mints"},
    "BalanceBurn": {"seizes"},
    "SellFlag": {"opens_sales"},
    "AutoBlacklist": set(),
    "WhitelistSell": {"opens_sales"},
    "HiddenOwner": {"hidden_powers"},
    "Proxy1967": set(),
}
"""What the rulers of the zoo's tokens can do; from the sources of the tokens."""


@cache
def rulers() -> dict[str, dict[str, Any]]:
    file = Path(__file__).parents[2] / "contracts" / "rulers.json"
    contracts: dict[str, dict[str, Any]] = json.loads(file.read_text())["contracts"]
    return contracts


async def listed(chain: Chain, kind: str, *, abandoned: bool = True) -> Listing:
    """A token of tests/contracts/Rulers.sol, listed, its shown owner gone."""
    await propose_blocks_as_somebody(chain.node)
    arguments = encode(
        ["string", "string", "uint256", "uint256"], [kind, "RULED", SUPPLY, int(KEEPER.address, 16)]
    )
    made = await transact(chain.node, DEPLOYER, None, rulers()[kind]["bytecode"] + arguments.hex())
    assert made.ok
    assert made.created
    token, pool = made.created, chain.exchange.pool_of(made.created)
    assert (await transact(chain.node, DEPLOYER, token, calldata("setPair(address)", pool))).ok
    await add_liquidity(chain.node, chain.exchange, token, DEPLOYER)
    if abandoned:
        assert (await transact(chain.node, DEPLOYER, token, calldata("abandon()"))).ok
    return Listing(token, pool)


async def proved(chain: Chain, listing: Listing) -> Powers:
    head = await chain.node.head()
    code = await read_code(chain.node, listing.token, hex(head.number))
    market = Market(pair_of(chain.exchange, *listing), ZOO_POLICY.amount)
    around = surroundings(head, SafetyPolicy())
    return await prove_powers(chain.node, around, market, code, deployer=DEPLOYER.address)


def fails(powers: Powers) -> set[str]:
    return {line.name for line in powers.lines if line.outcome is Outcome.FAIL}


def line_of(powers: Powers, name: str) -> Line:
    return next(line for line in powers.lines if line.name == name)


@pytest.mark.parametrize("kind", EXPECTED)
async def test_what_the_rulers_of_a_token_of_the_zoo_can_do(anvil: Chain, kind: str) -> None:
    powers = await proved(anvil, await list_token(anvil.node, anvil.exchange, kind))
    assert fails(powers) == EXPECTED[kind]
    assert line_of(powers, "powers_tried").outcome is Outcome.PASS


async def test_whoever_renounced_has_no_power_left(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "BuySellTax")
    assert fails(await proved(anvil, listing))
    assert (await transact(anvil.node, DEPLOYER, listing.token, calldata("renounceOwnership()"))).ok

    powers = await proved(anvil, listing)
    assert {line.outcome for line in powers.lines} == {Outcome.PASS}


@pytest.mark.parametrize("kind", ["RulerPacked", "RulerMasked", "RulerInCode", "RulerInMappingKnown"])
async def test_a_hidden_ruler_is_found_wherever_he_is_kept(anvil: Chain, kind: str) -> None:
    powers = await proved(anvil, await listed(anvil, kind))
    assert fails(powers) == {"hidden_powers"}
    hidden = line_of(powers, "hidden_powers")
    assert KEEPER.address.lower() in hidden.detail
    assert {each.sender for each in hidden.evidence} == {KEEPER.address.lower()}


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("RulerInMapping", "asks a list that names nobody known"),
        ("RulerHashed", "compares a hash of the caller"),
        ("RulerSilent", "compares a hash of the caller"),
        ("RulerBesideTheOwner", "compares a hash of the caller"),
        ("RulerWithPassword", "compares a hash of an argument"),
        ("RulerElsewhere", "asks another contract"),
    ],
)
async def test_a_guard_that_nobody_can_read_leaves_the_powers_unproven(
    anvil: Chain, kind: str, why: str
) -> None:
    powers = await proved(anvil, await listed(anvil, kind))
    unknown = line_of(powers, "unknown_authority")
    assert unknown.outcome is Outcome.NOT_PROVEN
    assert {each.result for each in unknown.evidence} == {why}


async def test_an_abandoned_token_whose_owner_can_return_is_not_abandoned(anvil: Chain) -> None:
    powers = await proved(anvil, await listed(anvil, "RulerReturns"))
    hidden = line_of(powers, "hidden_powers")
    assert hidden.outcome is Outcome.FAIL
    assert any("owner() then answers" in each.result for each in hidden.evidence)
    assert any("the sale then" in each.result for each in hidden.evidence)


async def test_a_power_that_takes_two_calls_is_found(anvil: Chain) -> None:
    powers = await proved(anvil, await listed(anvil, "RulerInTwoSteps", abandoned=False))
    assert {"raises_tax", "blocks_sales"} & fails(powers)


async def test_what_anybody_may_do_is_told(anvil: Chain) -> None:
    powers = await proved(anvil, await listed(anvil, "RuledByAnybody"))
    assert "powers_of_anybody" in fails(powers)


async def test_nobody_rules_what_was_abandoned_honestly(anvil: Chain) -> None:
    powers = await proved(anvil, await listed(anvil, "RuledByNobody"))
    assert {line.outcome for line in powers.lines} == {Outcome.PASS}


async def test_the_evidence_is_a_call_that_does_what_it_says(anvil: Chain) -> None:
    """The simulated act, really sent by the owner, has the effect that the line tells."""
    listing = await list_token(anvil.node, anvil.exchange, "Mintable")
    [evidence] = line_of(await proved(anvil, listing), "mints").evidence
    assert evidence.sender == DEPLOYER.address.lower()
    before = int(
        await anvil.node.call(
            "eth_call", [{"to": listing.token, "data": calldata("totalSupply()")}, "latest"]
        ),
        16,
    )
    assert (await transact(anvil.node, DEPLOYER, evidence.to, evidence.data)).ok
    after = int(
        await anvil.node.call(
            "eth_call", [{"to": listing.token, "data": calldata("totalSupply()")}, "latest"]
        ),
        16,
    )
    assert evidence.result == f"the supply grew by {after - before}"
