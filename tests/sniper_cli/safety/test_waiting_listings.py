"""A token judged on top of its waiting listing: as though that were mined, and never safe where it would fail."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from sniper_cli.chains.fees import Fees
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.safety.judge import judge
from sniper_cli.safety.matrix import CRASHED, SOARED
from sniper_cli.safety.methods import judge_by_best
from sniper_cli.safety.policy import GWEI, SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome, SafetyReport
from sniper_cli.safety.simulation import Call
from sniper_cli.sniping.announcements import v3_pool
from state.launches import Verdict
from tests import concentrated_zoo, v4_zoo
from tests.chain_fixtures import Chain
from tests.hostile_zoo import learn
from tests.zoo import (
    FOREVER,
    LISTED,
    POOL_WEI,
    WEI,
    add_liquidity,
    anvil_account,
    approve,
    calldata,
    deploy_token,
    propose_blocks_as_somebody,
    transact,
)

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("pools_and_purchases")]

OWNER = anvil_account(9)


async def unlisted(chain: Chain, kind: str) -> tuple[str, Call]:
    """A token that only waits for its listing, and the call that lists it."""
    await propose_blocks_as_somebody(chain.node)
    token = await deploy_token(chain.node, kind, account=OWNER)
    pool = chain.exchange.pool_of(token)
    assert (await transact(chain.node, OWNER, token, calldata("setPair(address)", pool))).ok
    assert (await approve(chain.node, chain.exchange, token, OWNER)).ok
    signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, token, LISTED, 0, 0, OWNER.address, FOREVER)
    fees = Fees(100 * GWEI, 2 * GWEI)
    return token, Call(OWNER.address.lower(), chain.exchange.router, data, POOL_WEI, 5_000_000, fees)


async def judged(chain: Chain, token: str, *prelude: Call, best: bool = False) -> SafetyReport:
    how = judge_by_best if best else judge
    return await how(
        chain.node, pair_of(chain.exchange, token), amount=WEI // 10, policy=SafetyPolicy(), prelude=prelude
    )


async def test_a_token_is_judged_as_its_waiting_listing_will_leave_it(anvil: Chain) -> None:
    token, listing = await unlisted(anvil, "Normal")
    report = await judged(anvil, token, listing)
    assert report.verdict is Verdict.SAFE, report.reasons
    assert report.liquidity == POOL_WEI
    await add_liquidity(anvil.node, anvil.exchange, token, OWNER)
    after = await judged(anvil, token)
    assert report.expected_quantity == after.expected_quantity
    assert (report.buy_tax_bps, report.sell_tax_bps) == (after.buy_tax_bps, after.sell_tax_bps)


async def test_a_trap_is_seen_before_its_listing_is_mined(anvil: Chain) -> None:
    token, listing = await unlisted(anvil, "SellFlag")
    report = await judged(anvil, token, listing)
    assert (report.verdict, report.classification) == (Verdict.UNSAFE, Classification.HONEYPOT)


@pytest.mark.parametrize(("kind", "found_by"), [("MoonDoor", SOARED), ("CrashDoor", CRASHED)])
async def test_a_door_that_the_price_shuts_is_found_in_a_pair_that_does_not_stand(
    anvil: Chain, kind: str, found_by: str
) -> None:
    learn()
    token, listing = await unlisted(anvil, kind)
    report = await judged(anvil, token, listing)
    outcomes = {check.name: check.outcome for check in report.checks}
    assert (report.verdict, outcomes[found_by]) == (Verdict.UNSAFE, Outcome.FAIL)


async def unlisted_v3(chain: Chain, kind: str) -> tuple[Pool, Call]:
    await propose_blocks_as_somebody(chain.node)
    token = await deploy_token(chain.node, kind, account=OWNER)
    exchange = chain.v3
    where = v3_pool(exchange, token, exchange.wrapped, 3000)
    pool = Pool(exchange, where, token, exchange.wrapped, 3000, 60)
    assert (await transact(chain.node, OWNER, token, calldata("setPair(address)", where))).ok
    let = calldata("approve(address,uint256)", exchange.position_manager, 2**255)
    assert (await transact(chain.node, OWNER, token, let)).ok
    return pool, waiting(exchange.position_manager, concentrated_zoo.filling(pool, OWNER))


async def unlisted_v4(chain: Chain, kind: str) -> tuple[Pool, Call]:
    await propose_blocks_as_somebody(chain.node)
    token = await deploy_token(chain.node, kind, account=OWNER)
    pool = keyed_pool(chain.v4, token)
    await v4_zoo.permit(chain.node, pool, token, OWNER)
    return pool, waiting(chain.v4.position_manager, v4_zoo.filling(pool, OWNER))


def waiting(to: str, data: str) -> Call:
    return Call(OWNER.address.lower(), to, data, POOL_WEI, 6_000_000, Fees(100 * GWEI, 2 * GWEI))


@pytest.mark.parametrize("unlisted_pool", [unlisted_v3, unlisted_v4])
async def test_a_concentrated_pool_is_judged_at_all_prices_before_it_stands(
    anvil: Chain, unlisted_pool: Callable[[Chain, str], Awaitable[tuple[Pool, Call]]]
) -> None:
    pool, listing = await unlisted_pool(anvil, "Normal")
    report = await judge(anvil.node, pool, amount=WEI // 10, policy=SafetyPolicy(), prelude=[listing])
    assert report.verdict is Verdict.SAFE, report.reasons
    outcomes = {check.name: check.outcome for check in report.checks}
    assert (outcomes[SOARED], outcomes[CRASHED]) == (Outcome.PASS, Outcome.PASS)


async def test_what_a_token_would_ask_is_found_before_there_is_a_trade_to_follow(anvil: Chain) -> None:
    learn()
    token, listing = await unlisted(anvil, "AsksDoorman")
    report = await judged(anvil, token, listing)
    assert report.verdict is not Verdict.SAFE
    assert any("its trades look at the proposer" in reason for reason in report.reasons)


async def test_a_listing_that_would_fail_proves_nothing(anvil: Chain) -> None:
    token, listing = await unlisted(anvil, "Normal")
    report = await judged(anvil, token, replace(listing, gas=200_000), best=True)
    assert report.verdict is Verdict.NOT_PROVEN
    assert "the waiting transaction that it would follow fails" in report.reasons[0]


async def test_who_lists_pays_from_what_he_has(anvil: Chain) -> None:
    """Were he lent the coins, a listing that never can be mined would be judged as though it could."""
    token, listing = await unlisted(anvil, "Normal")
    held = int(await anvil.node.call("eth_getBalance", [OWNER.address, "latest"]), 16)
    report = await judged(anvil, token, replace(listing, value=held), best=True)
    assert report.verdict is Verdict.NOT_PROVEN
