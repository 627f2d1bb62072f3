"""Why a limit said no, in words and with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sniper_cli.risk.kinds import KINDS, Unit
from sniper_cli.risk.limits import Limit
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import CheckResult
from state.accounts import Asset
from state.columns import timestamp
from state.limits import LimitScope
from state.writing import instant


@dataclass(frozen=True, slots=True)
class Over:
    """A limit that an order would break. `figure`: its name, and whose it is where that is not the account's."""

    name: str
    value: int
    most: int
    limits: Mapping[str, Limit]
    waived: bool = True
    """A reduction passes it."""
    until: int | None = None
    """When a rest ends (µs)."""

    @property
    def figure(self) -> Figure:
        return self.name, self.value, self.most

    @property
    def limit(self) -> Limit | None:
        """Where it comes from; None for what the account itself has (its margin, the collar of the house)."""
        return self.limits.get(self.name)


def refusal(over: Over, proposal: Proposal, reporting: Asset) -> CheckResult:
    """The failed check."""
    name, whose = parted(over.name)
    value, most = in_words(name, over.value, over.most, proposal.listing.base, reporting)
    figures: dict[str, object] = {"value": str(over.value), "limit": str(over.most)}
    source = over.limit
    if source is not None:
        figures["scope"] = f"{source.scope.value}:{source.scope_id}"
        if source.scope is not LimitScope.ACCOUNT and not whose:
            whose = f"{source.scope.value} {source.scope_id}"
    if whose:
        figures["of"] = whose
    detail = f"{value}, at most {most}"
    if over.until is not None:
        figures["until"] = timestamp(instant(over.until))
        detail = f"{value} in a row; nothing new until {figures['until']}"
    return CheckResult(name, False, f"{detail} ({whose})" if whose else detail, figures)


def parted(name: str) -> tuple[str, str]:
    """A figure's name without whose it is, and that: `open_orders`, `strategy grid`."""
    plain, _, whose = name.partition(":")
    return plain, whose


def in_words(name: str, value: int, most: int, base: Asset, reporting: Asset) -> tuple[str, str]:
    """What a limit counted and what it allows; units only once."""
    if name == "collar":
        return f"{value} bps worse than the market", str(most)
    unit = KINDS[name].unit
    if unit is Unit.BASE:
        return spelled(base, value), f"{whole(base, most):f}"
    if unit is Unit.COUNT:
        return f"{value} losses" if name == "losing_streak" else str(value), str(most)
    return spelled(reporting, value), f"{whole(reporting, most):f}"


__all__ = ["Over", "in_words", "parted", "refusal"]
