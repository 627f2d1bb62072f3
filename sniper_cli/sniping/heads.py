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

    @property
    def latest(self) -> Head | None:
        return self._latest

    def push(self, head: Head) -> None:
        """Make a head the newest, also a lower one after a reorganisation, and wake whoever waits."""
        self._latest = head
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, known: Head | None) -> Head:
        """The newest head that is not `known`."""
        while self._latest is None or (known is not None and self._latest.hash == known.hash):
            await self._changed.wait()
        return self._latest
