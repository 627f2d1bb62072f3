"""Completion answers from the table of groups and the local database, without Typer where it can."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli import completion

ROOT = Path(__file__).parents[2]
Run = Callable[..., Any]


def complete(line: str, shell: str = "bash", **extra: str) -> list[str]:
    words = line.split(" ")
    environment = {
        **os.environ,
        "_SNIPER_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        **extra,
    }
    done = subprocess.run(
        [sys.executable, "-m", "sniper_cli"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    return done.stdout.split("\n")[:-1]


def test_a_group_is_completed(home: Path) -> None:
    assert complete("sniper de") == ["demo", "devnet"]


def test_a_command_is_completed(home: Path) -> None:
    assert "validate" in complete("sniper config va")


def test_a_profile_is_completed_anywhere(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[profile.pinewood]\n")

    assert complete("sniper -p p") == ["paper", "pinewood"]
    assert complete("sniper config show -p dev") == ["devnet"]
    assert complete("sniper profile use pi") == ["pinewood"]


def test_a_setting_is_completed(home: Path) -> None:
    assert complete("sniper config get sniping.amo") == ["sniping.amount"]


def test_zsh_and_fish_get_the_words_of_the_group(home: Path) -> None:
    assert '"doctor":"Check everything' in complete("sniper doc", "zsh")[0]
    assert complete("sniper doc", "fish", _TYPER_COMPLETE_FISH_ACTION="get-args")[0].startswith("doctor\t")


def test_a_group_is_completed_without_typer(home: Path) -> None:
    script = "import sys; from sniper_cli.entry import main; main([]); sys.exit('typer' in sys.modules)"
    environment = {
        **os.environ,
        "_SNIPER_COMPLETE": "complete_bash",
        "COMP_WORDS": "sniper o",
        "COMP_CWORD": "1",
    }

    assert (
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=False).returncode == 0
    )


@pytest.mark.parametrize("table", ["order", "position", "launch"])
def test_without_a_database_nothing_is_offered(home: Path, table: str) -> None:
    assert completion.ids_starting(table, "") == []


def test_ids_and_symbols_come_from_the_database(sniper_inside: Run) -> None:
    sniper_inside("init")

    assert completion.instruments_starting("BTC") == ["BTC/USDT"]
    assert completion.ids_starting("order", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_shown(sniper: Run, shell: str) -> None:
    done = sniper(
        "--show-completion",
        env={"SHELL": f"/bin/{shell}", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )

    assert "sniper" in done.stdout + done.stderr
