"""What a keystroke costs before Sniper does anything: the process, its imports, its help.

Read the figures as multiples of the bare interpreter, which is measured beside them in the same run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15

PLACED = "sniper order place (paper, filled and booked)"


def measure() -> dict[str, str]:
    """Median wall time of whole processes, taken in turn so that the machine's drift meets all alike."""
    sniper = str(Path(sys.executable).with_name("sniper"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "sniper --version": [sniper, "--version"],
        "sniper --help": [sniper, "--help"],
        "sniper order --help": [sniper, "order", "--help"],
        "sniper help exit-codes": [sniper, "help", "exit-codes"],
        PLACED: [sniper, "order", "place", "buy", "BTC/USDT", "--budget", "20", "--yes", "--json"],
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="sniper-bench-") as home:
        _wall([sniper, "init"], home)
        for _ in range(RUNS):
            for name, argv in commands.items():
                walls[name].append(_wall(argv, home))
    return {name: _spread(times) for name, times in walls.items()}


def _wall(argv: list[str], home: str) -> float:
    environment = {**os.environ, "NO_COLOR": "1", "SNIPER_HOME": home}
    begun = time.perf_counter()
    subprocess.run(argv, capture_output=True, check=True, env=environment)
    return (time.perf_counter() - begun) * 1000


def _spread(times: list[float]) -> str:
    return (
        f"median {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f}, {len(times)} runs)"
    )
