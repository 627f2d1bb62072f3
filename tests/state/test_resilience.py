"""Waits grow, scatter and end; the breaker opens, rests, lets one probe through, and closes again."""

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state import resilience
from state.resilience import CONTENTION, OUTAGE, Breaker, Circuit, CircuitOpen, Patience


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(resilience, "sleep", found.sleep)
    return found


def breaker(clock: Callable[[], float]) -> Breaker:
    return Breaker(failures=3, window=10, rest=1, longest_rest=4, clock=clock)


def opened(clock: Callable[[], float]) -> Breaker:
    found = breaker(clock)
    for _ in range(3):
        found.failed()
    return found


def test_waits_double_up_to_the_longest_and_are_scattered(clock: Clock) -> None:
    patience = Patience(1000, clock=clock)
    for _ in range(10):
        assert patience.wait(CONTENTION)

    full = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.25, 0.25, 0.25, 0.25]
    assert all(whole / 2 <= slept <= whole for slept, whole in zip(clock.slept, full, strict=True))
    assert len({slept / whole for slept, whole in zip(clock.slept, full, strict=True)}) > 5


def test_no_wait_goes_beyond_the_deadline(clock: Clock) -> None:
    patience = Patience(5, clock=clock)
    while patience.wait(OUTAGE):
        pass

    assert 3 < sum(clock.slept) < 5
    assert not patience.wait(OUTAGE, least=1.0)


def test_a_breaker_opens_after_so_many_failures_in_a_row(clock: Clock) -> None:
    found = breaker(clock)
    for _ in range(2):
        found.failed()
    found.answered()
    for _ in range(2):
        found.failed()
    assert found.state is Circuit.CLOSED

    found.failed()
    assert found.state is Circuit.OPEN
    with pytest.raises(CircuitOpen) as caught:
        found.admit()
    assert caught.value.seconds == 1


def test_failures_far_apart_do_not_open_it(clock: Clock) -> None:
    found = breaker(clock)
    for _ in range(10):
        found.failed()
        clock.now += 6

    assert found.state is Circuit.CLOSED


def test_after_its_rest_one_probe_passes_and_no_other(clock: Clock) -> None:
    found = opened(clock)
    clock.now += 1
    found.admit()

    assert found.state is Circuit.HALF_OPEN
    with pytest.raises(CircuitOpen):
        found.admit()


def test_an_answered_probe_closes_it(clock: Clock) -> None:
    found = opened(clock)
    clock.now += 1
    found.leave(found.admit())
    found.admit()
    found.answered()

    assert found.state is Circuit.CLOSED
    found.admit()
    found.admit()


def test_a_failed_probe_doubles_the_rest_up_to_the_longest(clock: Clock) -> None:
    found = opened(clock)
    for rest in (1, 2, 4, 4):
        with pytest.raises(CircuitOpen) as caught:
            found.admit()
        assert caught.value.seconds == rest
        clock.now += rest
        found.admit()
        found.failed()


def test_a_probe_that_was_broken_off_makes_room_for_another(clock: Clock) -> None:
    found = opened(clock)
    clock.now += 1
    ticket = found.admit()
    found.leave(ticket)

    found.admit()


def test_failures_of_those_admitted_before_prolong_nothing(clock: Clock) -> None:
    found = opened(clock)
    clock.now += 0.5
    found.failed()
    with pytest.raises(CircuitOpen) as caught:
        found.admit()

    assert caught.value.seconds == 0.5


def test_of_many_threads_one_is_the_probe(clock: Clock) -> None:
    found = opened(clock)
    clock.now += 1
    start, admitted = Barrier(8), []

    def ask() -> None:
        start.wait()
        with suppress(CircuitOpen):
            admitted.append(found.admit())

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted) == 1


@given(
    st.lists(
        st.one_of(
            st.just("answered"), st.just("failed"), st.just("ask"), st.floats(min_value=0.01, max_value=12)
        ),
        max_size=60,
    )
)
def test_it_never_locks_out_for_longer_than_the_longest_rest(steps: list[str | float]) -> None:
    """Whatever happened before: after the longest rest somebody is let in, and an answer closes the circuit."""
    clock = Clock()
    found = breaker(clock)
    rests: list[float] = []
    for step in steps:
        if isinstance(step, float):
            clock.now += step
        elif step == "ask":
            try:
                found.leave(found.admit())
            except CircuitOpen as refused:
                rests.append(refused.seconds)
        else:
            getattr(found, step)()
    clock.now += 4

    found.admit()
    found.answered()
    assert found.state is Circuit.CLOSED
    assert all(0 < rest <= 4 for rest in rests)
