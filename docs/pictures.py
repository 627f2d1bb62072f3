"""The pictures of the README and the guides, drawn by the program itself from the scene, into `docs/images`.

`make docs` runs it. The same scene, a clock that stands still and no animation: the same picture every time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from docs import scene
from docs.scene_acts import NOW, SETTINGS

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.settings.model import Settings

IMAGES = Path(__file__).parent / "images"
FONT = "DejaVu Sans Mono"
SCENE = "scene.db"
BLOCKS = 24
"""How many blocks of marks are played before the picture, for the trends."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: the keys that lead to it, the terminal's size, the theme."""

    name: str
    keys: Sequence[str] = ()
    size: tuple[int, int] = (120, 36)
    theme: str = "sniper-dark"
    tripped: bool = False
    raster: bool = False
    """Also as PNG, for places that show no SVG."""


PICTURES = (
    Picture("dashboard", raster=True),
    Picture("dashboard-light", theme="sniper-light"),
    Picture("dashboard-80x24", size=(80, 24)),
    Picture("dashboard-kill-switch", tripped=True, theme="sniper-blue-orange"),
    Picture("launch-honeypot", raster=True, keys=("slash", *"froge", "enter", "enter")),
    Picture("launch-bought", keys=("slash", *"ember", "enter", "enter")),
    Picture("position", keys=("2", *["down"] * 4, "enter")),
    Picture("order", keys=("3", "enter")),
    Picture("market", keys=("m", "4")),
    Picture("close-position", keys=("2", "down", "x")),
    Picture("help", keys=("question_mark",)),
)


def make_pictures() -> list[Path]:
    """Draw every picture; the files written."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    written = []
    for picture in PICTURES:
        svg = asyncio.run(draw(picture))
        target = IMAGES / f"{picture.name}.svg"
        target.write_text(svg, encoding="utf-8")
        written.append(target)
        if picture.raster:
            target.with_suffix(".png").write_bytes(raster(svg))
            written.append(target.with_suffix(".png"))
    return written


async def draw(picture: Picture) -> str:
    """One picture as SVG."""
    from tui.app import SniperApp

    with TemporaryDirectory() as folder, open_scene(Path(folder), tripped=picture.tripped) as context:
        app = SniperApp(context, clock=lambda: NOW, poll_seconds=0)
        app.theme, app.animation_level = picture.theme, "none"
        async with app.run_test(size=picture.size) as pilot:
            for step in range(1 - BLOCKS, 1):
                scene.advance(context.database, step)
                await app.read_state()
            for key in picture.keys:
                await pilot.press(key)
                await app.workers.wait_for_complete()
            await pilot.pause()
            svg = app.export_screenshot(title="sniper")
    return same_ids(svg)


def same_ids(svg: str) -> str:
    """Rich names an SVG's parts by a checksum over its content and the process's ids; one name for all pictures."""
    return re.sub(r"terminal-\d+", "terminal-0", svg)


def raster(svg: str, zoom: float = 1.0) -> bytes:
    """An SVG as PNG, without a browser; the web font is replaced by one that is there."""
    import resvg_py

    plain = re.sub(r"@font-face\s*{.*?}", "", svg, flags=re.DOTALL).replace("Fira Code", FONT)
    return bytes(resvg_py.svg_to_bytes(svg_string=plain, zoom=zoom, monospace_family=FONT))


def open_scene(folder: Path, *, tripped: bool = False, settings: Settings = SETTINGS) -> Context:
    """A context over a database that holds the scene, staged where there is none yet."""
    from sniper_cli.context import Context
    from sniper_cli.settings.loading import Resolved
    from sniper_cli.settings.paths import home_paths
    from state.database import Database
    from state.schema import upgrade

    file = folder / SCENE
    staged = file.exists()
    database = Database(f"sqlite:///{file}")
    if not staged:
        upgrade(database)
        scene.stage(database, tripped=tripped)
        scene.advance(database, -BLOCKS)
    return Context(Resolved("demo", settings, {}), home_paths(), database, "user:ada")


if __name__ == "__main__":
    make_pictures()
