"""The kill switch at work: from any process, by hand and by rule; what rests is cancelled, positions are closed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sniper_cli.risk import switch
from sniper_cli.trading.halting import obey
from state import journal
from state.controls import Resting
from state.database import Database
from state.orders import OrderState
from tests.risk_fixtures import (
    BTC,
    BUY,
    COIN,
    ETH,
    SELL,
    OnBreach,
    RiskDesk,
    refused_by,
    risk_desk,
)

TENTH = COIN // 10
CENT = COIN // 100
ROOT = Path(__file__).parents[3]

KILLER = """
import sys
from sniper_cli.risk import switch
from state.database import Database
with Database(sys.stdin.readline().strip()) as database:
    switch.trip(database, "user:bob", "from another process")
"""


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[RiskDesk]:
    with risk_desk(sqlite_database) as found:
        yield found


def low(desk: RiskDesk, instrument: str = BTC) -> object:
    return desk.paper.near("0.5", instrument)


def states(desk: RiskDesk) -> dict[str, OrderState]:
    return {name: state for name, state in desk.paper.states().items() if not name.startswith("0-kill")}


def tripped(desk: RiskDesk) -> list[tuple[str, str]]:
    return [(one.scope, one.actor) for one in switch.status(desk.database) if one.tripped]


def test_a_kill_from_another_process_stops_the_very_next_order(database: Database) -> None:
    """On both databases: the desk has orders in memory, and is told nothing."""
    with risk_desk(database) as desk:
        assert desk.place(BUY, CENT).state is OrderState.FILLED
        url = database.url.render_as_string(hide_password=False)
        subprocess.run([sys.executable, "-c", KILLER], input=url, text=True, check=True, cwd=ROOT, timeout=60)
        order = desk.place(BUY, CENT)
        assert refused_by(order) == {"kill_switch"}
        assert order.explanation == "kill_switch: tripped by user:bob: from another process"
        assert desk.place(SELL, CENT).state is OrderState.FILLED


def test_a_bulk_desk_that_works_before_it_locks_is_stopped_too(sqlite_database: Database) -> None:
    with risk_desk(sqlite_database) as desk:
        from sniper_cli.trading.desk import OrderDesk
        from state.accounts import VenueKind

        bulk = OrderDesk(sqlite_database, {VenueKind.PAPER: desk.paper.venue}, actor="test", defer_above=2)
        batch = [desk.intent(BUY, CENT, price=low(desk)) for _ in range(5)]
        assert {one.order.state for one in asyncio.run(bulk.submit(batch))} == {OrderState.OPEN}
        switch.trip(sqlite_database, "user:bob", "enough")
        batch = [desk.intent(BUY, CENT, price=low(desk)) for _ in range(5)]
        assert {one.order.state for one in asyncio.run(bulk.submit(batch))} == {OrderState.REFUSED}
        bulk.close()


@pytest.mark.parametrize(
    ("resting", "left"),
    [
        (Resting.KEEP, {"buy", "exit", "grid"}),
        (Resting.KEEP_EXITS, {"exit"}),
        (Resting.CANCEL, set()),
    ],
)
def test_orders_at_work_stay_or_go_as_the_switch_says(
    desk: RiskDesk, resting: Resting, left: set[str]
) -> None:
    desk.place(BUY, TENTH, client_order_id="held")
    desk.place(BUY, CENT, price=low(desk), client_order_id="buy")
    desk.place(BUY, CENT, price=low(desk), client_order_id="grid", strategy="grid")
    desk.place(SELL, CENT, price=desk.paper.near("1.5"), client_order_id="exit")
    switch.trip(desk.database, "user:ada", "a drill", resting=resting)
    desk.paper.settle()
    assert {name for name, state in states(desk).items() if state is OrderState.OPEN} == left
    ended = [order for order in desk.paper.orders().values() if order.state is OrderState.CANCELLED]
    assert all("tripped by user:ada: a drill" in (order.explanation or "") for order in ended)


def test_a_strategy_s_switch_ends_only_its_orders(desk: RiskDesk) -> None:
    desk.place(BUY, CENT, price=low(desk), client_order_id="mine")
    desk.place(BUY, CENT, price=low(desk), client_order_id="grid", strategy="grid")
    switch.trip(desk.database, "user:ada", "a drill", "strategy:grid", resting=Resting.CANCEL)
    desk.paper.settle()
    assert states(desk) == {"mine": OrderState.OPEN, "grid": OrderState.CANCELLED}


def test_an_order_placed_after_the_switch_is_not_ended_by_it(desk: RiskDesk) -> None:
    """A way out that a person places by hand once everything has stopped stays, whoever looks later."""
    desk.place(BUY, TENTH, client_order_id="held")
    switch.trip(desk.database, "user:ada", "a drill", resting=Resting.CANCEL)
    desk.clock.forward(seconds=1)
    desk.place(SELL, CENT, price=desk.paper.near("1.5"), client_order_id="exit")
    desk.paper.restart()
    desk.paper.settle()
    assert states(desk)["exit"] is OrderState.OPEN


def test_who_comes_by_late_ends_orders_as_of_the_switch_s_moment(desk: RiskDesk) -> None:
    """The process that tripped it died at once. A day later the price has been where the order waited, in vain."""
    price = desk.paper.near("0.999")
    desk.place(BUY, CENT, price=price, client_order_id="near")
    switch.trip(desk.database, "user:ada", "a drill", resting=Resting.CANCEL)
    desk.clock.forward(days=30)
    desk.paper.restart()
    path = desk.paper.venue.market.path(BTC)
    start = int(desk.clock().timestamp()) - 30 * 86_400
    assert path.next_below(int(price / path.spec.tick) - 5, start, start + 30 * 86_400) is not None
    desk.paper.settle()
    order = desk.paper.order("near")
    assert (order.state, order.filled_quantity) == (OrderState.CANCELLED, 0)


def test_flattening_closes_every_position_once(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.place(BUY, COIN, ETH)
    switch.trip(desk.database, "user:ada", "out of it", resting=Resting.CANCEL, flatten=True)
    assert desk.paper.desk is not None
    done = asyncio.run(obey(desk.paper.desk, desk.paper.account.id))
    assert (len(done.closed), done.left, done.troubles) == (2, [], [])
    assert (desk.paper.held(BTC), desk.paper.held(ETH)) == (0, 0)
    sales = [order for order in desk.paper.orders().values() if order.reason.get("origin") == "kill_switch"]
    assert len(sales) == 2
    desk.paper.restart()
    desk.paper.settle()
    assert len(desk.paper.orders()) == 4


def test_a_position_larger_than_the_book_is_closed_in_several_sales(desk: RiskDesk) -> None:
    """A market order goes one per cent deep: 30 bitcoins are more than stand there."""
    desk.margin("50")
    for _ in range(8):
        desk.place(BUY, 4 * COIN)
    held = desk.paper.held(BTC)
    switch.trip(desk.database, "user:ada", "out of it", flatten=True)
    desk.paper.settle()
    sales = [order for order in desk.paper.orders().values() if order.reason.get("origin") == "kill_switch"]
    assert sum(order.filled_quantity for order in sales) == held - desk.paper.held(BTC)
    assert len(sales) > 1
    assert desk.paper.held(BTC) == 0


def test_a_short_position_is_closed_by_buying(desk: RiskDesk) -> None:
    desk.margin("3")
    desk.place(SELL, TENTH)
    switch.trip(desk.database, "user:ada", "out of it", flatten=True)
    desk.paper.settle()
    assert desk.paper.held(BTC) == 0


def lose(desk: RiskDesk, **fields: object) -> None:
    desk.place(BUY, TENTH, **fields)
    desk.place(SELL, TENTH, **fields)


def test_a_loss_over_its_limit_trips_the_account_s_switch_without_anybody_s_order(desk: RiskDesk) -> None:
    desk.limit("daily_loss", 1, on_breach=OnBreach.TRIP)
    desk.place(BUY, CENT, price=low(desk), client_order_id="rests")
    desk.place(BUY, TENTH, client_order_id="held")
    desk.place(SELL, CENT, price=desk.paper.near("1.5"), client_order_id="exit")
    desk.place(SELL, TENTH - CENT, client_order_id="sold")  # spread and fees: more than a dollar
    assert tripped(desk) == [(desk.scope, switch.RULE)]
    assert states(desk)["rests"] is OrderState.CANCELLED
    assert states(desk)["exit"] is OrderState.OPEN, "nobody may be looking: the way out stays"
    assert refused_by(desk.place(BUY, CENT)) == {"kill_switch", "daily_loss"}
    told = [one.reason for one in switch.status(desk.database) if one.tripped]
    assert told[0].startswith("daily_loss: ")
    assert told[0].endswith(" USDT, at most 1")


def test_a_strategy_that_loses_too_much_is_stopped_alone(desk: RiskDesk) -> None:
    desk.limit("daily_loss", 1, strategy="grid", on_breach=OnBreach.TRIP)
    lose(desk, strategy="grid")
    assert tripped(desk) == [("strategy:grid", switch.RULE)]
    assert "kill_switch" in refused_by(desk.place(BUY, CENT, strategy="grid"))
    assert desk.place(BUY, CENT).state is OrderState.FILLED


def test_a_fall_of_the_price_trips_a_drawdown_and_closes_what_is_held(desk: RiskDesk) -> None:
    desk.limit("drawdown", "1%", on_breach=OnBreach.FLATTEN)
    desk.margin("5")
    desk.place(BUY, 3 * COIN)
    start = int(desk.clock().timestamp())
    path = desk.paper.venue.market.path(BTC)
    fallen = path.next_below(path.ticks(start) * 97 // 100, start, start + 90 * 86_400)
    assert fallen is not None
    desk.clock.forward(seconds=fallen - start)
    desk.paper.settle()
    assert tripped(desk) == [(desk.scope, switch.RULE)]
    assert desk.paper.held(BTC) == 0


def test_an_order_over_a_limit_that_trips_is_refused_and_trips(desk: RiskDesk) -> None:
    desk.limit("order_notional", 100, on_breach=OnBreach.TRIP)
    assert refused_by(desk.place(BUY, TENTH)) == {"order_notional"}
    assert tripped(desk) == [(desk.scope, switch.RULE)]


def test_a_rehearsal_trips_nothing(desk: RiskDesk) -> None:
    desk.limit("order_notional", 100, on_breach=OnBreach.TRIP)
    assert desk.paper.desk is not None
    asyncio.run(desk.paper.desk.submit(desk.intent(BUY, TENTH), dry_run=True))
    assert desk.place(BUY, budget=50 * 10**6).state is OrderState.FILLED
    assert tripped(desk) == []


def test_while_the_loss_stands_the_switch_trips_again_after_a_reset(desk: RiskDesk) -> None:
    desk.limit("daily_loss", 1, on_breach=OnBreach.TRIP)
    lose(desk)
    switch.reset(desk.database, "user:ada", "I know", desk.scope)
    assert tripped(desk) == []
    desk.paper.settle()
    assert tripped(desk) == [(desk.scope, switch.RULE)]
    switch.reset(desk.database, "user:ada", "I know", desk.scope)
    desk.limit("daily_loss", 5_000, on_breach=OnBreach.TRIP)
    assert desk.place(BUY, CENT).state is OrderState.FILLED


def test_every_turn_stands_in_the_journal_with_who_and_why(desk: RiskDesk) -> None:
    desk.limit("daily_loss", 1, on_breach=OnBreach.TRIP)
    lose(desk)
    switch.reset(desk.database, "user:ada", "the limit was a typing error", desk.scope)
    with desk.database.read() as session:
        told = [
            (record.kind, record.actor, record.data.get("reason"))
            for record in journal.read_forward(session)
            if record.kind.startswith("kill.")
        ]
        assert journal.verify(session).whole
    assert [(kind, actor) for kind, actor, _ in told] == [
        ("kill.tripped", switch.RULE),
        ("kill.reset", "user:ada"),
    ]
    assert told[1][2] == "the limit was a typing error"
