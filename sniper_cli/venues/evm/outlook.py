"""What will happen to a waiting transaction, and when, if no block takes it before.

Nothing here has rules of its own: the remedies are asked what they would do at the blocks to come, and the first
answer is the outlook. So what is told is what is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Head
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.evm.remedies import Patient, Replacement, remedy_for
from sniper_cli.venues.venue import RemedyKind

FARTHEST = 300
"""Blocks looked ahead: no rule waits longer but by a setting, and then nothing is what happens for now."""
WORDS = {
    RemedyKind.RESEND: "the same bytes are sent again",
    RemedyKind.REPLACE: "its bid is raised",
    RemedyKind.KILL: "it is ended under its nonce",
    RemedyKind.FILL: "the gap before it is filled",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next thing that is done about a waiting transaction."""

    words: str
    at_block: int | None = None
    """The block at whose sight it is done; none: nothing is, however long it waits."""
    fees: Fees | None = None
    """What is bid then, at the base fee of now."""


def outlook(
    patient: Patient, head: Head, policy: ExecutionPolicy, address: str, *, block_seconds: Decimal
) -> Outlook:
    """What a running sniper, or the next look at the account, does about it."""
    for ahead in range(FARTHEST):
        then = replace(
            head, number=head.number + ahead, timestamp=head.timestamp + int(ahead * block_seconds)
        )
        remedy = remedy_for(patient, then, policy, address)
        if remedy is not None:
            cure = remedy.details
            fees = cure.fees if isinstance(cure, Replacement) else None
            return Outlook(f"{WORDS[remedy.kind]}: {remedy.why}", then.number, fees)
    if not patient.next_to_mine:
        return Outlook("waits for the one before it")
    return Outlook("waits for the base fee to fall: the cap allows no higher bid")


__all__ = ["Outlook", "outlook"]
