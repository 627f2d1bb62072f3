"""The newest block, and a way to wait for the next one: what paces every part of a run."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head

BEHIND_SECONDS = 0.005
"""A block's logs arrive right behind its head."""
HURRY_SECONDS = 0.15
"""How long the work of a block lets launches go first: settling and marking take 20 ms of the one thread."""


class Heads:
    """Holds the latest head; slow readers miss the ones between, never the newest."""

    def __init__(self) -> None:
        self._latest: Head | None = None
        self._changed = asyncio.Event()
        self._stale = False
        self._hot: set[UUID] = set()
        self._cool = asyncio.Event()
        self._cool.set()

    @property
    def latest(self) -> Head | None:
        return self._latest

    def push(self, head: Head) -> None:
        """Make a head the newest, also a lower one after a reorganisation, and wake whoever waits."""
        self._latest = head
        self._wake()

    def look_again(self, since: Head | None) -> None:
        """What was sent while `since` was the newest head may be in the present one already: work it once more."""
        if since is not self._latest:
            self._stale = True
            self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, known: Head | None) -> Head:
        """The newest head that is not `known`."""
        while self._latest is None or (known is not None and self._latest.hash == known.hash):
            await self._changed.wait()
        return self._latest

    async def turn(self, known: Head | None) -> Head:
        """As `after`, for the one who works through the blocks: the same head again if asked to look again."""
        while not self._stale and (
            self._latest is None or (known is not None and self._latest.hash == known.hash)
        ):
            await self._changed.wait()
        self._stale = False
        assert self._latest is not None
        return self._latest

    def heat(self, launch_id: UUID) -> None:
        """A launch is being judged or bought: the work of the block waits a moment for it."""
        self._hot.add(launch_id)
        self._cool.clear()

    def cool(self, launch_id: UUID) -> None:
        """It is not in a hurry any more."""
        self._hot.discard(launch_id)
        if not self._hot:
            self._cool.set()

    @property
    def is_hot(self) -> bool:
        """A launch is being judged or bought right now."""
        return bool(self._hot)

    async def calm(self) -> None:
        """Wait until no launch is in a hurry, but not long: exits have until the next block, too."""
        await asyncio.sleep(BEHIND_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRY_SECONDS):
                await self._cool.wait()
