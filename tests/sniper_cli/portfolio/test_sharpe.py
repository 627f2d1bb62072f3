"""How much of a Sharpe ratio is luck, against the papers' figures and a simulation."""

from __future__ import annotations

from math import inf, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.portfolio import sharpe
from tests.vectors import agree, arguments, cases, name


@pytest.mark.parametrize("case", cases("sharpe_statistics"), ids=name)
def test_statistics_are_the_shared_ones(case: dict[str, Any]) -> None:
    agree(case, getattr(sharpe, case["input"]["fn"])(**arguments(case)))


def test_probabilities_are_those_of_the_paper() -> None:
    """Bailey & López de Prado (2012), § 5: 24 months, SR 0.458, skew −2.448, kurtosis 10.164: 0.913; normal: 0.982."""
    assert round(sharpe.psr(0.458, 24, -2.448, 10.164), 3) == 0.913
    assert round(sharpe.psr(0.458, 24), 3) == 0.982


def test_the_deflated_ratio_is_the_one_of_the_paper() -> None:
    """Bailey & López de Prado (2014): 100 trials leave 0.9004, 46 would have left 0.9505."""
    for trials, left in ((100, 0.9004), (46, 0.9505)):
        found = sharpe.dsr(2.5, 1250, trials, 0.5, skew=-3, kurtosis=10, periods_per_year=250)
        assert round(found.dsr, 4) == left


def test_forty_five_trials_show_a_ratio_of_one_in_five_years() -> None:
    """Bailey et al. (2014), § 3."""
    assert sharpe.min_backtest_length(45) == pytest.approx(5, abs=0.05)
    assert sharpe.min_backtest_length(45) < sharpe.min_backtest_length_bound(45)


@given(st.floats(0.05, 1), st.floats(-1, 1), st.floats(3, 10), st.floats(0.6, 0.99))
def test_a_record_of_the_least_length_reaches_the_confidence(
    ratio: float, skew: float, kurtosis: float, confidence: float
) -> None:
    least = sharpe.min_track_record_length(ratio, 0, skew, kurtosis, confidence)
    assert sharpe.psr(ratio, least, skew, kurtosis) == pytest.approx(confidence, abs=1e-9)


def test_a_ratio_below_its_benchmark_never_has_a_long_enough_record() -> None:
    assert sharpe.min_track_record_length(0.1, 0.2) == inf


def test_the_exact_maximum_is_what_trials_without_skill_reach() -> None:
    draw = Random(7)
    best = [max(draw.gauss(0, 1) for _ in range(20)) for _ in range(20_000)]
    error = 4 * 0.53 / sqrt(len(best))  # 0.53: deviation of the best of twenty
    assert sharpe.expected_max_sharpe(20).exact_order_statistic == pytest.approx(
        sum(best) / len(best), abs=error
    )


@pytest.mark.parametrize(
    ("count", "value"), [(1, 0.0), (2, 0.5641895835), (3, 0.8462843753), (10, 1.5387527308)]
)
def test_the_exact_maximum_of_few_trials_is_the_tabulated_one(count: int, value: float) -> None:
    """E[max] of normals: 1/√π for two, 3/(2√π) for three; Harter (1961) for ten."""
    assert sharpe.expected_max_sharpe(count).exact_order_statistic == pytest.approx(value, abs=1e-9)


def test_returns_that_alternate_look_calmer_over_a_year_than_they_are_by_day() -> None:
    found = sharpe.autocorrelations([1.0, -1.0] * 50, 3)
    assert found[0] == pytest.approx(-0.99)
    assert sharpe.annualisation_factor(found[:1], 4).eta > 2
    assert sharpe.autocorrelations([0.5] * 5, 2) == []


def test_moments_of_a_sample() -> None:
    assert sharpe.skewness([1, 2, 3]) == pytest.approx(0)
    assert sharpe.kurtosis([-1, 1, -1, 1]) == pytest.approx(1)
    assert sharpe.skewness([0.1, 0.1, 0.1]) is None
