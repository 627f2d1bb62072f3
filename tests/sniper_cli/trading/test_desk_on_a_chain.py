"""The one path of an order, on a real chain with the real exchange."""

from __future__ import annotations

import pytest

from sniper_cli.errors import OrderRefused
from sniper_cli.trading.assembly import failed_checks
from state.database import Database
from state.orders import Fill, Order, OrderState
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@pytest.fixture
async def trader(anvil: Chain, database: Database) -> Trader:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    return await make_trader(database, anvil.node, anvil.exchange, listing.token, listing.pool)


async def test_a_purchase_is_recorded_sent_mined_and_booked(trader: Trader) -> None:
    outcome = await trader.buy(WEI // 10)
    assert outcome.order.state is OrderState.SENT
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    position = trader.position()
    assert position is not None
    assert position.spent == WEI // 10
    assert position.quantity == trader.ledger(trader.token_asset) > 0
    assert_books_balance(trader.database)


async def test_after_a_purchase_the_router_is_approved_by_a_recorded_transaction(trader: Trader) -> None:
    await trader.buy()
    await trader.refresh(2)
    approval = next(t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.APPROVE)
    assert approval.state is TransactionState.MINED
    position = trader.position()
    assert position is not None
    gas = sum(t.gas_cost for t in trader.rows(ChainTransaction))
    assert position.fees == gas


async def test_a_round_trip_leaves_ledger_and_chain_equal_to_the_wei(trader: Trader) -> None:
    await trader.buy()
    await trader.refresh(2)
    position = trader.position()
    assert position is not None
    sold = await trader.sell(position.quantity, position_id=position.id, reason={"rule": "take_profit"})
    assert sold.order.state is OrderState.SENT, sold.order.explanation
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert trader.position() is None
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    closed = trader.rows(Position)[0]
    assert closed.exit_rule == "take_profit"
    assert trader.ledger(trader.coin) == 10 * WEI + closed.profit
    assert_books_balance(trader.database)


async def test_a_sale_without_an_allowance_approves_first(trader: Trader) -> None:
    trader.desk.prepare_exits = False
    await trader.buy()
    await trader.refresh()
    quantity = trader.ledger(trader.token_asset)
    outcome = await trader.sell(quantity)
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    purposes = [t.purpose for t in trader.rows(ChainTransaction)]
    assert purposes == [Purpose.BUY, Purpose.APPROVE, Purpose.SELL]
    assert (await trader.desk.reconcile(trader.account.id)).equal


async def test_the_same_client_order_id_gives_the_same_order_back(trader: Trader) -> None:
    intent = trader.buy_intent(client_order_id="once")
    first = (await trader.desk.submit([intent]))[0]
    again = (await trader.desk.submit([intent]))[0]
    assert again.replayed
    assert again.order.id == first.order.id
    assert len(trader.rows(ChainTransaction)) == 1


async def test_a_used_client_order_id_for_something_else_is_refused(trader: Trader) -> None:
    await trader.buy(client_order_id="once")
    with pytest.raises(OrderRefused, match="has been used"):
        await trader.buy(WEI // 5, client_order_id="once")


async def test_a_dry_run_writes_and_sends_nothing(trader: Trader) -> None:
    outcome = (await trader.desk.submit([trader.buy_intent()], dry_run=True))[0]
    assert outcome.dry_run
    assert int(outcome.summary["least_quantity"]) < int(outcome.summary["expected_quantity"])
    assert trader.rows(Order) == []
    assert await trader.coins_on_chain() == 10 * WEI


async def test_a_purchase_beyond_the_account_is_refused_with_its_figures(trader: Trader) -> None:
    outcome = await trader.buy(11 * WEI)
    assert outcome.refused
    assert "funds" in (outcome.order.explanation or "")
    funds = next(check for check in failed_checks(outcome.order) if check["name"] == "funds")
    assert funds["figures"]["cash"] == str(10 * WEI)
    assert trader.order(outcome.order.id).state is OrderState.REFUSED


async def test_the_fill_is_what_the_chain_paid_to_the_wei(trader: Trader) -> None:
    await trader.buy()
    await trader.refresh(2)
    before = await trader.coins_on_chain()
    outcome = await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh()
    fill = trader.rows(Fill)[-1]
    transaction = next(t for t in trader.rows(ChainTransaction) if t.order_id == outcome.order.id)
    assert await trader.coins_on_chain() == before + fill.notional - transaction.gas_cost


async def test_a_reverted_purchase_is_rejected_and_its_gas_booked(trader: Trader, anvil: Chain) -> None:
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(max_slippage_bps=0)
    # Somebody else is first: the price moves, and the least quantity cannot be had any more.
    rival = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
    await anvil.node.call(
        "eth_sendTransaction",
        [
            {
                "from": rival,
                "to": trader.exchange.router,
                "value": hex(WEI),
                "gas": hex(500_000),
                "maxFeePerGas": hex(10**12),
                "maxPriorityFeePerGas": hex(10**11),
                "data": rival_buy(trader, rival),
            }
        ],
    )
    await anvil.node.call("evm_mine")
    await anvil.node.call("evm_setAutomine", [True])
    await trader.refresh()
    order = trader.order(outcome.order.id)
    assert order.state is OrderState.REJECTED
    assert "INSUFFICIENT_OUTPUT_AMOUNT" in (order.explanation or ""), order.explanation
    assert trader.ledger(trader.coin) == await trader.coins_on_chain() < 10 * WEI
    assert trader.rows(Position, Position.state == PositionState.OPEN) == []


def rival_buy(trader: Trader, address: str) -> str:
    from sniper_cli.pools.pool import Pool
    from sniper_cli.pools.swaps import buy_call

    pool = Pool(trader.exchange, trader.pool, trader.token, trader.exchange.wrapped)
    return buy_call(pool, address, 0, 0, 2**40).data
