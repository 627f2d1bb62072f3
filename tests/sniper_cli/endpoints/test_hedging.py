"""A second attempt while the first is late: who wins, who is cancelled, whose failure counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sniper_cli.endpoints.hedging import hedged
from tests.conftest import PATIENCE


class Attempts:
    """Attempts that end when they are told to."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[str]] = []
        self.cancelled: list[int] = []

    def start(self) -> Coroutine[Any, Any, str]:
        number = len(self.answers)
        self.answers.append(asyncio.get_running_loop().create_future())

        async def wait() -> str:
            try:
                return await self.answers[number]
            except asyncio.CancelledError:
                self.cancelled.append(number)
                raise

        return wait()


@pytest.fixture
def attempts() -> Attempts:
    return Attempts()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a state of the code under test, which sets no event
            await asyncio.sleep(0)


async def test_in_time_there_is_no_second_attempt(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=60))
    attempts.answers[0].set_result("first")

    assert await task == "first"
    assert len(attempts.answers) == 1


async def test_late_the_second_wins_and_the_first_is_cancelled(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0))
    await until(lambda: len(attempts.answers) == 2)
    attempts.answers[1].set_result("second")

    assert await task == "second"
    assert attempts.cancelled == [0]


async def test_the_first_may_still_win_and_the_second_is_cancelled(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0))
    await until(lambda: len(attempts.answers) == 2)
    await asyncio.sleep(0)
    attempts.answers[0].set_result("first")

    assert await task == "first"
    assert attempts.cancelled == [1]


async def test_where_one_fails_the_other_is_waited_for(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0))
    await until(lambda: len(attempts.answers) == 2)
    attempts.answers[0].set_exception(OSError("gone"))
    await asyncio.sleep(0)
    assert not task.done()
    attempts.answers[1].set_result("second")

    assert await task == "second"


async def test_where_both_fail_the_first_failure_is_told(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0))
    await until(lambda: len(attempts.answers) == 2)
    attempts.answers[1].set_exception(OSError("second"))
    attempts.answers[0].set_exception(OSError("first"))

    with pytest.raises(OSError, match="first"):
        await task


async def test_an_error_that_is_an_answer_is_not_waited_out(attempts: Attempts) -> None:
    settles = lambda error: isinstance(error, ValueError)  # noqa: E731 - a predicate
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0, settles=settles))
    await until(lambda: len(attempts.answers) == 2)
    attempts.answers[1].set_exception(ValueError("it reverts"))

    with pytest.raises(ValueError, match="reverts"):
        await task
    assert attempts.cancelled == [0]


async def test_without_anybody_else_the_first_is_waited_for(attempts: Attempts) -> None:
    asked = []
    task = asyncio.create_task(hedged(attempts.start(), lambda: asked.append(1), after=0))
    await until(lambda: bool(asked))
    attempts.answers[0].set_result("first")

    assert await task == "first"
    assert asked == [1]


async def test_cancelled_from_outside_both_are_cancelled(attempts: Attempts) -> None:
    task = asyncio.create_task(hedged(attempts.start(), attempts.start, after=0))
    await until(lambda: len(attempts.answers) == 2)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(attempts.cancelled) == [0, 1]
