"""A trade counts once, however often it is reported; taken back, it is as if it had never been."""

from __future__ import annotations

import pytest

from sniper_cli.books.undoing import REORGANISED
from state.database import Database
from state.errors import IllegalTransition
from state.orders import OrderState, Side
from state.positions import LotMethod, PositionState
from tests.books_fixtures import COIN, PURSE, TOKEN, Ledger, Trade


def test_the_same_trade_reported_twice_counts_once(ledger: Ledger) -> None:
    order = ledger.open_order(Side.BUY, 100)
    assert ledger.fill(order, 60, 600, "t1")
    assert not ledger.fill(order, 60, 600, "t1")
    assert ledger.fill(order, 40, 400, "t2")
    assert not ledger.fill(order, 40, 400, "t2")  # the order is over, its trades are still known
    row = ledger.order(order)
    assert (row.state, row.filled_quantity, row.filled_notional) == (OrderState.FILLED, 100, 1000)
    assert ledger.holds(TOKEN) == 100


def test_two_orders_may_share_a_venues_trade_id(ledger: Ledger) -> None:
    first, second = ledger.open_order(Side.BUY, 100), ledger.open_order(Side.SELL, 100)
    assert ledger.fill(first, 100, 1000, "crossed")
    assert ledger.fill(second, 100, 1000, "crossed")
    assert ledger.position().state is PositionState.CLOSED


def test_undoing_leaves_as_if_it_had_never_been(ledger: Ledger) -> None:
    bought = ledger.buy(100, 1000, fee=7)
    sold = ledger.sell(40, 900, fee=3)
    ledger.undo(sold)
    position = ledger.position()
    assert (position.quantity, position.realised, position.received, position.fees) == (100, 0, 0, 7)
    assert (ledger.lots(), ledger.matches(sold)) == ([(100, 100, 1000)], [])
    ledger.undo(bought)
    assert (ledger.holds(COIN), ledger.holds(TOKEN)) == (PURSE, 0)
    position = ledger.position()
    assert (position.spent, position.received, position.realised, position.fees) == (0, 0, 0, 0)
    assert (position.exit_rule, position.state) == (REORGANISED, PositionState.CLOSED)
    assert ledger.lots() == []
    assert ledger.fill_row(bought).reversed_at is not None


def test_undoing_the_sale_that_closed_a_position_opens_it_again(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    sale = ledger.sell(100, 1500)
    ledger.undo(sale)
    position = ledger.position()
    assert (position.state, position.exit_rule, position.closed_at) == (PositionState.OPEN, None, None)
    assert (position.quantity, position.basis, position.realised) == (100, 1000, 0)
    ledger.sell(100, 1200)
    assert [p.realised for p in ledger.positions()] == [200]


def test_a_purchase_cannot_be_undone_before_what_was_sold_of_it(ledger: Ledger) -> None:
    bought = ledger.buy(100, 1000)
    ledger.sell(40, 900)
    with pytest.raises(IllegalTransition, match="cannot be undone before"):
        ledger.undo(bought)
    assert (ledger.holds(TOKEN), ledger.position().realised) == (60, 500)
    assert ledger.fill_row(bought).reversed_at is None


@pytest.mark.parametrize("method", LotMethod)
def test_what_was_undone_can_happen_again(database: Database, method: LotMethod) -> None:
    """Newest first, by every method: the lots are as they were, and the same trades give the same figures again."""
    ledger = Ledger(database, method=method)

    def trade() -> list[Trade]:
        return [
            ledger.buy(100, 1001),
            ledger.sell(30, 500),
            ledger.buy(70, 2003),
            ledger.sell(50, 999),
            ledger.buy(10, 77),
        ]

    def figures() -> tuple[int, ...]:
        position = ledger.position()
        return position.quantity, position.basis, position.realised, position.spent, position.received

    done = trade()
    first = figures()
    for one in reversed(done):
        ledger.undo(one)
        ledger.assert_true()
    assert figures() == (0, 0, 0, 0, 0)
    trade()
    assert figures() == first
    ledger.assert_true()
    ledger.books.close()


def test_a_trade_that_turned_a_position_round_is_undone_on_both_sides(margin: Ledger) -> None:
    margin.buy(100, 1000)
    turn = margin.sell(250, 5000)
    margin.undo(turn)
    long, short = margin.positions()
    assert (long.state, long.quantity, long.basis, long.realised) == (PositionState.OPEN, 100, 1000, 0)
    assert (long.spent, long.received) == (1000, 0)
    assert (short.state, short.quantity, short.basis, short.received) == (PositionState.CLOSED, 0, 0, 0)
    assert short.exit_rule == REORGANISED
    margin.sell(100, 1500)
    assert margin.positions()[0].realised == 500
