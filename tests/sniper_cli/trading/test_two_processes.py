"""Several processes on one account: every client order id is one order, whoever comes first, and the books agree."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from sqlmodel import select

from sniper_cli.books.verification import verify
from sniper_cli.venues.paper import ensure_account
from state.database import Database
from state.orders import Fill, Order

PLACER = """
import asyncio, random, sys
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue
from state.accounts import VenueKind, find_account
from state.database import Database
from state.orders import Side

names = [f"wish-{number:03d}" for number in range(60)]
random.Random(sys.argv[1]).shuffle(names)
with Database(sys.stdin.readline().strip()) as database:
    with database.read() as session:
        account = find_account(session, "shared").id
    desk = OrderDesk(database, {VenueKind.PAPER: PaperVenue(SimulatedMarket(7))})

    async def place():
        for start in range(0, len(names), 6):
            wishes = [
                OrderIntent(account, "paper:ETH/USDT", Side.BUY, name, budget=20_000_000)
                for name in names[start : start + 6]
            ]
            for outcome in await desk.submit(wishes):
                print(outcome.order.client_order_id, outcome.order.id, outcome.replayed)

    asyncio.run(place())
    desk.close()
"""


def test_the_same_wishes_from_three_processes_at_once_are_placed_once(database: Database) -> None:
    ensure_account(database, "shared")
    placers = [
        subprocess.Popen(
            [sys.executable, "-c", PLACER, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(3)
    ]
    url = database.url.render_as_string(hide_password=False) + "\n"
    told = [line.split() for placer in placers for line in placer.communicate(url)[0].splitlines()]
    assert [placer.returncode for placer in placers] == [0, 0, 0]

    assert Counter(replayed for _, _, replayed in told) == {"False": 60, "True": 120}
    assert len({(name, order) for name, order, _ in told}) == 60
    with database.read() as session:
        assert len(session.exec(select(Order.id)).all()) == 60
        assert len(session.exec(select(Fill.id)).all()) >= 60
    assert verify(database).whole
