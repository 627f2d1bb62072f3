"""Every ```console block in the README and the docs is run, in order, and must print what it says it prints.

One fresh home and one folder a file. In the expected text `…` stands for whatever differs from run to run: within a
line for a part of it, alone on a line for any number of lines; and in how many blocks something was bought is the
machine's affair, whatever the page says.

A line that is one `sniper` command goes through its door in this process, which saves half a second of start-up a
line; what a shell has a part in, and what starts processes or lives long, goes through a shell.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sniper_cli import entry

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = sorted(
    page
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "reference" not in page.parts and page.exists() and BLOCK.search(page.read_text(encoding="utf-8"))
)
SPEED = re.compile(r"block \+\d+")
SECONDS = 150
PLAIN = re.compile(
    r"""sniper (?!demo\b|devnet\b|snipe run\b)(?:'[^']*'|"[^"$`\\]*"|[^'"|&;<>$`*?~(){}\\])*"""
)
"""One command to whose words a shell adds nothing, of those that neither start processes nor live long."""


def steps(page: Path) -> list[tuple[int, str, str]]:
    """(line, command, expected output) of each `$ ` line in a page's console blocks."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[int, str, str]] = []
    for block in BLOCK.finditer(text):
        first = text[: block.start(1)].count("\n") + 1
        for number, line in enumerate(block[1].splitlines(), first):
            if line.startswith("$ "):
                found.append((number, line[2:], ""))
            elif found:
                at, command, output = found[-1]
                found[-1] = (at, command, output + line + "\n")
    return found


def pattern(expected: str) -> re.Pattern[str]:
    """The expected text as a regular expression in which `…` is a gap."""
    parts = []
    for line in SPEED.sub("block +…", expected).rstrip("\n").split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(piece.rstrip()) for piece in line.split("…")) + r"[ \t]*\n")
    return re.compile("".join(parts) + r"\s*")


@pytest.mark.anvil
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A short path, as a reader's home has: a longer one would be cut in tables, and the page differ.
    with tempfile.TemporaryDirectory(prefix="sniper-") as home:
        monkeypatch.chdir(tmp_path)
        follow(page, Path(home), tmp_path, monkeypatch)


def follow(page: Path, home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page's commands, in order, and hold what they print against what it says."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SNIPER_")},
        "SNIPER_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
    }
    if "SNIPER_DEVNET_DIR" in os.environ:
        environment["SNIPER_DEVNET_DIR"] = os.environ["SNIPER_DEVNET_DIR"]
    try:
        for line, command, expected in steps(page):
            if PLAIN.fullmatch(command):
                code, printed = at_the_door(command, environment, monkeypatch)
            else:
                code, printed = in_a_shell(command, environment, folder)
            where = f"{page.name}:{line}: $ {command}"
            if expected.strip():
                assert pattern(expected).fullmatch(printed + "\n"), (
                    f"{where}\nprinted\n{printed}\nnot\n{expected}"
                )
            else:
                assert code == 0, f"{where}\n{printed}"
    finally:
        subprocess.run(
            ["sniper", "devnet", "stop"],
            env=environment,
            capture_output=True,
            check=False,
            timeout=30,
        )


def at_the_door(
    command: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Run one command here: how it ended, and what it printed on both streams."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True)
    with monkeypatch.context() as patch:
        for name in os.environ:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        patch.setattr(sys, "stdout", printed)
        patch.setattr(sys, "stderr", printed)
        code = entry.main(shlex.split(command)[1:])
    printed.seek(0)
    return code, printed.read()


def in_a_shell(command: str, environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """The same in processes of its own."""
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout
