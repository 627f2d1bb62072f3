"""What several independent endpoints say alike. Where money is decided, one node's word is not enough.

An answer counts when `needed` endpoints give it; the rest may be dead, late or wrong. Where so many do not agree,
nothing is decided, and the error names who said what.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sniper_cli.errors import NetworkError, NodesDisagree, NoQuorum

T = TypeVar("T")
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """The answer, who gave it, and who said otherwise (or nothing)."""

    value: T
    by: tuple[str, ...]
    dissent: Mapping[str, str]


def canonical(value: Any) -> str:
    """The same text for equal answers: hexadecimal letters in lower case, keys in order."""
    return json.dumps(value, sort_keys=True, default=str).lower()


async def decide(
    questions: Mapping[str, Coroutine[Any, Any, T]],
    needed: int,
    *,
    key: Callable[[T], str] = canonical,
) -> Decided[T]:
    """Ask all at once, and return as soon as `needed` have answered alike; the rest are cancelled.

    Raises NodesDisagree where those who answered cannot be brought together, NoQuorum where too few answered.
    """
    tasks = {asyncio.ensure_future(question): name for name, question in questions.items()}
    said: dict[str, T] = {}
    silent: dict[str, str] = {}
    votes: dict[str, list[str]] = {}
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task, name in tasks.items():
                if task not in done:
                    continue
                try:
                    said[name] = task.result()
                except NetworkError as error:
                    silent[name] = error.message
                else:
                    votes.setdefault(key(said[name]), []).append(name)
            for alike in votes.values():
                if len(alike) >= needed:
                    others = {who: _short(what) for who, what in said.items() if who not in alike}
                    return Decided(said[alike[0]], tuple(alike[:needed]), others | silent)
    finally:
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.gather(*waiting, return_exceptions=True)
    raise _undecided(said, silent, votes, needed)


def _undecided(
    said: Mapping[str, Any], silent: Mapping[str, str], votes: Mapping[str, Sequence[str]], needed: int
) -> NetworkError:
    told = {who: _short(what) for who, what in said.items()}
    words = "; ".join(f"{who}: {what}" for who, what in {**told, **silent}.items())
    if len(votes) > 1:
        return NodesDisagree(
            f"{needed} equal answers are needed, and the nodes disagree: {words}",
            hint="sniper endpoints list",
            said=told,
            silent=dict(silent),
        )
    return NoQuorum(
        f"{needed} equal answers are needed, {len(said)} came: {words or 'nobody was asked'}",
        hint="sniper endpoints check",
        said=told,
        silent=dict(silent),
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
