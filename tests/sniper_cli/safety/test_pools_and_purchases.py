"""Whose pool it is, how deep, and how a purchase of a given size stands in it."""

import pytest

from sniper_cli.errors import NotFound
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.holding import check_holding
from sniper_cli.safety.judge import judge, require_pool
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.zoo import (
    WEI,
    Listing,
    anvil_account,
    balance_of,
    buy,
    calldata,
    deploy_token,
    list_token,
    transact,
)

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("pools_and_purchases")]

OPERATOR = anvil_account(5)
STRANGER = "0x" + "5a" * 20


async def judged(chain: Chain, listing: Listing, *, amount: int = WEI // 10, **policy: int) -> SafetyReport:
    return await judge(
        chain.node, pair_of(chain.exchange, *listing), amount=amount, policy=SafetyPolicy(**policy)
    )


def line(report: SafetyReport, name: str):
    return next(check for check in report.checks if check.name == name)


async def test_a_pool_that_is_not_the_factory_s_is_refused(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    other = await list_token(anvil.node, anvil.exchange, "Mintable")
    report = await judged(anvil, Listing(listing.token, other.pool))
    assert report.verdict is Verdict.UNSAFE
    assert f"the factory names {listing.pool.lower()} as this token's pool" in report.reasons[0]


async def test_an_address_without_code_is_no_pool(anvil: Chain) -> None:
    report = await judged(anvil, Listing(STRANGER, "0x" + "77" * 20))
    assert report.verdict is Verdict.UNSAFE
    assert report.classification is Classification.NO_LIQUIDITY


async def test_a_pool_before_its_liquidity_is_told_from_a_trap(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    created = await transact(
        anvil.node, OPERATOR, anvil.exchange.factory,
        calldata("createPair(address,address)", token, anvil.exchange.wrapped),
    )  # fmt: skip
    assert created.ok
    report = await judged(anvil, Listing(token, anvil.exchange.pool_of(token)))
    assert report.classification is Classification.NO_LIQUIDITY
    assert "the pool holds no liquidity" in report.reasons
    assert report.symbol == "NORMAL"


async def test_a_shallow_pool_is_refused_with_its_figures(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal", pool_wei=WEI // 2)
    report = await judged(anvil, listing, amount=WEI // 100)
    assert report.classification is Classification.NO_LIQUIDITY
    assert report.reasons == ("the pool holds 0.5 ETH, less than the 1 ETH asked for",)


async def test_too_large_a_share_of_the_pool_is_refused(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    report = await judged(anvil, listing, amount=2 * WEI)
    assert report.reasons == ("the purchase is 20.00 % of the pool's coins, over the limit of 10.00 %",)
    assert line(report, "share_of_pool").figure == "2000 bps"


async def test_a_purchase_above_the_token_s_own_limit_is_told_from_a_closed_door(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "MaxTx")
    report = await judged(anvil, listing, amount=WEI // 2)
    assert report.classification is Classification.MAX_TRANSACTION
    assert report.verdict is Verdict.UNSAFE
    assert report.reasons == ("buying for 0.5 ETH fails (revert 'max wallet'), for 0.05 ETH it does not",)


async def test_a_limit_above_the_purchase_is_shown_and_harms_nobody(anvil: Chain) -> None:
    report = await judged(anvil, await list_token(anvil.node, anvil.exchange, "MaxTx"))
    assert report.verdict is Verdict.SAFE
    assert report.classification is Classification.MAX_TRANSACTION
    assert "1 ETH cannot be bought at once" in line(report, "larger_purchase").detail


async def test_the_operator_s_poverty_is_not_held_against_the_token(anvil: Chain) -> None:
    """The rehearsal runs from an account without a coin: it is lent what it needs, for the length of the call."""
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    policy = SafetyPolicy()
    report = await judge(
        anvil.node, pair_of(anvil.exchange, *listing), amount=WEI, policy=policy, sender=STRANGER
    )
    assert report.verdict is Verdict.SAFE
    assert line(report, "sell_as_sent").outcome is Outcome.PASS


async def test_two_judgements_of_one_head_agree_on_every_figure(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Fot5")
    head = await anvil.node.head()
    policy = SafetyPolicy()
    first, second = [
        await judge(anvil.node, pair_of(anvil.exchange, *listing), amount=WEI // 10, policy=policy, head=head)
        for _ in "12"
    ]
    assert first.expected_quantity == second.expected_quantity
    assert (
        first.figures["sales"]["sell_two_blocks"][0]["paid_wei"]
        == (second.figures["sales"]["sell_two_blocks"][0]["paid_wei"])
    )
    assert first.reasons == second.reasons


async def test_the_pool_of_a_token_is_found(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    found = await require_pool(anvil.node, anvil.exchanges, listing.token)
    assert found == pair_of(anvil.exchange, *listing)


async def test_a_token_without_a_pool_is_told_where_it_was_looked_for(anvil: Chain) -> None:
    with pytest.raises(NotFound, match="has a pool of") as raised:
        await require_pool(anvil.node, anvil.exchanges, STRANGER)
    assert raised.value.hint
    assert anvil.exchange.factory in raised.value.details["factories"]


async def test_what_is_held_is_tried_from_the_holder_s_own_account(anvil: Chain) -> None:
    node, exchange = anvil.node, anvil.exchange
    listing = await list_token(node, exchange, "OwnerBlacklist")
    await buy(node, exchange, listing.token, OPERATOR, WEI // 10)
    quantity = await balance_of(node, listing.token, OPERATOR.address)

    async def holding():
        return await check_holding(
            node,
            pair_of(exchange, *listing),
            holder=OPERATOR.address,
            quantity=quantity,
            policy=SafetyPolicy(),
        )

    assert (await holding()).outcome is Outcome.PASS
    owner = anvil_account(9)
    blocked = calldata("blacklist(address,bool)", OPERATOR.address, True)
    assert (await transact(node, owner, listing.token, blocked)).ok
    check = await holding()
    assert check.outcome is Outcome.FAIL
    assert check.detail.startswith("selling fails from the holder's account")
    fresh = await judged(anvil, listing)
    assert fresh.verdict is Verdict.SAFE
