"""Every instrument counts in whole ticks and lots, and is found by whatever a person calls it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sniper_cli.errors import NotFound
from sniper_cli.market.instruments import (
    BASE_DECIMALS,
    INSTRUMENTS,
    QUOTE_DECIMALS,
    Spec,
    find_spec,
    spec_named,
)

each = pytest.mark.parametrize("spec", INSTRUMENTS.values(), ids=lambda spec: spec.symbol)


@each
def test_every_lot_at_every_tick_is_whole_quote_units(spec: Spec) -> None:
    assert spec.lot_units * spec.tick_units % 10**BASE_DECIMALS == 0
    assert spec.lot_units * spec.tick_units > 0


@each
def test_tick_lot_start_and_depth_are_whole(spec: Spec) -> None:
    assert spec.tick_units == spec.tick * 10**QUOTE_DECIMALS
    assert spec.lot_units == spec.lot * 10**BASE_DECIMALS
    assert spec.start_ticks * spec.tick == spec.start
    assert spec.depth_lots * spec.lot == spec.depth


@each
def test_a_tick_is_less_than_a_basis_point_of_the_price(spec: Spec) -> None:
    """Else the book, whose levels stand a tick apart at least, would be wide beside the price's own moves."""
    assert spec.start_ticks >= 9_500


@each
def test_between_the_smallest_order_and_the_largest_there_is_room(spec: Spec) -> None:
    assert spec.notional(spec.start_ticks, 1) <= 2 * spec.minimum_notional < spec.maximum_notional // 1000
    assert spec.notional(spec.start_ticks, spec.maximum_lots) > spec.maximum_notional // 2


def test_there_are_twenty_four_and_their_bounds_are_a_venue_s() -> None:
    assert len(INSTRUMENTS) == 24
    btc = INSTRUMENTS["paper:BTC/USDT"]
    assert btc.minimum_notional == 5 * 10**6
    assert btc.maximum_notional == 5_000_000 * 10**6
    assert btc.maximum_lots * btc.lot == Decimal(1000)


@pytest.mark.parametrize(
    "text", ["BTC/USDT", "btc/usdt", "paper:BTC/USDT", "BTC-USDT", "btc_usdt", "BTCUSDT", " btc "]
)
def test_an_instrument_is_found_by_whatever_people_call_it(text: str) -> None:
    assert spec_named(text) is INSTRUMENTS["paper:BTC/USDT"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("paper:BTCC/USDT", "BTC/USDT"),
        ("BTC/USD", "BTC/USDT"),
        ("etherium", "ETH/USDT"),
        ("Cardno", "ADA/USDT"),
        ("SOLL/USDT", "SOL/USDT"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(text: str, meant: str) -> None:
    assert spec_named(text) is None
    with pytest.raises(NotFound, match=f"did you mean '{meant}'?") as caught:
        find_spec(text)
    assert caught.value.hint == "sniper market list"


def test_what_is_like_nothing_is_answered_without_a_guess() -> None:
    with pytest.raises(NotFound) as caught:
        find_spec("paper:PEPE/USDT")
    assert caught.value.message == "the simulated market has no PEPE/USDT"
