"""Quantiles of a sliding window, against the nearest rank counted by hand and by the definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.endpoints.latency import MOST, Latencies
from tests.sniper_cli.endpoints.clocks import FakeClock


def test_of_a_hundred_times_the_quantiles_are_their_ranks() -> None:
    latencies = Latencies(clock=FakeClock())
    for millisecond in range(100, 0, -1):
        latencies.record(millisecond / 1000)

    assert [latencies.quantile(share) for share in (0.5, 0.95, 0.99)] == [0.050, 0.095, 0.099]


@given(
    st.lists(st.floats(0.0001, 10), min_size=1, max_size=MOST), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0])
)
def test_a_quantile_is_a_measured_time_that_so_many_did_not_exceed(times: list[float], share: float) -> None:
    latencies = Latencies(clock=FakeClock())
    for seconds in times:
        latencies.record(seconds)
    found = latencies.quantile(share)

    assert found in times
    assert sum(seconds <= found for seconds in times) >= math.ceil(share * len(times))
    assert sum(seconds < found for seconds in times) < math.ceil(share * len(times))


def test_what_is_older_than_the_window_counts_no_more() -> None:
    clock = FakeClock()
    latencies = Latencies(window_seconds=60, clock=clock)
    latencies.record(9.0)
    clock.pass_(59)
    assert latencies.quantile(0.99) == 9.0
    latencies.record(0.1)
    clock.pass_(2)

    assert latencies.quantile(0.99) == 0.1
    assert len(latencies) == 1
    clock.pass_(60)
    assert latencies.quantile(0.5) is None


def test_the_average_follows_a_change_of_pace() -> None:
    latencies = Latencies(clock=FakeClock())
    assert latencies.average is None
    latencies.record(1.0)
    for _ in range(10):
        latencies.record(0.0)

    # 0.8 to the power of 10
    assert latencies.average == pytest.approx(0.1073741824)
