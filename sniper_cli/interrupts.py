"""Ctrl-C and SIGTERM for what runs long: the first asks it to end in order, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How it ended: what it returned (None if it was cut off) and the first signal that came, if any."""

    result: T | None
    signal: signal.Signals | None


async def interruptible(work: Coroutine[Any, Any, T], stop: Callable[[], bool]) -> Ended[T]:
    """Run `work`. `stop` asks it to end in order; it says False where there is nothing to put in order yet."""
    task = asyncio.ensure_future(work)
    first: signal.Signals | None = None

    def interrupt(number: signal.Signals) -> None:
        nonlocal first
        if first is not None or not stop():
            task.cancel()
        first = first or number

    loop = asyncio.get_running_loop()
    watched = (signal.SIGINT, signal.SIGTERM)
    for number in watched:
        loop.add_signal_handler(number, interrupt, number)
    try:
        return Ended(await task, first)
    except asyncio.CancelledError:
        if first is None:
            raise
        return Ended(None, first)
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
