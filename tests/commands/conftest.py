"""The command line inside the test's own process: a tenth of the time of a process of its own."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sniper_cli import entry

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def sniper_inside(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run the command line through its door, with streams that are no terminals."""

    def run(*argv: str, stdin: str = "", env: dict[str, str] | None = None, timeout: float = 0) -> Ran:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            # The door sets these for a pipe; this test's process forgets them afterwards.
            for name in ("TYPER_USE_RICH", "_TYPER_FORCE_DISABLE_TERMINAL"):
                patch.setenv(name, "1")
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            code = entry.main(argv)
        return Ran(code, _text(out), _text(err))

    return run


@pytest.fixture(scope="session")
def set_up_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `sniper init` leaves it, made once; not for use but for copies."""
    folder = tmp_path_factory.mktemp("set-up") / "home"
    subprocess.run(
        [sys.executable, "-m", "sniper_cli", "init", "-p", "paper"],
        env={**os.environ, "SNIPER_HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture
def sniper_set_up(sniper_inside: Callable[..., Ran], home: Path, set_up_home: Path) -> Callable[..., Ran]:
    """The command line in this process, with a home that has been set up: `init` takes a third of a second."""
    shutil.copytree(set_up_home, home)
    return sniper_inside


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
