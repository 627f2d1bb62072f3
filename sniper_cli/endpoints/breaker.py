"""Stops asking an endpoint that only fails, and finds out gently when it works again.

Closed: calls pass. After some failures in a row it opens: nothing passes for a while. Then it is half open: one probe
at a time passes; enough successes close it, a failure opens it for twice as long. The pauses carry jitter: a hundred
processes that lost the same node shall not all come back in the same instant.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import StrEnum
from time import monotonic

FAILURES = 3
"""In a row: one may be a lost packet, three are a pattern."""
PROBES = 2
"""Successes in a row until a half-open breaker closes."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Of one endpoint. `begin` before a call, then one of `succeeded`, `failed`, `abandoned`."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        probes: int = PROBES,
        first_pause: float = FIRST_PAUSE_SECONDS,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
        clock: Callable[[], float] = monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._most_failures = failures
        self._most_probes = probes
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._clock = clock
        self._draw = draw
        self._failures = 0
        self._successes = 0
        self._pause = first_pause
        self._opens_at = 0.0
        self._probing = False
        self._open = False

    @property
    def state(self) -> BreakerState:
        """What it is now; an open one becomes half open by the passing of time."""
        if not self._open:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._opens_at else BreakerState.HALF_OPEN

    @property
    def permits(self) -> bool:
        """Whether a call may pass now."""
        return not self._open or (self._clock() >= self._opens_at and not self._probing)

    @property
    def reopens_in(self) -> float:
        """Seconds until the next probe may pass; zero where one may now."""
        return max(0.0, self._opens_at - self._clock()) if self._open else 0.0

    def begin(self) -> None:
        """A call begins; of a half-open breaker it is the probe."""
        if self._open:
            self._probing = True

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures = 0
        self._probing = False
        if not self._open:
            return
        self._successes += 1
        if self._successes >= self._most_probes:
            self._open, self._successes, self._pause = False, 0, self._first_pause

    def failed(self) -> None:
        """The endpoint did not do its work."""
        self._probing = False
        self._successes = 0
        if self._open:
            if self._clock() < self._opens_at:
                return  # calls from before it opened end now: they say nothing new
            self._pause = min(2 * self._pause, self._longest_pause)
            self._reopen()
            return
        self._failures += 1
        if self._failures >= self._most_failures:
            self._open, self._failures = True, 0
            self._reopen()

    def abandoned(self) -> None:
        """The call was given up: nothing is known, and the next may probe."""
        self._probing = False

    def _reopen(self) -> None:
        # Half of the pause is certain, half is drawn: "equal jitter".
        self._opens_at = self._clock() + self._pause * (0.5 + 0.5 * self._draw())
