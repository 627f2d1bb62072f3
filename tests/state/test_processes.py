"""Whether a process still runs, told from its machine, its pid and when it began."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from state import processes
from state.processes import Alive, Process, start_of, this_process


def test_this_process_is_alive() -> None:
    assert this_process().pid == os.getpid()
    assert this_process().alive is Alive.YES


def test_one_that_ended_is_not_though_nobody_has_collected_it_yet() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = replace(this_process(), pid=child.pid, started=start_of(child.pid))
    assert found.alive is Alive.YES

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert found.alive is Alive.NO
    child.communicate()
    assert found.alive is Alive.NO


def test_a_pid_given_out_again_is_another_process() -> None:
    assert replace(this_process(), started="12").alive is Alive.NO


def test_a_pid_beyond_what_the_kernel_counts_is_none() -> None:
    assert replace(this_process(), pid=2**70).alive is Alive.NO


@pytest.mark.parametrize("machine", ["another-boot/pid:[4026531836]", ""])
def test_what_runs_elsewhere_cannot_be_told(machine: str) -> None:
    assert replace(this_process(), machine=machine).alive is Alive.ELSEWHERE


def test_an_unreadable_start_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "start_of", lambda _: processes.UNKNOWN)

    assert replace(this_process(), started="12").alive is Alive.YES


@pytest.mark.skipif(not Path("/bin/ps").exists() and not Path("/usr/bin/ps").exists(), reason="no ps")
def test_without_proc_the_start_is_asked_of_ps() -> None:
    mine = processes._start_by_ps(os.getpid())

    assert mine not in ("", processes.UNKNOWN)
    assert processes._start_by_ps(os.getpid()) == mine
    assert processes._start_by_ps(2**22 + 1) == processes.UNKNOWN


def test_two_processes_of_one_machine_name_it_alike() -> None:
    script = "from state.processes import machine; print(machine())"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )

    assert done.stdout.strip() == Process("", this_process().machine, 1, "").machine
