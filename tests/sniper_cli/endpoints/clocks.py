"""A clock that moves when it is told to."""

from __future__ import annotations


class FakeClock:
    """Seconds, as `monotonic` gives them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds
