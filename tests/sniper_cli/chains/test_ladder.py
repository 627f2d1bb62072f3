"""A bid that waits is raised so that every client takes it, and never above the cap."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains.fees import Fees
from sniper_cli.chains.ladder import BLOB_RULE, RULES, below, bumped, replacement_fees, rungs
from sniper_cli.errors import OrderRefused

GWEI = 10**9
fee = st.integers(1, 10**13)
step = st.integers(1_250, 10_000)


def rule(client: str):
    return next(each for each in RULES if each.client == client)


@given(max_fee=fee, tip=st.integers(0, 10**13), market=fee, market_tip=fee, step_bps=step, cap=fee)
def test_every_client_takes_a_replacement_and_it_stays_below_the_cap(
    max_fee: int, tip: int, market: int, market_tip: int, step_bps: int, cap: int
) -> None:
    old = Fees(max_fee, min(tip, max_fee))
    try:
        new = replacement_fees(old, Fees(market, min(market_tip, market)), max_fee_cap=cap, step_bps=step_bps)
    except OrderRefused:
        assert bumped(max_fee, step_bps) > cap
        return
    assert [each.client for each in RULES if not each.accepts(old, new)] == []
    assert new.priority_fee <= new.max_fee <= cap
    assert new.max_fee >= min(market, cap)


@given(first=fee, tip=fee, cap=fee, step_bps=step)
def test_a_ladder_climbs_on_both_fields_and_ends_at_the_cap(
    first: int, tip: int, cap: int, step_bps: int
) -> None:
    bids = [
        Fees(first, min(tip, first)),
        *rungs(Fees(first, min(tip, first)), max_fee_cap=cap, step_bps=step_bps),
    ]
    for lower, higher in itertools.pairwise(bids):
        assert higher.max_fee * 8 >= lower.max_fee * 9
        assert higher.priority_fee * 8 >= lower.priority_fee * 9
        assert all(each.accepts(lower, higher) for each in RULES)
    assert all(bid.max_fee <= cap for bid in bids[1:])
    assert bumped(bids[-1].max_fee, step_bps) > cap


@given(cap=fee, step_bps=step)
def test_the_last_rung_but_one_leaves_room_for_the_end(cap: int, step_bps: int) -> None:
    highest = below(cap, step_bps)
    assert bumped(highest + 1, step_bps) > cap
    assert highest == 0 or bumped(highest, step_bps) <= cap


def test_what_anvil_was_seen_to_do_is_what_its_rule_says() -> None:
    # measured: 100/2 gwei waits; 105/2.1 and 110/2 were taken, 100/3 was not
    waiting, anvil = Fees(100 * GWEI, 2 * GWEI), rule("anvil")
    assert anvil.accepts(waiting, Fees(105 * GWEI, 2_100_000_000))
    assert anvil.accepts(waiting, Fees(110 * GWEI, 2 * GWEI))
    assert not anvil.accepts(waiting, Fees(100 * GWEI, 3 * GWEI))


def test_geth_asks_a_tenth_on_both_fields() -> None:
    waiting, geth = Fees(100 * GWEI, 2 * GWEI), rule("geth")
    assert geth.accepts(waiting, Fees(110 * GWEI, 2_200_000_000))
    assert not geth.accepts(waiting, Fees(110 * GWEI, 2 * GWEI))
    assert not geth.accepts(waiting, Fees(109 * GWEI, 3 * GWEI))
    assert not geth.accepts(Fees(3, 1), Fees(3, 1))  # a tenth of three wei is nothing, and yet it must rise


def test_parity_asked_an_eighth() -> None:
    assert not rule("parity").accepts(Fees(800, 80), Fees(899, 90))
    assert rule("parity").accepts(Fees(800, 80), Fees(900, 90))


def test_blobs_ask_for_twice_as_much() -> None:
    assert not BLOB_RULE.accepts(Fees(100, 10), Fees(199, 20))
    assert BLOB_RULE.accepts(Fees(100, 10), Fees(200, 20))


def test_a_replacement_above_the_cap_is_refused_with_both_figures() -> None:
    with pytest.raises(OrderRefused, match="replacing the transaction") as caught:
        replacement_fees(Fees(300 * GWEI, GWEI), Fees(1, 1), max_fee_cap=300 * GWEI)
    assert caught.value.details == {"needed": str(337_500_000_001), "max_fee_cap": str(300 * GWEI)}
