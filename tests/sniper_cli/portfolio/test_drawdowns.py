"""Falls from a peak, against a hand-computed table and what must hold for every series."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.portfolio.drawdowns import drawdowns, max_drawdown, ulcer_index, underwater, wealth
from sniper_cli.portfolio.returns import NoReturn
from tests.vectors import agree, cases, name

equities = st.lists(st.integers(1, 1000), min_size=1, max_size=60)


@pytest.mark.parametrize("case", cases("performance_attribution", "drawdowns"), ids=name)
def test_the_table_is_the_shared_one(case: dict[str, Any]) -> None:
    agree(case, drawdowns(case["input"]["equity"]))


def test_a_fall_that_is_not_over_has_no_recovery() -> None:
    found = drawdowns([100, 120, 60, 90])
    assert (found.max_drawdown, found.peak_index, found.trough_index, found.recovery_index) == (
        -0.5,
        1,
        2,
        None,
    )
    assert found.episodes[0].length(last=3) == 2


def test_a_series_that_only_rises_has_no_drawdown() -> None:
    found = drawdowns([100, 100, 101])
    assert (found.max_drawdown, found.peak_index, found.episodes) == (0.0, None, ())


def test_a_fall_begins_at_the_last_value_as_high_as_the_peak() -> None:
    assert drawdowns([100, 120, 120, 90]).peak_index == 2


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    assert max_drawdown([-0.5, 0.1]) == -0.5
    assert ulcer_index([-0.5]) == 0.5


def test_the_worst_falls_come_deepest_first() -> None:
    found = drawdowns([100, 90, 100, 50, 100, 80, 100])
    assert [episode.depth for episode in found.worst(2)] == pytest.approx([-0.5, -0.2])


def test_debts_have_no_drawdown() -> None:
    with pytest.raises(NoReturn):
        drawdowns([0, -1])


@given(equities)
def test_episodes_follow_one_another_and_hold_their_extremes(equity: list[int]) -> None:
    found = drawdowns(equity)
    last = 0
    for episode in found.episodes:
        assert last <= episode.peak < episode.trough
        until = len(equity) if episode.recovery is None else episode.recovery
        assert episode.trough < until
        fallen = equity[episode.peak + 1 : until]
        assert max(fallen) < equity[episode.peak]
        assert min(fallen) == equity[episode.trough]
        assert episode.recovery is None or equity[episode.recovery] >= equity[episode.peak]
        assert episode.depth == pytest.approx(equity[episode.trough] / equity[episode.peak] - 1)
        last = until
    assert sum(episode.recovery is None for episode in found.episodes) <= 1


@given(equities)
def test_the_deepest_fall_is_the_worst_pair_of_an_earlier_and_a_later_value(equity: list[int]) -> None:
    pairs = [later / earlier - 1 for i, earlier in enumerate(equity) for later in equity[i:]]
    found = drawdowns(equity)
    assert found.max_drawdown == pytest.approx(min(pairs))
    assert found.max_drawdown == min(underwater(equity))
    assert -1 < found.max_drawdown <= 0


@given(equities, st.integers(1, 10**9))
def test_the_unit_of_account_changes_no_drawdown(equity: list[int], factor: int) -> None:
    assert drawdowns([value * factor for value in equity]) == drawdowns(equity)


@given(st.lists(st.floats(-0.99, 2), min_size=1, max_size=60))
def test_the_ulcer_index_lies_between_nothing_and_the_deepest_fall(returns: list[float]) -> None:
    assert 0 <= ulcer_index(returns) <= -max_drawdown(returns) + 1e-12
    assert len(wealth(returns)) == len(returns) + 1
