"""The desk on the real Uniswap V3: planned is what is paid, booked is what the chain says, to the wei."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import read_side
from sniper_cli.pools.swaps import buy_call
from sniper_cli.trading.assembly import open_desk, resolve_instrument, sell_position
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.evm.instruments import pool_of
from sniper_cli.venues.venue import Asked
from state.accounts import Instrument
from state.database import Database
from state.orders import Fill, OrderState, OrderType, Side, TimeInForce
from state.positions import Position, PositionState, open_positions
from state.transactions import ChainTransaction, Purpose
from tests import zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import TIERS, list_on_v3, withdraw
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_desk, make_trader

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


async def trader_of(chain: Chain, database: Database, pool: Pool, **policy: Any) -> Trader:
    """A trader whose desk serves both exchanges."""
    trader = await make_trader(database, chain.node, chain.exchanges, pool.token, pool, **policy)
    assert trader.pool == pool.id
    return trader


async def require_true(trader: Trader) -> None:
    """The ledger is what the chain says, coin and token, to the wei."""
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert_books_balance(trader.database)


async def allowance(trader: Trader, spender: str) -> int:
    data = zoo.calldata("allowance(address,address)", trader.venue.address, spender)
    return int(await trader.node.call("eth_call", [{"to": trader.token, "data": data}, "latest"]), 16)


def purposes(trader: Trader) -> list[Purpose]:
    return [transaction.purpose for transaction in trader.rows(ChainTransaction)]


@pytest.mark.parametrize("fee", TIERS)
async def test_bought_approved_and_sold_to_the_wei(anvil: Chain, sqlite_database: Database, fee: int) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=fee)
    trader = await trader_of(anvil, sqlite_database, pool)
    bought = await trader.buy()
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    assert held == int(bought.summary["expected_quantity"])
    assert await allowance(trader, anvil.v3.router) == held

    sold = await trader.sell(held)
    await trader.refresh(2)

    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert trader.rows(Fill)[-1].notional == int(sold.summary["expected"])
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    assert await allowance(trader, anvil.v3.router) == 0
    assert purposes(trader) == [Purpose.BUY, Purpose.APPROVE, Purpose.SELL]
    await require_true(trader)


async def test_what_a_taxed_token_keeps_is_expected_guarded_and_booked(
    anvil: Chain, sqlite_database: Database
) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, "Taxed", extra=(500, 0))
    trader = await trader_of(anvil, sqlite_database, pool)
    bought = await trader.buy(tax_bps=500, max_slippage_bps=0)
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    side = await read_side(anvil.node, pool, hex(int(await anvil.node.call("eth_blockNumber", []), 16) - 2))
    assert side is not None
    assert trader.order(bought.order.id).state is OrderState.FILLED
    assert held == side.pays(WEI // 10) - side.pays(WEI // 10) * 500 // 10_000

    await trader.sell(held)
    await trader.refresh(2)
    assert trader.rows(Position)[0].state is PositionState.CLOSED
    await require_true(trader)


async def test_the_least_of_a_taxed_purchase_is_what_the_pool_must_pay(
    anvil: Chain, sqlite_database: Database
) -> None:
    """V3's router does not see the tax: held against what arrives, the guard would give away as much as the tax."""
    pool = await list_on_v3(anvil.node, anvil.v3, "Taxed", extra=(2000, 0))
    trader = await trader_of(anvil, sqlite_database, pool)
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(tax_bps=2000, max_slippage_bps=100)
    await outrun(
        anvil, pool, WEI // 2
    )  # moves the price by a tenth: less than the tax, more than the slippage
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.REJECTED
    assert "Too little received" in (trader.order(outcome.order.id).explanation or "")


async def outrun(chain: Chain, pool: Pool, wei: int) -> None:
    """Somebody else buys first in the block that comes."""
    rival = zoo.anvil_account(6).address
    call = buy_call(pool, rival, wei, 0, zoo.FOREVER)
    fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11), "gas": hex(500_000)}
    sent = {"from": rival, "to": call.to, "data": call.data, "value": hex(call.value), **fees}
    await chain.node.call("eth_sendTransaction", [sent])
    await chain.node.call("evm_mine")
    await chain.node.call("evm_setAutomine", [True])


async def test_a_price_limit_that_is_passed_reverts_and_costs_only_gas(
    anvil: Chain, sqlite_database: Database
) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3)
    trader = await trader_of(anvil, sqlite_database, pool)
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(max_slippage_bps=0)
    await outrun(anvil, pool, WEI)
    await trader.refresh()
    order = trader.order(outcome.order.id)
    assert order.state is OrderState.REJECTED
    assert "Too little received" in (order.explanation or ""), order.explanation
    assert trader.rows(Fill) == []
    await require_true(trader)


async def test_coins_that_the_pool_could_not_take_come_back_and_are_not_booked(
    anvil: Chain, sqlite_database: Database
) -> None:
    """The liquidity ends above the price. Somebody takes most of it first; the purchase gets the rest, and change.

    With gas enough to walk through what is empty; with what was estimated before, it would revert on the way.
    """
    pool = await list_on_v3(anvil.node, anvil.v3, fee=10_000, width=3000)
    trader = await trader_of(anvil, sqlite_database, pool)
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(3 * WEI, max_slippage_bps=9_900, gas_hint=600_000)
    await outrun(anvil, pool, 10 * WEI)
    await trader.refresh(2)
    [fill] = trader.rows(Fill)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert 0 < fill.notional < 3 * WEI
    await require_true(trader)


async def test_a_sale_larger_than_the_pool_sells_what_it_takes(
    anvil: Chain, sqlite_database: Database
) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, width=3000)
    trader = await trader_of(anvil, sqlite_database, pool)
    await trader.buy(2 * WEI)
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    await withdraw(anvil.node, pool, zoo.anvil_account(9), 95)

    outcome = await trader.sell(held, max_slippage_bps=9_900)
    part = int(outcome.summary["sell"])
    await trader.refresh(2)
    position = trader.position()

    assert 0 < part < held
    assert trader.rows(Fill)[-1].quantity == part
    assert trader.rows(Fill)[-1].notional == int(outcome.summary["expected"])
    assert position is not None
    assert position.quantity == held - part
    assert await allowance(trader, anvil.v3.router) == held - part
    await require_true(trader)


async def test_quotes_are_what_a_trade_would_bring(anvil: Chain, sqlite_database: Database) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3, fee=500)
    trader = await trader_of(anvil, sqlite_database, pool)
    outcome = await trader.buy(WEI)
    listing = trader.desk.listings.get(trader.instrument_id)
    assert listing is not None
    assert listing.terms == pool.terms()
    await trader.refresh()
    held = trader.ledger(trader.token_asset)
    [sale] = await trader.venue.quotes([Asked(listing, Side.SELL, held)])
    side = await read_side(anvil.node, pool)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert sale is not None
    assert sale.price is not None
    assert side is not None
    brought = listing.quote.amount(side.reversed.pays(held))
    assert abs(sale.price * listing.base.amount(held) - brought) < listing.quote.amount(1)
    assert sale.price < sale.middle


async def test_an_instrument_without_terms_is_the_first_v2_exchange(
    anvil: Chain, sqlite_database: Database
) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")
    trader = await make_trader(sqlite_database, anvil.node, anvil.exchanges, listing.token, listing.pool)
    with sqlite_database.write() as session:
        instrument = session.get_one(Instrument, trader.instrument_id)
        assert pool_of(instrument, anvil.exchanges).exchange == anvil.exchange
        instrument.terms = {}
        session.add(instrument)
    outcome = await trader.buy()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    await require_true(trader)


async def test_a_limit_price_stands_in_the_call(anvil: Chain, sqlite_database: Database) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3)
    trader = await trader_of(anvil, sqlite_database, pool)
    side = await read_side(anvil.node, pool)
    assert side is not None
    paid = Decimal(WEI // 10) / side.pays(WEI // 10)
    terms: dict[str, Any] = {"type": OrderType.LIMIT, "time_in_force": TimeInForce.IOC}
    await anvil.node.call("evm_setAutomine", [False])
    outcome = await trader.buy(limit_price=paid * Decimal("1.05"), max_slippage_bps=9_900, **terms)
    await outrun(anvil, pool, WEI // 2)  # a tenth above
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.REJECTED

    outcome = await trader.buy(limit_price=paid * Decimal("1.2"), max_slippage_bps=9_900, **terms)
    await trader.refresh(2)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    await require_true(trader)


async def test_two_purchases_in_one_block_are_told_apart(anvil: Chain, sqlite_database: Database) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3)
    trader = await trader_of(anvil, sqlite_database, pool)
    side = await read_side(anvil.node, pool)
    assert side is not None
    await anvil.node.call("evm_setAutomine", [False])
    await trader.buy(WEI // 10)
    await trader.buy(WEI // 5)
    await anvil.node.call("evm_mine")
    await anvil.node.call("evm_setAutomine", [True])
    await trader.refresh(2)
    first = side.pays(WEI // 10)
    second = side.moved(WEI // 10).pays(WEI // 5)
    assert [fill.quantity for fill in trader.rows(Fill)] == [first, second]
    await require_true(trader)


async def test_what_was_traded_on_an_exchange_that_is_not_set_up_any_more_waits_for_it(
    anvil: Chain, sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await list_on_v3(anvil.node, anvil.v3)
    trader = await trader_of(anvil, sqlite_database, pool)
    outcome = await trader.buy()
    narrower = make_desk(sqlite_database, anvil.node, anvil.exchange, trader.key)
    await narrower.refresh(trader.account.id)
    assert trader.order(outcome.order.id).state is OrderState.SENT
    assert "not set up" in caplog.text
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    await require_true(trader)


async def test_a_token_is_ordered_by_its_address_alone(anvil: Chain, home: Path) -> None:
    """As the command line does: its deepest pool is looked for, and kept with the instrument."""
    shallow = await list_on_v3(anvil.node, anvil.v3, fee=500, pool_wei=WEI)
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchanges):
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10 * WEI)])
        async with open_desk(context) as opened:
            instrument, _, _ = await resolve_instrument(opened, shallow.token)
            assert (instrument.pool, instrument.terms) == (shallow.id, shallow.terms())
            intent = OrderIntent(opened.account.id, instrument.id, Side.BUY, "by-address", budget=WEI // 10)
            await opened.desk.submit(intent)
            await opened.desk.refresh(opened.account.id)
        async with open_desk(context) as opened:
            with context.database.read() as session:
                position = open_positions(session, opened.account.id)[0]
                session.expunge_all()
            order = await sell_position(opened, position.id)
            assert order.state is OrderState.FILLED
            (await opened.desk.reconcile(opened.account.id)).require_equal()
