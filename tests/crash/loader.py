"""A process that places orders until it is killed, and writes down what it was told is done.

    python -m tests.crash.loader ACKNOWLEDGED SEED ROUND      (the database's URL on standard input)

After each batch the client order ids of the batch go to the file, one write, before the next batch begins: what stands
there was acknowledged. Batches are of 1, of some, and of hundreds whose rows are left to the projector.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue
from state.accounts import Account, VenueKind, find_account
from state.columns import utc_now
from state.database import Database
from state.orders import OrderType, Side, TimeInForce

ACCOUNT = "crash"
USDT = 10**6
SIZES = (1, 1, 1, 7, 40, 150, 400)


def main() -> None:
    acknowledged, seed, lap = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    url = sys.stdin.readline().strip()
    draw = random.Random(f"{seed}-{lap}")
    with Database(url) as database, open(acknowledged, "ab", buffering=0) as file:
        with database.read() as session:
            account = find_account(session, ACCOUNT)
            assert account is not None
            session.expunge(account)
        market = SimulatedMarket(7)
        desk = OrderDesk(database, {VenueKind.PAPER: PaperVenue(market)}, defer_above=200)
        asyncio.run(_place(desk, account, market, draw, f"{seed}-{lap}", file.fileno()))


async def _place(
    desk: OrderDesk, account: Account, market: SimulatedMarket, draw: random.Random, name: str, file: int
) -> None:
    placed = 0
    open_orders = []
    while True:
        size = draw.choice(SIZES)
        batch = [_intent(account, market, draw, f"{name}-{placed + i:07d}") for i in range(size)]
        placed += size
        outcomes = await desk.submit(batch)
        os.write(file, "".join(f"{o.order.client_order_id} {o.order.id}\n" for o in outcomes).encode())
        open_orders += [o.order.id for o in outcomes if o.order.is_working]
        if open_orders and draw.random() < 0.3:
            await desk.cancel(open_orders.pop(draw.randrange(len(open_orders))))


def _intent(account: Account, market: SimulatedMarket, draw: random.Random, name: str) -> OrderIntent:
    spec = draw.choice(list(INSTRUMENTS.values())[:4])
    middle = int(market.price(spec.id, utc_now()) / spec.tick)
    buying = draw.random() < 0.55
    away = draw.choice((-2, -2, 10, 20))
    ticks = middle * (100 - away) // 100 if buying else middle * (100 + away) // 100
    lots = draw.randrange(1, 4) * max(1, -(-6 * USDT // spec.notional(middle, 1)))
    return OrderIntent(
        account.id,
        spec.id,
        Side.BUY if buying else Side.SELL,
        name,
        OrderType.LIMIT,
        TimeInForce.IOC if away < 0 else TimeInForce.GTC,
        quantity=lots * spec.lot_units,
        limit_price=spec.price(ticks),
    )


if __name__ == "__main__":
    main()
