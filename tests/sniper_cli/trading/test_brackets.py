"""An entry with its exits: they cover what has been filled of it, and one of them ends the other."""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.trading.families import Exit, bracket
from state.orders import OrderState, Side
from tests.paper_fixtures import COIN, PaperDesk, until_above, until_below

S = OrderState


def until_partly_filled(desk: PaperDesk, client_id: str, price: Decimal) -> None:
    """The first second in which the market trades through a price gives what stands there, and no more."""
    until_below(desk, price)
    while desk.order(client_id).state is S.OPEN:
        desk.clock.forward(seconds=1)
        until_below(desk, price)


def enter(
    desk: PaperDesk, *, quantity: int = COIN // 10, price: str | None = None, stop: str = "0.98"
) -> str:
    """A bracket, 1 % and 2 % away; the entry at the market, or at a share of the price."""
    entry = desk.intent(Side.BUY, quantity=quantity, client_order_id="e")
    if price is not None:
        entry = desk.limit(Side.BUY, desk.near(price), quantity, client_order_id="e")
    desk.place(bracket(entry, take_profit=Exit(desk.near("1.01")), stop_loss=Exit(desk.near(stop))))
    return "e"


def test_the_exits_of_an_entry_at_the_market_stand_at_once_over_what_it_filled(desk: PaperDesk) -> None:
    enter(desk)

    orders = desk.orders()

    assert {name: (o.state, o.quantity) for name, o in orders.items()} == {
        "e": (S.FILLED, COIN // 10),
        "e/tp": (S.OPEN, COIN // 10),
        "e/sl": (S.OPEN, COIN // 10),
    }
    assert orders["e/tp"].parent_id == orders["e/sl"].parent_id == orders["e"].id


def test_the_exits_wait_until_the_entry_fills(desk: PaperDesk) -> None:
    enter(desk, price="0.99")
    assert desk.states() == {"e": S.OPEN, "e/tp": S.HELD, "e/sl": S.HELD}

    until_below(desk, desk.near("0.9899"))

    assert desk.states() == {"e": S.FILLED, "e/tp": S.OPEN, "e/sl": S.OPEN}


def test_a_partly_filled_entry_is_covered_as_far_as_it_is_filled_and_no_further(desk: PaperDesk) -> None:
    price = desk.near("0.99")
    enter(desk, quantity=COIN // 2 * 3, price="0.99")
    until_partly_filled(desk, "e", price)
    orders = desk.orders()

    assert {orders[name].quantity for name in ("e/tp", "e/sl")} == {orders["e"].filled_quantity}

    before = orders["e"].filled_quantity
    while desk.order("e").filled_quantity == before:
        desk.clock.forward(seconds=1)
        desk.settle()
    orders = desk.orders()
    assert {orders[name].quantity for name in ("e/tp", "e/sl")} == {orders["e"].filled_quantity}


def test_the_take_profit_cancels_the_stop_loss(desk: PaperDesk) -> None:
    enter(desk)
    until_above(desk, desk.near("1.0101"))
    desk.clock.forward(seconds=30)
    desk.settle()

    orders = desk.orders()

    assert (orders["e/tp"].state, orders["e/sl"].state) == (S.FILLED, S.CANCELLED)
    assert "was filled in its place" in (orders["e/sl"].explanation or "")
    assert desk.held() == 0


def test_the_stop_loss_cancels_the_take_profit(desk: PaperDesk) -> None:
    enter(desk, stop="0.997")
    until_below(desk, desk.near("0.997"))

    orders = desk.orders()

    assert (orders["e/tp"].state, orders["e/sl"].state) == (S.CANCELLED, S.FILLED)
    assert desk.held() == 0


def test_an_entry_cancelled_before_it_fills_takes_its_exits_with_it(desk: PaperDesk) -> None:
    enter(desk, price="0.5")

    desk.cancel("e")

    assert set(desk.states().values()) == {S.CANCELLED}


def test_an_entry_cancelled_when_it_is_partly_filled_leaves_the_exits_on_guard(desk: PaperDesk) -> None:
    price = desk.near("0.99")
    enter(desk, quantity=COIN * 3 // 2, price="0.99")
    until_partly_filled(desk, "e", price)
    assert desk.order("e").state is S.PARTIALLY_FILLED

    desk.cancel("e")

    assert desk.states() == {"e": S.CANCELLED, "e/tp": S.OPEN, "e/sl": S.OPEN}
    assert desk.order("e/sl").quantity == desk.order("e").filled_quantity


def test_an_exit_that_is_filled_ends_what_still_buys(desk: PaperDesk) -> None:
    """A position that has just been stopped out must not be bought again by the rest of its entry."""
    price = desk.near("0.99")
    entry = desk.limit(Side.BUY, price, COIN * 3 // 2, client_order_id="e")
    tick = Decimal("0.01")
    desk.place(bracket(entry, take_profit=Exit(desk.near("1.2")), stop_loss=Exit(price - tick)))
    until_partly_filled(desk, "e", price)
    until_below(desk, price - tick)

    assert desk.order("e/sl").state is S.FILLED
    assert desk.order("e").filled_quantity < COIN * 3 // 2
    assert desk.order("e").state is S.CANCELLED
    assert desk.held() == 0


def test_exits_are_cut_when_a_part_of_the_position_is_sold_by_hand(desk: PaperDesk) -> None:
    enter(desk)

    desk.put(desk.intent(Side.SELL, quantity=COIN // 25))

    orders = desk.orders()
    assert {orders[name].quantity for name in ("e/tp", "e/sl")} == {COIN // 10 - COIN // 25}


def test_exits_end_when_the_position_is_sold_by_hand(desk: PaperDesk) -> None:
    enter(desk)

    desk.put(desk.intent(Side.SELL, quantity=COIN // 10))

    assert {desk.order(name).state for name in ("e/tp", "e/sl")} == {S.CANCELLED}


def test_a_refused_exit_refuses_the_entry_and_says_which(desk: PaperDesk) -> None:
    entry = desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="e")

    desk.place(bracket(entry, take_profit=Exit(Decimal("60000.123"))))

    assert desk.states() == {"e": S.REFUSED}
    assert "take profit: the price must be a multiple of 0.01" in (desk.order("e").explanation or "")


def test_a_bracket_repeated_under_its_name_gives_the_same_orders_back(desk: PaperDesk) -> None:
    enter(desk, price="0.99")
    until_below(desk, desk.near("0.9899"))
    before = desk.states()

    entry = desk.limit(Side.BUY, desk.order("e").limit_price or 0, COIN // 10, client_order_id="e")
    legs = (Exit(desk.order("e/tp").limit_price), Exit(Decimal(desk.order("e/sl").terms["trigger_price"])))
    outcomes = desk.place(bracket(entry, take_profit=legs[0], stop_loss=legs[1]))[0]

    assert [one.replayed for one in outcomes] == [True, True, True]
    assert desk.states() == before


def test_a_trailing_stop_guards_a_bracket_and_moves_along(desk: PaperDesk) -> None:
    entry = desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="e")
    desk.place(bracket(entry, stop_loss=Exit(trail_bps=100)))
    first = desk.price()
    until_above(desk, first * Decimal("1.005"))

    until_below(desk, desk.price() * Decimal("0.989"))

    stop = desk.order("e/sl")
    assert stop.state is S.FILLED
    assert Decimal(stop.terms["best_price"]) > first
