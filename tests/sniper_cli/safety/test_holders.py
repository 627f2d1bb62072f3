"""Those who hold a token already try to sell it, each from his own account."""

import pytest
from eth_utils.crypto import keccak

from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.pools.swaps import buy_call
from sniper_cli.safety.holders import Holders, line_of, simulate_holders
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome
from sniper_cli.safety.simulation import surroundings
from sniper_cli.safety.trades import FOREVER, Market
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3
from tests.hostile_zoo import listed
from tests.zoo import SUPPLY, WEI, Listing, anvil_account, buy, calldata, list_token, transact

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("holders")]

LAUNCHER = anvil_account(9)
HOLDERS = tuple(anvil_account(index) for index in range(1, 7))


async def held(chain: Chain, listing: Listing) -> Listing:
    """Six accounts buy, each a little more than the one before."""
    for index, account in enumerate(HOLDERS, start=1):
        assert (await buy(chain.node, chain.exchange, listing.token, account, index * WEI // 100)).ok
    return listing


async def tried(chain: Chain, listing: Listing) -> Holders:
    return await tried_in(chain, pair_of(chain.exchange, *listing))


async def tried_in(chain: Chain, pool: Pool) -> Holders:
    around = surroundings(await chain.node.head(), SafetyPolicy())
    market = Market(pool, WEI // 10)
    return await simulate_holders(chain.node, around, market, spared=(LAUNCHER.address,))


async def test_holders_of_an_honest_token_sell_all_they_have(anvil: Chain) -> None:
    found = await tried(anvil, await held(anvil, await list_token(anvil.node, anvil.exchange, "Normal")))
    assert [each.holder for each in found.attempts] == [
        account.address.lower() for account in reversed(HOLDERS)
    ]
    assert (found.failed, found.siphoned, found.highest_tax_bps) == (0, 0, 0)
    assert line_of(found, 1).outcome is Outcome.PASS


async def test_taxes_are_those_of_the_pool(anvil: Chain) -> None:
    found = await tried(anvil, await held(anvil, await list_token(anvil.node, anvil.exchange, "BuySellTax")))
    assert (found.average_tax_bps, found.highest_tax_bps) == (700, 700)
    assert "7.00 % tax on average" in line_of(found, 1).detail


async def test_who_was_shut_out_one_by_one_is_counted(anvil: Chain) -> None:
    listing = await held(anvil, await list_token(anvil.node, anvil.exchange, "OwnerBlacklist"))
    for account in HOLDERS[:2]:
        data = calldata("blacklist(address,bool)", account.address, True)
        assert (await transact(anvil.node, LAUNCHER, listing.token, data)).ok
    found = await tried(anvil, listing)
    assert (found.failed, found.failed_bps) == (2, 3333)
    line = line_of(found, 1)
    assert line.outcome is Outcome.FAIL
    assert line.detail == "2 of 6 holders cannot sell what they have"
    assert {
        each.result for each in line.evidence if "blacklisted" in each.result or "FROM_FAILED" in each.result
    }


async def test_a_token_that_lets_nobody_out_fails_for_all(anvil: Chain) -> None:
    found = await tried(anvil, await held(anvil, await listed(anvil.node, anvil.exchange, "HashAware")))
    assert (found.failed, len(found.tried)) == (6, 6)


async def test_a_balance_that_was_taken_is_seen_against_the_logs(anvil: Chain) -> None:
    listing = await held(anvil, await list_token(anvil.node, anvil.exchange, "Normal"))
    # What a token takes without a Transfer log it takes in its storage: balanceOf is its fourth variable.
    victim = HOLDERS[5].address
    slot = "0x" + keccak(int(victim, 16).to_bytes(32) + (3).to_bytes(32)).hex()
    await anvil.node.call("anvil_setStorageAt", [listing.token, slot, "0x" + "0" * 63 + "1"])
    found = await tried(anvil, listing)
    assert found.siphoned == 1


async def test_where_nobody_has_bought_there_is_nothing_to_say(anvil: Chain) -> None:
    found = await tried(anvil, await list_token(anvil.node, anvil.exchange, "Normal"))
    assert found.attempts == ()
    assert line_of(found, 1).outcome is Outcome.PASS


async def test_a_launchpad_s_pool_pays_holders_what_its_buyers_brought_and_no_failure_is_made_of_the_rest(
    anvil: Chain,
) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=10_000, account=LAUNCHER, tokens_only=True)
    whale = HOLDERS[0]
    gift = calldata("transfer(address,uint256)", whale.address, SUPPLY // 10)
    assert (await transact(anvil.node, LAUNCHER, pool.token, gift)).ok

    nobody_bought = await tried_in(anvil, pool)
    assert (nobody_bought.attempts, nobody_bought.unpaid) == ((), 1)
    assert line_of(nobody_bought, 1).detail == "the pool has no coins for what 1 hold, and nobody has bought"

    purchase = buy_call(pool, HOLDERS[1].address.lower(), WEI, 0, FOREVER)
    assert (await transact(anvil.node, HOLDERS[1], purchase.to, purchase.data, purchase.value)).ok
    found = await tried_in(anvil, pool)
    assert [each.failed for each in found.attempts] == [False, False]
    # All that lies in the pool, a fee of 1 % off; what more he has nobody pays for.
    assert found.attempts[0].holder == whale.address.lower()
    assert 0.98 * WEI < found.attempts[0].sale.paid < WEI
    assert found.attempts[0].sale.sent < SUPPLY // 10


async def test_crumbs_that_are_worth_nothing_make_nobody_a_holder(anvil: Chain) -> None:
    listing = await held(anvil, await list_token(anvil.node, anvil.exchange, "Normal"))
    crumb = calldata("transfer(address,uint256)", anvil_account(8).address, 1)
    assert (await transact(anvil.node, LAUNCHER, listing.token, crumb)).ok
    found = await tried(anvil, listing)
    assert (found.failed, len(found.attempts), found.unpaid) == (0, 6, 1)
