"""Each role of the demo is as bad as the truth file will say: launched, bought, held and sold on a real chain."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sniper_cli.demo.cast import CAST, TRAPS, TokenName, creation_code, symbol_of, token_names
from sniper_cli.demo.cast import ROLES as KINDS
from tests import zoo

SPENT = zoo.WEI // 10
HELD_BLOCKS = 25
"""Longer than any trap of the cast needs to spring."""


def test_at_least_eight_kinds_of_trap_stand_beside_honest_taxed_and_pulled_tokens():
    assert len(TRAPS) >= 8
    assert all(role.bad for role in TRAPS)
    assert {"honest", "taxed", "overtaxed", "late_opening", "rug_pull"} <= set(KINDS)
    assert len(KINDS) == len(CAST)


def test_a_token_s_name_does_not_betray_its_kind():
    names = token_names(7)
    assert len({name.name for name in names}) == 2_400
    spoken = " ".join(f"{name.name} {name.symbol}" for name in names).lower()
    words = {
        word for role in CAST for word in [*role.kind.split("_"), *re.findall("[A-Z][a-z]+", role.contract)]
    }
    assert not [word for word in words if re.search(rf"\b{word.lower()}\b", spoken)]


def test_each_seed_has_names_in_another_order():
    assert token_names(1) == token_names(1)
    assert token_names(1)[:20] != token_names(2)[:20]


@pytest.mark.parametrize(
    ("first", "last", "symbol"),
    [("Moon", "Otter", "MOTR"), ("Pixel", "Yak", "PYK"), ("Lucky", "Pebble", "LPBL")],
)
def test_a_ticker_is_made_as_launchers_make_them(first, last, symbol):
    assert symbol_of(first, last) == symbol


def test_every_contract_named_in_the_cast_is_compiled():
    tokens = json.loads((Path(__file__).parents[3] / "sniper_cli" / "demo" / "tokens.json").read_text())
    assert {role.contract for role in CAST} <= set(tokens["contracts"])


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
@pytest.mark.parametrize(
    "role", [role for role in CAST if role.kind != "rug_pull"], ids=lambda role: role.kind
)
async def test_who_buys_and_holds_loses_exactly_when_the_role_is_bad(anvil, role):
    node, exchange, buyer, seller = anvil.node, anvil.exchange, zoo.anvil_account(1), zoo.anvil_account(9)
    taxes = role.taxes[0] if role.taxes else ()
    await zoo.propose_blocks_as_somebody(node)
    made = await zoo.transact(
        node, seller, None, creation_code(role, TokenName("Moon Otter", "MOTR"), zoo.SUPPLY, taxes)
    )
    token = made.created
    assert token
    await zoo.transact(node, seller, token, zoo.calldata("setPair(address)", exchange.pool_of(token)))
    await zoo.add_liquidity(node, exchange, token, seller)
    if role.kind == "late_opening":
        assert not (await zoo.buy(node, exchange, token, buyer, SPENT)).ok
        await zoo.transact(node, seller, token, zoo.calldata("openTrading()"))
    if role.kind == "second_sell":
        assert await traded(anvil, token, zoo.anvil_account(2), blocks=0) > 0.9, "the bait must be sold"

    assert (await traded(anvil, token, buyer, blocks=HELD_BLOCKS) < 0.6) is role.bad


async def traded(anvil, token, account, *, blocks: int) -> float:
    """The share of a purchase that comes back, the sale's gas at ten gwei taken off."""
    node, exchange = anvil.node, anvil.exchange
    assert (await zoo.buy(node, exchange, token, account, SPENT)).ok
    await zoo.approve(node, exchange, token, account)
    if blocks:
        await anvil.mine(blocks)
    before = int(await node.call("eth_getBalance", [account.address, "latest"]), 16)
    sold = await zoo.sell(node, exchange, token, account, await zoo.balance_of(node, token, account.address))
    after = int(await node.call("eth_getBalance", [account.address, "latest"]), 16)
    return (after - before + sold.cost - sold.gas * 10 * 10**9) / SPENT
