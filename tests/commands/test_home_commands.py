"""init, db, doctor, help: from nothing to a sound home, and what is said when it is not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from state.schema import HEAD, REVISIONS

Run = Callable[..., Any]


@pytest.fixture
def sniper(sniper_inside: Run) -> Run:
    """In this process: these tests ask what a command does, not how its process ends."""
    return sniper_inside


def checks(done: Any) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_init_makes_a_private_home(sniper: Run, home: Path) -> None:
    done = sniper("init", "--json")

    assert done.code == 0
    assert {step["outcome"] for step in json.loads(done.stdout)} == {"done"}
    for path in [home, *home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_init_again_changes_nothing(sniper: Run) -> None:
    sniper("init")
    head = sniper("audit", "head", "--json").stdout
    done = sniper("init", "--json")

    assert {step["outcome"] for step in json.loads(done.stdout)} == {"already there"}
    assert sniper("audit", "head", "--json").stdout == head


def test_init_dry_makes_nothing(sniper: Run, home: Path) -> None:
    done = sniper("init", "--dry-run", "--json")

    assert {step["outcome"] for step in json.loads(done.stdout)} == {"would be made"}
    assert not home.exists()


def test_init_opens_the_paper_account(sniper: Run) -> None:
    sniper("init")
    record = json.loads(sniper("audit", "tail", "--kind", "account.created", "--json").stdout)[0]

    assert record["data"]["name"] == "paper"
    assert record["actor"].startswith("user:")


@pytest.mark.parametrize("argv", [["audit", "tail"], ["db", "locks"], ["audit", "verify"]])
def test_without_a_home_the_hint_is_init(sniper: Run, home: Path, argv: list[str]) -> None:
    done = sniper(*argv)

    assert (done.code, done.stdout) == (3, "")
    assert done.stderr.endswith("hint: sniper init\n")
    assert not (home / "data").exists()


def test_a_newer_database_stops_every_command(sniper: Run, home: Path) -> None:
    sniper("init", "-p", "devnet")
    with sqlite3.connect(home / "data" / "sniper.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for argv in (["audit", "tail"], ["db", "upgrade"], ["init", "-p", "devnet"]):
        done = sniper(*argv, "--json")
        assert (done.code, json.loads(done.stderr)["error"]["code"]) == (3, "schema_newer")
    assert json.loads(sniper("db", "status", "--json").stdout)["state"] == "newer"


def test_status_and_upgrade_tell_the_schema(sniper: Run) -> None:
    assert json.loads(sniper("db", "status", "--json").stdout)["state"] == "missing"
    assert json.loads(sniper("db", "upgrade", "--dry-run", "--json").stdout)["revisions"] == list(REVISIONS)
    assert json.loads(sniper("db", "upgrade", "--json").stdout)["after"] == HEAD
    found = json.loads(sniper("db", "status", "--json").stdout)
    assert (found["state"], found["journal_records"]) == ("current", 1)
    assert sniper("db", "locks", "--json").stdout == "[]\n"


def test_the_doctor_is_content_with_a_fresh_home(sniper: Run) -> None:
    sniper("init")
    done = sniper("doctor", "--json")

    assert done.code == 0, done.stdout
    assert {
        checks(done)[name]["status"] for name in ("python", "packages", "home", "database", "configuration")
    } == {"ok"}


def test_the_doctor_names_the_repair(sniper: Run) -> None:
    done = sniper("doctor", "--offline", "--json")

    assert done.code == 1
    assert checks(done)["home"]["repair"] == "sniper init"
    assert json.loads(done.stderr)["error"]["hint"] == "sniper init"


def test_the_doctor_sees_a_home_open_to_others(sniper: Run, home: Path) -> None:
    sniper("init")
    (home / "wallets").chmod(0o755)
    found = checks(sniper("doctor", "--json"))["home"]

    assert (found["status"], found["repair"]) == ("warn", f"chmod 700 {home / 'wallets'}")


def test_the_doctor_says_that_no_node_answers(sniper: Run) -> None:
    sniper("init", "-p", "devnet")
    environment = {"SNIPER_CHAIN__RPC_URL": "http://127.0.0.1:1"}
    done = sniper("doctor", "-p", "devnet", "--json", env=environment)

    assert done.code == 1
    assert checks(done)["node"]["status"] == "fail"
    assert (
        checks(sniper("doctor", "-p", "devnet", "--offline", "--json", env=environment))["node"]["status"]
        == "skipped"
    )


def test_the_doctor_survives_broken_settings(sniper: Run, home: Path) -> None:
    sniper("init")
    (home / "config.toml").write_text("[default]\nmoode = 'paper'\n")
    done = sniper("doctor", "--json")

    assert done.code == 1
    assert checks(done)["configuration"]["status"] == "fail"


@pytest.mark.parametrize(
    ("ahead", "status"), [(0, "ok"), (10, "ok"), (60, "warn"), (-20, "ok"), (-3600, "warn")]
)
def test_the_clock_is_held_against_the_chain(ahead: int, status: str) -> None:
    from sniper_cli.doctor import clock_check

    assert clock_check(1_800_000_000 + ahead, 1_800_000_000.0, 1.0).status == status


def test_a_full_disk_is_an_error_and_loses_nothing(sniper: Run, home: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    sniper("init")
    with open("/dev/full", "w") as full:
        import subprocess
        import sys

        done = subprocess.run(
            [sys.executable, "-m", "sniper_cli", "config", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "SNIPER_HOME": str(home)},
        )

    assert done.returncode == 3
    assert "error: the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_below_a_file_is_an_error_with_a_hint(sniper: Run, home: Path) -> None:
    home.write_text("in the way")
    done = sniper("init")

    assert done.code == 3
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr


def test_a_database_that_is_none_is_named_by_the_doctor(sniper: Run, home: Path) -> None:
    sniper("init", "-p", "devnet")
    (home / "data" / "sniper.db").write_text("no database" * 200)
    done = sniper("doctor", "--offline", "-p", "devnet", "--json")

    found = checks(done)["database"]
    assert (done.code, found["status"], found["repair"]) == (1, "fail", "sniper config get database_url")


def test_exit_codes_are_told(sniper: Run) -> None:
    rows = json.loads(sniper("help", "exit-codes", "--json").stdout)

    assert [row["code"] for row in rows] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]


def test_the_man_page_is_one(sniper: Run, tmp_path: Path) -> None:
    import subprocess

    page = sniper("help", "man").stdout

    assert page.startswith(".TH SNIPER 1")
    assert ".SS sniper config set" in page
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings", "-l", "-"], input=page, capture_output=True, text=True)
        assert "EXIT CODES" in done.stdout
