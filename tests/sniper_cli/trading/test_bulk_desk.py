"""A bulk desk, whose rows follow their records: it reads what it wrote, and so does everybody else."""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.books.verification import verify
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state.accounts import VenueKind
from state.database import Database
from state.orders import OrderState, OrderType, Side

BTC = "paper:BTC/USDT"


async def test_an_order_can_be_read_and_cancelled_before_its_row_has_followed(database: Database) -> None:
    account = ensure_account(database)
    desk = OrderDesk(database, {VenueKind.PAPER: PaperVenue(SimulatedMarket(7))}, defer_above=5)
    wishes = [
        OrderIntent(
            account.id,
            BTC,
            Side.BUY,
            f"wish-{n:02d}",
            OrderType.LIMIT,
            quantity=10_000_000,
            limit_price=Decimal(n + 100),
        )
        for n in range(20)
    ]
    placed = await desk.submit(wishes)
    assert desk.order(placed[0].order.id).state is OrderState.OPEN
    assert (await desk.cancel(placed[1].order.id)).state is OrderState.CANCELLED
    again = await desk.submit(wishes)
    assert [outcome.order.id for outcome in again] == [outcome.order.id for outcome in placed]
    assert all(outcome.replayed for outcome in again)
    desk.close()
    assert verify(database).whole
