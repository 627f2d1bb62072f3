"""Tokens of authors who have read the judge: none is called safe; honest ones with all that honest authors write pass.

What each of them is, is found out by mined transactions: `let_out` plays its story on the chain it was judged on.
"""

import pytest

from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.judge import judge
from sniper_cli.safety.matrix import (
    AGAIN,
    AS_SENT_LATER,
    CRASHED,
    DAY,
    IN_HASTE,
    LATE,
    LITTLE_BY_LITTLE,
    NEXT_BLOCK,
    RUSHED,
    SOARED,
    WEEK,
    YEAR,
)
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.hostile_zoo import AMOUNT, BAD, BUYER, GOOD, Story, let_out, listed
from tests.zoo import Listing

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("hostile_tokens")]

FOUND_BY = {
    "PoorStay": NEXT_BLOCK, "PanicDoor": IN_HASTE, "QuietDoor": DAY, "Window": LITTLE_BY_LITTLE,
    "Nightly": LITTLE_BY_LITTLE, "Weekend": LITTLE_BY_LITTLE, "Sleeper": YEAR, "LateGasLimit": AS_SENT_LATER,
    "KnowsYouLater": AS_SENT_LATER, "LonelyBlock": RUSHED, "BigCrowdTrap": RUSHED, "TradeCount": RUSHED,
    "MoonDoor": SOARED, "CrashDoor": CRASHED, "SecondPurchase": AGAIN, "FirstComeOnly": LATE, "CrowdAndTime": RUSHED,
    "CrashAndTime": CRASHED,
    "FarWindow": WEEK,
}  # fmt: skip
"""The scenario without which a kind would pass."""
UNFORETOLD = {"OneProposer", "AsksDoorman"}
"""Kinds that no trial can convict: they are seen to look at what cannot be foretold."""


async def judged(chain: Chain, listing: Listing, sender: str | None) -> SafetyReport:
    return await judge(
        chain.node, pair_of(chain.exchange, *listing), amount=AMOUNT, policy=SafetyPolicy(), sender=sender
    )


@pytest.mark.parametrize("kind", BAD)
async def test_a_hostile_token_keeps_its_buyer_s_money_and_is_not_called_safe(
    anvil: Chain, kind: str
) -> None:
    listing = await listed(anvil.node, anvil.exchange, kind)
    report = await judged(anvil, listing, BUYER.address)
    assert report.verdict is (Verdict.NOT_PROVEN if kind in UNFORETOLD else Verdict.UNSAFE)
    if kind in FOUND_BY:
        outcomes = {check.name: check.outcome for check in report.checks}
        assert outcomes[FOUND_BY[kind]] is Outcome.FAIL
    assert not await let_out(anvil.node, anvil.exchange, listing, BAD[kind])


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind not in {"KnowsYouLater", *UNFORETOLD}])
async def test_it_is_found_out_by_one_whose_account_it_does_not_know(anvil: Chain, kind: str) -> None:
    listing = await listed(anvil.node, anvil.exchange, kind)
    assert (await judged(anvil, listing, None)).verdict is Verdict.UNSAFE


@pytest.mark.parametrize("kind", GOOD)
async def test_an_honest_token_is_safe_and_lets_its_buyer_out(anvil: Chain, kind: str) -> None:
    listing = await listed(anvil.node, anvil.exchange, kind)
    report = await judged(anvil, listing, BUYER.address)
    assert report.verdict is Verdict.SAFE, report.reasons
    assert await let_out(anvil.node, anvil.exchange, listing, Story(blocks=30, followers=3))


async def test_a_proposer_that_a_trade_looks_at_is_named(anvil: Chain) -> None:
    report = await judged(anvil, await listed(anvil.node, anvil.exchange, "AsksDoorman"), None)
    assert report.reasons == (
        "its trades look at the proposer: what it does in another block cannot be known",
    )


async def test_a_raffle_is_seen_to_look_and_not_while_it_trades(anvil: Chain) -> None:
    report = await judged(anvil, await listed(anvil.node, anvil.exchange, "Raffle"), None)
    [line] = [check for check in report.checks if check.name == "looks_at"]
    assert line.outcome is Outcome.PASS
    assert line.detail == (
        "its code reads the hashes of blocks, the random number, the proposer, its trades do not"
    )
