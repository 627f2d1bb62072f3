"""The exit rules, held against figures worked out by hand and against properties that must always hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.settings.model import ExitSettings
from sniper_cli.sniping.distances import distances
from sniper_cli.sniping.exits import (
    ExitRule,
    ExitRules,
    PositionFigures,
    decide,
    gain_pct,
    stop_loss_level,
    take_profit_level,
    trailing_level,
)

OPENED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
SOON = OPENED + timedelta(seconds=5)
ETH = 10**18
RULES = ExitRules.from_settings(ExitSettings())


def held(value: int, *, peak: int = 0, paid: int = ETH, **more: int) -> PositionFigures:
    return PositionFigures(paid=paid, value=value, peak=max(peak, value), opened_at=OPENED, **more)


def fired(figures: PositionFigures, *, rules: ExitRules = RULES, now: datetime = SOON) -> ExitRule | None:
    signal = decide(rules, figures, now)
    return None if signal is None else signal.rule


def test_a_position_that_hardly_moved_is_kept() -> None:
    assert fired(held(ETH * 101 // 100)) is None


def test_profit_is_taken_at_exactly_60_percent_and_not_a_wei_before() -> None:
    rules = replace(RULES, trailing_pct=Decimal(0))
    assert fired(held(1_600_000_000_000_000_000), rules=rules) is ExitRule.TAKE_PROFIT
    assert fired(held(1_599_999_999_999_999_999), rules=rules) is None


def test_a_loss_is_stopped_at_exactly_30_percent_and_not_a_wei_before() -> None:
    assert fired(held(700_000_000_000_000_000)) is ExitRule.STOP_LOSS
    assert fired(held(700_000_000_000_000_001)) is None


def test_the_trailing_stop_sleeps_until_the_gain_activates_it() -> None:
    # Activation at +15 %: a peak of 1.149 never wakes it, however far the value falls below.
    assert fired(held(ETH * 80 // 100, peak=ETH * 1149 // 1000)) is None


def test_the_trailing_stop_sells_12_percent_below_the_peak() -> None:
    # 1.4 × 0.88 = 1.232
    peak = 1_400_000_000_000_000_000
    assert fired(held(1_232_000_000_000_000_001, peak=peak)) is None
    assert fired(held(1_232_000_000_000_000_000, peak=peak)) is ExitRule.TRAILING_STOP


def test_a_position_is_sold_when_its_time_is_up() -> None:
    assert fired(held(ETH), now=OPENED + timedelta(seconds=3599)) is None
    assert fired(held(ETH), now=OPENED + timedelta(seconds=3600)) is ExitRule.TIME


def test_a_pool_that_lost_more_than_30_percent_of_its_reserve_is_left() -> None:
    assert fired(held(ETH, liquidity=7 * ETH, entry_liquidity=10 * ETH)) is None
    assert fired(held(ETH, liquidity=7 * ETH - 1, entry_liquidity=10 * ETH)) is ExitRule.LIQUIDITY


def test_leaving_liquidity_is_named_before_the_loss_that_comes_with_it() -> None:
    assert fired(held(ETH // 10, liquidity=ETH, entry_liquidity=10 * ETH)) is ExitRule.LIQUIDITY


def test_partial_sales_count_towards_the_worth() -> None:
    assert fired(held(ETH // 10, received=ETH * 9 // 10)) is None


def test_a_signal_carries_figures_that_may_enter_the_journal() -> None:
    signal = decide(RULES, held(ETH // 2), SOON)
    assert signal is not None
    assert signal.detail == "has lost 50.0 %"
    assert signal.figures == {"worth": ETH // 2, "paid": ETH, "level": 7 * ETH // 10}


def test_the_rules_survive_the_way_through_a_position() -> None:
    assert ExitRules.from_json(RULES.as_json()) == RULES


def test_the_distances_say_how_far_the_worth_must_move() -> None:
    rows = {row.rule: row for row in distances(RULES, held(ETH), SOON)}
    # From 1.0: up 60 % to take profit, down 30 % to the stop, up 15 % to wake the trailing stop.
    assert rows[ExitRule.TAKE_PROFIT].share_pct == 60
    assert rows[ExitRule.STOP_LOSS].share_pct == 30
    assert (rows[ExitRule.TRAILING_STOP].share_pct, rows[ExitRule.TRAILING_STOP].active) == (15, False)
    assert rows[ExitRule.TIME].now == 5


units = st.integers(min_value=1, max_value=2**128)
percents = st.decimals(min_value=0, max_value=99, places=2)


@st.composite
def any_rules(draw: st.DrawFn) -> ExitRules:
    return ExitRules(
        take_profit_pct=draw(st.decimals(min_value=0, max_value=1000, places=2)),
        stop_loss_pct=draw(percents),
        trailing_activation_pct=draw(percents),
        trailing_pct=draw(percents),
        max_age_seconds=draw(st.integers(min_value=0, max_value=7200)),
        liquidity_drop_pct=draw(percents),
    )


@given(any_rules(), units, units, units, st.integers(min_value=0, max_value=7200), units, units)
def test_a_rule_fires_exactly_when_its_distance_is_used_up(
    rules, paid, value, peak, age, liquidity, entry
) -> None:
    figures = held(value, peak=peak, paid=paid, liquidity=liquidity, entry_liquidity=entry)
    now = OPENED + timedelta(seconds=age)
    rows = distances(rules, figures, now)
    # Falling below the reserve's level fires; every other rule fires on its level.
    due = {
        row.rule
        for row in rows
        if row.active and (row.share_pct < 0 or (row.share_pct == 0 and row.rule is not ExitRule.LIQUIDITY))
    }
    signal = decide(rules, figures, now)
    assert (signal is None and not due) or (signal is not None and signal.rule in due)


@given(any_rules(), units)
def test_the_levels_bracket_what_was_paid(rules: ExitRules, paid: int) -> None:
    assert stop_loss_level(rules, paid) <= paid <= take_profit_level(rules, paid)


@given(any_rules(), units, units, units)
def test_the_trailing_stop_never_moves_down_while_the_peak_rises(rules, paid, peak, more) -> None:
    lower = trailing_level(rules, held(1, peak=peak, paid=paid))
    higher = trailing_level(rules, held(1, peak=peak + more, paid=paid))
    assert lower is None or (higher is not None and higher >= lower)


@given(units, units)
def test_a_worth_above_what_was_paid_is_a_gain(paid: int, value: int) -> None:
    gain = gain_pct(held(value, paid=paid))
    assert (gain > 0) == (value > paid) or abs(gain) < Decimal("1e-20")


@pytest.mark.parametrize(
    "off", ["take_profit_pct", "stop_loss_pct", "trailing_pct", "max_age_seconds", "liquidity_drop_pct"]
)
@given(units, units, units)
def test_a_rule_set_to_zero_never_fires(off: str, paid: int, value: int, peak: int) -> None:
    rules = replace(ExitRules(), **{off: 0 if off == "max_age_seconds" else Decimal(0)})
    figures = held(value, peak=peak, paid=paid, liquidity=0, entry_liquidity=ETH)
    assert fired(figures, rules=rules, now=OPENED + timedelta(days=365)) is None
