"""Why a limit said no, in words and with its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.risk.kinds import KINDS, Unit
from sniper_cli.risk.limits import Limit
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import CheckResult
from state.accounts import Asset
from state.limits import LimitScope
from state.writing import instant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Over:
    """A limit that an order would break."""

    name: str
    value: int
    most: int
    label: str
    limits: Mapping[str, Limit]
    waived: bool = True
    """A reduction passes it."""
    until: int | None = None
    """When a rest ends (µs)."""

    @property
    def figure(self) -> Figure:
        return (
            (self.name, self.value, self.most, self.label)
            if self.label
            else (self.name, self.value, self.most)
        )

    @property
    def limit(self) -> Limit | None:
        """Where it comes from; None for what the account itself has (its margin, the collar of the house)."""
        return self.limits.get(f"{self.name}:{self.label}") or self.limits.get(self.name)


def refusal(over: Over, proposal: Proposal, reporting: Asset | None) -> CheckResult:
    """The failed check."""
    listing = proposal.listing
    value, most = _amounts(over, listing.base, reporting or listing.quote)
    figures: dict[str, object] = {"value": str(over.value), "limit": str(over.most)}
    source = over.limit
    if source is not None:
        figures["scope"] = f"{source.scope.value}:{source.scope_id}"
    if over.label:
        figures["of"] = over.label
    if over.until is not None:
        figures["until"] = instant(over.until).isoformat(timespec="seconds").replace("+00:00", "Z")
        detail = f"{value} losses in a row; nothing new until {figures['until']}"
    else:
        detail = f"{value}, at most {most}"
    return CheckResult(over.name, False, detail + _whose(over, source), figures)


def _amounts(over: Over, base: Asset, quote: Asset) -> tuple[str, str]:
    kind = KINDS[over.name]
    if kind.unit is Unit.BASE:
        return spelled(base, over.value), f"{whole(base, over.most):f}"
    if over.name == "collar":
        return f"{over.value} bps worse than the market", str(over.most)
    if kind.unit is Unit.COUNT:
        return str(over.value), str(over.most)
    return spelled(quote, over.value), f"{whole(quote, over.most):f}"


def _whose(over: Over, source: Limit | None) -> str:
    """Whose limit it is, where that is not the account's own."""
    if over.label:
        return f" ({over.label})"
    if source is not None and source.scope is not LimitScope.ACCOUNT:
        return f" ({source.scope.value} {source.scope_id})"
    return ""


__all__ = ["Over", "refusal"]
