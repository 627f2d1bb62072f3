"""Orders that a chain does not know: kept here, watched, and sent as plain ones when their moment has come."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest

from sniper_cli.chains import abi
from sniper_cli.errors import OrderRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MAX_UINT, buy_call, sell_call
from sniper_cli.trading.amending import Amendment, amend
from sniper_cli.trading.families import Exit, Family, bracket, one_cancels_other, schedule
from sniper_cli.trading.intents import Condition, OrderIntent, Terms
from sniper_cli.venues.venue import Asked
from state.columns import utc_now
from state.database import Database
from state.orders import Order, OrderState, OrderType, Side, TimeInForce
from state.writing import micros
from tests.chain_fixtures import ADDRESSES, Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

S = OrderState
OTHER = ADDRESSES[1]


@dataclass
class Market:
    """A trader, and somebody else who moves the pool's price."""

    chain: Chain
    trader: Trader

    @property
    def pool(self) -> Pool:
        trader = self.trader
        return Pool(trader.exchange, trader.pool, trader.token, trader.exchange.wrapped)

    async def up(self, wei: int = WEI) -> None:
        """Somebody buys."""
        call = buy_call(self.pool, OTHER, wei, 0, MAX_UINT)
        await self.chain.send(OTHER, call.to, call.data, call.value)

    async def down(self) -> None:
        """They sell all that they have."""
        exchange, token = self.chain.exchange, self.trader.token
        holder = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [OTHER])
        held = int(await self.chain.node.call("eth_call", [{"to": token, "data": holder}, "latest"]), 16)
        allow = abi.encode_call(abi.CALL_APPROVE, ["address", "uint256"], [exchange.router, MAX_UINT])
        await self.chain.send(OTHER, token, allow)
        call = sell_call(self.pool, OTHER, held, 0, MAX_UINT)
        await self.chain.send(OTHER, call.to, call.data)

    async def price(self) -> Decimal:
        listing = self.trader.desk.listings.get(self.trader.instrument_id)
        assert listing is not None
        (quoted,) = await self.trader.venue.quotes([Asked(listing, Side.BUY, budget=WEI // 100)])
        assert quoted is not None
        return quoted.middle

    async def place(self, asked: OrderIntent | Family) -> Order:
        family = asked if isinstance(asked, Family) else Family(asked)
        outcomes = (await self.trader.desk.place(self.trader.account.id, [family]))[0]
        return self.trader.order(outcomes[0].order.id)

    def order(self, client_id: str) -> Order:
        (found,) = self.trader.rows(Order, Order.client_order_id == client_id)
        return found

    async def look(self) -> None:
        await self.trader.refresh(2)


@pytest.fixture
async def market(anvil: Chain, sqlite_database: Database) -> Market:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    trader = await make_trader(sqlite_database, anvil.node, anvil.exchange, listing.token, listing.pool)
    await trader.buy(WEI // 10, client_order_id="first")
    await trader.refresh(2)
    return Market(anvil, trader)


def held(market: Market) -> int:
    return market.trader.ledger(market.trader.token_asset)


async def test_a_resting_limit_is_kept_here_and_sent_when_the_pool_offers_it(market: Market) -> None:
    await market.up()
    price = await market.price()
    intent = market.trader.buy_intent(
        WEI // 10,
        "low",
        type=OrderType.LIMIT,
        limit_price=price * Decimal("0.95"),
        time_in_force=TimeInForce.GTC,
    )
    order = await market.place(intent)
    assert (order.state, (order.terms or {})["emulated"]) == (S.HELD, True)
    await market.look()
    assert market.order("low").state is S.HELD

    await market.down()
    await market.look()

    assert market.order("low").state is S.FILLED
    assert_books_balance(market.trader.database)


async def test_a_stop_is_kept_here_and_sells_when_the_price_has_fallen_to_it(market: Market) -> None:
    await market.up()
    trigger = await market.price() * Decimal("0.9")
    intent = market.trader.sell_intent(
        held(market), "stop", type=OrderType.STOP, terms=Terms(trigger_price=trigger, reduce_only=True)
    )
    assert (await market.place(intent)).state is S.HELD

    await market.down()
    await market.look()

    assert market.order("stop").state is S.FILLED
    assert market.trader.position() is None


async def test_what_a_trailing_stop_has_seen_survives_a_restart(market: Market) -> None:
    intent = market.trader.sell_intent(
        held(market), "trail", type=OrderType.TRAILING_STOP, terms=Terms(trail_bps=500)
    )
    await market.place(intent)
    await market.look()
    await market.up()
    top = await market.price()
    await market.look()

    desk = await market.trader.another_process()
    await market.down()
    for _ in range(2):
        await desk.refresh(market.trader.account.id)

    order = market.order("trail")
    assert order.state is S.FILLED
    assert Decimal((order.terms or {})["best_price"]) == top


async def test_a_bracket_covers_what_the_purchase_brought(market: Market) -> None:
    price = await market.price()
    entry = market.trader.buy_intent(WEI // 10, "e")
    stop, profit = Exit(price * Decimal("0.5")), Exit(price * Decimal("1.2"))
    await market.place(bracket(entry, take_profit=profit, stop_loss=stop))
    await market.look()
    bought = market.order("e").filled_quantity
    assert {market.order(name).quantity for name in ("e/tp", "e/sl")} == {bought}
    assert {market.order(name).state for name in ("e/tp", "e/sl")} == {S.HELD}

    await market.up(3 * WEI)
    await market.look()

    assert (market.order("e/tp").state, market.order("e/sl").state) == (S.FILLED, S.CANCELLED)
    assert_books_balance(market.trader.database)


async def test_of_two_that_cancel_each_other_one_is_sent(market: Market) -> None:
    price, quantity = await market.price(), held(market)
    high = market.trader.sell_intent(
        quantity, "a", type=OrderType.LIMIT, limit_price=price * Decimal("1.1"), terms=Terms(reduce_only=True)
    )
    low = market.trader.sell_intent(
        quantity,
        "b",
        type=OrderType.STOP,
        terms=Terms(trigger_price=price * Decimal("0.5"), reduce_only=True),
    )
    await market.place(one_cancels_other(high, low))

    await market.up()
    await market.look()

    assert (market.order("a").state, market.order("b").state) == (S.FILLED, S.CANCELLED)


async def test_a_scheduled_order_is_sent_when_its_time_has_come(market: Market) -> None:
    now = micros(utc_now())
    head = market.trader.buy_intent(WEI // 5, "p")
    await market.place(schedule(head, [now - 1, now + 3_600_000_000], [WEI // 10, WEI // 10]))

    await market.look()

    assert (market.order("p/1").state, market.order("p/2").state) == (S.FILLED, S.HELD)


async def test_a_condition_is_held_against_the_pool(market: Market) -> None:
    price = await market.price() * Decimal("1.1")
    await market.place(
        market.trader.buy_intent(WEI // 10, "c", terms=Terms(condition=Condition(above=price)))
    )
    await market.look()
    assert market.order("c").state is S.HELD

    await market.up()
    await market.look()

    assert market.order("c").state is S.FILLED


async def test_what_stands_against_an_order_when_its_moment_comes_is_told_and_it_stays(
    market: Market,
) -> None:
    terms = Terms(starts_at=micros(utc_now()) - 1)
    await market.place(market.trader.buy_intent(50 * WEI, "rich", terms=terms))

    await market.look()

    order = market.order("rich")
    assert order.state is S.HELD
    assert "its moment has come, but: " in (order.explanation or "")


async def test_an_expired_order_is_never_sent(market: Market) -> None:
    terms = Terms(expires_at=micros(utc_now()) - 1)
    intent = market.trader.buy_intent(
        WEI // 10,
        "old",
        type=OrderType.LIMIT,
        limit_price=Decimal(10),
        time_in_force=TimeInForce.GTD,
        terms=terms,
    )
    await market.place(intent)

    await market.look()

    assert market.order("old").state is S.EXPIRED


async def test_an_order_kept_here_can_be_changed_and_cancelled(market: Market) -> None:
    price = await market.price()
    intent = market.trader.buy_intent(
        WEI // 10,
        "low",
        type=OrderType.LIMIT,
        limit_price=price * Decimal("0.5"),
        time_in_force=TimeInForce.GTC,
    )
    order = await market.place(intent)

    changed = amend(market.trader.desk, order.id, Amendment(limit_price=price * Decimal("0.4")))
    assert changed.order.limit_price == price * Decimal("0.4")

    ended = await market.trader.desk.cancel(order.id)
    assert ended.state is S.CANCELLED


async def test_what_a_chain_has_been_sent_cannot_be_changed(market: Market) -> None:
    await market.chain.node.call("evm_setAutomine", [False])
    sent = await market.place(market.trader.buy_intent(WEI // 10, "sent"))
    assert sent.state is S.SENT

    with pytest.raises(OrderRefused, match="a transaction that has been sent cannot be changed"):
        amend(market.trader.desk, UUID(int=sent.id.int), Amendment(quantity=1))
    await market.chain.node.call("evm_setAutomine", [True])


@pytest.mark.parametrize("terms", [Terms(post_only=True), Terms(display=5)])
async def test_what_only_a_queue_can_do_is_refused(market: Market, terms: Terms) -> None:
    price = await market.price()
    intent = market.trader.sell_intent(
        held(market),
        "x",
        type=OrderType.LIMIT,
        limit_price=price * 2,
        time_in_force=TimeInForce.GTC,
        terms=terms,
    )
    order = await market.place(intent)
    assert order.state is S.REFUSED
    assert "a pool keeps no orders" in (order.explanation or "")
