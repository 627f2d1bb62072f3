"""Judged by the best method a node offers; what only a weaker one could show is never safe."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.dossier import Extras, compile_dossier
from sniper_cli.safety.levels import DARING, level_named
from sniper_cli.safety.methods import judge_by_best
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.prefilter import judge_round_trip, round_trip
from sniper_cli.safety.report import Outcome, SafetyReport
from sniper_cli.safety.sidecar import SideCar
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.hostile_zoo import AMOUNT, BUYER, listed
from tests.sniper_cli.safety.test_zoo_judgements import the_simulation_told_the_truth
from tests.zoo import Listing, list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("methods")]


class Without(Node):
    """A node that does not know some methods."""

    def __init__(self, url: str, *unknown: str) -> None:
        super().__init__(url)
        self.unknown = unknown

    async def call(self, method: str, params: Any = ()) -> Any:
        if method in self.unknown:
            raise NodeRefused(f"the node refused {method}: the method does not exist")
        return await super().call(method, params)


class IgnoringOverrides(Node):
    """A node that takes overrides and heeds none."""

    async def call(self, method: str, params: Any = ()) -> Any:
        if method == "eth_simulateV1":
            for block in params[0]["blockStateCalls"]:
                block["blockOverrides"] = {
                    key: block["blockOverrides"][key]
                    for key in ("number", "time")
                    if key in block["blockOverrides"]
                }
            params[0]["validation"] = False
        return await super().call(method, params)


@pytest.fixture
async def side_car(anvil: Chain) -> AsyncIterator[SideCar]:
    async with SideCar(anvil.exchange.chain_id) as side_car:
        yield side_car


async def judged(chain: Chain, node: Node, listing: Listing, side_car: SideCar | None = None) -> SafetyReport:
    return await judge_by_best(
        node,
        pair_of(chain.exchange, *listing),
        amount=AMOUNT,
        policy=SafetyPolicy(),
        sender=BUYER.address,
        side_car=side_car,
    )


async def test_a_node_that_simulates_needs_no_other_method(anvil: Chain, side_car: SideCar) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    report = await judged(anvil, anvil.node, listing, side_car)
    assert (report.verdict, report.method) == (Verdict.SAFE, "eth_simulateV1")
    assert side_car._anvil is None


@pytest.mark.parametrize("kind", ["refuses", "ignores"])
async def test_a_fork_beside_the_node_proves_what_the_node_cannot(
    anvil: Chain, side_car: SideCar, kind: str
) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "CappedTax")
    url = anvil.process.http_url
    async with Without(url, "eth_simulateV1") if kind == "refuses" else IgnoringOverrides(url) as node:
        report = await judged(anvil, node, listing, side_car)
    assert (report.verdict, report.method) == (Verdict.SAFE, "anvil fork + eth_simulateV1")
    assert report.sell_tax_bps == 200
    await the_simulation_told_the_truth(anvil, listing.token, report)


async def test_the_fork_follows_the_head(anvil: Chain, side_car: SideCar) -> None:
    async with Without(anvil.process.http_url, "eth_simulateV1") as node:
        for kind, verdict in (
            ("Normal", Verdict.SAFE),
            ("HashAware", Verdict.UNSAFE),
            ("Fot5", Verdict.SAFE),
        ):
            report = await judged(anvil, node, await listed(anvil.node, anvil.exchange, kind), side_car)
            assert report.verdict is verdict, report.reasons
            assert report.method.startswith("anvil fork")


async def test_a_killed_fork_is_started_anew(anvil: Chain, side_car: SideCar) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    async with Without(anvil.process.http_url, "eth_simulateV1") as node:
        await judged(anvil, node, listing, side_car)
        assert side_car._anvil is not None
        side_car._anvil.kill()
        assert (await judged(anvil, node, listing, side_car)).verdict is Verdict.SAFE


@pytest.mark.parametrize("kind", ["Normal", "SimAwareGas", "Cooldown"])
async def test_one_call_alone_calls_nothing_safe(anvil: Chain, kind: str) -> None:
    listing = await list_token(anvil.node, anvil.exchange, kind)
    async with Without(anvil.process.http_url, "eth_simulateV1") as node:
        report = await judged(anvil, node, listing)
    assert (report.verdict, report.method) == (Verdict.NOT_PROVEN, "eth_call")


async def test_one_call_alone_refuses_what_it_sees_taxed_away(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Sell99")
    async with Without(anvil.process.http_url, "eth_simulateV1") as node:
        report = await judged(anvil, node, listing)
    assert report.verdict is Verdict.UNSAFE
    assert report.reasons[0].startswith("a purchase and its sale lose 98.")


async def test_where_not_even_that_is_answered_nothing_is_proven(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Sell99")
    async with Without(anvil.process.http_url, "eth_simulateV1", "eth_call") as node:
        report = await judged(anvil, node, listing)
    assert report.verdict is Verdict.NOT_PROVEN
    assert report.reasons


async def test_what_a_round_trip_brings_is_what_the_pool_pays(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    found = await round_trip(anvil.node, anvil.exchange, listing.token, AMOUNT, await anvil.node.head())
    # Uniswap's formula by hand: 0.1 into 10 coins against 900,000 tokens, and back.
    got = AMOUNT * 997 * 900_000 * 10**18 // (10 * 10**18 * 1000 + AMOUNT * 997)
    coins, tokens = 10 * 10**18 + AMOUNT, 900_000 * 10**18 - got
    assert (found.got, found.paid) == (got, got * 997 * coins // (tokens * 1000 + got * 997))
    assert judge_round_trip(found, AMOUNT).outcome is Outcome.NOT_PROVEN


async def test_a_whole_dossier_is_compiled_on_the_fork(anvil: Chain, side_car: SideCar) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Mintable")
    async with Without(anvil.process.http_url, "eth_simulateV1") as node:
        dossier = await compile_dossier(
            node,
            pair_of(anvil.exchange, *listing),
            amount=AMOUNT,
            policy=SafetyPolicy(),
            level=level_named(DARING),
            extras=Extras(side_car=side_car),
        )
    assert dossier.report.method == "anvil fork + eth_simulateV1"
    mints = dossier.line("mints")
    assert mints is not None
    assert mints.outcome is Outcome.FAIL
    assert dossier.verdict is Verdict.SAFE
