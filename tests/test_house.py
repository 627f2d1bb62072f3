"""The house is in order: ruff, mypy, the layers, and what the wheel puts into site-packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {"sniper_cli", "commands", "tui", "state"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command",
    [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    ],
    ids=["ruff check", "ruff format", "mypy", "import-linter"],
)
def test_the_tools_are_content(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built by the backend itself."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_puts_four_names_into_site_packages(wheel: zipfile.ZipFile) -> None:
    names = {name.split("/")[0] for name in wheel.namelist()}

    assert {name for name in names if not name.endswith(".dist-info")} == TOP_LEVEL


@pytest.mark.parametrize(
    "file",
    [
        *(f"{name}/py.typed" for name in sorted(TOP_LEVEL)),
        "state/migrations/env.py",
        "state/migrations/script.py.mako",
        "state/migrations/versions/0001_first_schema.py",
        "sniper_cli/demo/tokens.json",
    ],
)
def test_the_wheel_carries_what_the_program_reads(wheel: zipfile.ZipFile, file: str) -> None:
    assert file in wheel.namelist()


def test_the_wheel_has_one_command(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert wheel.read(entry_points).decode().split() == [
        "[console_scripts]",
        "sniper",
        "=",
        "sniper_cli.entry:run",
    ]
