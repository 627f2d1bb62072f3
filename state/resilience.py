"""How long to go on trying, and when to stop asking a database that does not answer.

Contention passes in milliseconds, an outage in seconds: both are waited for with exponential backoff, and with jitter,
because processes that were thrown out together would otherwise come back together. Behind them stands a circuit
breaker: a desk whose database is gone learns it at once, not after five seconds an order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from random import uniform
from threading import Lock
from time import monotonic, sleep

CONTENTION = (0.005, 0.25)
"""Seconds: the first wait and the longest, for a transaction that another one stood in the way of."""

OUTAGE = (0.05, 1.0)
"""The same for a server that is gone: a restart takes a second or two."""

FAILURES = 12
"""In a row, within the window, until the breaker opens: one caller's five seconds of trying are nine or ten."""

WINDOW = 30.0

REST = 1.0
"""Seconds the breaker stays open the first time; each failed probe doubles it."""

LONGEST_REST = 30.0


class Patience:
    """A caller's time to try again: waits grow from `first` to `longest` until the deadline."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._waits = 0

    def wait(self, pace: tuple[float, float], *, least: float = 0.0) -> bool:
        """Wait for the next try, at least so long; False at once when no time is left for it."""
        first, longest = pace
        # Half of it is certain, half is chance. The exponent is bounded: 2.0**1024 overflows.
        grown = min(first * 2.0 ** min(self._waits, 30), longest)
        pause = max(least, uniform(0.5, 1.0) * grown)  # noqa: S311 - jitter, not a secret
        if self._clock() + pause >= self._deadline:
            return False
        self._waits += 1
        sleep(pause)
        return True


class Circuit(StrEnum):
    """Closed: all pass. Open: none. Half-open: one probe passes, and its fate decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitOpen(Exception):
    """Not admitted: the next probe is due in `seconds`."""

    def __init__(self, seconds: float, failures: int) -> None:
        super().__init__(f"the next try is due in {seconds:.1f} s")
        self.seconds = seconds
        self.failures = failures


class Breaker:
    """Counts outages in a row; open, it lets nobody through until a probe has been answered. Safe for threads."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        window: float = WINDOW,
        rest: float = REST,
        longest_rest: float = LONGEST_REST,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._limit, self._window = failures, window
        self._first_rest, self._longest_rest = rest, longest_rest
        self._clock = clock
        self._lock = Lock()
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._rest = rest
        self._opens_again: float | None = None
        """When the next probe is due; None while the circuit is closed."""
        self._probe = 0
        """The ticket of the probe under way; 0: none."""
        self._tickets = 0

    @property
    def state(self) -> Circuit:
        with self._lock:
            if self._opens_again is None:
                return Circuit.CLOSED
            return (
                Circuit.OPEN if self._clock() < self._opens_again and not self._probe else Circuit.HALF_OPEN
            )

    def admit(self) -> int:
        """Ask to pass; a ticket to give back with `leave`. Raises CircuitOpen."""
        with self._lock:
            self._tickets += 1
            if self._opens_again is None:
                return self._tickets
            left = self._opens_again - self._clock()
            if left > 0 or self._probe:
                raise CircuitOpen(max(left, self._first_rest / 10), len(self._failed_at))
            self._probe = self._tickets
            return self._tickets

    def answered(self) -> None:
        """The database answered, be it with an error: it is there."""
        with self._lock:
            self._failed_at.clear()
            self._opens_again, self._probe, self._rest = None, 0, self._first_rest

    def failed(self) -> None:
        """It did not answer."""
        with self._lock:
            now = self._clock()
            self._failed_at.append(now)
            if self._opens_again is not None:
                # Late failures of those admitted before it opened prolong nothing; a probe's failure does.
                if self._probe:
                    self._rest = min(self._rest * 2, self._longest_rest)
                    self._opens_again, self._probe = now + self._rest, 0
            elif len(self._failed_at) == self._limit and now - self._failed_at[0] <= self._window:
                self._opens_again = now + self._rest

    def leave(self, ticket: int) -> None:
        """Give the ticket back. A probe that ended without an answer (^C) lets another one be made."""
        with self._lock:
            if self._probe == ticket:
                self._probe = 0
