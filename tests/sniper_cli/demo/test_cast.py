"""Each role of the demo is as bad as the truth file will say: launched, bought, held and sold on a real chain."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sniper_cli.chains.exchange import Protocol
from sniper_cli.demo.cast import CAST, RUG_PULL, TRAPS, Role, TokenName, creation_code, symbol_of, token_names
from sniper_cli.demo.cast import ROLES as KINDS
from sniper_cli.demo.liquidity import planned_pool
from sniper_cli.demo.plan import plan_launches
from sniper_cli.demo.steps import Act, Places, Step, call_of
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import approval_calls, buy_call, sell_call
from sniper_cli.safety.trades import FOREVER
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


ELSEWHERE = [
    (role, Protocol.V4 if role.taxing or number % 2 else Protocol.V3)
    for number, role in enumerate(role for role in CAST if role is not RUG_PULL)
]
"""Each role once more on V3 or v4, as the market may list it."""


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
@pytest.mark.parametrize(
    ("role", "protocol"),
    [*((role, Protocol.V2) for role in CAST if role is not RUG_PULL), *ELSEWHERE],
    ids=lambda value: value.kind if isinstance(value, Role) else value.value[-2:],
)
async def test_who_buys_and_holds_loses_exactly_when_the_role_is_bad(anvil, role, protocol):
    buyer, seller = zoo.anvil_account(1), zoo.anvil_account(9)
    await zoo.propose_blocks_as_somebody(anvil.node)
    pool = await listed(anvil, role, protocol, seller)
    if role.kind == "late_opening":
        assert not (await sent(anvil, buyer, buy_call(pool, buyer.address.lower(), SPENT, 0, FOREVER))).ok
        await zoo.transact(anvil.node, seller, pool.token, zoo.calldata("openTrading()"))
    if role.kind == "second_sell":
        assert await traded(anvil, pool, zoo.anvil_account(2), blocks=0) > 0.9, "the bait must be sold"

    assert (await traded(anvil, pool, buyer, blocks=HELD_BLOCKS) < 0.6) is role.bad


async def listed(anvil, role, protocol, seller) -> Pool:
    """A token of a role as the demo's deployers list it: by the same transactions."""
    planned = replace(
        plan_launches(7, 20)[0], role=role, protocol=protocol, tokens_only=False, burns_liquidity=False,
        supply=zoo.SUPPLY, listed=zoo.LISTED, pool_wei=zoo.POOL_WEI, taxes=role.taxes[0] if role.taxes else None,
    )  # fmt: skip
    code = creation_code(role, TokenName("Moon Otter", "MOTR"), zoo.SUPPLY, planned.taxes or ())
    made = await zoo.transact(anvil.node, seller, None, code)
    assert made.created
    pool = planned_pool(planned, anvil.exchanges, made.created)
    places = Places(made.created, pool, seller.address.lower())
    for act in (
        Act.APPROVE,
        *([Act.PERMIT] if protocol is Protocol.V4 else []),
        Act.SET_PAIR,
        Act.LIST,
    ):
        wei = planned.pool_wei if act is Act.LIST else 0
        step = Step(0, planned, act, planned.index, wei=wei)
        to, data = call_of(step, places, seller.address.lower(), 0)
        assert (await zoo.transact(anvil.node, seller, to, data, wei)).ok, act
    return pool


async def traded(anvil, pool, account, *, blocks: int) -> float:
    """The share of a purchase that comes back, the sale's gas at ten gwei taken off."""
    node, owner = anvil.node, account.address.lower()
    assert (await sent(anvil, account, buy_call(pool, owner, SPENT, 0, FOREVER))).ok
    for approval in approval_calls(pool, owner, zoo.MAX_UINT):
        await sent(anvil, account, approval)
    if blocks:
        await anvil.mine(blocks)
    before = int(await node.call("eth_getBalance", [owner, "latest"]), 16)
    held = await zoo.balance_of(node, pool.token, owner)
    sold = await sent(anvil, account, sell_call(pool, owner, held, 0, FOREVER))
    after = int(await node.call("eth_getBalance", [owner, "latest"]), 16)
    return (after - before + sold.cost - sold.gas * 10 * 10**9) / SPENT


async def sent(anvil, account, call) -> zoo.Sent:
    return await zoo.transact(anvil.node, account, call.to, call.data, call.value)
