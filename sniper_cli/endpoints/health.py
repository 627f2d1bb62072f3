"""What is known of a node: its head, how far it is behind the best, whether it answers and which chain it serves.

A state in one word decides who is asked. Lag is counted in blocks against the best head of the pool, not in time: a
chain whose blocks stand still has no lagging node. Frozen means that it takes connections and never answers; that
shows only by asking with a short patience.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from time import monotonic

ERROR_WINDOW_SECONDS = 60.0
ERRORS_KEPT = 1000


class State(StrEnum):
    """The word for an endpoint's condition, as `EndpointReading.state` has it."""

    HEALTHY = "healthy"
    LAGGING = "lagging"
    FROZEN = "frozen"
    FAILING = "failing"
    OPEN = "open"
    HALF_OPEN = "half_open"
    WRONG_CHAIN = "wrong_chain"
    UNKNOWN = "unknown"


class Outcomes:
    """How many of the calls of the last while failed."""

    def __init__(
        self, *, window_seconds: float = ERROR_WINDOW_SECONDS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._window = window_seconds
        self._clock = clock
        self._ended: deque[tuple[float, bool]] = deque(maxlen=ERRORS_KEPT)
        self.calls = 0
        self.errors = 0

    def note(self, *, failed: bool) -> None:
        """A call ended."""
        self._ended.append((self._clock(), failed))
        self.calls += 1
        self.errors += failed

    @property
    def error_share(self) -> float:
        """Of the window's calls; zero without any."""
        self._forget()
        return sum(failed for _, failed in self._ended) / len(self._ended) if self._ended else 0.0

    def _forget(self) -> None:
        before = self._clock() - self._window
        while self._ended and self._ended[0][0] < before:
            self._ended.popleft()


class Health:
    """Of one node."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self.head: int | None = None
        self.head_hash: str | None = None
        self._head_at: float | None = None
        self.served_chain: int | None = None
        """The chain it said it serves; none until it was asked, and again after it was lost."""
        self.wrong_chain = False
        self.frozen = False
        self.failing = False
        self.trouble = ""
        """What went wrong last, in words."""

    @property
    def answers(self) -> bool:
        """It is of the right chain, and gave its last answer in time."""
        return not (self.wrong_chain or self.frozen or self.failing)

    @property
    def head_age(self) -> float | None:
        """Seconds since its head last moved."""
        return None if self._head_at is None else self._clock() - self._head_at

    def lag(self, best: int | None) -> int | None:
        """Blocks behind the best head; none where either is not known."""
        return None if self.head is None or best is None else max(0, best - self.head)

    def saw_head(self, number: int, block_hash: str) -> None:
        """It showed a head: also a lower one, after a reorganisation or when it was put back."""
        if block_hash != self.head_hash:
            self.head, self.head_hash, self._head_at = number, block_hash, self._clock()
        self.frozen = self.failing = False

    def serves(self, chain_id: int, expected: int) -> bool:
        """Note which chain it serves; whether it is the expected one."""
        self.served_chain = chain_id
        self.wrong_chain = chain_id != expected
        if self.wrong_chain:
            self.trouble = f"serves chain {chain_id}, not {expected}"
        return not self.wrong_chain

    def lost(self, *, frozen: bool, words: str) -> None:
        """It did not answer, or not in time. Who comes back may be another: its chain is asked for anew."""
        self.frozen, self.failing = frozen, not frozen
        self.trouble = words
        if not self.wrong_chain:
            self.served_chain = None
