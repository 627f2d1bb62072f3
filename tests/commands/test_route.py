"""`sniper route`: quoted over several pools, tried, and what it says where there is no way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.chains.devnet.record import read_record, write_record
from sniper_cli.chains.exchange import Protocol
from sniper_cli.context import open_context
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.errors import UsageProblem
from sniper_cli.pools.pool import ZERO_ADDRESS
from sniper_cli.trading.routed import SwapRequest, swap
from tests import zoo
from tests.chain_fixtures import Chain
from tests.route_zoo import Tokens, list_all, list_on_v4_too

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

Run = Callable[..., Any]
HOLDER = zoo.anvil_account(9).address


@pytest.fixture
async def listed(home: Path, anvil: Chain) -> AsyncIterator[Tokens]:
    """A home whose devnet is the test's chain, V3 among its exchanges, with two tokens in all their pools."""
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        record = read_record(context.paths.data)
        assert record is not None
        write_record(context.paths.data, replace(record, protocols=(Protocol.V2.value, Protocol.V3.value)))
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10**19)])
        yield await list_all(anvil)


async def test_a_purchase_is_divided_tried_and_ready_to_be_signed(listed: Tokens, sniper: Run) -> None:
    ran = sniper("route", "quote", "ETH", listed.first, "6", "--holder", HOLDER, "--json")

    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["symbol_in"], found["symbol_out"], found["amount_in"]) == ("ETH", "FIRST", "6")
    assert found["simulated_out"] == found["amount_out"]
    assert found["simulation"] == "as quoted"
    assert len(found["legs"]) > 1
    assert found["gain_bps"] > 0
    assert found["call"]["to"] == found["router"]
    assert found["call"]["value"] == str(6 * 10**18)


async def test_a_sale_on_one_path_of_what_the_wallet_does_not_hold(listed: Tokens, sniper: Run) -> None:
    ran = sniper("route", "quote", listed.second, "ETH", "100", "--no-split", "-o", "table")

    assert ran.code == 0, ran.stderr
    assert "100 %" in ran.stdout
    assert "does not hold" in ran.stdout
    assert "the data with --json" in ran.stdout
    assert "5ae401dc" not in ran.stdout


async def test_pools_are_listed_with_their_depths(listed: Tokens, sniper: Run) -> None:
    ran = sniper("route", "pools", listed.first, listed.second, "--json")

    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert sorted((pool["protocol"], pool["fee"]) for pool in found) == sorted(
        3 * [("uniswap_v2", 3000), ("uniswap_v3", 500), ("uniswap_v3", 3000)]
    )
    depths = {(pool["symbol0"], pool["depth0"]) for pool in found if pool["protocol"] == "uniswap_v2"}
    assert depths <= {("WETH", "40"), ("FIRST", "40000"), ("SECOND", "20000")}


async def test_pools_of_v4_are_among_them(listed: Tokens, sniper: Run, anvil: Chain) -> None:
    await list_on_v4_too(anvil, listed)
    with open_context() as context:
        record = read_record(context.paths.data)
        assert record is not None
        write_record(context.paths.data, replace(record, protocols=tuple(each.value for each in Protocol)))

    ran = sniper("route", "pools", listed.first, "--json")
    assert ran.code == 0, ran.stderr
    fourth = [pool for pool in json.loads(ran.stdout) if pool["protocol"] == "uniswap_v4"]
    assert {(pool["fee"], frozenset((pool["symbol0"], pool["symbol1"]))) for pool in fourth} == {
        (500, frozenset(("ETH", "FIRST"))),
        (3000, frozenset(("WETH", "FIRST"))),
    }

    ran = sniper("route", "quote", listed.first, "ETH", "9000", "--holder", HOLDER, "--json")
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["router"] == anvil.v4.router
    assert found["simulated_out"] == found["amount_out"]
    hops = [hop for leg in found["legs"] for hop in leg["hops"]]
    assert ("uniswap_v4", "FIRST", "ETH", ZERO_ADDRESS) in {
        (hop["protocol"], hop["symbol_in"], hop["symbol_out"], hop["token_out"]) for hop in hops
    }


async def test_a_swap_is_placed_as_an_order(listed: Tokens, sniper: Run, anvil: Chain) -> None:
    rehearsed = sniper("route", "swap", "ETH", listed.first, "4", "--dry-run", "--json")
    assert rehearsed.code == 0, rehearsed.stderr
    plan = json.loads(rehearsed.stdout)["plan"]
    assert len(plan["legs"]) > 1

    swapped = sniper("route", "swap", "ETH", listed.first, "4", "--client-id", "once", "--yes", "--json")
    assert swapped.code == 0, swapped.stderr
    order = json.loads(swapped.stdout)
    assert order["state"] == "filled"
    assert order["filled_quantity"] == str(Decimal(plan["expected_quantity"]) / 10**18)


async def test_between_two_tokens_the_coin_must_stand(listed: Tokens) -> None:
    request = SwapRequest(listed.first, listed.second, "6")

    with open_context() as context, pytest.raises(UsageProblem, match="one of the two must be ETH"):
        await swap(context, request, lambda _: None)
