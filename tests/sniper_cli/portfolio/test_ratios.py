"""Ratios by empyrical's conventions, and the record of closed trades."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.portfolio.ratios import exposure, omega, performance_metrics, sharpe, sortino, trade_record
from tests.vectors import agree, arguments, cases, name

D = Decimal
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("case", cases("performance_attribution", "performance_metrics"), ids=name)
def test_metrics_are_the_shared_ones(case: dict[str, Any]) -> None:
    agree(case, performance_metrics(**arguments(case)))


def test_what_is_not_defined_is_none_and_never_infinite() -> None:
    rising = performance_metrics([0.01, 0.01, 0.01])
    assert (rising.sharpe, rising.sortino, rising.calmar, rising.omega_0) == (None, None, None, None)
    assert performance_metrics([0.01]).vol_annual is None
    assert performance_metrics([9.0]).cagr is None  # tenfold in a day, 365 times over


def test_no_returns_have_no_performance() -> None:
    with pytest.raises(ValueError, match="without a return"):
        performance_metrics([])


def test_the_risk_free_rate_is_taken_off_each_period() -> None:
    """Excess of 1 and 3 per cent: mean 2, deviation √2; sortino with one shortfall of 1 in two: 2 / (1/√2)."""
    assert sharpe([0.02, 0.04], 1, 0.01) == pytest.approx(2 / 2**0.5)
    assert sortino([0.0, 0.06], 1, 0.01) == pytest.approx(0.02 / (0.01 / 2**0.5))
    assert omega([0.03, 0.0], risk_free=0.01) == pytest.approx(2)


@given(st.lists(st.floats(-0.5, 1), min_size=3, max_size=50), st.floats(0.1, 0.9))
def test_less_of_the_same_has_the_same_sharpe_and_sortino(returns: list[float], part: float) -> None:
    """Both ratios ask for return by risk: a part of the stake changes neither."""
    whole, less = performance_metrics(returns), performance_metrics([one * part for one in returns])
    for ours, theirs in ((whole.sharpe, less.sharpe), (whole.sortino, less.sortino)):
        if ours is not None and theirs is not None and abs(ours) < 1e6:
            assert theirs == pytest.approx(ours, rel=1e-6, abs=1e-9)


def test_a_record_of_trades() -> None:
    record = trade_record([D(10), D(-5), D(-5), D(0), D(20), D(-10)])
    assert (record.trades, record.wins, record.losses, record.profit) == (6, 2, 3, 10)
    assert record.hit_rate == pytest.approx(1 / 3)
    assert record.profit_factor == pytest.approx(1.5)
    assert record.expectancy == pytest.approx(D(10) / 6)
    assert (record.average_win, record.average_loss) == (15, D(-20) / 3)
    assert record.payoff == pytest.approx(2.25)
    assert (record.best, record.worst) == (20, -10)
    assert (record.longest_losing_streak, record.losing_streak) == (2, 1)


def test_no_trades_have_a_record_without_ratios() -> None:
    record = trade_record([])
    assert (record.trades, record.profit, record.hit_rate, record.profit_factor) == (0, 0, None, None)
    assert (record.expectancy, record.best, record.longest_losing_streak) == (None, None, 0)


@given(st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=40))
def test_a_record_adds_up_to_the_last_unit(results: list[int]) -> None:
    record = trade_record(results)
    assert record.profit == sum(results)
    assert record.wins + record.losses + results.count(0) == record.trades == len(results)
    assert record.expectancy is not None
    assert record.expectancy * len(results) == pytest.approx(record.profit, rel=D("1e-20"), abs=D("1e-20"))


def test_exposure_counts_overlapping_positions_once() -> None:
    day = timedelta(days=1)
    held = [(START, START + 2 * day), (START + day, START + 3 * day), (START + 8 * day, START + 20 * day)]
    assert exposure(held, START, START + 10 * day) == pytest.approx(0.5)
    assert exposure([], START, START + day) == 0
