"""Retries stay within their share, and a rate limit within its rate, over any history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.endpoints.budget import RateLimit, RetryBudget
from tests.sniper_cli.endpoints.clocks import FakeClock

EVENTS = st.lists(st.one_of(st.just("call"), st.just("retry"), st.floats(0, 3)), max_size=300)


@given(EVENTS)
def test_retries_never_exceed_share_and_reserve(events: list[str | float]) -> None:
    clock = FakeClock()
    budget = RetryBudget(share=0.2, reserve_per_second=1, most=10, clock=clock)
    begun, calls, retries = clock(), 0, 0
    for event in events:
        if event == "call":
            budget.deposit()
            calls += 1
        elif event == "retry":
            retries += budget.withdraw()
        else:
            clock.pass_(float(event))

    # It begins with two seconds' reserve.
    assert retries <= 0.2 * calls + 2 + (clock() - begun) * 1 + 1e-6


def test_a_storm_of_failures_adds_a_fifth_to_the_load() -> None:
    budget = RetryBudget(share=0.2, reserve_per_second=0, clock=FakeClock())
    granted = 0
    for _ in range(1000):
        budget.deposit()
        granted += budget.withdraw()

    assert 199 <= granted <= 200  # adding a fifth a thousand times rounds
    assert budget.refused == 1000 - granted


def test_a_quiet_program_may_retry_its_first_calls() -> None:
    budget = RetryBudget(reserve_per_second=5, clock=FakeClock())

    assert [budget.withdraw() for _ in range(11)] == [True] * 10 + [False]


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 4)), max_size=200))
def test_no_more_calls_pass_than_the_rate_and_the_burst_allow(arrivals: list[tuple[float, int]]) -> None:
    clock = FakeClock()
    limit = RateLimit(10, 5, clock=clock)
    begun, passed = clock(), 0
    for pause, calls in arrivals:
        clock.pass_(pause)
        if limit.take(calls):
            passed += calls

    assert passed <= 5 + (clock() - begun) * 10 + 1e-6


def test_the_wait_is_exactly_until_the_next_may_pass() -> None:
    clock = FakeClock()
    limit = RateLimit(4, 2, clock=clock)
    assert limit.take(2)
    assert limit.wait_seconds() == pytest.approx(0.25)
    clock.pass_(0.2)
    assert not limit.take()
    clock.pass_(0.0501)

    assert limit.take()


def test_a_batch_wider_than_the_burst_passes_once_and_is_paid_for() -> None:
    clock = FakeClock()
    limit = RateLimit(10, 10, clock=clock)
    assert limit.take(30)

    assert limit.wait_seconds() == pytest.approx(2.1)


def test_without_a_rate_everything_passes() -> None:
    limit = RateLimit(0, clock=FakeClock())

    assert all(limit.take(100) for _ in range(100))
    assert limit.wait_seconds() == 0
