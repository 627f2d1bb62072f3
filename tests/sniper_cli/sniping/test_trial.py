"""A trial before the purchase: bought, really sold, and only then the rest; by real transactions on a real chain."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlmodel import select

from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import (
    BuySent,
    LaunchDecided,
    PositionClosed,
    PositionOpened,
    TrialDone,
    TrialSent,
)
from sniper_cli.sniping.telling import report
from sniper_cli.sniping.trial import RULE
from state.launches import Decision
from state.orders import Order, OrderState
from state.positions import Position
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.sniper_cli.sniping.test_every_protocol import Listed, on_v3, on_v4
from tests.zoo import calldata, transact, until_waiting

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

A_LITTLE = Decimal("0.01")
TRIED = sniping(trial_amount=A_LITTLE)


def orders(hunt: Hunt) -> list[Order]:
    with hunt.database.read() as session:
        found = list(session.exec(select(Order).order_by(Order.id)).all())
        session.expunge_all()
        return found


def names(found: list[Order]) -> list[str]:
    return [order.client_order_id.partition("-")[2][37:] for order in found]


def coins(units: Decimal) -> int:
    return int(units.scaleb(18))


async def test_a_little_is_bought_and_sold_before_the_rest_is_bought(hunt: Hunt) -> None:
    await hunt.start(TRIED)
    _, pool = await hunt.list("Normal")
    assert [(await hunt.until(TrialSent)).side for _ in range(2)] == ["buy", "sell"]
    done = await hunt.until(TrialDone)
    opened = await hunt.until(PositionOpened)

    assert (done.passed, done.spent) == (True, coins(A_LITTLE))
    found = orders(hunt)
    assert names(found) == ["trial-buy", "trial-sell", "buy"]
    assert [order.state for order in found] == [OrderState.FILLED] * 3
    assert found[1].quantity == found[0].filled_quantity
    # Of what was really sold, the pool's two fees are gone, and nothing else.
    assert coins(A_LITTLE) * 99 // 100 < done.received < coins(A_LITTLE)
    assert found[2].budget == opened.spent == WEI // 10 - coins(A_LITTLE)
    assert hunt.launch(pool).decision is Decision.BOUGHT
    await hunt.stop()
    await hunt.require_true_ledger()


@pytest.mark.parametrize("listed", [on_v3, on_v4])
async def test_a_trial_on_concentrated_pools_too(hunt: Hunt, listed: Listed) -> None:
    await hunt.start(TRIED, exchanges=hunt.chain.exchanges)
    pool = await listed(hunt.chain, "Normal")
    with hunt.ticking():
        done = await hunt.until(TrialDone)
        opened = await hunt.until(PositionOpened)
    assert (done.passed, done.spent) == (True, coins(A_LITTLE)), done.reason
    assert coins(A_LITTLE) * 98 // 100 < done.received < coins(A_LITTLE)
    assert (opened.token, opened.spent) == (pool.token, WEI // 10 - coins(A_LITTLE))
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_a_trial_s_position_is_left_by_the_trial_and_by_no_rule(hunt: Hunt) -> None:
    """A rule that fires at once would sell it, and the trial would find nothing to sell."""
    await hunt.start(sniping(exits(take_profit_pct="0.001", stop_loss_pct="0.001"), trial_amount=A_LITTLE))
    await hunt.list("Normal")
    assert (await hunt.until(TrialDone)).passed
    await hunt.until(PositionClosed)  # of the purchase
    await hunt.stop()

    with hunt.database.read() as session:
        rules = [p.exit_rule for p in session.exec(select(Position).order_by(Position.id)).all()]
        told = report(session)
    assert rules[0] == RULE
    assert rules[1] == "stop_loss"
    assert (told.bought, told.closed) == (1, 1)
    assert told.spent == Decimal("0.1")


async def test_what_cannot_be_sold_after_all_is_not_bought(hunt: Hunt) -> None:
    """The owner closes the door behind the trial's purchase: no simulation before it could have told."""
    await hunt.start(TRIED)
    node = hunt.chain.node
    await node.call("evm_setAutomine", [False])
    with hunt.ticking():
        token, pool = await hunt.list("OwnerBlacklist")
    assert (await hunt.until(TrialSent)).side == "buy"
    banned = asyncio.create_task(
        transact(node, OWNER, token, calldata("blacklist(address,bool)", hunt.account.address, True))
    )
    await until_waiting(node, OWNER.address)
    await node.call("evm_mine")  # the purchase and the ban, in one block
    assert (await banned).ok
    await node.call("evm_setAutomine", [True])
    done = await hunt.until(TrialDone)
    decided = await hunt.until(LaunchDecided)

    assert not done.passed
    assert "the trial's sale failed" in decided.reason
    assert decided.decision == Decision.REFUSED
    assert names(orders(hunt))[:2] == ["trial-buy", "trial-sell"]
    assert "buy" not in names(orders(hunt))
    # What is left of the trial is a position like any other, and its exits take care of it.
    assert (await hunt.until(PositionOpened)).spent == coins(A_LITTLE)
    assert any("the trial's sale failed" in reason for reason in hunt.launch(pool).reasons)


async def test_a_token_that_is_bought_on_no_trial_is_bought_as_before(hunt: Hunt) -> None:
    await hunt.start(sniping())
    await hunt.list("Normal")
    assert (await hunt.until(BuySent)).amount == WEI // 10
    await hunt.until(PositionOpened)
    assert names(orders(hunt)) == ["buy"]


def test_a_trial_is_a_part_of_the_amount() -> None:
    with pytest.raises(ValidationError, match="below amount"):
        SnipingSettings(amount=Decimal("0.1"), trial_amount=Decimal("0.1"))
