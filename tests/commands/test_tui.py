"""`sniper tui` opens a screen where there is a terminal, and says what to do where there is none."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ
from typing import Any

import pytest

from tests.conftest import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sniper(sniper_inside: Callable[..., Any]) -> Callable[..., Any]:
    """In this process; the screen itself gets a process and a terminal."""
    return sniper_inside


def test_without_a_terminal_it_ends_at_once_with_a_hint(sniper: Callable[..., Any]):
    assert sniper("init").code == 0
    ran = sniper("tui")

    assert ran.code == 2
    assert ran.stdout == ""
    assert "needs a terminal" in ran.stderr
    assert "hint: sniper snipe launches --json" in ran.stderr


def test_an_unknown_panel_is_a_usage_error_that_names_the_panels(sniper: Callable[..., Any]):
    ran = sniper("tui", "--screen", "moon")

    assert ran.code == 2
    assert "launches" in ran.stderr


def test_in_a_terminal_it_draws_the_profile_and_q_leaves_it_clean(home: Path, sniper: Callable[..., Any]):
    assert sniper("init").code == 0
    terminal, process = open_in_terminal(home)
    shown = read_until(terminal, "PAPER", "no position", "Quit")
    os.write(terminal, b"q")
    shown += read_until(terminal, "\x1b[?1049l")
    code = process.wait(PATIENCE)
    os.close(terminal)

    assert "PAPER" in shown
    assert "\x1b[?1049l" in shown, "the terminal's own screen is given back"
    assert code == 0


def test_a_terminal_that_is_closed_leaves_no_process_behind(home: Path, sniper: Callable[..., Any]):
    assert sniper("init").code == 0
    terminal, process = open_in_terminal(home)
    read_until(terminal, "PAPER", "Quit")
    os.close(terminal)

    assert process.wait(PATIENCE) is not None


def open_in_terminal(home: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """`sniper tui` in a terminal of its own; the terminal's other end, and the process."""
    main, side = pty.openpty()
    ioctl(side, TIOCSWINSZ, pack("HHHH", 30, 110, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "sniper_cli", "tui", "--screen", "positions"],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(side)
    return main, process


def read_until(descriptor: int, *words: str) -> str:
    """What a terminal program writes, until all these words have come or nobody would wait any longer."""
    deadline, text = time.monotonic() + PATIENCE, ""
    while not all(word in text for word in words) and time.monotonic() < deadline:
        ready, _, _ = select.select([descriptor], [], [], 0.2)
        if ready:
            try:
                text += os.read(descriptor, 65536).decode(errors="replace")
            except OSError:  # Linux: the other end is closed
                break
    return text
