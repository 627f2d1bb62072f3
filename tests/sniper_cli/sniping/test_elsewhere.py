"""A position whose pool is gone is left through another one, when there is another."""

from __future__ import annotations

from math import isqrt

import pytest
from sqlmodel import select

from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.sniping.events import LaunchDecided, PositionClosed, PositionOpened
from state.launches import Decision
from state.orders import Order, OrderState, Side
from tests import v4_zoo
from tests.concentrated_zoo import create, mint, whole_range
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.zoo import transact

pytestmark = pytest.mark.anvil


@pytest.mark.parametrize("protocol", [Protocol.V3, Protocol.V4])
async def test_liquidity_that_moved_to_another_pool_is_sold_into_there(
    hunt: Hunt, protocol: Protocol
) -> None:
    """The owner takes the V2 pool's coins and lists the token elsewhere: what is held goes there."""
    node = hunt.chain.node
    await hunt.start(sniping(exits(liquidity_drop_pct="50")), exchanges=hunt.chain.exchanges)
    token, pool = await hunt.list("Normal")
    opened = await hunt.until(PositionOpened)
    shares = await hunt.prepare_removal(pool)
    if protocol is Protocol.V3:
        other, _ = await create(node, hunt.chain.v3, token, OWNER, 3000, WEI, 90_000 * WEI)
        await mint(node, other, OWNER, *whole_range(3000), WEI, 90_000 * WEI)
    else:
        fourth = keyed_pool(hunt.chain.v4, token)
        await v4_zoo.initialize(node, fourth, OWNER, isqrt(90_000 << 192))
        await v4_zoo.mint(node, fourth, OWNER, *whole_range(3000), WEI, 90_000 * WEI)
    assert (await transact(node, OWNER, hunt.chain.exchange.router, hunt.removal(token, shares))).ok
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.position_id == opened.position_id
    with hunt.database.read() as session:
        sales = session.exec(select(Order).where(Order.position_id == opened.position_id)).all()
        [sold] = [order for order in sales if order.side is Side.SELL and order.state is OrderState.FILLED]
        assert sold.reason["route"] is True
        assert sold.filled_notional > WEI // 20
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_a_token_s_second_pool_is_no_second_launch(hunt: Hunt) -> None:
    await hunt.start(sniping(), exchanges=hunt.chain.exchanges)
    token, _ = await hunt.list("Normal")
    await hunt.until(PositionOpened)
    other, _ = await create(hunt.chain.node, hunt.chain.v3, token, OWNER, 3000, WEI, 90_000 * WEI)
    await mint(hunt.chain.node, other, OWNER, *whole_range(3000), WEI, 90_000 * WEI)
    decided = await hunt.until(LaunchDecided, lambda event: event.decision == Decision.SKIPPED)
    assert decided.reason == "its token was taken up in another pool"
    await hunt.stop()

    # A new run remembers by what is held.
    await hunt.start(sniping(), exchanges=hunt.chain.exchanges)
    third, _ = await create(hunt.chain.node, hunt.chain.v3, token, OWNER, 500, WEI, 9_000 * WEI)
    await mint(hunt.chain.node, third, OWNER, *whole_range(500), WEI, 9_000 * WEI)
    decided = await hunt.until(LaunchDecided, lambda event: event.decision == Decision.SKIPPED)
    assert decided.reason.startswith("its token was bought in another pool, 0x")
