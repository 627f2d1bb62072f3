"""Limits in the shape in which they are compared: whole numbers, sorted by who counts what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sniper_cli.risk.at_stake import Exposure, Group
from sniper_cli.risk.limits import Limit
from sniper_cli.risk.pace import DayResult, Pace, Streak

Bound = tuple[str, int]
"""The name under which a limit's figures stand, and the limit. Of a scope that is not the account: `name:scope`."""


def _nothing() -> int:
    return 0


NONE = Exposure(lambda _: (0, 0, 0, 0, 0), short=False)
"""Of a scope that counts nothing."""


@dataclass(slots=True)
class Line:
    """What one scope allows an order in one instrument; None is without a bound. Money in quote units."""

    limits: dict[str, Limit]
    """Where each comes from, by the name of its figures."""
    exposure: Exposure = NONE
    entering: Callable[[], int] = _nothing
    working: Callable[[], int] = _nothing
    sizes: bool = False
    times: bool = False
    position_quantity: Bound | None = None
    position_notional: Bound | None = None
    concentration: Bound | None = None
    gross: Bound | None = None
    net: Bound | None = None
    leverage: tuple[str, int, int] | None = None
    """So many times the equity: over, under."""
    groups: tuple[tuple[Group, Bound], ...] = ()
    total_spend: Bound | None = None
    open_positions: Bound | None = None
    open_orders: Bound | None = None
    pace: tuple[Pace, Bound] | None = None
    day: tuple[DayResult, Bound] | None = None
    drawdown: Bound | None = None
    streak: tuple[Streak, Bound, int] | None = None
    """Losses in a row, how many are too many, and for how long that rests (µs)."""


@dataclass(slots=True)
class Plan:
    """Everything that binds orders of one strategy in one instrument."""

    limits: dict[str, Limit]
    collar: int | None = None
    order_quantity: int | None = None
    order_notional: int | None = None
    lines: tuple[Line, ...] = ()


__all__ = ["NONE", "Bound", "Line", "Plan"]
