"""What an account may have at stake: how many positions, how much money in them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sniper_cli.settings.model import SnipingSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on purchases. Sales are never bounded: they lower what is at stake."""

    max_open_positions: int
    max_total_spend: int
    """Quote units standing in open positions and working buys together."""

    @classmethod
    def from_settings(cls, sniping: SnipingSettings, decimals: int = 18) -> Limits:
        """The profile's limits, in base units of its coin."""
        return cls(sniping.max_open_positions, int(sniping.max_total_spend.scaleb(decimals)))
