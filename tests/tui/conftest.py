"""A dashboard over the scene: fixed rows, a clock that stands still, no polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from docs.pictures import open_scene
from docs.scene import advance
from docs.scene_acts import NOW
from sniper_cli.context import Context
from tests.conftest import PATIENCE
from tui.app import SniperApp


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Wait until the screen, or what stands behind it, is so."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause(0.02)


@pytest.fixture
def evening(home: Path, tmp_path: Path) -> Iterator[Context]:
    """The scene's database, at its last moment."""
    del home
    with open_scene(tmp_path) as context:
        advance(context.database, 0)
        yield context


@pytest.fixture
def app_at(evening: Context) -> Callable[[str], SniperApp]:
    """An app that begins in a panel, and on whose screen nothing moves by itself."""

    def build(panel: str) -> SniperApp:
        app = SniperApp(evening, panel=panel, clock=lambda: NOW, poll_seconds=0)
        app.animation_level = "none"
        return app

    return build


@pytest.fixture
def app(app_at: Callable[[str], SniperApp]) -> SniperApp:
    return app_at("launches")
