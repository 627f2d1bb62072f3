"""The blocks that a tried token sees are as the chain's next ones would be."""

from decimal import Decimal

import pytest

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Head
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.pool import pair_of
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.safety import trades
from sniper_cli.safety.matrix import FAR, WEEK, matrix
from sniper_cli.safety.policy import COIN, GWEI, SafetyPolicy
from sniper_cli.safety.simulation import (
    BUILDERS,
    ZERO_ADDRESS,
    Block,
    Call,
    fresh_address,
    next_base_fee,
    pocket_money,
    request,
    results,
    surroundings,
)
from sniper_cli.settings.model import SnipingSettings

PROPOSER = "0x" + "ab" * 20


def head(**fields) -> Head:
    given = {
        "number": 1000, "hash": "0x1", "parent_hash": "0x0", "timestamp": 4_000_000_000, "base_fee": 10 * GWEI,
        "gas_limit": 30_000_000, "coinbase": PROPOSER, "gas_used": 15_000_000,
    }  # fmt: skip
    return Head(**(given | fields))


@pytest.mark.parametrize(
    ("used", "next_fee"),
    [
        # EIP-1559: an eighth more after a full block, an eighth less after an empty one, the same after a half.
        (30_000_000, 1_125_000_000),
        (0, 875_000_000),
        (15_000_000, 1_000_000_000),
        (22_500_000, 1_062_500_000),
    ],
)
def test_the_next_base_fee_is_what_the_protocol_makes_it(used: int, next_fee: int) -> None:
    assert next_base_fee(head(base_fee=GWEI, gas_used=used)) == next_fee


def test_the_proposer_is_the_head_s_own_and_where_there_is_none_a_known_builder() -> None:
    assert surroundings(head(), SafetyPolicy()).coinbase == PROPOSER
    around = surroundings(head(coinbase=ZERO_ADDRESS), SafetyPolicy())
    assert around.coinbase in BUILDERS
    assert around.other_coinbase in BUILDERS
    assert around.coinbase != around.other_coinbase


def test_the_bid_is_the_desk_s() -> None:
    around = surroundings(head(), SafetyPolicy(priority_fee=3 * GWEI))
    assert around.fees.priority_fee == 3 * GWEI
    assert around.urgent.priority_fee == 12 * GWEI
    assert around.fees.max_fee > 10 * GWEI * 14 // 10


def test_a_fee_cap_below_the_base_fee_does_not_stop_a_judgement() -> None:
    around = surroundings(head(base_fee=400 * GWEI), SafetyPolicy(max_fee=300 * GWEI))
    assert around.fees.max_fee > around.base_fee


def test_later_base_fees_drift_within_what_the_protocol_allows() -> None:
    around = surroundings(head(), SafetyPolicy())
    assert around.base_fee_ahead(1) == around.base_fee
    drifted = {around.base_fee_ahead(2) for _ in range(50)}
    assert len(drifted) > 1
    assert all(abs(fee - around.base_fee) <= around.base_fee // 8 for fee in drifted)


def test_jumps_leave_the_time_that_geth_asks_for() -> None:
    around = surroundings(head(), SafetyPolicy(block_seconds=1))
    assert around.seconds(1) == 1
    assert around.seconds(30) >= 30 * 12


def test_required_scenarios_stay_within_the_blocks_that_real_nodes_simulate() -> None:
    for scenario in matrix(2_000_000):
        furthest = 1 + scenario.delay + scenario.legs[-1].blocks
        assert furthest < 256 or scenario.name == WEEK
        if scenario.name == WEEK:
            assert furthest > FAR


def test_nothing_of_a_sender_repeats() -> None:
    assert len({fresh_address() for _ in range(100)}) == 100
    around = surroundings(head(), SafetyPolicy())
    money = {pocket_money(COIN, around, 8_000_000) for _ in range(20)}
    assert len(money) == 20
    assert all(COIN < wei < 100 * COIN for wei in money)
    assert not any(wei % GWEI == 0 for wei in money)


def test_answers_are_matched_by_number_since_geth_lists_the_blocks_that_fill_a_jump() -> None:
    around = surroundings(head(), SafetyPolicy())
    call = Call(fresh_address(), PROPOSER, "0x", gas=50_000)
    blocks = [Block(1, 12, (call,), PROPOSER), Block(4, 48, (call,), PROPOSER)]
    done = {"status": "0x1", "returnData": "0x", "gasUsed": "0x5208", "logs": []}
    failed = {"status": "0x0", "returnData": "0x", "gasUsed": "0x6000", "error": {"code": 3}}
    answer = [
        {"number": hex(1001), "calls": [done]},
        {"number": hex(1002), "calls": []},
        {"number": hex(1003), "calls": []},
        {"number": hex(1004), "calls": [failed]},
    ]
    [[first], [second]] = results(around, blocks, answer)
    assert first.ok
    assert not second.ok
    assert second.reason == "revert without a reason"


@pytest.mark.parametrize("answer", [None, [], [{"number": "0x3e9", "calls": []}], [{"calls": [{}]}], "0x"])
def test_an_unreadable_answer_is_the_node_s_failure_not_the_token_s(answer) -> None:
    around = surroundings(head(), SafetyPolicy())
    call = Call(fresh_address(), PROPOSER, "0x")
    with pytest.raises(NodeRefused, match="cannot be read"):
        results(around, [Block(1, 12, (call,), PROPOSER)], answer)


def test_a_request_asks_for_a_whole_block_and_for_validation_apart() -> None:
    around = surroundings(head(), SafetyPolicy())
    call = Call(fresh_address(), PROPOSER, "0x", value=5)
    asked = request(around, [Block(1, 12, (call,), PROPOSER)], {call.sender: 7}, {PROPOSER: "0xfe"})
    [block] = asked["blockStateCalls"]
    assert set(block["blockOverrides"]) == {"number", "time", "feeRecipient", "baseFeePerGas", "prevRandao"}
    assert block["stateOverrides"] == {call.sender: {"balance": "0x7"}, PROPOSER: {"code": "0xfe"}}
    assert block["calls"][0]["maxFeePerGas"] == hex(around.fees.max_fee)


def test_the_policy_is_the_settings_in_whole_units() -> None:
    settings = SnipingSettings(
        min_liquidity=Decimal("2.5"), priority_fee_gwei=Decimal("1.5"), max_sell_gas=900_000
    )
    policy = SafetyPolicy.from_settings(settings, block_seconds=Decimal("0.25"))
    assert policy.min_liquidity == 25 * 10**17
    assert policy.priority_fee == 15 * 10**8
    assert policy.max_sell_gas == 900_000
    assert policy.block_seconds == 1


def test_the_rehearsal_sets_the_gas_limits_that_the_desk_sets() -> None:
    """A token that looks at the gas left must see in the rehearsal what it will see of the order."""
    from sniper_cli.venues.evm import planning

    assert planning.APPROVE_GAS == trades.APPROVE_GAS
    assert planning.SPARE_GAS == trades.SPARE_GAS
    assert planning._gas_limit(150_001, head()) == trades.gas_limit(150_001)


def test_calls_are_encoded_as_any_encoder_does() -> None:
    exchange = Exchange(1, "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20)
    token, who = "0x" + "f4" * 20, "0x" + "05" * 20
    market = trades.Market(pair_of(exchange, token, "0x" + "66" * 20), 7, Reserves(1, 1))
    buy = trades.buy_call(market, who, 7, gas=1)
    path, forever = [exchange.wrapped, token], trades.FOREVER
    types = ["uint256", "address[]", "address", "uint256"]
    assert buy.data == abi.encode_call(abi.CALL_BUY, types, [0, path, who, forever])
    sell = trades.sell_call(market, who, 99, gas=1)
    assert sell.data == abi.encode_call(abi.CALL_SELL, ["uint256", *types], [99, 0, path[::-1], who, forever])
    [approve] = trades.approve_calls(market, who, 99)
    assert approve.data == abi.encode_call(abi.CALL_APPROVE, ["address", "uint256"], [exchange.router, 99])
