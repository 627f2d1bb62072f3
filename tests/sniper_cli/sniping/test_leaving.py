"""Every exit rule on a real chain: prices driven by other traders, liquidity taken by the deployer."""

from __future__ import annotations

import asyncio

import pytest

from sniper_cli.sniping.events import (
    ExitDecided,
    PendingRemoval,
    PositionClosed,
    PositionOpened,
    RunnerTrouble,
)
from sniper_cli.sniping.exits import ExitRule
from state.positions import positions_newest_first
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.zoo import balance_of, calldata, transact, until_waiting

pytestmark = pytest.mark.anvil
HELD_BACK = 100_000 * WEI
"""What the deployer keeps of the supply."""


async def bought(hunt: Hunt, kind: str = "Normal", **rules: object) -> tuple[str, str]:
    """A token of a kind, listed and bought, to be left by these rules only; token and pool."""
    await hunt.start(sniping(exits(**rules), level="daring"))
    token, pool = await hunt.list(kind)
    await hunt.until(PositionOpened)
    return token, pool


async def closed_by(hunt: Hunt, rule: str) -> PositionClosed:
    """The position is sold by this rule, and the ledger is true afterwards."""
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.rule == rule
    assert closed.profit == closed.received - closed.spent - closed.costs
    await hunt.stop()
    await hunt.require_true_ledger()
    return closed


async def test_profit_is_taken_when_others_drive_the_price_up(hunt: Hunt) -> None:
    token, _ = await bought(hunt, take_profit_pct=60)
    await hunt.pump(token, 3 * WEI)
    closed = await closed_by(hunt, ExitRule.TAKE_PROFIT)
    # 10 coins in the pool and 3 more: the price rises by about (13/10)² − 1 = 69 %.
    assert closed.profit > WEI * 60 // 1000


async def test_a_loss_is_stopped_when_the_deployer_sells(hunt: Hunt) -> None:
    token, _ = await bought(hunt, stop_loss_pct=10)
    await hunt.dump(token, HELD_BACK)
    closed = await closed_by(hunt, ExitRule.STOP_LOSS)
    assert closed.profit < 0


async def test_a_trailing_stop_keeps_most_of_a_gain(hunt: Hunt) -> None:
    token, _ = await bought(hunt, trailing_activation_pct=15, trailing_pct=10)
    await hunt.pump(token, 2 * WEI)
    await hunt.chain.mine()
    await hunt.dump(token, HELD_BACK)
    closed = await closed_by(hunt, ExitRule.TRAILING_STOP)
    assert closed.profit > 0


async def test_a_position_is_left_when_its_time_is_up(hunt: Hunt) -> None:
    await bought(hunt, max_age_seconds=1)
    await closed_by(hunt, ExitRule.TIME)


async def test_a_pool_that_loses_its_liquidity_is_left(hunt: Hunt) -> None:
    token, pool = await bought(hunt, liquidity_drop_pct=30)
    shares = await hunt.prepare_removal(pool)
    await transact(hunt.chain.node, OWNER, hunt.chain.exchange.router, hunt.removal(token, shares // 2))
    closed = await closed_by(hunt, ExitRule.LIQUIDITY)
    # Half the liquidity left at the same price: nearly all of the stake is still to be had.
    assert closed.received > WEI * 97 // 1000


async def test_a_waiting_removal_of_liquidity_is_outrun(hunt: Hunt) -> None:
    token, pool = await bought(hunt, watch_pending=True, liquidity_drop_pct=30)
    shares = await hunt.prepare_removal(pool)
    node = hunt.chain.node
    await node.call("evm_setAutomine", [False])
    try:
        removal = await node.call(
            "eth_sendTransaction",
            [{
                "from": OWNER.address,
                "to": hunt.chain.exchange.router,
                "data": hunt.removal(token, shares),
                "gas": hex(500_000),
                "maxFeePerGas": hex(50 * 10**9),
                "maxPriorityFeePerGas": hex(3 * 10**9),
            }],
        )  # fmt: skip
        assert (await hunt.until(PendingRemoval)).tx_hash == removal
        await hunt.until(ExitDecided, lambda event: event.rule is ExitRule.LIQUIDITY_PENDING)
        await until_waiting(node, hunt.account.address)
        await node.call("evm_mine")
    finally:
        await node.call("evm_setAutomine", [True])
    closed = await closed_by(hunt, ExitRule.LIQUIDITY_PENDING)
    assert closed.received > WEI * 97 // 1000, "sold behind the removal, a sale would bring next to nothing"


async def test_a_small_removal_frightens_nobody(hunt: Hunt) -> None:
    token, pool = await bought(hunt, watch_pending=True, liquidity_drop_pct=30)
    shares = await hunt.prepare_removal(pool)
    await hunt.chain.mine()
    await transact(hunt.chain.node, OWNER, hunt.chain.exchange.router, hunt.removal(token, shares // 20))
    await hunt.chain.mine(2)
    await asyncio.sleep(0.5)
    assert not [event for event in hunt.events if isinstance(event, ExitDecided | PositionClosed)]


async def test_a_held_token_that_turns_bad_is_left(hunt: Hunt) -> None:
    token, _ = await bought(hunt, "BuySellTax")
    await transact(hunt.chain.node, OWNER, token, calldata("setTaxes(uint256,uint256)", 0, 3_000))
    closed = await closed_by(hunt, ExitRule.SAFETY)
    assert closed.received > 0


async def test_everything_is_sold_when_the_run_is_to_end_so(hunt: Hunt) -> None:
    await hunt.start(sniping(), close_at_end=True)
    for _ in range(2):
        await hunt.list("Normal")
        await hunt.until(PositionOpened)
    await hunt.stop()
    rules = [event.rule for event in hunt.events if isinstance(event, PositionClosed)]
    assert rules == [ExitRule.END, ExitRule.END]
    await hunt.require_true_ledger()


async def test_a_taxed_token_is_marked_at_what_it_would_really_bring(hunt: Hunt) -> None:
    await bought(hunt, "BuySellTax", max_age_seconds=1)
    with hunt.ticking():
        await hunt.until(ExitDecided)
    with hunt.database.read() as session:
        marked = positions_newest_first(session, 1)[0].mark_value
    closed = await closed_by(hunt, ExitRule.TIME)
    # Bought 3 % and sold 7 % taxed; nobody traded between the mark and the sale.
    assert marked == closed.received


async def test_a_holding_that_its_contract_takes_away_is_written_off_and_the_ledger_stays_true(
    hunt: Hunt,
) -> None:
    token, _ = await bought(hunt, "BalanceBurn")
    holder = hunt.account.address
    half = await balance_of(hunt.chain.node, token, holder) // 2
    with hunt.ticking():
        await transact(hunt.chain.node, OWNER, token, calldata("burnFrom2(address,uint256)", holder, half))
        await hunt.until(RunnerTrouble, lambda trouble: "changed our balance" in trouble.problem)
    await hunt.require_true_ledger()
    with hunt.database.read() as session:
        assert abs(positions_newest_first(session, 1)[0].quantity - half) <= 1
    rest = await balance_of(hunt.chain.node, token, holder)
    with hunt.ticking():
        await transact(hunt.chain.node, OWNER, token, calldata("burnFrom2(address,uint256)", holder, rest))
    closed = await closed_by(hunt, "vanished")
    assert closed.received == 0
