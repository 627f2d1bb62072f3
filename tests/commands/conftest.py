"""The command line inside the test's own process: a tenth of the time of a process of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sniper_cli import entry


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


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
