"""What others tip, as the node tells it."""

import pytest

from sniper_cli.chains.fee_history import FeeMarket, read_market, tips_in
from sniper_cli.chains.fees import Fees, base_fee_after
from sniper_cli.chains.node import Head
from sniper_cli.errors import OrderRefused
from sniper_cli.settings.fees import FeeSettings
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.venues.evm.policy import IN_TIME, ExecutionPolicy
from tests.chain_fixtures import ADDRESSES, Chain

GWEI = 10**9


def head(base_fee: int = GWEI) -> Head:
    return Head(1, "0x01", "0x00", 0, base_fee, 30_000_000, "0x" + "00" * 20)


def policy(**fees: object) -> ExecutionPolicy:
    return ExecutionPolicy.from_settings(SnipingSettings(), FeeSettings.model_validate(fees))


def test_one_block_with_a_bidding_war_does_not_make_every_bid_dear() -> None:
    history = {
        "reward": [["0x1", "0x5"], ["0x2", "0x6"], ["0x64", "0x3e8"]],
        "gasUsedRatio": [0.5, 0.5, 1.0],
    }
    assert tips_in(history, [50, 99]) == {50: 2, 99: 6}


def test_empty_blocks_say_nothing() -> None:
    history = {"reward": [["0x0"], ["0x9"], ["0x0"]], "gasUsedRatio": [0.0, 0.3, 0.0]}
    assert tips_in(history, [50]) == {50: 9}
    assert tips_in({"reward": [["0x0"]], "gasUsedRatio": [0.0]}, [50]) == {}


def test_a_higher_percentile_is_never_a_lower_tip() -> None:
    # block by block the percentiles rise, but the median may come from different blocks
    history = {"reward": [["0x5", "0x5"], ["0x5", "0x4"]], "gasUsedRatio": [1, 1]}
    assert tips_in(history, [50, 90]) == {50: 5, 90: 5}


def test_the_urgency_chooses_the_percentile() -> None:
    market = FeeMarket(1, {10: 1, 50: 5, 90: 9, 99: 99})
    from dataclasses import replace

    chosen = replace(policy(strategy="percentile"), market=market)
    tips = [chosen.bid(head(), urgency=urgency).priority_fee for urgency in (IN_TIME, 0, 1, 2, 3)]
    assert tips == [1, 5, 9, 99, 99]
    assert chosen.bid(head()) == Fees(base_fee_after(GWEI, 3) + 5, 5)


def test_what_could_not_be_learned_is_bid_as_the_settings_say() -> None:
    for strategy in ("percentile", "hint"):
        assert policy(strategy=strategy).bid(head()).priority_fee == 2 * GWEI


def test_the_hint_doubles_with_the_urgency() -> None:
    from dataclasses import replace

    hinted = replace(policy(strategy="hint"), market=FeeMarket(1, hint=7))
    assert [hinted.bid(head(), urgency=step).priority_fee for step in (0, 1, 2)] == [7, 14, 28]


def test_the_cap_holds_whatever_the_market_asks() -> None:
    from dataclasses import replace

    dear = replace(policy(strategy="percentile"), market=FeeMarket(1, {50: 10**15}))
    assert dear.bid(head()).max_fee == dear.max_fee
    with pytest.raises(OrderRefused):
        dear.bid(head(dear.max_fee))


def test_a_chain_without_eip_1559_is_bid_its_gas_price() -> None:
    from dataclasses import replace

    old = replace(policy(strategy="hint", legacy=True), market=FeeMarket(1, gas_price=5 * GWEI))
    assert old.bid(head(0)) == Fees(5 * GWEI + 3, 5 * GWEI + 3)  # no base fee: its ceiling is three wei


@pytest.mark.anvil
async def test_a_real_node_tells_its_market(anvil: Chain) -> None:
    for tip in (3, 5):
        await anvil.send(
            ADDRESSES[1],
            ADDRESSES[2],
            value=1,
            maxFeePerGas=hex(50 * GWEI),
            maxPriorityFeePerGas=hex(tip * GWEI),
        )
    market = await read_market(anvil.node, (10, 50, 90, 99), 2)
    assert set(market.tips) == {10, 50, 90, 99}
    assert market.tips[50] in {3 * GWEI, 5 * GWEI}
    assert market.hint is not None
    assert market.gas_price is not None
