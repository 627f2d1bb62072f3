"""Figures as they are written on the screens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tui import figures

ETH = 10**18


def test_amounts_are_rounded_for_reading_and_exact_where_they_are_told_in_full():
    assert figures.amount(123_456_789 * ETH // 1000) == "123,456.7890"
    assert figures.exact(1) == "0.000000000000000001"
    assert figures.exact(2**256 - 1, 0) == str(2**256 - 1)
    assert figures.amount(None) == "–"


def test_a_gain_and_a_loss_differ_by_sign_and_not_by_colour_alone():
    assert figures.gain(ETH // 10) == "▲ 0.1000"
    assert figures.gain(-ETH // 10) == "▼ 0.1000"
    assert figures.gain(0) == "= 0.0000"
    assert figures.percent(Decimal("-3.14159")) == "−3.1%"


@pytest.mark.parametrize(("value", "text"), [(0, "0%"), (250, "2.5%"), (10_000, "100%"), (None, "–")])
def test_basis_points_are_percent(value: int | None, text: str):
    assert figures.bps(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (61, "1m01s"), (7_260, "2h01m"), (200_000, "2d"), (-5, "0s")],
)
def test_ages_take_at_most_five_characters(seconds: int, text: str):
    assert figures.age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("312 bps", "3.12%"),
        ("184211 gas", "184,211 gas"),
        (f"{12 * ETH} wei", "12.00 ETH"),
        ("5 wei", "0.000000000000000005 ETH"),
        ("none", "none"),
        ("", ""),
    ],
)
def test_a_check_s_figure_is_written_with_its_unit(figure: str, text: str):
    assert figures.readable(figure) == text


def test_a_trend_goes_from_the_lowest_to_the_highest_block():
    assert figures.trend([1, 2, 3, 8], 8) == "▁▂▃█"
    assert figures.trend([5], 8) == ""
    assert figures.trend([4, 4, 4], 2) == "▁▁"
