"""Pools of v4 whose hooks refuse, price or tax swaps: found by trying, as a token's own tricks are."""

from __future__ import annotations

import pytest

from sniper_cli.pools.keys import DYNAMIC_FEE
from sniper_cli.safety.hooks import judge_hooks
from sniper_cli.safety.judge import judge
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyReport
from state.launches import Verdict
from tests.chain_fixtures import Chain
from tests.v4_zoo import hooks_of, list_on_v4

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("concentrated_pools")]

POLICY = SafetyPolicy(max_buy_tax_bps=200, max_sell_tax_bps=200, max_sell_gas=2_000_000)


async def judged(
    chain: Chain, kind: str, *arguments: int, fee: int = 3000
) -> tuple[SafetyReport, Outcome, str]:
    hooks = await hooks_of(chain.node, chain.v4, kind, *arguments)
    pool = await list_on_v4(chain.node, chain.v4, fee=fee, hooks=hooks)
    [line] = judge_hooks(pool)
    return await judge(chain.node, pool, amount=10**17, policy=POLICY), line.outcome, line.detail


@pytest.mark.parametrize("blocks", [0, 20, 150])
async def test_hooks_that_refuse_sales_now_or_later_are_unsafe(anvil: Chain, blocks: int) -> None:
    opened = (await anvil.node.head()).number + 20
    report, outcome, _ = await judged(anvil, "RefusingHooks", blocks and opened + blocks)

    assert report.verdict is Verdict.UNSAFE
    assert "selling fails" in report.reasons[0]
    assert outcome is Outcome.NOT_PROVEN


async def test_hooks_that_let_everything_pass_are_not_proven_to_go_on_so(anvil: Chain) -> None:
    report, outcome, detail = await judged(anvil, "RefusingHooks", 2**40)

    assert report.verdict is Verdict.SAFE
    assert (outcome, "asked about every swap" in detail) == (Outcome.NOT_PROVEN, True)


@pytest.mark.parametrize(("sell_fee", "verdict"), [(3000, Verdict.SAFE), (500_000, Verdict.UNSAFE)])
async def test_hooks_that_price_sales_apart_are_judged_by_what_a_sale_brings(
    anvil: Chain, sell_fee: int, verdict: Verdict
) -> None:
    report, _, _ = await judged(anvil, "PricingHooks", 3000, sell_fee, fee=DYNAMIC_FEE)

    assert report.verdict is verdict


async def test_hooks_that_take_of_sales_fail_by_their_address_alone(anvil: Chain) -> None:
    _, outcome, detail = await judged(anvil, "TakingHooks", 0, 9_000)

    assert outcome is Outcome.FAIL
    assert "may take from what is swapped" in detail
