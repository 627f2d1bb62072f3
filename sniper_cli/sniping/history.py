"""History read for pools: each recorded as a launch that is never bought, and a place to go on from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sniper_cli.chains.scanning import Chunk, Scan
from sniper_cli.sniping import launches
from sniper_cli.sniping.listings import Listing, read_listing, topics_of
from state.columns import utc_now
from state.launches import ChainCursor, Decision, Source, find_launch

if TYPE_CHECKING:
    from sqlmodel import Session

    from sniper_cli.chains.exchange import Exchanges
    from sniper_cli.chains.node import Node
    from state.database import Database

CURSOR = "scan:pools"
"""The place that a resumed scan goes on from."""
NEVER_BOUGHT = "found when history was read: never bought"


@dataclass(slots=True)
class Found:
    """What a scan came upon so far."""

    first: int
    last: int
    """The last block that shall be read."""
    read_to: int
    """The last one that was."""
    pools: Counter[str] = field(default_factory=Counter)
    """By protocol, against the coin."""
    elsewhere: int = 0
    """Pools of two tokens, neither of them the coin."""
    new: int = 0

    @property
    def blocks(self) -> int:
        return self.read_to - self.first + 1

    def as_json(self) -> dict[str, Any]:
        """For a command."""
        return {
            "from_block": self.first,
            "to_block": self.read_to,
            "blocks": self.blocks,
            "pools": self.pools.total(),
            "by_protocol": dict(sorted(self.pools.items())),
            "elsewhere": self.elsewhere,
            "new": self.new,
            "complete": self.read_to == self.last,
        }


async def scan_history(
    node: Node,
    exchanges: Exchanges,
    first: int,
    last: int,
    *,
    database: Database | None = None,
    actor: str = "sniper",
    progress: Callable[[Found], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Found:
    """Read the blocks from `first` to `last`; with a database, record what they hold and how far it came.

    Ends early, in order, once `stopped` says so. Raises NetworkError.
    """
    found = Found(first, last, first - 1)
    scan = Scan(node, exchanges.factories, topics_of(exchanges))
    async for chunk in scan.chunks(first, last):
        listings = [each for log in chunk.logs if (each := read_listing(log, exchanges, 0)) is not None]
        found.pools.update(listing.protocol.value for listing in listings)
        found.elsewhere += len(chunk.logs) - len(listings)
        if database is not None:
            found.new += _keep(database, exchanges.chain_id, chunk, listings, actor)
        found.read_to = chunk.last
        progress(found)
        if stopped():
            break
    return found


def place_of(session: Session, chain_id: int) -> ChainCursor | None:
    """How far the last scan came; none if there was none."""
    return session.get(ChainCursor, (chain_id, CURSOR))


def _keep(database: Database, chain_id: int, chunk: Chunk, listings: list[Listing], actor: str) -> int:
    """Record what a chunk holds together with the place; how many launches are new."""

    def write(session: Session) -> int:
        new = 0
        for listing in listings:
            if find_launch(session, chain_id, listing.pool) is not None:
                continue
            launch, _ = launches.record_seen(session, chain_id, listing, actor=actor, source=Source.SCAN)
            launches.record_decision(session, launch.id, Decision.SKIPPED, NEVER_BOUGHT, actor=actor)
            new += 1
        place = place_of(session, chain_id) or ChainCursor(
            chain_id=chain_id, stream=CURSOR, block_number=0, block_hash=""
        )
        place.block_number, place.block_hash, place.updated_at = chunk.last, chunk.last_hash, utc_now()
        session.add(place)
        return new

    return database.transact(write)
