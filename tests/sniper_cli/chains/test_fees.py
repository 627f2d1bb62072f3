"""What is bid: enough for the next blocks, ahead of whom we flee from, and never above the cap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains.fees import Fees, base_fee_after, legacy, quote_fees, worth_at_most
from sniper_cli.chains.node import Head
from sniper_cli.errors import OrderRefused

GWEI = 10**9
fee = st.integers(1, 10**13)


def head(base_fee: int) -> Head:
    return Head(1, "0x01", "0x00", 0, base_fee, 30_000_000, "0x" + "00" * 20)


def test_the_base_fee_can_rise_by_an_eighth_a_block() -> None:
    # EIP-1559: 100 → 112.5 → 126.5625, rounded up at each block
    assert [base_fee_after(100, blocks) for blocks in range(4)] == [100, 113, 128, 144]


def test_an_ordinary_bid_outlives_three_full_blocks() -> None:
    bid = quote_fees(head(GWEI), priority_fee=2 * GWEI, max_fee_cap=300 * GWEI)
    assert bid == Fees(base_fee_after(GWEI, 3) + 2 * GWEI, 2 * GWEI)


def test_urgency_doubles_the_tip() -> None:
    tips = [
        quote_fees(head(GWEI), priority_fee=GWEI, max_fee_cap=300 * GWEI, urgency=step).priority_fee
        for step in range(3)
    ]
    assert tips == [GWEI, 2 * GWEI, 4 * GWEI]


def test_a_cap_below_the_base_fee_is_refused_with_both_figures() -> None:
    with pytest.raises(OrderRefused) as caught:
        quote_fees(head(301 * GWEI), priority_fee=1, max_fee_cap=300 * GWEI)
    assert caught.value.details == {"base_fee": str(301 * GWEI), "max_fee_cap": str(300 * GWEI)}


@given(base=fee, tip=fee, cap=fee, urgency=st.integers(0, 4), outbid=st.none() | fee)
def test_no_bid_ever_passes_the_cap_or_tips_more_than_it_pays(
    base: int, tip: int, cap: int, urgency: int, outbid: int | None
) -> None:
    try:
        bid = quote_fees(head(base), priority_fee=tip, max_fee_cap=cap, urgency=urgency, outbid_fee=outbid)
    except OrderRefused:
        assert cap <= base
        return
    assert base < bid.max_fee <= cap
    assert 0 < bid.priority_fee <= bid.max_fee


@given(
    max_fee=fee,
    tip=fee,
    gas=st.integers(21_000, 10**7),
    profit=st.integers(0, 10**20),
    share=st.integers(1, 10_000),
)
def test_a_tip_never_costs_more_than_its_share_of_the_expected_gain(
    max_fee: int, tip: int, gas: int, profit: int, share: int
) -> None:
    bid = Fees(max_fee, min(tip, max_fee))
    cut = worth_at_most(bid, gas=gas, profit=profit, share_bps=share)
    assert cut.priority_fee * gas * 10_000 <= profit * share
    assert bid.max_fee - cut.max_fee == bid.priority_fee - cut.priority_fee >= 0


def test_without_eip_1559_both_fields_are_the_gas_price() -> None:
    assert legacy(Fees(10, 2)) == Fees(10, 10)
