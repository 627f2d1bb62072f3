"""Exit codes, errors, pipes, colours, odd terminals: what a script relies on."""

from __future__ import annotations

import errno
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli import entry, errors, reporting
from sniper_cli.errors import SniperError
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[2]
Run = Callable[..., Any]

EXITS = {
    "SniperError": 1, "StateError": 3, "DatabaseUnavailable": 3, "SchemaMissing": 3, "SchemaOlder": 3, "SchemaNewer": 3,
    "DatabaseBusy": 9, "LeaseLost": 9, "RowNotFound": 7, "IllegalTransition": 1, "UsageProblem": 2,
    "ConfirmationNeeded": 2, "ConfigurationError": 3, "UnknownProfile": 3, "DevnetMissing": 3, "WrongChain": 3,
    "NotAllowed": 4, "SecretMissing": 4, "WrongPassphrase": 4, "LiveNotConfirmed": 4, "NetworkError": 5,
    "NoEndpoint": 5, "NoQuorum": 5, "NodesDisagree": 5,
    "NodeUnreachable": 5, "NodeTimeout": 5, "NodeRefused": 5, "OrderRefused": 6, "InsufficientFunds": 6,
    "KillSwitchTripped": 6, "NotFound": 7, "PartlyDone": 8, "ReconciliationFailed": 1, "BooksBroken": 1,
    "JournalBroken": 1, "DevnetBusy": 9, "CommitUnknown": 5, "ChangedMeanwhile": 9,
}  # fmt: skip


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def invoke(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(entry, "_invoke", invoke)


def test_the_table_of_exits_names_every_error() -> None:
    assert {name for name in errors.__all__ if name != "Exit"} == set(EXITS)


@pytest.mark.parametrize(("name", "status"), EXITS.items())
def test_each_error_has_its_exit_code(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, getattr(errors, name)("it went wrong", hint="sniper doctor"))

    assert entry.main(["anything"]) == status
    assert capsys.readouterr() == ("", "error: it went wrong\nhint: sniper doctor\n")


@pytest.mark.parametrize(
    "argv", [["x", "--json"], ["x", "-o", "json"], ["x", "-ojson"], ["x", "--output=jsonl"]]
)
def test_with_json_an_error_is_one_object_on_stderr(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, errors.OrderRefused("over the limit", hint="sniper risk status", limit=10**18))

    assert entry.main(argv) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": {
            "code": "order_refused",
            "message": "over the limit",
            "hint": "sniper risk status",
            "details": {"limit": "1000000000000000000"},
        }
    }


def test_a_bug_is_one_line_and_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, ZeroDivisionError("by zero"))

    assert entry.main(["x"]) == 1
    assert capsys.readouterr().err == (
        "error: unexpected ZeroDivisionError: by zero\nhint: run it again with SNIPER_DEBUG=1 for the traceback\n"
    )


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("by zero"))
    monkeypatch.setenv("SNIPER_DEBUG", "1")

    with pytest.raises(ZeroDivisionError):
        entry.main(["x"])


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raising(monkeypatch, KeyboardInterrupt())

    assert entry.main(["x"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "permission denied"),
    ],
)
def test_the_disk_is_no_bug(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, OSError(number, os.strerror(number), "/somewhere/sniper.db"))

    assert entry.main(["x"]) == 3
    assert capsys.readouterr().err == f"error: {words}: /somewhere/sniper.db\nhint: sniper doctor\n"


def test_an_error_stays_on_one_line_whatever_a_token_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    reporting.render(SniperError("token \x1b[31mred\nhint: sniper wallet export"), as_json=False)

    assert capsys.readouterr().err == "error: token �[31mred hint: sniper wallet export\n"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["-p", "a", "order", "list"], ["order", "list", "--profile", "a"]),
        (["order", "-p", "a", "list"], ["order", "list", "--profile", "a"]),
        (["order", "list", "--profile=a"], ["order", "list", "--profile=a"]),
        (["order", "-p", "a", "show", "--", "-x"], ["order", "show", "--profile", "a", "--", "-x"]),
        (["-p", "a", "order", "--help"], ["order", "--help"]),
        (["order", "list"], ["order", "list"]),
        (["order", "list", "-p"], ["order", "list", "-p"]),
    ],
)
def test_the_profile_may_stand_anywhere(typed: list[str], read: list[str]) -> None:
    assert entry.hoist_profile(typed) == read


def test_alone_it_shows_its_help(sniper: Run) -> None:
    done = sniper()

    assert done.code == 0
    assert done.stdout.startswith("Usage: sniper")
    assert done.stderr == ""


def test_a_bare_group_shows_its_help(sniper: Run) -> None:
    done = sniper("config")

    assert (done.code, done.stderr) == (0, "")
    assert "validate" in done.stdout


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["ordr"], "Did you mean 'order'?"),
        (["config", "shw"], "Did you mean 'show'?"),
        (["config", "show", "--jsn"], "--json"),
        (["config", "show", "-o", "xml"], "xml"),
        (["config", "get"], "Missing argument"),
    ],
)
def test_a_misspelling_is_exit_2_with_the_near_match(sniper_inside: Run, argv: list[str], said: str) -> None:
    done = sniper_inside(*argv)

    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert "\nhint: sniper" in done.stderr


def test_a_misspelling_with_json_is_json(sniper_inside: Run) -> None:
    done = sniper_inside("config", "shw", "--json")

    assert json.loads(done.stderr)["error"]["code"] == "usage"


def test_an_unknown_field_lists_the_fields(sniper_inside: Run) -> None:
    done = sniper_inside("profile", "list", "--json", "--fields", "name,mod")

    assert (done.code, done.stdout) == (2, "")
    error = json.loads(done.stderr)["error"]
    assert "did you mean 'mode'?" in error["message"]
    assert error["details"]["fields"][:2] == ["name", "mode"]


def test_fields_come_in_the_order_asked_for(sniper_inside: Run) -> None:
    assert (
        sniper_inside("profile", "list", "-o", "csv", "--fields", "mode,name").stdout
        == "mode,name\npaper,paper\ndevnet,devnet\n"
    )


def test_a_closed_pipe_ends_quietly(home: Path) -> None:
    script = f"{sys.executable} -m sniper_cli config schema | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, check=True, env={**os.environ}
    )

    assert done.stdout.splitlines() == ["{", "0"]
    assert "rror" not in done.stderr


def test_a_pipe_closed_before_the_first_byte_ends_quietly(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "sniper_cli", "config", "schema"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    os.close(write)

    assert done.returncode == 0
    assert "rror" not in done.stderr


@pytest.mark.parametrize("extra", [{}, {"GITHUB_ACTIONS": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize("argv", [["--help"], ["config", "show"], ["config", "--help"], ["nonsense"]])
def test_no_escape_byte_leaves_for_a_pipe(sniper: Run, argv: list[str], extra: dict[str, str]) -> None:
    done = sniper(*argv, env=extra)

    assert "\x1b" not in done.stdout + done.stderr


def in_terminal(argv: list[str], **environment: str) -> str:
    """What a command writes to a terminal of 60 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sniper_cli", *argv],
        stdout=follower,
        stderr=follower,
        stdin=follower,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "60", "TERM": "xterm-256color", **environment},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:
            break
        if not chunk:
            break
        written += chunk
    process.wait()
    os.close(leader)
    return written.decode()


def test_a_terminal_gets_colours(home: Path) -> None:
    assert "\x1b[" in in_terminal(["profile", "list"])


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_none(home: Path, variable: dict[str, str]) -> None:
    assert "\x1b" not in in_terminal(["profile", "list"], **variable)
    assert "\x1b" not in in_terminal(["--help"], **variable)


def test_a_narrow_terminal_loses_columns_not_figures(home: Path) -> None:
    lines = in_terminal(["profile", "list"], NO_COLOR="1").splitlines()

    assert all(len(line) <= 60 for line in lines)
    assert "31337" in "".join(lines)


@pytest.mark.parametrize(
    "argv", [["config", "show"], ["help", "exit-codes"], ["config", "show", "--json"], ["--help"]]
)
def test_an_ascii_terminal_does_not_crash(sniper: Run, argv: list[str]) -> None:
    done = sniper(*argv, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert done.code == 0
    assert done.stdout.isascii()


def test_without_a_terminal_and_without_yes_it_ends_at_once(sniper_inside: Run) -> None:
    sniper_inside("profile", "create", "spare")
    done = sniper_inside("profile", "delete", "spare")

    assert done.code == 2
    assert "--yes" in done.stderr
    assert "spare" in sniper_inside("profile", "list", "--json").stdout


def test_nothing_needs_the_network(home: Path) -> None:
    """Help, settings, completion and doctor --offline, with every socket forbidden."""
    script = (
        "import socket, sys\n"
        "def forbidden(*_): raise AssertionError('network')\n"
        "socket.socket.connect = forbidden\n"
        "from sniper_cli.entry import main\n"
        "for line in ('--help', 'config show', 'profile list', 'init', 'doctor --offline -p devnet'):\n"
        "    main(line.split())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert "network" not in done.stderr


def test_an_interrupt_ends_a_watching_command_with_130(sniper_inside: Run, home: Path) -> None:
    sniper_inside("init", "-p", "devnet")
    command = [sys.executable, "-m", "sniper_cli", "audit", "tail", "--watch", "30"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=PATIENCE) == 130
        assert json.loads(line)["kind"] == "schema.upgraded"
        assert process.stderr.read() == ""


def test_two_calls_may_stand_in_each_others_way_and_neither_is_lost(sniper_inside: Run, home: Path) -> None:
    sniper_inside("init", "-p", "devnet")
    keys = ("sniping.amount", "sniping.max_fee_gwei", "sniping.min_liquidity", "sniping.exits.stop_loss_pct")
    calls = [
        subprocess.Popen(
            [sys.executable, "-m", "sniper_cli", "config", "set", key, "3"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        for key in keys
    ]
    codes = [call.wait(timeout=60) for call in calls]
    written = {
        row["key"] for row in json.loads(sniper_inside("config", "show", "--changed", "--json").stdout)
    }

    assert {key for key, code in zip(keys, codes, strict=True) if code == 0} == written - {"mode"}
