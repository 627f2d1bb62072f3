"""Orders along routes: one path of an order, over several pools, booked to the wei."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sniper_cli.pools import swaps
from sniper_cli.pools.keys import HookCalls, keyed_pool
from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.trading.assembly import failed_checks
from state.database import Database
from state.orders import Fill, OrderState, OrderType, TimeInForce
from state.positions import Position
from state.transactions import ChainTransaction, Purpose
from tests import zoo
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.route_zoo import Tokens, list_all, list_on_v4_too
from tests.v4_zoo import hooks_of, initialize, list_on_v4, mint, price_of
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

OWNER = zoo.anvil_account(9)


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
    assert trader.ledger(trader.coin) == 10 * WEI + trader.rows(Position)[0].profit
    await require_true(trader)


async def test_a_sale_lets_the_routes_router_take_the_token(trader: Trader, anvil: Chain) -> None:
    """The purchase approves the router of the instrument's own pool, which is V2's."""
    await trader.buy(WEI)
    await trader.refresh(2)
    quantity = trader.ledger(trader.token_asset)

    await trader.sell(quantity, route=())
    await trader.refresh(4)  # mined, booked, the purchase's approval taken back, that booked too

    approvals = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.APPROVE]
    assert [approval.data[34:74] for approval in approvals] == [
        anvil.exchange.router[2:],
        anvil.v3.router[2:],
    ]
    assert trader.ledger(trader.token_asset) == 0
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()


async def test_through_v4_with_the_rest_and_nothing_is_left_of_its_approvals(
    trader: Trader, tokens: Tokens, anvil: Chain
) -> None:
    await list_on_v4_too(anvil, tokens)
    bought = await trader.buy(6 * WEI, route=(tokens.second,))
    await trader.refresh(2)
    assert trader.order(bought.order.id).state is OrderState.FILLED, bought.order.explanation
    kinds = {pool.split()[0] for leg in bought.summary["legs"] for pool in leg["pools"]}
    assert kinds == {"uniswap_v3", "uniswap_v4"}
    position = trader.position()
    assert position is not None
    assert (position.spent, str(position.quantity)) == (6 * WEI, bought.summary["expected_quantity"])

    sold = await trader.sell(position.quantity, position_id=position.id, route=(tokens.second,))
    await trader.refresh(3)

    assert trader.order(sold.order.id).state is OrderState.FILLED, sold.order.explanation
    assert str(trader.rows(Fill)[-1].notional) == sold.summary["expected"]
    done = trader.rows(ChainTransaction)
    assert [t.to for t in done if t.purpose in (Purpose.BUY, Purpose.SELL)] == [anvil.v4.router] * 2
    for_sale = [t.to for t in done if t.purpose is Purpose.APPROVE and t.order_id == sold.order.id]
    assert for_sale == [tokens.first, anvil.v4.permit2]
    assert await permitted(trader, anvil) == [0, 0]
    await require_true(trader)


async def test_bought_in_another_v4_pool_than_its_own(anvil: Chain, sqlite_database: Database) -> None:
    """By the same router, in one pool: told from a trade in its own by what the transaction says."""
    node, deep = anvil.node, zoo.POOL_WEI * 10
    shallow = await list_on_v4(node, anvil.v4, pool_wei=zoo.POOL_WEI, tokens=zoo.LISTED // 20)
    other = keyed_pool(anvil.v4, shallow.token, fee=500, tick_spacing=10)
    await initialize(node, other, OWNER, await price_of(node, shallow))
    await mint(node, other, OWNER, -887_270, 887_270, deep, zoo.LISTED // 2)
    trader = await make_trader(sqlite_database, node, anvil.exchanges, shallow.token, shallow)

    bought = await trader.buy(WEI // 10, route=())
    await trader.refresh(3)
    assert bought.summary["legs"][0]["pools"] == [f"uniswap_v4 500 {other.id}"]
    held = trader.ledger(trader.token_asset)
    assert str(held) == bought.summary["expected_quantity"]
    assert trader.rows(Fill)[-1].notional == WEI // 10
    sold = await trader.sell(held, route=())
    await trader.refresh(3)

    assert str(trader.rows(Fill)[-1].notional) == sold.summary["expected"]
    await require_true(trader)


@pytest.mark.parametrize("asked", [False, True])
async def test_hooks_that_leave_swaps_alone_are_no_hindrance(
    anvil: Chain, sqlite_database: Database, asked: bool
) -> None:
    """The instrument's own pool is known with its hooks, which none of the usual keys names."""
    idle = f"0x{'1' * 36}{int(HookCalls.BEFORE_DONATE):04x}"
    hooks = await hooks_of(anvil.node, anvil.v4, "PricingHooks", 100, 100) if asked else idle
    pool = await list_on_v4(anvil.node, anvil.v4, hooks=hooks)
    trader = await make_trader(sqlite_database, anvil.node, anvil.exchanges, pool.token, pool)

    bought = await trader.buy(route=())
    await trader.refresh(3)

    if asked:
        assert "no route takes" in (bought.order.explanation or "")
    else:
        assert str(trader.ledger(trader.token_asset)) == bought.summary["expected_quantity"]
    await require_true(trader)


async def test_where_the_router_of_v4_fails_the_others_do_it(
    trader: Trader, tokens: Tokens, anvil: Chain
) -> None:
    """As one of a later edition does, which wants another call: it still names its factories."""
    await list_on_v4_too(anvil, tokens)
    names = "".join(each.factory[2:] for each in anvil.exchanges.listed)
    await anvil.node.call("anvil_setCode", [anvil.v4.router, "0x5f5ffd" + names])

    bought = await trader.buy(6 * WEI, route=(tokens.second,))
    await trader.refresh(2)

    assert trader.order(bought.order.id).state is OrderState.FILLED, bought.order.explanation
    assert {pool.split()[0] for leg in bought.summary["legs"] for pool in leg["pools"]} <= {
        "uniswap_v2",
        "uniswap_v3",
    }
    await require_true(trader)


async def permitted(trader: Trader, chain: Chain) -> list[int]:
    """What the token lets Permit2 take, and what Permit2 lets the router."""
    calls = swaps.allowance_calls(
        Pool(chain.v4, "", trader.token, chain.exchange.wrapped), trader.venue.address
    )
    asked = [("eth_call", [{"to": call.to, "data": call.data}, "latest"]) for call in calls]
    return [int(answer[:66], 16) for answer in await trader.node.batch(asked)]


async def require_true(trader: Trader) -> None:
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert_books_balance(trader.database)


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
