"""What a dossier is made of: lines, each with its outcome and the evidence that it rests on.

A line is three-valued like a safety check. What it weighs is the policy's business (`levels.py`), not the line's: the
same owner power is a reason to refuse for a cautious trader and a warning for a daring one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sniper_cli.safety.report import Outcome, SafetyCheck


class Group(StrEnum):
    """The parts of a dossier, in the order in which they are shown."""

    TRADING = "trading"
    HOLDERS = "holders"
    POWERS = "powers"
    PROXY = "proxy"
    LIQUIDITY = "liquidity"
    DEPLOYER = "deployer"
    METADATA = "metadata"
    OPINIONS = "opinions"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was asked of the chain and what came of it: enough to ask again."""

    what: str
    """`eth_simulateV1`, `eth_getStorageAt`, `eth_getLogs` …"""
    to: str = ""
    sender: str = ""
    data: str = ""
    """The call's data, or the slot that was read."""
    block: int | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a dossier."""

    name: str
    group: Group
    outcome: Outcome
    detail: str
    figure: str | None = None
    limit: str | None = None
    evidence: tuple[Evidence, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The line as plain values; enums are written by their value."""
        plain = asdict(self)
        plain["group"], plain["outcome"] = self.group.value, self.outcome.value
        plain["evidence"] = [dict(each) for each in plain["evidence"]]
        return plain


def passed(name: str, group: Group, detail: str, *evidence: Evidence, figure: str | None = None) -> Line:
    return Line(name, group, Outcome.PASS, detail, figure, evidence=evidence)


def failed(name: str, group: Group, detail: str, *evidence: Evidence, figure: str | None = None) -> Line:
    return Line(name, group, Outcome.FAIL, detail, figure, evidence=evidence)


def unproven(name: str, group: Group, detail: str, *evidence: Evidence, figure: str | None = None) -> Line:
    return Line(name, group, Outcome.NOT_PROVEN, detail, figure, evidence=evidence)


def of_check(check: SafetyCheck, group: Group = Group.TRADING) -> Line:
    """A safety check as a line."""
    return Line(check.name, group, check.outcome, check.detail, check.figure, check.limit)
