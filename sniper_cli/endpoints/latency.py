"""How long an endpoint took, over the last while: quantiles for people and for hedging, an average for choosing.

Quantiles are of a sliding window, by nearest rank, so that each is a time that was really measured. They are
sorted anew at most four times a second: sorting 512 numbers for each call would cost a tenth of a local call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from time import monotonic

WINDOW_SECONDS = 60.0
MOST = 512
"""Measurements kept: enough that p99 is not the worst one."""
SORT_SECONDS = 0.25
SMOOTHING = 0.2
"""Weight of the newest measurement in the average: after a change of pace ten calls tell."""


class Latencies:
    """Times of one endpoint, in seconds."""

    def __init__(
        self, *, window_seconds: float = WINDOW_SECONDS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._window = window_seconds
        self._clock = clock
        self._taken: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._sorted: list[float] = []
        self._sorted_at = float("-inf")
        self.average: float | None = None
        """Exponentially weighted; none before the first measurement."""

    def record(self, seconds: float) -> None:
        """One call took so long."""
        self._taken.append((self._clock(), seconds))
        before = self.average
        self.average = seconds if before is None else before + SMOOTHING * (seconds - before)

    def quantile(self, share: float) -> float | None:
        """The time that so large a share of the window's calls did not exceed; none without any call."""
        now = self._clock()
        if now - self._sorted_at >= SORT_SECONDS or not self._sorted:
            self._forget(now - self._window)
            self._sorted = sorted(seconds for _, seconds in self._taken)
            self._sorted_at = now
        if not self._sorted:
            return None
        return self._sorted[max(0, ceil(share * len(self._sorted)) - 1)]

    def __len__(self) -> int:
        self._forget(self._clock() - self._window)
        return len(self._taken)

    def _forget(self, before: float) -> None:
        while self._taken and self._taken[0][0] < before:
            self._taken.popleft()
