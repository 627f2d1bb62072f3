"""Orders that hang on orders: what a fill or an end of one does to the others, as a trader would see it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest

from sniper_cli.risk import switch
from sniper_cli.trading.families import (
    average,
    grid,
    one_cancels_other,
    one_triggers_other,
    schedule,
)
from sniper_cli.trading.intents import Condition, Terms
from sniper_cli.venues.paper import Conditions
from state.controls import Resting
from state.database import Database
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.writing import micros
from tests.paper_fixtures import BTC, COIN, DOLLAR, ETH, PaperDesk, paper_desk, until_above, until_below

S = OrderState


# -- pairs and chains ---------------------------------------------------------------------------------------------


def test_of_two_orders_that_cancel_each_other_one_fills(desk: PaperDesk) -> None:
    high, low = desk.near("1.005"), desk.near("0.995")
    desk.buy()
    sell = desk.limit(Side.SELL, high, COIN // 10, client_order_id="a")
    stop = desk.stop(Side.SELL, low, COIN // 10, client_order_id="b")
    desk.place(one_cancels_other(sell, stop))
    assert {desk.order(name).state for name in "ab"} == {S.OPEN}

    while {desk.order(name).state for name in "ab"} == {S.OPEN}:
        desk.clock.forward(minutes=10)
        desk.settle()

    assert sorted(desk.order(name).state for name in "ab") == [S.CANCELLED, S.FILLED]
    assert desk.held() == 0


def test_a_partial_fill_takes_as_much_off_the_other(desk: PaperDesk) -> None:
    desk.buy(COIN)
    price = desk.near("1.003")
    sell = desk.limit(Side.SELL, price, COIN, client_order_id="a")
    desk.place(one_cancels_other(sell, desk.stop(Side.SELL, desk.near("0.9"), COIN, client_order_id="b")))
    while not desk.order("a").filled_quantity:
        until_above(desk, price)
        desk.clock.forward(seconds=1)
        desk.settle()
    one = desk.order("a")
    if one.state is S.FILLED:
        assert desk.order("b").state is S.CANCELLED
    else:
        assert desk.order("b").quantity == COIN - one.filled_quantity


def test_two_purchases_that_cancel_each_other_put_the_larger_sum_aside_once(desk: PaperDesk) -> None:
    """100,000 USDT pay for one coin and a half at 58,000, not for three."""
    low = desk.limit(Side.BUY, desk.near("0.95"), COIN * 3 // 2, client_order_id="a")
    high = desk.stop(Side.BUY, desk.near("1.05"), COIN * 3 // 2, client_order_id="b")

    desk.place(one_cancels_other(low, high))

    assert desk.states() == {"a": S.OPEN, "b": S.OPEN}
    both = desk.walk(lambda walk: walk.book.reserved["paper:USDT"])
    assert both == max(desk.order("a").reserved, desk.order("b").reserved)


def test_an_order_after_another_goes_when_that_is_filled(desk: PaperDesk) -> None:
    first = desk.limit(Side.BUY, desk.near("0.99"), client_order_id="a")
    desk.place(one_triggers_other(first, desk.intent(Side.BUY, ETH, quantity=COIN, client_order_id="b")))
    assert desk.states() == {"a": S.OPEN, "b": S.HELD}

    until_below(desk, desk.near("0.9895"))

    assert desk.states() == {"a": S.FILLED, "b": S.FILLED}


def test_an_order_after_another_ends_with_it(desk: PaperDesk) -> None:
    first = desk.limit(Side.BUY, desk.near("0.5"), client_order_id="a")
    desk.place(one_triggers_other(first, desk.intent(Side.BUY, ETH, quantity=COIN, client_order_id="b")))

    desk.cancel("a")

    assert desk.states() == {"a": S.CANCELLED, "b": S.CANCELLED}


# -- time, price, position ----------------------------------------------------------------------------------------


def test_a_scheduled_order_goes_at_its_time_and_at_the_price_of_that_second(desk: PaperDesk) -> None:
    start = desk.clock.now + timedelta(hours=3)
    desk.put(
        desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a", terms=Terms(starts_at=micros(start)))
    )
    desk.clock.forward(hours=2)
    desk.settle()
    assert desk.order("a").state is S.HELD

    desk.clock.forward(hours=30)
    desk.settle()

    (fill,) = desk.story()["fills"]
    assert fill[-1] == start
    ask = desk.venue.market.book(BTC, start).asks[0].ticks
    assert fill[3] == ask * desk.venue.market.path(BTC).spec.notional(1, COIN // 10 // 10_000)


def test_what_a_scheduled_order_cannot_pay_for_when_its_time_comes_is_refused_then(desk: PaperDesk) -> None:
    start = micros(desk.clock.now + timedelta(hours=1))
    desk.put(desk.intent(Side.BUY, quantity=COIN, client_order_id="late", terms=Terms(starts_at=start)))
    desk.buy(COIN)

    desk.clock.forward(hours=2)
    desk.settle()

    assert desk.order("late").state is S.REFUSED
    assert "funds" in (desk.order("late").explanation or "")


@pytest.mark.parametrize(("share", "below"), [("1.004", False), ("0.996", True)])
def test_a_conditional_order_waits_for_the_price_of_another_instrument(
    desk: PaperDesk, share: str, below: bool
) -> None:
    price = desk.near(share, ETH)
    condition = Condition(ETH, below=price) if below else Condition(ETH, above=price)
    order = desk.put(
        desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a", terms=Terms(condition=condition))
    )
    assert order.state is S.HELD

    (until_below if below else until_above)(desk, price, ETH)

    assert desk.order("a").state is S.FILLED


def test_a_condition_that_holds_already_holds_nothing_up(desk: PaperDesk) -> None:
    terms = Terms(condition=Condition(above=desk.near("0.9")))
    assert desk.put(desk.intent(Side.BUY, quantity=COIN // 10, terms=terms)).state is S.FILLED


def test_an_order_waits_for_a_position(desk: PaperDesk) -> None:
    terms = Terms(condition=Condition(ETH, position="open"))
    desk.put(desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a", terms=terms))
    assert desk.order("a").state is S.HELD

    desk.buy(COIN, ETH)

    assert desk.order("a").state is S.FILLED


def test_a_held_order_expires_without_having_been_sent(desk: PaperDesk) -> None:
    end = micros(desk.clock.now + timedelta(hours=1))
    terms = Terms(condition=Condition(below=Decimal(1)), expires_at=end)
    desk.put(
        desk.intent(
            Side.BUY, quantity=COIN // 10, client_order_id="a", terms=terms, time_in_force=TimeInForce.GTD
        )
    )

    desk.clock.forward(hours=2)
    desk.settle()

    assert desk.order("a").state is S.EXPIRED


def test_what_is_held_claims_no_money(desk: PaperDesk) -> None:
    terms = Terms(starts_at=micros(desk.clock.now + timedelta(days=1)))
    desk.put(desk.intent(Side.BUY, quantity=COIN, terms=terms))

    assert desk.walk(lambda walk: walk.book.reserved.get("paper:USDT", 0)) == 0


# -- ladders ------------------------------------------------------------------------------------------------------


def test_slices_go_one_by_one_and_the_whole_ends_with_the_last(desk: PaperDesk) -> None:
    head = desk.intent(Side.BUY, budget=900 * DOLLAR, client_order_id="p")
    now = micros(desk.clock.now)
    desk.place(schedule(head, [now + n * 3_600_000_000 for n in range(3)], [300 * DOLLAR] * 3))
    assert desk.states() == {"p": S.HELD, "p/1": S.FILLED, "p/2": S.HELD, "p/3": S.HELD}

    desk.clock.forward(hours=1)
    desk.settle()
    assert desk.states() == {"p": S.HELD, "p/1": S.FILLED, "p/2": S.FILLED, "p/3": S.HELD}

    desk.clock.forward(hours=5)
    desk.settle()
    assert set(desk.states().values()) == {S.FILLED}


def test_cancelling_a_parent_cancels_what_is_left_of_it(desk: PaperDesk) -> None:
    head = desk.intent(Side.BUY, budget=900 * DOLLAR, client_order_id="p")
    now = micros(desk.clock.now)
    desk.place(schedule(head, [now + n * 3_600_000_000 for n in range(3)], [300 * DOLLAR] * 3))

    desk.cancel("p")

    assert desk.states() == {"p": S.CANCELLED, "p/1": S.FILLED, "p/2": S.CANCELLED, "p/3": S.CANCELLED}


def test_an_averaging_ladder_is_refused_whole_when_it_cannot_be_paid_for(desk: PaperDesk) -> None:
    head = desk.intent(Side.BUY, quantity=COIN, client_order_id="p", type=OrderType.MARKET)

    desk.place(average(head, [(desk.near("1"), COIN), (desk.near("0.9"), COIN)]))

    assert desk.states() == {"p": S.REFUSED}
    assert "funds" in (desk.order("p").explanation or "")


def test_a_grid_sells_one_price_up_what_it_bought_and_buys_it_back_one_price_down(desk: PaperDesk) -> None:
    prices = [desk.near(share) for share in ("0.98", "0.985", "0.99", "0.995", "1")]
    head = desk.intent(Side.BUY, client_order_id="g")
    desk.place(grid(head, prices, [COIN // 100] * 4, desk.price()))
    assert {name: order.side for name, order in desk.orders().items() if name != "g"} == {
        f"g/{gap}.0": Side.BUY for gap in range(4)
    }

    until_below(desk, prices[3] - 5)
    orders = desk.orders()
    assert (orders["g/3.0"].state, orders["g/3.1"].state) == (S.FILLED, S.OPEN)
    assert (orders["g/3.1"].side, orders["g/3.1"].limit_price) == (Side.SELL, prices[4])

    until_above(desk, prices[4] + 5)
    again = desk.order("g/3.2")
    assert (again.side, again.limit_price, again.state) == (Side.BUY, prices[3], S.OPEN)
    assert desk.order("g").state is S.HELD


def test_a_grid_ends_when_it_is_cancelled(desk: PaperDesk) -> None:
    prices = [desk.near(share) for share in ("0.98", "0.99", "1")]
    desk.place(grid(desk.intent(Side.BUY, client_order_id="g"), prices, [COIN // 100] * 2, desk.price()))

    desk.cancel("g")

    assert set(desk.states().values()) == {S.CANCELLED}


def test_a_switch_stops_what_comes_after_it_and_not_what_a_late_look_finds_before(desk: PaperDesk) -> None:
    """Nobody looked in between: the slice before the switch went all the same, the one after it did not."""
    now = micros(desk.clock.now)
    head = desk.intent(Side.BUY, budget=600 * DOLLAR, client_order_id="p")
    desk.place(schedule(head, [now + 3_600_000_000, now + 3 * 3_600_000_000], [300 * DOLLAR] * 2))
    desk.clock.forward(hours=2)
    with patch("sniper_cli.risk.switch.utc_now", desk.clock):  # the test's time is not the machine's
        switch.trip(desk.database, "user:ada", "a drill", resting=Resting.KEEP)

    desk.clock.forward(hours=2)
    desk.settle()

    assert desk.states() == {"p": S.FILLED, "p/1": S.FILLED, "p/2": S.REFUSED}
    assert "a drill" in (desk.order("p/2").explanation or "")


# -- reductions and latency ---------------------------------------------------------------------------------------


def test_a_reduction_of_more_than_is_held_is_refused_with_the_nearest(desk: PaperDesk) -> None:
    desk.buy()
    terms = Terms(reduce_only=True)

    order = desk.put(desk.intent(Side.SELL, quantity=COIN, terms=terms))

    assert order.state is S.REFUSED
    assert "the nearest is all of it, 0.1 BTC" in (order.explanation or "")


def test_a_reduction_shrinks_with_what_is_held_and_ends_with_it(desk: PaperDesk) -> None:
    desk.buy()
    desk.put(
        desk.limit(Side.SELL, desk.near("2"), COIN // 10, client_order_id="r", terms=Terms(reduce_only=True))
    )

    desk.put(desk.intent(Side.SELL, quantity=COIN // 20))
    assert (desk.order("r").state, desk.order("r").quantity) == (S.OPEN, COIN // 20)

    desk.put(desk.intent(Side.SELL, quantity=COIN // 20))
    assert desk.order("r").state is S.CANCELLED


def test_a_reduction_leaves_what_is_held_free_to_be_sold(desk: PaperDesk) -> None:
    desk.buy()
    desk.put(desk.limit(Side.SELL, desk.near("2"), COIN // 10, terms=Terms(reduce_only=True)))

    assert desk.put(desk.intent(Side.SELL, quantity=COIN // 10)).state is S.FILLED


def test_on_a_slow_line_an_order_is_in_flight_until_it_arrives(sqlite_database: Database) -> None:
    with paper_desk(sqlite_database, conditions=Conditions(latency_ms=2_500)) as desk:
        sent = desk.clock.now
        assert desk.put(desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a")).state is S.OPEN
        desk.clock.forward(seconds=1)
        desk.settle()
        assert desk.order("a").filled_quantity == 0

        desk.clock.forward(seconds=5)
        desk.settle()

        (fill,) = desk.story()["fills"]
        ask = desk.venue.market.book(BTC, sent + timedelta(seconds=2)).asks[0].ticks
        assert fill[3] == desk.venue.market.path(BTC).spec.notional(ask, COIN // 10 // 10_000)


def test_an_order_in_flight_can_be_cancelled(sqlite_database: Database) -> None:
    with paper_desk(sqlite_database, conditions=Conditions(latency_ms=2_500)) as desk:
        desk.put(desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a"))

        desk.cancel("a")
        desk.clock.forward(seconds=9)
        desk.settle()

        assert desk.order("a").state is S.CANCELLED
