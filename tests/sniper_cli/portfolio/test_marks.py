"""A mark is what the paper venue itself would pay, level by level, and says how old it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket, step_of
from sniper_cli.portfolio.marks import STALE_AFTER, Mark, PaperMarks, Source, unrealised
from sniper_cli.venues.paper import PaperVenue

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MARKET = SimulatedMarket(7)
VENUE = PaperVenue(MARKET, clock=lambda: NOON)
BTC = "paper:BTC/USDT"


@settings(max_examples=300, deadline=None)
@given(
    instrument=st.sampled_from(list(INSTRUMENTS)), lots=st.integers(-(10**5), 10**5), dust=st.integers(0, 3)
)
def test_a_mark_is_what_the_venue_would_pay(instrument: str, lots: int, dust: int) -> None:
    quantity = lots * INSTRUMENTS[instrument].lot_units + dust

    assert PaperMarks(MARKET).at(NOON).closing(instrument, quantity) == VENUE.proceeds(instrument, quantity)


def test_many_positions_are_marked_as_each_of_them_alone() -> None:
    held = [(instrument, 1000 * spec.lot_units) for instrument, spec in INSTRUMENTS.items()]
    marks = PaperMarks(MARKET).at(NOON)

    assert marks.closings(held) == [marks.closing(*one) for one in held]


def test_a_later_second_has_another_book() -> None:
    marks = PaperMarks(MARKET)
    quantity = 10**8

    first, second = (marks.at(NOON + timedelta(hours=hours)).closing(BTC, quantity) for hours in (0, 1))

    assert first != second
    assert marks.at(NOON).closing(BTC, quantity) == first


def test_the_rate_is_the_middle_price() -> None:
    over, under = PaperMarks(MARKET).at(NOON).rate(BTC) or (0, 1)

    assert over * 10**8 // under == VENUE.price(BTC) * 10**6
    assert PaperMarks(MARKET).rate(BTC, step_of(NOON)) == (over, under)
    assert PaperMarks(MARKET).at(NOON).rate("evm:1:0xabc") is None


@pytest.mark.parametrize(
    ("age", "stale"),
    [(timedelta(0), False), (STALE_AFTER, False), (STALE_AFTER + timedelta(seconds=1), True)],
)
def test_a_mark_says_how_old_it_is(age: timedelta, stale: bool) -> None:
    mark = Mark(5, Source.POOL, NOON - age)

    assert mark.age(NOON) == age
    assert mark.stale(NOON) is stale


def test_what_nobody_marked_has_no_age_and_is_stale() -> None:
    mark = Mark(5, Source.COST)

    assert mark.age(NOON) is None
    assert mark.stale(NOON)


def test_a_short_position_gains_when_buying_back_costs_less_than_its_sale_brought() -> None:
    assert unrealised(10, 100, 130) == 30
    assert unrealised(-10, 100, -70) == 30
    assert unrealised(-10, 100, -130) == -30
