"""What is held in concentrated pools: marks by their exact state at every block, also at those nobody watched."""

from __future__ import annotations

import pytest
from sqlmodel import select

from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import read_side
from sniper_cli.sniping.events import HeadSeen, PositionClosed, PositionOpened
from sniper_cli.sniping.exits import ExitRule
from state.positions import Position
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.concentrated_zoo import list_on_v3, mint, withdraw
from tests.sniper_cli.sniping.conftest import OWNER, TRADER, WEI, Hunt, exits, sniping
from tests.zoo import FOREVER, MAX_UINT, calldata, transact

pytestmark = pytest.mark.anvil


async def bought(hunt: Hunt, kind: str = "Normal", **rules: object) -> Pool:
    """A token of a kind, listed on V3 over all prices and bought, to be left by these rules only."""
    await hunt.start(sniping(exits(**rules), level="daring"), exchanges=hunt.chain.exchanges)
    pool = await list_on_v3(hunt.chain.node, hunt.chain.v3, kind, account=OWNER)
    await hunt.until(PositionOpened)
    return pool


async def pump(hunt: Hunt, pool: Pool, wei: int) -> None:
    call = swaps.buy_call(pool, TRADER.address, wei, 0, FOREVER)
    assert (await transact(hunt.chain.node, TRADER, call.to, call.data, call.value)).ok


async def dump(hunt: Hunt, pool: Pool, quantity: int) -> None:
    approval = calldata("approve(address,uint256)", pool.exchange.router, MAX_UINT)
    assert (await transact(hunt.chain.node, OWNER, pool.token, approval)).ok
    call = swaps.sell_call(pool, OWNER.address, quantity, 0, FOREVER)
    assert (await transact(hunt.chain.node, OWNER, call.to, call.data)).ok


async def worth(hunt: Hunt, pool: Pool) -> int:
    """What the pool would pay for the position now, read from scratch."""
    side = await read_side(hunt.chain.node, pool)
    assert side is not None
    return side.reversed.pays(position(hunt).quantity)


def position(hunt: Hunt) -> Position:
    with hunt.database.read() as session:
        found = session.exec(select(Position)).one()
        session.expunge(found)
        return found


async def look(hunt: Hunt) -> Position:
    """The position after the round of a new block."""
    await hunt.chain.mine()
    head = await hunt.chain.node.head()
    await hunt.until(HeadSeen, lambda event: event.number >= head.number)
    return position(hunt)


async def test_marks_are_what_the_pool_would_pay_whatever_moved_in_it_and_while_nobody_looked(
    hunt: Hunt,
) -> None:
    node, pool = hunt.chain.node, await bought(hunt)
    await pump(hunt, pool, 3 * WEI)
    assert (await look(hunt)).mark_value == await worth(hunt, pool)
    side = await read_side(node, pool)
    middle = side.pool.tick // 60 * 60  # type: ignore[union-attr]
    await mint(node, pool, OWNER, middle - 1200, middle + 1200, WEI, 20_000 * WEI)
    assert (await look(hunt)).mark_value == await worth(hunt, pool)
    await dump(hunt, pool, 30_000 * WEI)
    await withdraw(node, pool, OWNER, 100)
    assert (await look(hunt)).mark_value == await worth(hunt, pool)

    await hunt.stop()
    await pump(hunt, pool, 4 * WEI)
    await mint(node, pool, OWNER, -887_220, 887_220, WEI, 20_000 * WEI)
    peak = await worth(hunt, pool)
    await dump(hunt, pool, 20_000 * WEI)
    await hunt.start(sniping(exits()), exchanges=hunt.chain.exchanges)
    held = await look(hunt)
    assert held.mark_value == await worth(hunt, pool) < peak
    assert held.peak_value == peak


async def test_a_pool_that_loses_its_liquidity_is_left_and_the_approval_with_it(hunt: Hunt) -> None:
    """The owner burns some of what we hold, then takes half the liquidity out: the sale leaves an approval behind."""
    pool = await bought(hunt, "BalanceBurn", liquidity_drop_pct=30)
    held = (await look(hunt)).quantity
    assert await allowance(hunt, pool) == held
    burn = calldata("burnFrom2(address,uint256)", hunt.account.address, held // 10)
    assert (await transact(hunt.chain.node, OWNER, pool.token, burn)).ok
    await look(hunt)
    await withdraw(hunt.chain.node, pool, OWNER, 50)
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    await look(hunt)
    await look(hunt)
    assert closed.rule == ExitRule.LIQUIDITY
    assert closed.received > WEI * 87 // 1000
    assert await allowance(hunt, pool) == 0
    assert revocations(hunt) == [TransactionState.MINED]
    await hunt.stop()
    await hunt.require_true_ledger()


async def allowance(hunt: Hunt, pool: Pool) -> int:
    data = calldata("allowance(address,address)", hunt.account.address, swaps.spender(pool))
    return int(await hunt.chain.node.call("eth_call", [{"to": pool.token, "data": data}, "latest"]), 16)


def revocations(hunt: Hunt) -> list[TransactionState]:
    with hunt.database.read() as session:
        query = select(ChainTransaction).where(ChainTransaction.purpose == Purpose.REVOKE)
        return [each.state for each in session.exec(query).all()]
