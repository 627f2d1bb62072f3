"""What a dossier's lines weigh: three ready-made levels, and the operator's own word on single lines.

The simulations of trading decide at every level: what cannot be sold again is never bought. The levels differ in what
they make of powers that nobody has used yet. Ordinary launches have owners who can pause, tax or mint, and a trader
who refuses them all buys next to nothing; nobody honest needs to take a holder's tokens, to rule unseen, or to let
everybody rule. That is where `standard` draws its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sniper_cli.safety.lines import Group, Line
from sniper_cli.safety.report import Outcome, SafetyReport
from sniper_cli.settings.safety import DossierPolicy
from state.launches import Verdict


class Weight(StrEnum):
    REFUSE = "refuse"
    WARN = "warn"
    """Shown, and bought nevertheless."""
    IGNORE = "ignore"


R, W, I = Weight.REFUSE, Weight.WARN, Weight.IGNORE  # noqa: E741 - a table is read by its columns

CAUTIOUS, STANDARD, DARING = "cautious", "standard", "daring"
WEIGHTS: dict[str, tuple[tuple[Weight, Weight], tuple[Weight, Weight], tuple[Weight, Weight]]] = {
    # failed, not proven:  cautious, standard,  daring
    "seizes":            ((R, R), (R, W), (W, I)),
    "blocks_sales":      ((R, R), (W, W), (I, I)),
    "raises_tax":        ((R, R), (W, W), (I, I)),
    "mints":             ((R, R), (W, W), (I, I)),
    "opens_sales":       ((W, W), (I, I), (I, I)),
    "takes_ownership":   ((R, R), (R, W), (W, I)),
    "hidden_powers":     ((R, R), (R, W), (W, I)),
    "powers_of_anybody": ((R, R), (R, W), (R, I)),
    "unknown_authority": ((R, R), (R, R), (W, W)),
    "powers_tried":      ((R, R), (W, W), (I, I)),
    "upgradeable":       ((R, R), (W, W), (I, I)),
    "hooks":             ((R, R), (R, W), (W, I)),
    "liquidity_held":    ((R, R), (W, W), (I, I)),
    "deployer_record":   ((R, W), (W, I), (I, I)),
    "impersonation":     ((R, W), (W, I), (I, I)),
    "decimals":          ((W, W), (W, W), (I, I)),
    "holders_sell":      ((R, W), (R, I), (W, I)),
    "goplus":            ((R, W), (R, I), (W, I)),
    "honeypot_is":       ((R, W), (R, I), (W, I)),
}  # fmt: skip
LEVELS = (CAUTIOUS, STANDARD, DARING)


@dataclass(frozen=True, slots=True)
class Level:
    """What each line weighs: when it failed, and when it is not proven."""

    name: str
    weights: Mapping[str, tuple[Weight, Weight]]

    def weigh(self, line: Line) -> Weight:
        """What a line counts. A passed line weighs nothing, a line that no table names is refused."""
        if line.outcome is Outcome.PASS or line.group is Group.TRADING:
            return Weight.IGNORE  # trading's verdict is the safety report's own
        failed, not_proven = self.weights.get(line.name, (R, R))
        return failed if line.outcome is Outcome.FAIL else not_proven


def level_named(name: str, policy: DossierPolicy | None = None) -> Level:
    """A ready-made level with the operator's own weights; `name` is one of LEVELS."""
    column = LEVELS.index(name)
    weights = {line: each[column] for line, each in WEIGHTS.items()}
    own = {} if policy is None else {key: value for key, value in policy if value}
    for line, spelled in own.items():
        words = [Weight(word) for word in spelled.split(",")]
        weights[line] = (words[0], words[-1])
    return Level(name, weights)


def weigh(level: Level, report: SafetyReport, lines: Iterable[Line]) -> tuple[Verdict, list[str], list[str]]:
    """The verdict, the reasons against buying (failures first), and what is only warned of."""
    verdict, refused, doubted, warned = report.verdict, [], [], []
    for line in lines:
        weight = level.weigh(line)
        if weight is Weight.WARN:
            warned.append(line.detail)
        elif weight is Weight.REFUSE and line.outcome is Outcome.FAIL:
            refused.append(line.detail)
        elif weight is Weight.REFUSE:
            doubted.append(line.detail)
    if refused:
        verdict = Verdict.UNSAFE
    elif doubted and verdict is Verdict.SAFE:
        verdict = Verdict.NOT_PROVEN
    return verdict, [*report.reasons, *refused, *doubted], warned
