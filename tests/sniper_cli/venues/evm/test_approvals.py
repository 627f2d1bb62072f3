"""Approvals are for what is held and no more; what a sale leaves of one is taken back.

Whoever is killed in between: tests/sniper_cli/trading/test_crashes.py.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt
from typing import Any

import pytest

from sniper_cli.chains.devnet.deploy import wait_mined
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MAX_UINT, allowance_calls, approval_calls
from sniper_cli.trading.mending import sign_more
from sniper_cli.trading.reconciliation import adjust
from sniper_cli.venues.evm.approvals import calls_of
from sniper_cli.venues.evm.calls import SwapRequest
from sniper_cli.venues.evm.instruments import ensure_instrument
from state.database import Database
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests import zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import SPACINGS, list_on_v3, mint, pool_address, whole_range
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_desk, make_trader
from tests.hostile_zoo import learn

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

OWNER = zoo.anvil_account(9)
T = TransactionState


async def trader_of(chain: Chain, database: Database, kind: str, **policy: Any) -> Trader:
    learn()
    listing = await zoo.list_token(chain.node, chain.exchange, kind)
    return await make_trader(database, chain.node, chain.exchanges, listing.token, listing.pool, **policy)


async def allowance(trader: Trader, spender: str | None = None) -> int:
    data = zoo.calldata("allowance(address,address)", trader.venue.address, spender or trader.exchange.router)
    return int(await trader.node.call("eth_call", [{"to": trader.token, "data": data}, "latest"]), 16)


def acts(trader: Trader) -> list[tuple[Purpose, TransactionState]]:
    return [(each.purpose, each.state) for each in trader.rows(ChainTransaction)]


def amounts(trader: Trader, purpose: Purpose = Purpose.APPROVE) -> list[int]:
    """What each approval lets the router take."""
    return [int(each.data[-64:], 16) for each in trader.rows(ChainTransaction) if each.purpose is purpose]


async def burned_in_part(trader: Trader) -> None:
    """The token's owner burns a third of what we hold: a sale of the rest leaves an approval behind."""
    held = trader.ledger(trader.token_asset)
    data = zoo.calldata("burnFrom2(address,uint256)", trader.venue.address, held // 3)
    assert (await zoo.transact(trader.node, OWNER, trader.token, data)).ok
    await adjust(trader.desk, trader.account.id)


async def left_behind(chain: Chain, database: Database, **policy: Any) -> Trader:
    """A trader with a position of which a part was burned."""
    trader = await trader_of(chain, database, "BalanceBurn", **policy)
    await trader.buy()
    await trader.refresh(2)
    await burned_in_part(trader)
    return trader


async def require_true(trader: Trader) -> None:
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert_books_balance(trader.database)


async def test_an_approval_is_for_what_was_bought(anvil: Chain, sqlite_database: Database) -> None:
    trader = await trader_of(anvil, sqlite_database, "Fot5")
    await trader.buy(tax_bps=500)
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    assert await allowance(trader) == held > 0
    assert amounts(trader) == [held]


async def test_it_is_raised_with_the_position(anvil: Chain, sqlite_database: Database) -> None:
    trader = await trader_of(anvil, sqlite_database, "Normal")
    for _ in range(2):
        await trader.buy()
        await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    assert await allowance(trader) == held
    assert amounts(trader)[1] == held > amounts(trader)[0]
    await trader.sell(held)
    await trader.refresh(2)
    assert [purpose for purpose, _ in acts(trader)].count(Purpose.REVOKE) == 0
    await require_true(trader)


async def test_one_that_waits_is_raised_when_more_is_bought(anvil: Chain, sqlite_database: Database) -> None:
    trader = await trader_of(anvil, sqlite_database, "Normal")
    await trader.buy()
    await anvil.node.call("evm_setAutomine", [False])
    await trader.refresh()
    await trader.buy()
    await anvil.node.call("evm_mine")
    await anvil.node.call("evm_setAutomine", [True])
    await trader.refresh(2)
    assert await allowance(trader) == trader.ledger(trader.token_asset)


async def test_a_token_that_wants_zero_first_gets_it(anvil: Chain, sqlite_database: Database) -> None:
    trader = await trader_of(anvil, sqlite_database, "Dollar")
    for _ in range(2):
        await trader.buy()
        await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    assert await allowance(trader) == held
    assert [purpose for purpose, _ in acts(trader)] == [
        Purpose.BUY, Purpose.APPROVE, Purpose.BUY, Purpose.REVOKE, Purpose.APPROVE,
    ]  # fmt: skip
    assert {state for _, state in acts(trader)} == {T.MINED}
    await trader.sell(held)
    await trader.refresh(2)
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    await require_true(trader)


async def test_a_sale_without_an_approval_approves_what_it_sells(
    anvil: Chain, sqlite_database: Database
) -> None:
    trader = await trader_of(anvil, sqlite_database, "Normal")
    trader.desk.prepare_exits = False
    await trader.buy()
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    await trader.sell(held // 2)
    await trader.refresh(2)
    assert amounts(trader) == [held // 2]
    assert await allowance(trader) == 0
    await require_true(trader)


async def test_what_a_sale_leaves_is_taken_back_and_its_gas_is_the_positions(
    anvil: Chain, database: Database
) -> None:
    trader = await left_behind(anvil, database)
    await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh()
    fees = trader.rows(Position)[0].fees
    await trader.refresh(3)
    [revocation] = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.REVOKE]
    assert await allowance(trader) == 0
    assert revocation.state is T.MINED
    assert trader.rows(Position)[0].fees == fees + revocation.gas_cost
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    await require_true(trader)


async def test_kept_where_the_settings_say_so(anvil: Chain, sqlite_database: Database) -> None:
    trader = await left_behind(anvil, sqlite_database, keep_approvals=True)
    await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh(3)
    assert await allowance(trader) > 0
    assert amounts(trader, Purpose.REVOKE) == []


async def test_while_another_pool_of_the_token_is_held_its_approval_stays(
    anvil: Chain, sqlite_database: Database
) -> None:
    """V3 has a pool a fee, and one router for all: it must be let take what is held by both."""
    first = await list_on_v3(anvil.node, anvil.v3, fee=3000)
    trader = await make_trader(sqlite_database, anvil.node, anvil.exchanges, first.token, first)
    await trader.buy()
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    instrument_id, trader.instrument_id = trader.instrument_id, await second_pool(trader, first)
    await trader.buy()
    await trader.refresh(2)
    trader.instrument_id = instrument_id
    both = trader.ledger(trader.token_asset)
    assert await allowance(trader, anvil.v3.router) == both > held
    await trader.sell(held)
    await trader.refresh(3)
    assert await allowance(trader, anvil.v3.router) == both - held
    assert amounts(trader, Purpose.REVOKE) == []
    await require_true(trader)


async def second_pool(trader: Trader, first: Pool) -> str:
    """The instrument of another pool of the same token, with what its deployer kept."""
    node, exchange, fee = trader.node, first.exchange, 10_000
    coins, tokens = 5 * WEI, 50_000 * WEI
    amounts = (coins, tokens) if first.coin_first else (tokens, coins)
    price = isqrt((amounts[1] << 192) // amounts[0])
    making = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    data = zoo.calldata(making, *first.currencies, fee, price)
    assert (await zoo.transact(node, OWNER, exchange.position_manager, data)).ok
    found = await pool_address(node, exchange, first.token, fee)
    pool = replace(first, id=found, fee=fee, tick_spacing=SPACINGS[fee])
    await mint(node, pool, OWNER, *whole_range(fee), coins, tokens)
    with trader.database.write() as session:
        return ensure_instrument(session, pool, symbol="TKN", decimals=18).id


@pytest.mark.parametrize("fourth", [False, True])
async def test_what_another_router_was_let_for_a_route_is_taken_back_too(
    anvil: Chain, sqlite_database: Database, fourth: bool
) -> None:
    """A sale along a route goes through a router that is not that of the instrument's pool; this one never came."""
    trader = await trader_of(anvil, sqlite_database, "Normal")
    bought = await trader.buy()
    await trader.refresh(2)
    elsewhere = Pool(anvil.v4 if fourth else anvil.v3, "", trader.token, anvil.v3.wrapped)
    head = await anvil.node.head()
    count = int(await anvil.node.call("eth_getTransactionCount", [trader.venue.address, "pending"]), 16)
    calls = calls_of(approval_calls(elsewhere, trader.venue.address, WEI), Purpose.APPROVE)
    request = SwapRequest(calls, trader.venue.policy.bid(head), count, head, 0)
    order = trader.order(bought.order.id)
    sign_more(trader.desk, trader.account, order, request, trader.venue.record_taking_back)
    await trader.desk.give(trader.venue, trader.order(order.id))
    for each in trader.rows(ChainTransaction):
        await wait_mined(anvil.node, each.tx_hash)
    assert await let(trader, elsewhere) == [WEI] * len(calls)
    await trader.refresh(3)
    assert await let(trader, elsewhere) == [0] * len(calls)
    assert await allowance(trader) == trader.ledger(trader.token_asset)
    assert len(amounts(trader, Purpose.REVOKE)) == len(calls)
    await require_true(trader)


async def let(trader: Trader, pool: Pool) -> list[int]:
    """What the pool's router may take; of v4 Permit2 by the token's word, then the router by Permit2's."""
    calls = allowance_calls(pool, trader.venue.address)
    asked = [("eth_call", [{"to": call.to, "data": call.data}, "latest"]) for call in calls]
    return [int(answer[:66], 16) for answer in await trader.node.batch(asked)]


async def test_two_desks_take_it_back_once(anvil: Chain, sqlite_database: Database) -> None:
    trader = await left_behind(anvil, sqlite_database)
    await trader.sell(trader.ledger(trader.token_asset))
    other = make_desk(sqlite_database, anvil.node, anvil.exchanges, trader.key)
    for _ in range(2):
        await trader.refresh()
        await other.refresh(trader.account.id)
    assert amounts(trader, Purpose.REVOKE) == [0]


async def test_an_old_approval_without_limit_is_taken_back_with_its_position(
    anvil: Chain, sqlite_database: Database
) -> None:
    """Earlier editions approved without limit."""
    trader = await trader_of(anvil, sqlite_database, "Normal")
    await trader.buy()
    await trader.refresh(2)
    with sqlite_database.write() as session:
        [approval] = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.APPROVE]
        row = session.get_one(ChainTransaction, approval.id)
        row.data = row.data[:-64] + f"{MAX_UINT:064x}"
        session.add(row)
    unlimited = zoo.calldata("approve(address,uint256)", trader.exchange.router, MAX_UINT)
    signer = {"from": trader.venue.address, "to": trader.token, "data": unlimited}
    await anvil.node.call("anvil_impersonateAccount", [trader.venue.address])
    await anvil.node.call("eth_sendTransaction", [signer])
    await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh(3)
    assert await allowance(trader) == 0
    assert amounts(trader, Purpose.REVOKE) == [0]
