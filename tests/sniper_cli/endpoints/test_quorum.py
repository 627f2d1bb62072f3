"""k of n: when an answer counts, and what is told when none does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.endpoints.quorum import canonical, decide
from sniper_cli.errors import NetworkError, NodesDisagree, NodeTimeout, NoQuorum


def says(value: Any) -> Coroutine[Any, Any, Any]:
    async def answer() -> Any:
        if isinstance(value, NetworkError):
            raise value
        return value

    return answer()


def ask(needed: int, **values: Any) -> Any:
    async def run() -> Any:
        return await decide({name: says(value) for name, value in values.items()}, needed)

    return asyncio.run(run())


def test_two_of_three_decide_and_the_third_is_named() -> None:
    found = ask(2, a="0x5", b="0x6", c="0x5")

    assert found.value == "0x5"
    assert found.by == ("a", "c")
    assert found.dissent == {"b": "0x6"}


def test_a_silent_node_is_no_vote_against() -> None:
    found = ask(2, a="0x5", b=NodeTimeout("b is frozen"), c="0x5")

    assert (found.value, found.dissent) == ("0x5", {"b": "b is frozen"})


def test_disagreement_names_who_said_what() -> None:
    with pytest.raises(NodesDisagree) as raised:
        ask(2, a="0x5", b="0x6", c=NodeTimeout("c is frozen"))

    assert raised.value.details["said"] == {"a": "0x5", "b": "0x6"}
    assert raised.value.details["silent"] == {"c": "c is frozen"}
    assert "a: 0x5; b: 0x6; c: c is frozen" in raised.value.message


def test_one_voice_of_two_needed_is_no_quorum() -> None:
    with pytest.raises(NoQuorum) as raised:
        ask(2, a="0x5", b=NodeTimeout("b is frozen"))

    assert raised.value.details["said"] == {"a": "0x5"}


def test_the_slow_are_not_waited_for_and_are_cancelled() -> None:
    cancelled = []

    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("slow")
            raise
        return "never"

    async def run() -> Any:
        return await decide({"a": says("x"), "slow": slow(), "b": says("x")}, 2)

    assert asyncio.run(run()).value == "x"
    assert cancelled == ["slow"]


def test_the_spelling_does_not_matter() -> None:
    assert canonical({"a": "0xAB", "b": 1}) == canonical({"b": 1, "a": "0xab"})
    assert canonical(None) != canonical("0x")


@given(st.lists(st.sampled_from(["x", "y", None]), min_size=1, max_size=6), st.integers(1, 4))
def test_decided_is_what_enough_said_and_nothing_else(said: list[str | None], needed: int) -> None:
    votes = Counter(value for value in said if value is not None)
    values = {
        f"n{place}": NodeTimeout("silent") if value is None else value for place, value in enumerate(said)
    }
    if max(votes.values(), default=0) >= needed:
        found = ask(needed, **values)
        assert votes[found.value] >= needed
        assert len(found.by) == needed
    else:
        with pytest.raises(NodesDisagree if len(votes) > 1 else NoQuorum):
            ask(needed, **values)
