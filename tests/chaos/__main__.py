"""`python -m tests.chaos [LAUNCHES]`: the storm, and how long reads stalled in it."""

from __future__ import annotations

import asyncio
import sys
import tempfile

from state import schema
from state.database import Database
from tests.chaos.storm import STALLED, Tally, storm


def main() -> None:
    launches = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/chaos.db") as database:
        schema.upgrade(database)
        tally = asyncio.run(storm(database, launches))
    for line in lines(tally):
        print(line)


def lines(tally: Tally) -> list[str]:
    """What it came to, for people."""
    after = tally.sent_after
    told = [
        f"{tally.launches} launches, {tally.bought} bought, none missed, none twice, ledger equal to the chain"
        f" ({tally.seconds:.0f} s, {tally.hedges} hedges, {tally.retries} retries)",
        f"from the listing to the purchase sent: p50 {_at(after, 0.5):.2f} s, p95 {_at(after, 0.95):.2f} s,"
        f" worst {after[-1]:.2f} s",
    ]
    for phase, taken in tally.timings.taken.items():
        ordered = sorted(taken)
        stalled = [seconds for seconds in ordered if seconds > STALLED]
        told.append(
            f"{phase:14} {len(ordered):5} reads, p50 {_at(ordered, 0.5) * 1000:.1f} ms, p95"
            f" {_at(ordered, 0.95) * 1000:.0f} ms, p99 {_at(ordered, 0.99) * 1000:.0f} ms, worst"
            f" {ordered[-1]:.2f} s; {len(stalled)} over {STALLED} s"
        )
    return told


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
