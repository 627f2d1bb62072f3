"""A launch on V3 or v4, from its log to the ledger after the exit: seen, judged, bought, held, left, to the wei."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.sniping.events import (
    BuySent,
    LaunchDecided,
    LaunchJudged,
    LaunchSeen,
    PositionClosed,
    PositionOpened,
)
from state.launches import Decision, Verdict
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3
from tests.sniper_cli.sniping.conftest import TRADER, WEI, Hunt, exits, sniping
from tests.v4_zoo import list_on_v4
from tests.zoo import FOREVER, transact

pytestmark = pytest.mark.anvil

Listed = Callable[[Chain, str], Awaitable[Pool]]


async def on_v3(chain: Chain, kind: str) -> Pool:
    return await list_on_v3(chain.node, chain.v3, kind)


async def on_v4(chain: Chain, kind: str) -> Pool:
    return await list_on_v4(chain.node, chain.v4, kind)


async def on_v4_wrapped(chain: Chain, kind: str) -> Pool:
    return await list_on_v4(chain.node, chain.v4, kind, quote=chain.exchange.wrapped)


async def pump(chain: Chain, pool: Pool, wei: int) -> None:
    """Somebody else buys."""
    call = swaps.buy_call(pool, TRADER.address, wei, 0, FOREVER)
    assert (await transact(chain.node, TRADER, call.to, call.data, call.value)).ok


@pytest.mark.parametrize("listed", [on_v3, on_v4, on_v4_wrapped])
async def test_a_launch_is_bought_and_left_by_its_rule_and_ledger_equals_chain(
    hunt: Hunt, listed: Listed
) -> None:
    await hunt.start(sniping(exits(take_profit_pct="50")), exchanges=hunt.chain.exchanges)
    pool = await listed(hunt.chain, "Normal")
    assert (await hunt.until(LaunchSeen)).pool == pool.id
    await hunt.until(LaunchJudged, lambda event: event.verdict == Verdict.SAFE)
    await hunt.until(BuySent)
    opened = await hunt.until(PositionOpened)
    assert (opened.token, opened.spent) == (pool.token, WEI // 10)
    await pump(hunt.chain, pool, 4 * WEI)
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.token == pool.token
    launch = hunt.launch(pool.id)
    assert (launch.verdict, launch.decision) == (Verdict.SAFE, Decision.BOUGHT)
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_a_trap_is_refused_there(hunt: Hunt) -> None:
    await hunt.start(sniping(), exchanges=hunt.chain.exchanges)
    pool = await on_v3(hunt.chain, "SellFlag")
    decided = await hunt.until(LaunchDecided)
    assert (decided.decision, decided.reason[:13]) == (Decision.REFUSED, "selling fails")
    assert hunt.launch(pool.id).verdict is Verdict.UNSAFE


async def test_a_pool_whose_hooks_take_of_swaps_is_recorded_and_left_with_the_reason(hunt: Hunt) -> None:
    """Its Swap events do not tell all that moved; nothing would hold the ledger to the chain."""
    node, hooks = hunt.chain.node, f"0x{0xABCDEF << 14 | 1 << 7 | 1 << 3:040x}"
    # beforeSwap's selector, no delta, no fee: the hook asks for nothing, and might at any time.
    await node.call("anvil_setCode", [hooks, "0x63575e24b460e01b5f5260605ff3"])
    await hunt.start(sniping(), exchanges=hunt.chain.exchanges)
    pool = await list_on_v4(node, hunt.chain.v4, hooks=hooks)
    assert (await hunt.until(LaunchSeen)).pool == pool.id
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.SKIPPED
    assert "take of what is swapped" in decided.reason
    launch = hunt.launch(pool.id)
    assert (launch.protocol, launch.fee, launch.tick_spacing) == ("uniswap_v4", 3000, 60)
    assert (launch.hooks, launch.verdict) == (hooks, Verdict.PENDING)
