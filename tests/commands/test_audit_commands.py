"""The journal from outside: read, verified after tampering, and checked by somebody who has only sha256."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def sniper(sniper_inside: Run) -> Run:
    """In this process: these tests ask what a command does, not how its process ends."""
    return sniper_inside


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves a copy of its home for the others."""
    return tmp_path_factory.mktemp("acts") / "home"


@pytest.fixture
def acts(sniper: Run, home: Path, kept: Path) -> Path:
    """A home with five records; its database file."""
    if kept.exists():
        shutil.copytree(kept, home)
    else:
        sniper("init", "-p", "devnet")
        for amount in ("0.01", "0.02", "0.03", "0.04"):
            sniper("config", "set", "sniping.amount", amount)
        shutil.copytree(home, kept)
    return home / "data" / "sniper.db"


def tamper(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)


def test_a_whole_journal_is_exit_0(sniper: Run, acts: Path) -> None:
    done = sniper("audit", "verify", "--json")

    assert (done.code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["whole"], found["records"], found["breaks"]) == (True, 5, [])


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE journal SET body = replace(body, '0.02', '0.03') WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 3", 4),
        ("DELETE FROM journal WHERE seq = 5", 5),
        ("UPDATE journal_head SET seq = 4", 5),
    ],
)
def test_a_broken_journal_is_exit_1_and_names_the_position(
    sniper: Run, acts: Path, statement: str, seq: int
) -> None:
    tamper(acts, statement)
    done = sniper("audit", "verify", "--json")

    assert done.code == 1
    assert [item["seq"] for item in json.loads(done.stdout)["breaks"]] == [seq]
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "journal_broken"
    assert f"broken at {seq}" in error["message"]


def test_a_head_kept_elsewhere_holds_while_the_journal_grows(sniper: Run, acts: Path) -> None:
    head = json.loads(sniper("audit", "head", "--json").stdout)["head"]
    sniper("config", "set", "sniping.amount", "0.05")

    assert sniper("audit", "verify", "--head", head).code == 0


def test_a_rewritten_journal_is_found_by_a_head_kept_elsewhere(sniper: Run, acts: Path) -> None:
    head = json.loads(sniper("audit", "head", "--json").stdout)["head"]
    with sqlite3.connect(acts) as connection:
        connection.execute("DELETE FROM journal WHERE seq = 5")
        seq, digits = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        connection.execute("UPDATE journal_head SET seq = ?, hash = ?", (seq, digits))

    assert sniper("audit", "verify").code == 0
    assert sniper("audit", "verify", "--head", head).code == 1


def test_what_is_no_head_is_exit_2(sniper: Run, acts: Path) -> None:
    assert sniper("audit", "verify", "--head", "abc").code == 2


def test_an_outsider_verifies_the_export_with_sha256(sniper: Run, acts: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    sniper("audit", "export", str(file))
    previous = "0" * 64
    lines = file.read_text().splitlines()
    for line in lines:
        record = json.loads(line)
        assert record["previous_hash"] == previous
        assert hashlib.sha256((previous + record["body"]).encode()).hexdigest() == record["hash"]
        previous = record["hash"]

    assert len(lines) == 5
    assert previous == json.loads(sniper("audit", "head", "--json").stdout)["head"]
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert sniper("audit", "export").stdout == file.read_text()
    assert len(sniper("audit", "export", "--after", "3").stdout.splitlines()) == 2


def test_the_tail_is_the_latest_and_says_what_it_left_out(sniper: Run, acts: Path) -> None:
    done = sniper("audit", "tail", "--limit", "2", "--json")

    assert [row["seq"] for row in json.loads(done.stdout)] == [4, 5]
    assert "only the last 2 shown" in done.stderr


def test_paging_goes_on_after_a_position(sniper: Run, acts: Path) -> None:
    done = sniper("audit", "tail", "--limit", "2", "--after", "1", "-o", "jsonl", "--fields", "seq")

    assert done.stdout == '{"seq":2}\n{"seq":3}\n'
    assert "--after 3" in done.stderr
    assert len(json.loads(sniper("audit", "tail", "--all", "--json").stdout)) == 5


def test_an_empty_list_is_exit_0(sniper: Run, acts: Path) -> None:
    done = sniper("audit", "tail", "--kind", "nothing", "--json")

    assert (done.code, done.stdout) == (0, "[]\n")


@pytest.mark.parametrize(("since", "count"), [("1h", 5), ("now-1d", 5), ("2999-01-01", 0)])
def test_since_takes_the_later_ones(sniper: Run, acts: Path, since: str, count: int) -> None:
    assert len(json.loads(sniper("audit", "tail", "--since", since, "--json").stdout)) == count


def test_what_is_no_time_is_exit_2(sniper: Run, acts: Path) -> None:
    assert sniper("audit", "tail", "--since", "yesterdayish").code == 2


@pytest.mark.parametrize("fmt", ["table", "json", "jsonl", "csv", "yaml"])
def test_every_format_tells_the_same(sniper: Run, acts: Path, fmt: str) -> None:
    done = sniper("audit", "tail", "-o", fmt)

    assert done.code == 0
    assert done.stdout.count("config.changed") == 4
