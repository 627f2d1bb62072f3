"""`sniper snipe check` on pools of v4, which have no address: by the token, and by the pool's id alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.record import read_record, write_record
from sniper_cli.chains.exchange import Protocol
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.pools.states import read_side
from sniper_cli.pools.trades import trades_in
from tests.chain_fixtures import Chain
from tests.v4_zoo import hooks_of, list_on_v4

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

Run = Callable[..., Any]


@pytest.fixture
async def prepared(home: Path, anvil: Chain) -> AsyncIterator[Chain]:
    """A home whose devnet is the test's chain with all its exchanges, with a wallet that has coins."""
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        record = read_record(context.paths.data)
        assert record is not None
        everything = tuple(protocol.value for protocol in Protocol)
        write_record(context.paths.data, replace(record, protocols=everything))
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10**19)])
        yield anvil


async def test_a_token_of_v4_is_checked_by_its_address(prepared: Chain, sniper_inside: Run) -> None:
    pool = await list_on_v4(prepared.node, prepared.v4, "Normal")

    ran = await asyncio.to_thread(sniper_inside, "snipe", "check", pool.token, "--json")

    assert ran.code == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert (report["verdict"], report["pool"]) == ("safe", pool.id)
    [line] = report["groups"]["liquidity"]
    assert "100.00 % of the liquidity can be withdrawn" in line["detail"]


async def test_an_unusual_pool_is_checked_by_its_id(prepared: Chain, sniper_inside: Run) -> None:
    hooks = await hooks_of(prepared.node, prepared.v4, "RefusingHooks", 0)
    pool = await list_on_v4(prepared.node, prepared.v4, "Normal", fee=777, tick_spacing=7, hooks=hooks)
    ran = await asyncio.to_thread(sniper_inside, "snipe", "check", pool.token, "--pool", pool.id, "--json")

    assert ran.code == 6, ran.stderr
    report = json.loads(ran.stdout)
    assert report["verdict"] == "unsafe"
    assert "selling fails" in report["reasons"][0]

    nowhere = await asyncio.to_thread(sniper_inside, "snipe", "check", pool.token, "--pool", "0x" + "9" * 64)
    assert (nowhere.code, "no v4 pool of" in nowhere.stderr) == (7, True)


async def test_a_token_of_v4_is_bought_by_hand(prepared: Chain, sniper_inside: Run) -> None:
    pool = await list_on_v4(prepared.node, prepared.v4, "Normal")
    side = await read_side(prepared.node, pool)
    words = ("order", "place", "buy", pool.token, "--budget", "0.1", "--yes", "--json")

    ran = await asyncio.to_thread(sniper_inside, *words)

    assert ran.code == 0, ran.stderr
    assert side is not None
    events = trades_in(
        pool,
        await prepared.node.call(
            "eth_getLogs", [{"address": pool.keeper, "fromBlock": "0x0", "topics": [abi.SWAP_V4]}]
        ),
    )
    assert events == [(10**17, -side.pays(10**17))]
