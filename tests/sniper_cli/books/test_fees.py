"""Fees and gas: paid beside the price, or kept from what is traded; borne by a position, and counted once."""

from __future__ import annotations

from sniper_cli.books.filling import NOTHING_RECEIVED
from state.positions import PositionState
from tests.books_fixtures import COIN, POINT, PURSE, TOKEN, Ledger


def test_a_fee_in_the_quote_asset_is_paid_beside_the_price(ledger: Ledger) -> None:
    trade = ledger.buy(100, 1000, fee=7)
    position = ledger.position()
    assert (position.quantity, position.spent, position.fees) == (100, 1000, 7)
    assert (ledger.holds(COIN), ledger.holds(TOKEN)) == (PURSE - 1007, 100)
    assert ledger.fill_row(trade).fee_value == 7


def test_a_fee_in_the_bought_asset_makes_what_is_left_dearer(ledger: Ledger) -> None:
    trade = ledger.buy(100, 1000, fee=3, fee_asset=TOKEN)
    position = ledger.position()
    assert (position.quantity, position.spent, position.fees) == (97, 1000, 0)
    assert (ledger.lots(), ledger.holds(TOKEN)) == ([(97, 97, 1000)], 97)
    assert ledger.fill_row(trade).fee_value == 0


def test_a_fee_in_the_sold_asset_leaves_with_what_was_sold(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    sale = ledger.sell(40, 800, fee=10, fee_asset=TOKEN)
    position = ledger.position()
    # Fifty of a hundred are gone for 800: half of the cost.
    assert (position.quantity, position.basis, position.realised) == (50, 500, 300)
    assert ledger.holds(TOKEN) == 50
    ledger.undo(sale)
    assert (ledger.position().quantity, ledger.holds(TOKEN)) == (100, 100)


def test_a_fee_in_what_was_sold_short_is_owed_too(margin: Ledger) -> None:
    margin.sell(100, 1000, fee=5, fee_asset=TOKEN)
    assert (margin.position().quantity, margin.position().basis, margin.holds(TOKEN)) == (-105, 1000, -105)
    back = margin.buy(50, 400, fee=2, fee_asset=TOKEN)
    assert (margin.position().quantity, margin.holds(TOKEN)) == (-57, -57)
    margin.undo(back)
    kept = margin.buy(5, 40, fee=5, fee_asset=TOKEN)  # nothing comes back at all
    assert (margin.position().quantity, margin.fill_row(kept).realised) == (-105, -40)


def test_a_fee_in_a_third_asset_counts_at_its_value(ledger: Ledger) -> None:
    ledger.buy(100, 1000, fee=2, fee_asset=POINT, fee_value=9)
    assert ledger.position().fees == 9
    assert (ledger.holds(POINT), ledger.holds(COIN)) == (-2, PURSE - 1000)


def test_gas_is_borne_by_the_orders_position_and_counts_once(ledger: Ledger) -> None:
    trade = ledger.buy(100, 1000)
    assert ledger.gas(trade, 21, reference="0xabc")
    assert not ledger.gas(trade, 21, reference="0xabc")
    assert ledger.gas(trade, -21, reference="0xabc:reversed")
    assert ledger.gas(trade, 30, reference="0xdef")
    assert ledger.position().fees == 30
    assert ledger.holds(COIN) == PURSE - 1030


def test_a_token_that_is_never_delivered_leaves_a_closed_position(ledger: Ledger) -> None:
    ledger.buy(100, 1000, fee=100, fee_asset=TOKEN)
    position = ledger.position()
    assert (position.state, position.exit_rule) == (PositionState.CLOSED, NOTHING_RECEIVED)
    assert (position.quantity, position.spent, ledger.lots()) == (0, 1000, [])
    assert (position.realised, position.cost) == (-1000, 0)  # paid for nothing


def test_what_a_token_keeps_whole_is_lost_though_more_of_it_is_held(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    taxed = ledger.buy(50, 400, fee=50, fee_asset=TOKEN)
    position = ledger.position()
    assert (position.quantity, position.spent, position.basis, position.realised) == (100, 1400, 1000, -400)
    ledger.undo(taxed)
    assert (ledger.position().spent, ledger.position().realised) == (1000, 0)
