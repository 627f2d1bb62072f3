"""Orders along routes: one path of an order, over several pools, booked to the wei."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sniper_cli.pools.pool import pair_of
from sniper_cli.trading.assembly import failed_checks
from state.database import Database
from state.orders import Fill, OrderState, OrderType, TimeInForce
from state.positions import Position
from state.transactions import ChainTransaction, Purpose
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.route_zoo import Tokens, list_all
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@pytest.fixture
async def tokens(anvil: Chain) -> Tokens:
    return await list_all(anvil)


@pytest.fixture
async def trader(anvil: Chain, sqlite_database: Database, tokens: Tokens) -> Trader:
    """Whose instrument is the V2 pool of the first token."""
    pool = pair_of(anvil.exchange, tokens.first, anvil.exchange.pool_of(tokens.first))
    return await make_trader(sqlite_database, anvil.node, anvil.exchanges, tokens.first, pool)


async def test_bought_over_several_pools_and_sold_over_several(
    trader: Trader, tokens: Tokens, anvil: Chain
) -> None:
    route = (tokens.second,)
    bought = await trader.buy(6 * WEI, route=route)
    assert bought.order.state is OrderState.SENT, bought.order.explanation
    assert len(bought.summary["legs"]) > 1
    await trader.refresh(2)

    assert trader.order(bought.order.id).state is OrderState.FILLED
    position = trader.position()
    assert position is not None
    assert position.spent == 6 * WEI
    assert str(position.quantity) == bought.summary["expected_quantity"]

    sold = await trader.sell(position.quantity, position_id=position.id, route=route)
    await trader.refresh(2)

    assert trader.order(sold.order.id).state is OrderState.FILLED, sold.order.explanation
    assert str(trader.rows(Fill)[-1].notional) == sold.summary["expected"]
    swaps = [t for t in trader.rows(ChainTransaction) if t.purpose in (Purpose.BUY, Purpose.SELL)]
    assert [swap.to for swap in swaps] == [anvil.v3.router] * 2
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert trader.ledger(trader.coin) == 10 * WEI + trader.rows(Position)[0].profit
    assert_books_balance(trader.database)


async def test_a_sale_lets_the_routes_router_take_the_token(trader: Trader, anvil: Chain) -> None:
    """The purchase approves the router of the instrument's own pool, which is V2's."""
    await trader.buy(WEI)
    await trader.refresh(2)
    quantity = trader.ledger(trader.token_asset)

    await trader.sell(quantity, route=())
    await trader.refresh(2)

    approvals = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.APPROVE]
    assert [approval.data[34:74] for approval in approvals] == [
        anvil.exchange.router[2:],
        anvil.v3.router[2:],
    ]
    assert trader.ledger(trader.token_asset) == 0
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()


async def test_a_dry_run_tells_the_legs_and_sends_nothing(trader: Trader) -> None:
    outcome = (await trader.desk.submit([trader.buy_intent(6 * WEI, route=())], dry_run=True))[0]

    assert sum(int(leg["amount"]) for leg in outcome.summary["legs"]) == 6 * WEI
    assert int(outcome.summary["expected_quantity"]) > int(outcome.summary["single"])
    assert await trader.coins_on_chain() == 10 * WEI


async def test_a_price_that_is_not_had_is_refused_before_anything_is_signed(trader: Trader) -> None:
    # Ten thousand for a coin, where the pools give a thousand.
    refused = await trader.buy(
        WEI,
        route=(),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        limit_price=Decimal("0.0001"),
    )
    assert refused.refused
    assert "would fail" in (refused.order.explanation or ""), failed_checks(refused.order)


async def test_a_taxed_token_is_not_routed(anvil: Chain, sqlite_database: Database) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Fot5")
    trader = await make_trader(sqlite_database, anvil.node, anvil.exchanges, listing.token, listing.pool)

    told = await trader.buy(WEI, route=(), tax_bps=500)
    unknown = await trader.buy(WEI, route=(), max_slippage_bps=100)

    assert told.refused
    assert "tax of 5 %" in (told.order.explanation or "")
    assert unknown.refused
    assert "would fail" in (unknown.order.explanation or "")
