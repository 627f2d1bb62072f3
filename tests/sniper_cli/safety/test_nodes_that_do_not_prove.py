"""What cannot be tried is not proven, and what is not proven is never safe."""

from collections.abc import Callable
from typing import Any

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused, NodeTimeout, NodeUnreachable
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.capabilities import JUMP, probe
from sniper_cli.safety.judge import judge
from sniper_cli.safety.matrix import DAY, WEEK
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.zoo import WEI, list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("nodes_that_do_not_prove")]


class Spoilt(Node):
    """A node in front of a real one that changes what is asked of `eth_simulateV1`, or refuses it."""

    def __init__(self, url: str, spoil: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(url)
        self.spoil = spoil

    async def call(self, method: str, params: Any = ()) -> Any:
        if method == "eth_simulateV1":
            self.spoil(params[0])
        return await super().call(method, params)


def without_validation(asked: dict[str, Any]) -> None:
    asked["validation"] = False


def without(override: str) -> Callable[[dict[str, Any]], None]:
    def spoil(asked: dict[str, Any]) -> None:
        for block in asked["blockStateCalls"]:
            block["blockOverrides"].pop(override)

    return spoil


def without_code(asked: dict[str, Any]) -> None:
    for account in asked["blockStateCalls"][0]["stateOverrides"].values():
        account.pop("code", None)


def no_such_method(asked: dict[str, Any]) -> None:
    raise NodeRefused("the node refused eth_simulateV1: the method does not exist")


def refusing_jumps_over(limit: int) -> Callable[[dict[str, Any]], None]:
    """geth's rule: the blocks between the first and the last, filled ones too, are limited to 256."""

    def spoil(asked: dict[str, Any]) -> None:
        numbers = [int(block["blockOverrides"]["number"], 16) for block in asked["blockStateCalls"]]
        if numbers[-1] - numbers[0] > limit:
            raise NodeRefused("the node refused eth_simulateV1: too many blocks")

    return spoil


async def judged(chain: Chain, spoil: Callable[[dict[str, Any]], None], kind: str = "Normal") -> SafetyReport:
    listing = await list_token(chain.node, chain.exchange, kind)
    async with Spoilt(chain.process.http_url, spoil) as node:
        return await judge(node, pair_of(chain.exchange, *listing), amount=WEI // 10, policy=SafetyPolicy())


async def test_an_honest_node_proves_itself(anvil: Chain) -> None:
    capabilities = await probe(anvil.node)
    assert capabilities.proven
    assert capabilities.jump_blocks == JUMP


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (without_validation, "basefee"),
        (without("feeRecipient"), "coinbase"),
        (without("baseFeePerGas"), "basefee"),
        (without("prevRandao"), "prevrandao"),
        (without("time"), "timestamp"),
        (without_code, "the state override"),
    ],
    ids=["validation", "coinbase", "basefee", "prevrandao", "time", "code"],
)
async def test_a_node_that_ignores_part_of_the_block_proves_nothing(anvil: Chain, spoil, named: str) -> None:
    async with Spoilt(anvil.process.http_url, spoil) as node:
        capabilities = await probe(node)
    assert not capabilities.proven
    assert named in capabilities.problem

    report = await judged(anvil, spoil)
    assert report.verdict is Verdict.NOT_PROVEN
    assert named in report.reasons[0]


async def test_a_node_without_simulations_proves_nothing(anvil: Chain) -> None:
    async with Spoilt(anvil.process.http_url, no_such_method) as node:
        assert not (await probe(node)).proven
    report = await judged(anvil, no_such_method)
    assert report.verdict is Verdict.NOT_PROVEN
    assert report.reasons == (
        "the token could not be tried: the node refused eth_simulateV1: the method does not exist",
    )


async def test_a_node_that_simulates_256_blocks_is_good_enough(anvil: Chain) -> None:
    """Only the far jump, which real nodes refuse, may stay unproven."""
    report = await judged(anvil, refusing_jumps_over(256))
    assert report.verdict is Verdict.SAFE
    outcomes = {check.name: check.outcome for check in report.checks}
    assert outcomes[WEEK] is Outcome.NOT_PROVEN


async def test_a_scenario_that_a_node_refuses_leaves_the_token_unproven(anvil: Chain) -> None:
    report = await judged(anvil, refusing_jumps_over(150))
    assert report.verdict is Verdict.NOT_PROVEN
    outcomes = {check.name: check.outcome for check in report.checks}
    assert outcomes[DAY] is Outcome.NOT_PROVEN
    assert report.reasons == (
        "selling after 200 blocks and a day, after a year and little by little through a week could not be tried: "
        "the node refused eth_simulateV1: too many blocks",
    )


async def test_a_failure_outweighs_what_could_not_be_tried(anvil: Chain) -> None:
    report = await judged(anvil, refusing_jumps_over(150), "Sell99")
    assert report.verdict is Verdict.UNSAFE
    assert report.reasons[0].startswith("sell tax 99.00 %")
    assert "could not be tried" in report.reasons[-1]


async def test_a_node_that_stops_answering_midway_leaves_the_token_unproven(anvil: Chain) -> None:
    asked = 0

    def stop_after_four(_: dict[str, Any]) -> None:
        nonlocal asked
        asked += 1
        if asked > 4:
            raise NodeTimeout("the node did not answer within 5 s")

    report = await judged(anvil, stop_after_four)
    assert report.verdict is Verdict.NOT_PROVEN


async def test_without_a_node_there_is_no_report(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    async with Node("http://127.0.0.1:9") as nowhere:
        with pytest.raises(NodeUnreachable):
            await judge(nowhere, pair_of(anvil.exchange, *listing), amount=WEI, policy=SafetyPolicy())
