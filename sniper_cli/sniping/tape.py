"""What happened in the pools of held tokens since the last look: every block's price, and what was traded.

A round sees the newest block; a slow one, a lost connection or a restart skips some. What they held is read from the
pools' own logs: the peak of a trailing stop counts every block, and a stall is a stall only if nobody traded in any.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sniper_cli.chains import abi
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import reserves_of
from sniper_cli.pools.trades import SWAP_TOPICS, trades_in
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, after_tax
from sniper_cli.sniping.marks import Holding, Mark
from sniper_cli.sniping.rules import ExitRules, rules_of
from sniper_cli.sniping.run import Run

MOST_BLOCKS = 2_000
"""So far back are logs read in one request; a longer absence is read from there on."""
KEPT = 10_000
"""Blocks that a stall may look back at most."""


@dataclass(slots=True)
class Track:
    """One holding's blocks, oldest first."""

    since: int
    """The first block whose trades are known."""
    volumes: dict[int, int] = field(default_factory=dict)
    """What went through the pool, in wei, by block; blocks without a trade are not in it."""
    values: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Block, value, quantity."""

    def volume(self, head: int, blocks: int) -> int | None:
        """What was traded in the last blocks; none before there are so many."""
        if head - blocks + 1 < self.since:
            return None
        return sum(volume for block, volume in self.volumes.items() if head - blocks < block <= head)

    def prices(self, head: int, blocks: int, quantity: int) -> tuple[int, int] | None:
        """The lowest and the highest value of today's quantity in the last blocks; none before there are so many."""
        if head - blocks + 1 < self.since:
            return None
        seen = [
            value * quantity // held for block, value, held in self.values if block > head - blocks and held
        ]
        return (min(seen), max(seen)) if seen else None

    def forget(self, before: int) -> None:
        for block in [block for block in self.volumes if block < before]:
            del self.volumes[block]


class Tape:
    """The tracks of all holdings."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tracks: dict[UUID, Track] = {}
        self.last: int | None = None
        """The last block that was worked through; a restart takes it from the state."""

    async def read(self, head: int, holdings: Sequence[Holding], marks: dict[UUID, Mark]) -> dict[UUID, int]:
        """Take in the blocks since the last look; the highest value each holding had in those that were missed.

        Raises NetworkError: the same blocks are then read at the next look.
        """
        first = head if self.last is None else min(self.last + 1, head)
        first = max(first, head - MOST_BLOCKS + 1)
        missed = first < head
        wanted = [h for h in holdings if missed or _looks_back(rules_of(h.position))]
        logs = await self._logs(wanted, first, head) if wanted else {}
        peaks = {}
        for holding in holdings:
            track = self._tracks.setdefault(holding.id, Track(since=first))
            peak = self._take(track, holding, logs.get(holding.pool, []), marks.get(holding.id), head)
            if missed and peak is not None:
                peaks[holding.id] = peak
            track.forget(head - KEPT)
        self._tracks = {h.id: self._tracks[h.id] for h in holdings}
        self.last = head
        return peaks

    def stall(self, holding: Holding, head: int) -> tuple[int | None, tuple[int, int] | None]:
        """What the stall rules look at: volume and range of the blocks they name."""
        rules, track = rules_of(holding.position), self._tracks.get(holding.id)
        if track is None or not _looks_back(rules):
            return None, None
        volume = track.volume(head, rules.volume_stall_blocks) if rules.volume_stall_blocks else None
        quantity = holding.position.quantity
        prices = track.prices(head, rules.price_stall_blocks, quantity) if rules.price_stall_blocks else None
        return volume, prices

    def _take(
        self, track: Track, holding: Holding, logs: list[abi.Log], mark: Mark | None, head: int
    ) -> int | None:
        """Volumes and values by block; the highest value."""
        market, quantity = market_of(self._run, holding), holding.position.quantity
        by_block: dict[int, list[abi.Log]] = defaultdict(list)
        for log in logs:
            by_block[int(log["blockNumber"], 16)].append(log)
        values = []
        for block, mine in sorted(by_block.items()):
            traded = sum(abs(trade.coins) for trade in trades_in(market, mine))
            if traded:
                track.volumes[block] = traded
            synced = [log for log in mine if log["topics"][0] == abi.SYNC_V2]
            if synced and block < head:
                value = value_of(quantity, holding.sell_tax_bps, reserves_of(market, synced[-1]["data"]))
                values.append((block, value, quantity))
        if mark is not None:
            values.append((head, mark.value, mark.quantity))
        track.values.extend(values)
        return max((value for _, value, _ in values), default=None)

    async def _logs(self, holdings: Sequence[Holding], first: int, head: int) -> dict[str, list[abi.Log]]:
        topics = [abi.SYNC_V2, *SWAP_TOPICS.values()]
        asked = {
            "address": sorted({holding.pool for holding in holdings}),
            "fromBlock": hex(first),
            "toBlock": hex(head),
            "topics": [topics],
        }
        found: dict[str, list[abi.Log]] = defaultdict(list)
        for log in await self._run.node.call("eth_getLogs", [asked]):
            found[str(log["address"]).lower()].append(log)
        return found


def market_of(run: Run, holding: Holding) -> Pool:
    """The pool of a holding."""
    return holding.market or Pool(run.exchange, holding.pool, holding.token, run.exchange.wrapped)


def value_of(quantity: int, tax_bps: int, side: Reserves | None) -> int:
    """What a quantity would bring, by a pool as a purchase sees it."""
    if side is None:
        return 0
    try:
        return side.reversed.pays(after_tax(quantity, tax_bps))
    except ImpossibleSwap:
        return 0


def _looks_back(rules: ExitRules) -> bool:
    return bool(rules.volume_stall_blocks or rules.price_stall_blocks)


__all__ = ["Tape", "Track", "market_of", "value_of"]
