"""Tokens that look for the difference between being tried and being traded, and honest ones that look like traps."""

import json
from pathlib import Path

import pytest

from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.judge import judge
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Classification, SafetyReport
from state.launches import Verdict
from tests import zoo
from tests.chain_fixtures import Chain
from tests.zoo import WEI, Listing, anvil_account, calldata, list_token, transact

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("unseen_tokens")]

ARTIFACT = Path(__file__).parents[2] / "contracts" / "unseen.json"
SELLER = next(account for account in map(anvil_account, range(1, 9)) if int(account.address, 16) % 2)
"""The operator; OddAddresses knows him by his last bit."""

BAD = (
    "GasLimitAware", "FortuneAware", "PoorProposer", "RandomAware", "LookedAt", "NoProfit", "NoLoss",
    "GasOnBuy", "Pittance", "CrowdTrap", "JumpAware", "KnowsYou", "OddAddresses", "PriceSpoiler",
    "FloodsOnBuy", "FloodsOnApprove", "StillFee", "FreshApproval", "LateBuyers", "Patient", "Melting",
    "UnlimitedApproval", "ExactApproval", "Vanishing", "SizeTax", "NoHurry",
)  # fmt: skip
GOOD = ("OneTradeABlock", "SwapBack", "Silent", "Babbler")


@pytest.fixture(autouse=True)
def unseen_kinds() -> None:
    zoo.artifacts().update(json.loads(ARTIFACT.read_text())["contracts"])


async def listed(chain: Chain, kind: str) -> Listing:
    extra = {"KnowsYou": (int(SELLER.address, 16),), "SwapBack": (int(chain.exchange.router, 16),)}.get(
        kind, ()
    )
    return await list_token(chain.node, chain.exchange, kind, extra=extra)


async def judged(chain: Chain, listing: Listing) -> SafetyReport:
    policy, sender = SafetyPolicy(), SELLER.address
    return await judge(
        chain.node, pair_of(chain.exchange, *listing), amount=WEI // 10, policy=policy, sender=sender
    )


@pytest.mark.parametrize("kind", BAD)
async def test_a_token_that_knows_a_simulation_when_it_sees_one_is_found_out(anvil: Chain, kind: str) -> None:
    report = await judged(anvil, await listed(anvil, kind))
    assert report.verdict is Verdict.UNSAFE
    assert report.reasons


async def test_a_token_that_throws_dice_is_found_out(anvil: Chain) -> None:
    """Each of a dozen sales is lucky in one case of two; two judgements of luck alone are one in sixteen million."""
    listing = await listed(anvil, "Lottery")
    verdicts = {(await judged(anvil, listing)).verdict for _ in range(2)}
    assert Verdict.UNSAFE in verdicts


@pytest.mark.parametrize("kind", GOOD)
async def test_an_honest_token_with_odd_manners_passes(anvil: Chain, kind: str) -> None:
    report = await judged(anvil, await listed(anvil, kind))
    assert report.verdict is Verdict.SAFE, report.reasons


async def test_one_trade_a_block_is_called_a_cooldown_and_harms_nobody(anvil: Chain) -> None:
    report = await judged(anvil, await listed(anvil, "OneTradeABlock"))
    assert report.classification is Classification.COOLDOWN
    [line] = [check for check in report.checks if check.name == "sell_same_block"]
    assert line.detail == (
        "selling fails in the block of the purchase: revert 'one trade a block'; from the next block on it sells"
    )


async def test_a_token_that_knows_the_operator_gives_itself_away_only_with_his_address(anvil: Chain) -> None:
    listing = await listed(anvil, "KnowsYou")
    report = await judge(
        anvil.node, pair_of(anvil.exchange, *listing), amount=WEI // 10, policy=SafetyPolicy()
    )
    assert report.verdict is Verdict.SAFE
    report = await judged(anvil, listing)
    assert report.classification is Classification.HONEYPOT


@pytest.mark.parametrize(
    ("name", "symbol", "decimals", "shown"),
    [
        (b"\x1b[31mEvil\x07", b"EV\xe2\x80\xaeIL", 18, None),
        (b"Maker".ljust(32, b"\0"), b"MKR".ljust(32, b"\0"), 18, ("Maker", "MKR", 18)),
        (b"", b"\xff" * 64, 999, ("", "", None)),
        (b"\x00" * 31 + b"\x20" + b"\xff" * 32, b"short", 300, ("", "", None)),
    ],
    ids=["escapes", "bytes32", "nothing", "lying lengths"],
)
async def test_metadata_from_a_hostile_hand_is_shown_harmlessly(
    anvil: Chain, name, symbol, decimals, shown
) -> None:
    listing = await listed(anvil, "Babbler")
    if shown is None:
        name, symbol = encoded(name), encoded(symbol)
        shown = ("[31mEvil", "EVIL", 18)
    sent = await transact(
        anvil.node, SELLER, listing.token, calldata("say(bytes,bytes,uint256)", name, symbol, decimals)
    )
    assert sent.ok
    report = await judged(anvil, listing)
    assert (report.name, report.symbol, report.decimals) == shown
    assert report.verdict is Verdict.SAFE


def encoded(text: bytes) -> bytes:
    """An ABI-encoded string, written out: offset, length, padded bytes."""
    padded = text.ljust(-(-len(text) // 32) * 32, b"\0")
    return (32).to_bytes(32) + len(text).to_bytes(32) + padded
