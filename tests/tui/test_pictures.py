"""How the screens look. After a change that is meant: `pytest tests/tui/test_pictures.py --snapshot-update`, and look.

Drawn by the oldest Python we support, in the versions of the lock file.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from docs.scene import trip
from sniper_cli.context import Context
from tui.app import SniperApp

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="one Python draws the snapshots")
Keys = tuple[str, ...]
SCREENS: list[tuple[str, tuple[int, int], Keys]] = [
    ("dashboard", (120, 36), ()),
    ("small-terminal", (80, 24), ()),
    ("orders-zoomed", (100, 30), ("3", "z")),
    ("launch", (120, 36), ("slash", *"froge", "enter", "enter")),
    ("launch-small", (80, 24), ("down", "down", "enter")),
    ("position", (120, 36), ("2", *["down"] * 4, "enter")),
    ("order", (120, 36), ("3", "enter")),
    ("market", (120, 36), ("m",)),
    ("market-small", (80, 24), ("m", "down", "4")),
    ("market-zoomed", (100, 30), ("m", "4", "z")),
    ("help", (80, 24), ("question_mark",)),
    ("close", (80, 24), ("2", "down", "x")),
]


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys and wait until what they started is done."""

    async def run(pilot: Pilot[Any]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    return run


@pytest.mark.parametrize(("size", "keys"), [case[1:] for case in SCREENS], ids=[case[0] for case in SCREENS])
def test_screen(snap_compare: Any, app: SniperApp, size: tuple[int, int], keys: Keys):
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize("theme", ["sniper-light", "sniper-blue-orange"])
def test_theme(snap_compare: Any, app: SniperApp, theme: str):
    app.theme = theme

    assert snap_compare(app, terminal_size=(100, 30), run_before=after())


def test_kill_switch_tripped(snap_compare: Any, app: SniperApp, evening: Context):
    with evening.database.write() as session:
        trip(session)

    assert snap_compare(app, terminal_size=(120, 36), run_before=after())


def test_without_colours(snap_compare: Any, evening: Context, monkeypatch: pytest.MonkeyPatch):
    """NO_COLOR: every state still has its sign and its word."""
    from docs.scene_acts import NOW

    monkeypatch.setenv("NO_COLOR", "1")
    app = SniperApp(evening, clock=lambda: NOW, poll_seconds=0)

    assert snap_compare(app, terminal_size=(100, 30), run_before=after())
