"""The newest block, and a way to wait for the next one: what paces every part of a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head


class Heads:
    """Holds the latest head; slow readers miss the ones between, never the newest."""

    def __init__(self) -> None:
        self._latest: Head | None = None
        self._changed = asyncio.Event()
        self._stale = False

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
