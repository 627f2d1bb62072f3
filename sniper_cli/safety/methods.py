"""By which method a token is judged: the best that its node offers, and the report says which.

1. `eth_simulateV1` on the node itself, where it shows the token a real block.
2. The same on an anvil forked off the node: all that is proven there is proven of the chain.
3. One `eth_call`, which can speak against a token and never for it.

Nobody asks a node for its version: that it cannot do the first shows in the attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import ConfigurationError, NetworkError
from sniper_cli.pools.pool import Pool
from sniper_cli.safety.judge import judge
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.prefilter import METHOD as ONE_CALL
from sniper_cli.safety.prefilter import judge_round_trip, round_trip
from sniper_cli.safety.report import Classification, Outcome, SafetyCheck, SafetyReport
from sniper_cli.safety.sidecar import METHOD as FORK
from sniper_cli.safety.sidecar import SideCar
from sniper_cli.safety.simulation import Call
from state.launches import Verdict

SIMULATION = "simulation"
"""The check that says whether the token could be shown a real block."""


async def judge_by_best(
    node: Node,
    place: Pool,
    *,
    amount: int,
    policy: SafetyPolicy,
    head: Head | None = None,
    sender: str | None = None,
    side_car: SideCar | None = None,
    prelude: Sequence[Call] = (),
) -> SafetyReport:
    """Judge a token by the best method there is. Raises NetworkError only where the head cannot be read."""
    head = head or await node.head()
    ordered = partial(
        judge,
        place=place,
        amount=amount,
        policy=policy,
        head=head,
        sender=sender,
        prelude=prelude,
    )
    report = await ordered(node)
    if not lacks_simulation(report):
        return report
    if side_car is not None:
        try:
            async with side_car.at(node.url, head) as fork:
                forked = await ordered(fork)
            return replace(forked, method=FORK)
        except (NetworkError, ConfigurationError) as error:
            report = _with(
                report, SafetyCheck("side_car", Outcome.NOT_PROVEN, f"no fork to try it on: {error.message}")
            )
    if place.protocol is not Protocol.V2 or prelude:
        return report  # one call sees the chain as it is, not as a waiting transaction will leave it
    try:
        found = await round_trip(node, place.exchange, place.token, amount, head)
    except NetworkError as error:
        return _with(
            report, SafetyCheck(ONE_CALL, Outcome.NOT_PROVEN, f"not tried in one call: {error.message}")
        )
    return replace(_with(report, judge_round_trip(found, amount)), method=ONE_CALL)


def lacks_simulation(report: SafetyReport) -> bool:
    """Whether it was the node, not the token, that left the judgement unproven."""
    return report.verdict is Verdict.NOT_PROVEN and any(
        check.name == SIMULATION and check.outcome is Outcome.NOT_PROVEN for check in report.checks
    )


def _with(report: SafetyReport, check: SafetyCheck) -> SafetyReport:
    """The report with one check more: a failure makes it unsafe, nothing makes it safe."""
    failed = check.outcome is Outcome.FAIL
    return replace(
        report,
        checks=(*report.checks, check),
        reasons=(check.detail, *report.reasons) if failed else (*report.reasons, check.detail),
        verdict=Verdict.UNSAFE if failed else report.verdict,
        classification=Classification.HONEYPOT if failed else report.classification,
    )
