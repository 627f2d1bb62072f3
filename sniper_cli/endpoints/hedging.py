"""A second attempt while the first is overdue; the first answer wins, the other attempt is cancelled.

From "The Tail at Scale" (Dean and Barroso, CACM 2013): a hedge sent after the 95th percentile costs a twentieth more
calls and takes the slow twentieth off. Only for reads: both attempts may reach their endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def hedged(
    first: Coroutine[Any, Any, T],
    second: Callable[[], Coroutine[Any, Any, T] | None],
    *,
    after: float,
    settles: Callable[[BaseException], bool] = lambda _: False,
) -> T:
    """The answer of whichever attempt succeeds first, or fails with an error that `settles` the question.

    `second` is asked once for another attempt when the first has not answered after so many seconds; none: wait on. A
    first attempt that fails before that fails here: what to do then is the caller's to decide. When both fail, the
    failure of the first is raised.
    """
    running: list[asyncio.Task[T]] = [asyncio.ensure_future(first)]
    try:
        done, _ = await asyncio.wait(running, timeout=after)
        if done:
            return running[0].result()
        other = second()
        if other is None:
            return await running[0]
        running.append(asyncio.ensure_future(other))
        waiting = set(running)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for attempt in running:
                if attempt in done and not attempt.cancelled():
                    error = attempt.exception()
                    if error is None or settles(error):
                        return attempt.result()
        return running[0].result()
    finally:
        for attempt in running:
            if not attempt.done():
                attempt.cancel()
        if any(not attempt.done() for attempt in running):
            await asyncio.gather(*running, return_exceptions=True)
        for attempt in running:
            if attempt.done() and not attempt.cancelled():
                attempt.exception()  # seen: the loser's failure is not worth a warning
