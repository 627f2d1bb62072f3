"""Ladders, holds, requests and stuck exits on a real chain: every step once, whatever happens in between."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import select

from sniper_cli.sniping import overrides
from sniper_cli.sniping.attempts import sales_of, sold_by_steps
from sniper_cli.sniping.events import ExitDecided, ExitStuck, HeadSeen, PositionClosed, PositionOpened
from sniper_cli.sniping.rules import ExitRule
from state.journal import JournalRecord
from state.orders import Order, OrderState
from state.positions import Position
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.zoo import calldata, transact

pytestmark = pytest.mark.anvil
LADDER = ("20:50", "80:25")


async def opened(hunt: Hunt, **rules: object) -> tuple[str, PositionOpened]:
    await hunt.start(sniping(exits(**rules)))
    token, _ = await hunt.list("Normal")
    return token, await hunt.until(PositionOpened)


def sales(hunt: Hunt, position: UUID) -> list[Order]:
    with hunt.database.read() as session:
        found = sales_of(session, hunt.account.id, [position])[position]
        session.expunge_all()
        return found


def position_of(hunt: Hunt, position: UUID) -> Position:
    with hunt.database.read() as session:
        row = session.get_one(Position, position)
        session.expunge(row)
        return row


async def blocks(hunt: Hunt, count: int) -> None:
    """So many rounds are worked through."""
    for _ in range(count):
        await hunt.chain.mine()
        await hunt.until(HeadSeen)


async def test_a_ladder_sells_its_steps_once_and_keeps_the_rest(hunt: Hunt) -> None:
    token, bought = await opened(hunt, take_profit=LADDER)
    await hunt.pump(token, 2 * WEI)  # (12/10)² = +44 %: the first step
    await blocks(hunt, 5)
    after_one = position_of(hunt, bought.position_id)
    told = [(o.quantity, o.reason) for o in sales(hunt, bought.position_id)], after_one.exit_rules
    assert after_one.quantity == bought.quantity - bought.quantity // 2, told

    await hunt.pump(token, 4 * WEI)
    await blocks(hunt, 5)

    found = sales(hunt, bought.position_id)
    assert [order.state for order in found] == [OrderState.FILLED, OrderState.FILLED]
    assert dict(sold_by_steps(found)) == {
        Decimal(20): bought.quantity // 2,
        Decimal(80): bought.quantity // 4,
    }
    left = position_of(hunt, bought.position_id)
    assert left.quantity == bought.quantity - bought.quantity // 2 - bought.quantity // 4
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_steps_passed_at_once_are_sold_together(hunt: Hunt) -> None:
    token, bought = await opened(hunt, take_profit=LADDER)
    await hunt.pump(token, 8 * WEI)
    await blocks(hunt, 5)
    found = sales(hunt, bought.position_id)
    assert [order.quantity for order in found] == [bought.quantity // 2 + bought.quantity // 4]
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_a_restart_between_steps_repeats_none(hunt: Hunt) -> None:
    token, bought = await opened(hunt, take_profit=LADDER)
    await hunt.pump(token, 2 * WEI)
    await blocks(hunt, 4)
    await hunt.stop()
    assert len(sales(hunt, bought.position_id)) == 1

    await hunt.start(sniping(exits(take_profit=LADDER)))
    await blocks(hunt, 4)

    assert len(sales(hunt, bought.position_id)) == 1


async def test_a_reorganisation_takes_an_exit_back_with_its_step_and_it_is_sold_again(hunt: Hunt) -> None:
    token, bought = await opened(hunt, take_profit=LADDER)
    await hunt.pump(token, 2 * WEI)
    await blocks(hunt, 3)
    rules = position_of(hunt, bought.position_id).exit_rules["take_profit"]
    sold = sales(hunt, bought.position_id)
    assert [order.state for order in sold] == [OrderState.FILLED]

    await hunt.chain.node.call("anvil_reorg", [3, []])
    with hunt.ticking():
        await hunt.until(HeadSeen)
        await asyncio.sleep(2)

    again = sales(hunt, bought.position_id)
    assert position_of(hunt, bought.position_id).exit_rules["take_profit"] == rules
    # The price of before the pump may have come back with the reorganisation: the step is then open again.
    steps = dict(sold_by_steps(again))
    assert steps.get(Decimal(20), 0) in (0, bought.quantity // 2)
    held = position_of(hunt, bought.position_id).quantity
    assert held == bought.quantity - steps.get(Decimal(20), 0)
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_what_is_left_is_sold_at_its_cost_once_a_step_is_done(hunt: Hunt) -> None:
    token, _ = await opened(hunt, take_profit=("10:50",), break_even_steps=1)
    await hunt.pump(token, WEI)  # (11/10)² = +21 %
    await blocks(hunt, 4)
    await hunt.dump(token, 100_000 * WEI)  # and below where it began
    with hunt.ticking():
        await hunt.until(ExitDecided, lambda event: event.rule is ExitRule.BREAK_EVEN)
        closed = await hunt.until(PositionClosed)
    assert closed.rule == ExitRule.BREAK_EVEN


async def test_a_pool_where_nobody_trades_is_left(hunt: Hunt) -> None:
    await opened(hunt, volume_stall_blocks=3)
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.rule == ExitRule.VOLUME_STALL


async def test_a_price_that_stands_still_is_left(hunt: Hunt) -> None:
    await opened(hunt, price_stall_blocks=3, price_stall_pct=1)
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.rule == ExitRule.PRICE_STALL


async def test_a_position_on_hold_is_kept_until_its_rules_count_again(hunt: Hunt) -> None:
    _, bought = await opened(hunt, price_stall_blocks=3, price_stall_pct=1)
    overrides.hold(hunt.database, bought.position_id, actor="a person")
    await blocks(hunt, 8)
    assert not sales(hunt, bought.position_id)

    overrides.hold(hunt.database, bought.position_id, actor="a person", held=False)
    with hunt.ticking():
        assert (await hunt.until(PositionClosed)).rule == ExitRule.PRICE_STALL


async def test_half_is_sold_at_the_next_block_when_somebody_asks_for_it_and_only_once(hunt: Hunt) -> None:
    _, bought = await opened(hunt)
    overrides.ask(
        hunt.database, bought.position_id, share=Decimal(50), urgent=True, max_slippage_bps=None, actor="a person"
    )  # fmt: skip
    await blocks(hunt, 6)
    found = sales(hunt, bought.position_id)
    assert [(order.state, order.quantity) for order in found] == [(OrderState.FILLED, bought.quantity // 2)]
    assert found[0].reason["rule"] == ExitRule.BY_HAND
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_rules_edited_meanwhile_count_at_the_next_block(hunt: Hunt) -> None:
    _, bought = await opened(hunt)
    await blocks(hunt, 2)
    overrides.edit(hunt.database, bought.position_id, {"max_age_seconds": 1}, actor="a person")
    with hunt.ticking():
        assert (await hunt.until(PositionClosed)).rule == ExitRule.TIME


async def test_an_exit_that_fails_and_fails_is_told_aloud_with_all_that_was_tried(hunt: Hunt) -> None:
    settings = exits(max_age_seconds=1, stuck_after=2)
    await hunt.start(sniping(settings))
    token, _ = await hunt.list("Pausable")
    bought = await hunt.until(PositionOpened)
    await transact(hunt.chain.node, OWNER, token, calldata("setPaused(bool)", True))
    with hunt.ticking():
        stuck = await hunt.until(ExitStuck)
    assert stuck.position_id == bought.position_id
    assert len(stuck.attempts) == 2
    assert all(attempt.reason for attempt in stuck.attempts)
    assert stuck.attempts[1].max_slippage_bps > stuck.attempts[0].max_slippage_bps
    with hunt.database.read() as session:
        told = session.exec(select(JournalRecord).where(JournalRecord.kind == "exit.stuck")).all()
        assert [record.subject for record in told] == [str(bought.position_id)]
    with hunt.ticking():
        await hunt.until(ExitDecided, lambda event: event.attempt > 2)  # it is tried on
