"""A candle chart says where the prices were, to half a line, in exactly the room it is given."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.output.chart import ASCII, Axes, chart, plain_lines, round_step

AXES = Axes(price=lambda ticks: f"{ticks:,}", moment=lambda number: f"{number:02}:00")


@dataclass(frozen=True)
class Bar:
    open: int
    high: int
    low: int
    close: int
    lots: int = 1


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low = draw(st.integers(1, 10**9))
    span = draw(st.integers(0, 10**6))
    edges = st.integers(low, low + span)
    return Bar(draw(edges), low + span, low, draw(edges), draw(st.integers(0, 10**9)))


def drawn(found: list[Bar], width: int = 40, height: int = 9, *, hollow: bool = False) -> list[str]:
    return plain_lines(chart(found, AXES, width=width, height=height, hollow=hollow))


@settings(max_examples=200, deadline=None)
@given(st.lists(bars(), max_size=80), st.integers(1, 120), st.integers(1, 40), st.booleans())
def test_a_chart_has_exactly_the_size_it_was_given(
    found: list[Bar], width: int, height: int, hollow: bool
) -> None:
    lines = chart(found, AXES, width=width, height=height, hollow=hollow)
    assert len(lines) == height
    assert {sum(len(text) for text, _ in line) for line in lines} == {width}


def test_bodies_are_heavy_wicks_are_light_and_half_a_line_is_seen() -> None:
    """Sixteen half-lines for the prices 15 to 0: the body from 11 to 4, the wicks from 15 and to 1."""
    lines = drawn([Bar(4, 15, 1, 11), Bar(2, 2, 0, 0)] * 8, width=24, height=9)
    column = [line[0] for line in lines[:8]]
    assert column == ["│", "│", "┃", "┃", "┃", "┃", "│", "╵"]
    assert [line[1] for line in lines[:8]] == [" ", " ", " ", " ", " ", " ", "╻", "┃"]


def test_a_wick_may_end_and_a_body_begin_in_one_line() -> None:
    lines = drawn([Bar(5, 15, 0, 10)] * 18, width=24, height=9)
    assert [line[0] for line in lines[:8]] == ["│", "│", "╽", "┃", "┃", "╿", "│", "│"]


def test_rising_and_falling_have_their_styles_and_without_colour_their_shapes() -> None:
    found = [Bar(1, 9, 0, 8), Bar(8, 9, 0, 1)] * 10
    styles = {style for line in chart(found, AXES, width=26, height=8) for _, style in line}
    assert {"up", "down", "axis", "last"} <= styles
    lines = drawn(found, width=26, height=8, hollow=True)
    assert "║┃║┃" in lines[3]
    assert "O#O#" in lines[3].translate(ASCII)
    assert "║" not in "".join(drawn(found, width=26, height=8))


def test_few_bars_are_drawn_wide() -> None:
    lines = drawn([Bar(2, 9, 0, 7), Bar(7, 9, 0, 2)], width=40, height=8)
    assert "███ ███" in lines[3]


def test_the_last_bars_are_shown_where_not_all_fit() -> None:
    found = [Bar(100, 101, 99, 100)] * 50 + [Bar(500, 501, 499, 500)] * 20
    lines = drawn(found, width=25, height=8)
    assert not any("100" in line for line in lines)
    assert any("500" in line for line in lines)
    assert lines[-1].startswith("50:00")


def test_the_axis_says_round_prices_and_the_last_one() -> None:
    text = "\n".join(drawn([Bar(10_130, 10_900, 10_050, 10_437)], width=40, height=14))
    assert "┤10,437" in text
    assert "┤10,600" in text
    assert "┤10,800" in text


def test_volume_is_drawn_below_where_there_is_room() -> None:
    found = [Bar(1, 2, 1, 2, lots=1000), Bar(1, 2, 1, 2, lots=500), Bar(1, 2, 1, 2, lots=1)] * 8
    lines = drawn(found, width=40, height=14)
    assert lines[-3][:3] == "█  "
    assert lines[-2][:3] == "██▁"
    assert not any("▁" in line for line in drawn(found, width=40, height=11))


def test_a_price_that_never_moved_is_a_line() -> None:
    lines = drawn([Bar(5, 5, 5, 5)] * 20, width=30, height=8)
    assert [line for line in lines if "╹" * 20 in line]


def test_where_there_is_nothing_or_no_room_that_is_said() -> None:
    assert drawn([], width=30, height=8)[0] == "nothing to draw"
    assert drawn([Bar(1, 2, 1, 2)], width=23, height=8)[0] == "too small for a chart"


@pytest.mark.parametrize(
    ("span", "count", "step"),
    [(1, 5, 1), (10, 5, 2), (11, 5, 5), (26, 5, 10), (999, 4, 500), (10**9, 7, 2 * 10**8)],
)
def test_steps_of_an_axis_are_round(span: int, count: int, step: int) -> None:
    assert round_step(span, count) == step
