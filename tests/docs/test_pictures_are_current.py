"""The pictures in docs/images are what the program draws today: `make docs` makes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from docs.pictures import IMAGES, PICTURES, Picture, draw

DRAWN = [picture for picture in PICTURES if picture.name in ("dashboard", "launch-honeypot")]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="one Python draws the pictures")
@pytest.mark.parametrize("picture", DRAWN, ids=lambda picture: picture.name)
async def test_a_picture_is_what_the_program_draws(home: Path, picture: Picture):
    del home

    assert await draw(picture) == (IMAGES / f"{picture.name}.svg").read_text(encoding="utf-8")


def test_every_picture_there_is_is_one_the_program_makes():
    made = {f"{picture.name}.svg" for picture in PICTURES} | {f"{p.name}.png" for p in PICTURES if p.raster}

    assert {path.name for path in IMAGES.iterdir()} == made
