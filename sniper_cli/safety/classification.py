"""Which kind of token the scenarios, taken together, show.

The pattern of bad sales is what tells a honeypot from a cooldown and a launch tax from a trap that shuts later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sniper_cli.safety.facts import Purchase
from sniper_cli.safety.findings import Findings, blocked, cause, causes
from sniper_cli.safety.matrix import (
    AGAIN,
    AS_SENT,
    AS_SENT_LATER,
    AS_SENT_NEXT_DAY,
    CRASHED,
    CROWDED,
    DAY,
    FALLEN,
    HOUR,
    IN_HASTE,
    IN_PARTS,
    LATE,
    LITTLE_BY_LITTLE,
    MINUTES,
    NEXT_BLOCK,
    RUSHED,
    SAME_BLOCK,
    SOARED,
    TWO_BLOCKS,
    WEEK,
    YEAR,
)
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome
from sniper_cli.safety.reverts import OUT_OF_GAS
from sniper_cli.safety.trades import (
    NotRun,
    Sale,
    Tried,
)

PATTERNS = (
    (Classification.TIME_TRAP, (MINUTES, HOUR, DAY, YEAR)),
    (Classification.COOLDOWN, (NEXT_BLOCK,)),
    (Classification.SECOND_SELL, (IN_PARTS, CROWDED, FALLEN, RUSHED, LATE, AGAIN, SOARED, CRASHED)),
    (Classification.TIME_TRAP, (LITTLE_BY_LITTLE, WEEK)),
    (Classification.HONEYPOT, (IN_HASTE, AS_SENT, AS_SENT_LATER, AS_SENT_NEXT_DAY)),
)
"""What a token is that sells two blocks after buying and badly in one of these scenarios; the first that fits."""


def classify(
    found: Findings, tried: Mapping[str, Tried | NotRun], larger: Purchase | NotRun
) -> Classification:
    """Which pattern the scenarios show. Only what was tried counts; a missing scenario proves nothing either way."""
    pattern = Pattern(
        {name: ended for name, ended in tried.items() if isinstance(ended, Tried)}, found.policy
    )
    two = pattern.sale(TWO_BLOCKS)
    if two is None:
        return Classification.UNKNOWN
    costly = any(check.name == "buy_gas" for check in found.checks)
    if costly or two.reason == OUT_OF_GAS or (two.ok and two.gas > found.policy.max_sell_gas):
        return Classification.GAS_GRIEF
    if pattern.all_blocked():
        return Classification.HONEYPOT
    if pattern.bad(TWO_BLOCKS):
        return _delayed(pattern, two)
    worst = next((kind for kind, names in PATTERNS if pattern.any_bad(*names)), None)
    return worst or _harmless(found, pattern, larger)


def _delayed(pattern: Pattern, two: Sale) -> Classification:
    """Selling at once is bad: for ever, for a while, or only for the whole?"""
    if pattern.first_part_sells() and not two.ok:
        return Classification.PARTIAL_SELL
    if pattern.tried(MINUTES) and not pattern.bad(MINUTES):
        return Classification.LAUNCH_TAX if two.ok else Classification.COOLDOWN
    return Classification.HONEYPOT if blocked(two) else Classification.TAX


def _harmless(found: Findings, pattern: Pattern, larger: Purchase | NotRun) -> Classification:
    if any(check.name == "buy_tax" and check.outcome is Outcome.FAIL for check in found.checks):
        return Classification.TAX
    if pattern.bad(SAME_BLOCK):
        return Classification.COOLDOWN
    if isinstance(larger, Purchase) and not larger.ok:
        return Classification.MAX_TRANSACTION
    if any(check.name == "liquidity" and check.outcome is Outcome.FAIL for check in found.checks):
        return Classification.NO_LIQUIDITY
    return Classification.OK


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which scenarios went badly."""

    by_name: Mapping[str, Tried]
    policy: SafetyPolicy

    def tried(self, name: str) -> bool:
        return name in self.by_name

    def sale(self, name: str) -> Sale | None:
        """The first sale of a scenario."""
        ended = self.by_name.get(name)
        return ended.sales[0] if ended and ended.sales else None

    def bad(self, name: str) -> bool:
        ended = self.by_name.get(name)
        return ended is not None and any(causes(ended, self.policy))

    def any_bad(self, *names: str) -> bool:
        return any(self.bad(name) for name in names)

    def all_blocked(self) -> bool:
        """No scenario let anything out."""
        return all(blocked(sale) for ended in self.by_name.values() for sale in ended.sales)

    def first_part_sells(self) -> bool:
        first = self.sale(IN_PARTS)
        return first is not None and not cause(first, self.policy)
