"""What a launch's deployer sends: selectors as Solidity makes them, and the pool that stands afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.demo import liquidity
from sniper_cli.demo.plan import plan_launches
from sniper_cli.demo.steps import Act, steps_of
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.tick_math import tick_at_sqrt_ratio

LOW, HIGH = "0x" + "11" * 20, "0x" + "ee" * 20
KEY = "(address,address,uint24,int24,address)"


@pytest.mark.parametrize(
    ("selector", "signature"),
    [
        (liquidity.CALL_REFUND, "refundETH()"),
        (liquidity.CALL_COLLECT, "collect((uint256,address,uint128,uint128))"),
        (liquidity.CALL_UNWRAP, "unwrapWETH9(uint256,address)"),
        (liquidity.CALL_SWEEP, "sweepToken(address,uint256,address)"),
        (liquidity.CALL_INITIALIZE, f"initializePool({KEY},uint160)"),
    ],
)
def test_selectors_are_those_of_their_signatures(selector, signature):
    assert selector == "0x" + keccak(text=signature)[:4].hex()


def test_the_topic_is_that_of_its_event():
    event = "IncreaseLiquidity(uint256,uint128,uint256,uint256)"
    assert "0x" + keccak(text=event).hex() == liquidity.INCREASED


def pool_of(token: str, wrapped: str) -> Pool:
    exchange = Exchange(1, wrapped, LOW, LOW, protocol=Protocol.V3, position_manager=HIGH)
    return Pool(exchange, LOW, token, wrapped, 10_000, 200)


@pytest.mark.parametrize(("token", "wrapped"), [(LOW, HIGH), (HIGH, LOW)])
def test_a_launchpad_s_range_lies_where_the_token_is_dearer_and_begins_within_a_step_of_the_price(
    token, wrapped
):
    launch = replace(plan_launches(7, 60)[0], tokens_only=True)
    pool = pool_of(token, wrapped)
    lower, upper = liquidity.span_of(launch, pool)
    tick = tick_at_sqrt_ratio(liquidity.first_price(launch, pool))
    # Where the coin is token1 the price in ticks is that of the token; where it is token0, the coin's.
    if token == LOW:
        assert 0 < lower - tick <= 200
        assert upper == 887_200
    else:
        assert 0 <= tick - upper < 200
        assert lower == -887_200
    assert liquidity.coins_listed(launch) == 0


@pytest.mark.parametrize("protocol", list(Protocol))
def test_on_v4_tokens_are_let_in_two_steps_and_only_v2_s_deployer_lets_the_router_take_his_shares(protocol):
    planned = next(launch for launch in plan_launches(3, 60) if launch.role.kind == "rug_pull")
    steps = steps_of(replace(planned, protocol=protocol, tokens_only=False), 3)
    deployers = [step.act for step in steps if step.account == planned.index]
    permits = [Act.PERMIT] if protocol is Protocol.V4 else []
    assert deployers[: 3 + len(permits)] == [Act.DEPLOY, Act.APPROVE, *permits, Act.SET_PAIR]
    assert (Act.APPROVE_POOL in deployers) is (protocol is Protocol.V2)


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
async def test_where_a_pool_will_stand_is_known_before_it_does(anvil):
    exchanges = Exchanges((anvil.exchange, anvil.v3, anvil.v4))
    launch = replace(plan_launches(7, 60)[0], protocol=Protocol.V3, fee=500)
    pool = liquidity.planned_pool(launch, exchanges, HIGH)
    to, data = liquidity.creation_call(launch, pool)
    assert (await anvil.send("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc", to, data))["status"] == "0x1"
    asked = abi.encode_call(
        abi.CALL_GET_POOL, ["address", "address", "uint24"], [HIGH, exchanges.wrapped, 500]
    )
    answer = await anvil.node.call("eth_call", [{"to": anvil.v3.factory, "data": asked}, "latest"])
    assert abi.address_word(answer, 0) == pool.id
