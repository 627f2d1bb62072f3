"""Returns with money coming and going, against published figures and against their definitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sniper_cli.portfolio.returns import (
    NoReturn,
    SubPeriod,
    Valuation,
    cagr,
    irr,
    modified_dietz,
    money_weighted,
    period_returns,
    subperiods,
    total_return,
    twr,
    xirr,
)
from tests.vectors import agree, arguments, cases, name

EXCEL = [
    (date(2008, 1, 1), -10_000),
    (date(2008, 3, 1), 2750),
    (date(2008, 10, 30), 4250),
    (date(2009, 2, 15), 3250),
    (date(2009, 4, 1), 2750),
]


@pytest.mark.parametrize("case", cases("performance_attribution", "modified_dietz"), ids=name)
def test_modified_dietz_is_the_shared_one(case: dict[str, Any]) -> None:
    agree(case, modified_dietz(**arguments(case)))


@pytest.mark.parametrize("case", cases("performance_attribution", "twr"), ids=name)
def test_time_weighted_return_is_the_shared_one(case: dict[str, Any]) -> None:
    agree(case, twr(SubPeriod(**period) for period in case["input"]["subperiods"]))


@pytest.mark.parametrize("case", cases("performance_attribution", "xirr"), ids=name)
def test_money_weighted_return_is_the_shared_one(case: dict[str, Any]) -> None:
    flows = [
        (date.fromisoformat(when) if isinstance(when, str) else when, amount)
        for when, amount in case["input"]["flows"]
    ]
    agree(case, xirr(flows, case["input"].get("basis", 365)))


def test_excels_own_example() -> None:
    """Microsoft's documentation of XIRR: 0.373362535."""
    assert xirr(EXCEL) == pytest.approx(0.373362535, abs=1e-8)


def test_a_year_of_360_days_earns_less_a_year() -> None:
    assert xirr(EXCEL, 360) < xirr(EXCEL, 365) < xirr(EXCEL, 365.25)


def test_hours_count() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert xirr([(noon, -100), (noon + timedelta(hours=12), 101)]) == pytest.approx(1.01**730 - 1)


def test_a_day_that_tripled_the_money_has_a_return_but_no_yearly_one() -> None:
    flows = [(0, -100), (1, 300)]
    assert money_weighted(flows) == pytest.approx(2)
    with pytest.raises(NoReturn, match="too few to speak of a year"):
        xirr([(0, -100), (1, 10_000)])


@pytest.mark.parametrize(
    ("flows", "rates"),
    [
        ([-100, 230, -132], (0.1, 0.2)),  # (1.1 − x)(1.2 − x) over 100
        ([-1000, 3600, -4310, 1716], (0.1, 0.2, 0.3)),  # three solutions
    ],
)
def test_where_several_rates_solve_the_flows_the_one_near_is_given(
    flows: list[int], rates: tuple[float, ...]
) -> None:
    for rate in rates:
        assert irr(flows, near=rate) == pytest.approx(rate, abs=1e-10)


@pytest.mark.parametrize(
    "flows", [[], [(0, -100)], [(0, -100), (9, -50)], [(0, -100), (0, 120)], [(0, 5), (3, 0)]]
)
def test_flows_that_explain_no_return_are_refused(flows: list[tuple[float, int]]) -> None:
    with pytest.raises(NoReturn):
        xirr(flows)


@given(st.floats(-0.95, 20), st.integers(1, 3000))
def test_one_payment_in_and_one_out_earn_what_they_grew(rate: float, days: int) -> None:
    growth = (1 + rate) ** (days / 365)
    assume(1e-9 < growth < 1e12)
    assert xirr([(0, -1000.0), (days, 1000 * growth)]) == pytest.approx(rate, rel=1e-9, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(-(10**6), 10**6)), min_size=2, max_size=20),
)
def test_at_the_rate_found_the_flows_are_worth_nothing(flows: list[tuple[int, int]]) -> None:
    try:
        growth = money_weighted(flows)
    except NoReturn:
        return
    moving = [(day, amount) for day, amount in flows if amount]
    first, last = min(day for day, _ in moving), max(day for day, _ in moving)
    assume(-0.999 < growth < 1e6)
    worth = [amount * (1 + growth) ** (-(day - first) / (last - first)) for day, amount in moving]
    assert sum(worth) == pytest.approx(0, abs=1e-6 * max(map(abs, worth)))


def test_deposits_do_not_change_the_time_weighted_return() -> None:
    """Ten per cent, a deposit that doubles the account, then ten per cent more."""
    history = [Valuation(100), Valuation(110, flow=110), Valuation(242)]
    assert twr(subperiods(history)) == pytest.approx(0.21)
    assert twr(subperiods([Valuation(100), Valuation(121)])) == pytest.approx(0.21)


@given(st.lists(st.floats(-0.9, 3), min_size=1, max_size=30), st.data())
def test_time_weighted_return_chains_what_the_trader_earned_whatever_came_in(
    earned: list[float], data: st.DataObject
) -> None:
    value, history = 1000.0, [Valuation(0, 1000.0)]
    for one in earned:
        value *= 1 + one
        flow = data.draw(st.floats(0, 5000))
        history.append(Valuation(value, flow))
        value += flow
    assert twr(subperiods(history)) == pytest.approx(total_return(earned), rel=1e-9, abs=1e-9)


def test_a_period_without_money_earns_nothing_and_one_that_began_with_nothing_has_no_return() -> None:
    assert twr([SubPeriod(100, 110), SubPeriod(0, 0), SubPeriod(100, 110)]) == pytest.approx(0.21)
    with pytest.raises(NoReturn):
        twr([SubPeriod(0, 5)])


@pytest.mark.parametrize(("flow_at", "weight"), [("end", 0.5), ("middle", 0.55), ("start", 0.6)])
def test_dietz_weighs_a_flow_by_the_days_it_was_there(flow_at: Any, weight: float) -> None:
    earned = modified_dietz(100, 165, [(5, 50)], 10, flow_at=flow_at)
    assert earned == pytest.approx(15 / (100 + weight * 50))


def test_dietz_takes_money_as_it_is_kept() -> None:
    assert modified_dietz(Decimal("0.1"), Decimal("0.33"), [(0, Decimal("0.2"))], 1) == pytest.approx(
        0.1, abs=1e-15
    )


def test_growth_a_year() -> None:
    assert cagr(0.21, 2) == pytest.approx(0.1)
    assert cagr(-1, 2) == cagr(-1.5, 2) == -1
    with pytest.raises(NoReturn):
        cagr(9, 1 / 365)


def test_returns_of_huge_whole_units_are_exact() -> None:
    wei = 10**60
    assert period_returns([3 * wei, 3 * wei + 3, 6 * wei + 6]) == [0.0, 1.0]
