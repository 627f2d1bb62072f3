"""A sale that failed whole is sold in parts, on a chain: to the last unit, not to what no gas is worth."""

from __future__ import annotations

import pytest

from sniper_cli.sniping.events import ExitStuck, PositionClosed, PositionOpened
from tests.sniper_cli.sniping.conftest import OWNER, Hunt, exits, sniping
from tests.sniper_cli.sniping.test_ladders import position_of, sales
from tests.zoo import calldata, transact

pytestmark = pytest.mark.anvil


async def test_a_token_that_can_be_sold_again_is_sold_in_parts_until_nothing_is_left(hunt: Hunt) -> None:
    await hunt.start(sniping(exits(max_age_seconds=1, stuck_after=2)))
    token, _ = await hunt.list("Pausable")
    bought = await hunt.until(PositionOpened)
    await transact(hunt.chain.node, OWNER, token, calldata("setPaused(bool)", True))
    with hunt.ticking():
        await hunt.until(ExitStuck)
    await transact(hunt.chain.node, OWNER, token, calldata("setPaused(bool)", False))
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.position_id == bought.position_id
    assert position_of(hunt, bought.position_id).quantity == 0
    parts = [order.filled_quantity for order in sales(hunt, bought.position_id) if order.filled_quantity]
    assert len(parts) > 1, "what failed whole was cut"
    assert sum(parts) == bought.quantity
    await hunt.stop()
    await hunt.require_true_ledger()
