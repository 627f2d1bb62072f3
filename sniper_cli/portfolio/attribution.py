"""Where a portfolio beat its benchmark: by what it weighted, by what it picked, or by both at once.

    allocation (wᵢ − Wᵢ)·bᵢ   selection Wᵢ·(rᵢ − bᵢ)   interaction (wᵢ − Wᵢ)·(rᵢ − bᵢ)   Brinson, Hood & Beebower (1986)
    allocation (wᵢ − Wᵢ)·(bᵢ − B)                                                         Brinson & Fachler (1985)

Fachler's measures a segment against the whole benchmark B, so that overweighting a segment which rose, but less than
the rest, counts as a mistake. Totals are the same: they add up to the difference of the returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Attribution:
    portfolio_return: float
    benchmark_return: float
    allocation: tuple[float, ...]
    """Of each segment."""
    selection: tuple[float, ...]
    interaction: tuple[float, ...]

    @property
    def excess(self) -> float:
        return self.portfolio_return - self.benchmark_return

    @property
    def totals(self) -> tuple[float, float, float]:
        """Allocation, selection, interaction; together the excess."""
        return fsum(self.allocation), fsum(self.selection), fsum(self.interaction)


def brinson(
    weights: Sequence[float],
    benchmark_weights: Sequence[float],
    returns: Sequence[float],
    benchmark_returns: Sequence[float],
    *,
    model: Literal["fachler", "bhb"] = "fachler",
) -> Attribution:
    """Attribute the difference of two portfolios over the same segments."""
    rows = list(zip(weights, benchmark_weights, returns, benchmark_returns, strict=True))
    benchmark = fsum(bench * market for _, bench, _, market in rows)
    against = benchmark if model == "fachler" else 0.0
    return Attribution(
        portfolio_return=fsum(weight * earned for weight, _, earned, _ in rows),
        benchmark_return=benchmark,
        allocation=tuple((weight - bench) * (market - against) for weight, bench, _, market in rows),
        selection=tuple(bench * (earned - market) for _, bench, earned, market in rows),
        interaction=tuple((weight - bench) * (earned - market) for weight, bench, earned, market in rows),
    )


__all__ = ["Attribution", "brinson"]
