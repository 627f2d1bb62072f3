"""What a Postgres refuses, stops or cannot do: each has its sentence, and nothing of the transaction is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from state.database import Database
from state.errors import DatabaseBusy, DatabaseUnavailable, StateError
from tests.state.disks import small_disk
from tests.state.noting import Work, kept

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]

CROSSING = """
import sys, time
import sqlalchemy as sa
from state.database import Database

first, second = sys.argv[2:]

def move(session):
    for number in (first, second):
        session.execute(sa.text("UPDATE note SET word = (word::int + 1)::text WHERE id = :n"), {"n": int(number)})
        time.sleep(0.02)

with Database(sys.argv[1]) as database:
    with database.read() as session:
        session.execute(sa.text("SELECT 1"))
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(15):
        database.transact(move)
"""


def test_two_processes_that_deadlock_both_get_through(direct: Database) -> None:
    name = direct.url.database
    with direct.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
            f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '30ms'"
        )
    with direct.write() as session:
        session.execute(sa.text("INSERT INTO note VALUES (1, '0'), (2, '0')"))
    url = direct.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CROSSING, url, *order],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for order in (("1", "2"), ("2", "1"))
    ]
    assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 2
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    with direct.read() as session:
        deadlocks = session.execute(
            sa.text("SELECT pg_stat_get_db_deadlocks(oid) FROM pg_database WHERE datname = :n"), {"n": name}
        ).scalar_one()
        assert list(session.execute(sa.text("SELECT word FROM note")).scalars()) == ["30", "30"]
        assert deadlocks > 0


def test_a_serialization_failure_is_tried_again(direct: Database) -> None:
    work = Work(lambda session: session.execute(sa.text("DO 'BEGIN RAISE SQLSTATE ''40001''; END'")))

    assert direct.transact(work) == "by work"
    assert (work.runs, kept(direct)) == (2, [1])


def test_a_failure_that_was_swallowed_does_not_pass_for_a_commit(direct: Database) -> None:
    """Postgres answers COMMIT of a failed transaction with ROLLBACK, and no error."""

    def swallow(session: Session) -> None:
        with pytest.raises(sa.exc.IntegrityError):
            session.execute(sa.text("INSERT INTO note VALUES (1, 'again')"))

    with pytest.raises(StateError, match="nothing of this transaction was kept"):
        direct.transact(Work(swallow))
    assert kept(direct) == []


@pytest.mark.parametrize(
    ("setting", "statement", "reason", "error"),
    [
        ("statement_timeout = '50ms'", "SELECT pg_sleep(30)", "statement_timeout", DatabaseBusy),
        ("transaction_read_only = on", "INSERT INTO note VALUES (2, 'x')", "read_only", DatabaseUnavailable),
    ],
)
def test_what_the_server_will_not_do_is_said(
    direct: Database, setting: str, statement: str, reason: str, error: type[StateError]
) -> None:
    with pytest.raises(error) as caught, direct.write() as session:
        session.execute(sa.text(f"SET LOCAL {setting}"))
        session.execute(sa.text(statement))

    assert caught.value.details["reason"] == reason
    assert caught.value.hint in ("sniper db locks", "sniper doctor")
    assert kept(direct) == []


@pytest.mark.parametrize(
    "code", ["53100", "53200", "53300", "57P03", "58030", "XX001", "42501", "08006", "57P02"]
)
def test_the_servers_troubles_have_sentences(direct: Database, code: str) -> None:
    """The codes as a server sends them; not each of these troubles can be brought about on a sound one."""
    with pytest.raises(DatabaseUnavailable) as caught, direct.write() as session:
        session.execute(sa.text("INSERT INTO note VALUES (1, 'x')"))
        session.execute(
            sa.text(f"DO 'BEGIN RAISE EXCEPTION ''from the server'' USING ERRCODE = ''{code}''; END'")
        )

    assert caught.value.message
    assert kept(direct) == []


def test_a_full_disk_of_the_server_keeps_nothing(direct: Database) -> None:
    if "DATABASE_URL" in os.environ:
        pytest.skip("the server's disks are not ours")
    space = f"small_{uuid4().hex[:8]}"
    with small_disk(3) as disk:
        if os.geteuid() == 0:
            shutil.chown(disk, "pgserver", "pgserver")
        with direct.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                f"CREATE TABLESPACE {space} LOCATION '{disk}'"
            )
        with direct.write() as session:
            session.execute(sa.text(f"CREATE TABLE pile (n integer, content text) TABLESPACE {space}"))
            session.execute(sa.text("INSERT INTO pile VALUES (0, 'before')"))
        try:
            with pytest.raises(
                DatabaseUnavailable, match="is full; nothing of this transaction was kept"
            ) as caught:
                direct.transact(
                    lambda session: [
                        session.execute(
                            sa.text("INSERT INTO note VALUES (1, 'x')"),
                        ),
                        session.execute(
                            sa.text(
                                "INSERT INTO pile SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 9000) n"
                            )
                        ),
                    ]
                )
            with direct.read() as session:
                assert session.execute(sa.text("SELECT count(*) FROM pile")).scalar_one() == 1
        finally:
            direct.close()
            with direct.write() as session:
                session.execute(sa.text("DROP TABLE pile"))
            with direct.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                    f"DROP TABLESPACE {space}"
                )

    assert caught.value.details["reason"] == "disk_full"
    assert kept(direct) == []


def test_too_many_connections_are_said_and_waited_for(
    direct: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"few_{uuid4().hex[:8]}"
    with direct.write() as session:
        session.execute(sa.text(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1"))
    url = direct.url.set(username=role).render_as_string(hide_password=False)
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.3)
    try:
        with Database(url) as first, Database(url) as second:
            with first.read() as session:
                session.connection()
                with pytest.raises(DatabaseUnavailable) as caught, second.read():
                    pass
                assert caught.value.details["reason"] == "too_many_connections"
            freeing = threading.Timer(0.1, first.close)
            freeing.start()
            monkeypatch.setattr("state.database.BUSY_SECONDS", 20.0)
            assert second.transact(lambda session: session.execute(sa.text("SELECT 1")).scalar_one()) == 1
            freeing.join()
    finally:
        with direct.write() as session:
            session.execute(sa.text(f"DROP ROLE {role}"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"database": "no_such_database"}, "no_such_database"), ({"username": "no_such_role"}, "login_refused")],
)
def test_a_refused_connection_says_what_is_wrong(
    direct: Database, change: dict[str, str], reason: str
) -> None:
    url = direct.url.set(**change).render_as_string(hide_password=False)
    with Database(url) as database, pytest.raises(DatabaseUnavailable) as caught, database.read():
        pass

    assert (caught.value.details["reason"], caught.value.hint) == (reason, "sniper config get database_url")
