"""Transactions lose nothing when four processes write at once, and bad days have their errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from state.controls import KillSwitch
from state.database import Database, insert_ignoring, lock_row
from state.errors import DatabaseBusy, DatabaseUnavailable
from state.launches import ChainCursor

ROOT = Path(__file__).parents[2]

INCREMENTS = """
import sys, time
from sqlmodel import Session
from state.database import Database
from state.locks import Lease, lock_row

def add_one(session: Session) -> None:
    lease = lock_row(session, Lease, "counter")
    time.sleep(0.001)  # the moment in which a careless transaction loses its update
    lease.epoch += 1
    session.add(lease)

with Database(sys.argv[1]) as database:
    for _ in range(50):
        database.transact(add_one)
"""


def full_url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def test_four_processes_lose_no_update(database: Database) -> None:
    from state.columns import utc_now
    from state.locks import Lease

    with database.write() as session:
        session.add(Lease(name="counter", holder="test", epoch=0, expires_at=utc_now()))
    command = [sys.executable, "-c", INCREMENTS, full_url(database)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) for _ in range(4)
    ]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    with database.read() as session:
        assert session.get(Lease, "counter").epoch == 200


def test_a_failed_write_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(KillSwitch(scope="global", tripped=True))
        session.flush()
        raise RuntimeError

    with database.read() as session:
        assert session.get(KillSwitch, "global") is None


def test_a_reader_sees_one_moment_while_another_writes(database: Database) -> None:
    with database.read() as reader:
        assert reader.get(KillSwitch, "global") is None
        with database.write() as writer:
            writer.add(KillSwitch(scope="global", tripped=True))
        reader.expire_all()

        assert reader.get(KillSwitch, "global") is None


def test_rows_already_there_are_ignored(database: Database) -> None:
    row = {"chain_id": 1, "stream": "pools", "block_number": 5, "block_hash": "0x1", "updated_at": None}
    from state.columns import utc_now

    rows = [{**row, "updated_at": utc_now(), "chain_id": chain} for chain in (1, 2)]
    with database.write() as session:
        assert insert_ignoring(session, ChainCursor, rows[:1], ["chain_id", "stream"]) == 1
        assert insert_ignoring(session, ChainCursor, rows, ["chain_id", "stream"]) == 1


def test_a_second_writer_gives_up_with_exit_9(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.05)
    with Database(full_url(sqlite_database)) as hasty, sqlite_database.write() as session:
        lock_row(session, KillSwitch, "global")

        with pytest.raises(DatabaseBusy) as caught, hasty.write() as other:
            lock_row(other, KillSwitch, "global")

    assert caught.value.exit == 9


def test_a_file_that_is_no_database_is_an_error_with_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "sniper.db"
    file.write_text("this is no database, and it is longer than a header of SQLite would be" * 20)

    with (
        Database(f"sqlite:///{file}") as database,
        pytest.raises(DatabaseUnavailable) as caught,
        database.read() as session,
    ):
        session.get(KillSwitch, "global")

    assert caught.value.hint == "sniper doctor"


def test_a_server_that_is_not_there_is_an_error_without_the_password() -> None:
    url = "postgresql://sniper:topsecret@127.0.0.1:1/none"

    with Database(url) as database, pytest.raises(DatabaseUnavailable) as caught, database.read() as session:
        session.get(KillSwitch, "global")

    assert "topsecret" not in caught.value.message


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x"])
def test_what_is_no_url_of_ours_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="neither"):
        Database(url)


def test_a_new_database_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "sniper.db"
    with Database(f"sqlite:///{file}") as database, database.read() as session:
        session.connection()

    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert oct(file.parent.parent.stat().st_mode & 0o777) == "0o700"
