"""How far below its best an account fell, for how long, and whether it came back.

A drawdown begins at the last value before the fall (the peak), is deepest at the trough and ends at the first value
that is as high as the peak. Depths are negative shares of the peak: 90 after 120 is −0.25.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from sniper_cli.portfolio.returns import Amount, NoReturn, ratio


@dataclass(frozen=True, slots=True)
class Episode:
    """One fall; indexes into the equity."""

    peak: int
    trough: int
    recovery: int | None
    """None: still under water."""
    depth: float

    def length(self, last: int) -> int:
        """Steps from the peak to the recovery, or until `last`."""
        return (last if self.recovery is None else self.recovery) - self.peak


@dataclass(frozen=True, slots=True)
class Drawdowns:
    """All falls in order, and the deepest."""

    max_drawdown: float
    peak_index: int | None
    trough_index: int | None
    recovery_index: int | None
    episodes: tuple[Episode, ...]

    def worst(self, count: int = 5) -> list[Episode]:
        """The deepest, deepest first."""
        return sorted(self.episodes, key=lambda episode: episode.depth)[:count]


def drawdowns(equity: Sequence[Amount]) -> Drawdowns:
    """The falls of a series of values."""
    episodes: list[Episode] = []
    peak, trough = 0, None
    for index, value in enumerate(equity):
        if value >= equity[peak]:
            if trough is not None:
                episodes.append(_episode(equity, peak, trough, index))
            peak, trough = index, None
        elif trough is None or value < equity[trough]:
            trough = index
    if trough is not None:
        episodes.append(_episode(equity, peak, trough, None))
    if not episodes:
        return Drawdowns(0.0, None, None, None, ())
    deepest = min(episodes, key=lambda episode: episode.depth)
    return Drawdowns(deepest.depth, deepest.peak, deepest.trough, deepest.recovery, tuple(episodes))


def underwater(equity: Sequence[Amount]) -> list[float]:
    """Each value's distance below the best so far: 0 at a new high, negative below."""
    depths, best = [], None
    for value in equity:
        best = value if best is None or value > best else best
        depths.append(_depth(value, best))
    return depths


def wealth(returns: Sequence[float]) -> list[float]:
    """What a unit became; the unit itself stands first, so that a loss on the first day is a drawdown."""
    values = [1.0]
    for one in returns:
        values.append(values[-1] * (1 + one))
    return values


def max_drawdown(returns: Sequence[float]) -> float:
    """The deepest fall of a series of returns, never above 0."""
    return min(underwater(wealth(returns)))


def ulcer_index(returns: Sequence[float]) -> float:
    """Root mean square of the depths after each return: Martin & McCann (1989)."""
    if not returns:
        return 0.0
    return sqrt(fsum(depth * depth for depth in underwater(wealth(returns))[1:]) / len(returns))


def _episode(equity: Sequence[Amount], peak: int, trough: int, recovery: int | None) -> Episode:
    return Episode(peak, trough, recovery, _depth(equity[trough], equity[peak]))


def _depth(value: Amount, best: Amount) -> float:
    if value == best:
        return 0.0
    if best <= 0:
        raise NoReturn("a drawdown is measured from a peak above zero")
    return ratio(value, best) - 1


__all__ = ["Drawdowns", "Episode", "drawdowns", "max_drawdown", "ulcer_index", "underwater", "wealth"]
