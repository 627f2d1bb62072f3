"""Fills, lots and cash: whatever is bought, sold, lost and undone, nothing appears and nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.database import Database
from state.positions import LotMethod, PositionState
from tests.books_fixtures import COIN, PURSE, TOKEN, Ledger, Trade

amounts = st.integers(min_value=1, max_value=10**24)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), amounts, amounts),
        st.tuples(st.just("sell"), st.integers(min_value=1, max_value=250), amounts),
        st.tuples(st.just("taxed"), amounts, amounts),
        st.tuples(st.just("gas"), amounts, amounts),
        st.tuples(st.just("vanish"), st.integers(min_value=1, max_value=100), amounts),
        st.tuples(st.just("undo"), amounts, amounts),
    ),
    max_size=12,
)
methods = st.sampled_from(LotMethod)
margins = st.sampled_from([Decimal(0), Decimal(3)])
examples = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(acts=acts, method=methods, margin=margins)
def test_money_and_tokens_are_conserved_whatever_happens(
    sqlite_database: Database, acts: list[tuple[str, int, int]], method: LotMethod, margin: Decimal
) -> None:
    ledger = Ledger(sqlite_database, method=method, margin=margin)
    done: list[Trade] = []
    vanished = 0
    for kind, first, second in acts:
        held = sum(position.quantity for position in ledger.positions())
        if kind == "buy":
            done.append(ledger.buy(first, second, fee=second // 1000))
        elif kind == "sell" and (held > 0 or margin):
            share = max(1, abs(held or 10**12) * first // 100)
            done.append(ledger.sell(share if margin else min(held, share), second, fee=second // 1000))
        elif kind == "taxed":
            done.append(ledger.buy(first, second, fee=first // 3 + 1, fee_asset=TOKEN))
        elif kind == "gas" and done:
            assert ledger.gas(done[-1], first, reference=str(uuid4()))
        elif kind == "vanish" and held > 0:
            gone = max(1, held * first // 100)
            vanished += gone
            ledger.write_off(gone)
            done.clear()  # what was bought before cannot be taken back whole any more
        elif kind == "undo" and done:
            ledger.undo(done.pop())
        tokens = sum(position.quantity for position in ledger.positions())
        assert tokens == ledger.holds(TOKEN) - vanished
    spent = sum(p.spent + p.fees - p.received for p in ledger.positions())
    assert ledger.holds(COIN) == PURSE - spent
    for position in ledger.positions():
        # What is realised is what came in less what it had cost; of a short position, the other way round.
        cost = position.basis if position.quantity >= 0 else -position.basis
        assert position.realised == position.received - position.spent + cost
        assert (position.state is PositionState.CLOSED) == (position.quantity == 0)
    ledger.assert_true()
    ledger.books.close()


@examples
@given(
    lots=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 60), max_size=6),
    price=amounts,
    method=methods,
)
def test_selling_everything_in_any_pieces_realises_the_same_to_the_last_unit(
    sqlite_database: Database,
    lots: list[tuple[int, int]],
    cuts: list[int],
    price: int,
    method: LotMethod,
) -> None:
    ledger = Ledger(sqlite_database, method=method)
    for quantity, cost in lots:
        ledger.buy(quantity, cost)
    sales = [ledger.sell(piece, price) for cut in cuts if (piece := ledger.holds(TOKEN) * cut // 100)]
    if ledger.holds(TOKEN):
        sales.append(ledger.sell(ledger.holds(TOKEN), price))
    position = ledger.position()
    assert position.state is PositionState.CLOSED
    assert (
        position.realised
        == position.received - position.spent
        == len(sales) * price - sum(c for _, c in lots)
    )
    assert position.cost == 0
    matches = [match for sale in sales for match in ledger.matches(sale)]
    assert sum(proceeds for _, _, proceeds in matches) == position.received
    assert sum(cost for _, cost, _ in matches) == position.spent
    ledger.books.close()


# -- which lots a sale takes ------------------------------------------------------------------------------------


def sold(database: Database, method: LotMethod) -> tuple[list[tuple[int, int, int]], int, int]:
    """150 of three lots of 100 (for 2000, 5000 and 3000) for 9000: what it took, what it realised, what is left."""
    ledger = Ledger(database, method=method)
    for cost in (2000, 5000, 3000):
        ledger.buy(100, cost)
    sale = ledger.sell(150, 9000)
    position = ledger.position()
    ledger.assert_true()
    ledger.books.close()
    return ledger.matches(sale), position.realised, position.cost


# Two thirds of 9000 for the first hundred, a third for the fifty after it; half of a lot costs half of it.
@pytest.mark.parametrize(
    ("method", "taken", "realised", "left"),
    [
        (LotMethod.FIFO, [(100, 2000, 6000), (50, 2500, 3000)], 4500, 5500),
        (LotMethod.SPECIFIC, [(100, 2000, 6000), (50, 2500, 3000)], 4500, 5500),
        (LotMethod.LIFO, [(50, 2500, 3000), (100, 3000, 6000)], 3500, 4500),
        (LotMethod.HIFO, [(100, 5000, 6000), (50, 1500, 3000)], 2500, 3500),
        (LotMethod.LOFO, [(100, 2000, 6000), (50, 1500, 3000)], 5500, 6500),
        # One pool of 300 for 10,000: half of it costs 5000.
        (LotMethod.AVERAGE, [(150, 5000, 9000)], 4000, 5000),
    ],
)
def test_a_sale_takes_its_lots_by_the_accounts_method(
    database: Database, method: LotMethod, taken: list[tuple[int, int, int]], realised: int, left: int
) -> None:
    assert sold(database, method) == (taken, realised, left)


def test_the_lots_that_an_order_names_go_first(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.buy(100, 3000)
    third = ledger.buy(100, 2000)
    sale = ledger.sell(150, 6000, lots=(third.fill,))
    # The named one whole for 2000, then half of the oldest for 500.
    assert ledger.matches(sale) == [(50, 500, 2000), (100, 2000, 4000)]
    assert ledger.position().realised == 3500


def test_two_named_lots_are_taken_in_the_order_they_are_named(ledger: Ledger) -> None:
    first = ledger.buy(100, 1000)
    ledger.buy(100, 3000)
    third = ledger.buy(100, 2000)
    ledger.sell(120, 2400, lots=(third.fill, first.fill))
    assert ledger.lots() == [(100, 80, 1000), (100, 100, 3000), (100, 0, 2000)]


def test_a_change_of_method_counts_from_the_next_sale_on(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.buy(100, 3000)
    ledger.sell(50, 1000)
    assert ledger.position().realised == 500
    ledger.rename(LotMethod.LIFO)
    ledger.sell(50, 1000)
    assert ledger.position().realised == 500 + 1000 - 1500
    ledger.rename(LotMethod.FIFO)
    ledger.sell(50, 1000)
    assert ledger.position().realised == 1000 - 500


def test_lots_are_pooled_when_an_account_begins_to_average(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.buy(300, 5000)
    ledger.sell(50, 1000)
    ledger.rename(LotMethod.AVERAGE)
    # 50 of the first lot for 500 and 300 for 5000 are left; 50 more for 1500 make 400 for 7000.
    ledger.buy(50, 1500)
    ledger.assert_true()
    ledger.sell(100, 2000)
    # A quarter of 7000 is 1750.
    assert ledger.position().realised == 500 + 250
    assert ledger.position().cost == 5250


def test_a_pool_that_is_left_goes_on_as_a_lot(ledger: Ledger) -> None:
    ledger.rename(LotMethod.AVERAGE)
    ledger.buy(100, 1000)
    ledger.buy(100, 3000)
    ledger.rename(LotMethod.FIFO)
    ledger.buy(100, 9000)
    # Two hundred for 4000 first.
    ledger.sell(250, 25000)
    assert ledger.position().realised == 25000 - 4000 - 4500
    assert ledger.position().cost == 4500


# -- one position -----------------------------------------------------------------------------------------------


def test_a_position_ends_with_its_last_unit_by_the_rule_that_sold_it(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.sell(40, 600, reason={"origin": "exit", "rule": "stop_loss"})
    assert ledger.position().state is PositionState.OPEN
    ledger.sell(60, 900, reason={"origin": "exit", "rule": "take_profit"})
    position = ledger.position()
    assert (position.state, position.exit_rule, position.realised) == (
        PositionState.CLOSED,
        "take_profit",
        500,
    )
    assert position.closed_at is not None
    ledger.buy(10, 100)
    assert [p.state for p in ledger.positions()] == [PositionState.CLOSED, PositionState.OPEN]


def test_the_position_is_its_openers(ledger: Ledger) -> None:
    ledger.buy(100, 1000, strategy="momentum")
    ledger.buy(100, 1000, strategy="other")
    assert ledger.position().strategy == "momentum"


def test_what_is_sold_beyond_the_position_came_from_outside_and_is_all_profit(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    sale = ledger.sell(160, 3200)
    position = ledger.position()
    assert (position.quantity, position.realised, position.state) == (0, 2200, PositionState.CLOSED)
    assert ledger.matches(sale) == [(100, 1000, 3200)]
    assert ledger.holds(TOKEN) == -60


def test_a_sale_without_a_position_is_cash_and_nothing_else(ledger: Ledger) -> None:
    sale = ledger.sell(50, 700, fee=3)
    assert ledger.positions() == []
    assert (ledger.holds(COIN), ledger.holds(TOKEN)) == (PURSE + 697, -50)
    assert ledger.fill_row(sale).realised == 0


# -- short ------------------------------------------------------------------------------------------------------


def test_a_short_position_wins_when_it_is_bought_back_for_less(margin: Ledger) -> None:
    margin.sell(100, 5000, fee=5)
    position = margin.position()
    assert (position.quantity, position.basis, position.received, position.fees) == (-100, 5000, 5000, 5)
    margin.buy(40, 1600, fee=2)
    # 40 of 100 had brought 2000 and cost 1600.
    position = margin.position()
    assert (position.quantity, position.basis, position.realised) == (-60, 3000, 400)
    back = margin.buy(60, 3600)
    position = margin.position()
    assert (position.state, position.realised, position.fees) == (PositionState.CLOSED, 400 - 600, 7)
    assert margin.matches(back) == [(60, 3000, 3600)]


def test_without_margin_nothing_opens_short(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.sell(100, 1000)
    ledger.sell(100, 1000)
    assert [position.quantity for position in ledger.positions()] == [0]


@pytest.mark.parametrize("method", LotMethod)
def test_a_trade_may_turn_a_position_round(database: Database, method: LotMethod) -> None:
    ledger = Ledger(database, method=method, margin=Decimal(3))
    ledger.buy(60, 600)
    ledger.buy(40, 400)
    turn = ledger.sell(250, 5000)
    long, short = ledger.positions()
    # 100 of 250 closed for 2000 what had cost 1000, 150 opened for 3000.
    assert (long.state, long.realised, long.received) == (PositionState.CLOSED, 1000, 2000)
    assert (short.quantity, short.basis, short.received, short.realised) == (-150, 3000, 3000, 0)
    assert ledger.fill_row(turn).position_id == short.id
    ledger.buy(200, 2000)
    _, short, again = ledger.positions()
    assert (short.state, short.realised, short.spent) == (PositionState.CLOSED, 3000 - 1500, 1500)
    assert (again.quantity, again.basis, again.spent) == (50, 500, 500)
    ledger.assert_true()
    ledger.books.close()


def test_a_short_position_is_covered_by_its_lots_in_their_order(database: Database) -> None:
    ledger = Ledger(database, method=LotMethod.HIFO, margin=Decimal(3))
    ledger.sell(100, 1000)
    ledger.sell(100, 3000)
    ledger.buy(100, 1500)
    # The dearer one first: it had brought 3000.
    assert ledger.position().realised == 1500
    assert ledger.position().basis == 1000
    ledger.books.close()


# -- gone without a trade ---------------------------------------------------------------------------------------


def test_what_vanished_is_written_off_at_its_cost(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.write_off(25)
    position = ledger.position()
    assert (position.realised, position.quantity, position.basis) == (-250, 75, 750)
    ledger.write_off(75)
    position = ledger.position()
    assert (position.state, position.exit_rule, position.realised) == (
        PositionState.CLOSED,
        "vanished",
        -1000,
    )
