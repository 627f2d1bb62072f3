"""The desk on the real Uniswap v4: both approvals exact and used up, ledger and chain equal to the wei."""

from __future__ import annotations

from typing import Any

import pytest

from sniper_cli.chains import abi
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.trading.reconciliation import adjust
from state.database import Database
from state.orders import Fill, OrderState
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose
from tests import zoo
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.hostile_zoo import learn
from tests.v4_zoo import list_on_v4

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

OWNER = zoo.anvil_account(9)
WRAPPED = pytest.mark.parametrize("wrapped", [False, True])


async def trader_of(
    chain: Chain, database: Database, kind: str = "Normal", *, wrapped: bool = False, **options: Any
) -> tuple[Trader, Pool]:
    learn()
    quote = chain.v4.wrapped if wrapped else ZERO_ADDRESS
    pool = await list_on_v4(chain.node, chain.v4, kind, quote=quote, **options)
    return await make_trader(database, chain.node, chain.exchanges, pool.token, pool), pool


async def allowances(trader: Trader, pool: Pool) -> list[int]:
    """What the token lets Permit2 take, and what Permit2 lets the router."""
    answers = [
        await trader.node.call("eth_call", [{"to": call.to, "data": call.data}, "latest"])
        for call in swaps.allowance_calls(pool, trader.venue.address)
    ]
    return [abi.word(answer, 0) for answer in answers]


async def require_true(trader: Trader) -> None:
    """The ledger is what the chain says, coin and token, to the wei."""
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert_books_balance(trader.database)


def purposes(trader: Trader) -> list[Purpose]:
    return [transaction.purpose for transaction in trader.rows(ChainTransaction)]


@WRAPPED
async def test_bought_let_twice_and_sold_to_the_wei(
    anvil: Chain, sqlite_database: Database, wrapped: bool
) -> None:
    trader, pool = await trader_of(anvil, sqlite_database, wrapped=wrapped, fee=500, tick_spacing=10)
    bought = await trader.buy()
    await trader.refresh(3)
    held = trader.ledger(trader.token_asset)
    assert held == int(bought.summary["expected_quantity"])
    assert await allowances(trader, pool) == [held, held]

    sold = await trader.sell(held)
    await trader.refresh(3)

    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert trader.rows(Fill)[-1].notional == int(sold.summary["expected"])
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    assert await allowances(trader, pool) == [0, 0]
    assert purposes(trader) == [Purpose.BUY, Purpose.APPROVE, Purpose.APPROVE, Purpose.SELL]
    await require_true(trader)


@WRAPPED
async def test_a_token_with_a_tax_each_way_is_bought_and_sold(
    anvil: Chain, sqlite_database: Database, wrapped: bool
) -> None:
    trader, pool = await trader_of(anvil, sqlite_database, "BuySellTax", wrapped=wrapped)
    await trader.buy(tax_bps=300, max_slippage_bps=100)
    await trader.refresh(3)
    held = trader.ledger(trader.token_asset)

    sold = await trader.sell(held, tax_bps=700, max_slippage_bps=100)
    await trader.refresh(3)

    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert trader.rows(Fill)[-1].notional == int(sold.summary["expected"])
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    assert await allowances(trader, pool) == [0, 0]
    await require_true(trader)


async def test_what_a_sale_leaves_of_both_is_taken_back(anvil: Chain, sqlite_database: Database) -> None:
    trader, pool = await trader_of(anvil, sqlite_database, "BalanceBurn")
    await trader.buy()
    await trader.refresh(3)
    held = trader.ledger(trader.token_asset)
    data = zoo.calldata("burnFrom2(address,uint256)", trader.venue.address, held // 3)
    assert (await zoo.transact(trader.node, OWNER, trader.token, data)).ok
    await adjust(trader.desk, trader.account.id)
    await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh(4)

    assert await allowances(trader, pool) == [0, 0]
    assert purposes(trader).count(Purpose.REVOKE) == 2
    await require_true(trader)


async def test_both_are_raised_with_the_position_also_where_a_token_wants_zero_first(
    anvil: Chain, sqlite_database: Database
) -> None:
    trader, pool = await trader_of(anvil, sqlite_database, "Dollar")
    for _ in range(2):
        await trader.buy()
        await trader.refresh(4)
        held = trader.ledger(trader.token_asset)
        assert await allowances(trader, pool) == [held, held]
    await trader.sell(held)
    await trader.refresh(3)
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    await require_true(trader)


async def test_what_permit2_let_once_and_no_more_is_let_anew(anvil: Chain, sqlite_database: Database) -> None:
    """Uniswap's own pages let the router for thirty days and without limit."""
    trader, pool = await trader_of(anvil, sqlite_database)
    past = int((await anvil.node.head()).timestamp) - 60
    signature = "approve(address,address,uint160,uint48)"
    for to, data in (
        (pool.token, zoo.calldata("approve(address,uint256)", pool.exchange.permit2, zoo.MAX_UINT)),
        (
            pool.exchange.permit2,
            zoo.calldata(signature, pool.token, pool.exchange.router, 2**160 - 1, past),
        ),
    ):
        await anvil.node.call("anvil_impersonateAccount", [trader.venue.address])
        assert (await anvil.send(trader.venue.address, to, data))["status"] == "0x1"
    await trader.buy()
    await trader.refresh(3)
    held = trader.ledger(trader.token_asset)

    assert await allowances(trader, pool) == [held, held]
    sold = await trader.sell(held)
    await trader.refresh(2)
    assert trader.order(sold.order.id).state is OrderState.FILLED


async def test_coins_that_the_pool_could_not_take_come_back_and_are_not_booked(
    anvil: Chain, sqlite_database: Database
) -> None:
    """The liquidity ends above the price, which somebody moves most of the way first."""
    trader, pool = await trader_of(
        anvil, sqlite_database, fee=10_000, tick_spacing=200, ranges=((112_600, 117_000),)
    )
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(3 * WEI, max_slippage_bps=9_900, gas_hint=600_000)
    await outrun(anvil, pool, 4 * WEI)
    await trader.refresh(3)

    [fill] = trader.rows(Fill)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert 0 < fill.notional < 3 * WEI
    await require_true(trader)


async def outrun(chain: Chain, pool: Pool, wei: int) -> None:
    """Somebody else buys first in the block that comes."""
    rival = zoo.anvil_account(6).address
    call = swaps.buy_call(pool, rival, wei, 0, zoo.FOREVER)
    fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11), "gas": hex(500_000)}
    sent = {"from": rival, "to": call.to, "data": call.data, "value": hex(call.value), **fees}
    await chain.node.call("eth_sendTransaction", [sent])
    await chain.node.call("evm_mine")
    await chain.node.call("evm_setAutomine", [True])


@WRAPPED
async def test_a_price_limit_that_is_passed_reverts_and_costs_only_gas(
    anvil: Chain, sqlite_database: Database, wrapped: bool
) -> None:
    trader, pool = await trader_of(anvil, sqlite_database, wrapped=wrapped)
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(max_slippage_bps=0)
    await outrun(anvil, pool, WEI)
    await trader.refresh()

    assert trader.order(outcome.order.id).state is OrderState.REJECTED
    assert trader.rows(Fill) == []
    await require_true(trader)
