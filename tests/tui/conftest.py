"""A dashboard over the scene: fixed rows, a clock that stands still, no polling."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from docs.pictures import SCENE, open_scene
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


@pytest.fixture(scope="session")
def last_moment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene's database at its last moment, staged once; not for use but for copies."""
    folder = tmp_path_factory.mktemp("scene")
    with open_scene(folder) as context:
        advance(context.database, 0)
        with context.database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / SCENE


@pytest.fixture
def evening(home: Path, tmp_path: Path, last_moment: Path) -> Iterator[Context]:
    """The scene's database, at its last moment."""
    del home
    shutil.copy(last_moment, tmp_path)
    with open_scene(tmp_path) as context:
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
