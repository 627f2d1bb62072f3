"""Kelly's fraction, Vince's f and the stakes of Turtles, against what their books print and a search of our own."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.risk.growth import NoStake, kelly_binary, kelly_continuous, optimal_f, twr
from sniper_cli.risk.stakes import fixed_fractional, turtle_unit, volatility_target
from tests.vectors import agree, arguments, cases, name

VINCE = [9, 18, 7, 1, 10, -5, -3, -17, -7]
STAKES = {
    "fixed_fractional": fixed_fractional,
    "fixed_fraction": fixed_fractional,
    "turtle_unit": turtle_unit,
    "atr_unit": turtle_unit,
    "volatility_target": volatility_target,
    "vol_target": volatility_target,
}
SPELLINGS = {
    "account": "equity",
    "account_size": "equity",
    "capital": "equity",
    "N": "n",
    "atr": "n",
    "point_value": "dollars_per_point",
    "risk": "risk_fraction",
    "entry_price": "entry",
    "stop_price": "stop",
    "target": "target_vol",
    "vol": "realised_vol",
    "realized_vol": "realised_vol",
    "leverage_cap": "max_leverage",
    "lot_size": "lot",
}
FIGURES = {"units": "units_exact", "unit_exact": "units_exact", "unit_size": "units_exact", "qty": "quantity",
           "truncated": "contracts", "units_truncated": "contracts"}  # fmt: skip
"""The shared vectors of stakes may spell a figure in another way than we do."""
chances = st.floats(0.05, 0.95)
multiples = st.floats(0.1, 5)


@pytest.mark.parametrize("case", cases("position_sizing", "kelly_binary"), ids=name)
def test_kelly_of_a_bet_is_the_published_one(case: dict[str, Any]) -> None:
    agree(case, kelly_binary(**arguments(case)))


@pytest.mark.parametrize("case", cases("position_sizing", "kelly_continuous"), ids=name)
def test_kelly_of_an_asset_is_the_published_one(case: dict[str, Any]) -> None:
    agree(case, kelly_continuous(**arguments(case)))


@pytest.mark.parametrize("case", cases("position_sizing", "optimal_f"), ids=name)
def test_optimal_f_is_the_published_one(case: dict[str, Any]) -> None:
    at_grid = {key: key.split("_at_")[0] for key in case["expected"] if "_at_" in key}
    agree(case, optimal_f(case["input"]["trades"]), renamed=at_grid)


@pytest.mark.parametrize("case", cases("position_sizing", *STAKES), ids=name)
def test_stakes_are_the_published_ones(case: dict[str, Any]) -> None:
    agree(case, STAKES[case["input"]["fn"]](**arguments(case, **SPELLINGS)), renamed=FIGURES)


def test_a_two_to_one_coin_is_worth_a_quarter_of_the_capital() -> None:
    assert kelly_binary(0.5, 2).f == pytest.approx(0.25, abs=1e-15)


def test_a_bet_without_an_edge_gets_no_stake() -> None:
    assert kelly_binary(0.4).f == pytest.approx(-0.2)
    assert kelly_binary(0.4).staked() == 0


@given(chances, multiples, multiples)
def test_no_other_fraction_grows_faster_than_kelly(p: float, win: float, loss: float) -> None:
    best = kelly_binary(p, win, loss)

    def growth(f: float) -> float:
        return p * math.log1p(f * win) + (1 - p) * math.log1p(-f * loss)

    for other in (best.f - 0.01, best.f + 0.01):
        if -1 / win < other < 1 / loss:
            assert growth(other) < best.growth


def test_half_of_kelly_keeps_three_quarters_of_the_growth_and_twice_of_it_none() -> None:
    kelly = kelly_continuous(0.11, 0.15, 0.06)
    excess = kelly.growth - 0.06
    assert kelly.growth_at(kelly.f / 2, 0.06) - 0.06 == pytest.approx(0.75 * excess)
    assert kelly.growth_at(kelly.f * 2, 0.06) == pytest.approx(0.06)
    assert kelly.growth_at(1, 0.06) == pytest.approx(kelly.growth_unlevered)


@given(st.lists(st.integers(-100, 150), min_size=2, max_size=30).filter(lambda trades: min(trades) < 0))
def test_no_other_f_makes_more_of_these_trades_than_the_optimal_one(trades: list[int]) -> None:
    best = optimal_f(trades)
    made = twr(trades, best.f_exact)
    for step in range(101):
        assert twr(trades, step / 100) <= made * (1 + 1e-12)
    assert abs(best.f_exact - best.f_grid_0_01) <= 0.01


def test_optimal_f_needs_a_loss_to_scale_by() -> None:
    with pytest.raises(NoStake):
        optimal_f([1, 2, 3])


def test_vinces_unit_stands_for_the_worst_loss_over_f() -> None:
    assert optimal_f(VINCE).dollars_per_unit == pytest.approx(17 / 0.24)


def test_a_turtle_trades_sixteen_heating_oil_contracts() -> None:
    """The Original Turtle Rules: N 0.0141, a million, 42 000 gallons a contract: 16.88, cut to 16."""
    unit = turtle_unit(1_000_000, 0.0141, 42_000)
    assert round(unit.unit, 2) == 16.89  # the book cuts to 16.88
    assert unit.contracts == unit.quantity == 16


def test_a_hundred_thousand_trade_one_contract() -> None:
    """Way of the Turtle: 1.688 truncates to 1."""
    assert turtle_unit(100_000, 0.0141, 42_000).contracts == 1


def test_whole_contracts_are_not_lost_to_binary_fractions() -> None:
    """Three thousandths of 1000 over a stop of 0.3 are ten contracts; floats make 9.999999999999991 of them."""
    assert 1000 * 0.003 / (2.7 - 2.4) < 10
    assert fixed_fractional(1000, 0.003, 2.7, 2.4, lot=1).quantity == 10


def test_a_stop_bounds_the_loss() -> None:
    stake = fixed_fractional(10_000, 0.02, 50, 48, lot=0.1)
    assert (stake.quantity, stake.risk_amount, stake.risk_per_unit, stake.notional) == (100, 200, 2, 5000)


def test_half_the_volatility_aimed_at_doubles_the_holding_up_to_the_leverage_allowed() -> None:
    assert volatility_target(0.2, 0.1, 1000).notional == 2000
    assert volatility_target(0.2, 0.1, 1000, max_leverage=1.5).notional == 1500
