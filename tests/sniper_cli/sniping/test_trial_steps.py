"""A trial killed with -9 at every one of its steps repeats none and skips none; and what its two orders say."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from sqlmodel import select

from sniper_cli.sniping.trial import Trial, trial_id, weighed
from state.database import Database
from state.orders import Order, OrderState, Side
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI
from tests.sniper_cli.trading.test_crashes import (
    Host,
    assert_whole,
    databases,
    host,
    new_life,
    pool_trades,
    slow_anvil,
)
from tests.zoo import list_token

__all__ = ["databases", "host", "slow_anvil"]
LAUNCH = UUID(int=7)
TRIAL = Trial(LAUNCH, UUID(int=1), "evm:1:pool", 100, 1500, 3000, 500, 1000)
LEGS = 3
"""The trial's purchase, its sale, the rest."""
SALE = 2
PASSED_BY_EACH = ("recorded", "before_apply_commit")
"""Before its order is sent, and before what became of it is known; the desk's other steps: `test_crashes`."""


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
@pytest.mark.timeout(240)
async def test_killed_at_every_step_it_tries_once_and_buys_the_rest_once(
    slow_anvil: Chain, host: Host, databases: Callable[[str], str]
) -> None:
    listing = await list_token(slow_anvil.node, slow_anvil.exchange, "Normal", pool_wei=1000 * WEI)
    await slow_anvil.node.call("evm_setAutomine", [False])
    with Database(databases("whole")) as database:
        trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
        steps: list[str] = (await host.run({**job, "trial": str(LAUNCH)}))["done"]
        await assert_whole(trader, trades=(2, 1))
    assert steps.count("recorded") == LEGS
    for at, step in enumerate(steps, start=1):
        leg = steps[:at].count("recorded")
        if (
            step not in PASSED_BY_EACH
            or steps[:at].count(step) > LEGS
            or (step != "recorded" and leg != SALE)
        ):
            continue
        with Database(databases(f"step-{at}")) as database:
            trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
            assert await host.run({**job, "trial": str(LAUNCH), "kill_at": at}) == {"killed_at": step}
            await host.run({**job, "trial": str(LAUNCH)})
            assert await pool_trades(trader) == (2, 1)
            with database.read() as session:
                found = [o.client_order_id for o in session.exec(select(Order).order_by(Order.id)).all()]
            assert found == [trial_id(LAUNCH, Side.BUY), trial_id(LAUNCH, Side.SELL), "crash-buy"]


def order(side: Side, *, promised: int, got: int, state: OrderState = OrderState.FILLED) -> Any:
    """A leg that was promised so much and brought so much, of its quantity or of coins."""
    return cast(
        "Any",
        SimpleNamespace(
            side=side,
            state=state,
            explanation=None if state is OrderState.FILLED else "TRANSFER_FAILED",
            reason={"promised": str(promised)},
            filled_quantity=got if side is Side.BUY else 1000,
            filled_notional=100 if side is Side.BUY else got,
        ),
    )


@pytest.mark.parametrize(
    ("bought", "sold", "passed", "words"),
    [
        (1000, 90, True, "what was simulated"),
        (1000, 81, True, "what was simulated"),  # 10 % less than 90: just what a tax may take
        (1000, 80, False, "the trial's sale brought 11.11 % less than simulated, over the 10 %"),
        (950, 90, True, "what was simulated"),
        (949, 90, False, "the trial's purchase brought 5.1 % less than simulated, over the 5 %"),
        (1000, 0, False, "brought 100 % less"),
    ],
)
def test_what_a_trial_brought_is_held_against_what_was_simulated(
    bought: int, sold: int, passed: bool, words: str
) -> None:
    found = weighed(
        TRIAL, order(Side.BUY, promised=1000, got=bought), order(Side.SELL, promised=90, got=sold)
    )
    assert (found.passed, words in found.words) == (passed, True), found.words


def test_a_sale_that_failed_is_no_sale() -> None:
    failed = order(Side.SELL, promised=90, got=0, state=OrderState.REJECTED)
    found = weighed(TRIAL, order(Side.BUY, promised=1000, got=1000), failed)
    assert (found.passed, found.words) == (False, "the trial's sale failed: TRANSFER_FAILED")
