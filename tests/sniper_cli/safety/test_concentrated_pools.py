"""Tokens listed on the real Uniswap V3 and v4: judged by the same scenarios, and traded for real as simulated."""

from collections.abc import Awaitable, Callable

import pytest

from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import Pool
from sniper_cli.safety.hooks import judge_hooks
from sniper_cli.safety.judge import judge, require_pool
from sniper_cli.safety.matrix import CRASHED, SOARED, TWO_BLOCKS
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3
from tests.v4_zoo import list_on_v4
from tests.zoo import FOREVER, POOL_WEI, WEI, anvil_account, balance_of, transact

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("concentrated_pools")]

BUYER = anvil_account(5)
AMOUNT = WEI // 10
POLICY = SafetyPolicy(max_buy_tax_bps=200, max_sell_tax_bps=200, max_sell_gas=2_000_000)

Listed = Callable[[Chain, str], Awaitable[Pool]]


async def on_v3(chain: Chain, kind: str) -> Pool:
    return await list_on_v3(chain.node, chain.v3, kind)


async def on_v3_upside_down(chain: Chain, kind: str) -> Pool:
    """With the token as token0: its address must lie below the coin's, so tokens are deployed until one does."""
    for _ in range(12):
        pool = await list_on_v3(chain.node, chain.v3, kind, fee=10_000)
        if not pool.coin_first:
            return pool
    pytest.fail("twelve tokens in a row above the coin")


async def on_v4(chain: Chain, kind: str) -> Pool:
    return await list_on_v4(chain.node, chain.v4, kind)


async def on_v4_wrapped(chain: Chain, kind: str) -> Pool:
    return await list_on_v4(chain.node, chain.v4, kind, quote=chain.exchange.wrapped)


EVERYWHERE = (on_v3, on_v3_upside_down, on_v4, on_v4_wrapped)
SAFE = ("Normal", "OwnerBlacklist", "Nameless", "Proxy1967")
BAD = (
    "AutoBlacklist", "WhitelistSell", "SimAwareCoinbase", "PartialSell", "SecondSell", "ApproveTrap",
    "DelayedBlacklist", "Sell99", "Fot5", "GasGrief",
)  # fmt: skip


async def judged(chain: Chain, pool: Pool, policy: SafetyPolicy = POLICY) -> SafetyReport:
    return await judge(chain.node, pool, amount=AMOUNT, policy=policy, sender=BUYER.address)


async def the_simulation_told_the_truth(chain: Chain, pool: Pool, report: SafetyReport) -> None:
    """Buy, approve and sell for real, as the scenario did, and compare to the wei."""
    node, who = chain.node, BUYER.address
    buy = swaps.buy_call(pool, who, AMOUNT, 0, FOREVER)
    bought = await transact(node, BUYER, buy.to, buy.data, buy.value)
    got = await balance_of(node, pool.token, who)
    assert bought.ok
    assert got == report.expected_quantity
    allowed = [
        (await transact(node, BUYER, each.to, each.data)).ok for each in swaps.approval_calls(pool, who, got)
    ]
    before = int(await node.call("eth_getBalance", [who, "latest"]), 16)
    sell = swaps.sell_call(pool, who, got, 0, FOREVER)
    sold = await transact(node, BUYER, sell.to, sell.data)
    after = int(await node.call("eth_getBalance", [who, "latest"]), 16)

    [simulated] = report.figures["sales"][TWO_BLOCKS]
    assert (all(allowed) and sold.ok) is simulated["ok"]
    assert after - before + sold.cost == int(simulated["paid_wei"])


@pytest.mark.parametrize("listed", EVERYWHERE)
@pytest.mark.parametrize("kind", SAFE)
async def test_an_honest_token_is_safe_and_trades_as_simulated(
    anvil: Chain, listed: Listed, kind: str
) -> None:
    pool = await listed(anvil, kind)
    report = await judged(anvil, pool)
    assert report.verdict is Verdict.SAFE, report.reasons
    names = {check.name for check in report.checks}
    assert {SOARED, CRASHED} <= names
    assert (report.buy_tax_bps, report.sell_tax_bps) == (0, 0)
    await the_simulation_told_the_truth(anvil, pool, report)


@pytest.mark.parametrize("listed", [on_v3, on_v4])
@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_token_is_found_out_there_too(anvil: Chain, listed: Listed, kind: str) -> None:
    pool = await listed(anvil, kind)
    report = await judged(anvil, pool)
    assert report.verdict is Verdict.UNSAFE, report.reasons
    await the_simulation_told_the_truth(anvil, pool, report)


async def test_a_small_tax_trades_in_v4_and_not_in_v3(anvil: Chain) -> None:
    """V3's pool asks for an amount and takes no less; v4's manager books what came."""
    report = await judged(anvil, await on_v4(anvil, "CappedTax"))
    assert (report.verdict, report.sell_tax_bps) == (Verdict.SAFE, 200)
    report = await judged(anvil, await on_v3(anvil, "CappedTax"))
    assert report.classification is Classification.HONEYPOT
    assert "keeps a part of what is sent" in report.reasons[0]


async def test_a_price_that_shuts_a_token_is_reached_without_trades(anvil: Chain) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, "Normal")
    report = await judged(anvil, pool)
    sales = report.figures["sales"]
    normal, soared, crashed = (int(sales[name][0]["paid_wei"]) for name in (TWO_BLOCKS, SOARED, CRASHED))
    assert soared == pytest.approx(4 * normal, rel=0.05)
    assert crashed == pytest.approx(normal / 4, rel=0.05)
    assert all(
        int(sales[name][0]["fair_wei"]) == int(sales[name][0]["paid_wei"]) for name in (SOARED, CRASHED)
    )


async def test_a_pool_that_starts_with_tokens_only_is_as_deep_as_what_moves_its_price(anvil: Chain) -> None:
    """As launchpads list. There is no price below the first one, so none is tried after a crash."""
    for _ in range(2):
        pool = await list_on_v3(anvil.node, anvil.v3, "Normal", tokens_only=True)
        report = await judged(anvil, pool)
        assert report.verdict is Verdict.SAFE, report.reasons
        assert report.liquidity == pytest.approx(POOL_WEI, rel=0.01)
        names = {check.name for check in report.checks}
        assert SOARED in names
        assert CRASHED not in names
        await the_simulation_told_the_truth(anvil, pool, report)


async def test_a_pool_of_another_factory_is_not_the_exchange_s(anvil: Chain) -> None:
    pool = await on_v3(anvil, "Normal")
    other = Pool(pool.exchange, pool.id, pool.token, pool.quote, 500, 10)
    report = await judged(anvil, other)
    assert report.verdict is Verdict.UNSAFE
    assert "knows no pool of this token" in report.reasons[0]


async def test_the_deepest_pool_of_a_token_is_found_on_every_exchange(anvil: Chain) -> None:
    pool = await on_v3(anvil, "Normal")
    assert await require_pool(anvil.node, anvil.exchanges, pool.token) == pool


HOOKS = 0xABCDEF << 14
SHUTS_SALES = "0x5f5415600f5760c435600f575f5ffd5b63575e24b460e01b5f5260605ff3"
"""SLOAD ISZERO JUMPI, zeroForOne JUMPI, REVERT; beforeSwap's selector and no change otherwise."""


@pytest.mark.parametrize(
    ("calls", "outcome"),
    [(1 << 7, Outcome.NOT_PROVEN), (1 << 7 | 1 << 3, Outcome.FAIL), (1 << 13, Outcome.PASS), (0, None)],
)
def test_what_hooks_may_do_stands_in_their_address(calls: int, outcome: Outcome | None) -> None:
    hooks = f"0x{(HOOKS | calls) if outcome else 0:040x}"
    exchange = Exchange(1, "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20, protocol=Protocol.V4)
    pool = keyed_pool(exchange, "0x" + "44" * 20, hooks=hooks)
    lines = judge_hooks(pool)
    assert [line.outcome for line in lines] == ([] if outcome is None else [outcome])


async def test_hooks_that_shut_sales_are_found_out_and_hooks_that_may_are_not_passed(anvil: Chain) -> None:
    """The hook's code refuses what sells tokens while its first slot is set; it stands where v4 would ask it."""
    node, hooks = anvil.node, f"0x{HOOKS | 1 << 7:040x}"
    await node.call("anvil_setCode", [hooks, SHUTS_SALES])
    pool = await list_on_v4(node, anvil.v4, "Normal", hooks=hooks)
    report = await judged(anvil, pool)
    assert report.verdict is Verdict.SAFE, report.reasons
    await node.call("anvil_setStorageAt", [hooks, "0x" + "0" * 64, "0x" + "0" * 63 + "1"])
    report = await judged(anvil, pool)
    assert report.verdict is Verdict.UNSAFE
    assert report.classification is Classification.HONEYPOT
