"""Which blocks we stand on, told by parent hashes.

Nodes do not say reliably that a block has gone: geth sends logs again with `removed`, anvil and many providers
do not. Each head names its parent, so a head whose parent is not the block we hold shows a reorganisation by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sniper_cli.chains.node import Head

MEMORY = 128
"""Blocks remembered: twice the deepest reorganisation that proof of stake allows before finality (two epochs)."""


@dataclass(frozen=True, slots=True)
class Step:
    """The way to a new head: `heads` from oldest to newest; `replaces` where they push others out."""

    heads: tuple[Head, ...]
    replaces: bool
    skipped_from: int
    """The first block whose logs must be read again to have missed none; above the head when none was skipped."""
    vanished: tuple[str, ...] = ()
    """The hashes of the blocks that were pushed out, as far as they are remembered."""


class Lineage:
    """The last blocks, by number."""

    def __init__(self, standing: Head | None = None) -> None:
        """`standing`: the block that is held already, if any."""
        self.latest: Head | None = None
        self._hashes: dict[int, str] = {}
        if standing is not None:
            self._stand_on((standing,))

    def hash_at(self, number: int) -> str | None:
        """The block that we hold at a height; none where it is not known or forgotten."""
        return self._hashes.get(number)

    async def step_to(
        self,
        head: Head,
        parent: Callable[[str], Awaitable[Head]],
        at_number: Callable[[int], Awaitable[Head]],
    ) -> Step | None:
        """How to get from the latest block to this head; none if it is known already. Takes the step."""
        latest = self.latest
        if latest is None:
            self._stand_on((head,))
            return Step((head,), replaces=False, skipped_from=head.number + 1)
        if self._hashes.get(head.number) == head.hash:
            return None
        if head.number < min(self._hashes):
            # Told late: we began above it. If the chain really became so short, its next blocks will show it.
            return None
        if head.number > latest.number + MEMORY:
            return await self._leap(latest, head, at_number)
        heads = [head]
        while self._hashes.get(heads[0].number - 1) != heads[0].parent_hash:
            if heads[0].number - 1 < min(self._hashes):
                break  # deeper than we remember: all that we hold has gone
            heads.insert(0, await parent(heads[0].parent_hash))
        first = heads[0].number
        replaces = first <= latest.number
        vanished = self._from(first)
        self._stand_on(tuple(heads))
        skipped_from = first if replaces or len(heads) > 1 else head.number + 1
        return Step(tuple(heads), replaces, skipped_from, vanished)

    async def _leap(self, latest: Head, head: Head, at_number: Callable[[int], Awaitable[Head]]) -> Step:
        """After a long absence: look whether our latest block still stands, and take the new head alone."""
        unchanged = (await at_number(latest.number)).hash == latest.hash
        first = latest.number + 1 if unchanged else min(self._hashes)
        vanished = self._from(first)
        self._hashes.clear()
        self._stand_on((head,))
        return Step((head,), replaces=not unchanged, skipped_from=first, vanished=vanished)

    def _from(self, first: int) -> tuple[str, ...]:
        return tuple(block for number, block in self._hashes.items() if number >= first)

    def _stand_on(self, heads: tuple[Head, ...]) -> None:
        for number in [number for number in self._hashes if number >= heads[0].number]:
            del self._hashes[number]
        for head in heads:
            self._hashes[head.number] = head.hash
        self.latest = heads[-1]
        for number in [number for number in self._hashes if number <= self.latest.number - MEMORY]:
            del self._hashes[number]
