"""A limit as the gate takes it in, and the limits that a profile's settings put on the launch sniper."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from state.limits import LimitScope, OnBreach, RiskLimit

if TYPE_CHECKING:
    from sniper_cli.settings.model import SnipingSettings

UNITS = "units"
"""A limit of the settings counts money in base units already: it is given to the account that it binds."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: whom it binds, what it bounds, by how much."""

    scope: LimitScope
    scope_id: str
    name: str
    number: Decimal
    unit: str = ""
    part: str = ""
    on_breach: OnBreach = OnBreach.REFUSE
    terms: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: RiskLimit) -> Limit:
        """A limit as it is stored."""
        return cls(
            row.scope_kind,
            row.scope_id,
            row.name,
            Decimal(row.value),
            row.unit,
            row.part,
            row.on_breach,
            dict(row.terms),
        )

    @property
    def trips(self) -> bool:
        """Breaking it trips the kill switch."""
        return self.on_breach is not OnBreach.REFUSE


@dataclass(frozen=True, slots=True)
class Limits:
    """The sniper's bounds on purchases. Sales are never bounded: they lower what is at stake."""

    max_open_positions: int
    max_total_spend: int
    """Quote units standing in open positions and working buys together."""

    def standing(self, account_id: str) -> list[Limit]:
        """The same as limits of an account."""
        scope = LimitScope.ACCOUNT
        return [
            Limit(scope, account_id, "open_positions", Decimal(self.max_open_positions)),
            Limit(scope, account_id, "total_spend", Decimal(self.max_total_spend), UNITS),
        ]

    @classmethod
    def from_settings(cls, sniping: SnipingSettings, decimals: int = 18) -> Limits:
        """The profile's limits, in base units of its coin."""
        return cls(sniping.max_open_positions, int(sniping.max_total_spend.scaleb(decimals)))
