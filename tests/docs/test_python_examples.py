"""Every Python example of the docs is run, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPECTED = {"batch.py": "1000 resting, 1000 replayed\n"}


@pytest.mark.parametrize(
    "example", sorted((ROOT / "docs" / "examples").glob("*.py")), ids=lambda file: file.name
)
def test_an_example_prints_what_the_docs_say(example: Path, home: Path) -> None:
    environment = {**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(example)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == (EXPECTED[example.name], 0), done.stderr
