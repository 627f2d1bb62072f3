"""Grids, averaging ladders and instalments, against figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.trading.laddering import (
    NoLadder,
    Rung,
    SizedIn,
    Spacing,
    dca_ladder,
    equal_slices,
    grid,
    grid_prices,
    instalments,
)
from state.orders import Side

BUY, SELL = Side.BUY, Side.SELL


# Grids


def test_the_levels_of_an_arithmetic_grid_are_equally_far_apart() -> None:
    assert grid_prices(Decimal(90), Decimal(110), 5) == (90, 95, 100, 105, 110)


def test_the_levels_of_a_geometric_grid_have_one_ratio() -> None:
    assert grid_prices(Decimal(100), Decimal(1600), 5, Spacing.GEOMETRIC) == (100, 200, 400, 800, 1600)


def test_a_root_that_is_a_whole_price_is_not_cut_to_the_one_below() -> None:
    """8^(1/3) in 28 digits is 1.999…9, which the tick of a buy would make 1.9."""
    rungs = grid(
        Decimal(1),
        Decimal(8),
        4,
        Decimal(6),
        spacing=Spacing.GEOMETRIC,
        tick=Decimal("0.1"),
        lot=Decimal(1),
        size=Decimal(1),
    )

    assert [rung.price for rung in rungs] == [1, 2, 4, 8]


def test_levels_go_to_the_nearest_tick() -> None:
    assert grid_prices(Decimal(100), Decimal(101), 4, tick=Decimal("0.05")) == (
        Decimal(100),
        Decimal("100.35"),
        Decimal("100.65"),
        Decimal(101),
    )
    # 100·1.1^(1/2) = 104.8808…
    assert grid_prices(Decimal(100), Decimal(110), 3, Spacing.GEOMETRIC, Decimal("0.01"))[1] == Decimal(
        "104.88"
    )


def test_a_grid_buys_below_the_price_and_sells_above_it() -> None:
    rungs = grid(
        Decimal(90), Decimal(110), 5, Decimal(100), tick=Decimal(1), lot=Decimal("0.1"), size=Decimal("0.25")
    )

    assert rungs == (
        Rung(BUY, Decimal(90), Decimal("0.2")),
        Rung(BUY, Decimal(95), Decimal("0.2")),
        Rung(SELL, Decimal(105), Decimal("0.2")),
        Rung(SELL, Decimal(110), Decimal("0.2")),
    )


def test_a_grid_s_ticks_lie_away_from_the_price() -> None:
    rungs = grid(
        Decimal(99), Decimal(101), 4, Decimal(100), tick=Decimal("0.5"), lot=Decimal(1), size=Decimal(1)
    )

    # 99, 99.67, 100.33, 101
    assert [rung.price for rung in rungs] == [
        Decimal("99.0"),
        Decimal("99.5"),
        Decimal("100.5"),
        Decimal("101.0"),
    ]


def test_a_grid_can_be_sized_in_quote() -> None:
    rungs = grid(
        Decimal(50),
        Decimal(200),
        2,
        Decimal(100),
        tick=Decimal(1),
        lot=Decimal("0.01"),
        size=Decimal(33),
        sized_in=SizedIn.QUOTE,
    )

    assert [rung.quantity for rung in rungs] == [Decimal("0.66"), Decimal("0.16")]


@pytest.mark.parametrize(
    "words",
    [
        {"levels": 1},
        {"low": Decimal(110)},
        {"low": Decimal(0)},
        {"size": Decimal("0.05")},
        {"sized_in": SizedIn.QUOTE, "size": Decimal(1)},
        {"tick": Decimal(100)},
    ],
)
def test_no_grid_without_levels_range_and_size(words: dict[str, Any]) -> None:
    fine = {"low": Decimal(90), "high": Decimal(110), "levels": 5, "reference": Decimal(100)}
    fine |= {"tick": Decimal(1), "lot": Decimal("0.1"), "size": Decimal(1)}

    with pytest.raises(NoLadder):
        grid(**(fine | words))


# Averaging down


def test_safety_orders_stand_further_away_and_are_larger() -> None:
    ladder = dca_ladder(
        Decimal(100),
        Decimal(10),
        Decimal(20),
        3,
        Decimal(1),
        step_scale=Decimal(2),
        volume_scale=Decimal("1.5"),
        lot=None,
    )

    # 1, 1 + 2 and 1 + 2 + 4 percent away; 20, 30 and 45 quote
    assert [step.deviation_pct for step in ladder.steps] == [0, 1, 3, 7]
    assert [step.price for step in ladder.steps] == [100, 99, 97, 93]
    assert [step.notional for step in ladder.steps] == [10, 20, 30, 45]
    assert ladder.required_funds == 105


def test_the_average_price_is_what_was_spent_over_what_was_bought() -> None:
    ladder = dca_ladder(Decimal(100), Decimal(2), Decimal(3), 2, Decimal(10), sized_in=SizedIn.BASE)

    # 2 at 100, 3 at 90, 3 at 80: 200, 470, 710
    assert [step.total_notional for step in ladder.steps] == [200, 470, 710]
    assert [step.average_price for step in ladder.steps] == [100, 94, Decimal("88.75")]
    assert (ladder.required_funds, ladder.quantity, ladder.average_price) == (710, 8, Decimal("88.75"))


def test_a_ladder_of_sales_climbs() -> None:
    ladder = dca_ladder(
        Decimal(100), Decimal(1), Decimal(1), 2, Decimal(10), side=SELL, sized_in=SizedIn.BASE
    )

    assert [step.price for step in ladder.steps] == [100, 110, 120]
    assert ladder.average_price == 110


def test_a_ladder_keeps_to_ticks_and_lots() -> None:
    ladder = dca_ladder(
        Decimal("99.99"),
        Decimal(50),
        Decimal(50),
        1,
        Decimal("1.5"),
        tick=Decimal("0.05"),
        lot=Decimal("0.01"),
    )

    # 99.95 and 98.49 -> 98.45; 0.50025 -> 0.50 lots and 0.50787 -> 0.50
    assert [(step.price, step.quantity) for step in ladder.steps] == [
        (Decimal("99.95"), Decimal("0.50")),
        (Decimal("98.45"), Decimal("0.50")),
    ]
    assert ladder.required_funds == Decimal("99.2000")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"deviation_pct": Decimal(50)}, "safety order 2 would stand 100 % away"),
        ({"deviation_pct": Decimal(0)}, "steps away"),
        ({"lot": Decimal(1)}, "does not pay for one lot"),
        ({"safety_orders": -1}, "steps away"),
    ],
)
def test_no_ladder_below_zero_or_without_a_lot(words: dict[str, Any], sentence: str) -> None:
    fine = {"price": Decimal(100), "base_order": Decimal(10), "safety_order": Decimal(10), "safety_orders": 3}

    with pytest.raises(NoLadder, match=sentence):
        dca_ladder(**(fine | {"deviation_pct": Decimal(1)} | words))


@given(
    st.integers(0, 8),
    st.decimals("0.1", 3, places=1),
    st.decimals(1, "1.3", places=2),
    st.decimals(1, 2, places=2),
)
def test_each_safety_order_lowers_the_average(
    count: int, step: Decimal, step_scale: Decimal, volume_scale: Decimal
) -> None:
    ladder = dca_ladder(
        Decimal(1000),
        Decimal(50),
        Decimal(50),
        count,
        step,
        step_scale=step_scale,
        volume_scale=volume_scale,
        lot=Decimal("0.0001"),
    )
    averages = [one.average_price for one in ladder.steps]

    assert averages == sorted(averages, reverse=True)
    assert len(ladder.steps) == count + 1
    assert ladder.required_funds == sum(one.price * one.quantity for one in ladder.steps)
    # The k-th deviation in closed form: d·(s^k − 1)/(s − 1).
    for k, one in enumerate(ladder.steps):
        closed = step * (step_scale**k - 1) / (step_scale - 1) if step_scale > 1 else step * k
        assert abs(one.deviation_pct - closed) < Decimal("1e-20")


# Slices


def test_what_does_not_divide_goes_to_the_first_slices() -> None:
    assert equal_slices(10, 3) == (4, 3, 3)
    assert equal_slices(11, 3) == (4, 4, 3)
    assert equal_slices(2, 3) == (1, 1, 0)


@given(st.integers(0, 10**30), st.integers(1, 500))
def test_slices_add_up_and_differ_by_one_at_most(total: int, count: int) -> None:
    slices = equal_slices(total, count)

    assert sum(slices) == total
    assert len(slices) == count
    assert max(slices) - min(slices) <= 1
    assert list(slices) == sorted(slices, reverse=True)


def test_instalments_come_at_equal_times_in_whole_lots() -> None:
    monday = datetime(2026, 1, 5, tzinfo=UTC)

    parts = instalments(Decimal("0.7"), 4, Decimal("0.1"), monday, timedelta(days=1))

    assert [part.quantity for part in parts] == [
        Decimal("0.2"),
        Decimal("0.2"),
        Decimal("0.2"),
        Decimal("0.1"),
    ]
    assert [part.at.day for part in parts] == [5, 6, 7, 8]
    assert len(instalments(Decimal("0.2"), 4, Decimal("0.1"), monday, timedelta(days=1))) == 2


def test_instalments_do_not_lose_a_part_of_a_lot() -> None:
    with pytest.raises(NoLadder, match="no multiple of the lot"):
        instalments(Decimal("0.75"), 4, Decimal("0.1"), datetime(2026, 1, 5, tzinfo=UTC), timedelta(days=1))
    with pytest.raises(NoLadder):
        equal_slices(5, 0)
