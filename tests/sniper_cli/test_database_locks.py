"""Who holds what and who waits for whom is told as it is; a lease taken away fences its holder and is journalled."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sniper_cli.database_locks import BROKEN, held_locks, unlock
from state import journal
from state.columns import utc_now
from state.controls import KillSwitch
from state.database import Database, lock_row
from state.errors import LeaseLost, RowNotFound
from state.locks import Lease, Owner, exclusive, held_lease, take_lease
from state.processes import Process, this_process

HOUR = timedelta(hours=1)


def rows(database: Database, kind: str) -> list[dict[str, Any]]:
    return [row for row in held_locks(database) if row["kind"] == kind]


def take(database: Database, holder: str, process: Process, ttl: timedelta = HOUR) -> None:
    owner = Owner(holder, process, "test")
    assert database.transact(lambda session: take_lease(session, "work", owner, ttl)) == 1


def records(database: Database) -> list[journal.JournalRecord]:
    with database.read() as session:
        found = journal.read_latest(session, 10, kind=BROKEN)
        session.expunge_all()
        return found


def test_a_lease_is_told_with_its_holder(database: Database) -> None:
    here = this_process()
    with held_lease(database, "work", purpose="report", ttl=HOUR) as lease:
        (row,) = rows(database, "lease")

    assert (row["name"], row["holder"], row["host"], row["pid"]) == (
        "work", lease.owner.holder, here.host, here.pid,
    )  # fmt: skip
    assert (row["alive"], row["purpose"], row["epoch"]) == ("yes", "report", 1)
    assert (row["held"], row["expired"]) == (True, False)
    assert timedelta(minutes=59) < row["expires_in"] <= HOUR


def test_one_whose_holder_died_is_not_held(database: Database) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    take(database, "gone", Process(this_process().host, this_process().machine, gone.pid, "1"))
    (row,) = rows(database, "lease")

    assert (row["alive"], row["held"], row["expired"]) == ("no", False, False)


def test_one_that_expired_says_so(database: Database) -> None:
    take(database, "far", Process("elsewhere", "another-boot/pid:[1]", 1, "1"))
    with database.write() as session:
        session.get_one(Lease, "work").expires_at = utc_now() - HOUR
    (row,) = rows(database, "lease")

    assert (row["alive"], row["held"], row["expired"], row["expires_in"]) == (
        "elsewhere", False, True, timedelta(),
    )  # fmt: skip


def test_one_given_back_has_no_holder(database: Database) -> None:
    with held_lease(database, "work"):
        pass
    (row,) = rows(database, "lease")

    assert (row["holder"], row["alive"], row["held"], row["expired"]) == ("", None, False, False)


# -- Postgres: who waits for whom -------------------------------------------------------------------------------


@contextmanager
def waiting(database: Database, work: Any) -> Iterator[None]:
    """Another connection that is blocked in `work` while the block runs."""
    url = database.url.render_as_string(hide_password=False)

    def wait() -> None:
        with Database(url) as other, other.write() as session:
            work(session)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        while not rows(database, "blocked"):
            assert thread.is_alive()
        yield
    finally:
        thread.join()


def test_an_advisory_lock_and_who_waits_for_it(postgres_database: Database) -> None:
    here = this_process()
    with postgres_database.write() as session:
        exclusive(session, "books")
        session.execute(sa.text("SELECT 1"))  # what the holder does now no longer names the lock
        (held,) = rows(postgres_database, "advisory")
        assert held["name"].isdigit()
        with_waiter = waiting(postgres_database, lambda other: exclusive(other, "books"))
        with with_waiter:
            (held,) = rows(postgres_database, "advisory")
            (blocked,) = rows(postgres_database, "blocked")
            (blocking,) = rows(postgres_database, "blocking")
            session.rollback()

    assert (held["name"], blocked["name"]) == ("books", "books")
    assert blocked["waits_for"] == [held["backend"]] == [blocking["backend"]]
    assert (blocked["host"], blocked["pid"]) == (here.host, here.pid)
    assert blocked["since"] >= blocking["since"]
    assert "pg_advisory_xact_lock" in blocked["statement"]


def test_a_row_that_is_waited_for(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        session.add(KillSwitch(scope="global"))
    with postgres_database.write() as session:
        lock_row(session, KillSwitch, "global")
        with waiting(postgres_database, lambda other: lock_row(other, KillSwitch, "global")):
            (blocked,) = rows(postgres_database, "blocked")
            assert "kill_switch" in blocked["statement"]
            assert rows(postgres_database, "blocking")[0]["backend"] in blocked["waits_for"]
            session.rollback()
    assert rows(postgres_database, "blocked") == []


# -- unlock -----------------------------------------------------------------------------------------------------


def test_a_broken_lease_fences_its_holder_and_is_journalled(database: Database) -> None:
    with pytest.raises(LeaseLost), held_lease(database, "work", purpose="report", ttl=HOUR) as lease:
        done = unlock(database, "work", actor="user:test", dry_run=False)
        assert (done["epoch"], done["new_epoch"], done["broken"]) == (1, 2, True)
        with database.write() as session:
            lease.require(session)

    (record,) = records(database)
    assert (record.actor, record.subject, record.data["holder"]) == ("user:test", "work", lease.owner.holder)
    with held_lease(database, "work") as lease:
        assert lease.epoch == 3


def test_a_dry_run_says_what_would_be_and_does_nothing(database: Database) -> None:
    with held_lease(database, "work", ttl=HOUR) as lease:
        done = unlock(database, "work", actor="user:test", dry_run=True)
        lease.check()

    assert (done["new_epoch"], done["broken"], done["dry_run"]) == (2, False, True)
    assert records(database) == []


def test_a_free_lease_is_left_alone(database: Database) -> None:
    with held_lease(database, "work"):
        pass
    done = unlock(database, "work", actor="user:test", dry_run=False)

    assert (done["broken"], done["new_epoch"]) == (False, done["epoch"])
    assert records(database) == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_name_mistyped_gets_the_near_one(database: Database, dry_run: bool) -> None:
    with (
        held_lease(database, "nightly-report"),
        pytest.raises(RowNotFound, match="did you mean 'nightly-report'"),
    ):
        unlock(database, "nightly-raport", actor="user:test", dry_run=dry_run)
