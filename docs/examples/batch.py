"""A thousand orders as one walk: one record of the journal, one commit, an outcome each.

Run it with a home of its own:  SNIPER_HOME=/tmp/try python docs/examples/batch.py
"""

import asyncio
from decimal import Decimal

from sniper_cli.context import open_context
from sniper_cli.home import make_home
from sniper_cli.trading.assembly import open_desk
from sniper_cli.trading.intents import OrderIntent
from state.orders import OrderType, Side


async def main() -> None:
    list(make_home(None))
    with open_context() as context:
        async with open_desk(context, bulk=True) as opened:
            intents = [
                OrderIntent(
                    opened.account.id,
                    "paper:BTC/USDT",
                    Side.BUY,
                    client_order_id=f"ladder-{number:04d}",
                    type=OrderType.LIMIT,
                    quantity=10_000,  # 0.0001 BTC, in base units of 10^-8
                    limit_price=Decimal(50_000) + number,
                )
                for number in range(1_000)
            ]
            outcomes = await opened.desk.submit(intents)
            again = await opened.desk.submit(intents)
    print(f"{sum(o.order.is_working for o in outcomes)} resting, {sum(o.replayed for o in again)} replayed")


asyncio.run(main())
