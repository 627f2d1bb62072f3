"""Which process this is, told so that another one can see whether it still runs.

A pid alone says little: it is given out again, and two machines of one name, or two containers of one machine, have
the same ones. So a process is its machine (this boot of this kernel, this space of pids), its pid, and when it began.
What cannot be told (another machine, a /proc that hides) counts as alive.
"""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from uuid import getnode

UNKNOWN = "?"
"""In place of a start that could not be read."""

PS_SECONDS = 2.0


class Alive(StrEnum):
    """What can be told from here about a process."""

    YES = "yes"
    NO = "no"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Process:
    """A process, anywhere. `started` is as its kernel counts."""

    host: str
    machine: str
    pid: int
    started: str

    @property
    def alive(self) -> Alive:
        """Whether it still runs, if it is one of this machine."""
        if self.machine != machine():
            return Alive.ELSEWHERE
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return Alive.NO
        except PermissionError:
            pass  # another user's; it runs
        now = start_of(self.pid)
        return Alive.YES if UNKNOWN in (now, self.started) or now == self.started else Alive.NO


def this_process() -> Process:
    """The process that asks."""
    return Process(socket.gethostname(), machine(), os.getpid(), start_of(os.getpid()))


@cache
def machine() -> str:
    """Names this boot of this kernel and this space of pids; without /proc, the machine's name and network address."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return f"{socket.gethostname()}/{getnode():012x}"
    return f"{boot}/{space}"


def start_of(pid: int) -> str:
    """When a process began; empty for one that has ended and was not collected by its parent, `?` if it is hidden."""
    if not Path("/proc/self/stat").exists():
        return _start_by_ps(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _start_by_ps(pid: int) -> str:
    """The same where there is no /proc (macOS): to the second, in one language."""
    try:
        done = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PS_SECONDS,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    state, _, began = done.stdout.strip().partition(" ")
    if not state:
        return UNKNOWN
    return "" if state.startswith("Z") else began.strip()
