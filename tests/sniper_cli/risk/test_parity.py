"""Weights by risk, against the published portfolios and the definition."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.risk.growth import NoStake
from sniper_cli.risk.parity import covariance, inverse_volatility, risk_parity
from tests.vectors import agree, cases, name

PARITY = ("risk_parity", "erc", "equal_risk_contribution")
EQUAL = [[1.0 if i == j else 0.5 for j in range(4)] for i in range(4)]


@pytest.mark.parametrize("case", cases("portfolio_optimisation", *PARITY), ids=name)
def test_equal_risk_contributions_are_the_published_ones(case: dict[str, Any]) -> None:
    asked = case["input"]
    cov = asked.get("cov") or covariance(asked["vols"], asked["corr"])
    agree(case, risk_parity(cov, asked.get("budgets")), renamed={"portfolio_vol": "vol"})


def test_equal_correlations_weigh_by_volatility() -> None:
    """Volatilities of 10, 20, 30 and 40 %, all correlations the same: 48, 24, 16 and 12 %."""
    cov = covariance([0.1, 0.2, 0.3, 0.4], EQUAL)
    for portfolio in (risk_parity(cov), inverse_volatility(cov)):
        assert portfolio.weights == pytest.approx([0.48, 0.24, 0.16, 0.12], abs=1e-10)


def test_mixed_correlations_weigh_as_maillard_roncalli_and_teiletche_print() -> None:
    """Their first example: 38.4, 19.2, 24.3 and 18.2 %, with a volatility of 10.3 %."""
    corr = [[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]]
    portfolio = risk_parity(covariance([0.1, 0.2, 0.3, 0.4], corr))
    assert [round(100 * weight, 1) for weight in portfolio.weights] == [38.4, 19.2, 24.3, 18.2]
    assert round(100 * portfolio.vol, 1) == 10.3


@st.composite
def covariances(draw: st.DrawFn) -> list[list[float]]:
    """Of factors and something of each asset's own, so that none is singular."""
    size = draw(st.integers(2, 6))
    loads = [draw(st.lists(st.floats(-1, 1), min_size=2, max_size=2)) for _ in range(size)]
    own = draw(st.lists(st.floats(0.05, 2), min_size=size, max_size=size))
    return [
        [
            sum(a * b for a, b in zip(loads[i], loads[j], strict=True)) + (own[i] if i == j else 0)
            for j in range(size)
        ]
        for i in range(size)
    ]


@settings(max_examples=60, deadline=None)
@given(covariances(), st.data())
def test_every_asset_brings_the_risk_it_was_given(cov: list[list[float]], data: st.DataObject) -> None:
    budgets = data.draw(st.lists(st.floats(0.1, 1), min_size=len(cov), max_size=len(cov)))
    portfolio = risk_parity(cov, budgets)
    assert sum(portfolio.weights) == pytest.approx(1)
    assert min(portfolio.weights) > 0
    assert portfolio.contributions == pytest.approx([b / sum(budgets) for b in budgets], abs=1e-9)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
def test_the_calmer_asset_gets_the_larger_weight(vols: list[float]) -> None:
    corr = [[float(i == j) for j in range(len(vols))] for i in range(len(vols))]
    by_vol = sorted(zip(vols, risk_parity(covariance(vols, corr)).weights, strict=True))
    assert all(calm[1] >= wild[1] * (1 - 1e-9) for calm, wild in pairwise(by_vol))


def test_an_asset_that_does_not_move_is_refused() -> None:
    with pytest.raises(NoStake):
        risk_parity([[0.0, 0.0], [0.0, 1.0]])
