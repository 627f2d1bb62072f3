"""What happened in the pools of held tokens since the last look: every block's price, and what was traded.

A round sees the newest block; a slow one, a lost connection or a restart skips some. What they held is read from the
pools' own logs: the peak of a trailing stop counts every block, and a stall is a stall only if nobody traded in any.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.following import LIQUIDITY_MOVED
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import moved_by, read_side
from sniper_cli.pools.trades import SWAP_TOPICS, trades_in
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.sniping.marks import Holding, Mark, market_of, value_of
from sniper_cli.sniping.rules import ExitRules, rules_of
from sniper_cli.sniping.run import Run

MOST_BLOCKS = 2_000
"""So far back are logs read in one request; a longer absence is read from there on."""
KEPT = 10_000
"""Blocks that a stall may look back at most."""
MOST_READ = 32
"""So many past states of a concentrated pool are read at most, the latest."""
OF_MANAGERS = (abi.SWAP_V4, abi.MODIFY_LIQUIDITY_V4)
"""Told by v4's manager, under the pool's id."""
NO_PAIR = Reserves(0, 0)
"""What was known of a V2 pool plays no part: its log tells it whole."""
Blocks = dict[int, list[abi.Log]]


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
            mark, mine = marks.get(holding.id), logs.get(holding.pool, {})
            now = None if mark is None else mark.reading.side
            sides = await self._sides(market_of(self._run, holding), mine, now, head) if missed else {}
            peak = self._take(track, holding, mine, sides, mark, head)
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
        self,
        track: Track,
        holding: Holding,
        logs: dict[int, list[abi.Log]],
        sides: dict[int, PoolSide],
        mark: Mark | None,
        head: int,
    ) -> int | None:
        """Volumes and values by block; the highest value."""
        market, quantity = market_of(self._run, holding), holding.position.quantity
        for block, mine in logs.items():
            traded = sum(abs(trade.coins) for trade in trades_in(market, mine))
            if traded:
                track.volumes[block] = traded
        values = [
            (block, value_of(quantity, holding.sell_tax_bps, side), quantity)
            for block, side in sorted(sides.items())
        ]
        if mark is not None:
            values.append((head, mark.value, mark.quantity))
        track.values.extend(values)
        return max((value for _, value, _ in values), default=None)

    async def _logs(self, holdings: Sequence[Holding], first: int, head: int) -> dict[str, Blocks]:
        """The logs of pools by their id and block. Raises NetworkError."""
        markets = [market_of(self._run, holding) for holding in holdings]
        span = {"fromBlock": hex(first), "toBlock": hex(head)}
        by_address = sorted({pool.id for pool in markets if pool.protocol is not Protocol.V4})
        by_id = sorted({pool.id for pool in markets if pool.protocol is Protocol.V4})
        topics: list[Any] = [[abi.SYNC_V2, *SWAP_TOPICS.values(), *LIQUIDITY_MOVED]]
        asked = [{**span, "address": by_address, "topics": topics}] if by_address else []
        if by_id:
            managers = sorted({pool.keeper for pool in markets if pool.protocol is Protocol.V4})
            asked.append({**span, "address": managers, "topics": [*topics, by_id]})
        found: dict[str, Blocks] = {}
        for answer in await self._run.node.batch([("eth_getLogs", [each]) for each in asked]):
            for log in answer:
                key = str(log["topics"][1] if log["topics"][0] in OF_MANAGERS else log["address"]).lower()
                found.setdefault(key, defaultdict(list))[int(log["blockNumber"], 16)].append(log)
        return found

    async def _sides(self, pool: Pool, logs: Blocks, now: PoolSide | None, head: int) -> dict[int, PoolSide]:
        """The pool at the end of each block before the head in which it changed.

        What liquidity was put in or taken out no log tells whole: up to the last block in which that happened a
        concentrated pool is read as it stood, as far back as the node remembers. Raises NetworkError.
        """
        past = {block: mine for block, mine in sorted(logs.items()) if block < head}
        moved = [b for b, mine in logs.items() if any(log["topics"][0] in LIQUIDITY_MOVED for log in mine)]
        to_read = [block for block in past if moved and block <= max(moved)] if _has_ticks(pool) else []
        found = await self._read(pool, to_read[-MOST_READ:])
        for block, mine in past.items():
            if block not in to_read:
                known = now if _has_ticks(pool) else NO_PAIR
                if known is not None and (side := moved_by(known, pool, mine)) is not None:
                    found[block] = side
        return found

    async def _read(self, pool: Pool, blocks: Sequence[int]) -> dict[int, PoolSide]:
        found = {}
        for block in blocks:
            try:
                side = await read_side(self._run.node, pool, block)
            except NodeRefused:  # it keeps no state so old: such a block's value stays unknown
                continue
            if side is not None:
                found[block] = side
        return found


def _has_ticks(pool: Pool) -> bool:
    return pool.protocol is not Protocol.V2


def _looks_back(rules: ExitRules) -> bool:
    return bool(rules.volume_stall_blocks or rules.price_stall_blocks)


__all__ = ["Tape", "Track"]
