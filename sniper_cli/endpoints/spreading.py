"""Which of several equally good endpoints gets the next call.

`fastest` is the power of two choices (Mitzenmacher, 2001): of two drawn at random the faster one, by its average
latency times what it has in hand. Near the best choice without the herd that always taking the best one makes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar


class Weighed(Protocol):
    """What an endpoint must tell to be chosen."""

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def outstanding(self) -> int: ...
    @property
    def average(self) -> float | None: ...


W = TypeVar("W", bound=Weighed)


class Spread(StrEnum):
    """How calls are spread."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING = "least_outstanding"
    WEIGHTED = "weighted"
    RANDOM = "random"
    FASTEST = "fastest"


class Spreader:
    """Chooses by one strategy; remembers whose turn it is."""

    def __init__(
        self, spread: Spread = Spread.FASTEST, *, draw: Callable[[int], int] = random.randrange
    ) -> None:
        self.spread = spread
        self._draw = draw
        self._turn = 0
        self._credit: dict[str, int] = {}

    def choose(self, among: Sequence[W]) -> W:
        """One of them; there is at least one."""
        if len(among) == 1:
            return among[0]
        if self.spread is Spread.FASTEST:
            return self._fastest_of_two(among)
        if self.spread is Spread.LEAST_OUTSTANDING:
            self._turn += 1
            start = self._turn % len(among)
            return min((*among[start:], *among[:start]), key=lambda each: each.outstanding)
        if self.spread is Spread.WEIGHTED:
            return self._by_weight(among)
        if self.spread is Spread.RANDOM:
            return among[self._draw(len(among))]
        self._turn += 1
        return among[(self._turn - 1) % len(among)]

    def _fastest_of_two(self, among: Sequence[W]) -> W:
        first = self._draw(len(among))
        second = (first + 1 + self._draw(len(among) - 1)) % len(among)
        return min(among[first], among[second], key=_cost)

    def _by_weight(self, among: Sequence[W]) -> W:
        """nginx's smooth weighted round robin: exact over a cycle, and spread within it."""
        total = 0
        for each in among:
            self._credit[each.name] = self._credit.get(each.name, 0) + each.weight
            total += each.weight
        chosen = max(among, key=lambda each: self._credit[each.name])
        self._credit[chosen.name] -= total
        return chosen


def _cost(endpoint: Weighed) -> float:
    """How long a call to it would take; one that nobody has measured yet is tried first."""
    return (endpoint.average or 0.0) * (1 + endpoint.outstanding)
