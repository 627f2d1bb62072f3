"""Brinson's attribution: the book's portfolio, and that its parts add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.portfolio.attribution import Attribution, brinson

BACON = ([0.4, 0.3, 0.3], [0.4, 0.2, 0.4], [0.2, -0.05, 0.06], [0.1, -0.04, 0.08])
"""Bacon, Practical Portfolio Performance, table 5.1: UK, Japanese and US equities."""
shares = st.floats(0.01, 1)
earned = st.floats(-0.9, 3)


def test_bacons_portfolio_beats_its_benchmark() -> None:
    found = brinson(*BACON)
    assert found.portfolio_return == pytest.approx(0.083)
    assert found.benchmark_return == pytest.approx(0.064)


@pytest.mark.parametrize(
    ("model", "allocation"),
    [("bhb", [0.0, -0.004, -0.008]), ("fachler", [0.0, -0.0104, -0.0016])],
)
def test_bacons_attribution(model: Any, allocation: list[float]) -> None:
    """By hand: (w − W)·b, against B = 6.4 % for Fachler; selection 4.0, −0.2, −0.8 %; interaction 0, −0.1, 0.2 %."""
    found = brinson(*BACON, model=model)
    assert found.allocation == pytest.approx(allocation)
    assert found.selection == pytest.approx([0.04, -0.002, -0.008])
    assert found.interaction == pytest.approx([0.0, -0.001, 0.002])
    assert found.totals == pytest.approx((-0.012, 0.03, 0.001))


@given(st.lists(st.tuples(shares, shares, earned, earned), min_size=1, max_size=8))
def test_the_parts_add_up_to_the_difference(rows: list[tuple[float, float, float, float]]) -> None:
    ours, theirs = sum(row[0] for row in rows), sum(row[1] for row in rows)
    found: Attribution = brinson(
        [row[0] / ours for row in rows], [row[1] / theirs for row in rows],
        [row[2] for row in rows], [row[3] for row in rows],
    )  # fmt: skip
    assert sum(found.totals) == pytest.approx(found.excess, abs=1e-9)
