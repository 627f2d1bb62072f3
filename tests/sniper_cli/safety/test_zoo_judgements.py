"""Thirty kinds of token: each is judged for what it is, and does when really traded what the simulation said."""

import pytest

from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.judge import judge
from sniper_cli.safety.matrix import TWO_BLOCKS
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.zoo import (
    EXPECTED,
    KINDS,
    TAXES,
    ZOO_POLICY,
    anvil_account,
    approve,
    balance_of,
    buy,
    list_token,
    sell,
)

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("zoo_judgements")]

POLICY = SafetyPolicy(
    max_buy_tax_bps=ZOO_POLICY.max_buy_tax_bps,
    max_sell_tax_bps=ZOO_POLICY.max_sell_tax_bps,
    max_sell_gas=ZOO_POLICY.max_sell_gas,
)
SELLS_WITHOUT_HARM = {"ok", "max_transaction"}
BUYER = anvil_account(5)


async def judged(chain: Chain, kind: str, policy: SafetyPolicy = POLICY) -> tuple[str, SafetyReport]:
    listing = await list_token(chain.node, chain.exchange, kind)
    report = await judge(
        chain.node,
        pair_of(chain.exchange, *listing),
        amount=ZOO_POLICY.amount,
        policy=policy,
        sender=BUYER.address,
    )
    return listing.token, report


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_of_the_zoo_is_judged_for_what_it_is_and_trades_as_simulated(
    anvil: Chain, kind: str
) -> None:
    token, report = await judged(anvil, kind)

    assert report.classification is EXPECTED[kind], report.reasons
    safe = EXPECTED[kind].value in SELLS_WITHOUT_HARM
    assert report.verdict is (Verdict.SAFE if safe else Verdict.UNSAFE)
    assert bool(report.reasons) is not safe
    if report.buy_tax_bps is not None:
        assert report.buy_tax_bps == TAXES.get(kind, (0, 0))[0]
    if report.sell_tax_bps is not None:
        assert report.sell_tax_bps == TAXES.get(kind, (0, 0))[1]

    await the_simulation_told_the_truth(anvil, token, report)


async def the_simulation_told_the_truth(chain: Chain, token: str, report: SafetyReport) -> None:
    """Buy, approve and sell for real, as the scenario did, and compare to the wei."""
    node, exchange = chain.node, chain.exchange
    bought = await buy(node, exchange, token, BUYER, ZOO_POLICY.amount)
    got = await balance_of(node, token, BUYER.address)
    assert bought.ok is (report.expected_quantity is not None)
    assert got == (report.expected_quantity or 0)
    if not bought.ok:
        return
    await approve(node, exchange, token, BUYER)
    before = int(await node.call("eth_getBalance", [BUYER.address, "latest"]), 16)
    sold = await sell(node, exchange, token, BUYER, got)
    after = int(await node.call("eth_getBalance", [BUYER.address, "latest"]), 16)

    [simulated] = report.figures["sales"][TWO_BLOCKS]
    assert sold.ok is simulated["ok"]
    assert after - before + sold.cost == int(simulated["paid_wei"])


async def test_a_tax_within_the_limits_is_safe_and_shown(anvil: Chain) -> None:
    _, report = await judged(anvil, "BuySellTax", SafetyPolicy())
    assert report.verdict is Verdict.SAFE
    assert (report.buy_tax_bps, report.sell_tax_bps) == (300, 700)
    taxed = {check.name: check for check in report.checks}
    assert taxed["buy_tax"].figure == "300 bps"
    assert taxed["buy_tax"].limit == "1000 bps"


async def test_reasons_are_sentences_with_figures(anvil: Chain) -> None:
    _, report = await judged(anvil, "Sell99")
    assert report.reasons == ("sell tax 99.00 % however it is tried is over the limit of 2.00 %",)
    _, report = await judged(anvil, "AutoBlacklist")
    assert report.reasons == ("selling fails however it is tried: revert 'bot'",)
    _, report = await judged(anvil, "GasGrief")
    assert report.reasons[0].startswith("a sale takes 5,68")
    assert report.reasons[0].endswith("gas, over the limit of 2,000,000")


async def test_what_cannot_be_bought_is_found_out_in_few_requests(anvil: Chain) -> None:
    _, report = await judged(anvil, "NotOpen")
    assert report.reasons == ("buying fails: revert 'trading not open'",)
    assert report.simulations <= 6


async def test_a_safe_report_has_a_figure_for_every_scenario(anvil: Chain) -> None:
    _, report = await judged(anvil, "Normal")
    assert {check.outcome for check in report.checks} == {Outcome.PASS}
    assert len([check for check in report.checks if check.name.startswith("sell_")]) == 22
    assert (report.symbol, report.name, report.decimals) == ("NORMAL", "Normal Token", 18)
    assert report.liquidity == 10 * 10**18
    assert report.as_json()["verdict"] == "safe"
