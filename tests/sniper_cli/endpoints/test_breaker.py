"""The breaker as a state machine on a clock that is told to move."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sniper_cli.endpoints.breaker import Breaker, BreakerState
from tests.sniper_cli.endpoints.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def breaker(clock: FakeClock, **options: Any) -> Breaker:
    return Breaker(clock=clock, draw=lambda: 1.0, **options)


def fail(one: Breaker, times: int = 1) -> None:
    for _ in range(times):
        one.begin()
        one.failed()


def test_three_failures_in_a_row_open_it_and_a_success_between_them_does_not(clock: FakeClock) -> None:
    one = breaker(clock)
    fail(one, 2)
    one.succeeded()
    fail(one, 2)
    assert one.state is BreakerState.CLOSED
    fail(one)

    assert one.state is BreakerState.OPEN
    assert not one.permits


def test_half_open_it_lets_one_probe_through_at_a_time_and_two_successes_close_it(clock: FakeClock) -> None:
    one = breaker(clock)
    fail(one, 3)
    clock.pass_(0.5)
    assert one.state is BreakerState.HALF_OPEN
    assert one.permits
    one.begin()
    assert not one.permits
    one.succeeded()
    assert one.state is BreakerState.HALF_OPEN
    assert one.permits
    one.begin()
    one.succeeded()

    assert one.state is BreakerState.CLOSED


def test_each_failed_probe_doubles_the_pause_up_to_the_longest(clock: FakeClock) -> None:
    one = breaker(clock, first_pause=1.0, longest_pause=8.0)
    fail(one, 3)
    pauses = []
    for _ in range(5):
        pauses.append(one.reopens_in)
        clock.pass_(one.reopens_in)
        fail(one)

    assert pauses == [1, 2, 4, 8, 8]


def test_after_it_closed_the_pauses_begin_anew(clock: FakeClock) -> None:
    one = breaker(clock, first_pause=1.0)
    fail(one, 3)
    for _ in range(3):
        clock.pass_(one.reopens_in)
        fail(one)
    clock.pass_(one.reopens_in)
    for _ in range(2):
        one.begin()
        one.succeeded()
    fail(one, 3)

    assert one.reopens_in == 1.0


def test_half_of_a_pause_is_drawn() -> None:
    clock = FakeClock()
    ends = [
        Breaker(clock=clock, draw=lambda drawn=drawn: drawn, first_pause=2.0) for drawn in (0.0, 0.5, 1.0)
    ]
    for one in ends:
        fail(one, 3)

    assert [one.reopens_in for one in ends] == [1.0, 1.5, 2.0]


def test_a_probe_that_was_given_up_makes_room_for_the_next(clock: FakeClock) -> None:
    one = breaker(clock)
    fail(one, 3)
    clock.pass_(1)
    one.begin()
    one.abandoned()

    assert one.permits


def test_calls_from_before_it_opened_do_not_lengthen_the_pause(clock: FakeClock) -> None:
    one = breaker(clock, first_pause=1.0)
    for _ in range(6):
        one.begin()
    for _ in range(6):
        one.failed()

    assert one.reopens_in == 1.0


class BreakerRules(RuleBasedStateMachine):
    """Whatever happens in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.one = Breaker(clock=self.clock, draw=lambda: 0.5)
        self.flying = 0
        self.failures_in_a_row = 0

    @precondition(lambda self: self.one.permits)
    @rule()
    def begin(self) -> None:
        self.one.begin()
        self.flying += 1

    @precondition(lambda self: self.flying)
    @rule(ends=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, ends: str) -> None:
        self.flying -= 1
        getattr(self.one, ends)()
        if ends != "abandoned":
            self.failures_in_a_row = self.failures_in_a_row + 1 if ends == "failed" else 0

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.clock.pass_(seconds)

    @invariant()
    def never_shut_for_longer_than_the_longest_pause(self) -> None:
        assert self.one.reopens_in <= 30.0

    @invariant()
    def open_means_that_nothing_passes(self) -> None:
        if self.one.state is BreakerState.OPEN:
            assert not self.one.permits
        if self.one.state is BreakerState.CLOSED:
            assert self.one.permits

    @invariant()
    def three_failures_in_a_row_never_leave_it_closed(self) -> None:
        if self.failures_in_a_row >= 3:
            assert self.one.state is not BreakerState.CLOSED


TestBreakerRules = BreakerRules.TestCase
TestBreakerRules.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
