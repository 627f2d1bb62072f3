"""Exclusive sections lose no update; a lease held by a process is renewed, waited for, lost and succeeded."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from state import locks
from state.database import Database
from state.errors import DatabaseBusy, DatabaseUnavailable, LeaseLost
from state.locks import Lease, break_lease, exclusive, held_lease, lock_key, new_owner, take_lease
from state.processes import Alive

ROOT = Path(__file__).parents[2]
SHORT = timedelta(seconds=0.6)
HOUR = timedelta(hours=1)

INCREMENTS = """
import sys, time
import sqlalchemy as sa
from state.database import Database
from state.locks import exclusive

def add_one(session):
    exclusive(session, "counter")
    n = session.execute(sa.text("SELECT n FROM counter")).scalar_one()
    time.sleep(0.0005)  # the moment in which another one would read the same
    session.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

with Database(sys.argv[1]) as database:
    for _ in range(100):
        database.transact(add_one)
"""

HOLDER = """
import sys, time
from datetime import timedelta
from state.database import Database
from state.locks import held_lease

with Database(sys.argv[1]) as database, held_lease(database, "work", purpose="test", ttl=timedelta(hours=1)):
    print("held", flush=True)
    time.sleep(600)
"""

WORKER = """
import sys
from datetime import timedelta
import sqlalchemy as sa
from state.database import Database
from state.locks import held_lease

NEXT = sa.text("INSERT INTO act SELECT coalesce(max(n), 0) + 1, :epoch, :holder FROM act")

def act(session, lease):
    lease.require(session)
    session.execute(NEXT, {"epoch": lease.epoch, "holder": lease.owner.holder})

with Database(sys.argv[1]) as database:
    while True:
        with held_lease(database, "work", ttl=timedelta(hours=1), wait=600) as lease:
            for _ in range(5):
                database.transact(lambda session: act(session, lease))
"""


def full_url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def start(script: str, database: Database) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, full_url(database)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def another_holder(database: Database) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lease `work` for an hour."""
    process = start(HOLDER, database)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


# -- exclusive --------------------------------------------------------------------------------------------------


def test_four_processes_of_a_hundred_increments_lose_none(database: Database) -> None:
    with database.write() as session:
        session.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        session.execute(sa.text("INSERT INTO counter VALUES (0)"))
    processes = [start(INCREMENTS, database) for _ in range(4)]

    assert [process.wait(timeout=90) for process in processes] == [0, 0, 0, 0]
    for process in processes:
        process.communicate()
    with database.read() as session:
        assert session.execute(sa.text("SELECT n FROM counter")).scalar_one() == 400


def test_it_shuts_out_its_own_name_only(postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.2)
    with Database(full_url(postgres_database)) as other, postgres_database.write() as session:
        exclusive(session, "books")
        with other.write() as free:
            exclusive(free, "journal")
        with pytest.raises(DatabaseBusy) as caught, other.write() as blocked:
            exclusive(blocked, "books")

    assert (caught.value.exit, caught.value.hint) == (9, "sniper db locks")


def test_it_ends_with_the_transaction(database: Database) -> None:
    for _ in range(2):
        with database.write() as session:
            exclusive(session, "books")


def test_it_shows_what_was_done_before_it_also_on_a_server_with_snapshots_by_default(
    postgres_database: Database,
) -> None:
    """A snapshot taken before the wait would not show the update that was waited for."""
    with postgres_database.engine.connect() as connection:
        name = postgres_database.url.database
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
            f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'"
        )
    with Database(full_url(postgres_database)) as first, Database(full_url(postgres_database)) as second:
        seen: list[int] = []
        with first.write() as session:
            session.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
            session.execute(sa.text("INSERT INTO counter VALUES (0)"))

        def look() -> None:
            with second.write() as session:
                exclusive(session, "counter")
                seen.append(session.execute(sa.text("SELECT n FROM counter")).scalar_one())

        with first.write() as session:
            exclusive(session, "counter")
            thread = threading.Thread(target=look)
            thread.start()
            wait_until_blocked(first)
            session.execute(sa.text("UPDATE counter SET n = 1"))
        thread.join()

    assert seen == [1]


def wait_until_blocked(database: Database) -> None:
    """Until some session of this database waits for a lock."""
    query = sa.text(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.datname = current_database()"
    )
    for _ in range(1000):
        with database.read() as session:
            if session.execute(query).scalar_one():
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody ever waited")


def test_it_wants_a_transaction_that_writes(database: Database) -> None:
    with pytest.raises(ValueError, match="write transaction"), database.read() as session:
        exclusive(session, "books")


def test_a_name_is_the_same_number_everywhere() -> None:
    # printf counter | sha256sum → efe899c74558f20b…; the first 16 digits, shifted right by one bit
    assert lock_key("counter") == 0xEFE899C74558F20B >> 1
    assert 0 <= lock_key("books") < 2**63


# -- a lease in hand --------------------------------------------------------------------------------------------


def test_it_is_held_inside_and_free_after(database: Database) -> None:
    with held_lease(database, "work", purpose="report") as lease:
        with database.write() as session:
            lease.require(session)
        with database.read() as session:
            row = session.get_one(Lease, "work")
            assert (row.holder, row.purpose, row.alive) == (lease.owner.holder, "report", Alive.YES)
        with pytest.raises(LeaseLost, match=r"held by .* \(report\)"), held_lease(database, "work"):
            pass
    with database.read() as session:
        assert session.get_one(Lease, "work").holder == ""
    with pytest.raises(LeaseLost):
        lease.check()


def test_it_is_renewed_while_the_block_runs(database: Database) -> None:
    with held_lease(database, "work", ttl=timedelta(seconds=3)) as lease:
        first = renewed_at(database)
        while renewed_at(database) == first:
            assert not lease.lost.wait(0.05)
        lease.check()
        with pytest.raises(LeaseLost), held_lease(database, "work"):
            pass


def renewed_at(database: Database) -> object:
    with database.read() as session:
        return session.get_one(Lease, "work").renewed_at


def test_one_that_waits_gets_it_when_it_is_given_back(database: Database) -> None:
    waiting = threading.Event()
    order: list[str] = []

    def second() -> None:
        waiting.set()
        with held_lease(database, "work", wait=30):
            order.append("second")

    with held_lease(database, "work"):
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_one_that_waits_gets_what_is_not_renewed_any_more(database: Database) -> None:
    with database.write() as session:
        assert take_lease(session, "work", new_owner("hangs"), SHORT) == 1

    with held_lease(database, "work", wait=30) as lease:
        assert lease.epoch == 2


def test_the_holder_is_told_that_it_was_broken(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    told: list[LeaseLost] = []
    caplog.set_level(logging.CRITICAL)
    with (
        pytest.raises(LeaseLost, match="lost"),
        held_lease(database, "work", ttl=SHORT, on_lost=told.append) as lease,
    ):
        with database.write() as session:
            break_lease(session, "work")
        assert lease.lost.wait(30)
        with database.write() as session, pytest.raises(LeaseLost):
            lease.require(session)

    assert [error.details["lease"] for error in told] == ["work"]


def test_what_the_block_raised_counts_for_more_than_the_loss(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), held_lease(database, "work", ttl=SHORT) as lease:
        with database.write() as session:
            break_lease(session, "work")
        lease.lost.wait(30)
        raise ZeroDivisionError


def test_a_broken_lease_fences_its_holder_before_he_notices(database: Database) -> None:
    with pytest.raises(LeaseLost), held_lease(database, "work", ttl=HOUR) as lease:
        with database.write() as session:
            break_lease(session, "work")
        with database.write() as session:
            lease.require(session)


def test_it_counts_as_lost_when_the_database_is_gone_for_its_whole_length(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    told: list[LeaseLost] = []

    def gone(*_: object, **__: object) -> object:
        raise DatabaseUnavailable("no answer", retry=True)

    with pytest.raises(LeaseLost), held_lease(database, "work", ttl=SHORT, on_lost=told.append) as lease:
        monkeypatch.setattr(database, "transact", gone)
        assert lease.lost.wait(30)
        assert not lease.alive

    assert "no answer" in told[0].message


def test_it_counts_as_lost_when_nobody_renewed_it_in_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept wakes up with a lease that may be another's."""
    lease = locks.HeldLease(database, "work", ttl=SHORT)
    lease.take()
    now = locks._elapsed()
    monkeypatch.setattr(locks, "_elapsed", lambda: now + 1)

    with pytest.raises(LeaseLost, match="not renewed in time"):
        lease.check()


def test_killed_with_9_the_holder_is_succeeded_at_once(database: Database) -> None:
    with another_holder(database) as holder:
        with pytest.raises(LeaseLost, match="test"), held_lease(database, "work"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        with held_lease(database, "work") as lease:
            assert lease.epoch == 2


def test_a_holder_that_is_stopped_keeps_it_until_it_expires(database: Database) -> None:
    with another_holder(database) as holder:
        holder.send_signal(signal.SIGSTOP)
        with pytest.raises(LeaseLost), held_lease(database, "work", wait=0.2):
            pass
        holder.send_signal(signal.SIGCONT)


def test_of_those_killed_and_those_that_follow_never_two_act_under_one_epoch(database: Database) -> None:
    """Three workers share a piece of work; one after the other is killed with -9 wherever it happens to be."""
    with database.write() as session:
        session.execute(
            sa.text("CREATE TABLE act (n INTEGER PRIMARY KEY, epoch INTEGER, holder VARCHAR(200))")
        )
    workers = [start(WORKER, database) for _ in range(3)]
    try:
        for _ in range(9):
            wait_for_acts(database, more=7)
            victim = workers.pop(0)
            victim.kill()
            victim.communicate()
            workers.append(start(WORKER, database))
        wait_for_acts(database, more=7)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()

    with database.read() as session:
        acts = session.execute(sa.text("SELECT n, epoch, holder FROM act ORDER BY n")).all()
    epochs = [act.epoch for act in acts]
    assert [act.n for act in acts] == list(range(1, len(acts) + 1))
    assert epochs == sorted(epochs)
    assert len({(act.epoch, act.holder) for act in acts}) == len(set(epochs))


def wait_for_acts(database: Database, *, more: int) -> None:
    first = None
    while True:
        with database.read() as session:
            count = session.execute(sa.text("SELECT count(*) FROM act")).scalar_one()
        first = count if first is None else first
        if count >= first + more:
            return
        threading.Event().wait(0.02)
