"""How many extra calls are allowed: retries as a share of the calls, and calls a second to one endpoint.

Retries multiply load just when there is too much of it. So they are paid out of a budget, as in Finagle: every call
puts a fraction of a token in, every retry and every hedge takes one out; a small reserve fills with time, so that the
first calls of a quiet program may be retried too.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

RETRY_SHARE = 0.2
"""One extra call for five."""
RESERVE_PER_SECOND = 5.0
MOST_TOKENS = 100.0


class RetryBudget:
    """Of one pool: over any time, retries never exceed share × calls + most + reserve × seconds."""

    def __init__(
        self,
        *,
        share: float = RETRY_SHARE,
        reserve_per_second: float = RESERVE_PER_SECOND,
        most: float = MOST_TOKENS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._share = share
        self._per_second = reserve_per_second
        self._most = most
        self._clock = clock
        self._tokens = min(most, 2 * reserve_per_second)
        self._filled_at = clock()
        self.refused = 0
        """Extra calls that were not allowed."""

    def deposit(self) -> None:
        """A first call was made."""
        self._tokens = min(self._most, self._tokens + self._share)

    def withdraw(self) -> bool:
        """Whether one extra call may be made; if so it is paid for."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True


class RateLimit:
    """A token bucket: so many calls a second on average, `burst` of them at once. Zero a second: no limit."""

    def __init__(
        self, per_second: float = 0, burst: float | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self.per_second = per_second
        self._burst = max(1.0, per_second if burst is None else burst)
        self._clock = clock
        self._tokens = self._burst
        self._filled_at = clock()

    def wait_seconds(self, calls: int = 1) -> float:
        """How long until so many calls may be made; zero: now. A batch wider than the burst waits for a full one."""
        if not self.per_second:
            return 0.0
        self._fill()
        return max(0.0, (min(calls, self._burst) - self._tokens) / self.per_second)

    def take(self, calls: int = 1) -> bool:
        """Whether they may be made now; if so they are counted."""
        if not self.per_second:
            return True
        self._fill()
        if self._tokens < min(calls, self._burst):
            return False
        self._tokens -= calls  # a wide batch goes below zero, and those after it wait longer
        return True

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self.per_second)
        self._filled_at = now
