"""Who gets the next call, by each strategy."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.endpoints.spreading import Spread, Spreader


@dataclass
class Peer:
    name: str
    weight: int = 1
    outstanding: int = 0
    average: float | None = None


def peers(**averages: float | None) -> list[Peer]:
    return [Peer(name, average=average) for name, average in averages.items()]


ABC = peers(a=None, b=None, c=None)


def taken(spreader: Spreader, among: list[Peer], times: int) -> str:
    return "".join(spreader.choose(among).name for _ in range(times))


def test_round_robin_takes_turns() -> None:
    assert taken(Spreader(Spread.ROUND_ROBIN), ABC, 7) == "abcabca"


def test_weights_of_five_one_and_one_are_exact_and_spread() -> None:
    """The example of nginx's own commit (52327e0627): a a b a c a a."""
    weighted = [Peer("a", 5), Peer("b", 1), Peer("c", 1)]

    assert taken(Spreader(Spread.WEIGHTED), weighted, 7) == "aabacaa"


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_a_cycle_of_weights_gives_each_its_share(weights: list[int]) -> None:
    weighted = [Peer(str(place), weight) for place, weight in enumerate(weights)]
    counts = Counter(taken(Spreader(Spread.WEIGHTED), weighted, sum(weights)))

    assert [counts[peer.name] for peer in weighted] == weights


def test_least_outstanding_takes_the_one_with_the_least_in_hand_and_turns_among_equals() -> None:
    spreader = Spreader(Spread.LEAST_OUTSTANDING)
    busy = [Peer("a", outstanding=3), Peer("b", outstanding=1), Peer("c", outstanding=2)]
    assert taken(spreader, busy, 3) == "bbb"

    assert set(taken(spreader, ABC, 3)) == {"a", "b", "c"}


def test_random_reaches_all_alike() -> None:
    draw = random.Random(7)
    counts = Counter(taken(Spreader(Spread.RANDOM, draw=draw.randrange), ABC, 3000))

    assert all(900 < counts[name] < 1100 for name in "abc")


def test_of_two_drawn_the_faster_one_is_taken_so_the_slowest_of_all_never_is() -> None:
    draw = random.Random(7)
    spreader = Spreader(Spread.FASTEST, draw=draw.randrange)
    counts = Counter(taken(spreader, peers(a=0.010, b=0.020, c=0.900), 3000))

    # Of three pairs a wins two, b one.
    assert counts["c"] == 0
    assert 1900 < counts["a"] < 2100


def test_calls_in_hand_make_a_fast_one_slow() -> None:
    a, b = peers(a=0.010, b=0.030)
    a.outstanding = 3

    assert taken(Spreader(Spread.FASTEST), [a, b], 5) == "bbbbb"


def test_one_that_nobody_measured_is_tried() -> None:
    assert taken(Spreader(Spread.FASTEST), peers(a=0.001, b=None), 3) == "bbb"


@given(st.sampled_from(list(Spread)), st.integers(1, 5), st.integers(1, 20))
def test_only_those_who_are_offered_are_taken(spread: Spread, count: int, times: int) -> None:
    offered = [Peer(str(place)) for place in range(count)]

    assert set(taken(Spreader(spread), offered, times)) <= {peer.name for peer in offered}
