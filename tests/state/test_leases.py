"""Leases change hands only when they may, whatever the clocks say, and the one that lost can place nothing."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from state import leases as lease_rows
from state.columns import utc_now
from state.database import Database
from state.errors import LeaseLost, RowNotFound
from state.locks import (
    Lease,
    Owner,
    break_lease,
    clock,
    leases,
    new_owner,
    release_lease,
    renew_lease,
    require_lease,
    take_lease,
)
from state.processes import Process, this_process

ROOT = Path(__file__).parents[2]
TTL = timedelta(seconds=30)
HOUR = timedelta(hours=1)


def owner(name: str, process: Process | None = None) -> Owner:
    return Owner(name, process or this_process(), "test")


def take(database: Database, who: str | Owner, ttl: timedelta = TTL) -> int | None:
    found = owner(who) if isinstance(who, str) else who
    return database.transact(lambda session: take_lease(session, "sniper", found, ttl))


def age(database: Database, by: timedelta) -> None:
    """As if so much time had passed since the last renewal."""
    with database.write() as session:
        lease = session.get_one(Lease, "sniper")
        assert lease.renewed_at is not None
        lease.expires_at -= by
        lease.renewed_at -= by


def found(database: Database) -> Lease:
    with database.read() as session:
        lease = session.get_one(Lease, "sniper")
        session.expunge_all()
        return lease


def set_client_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    def skewed() -> datetime:
        return utc_now() + ahead

    monkeypatch.setattr(lease_rows, "utc_now", skewed)


def test_the_first_one_gets_it(database: Database) -> None:
    assert take(database, "a") == 1
    lease = found(database)
    assert (lease.holder, lease.pid, lease.purpose) == ("a", os.getpid(), "test")


def test_nobody_else_gets_it_while_it_is_held(database: Database) -> None:
    take(database, "a")
    age(database, TTL - timedelta(seconds=5))

    assert take(database, "b") is None
    assert found(database).holder == "a"


def test_its_holder_renews_it_under_the_same_epoch(database: Database) -> None:
    first = owner("a")
    take(database, first)
    age(database, TTL - timedelta(seconds=5))

    assert database.transact(lambda session: renew_lease(session, "sniper", first, 1, TTL))
    age(database, timedelta(seconds=20))
    assert take(database, "b") is None


def test_expired_it_changes_hands_with_a_new_epoch(database: Database) -> None:
    take(database, "a")
    age(database, TTL)

    assert take(database, "b") == 2
    assert not database.transact(lambda session: renew_lease(session, "sniper", owner("a"), 1, TTL))
    assert found(database).holder == "b"


def test_expired_and_wanted_by_nobody_it_is_renewed(database: Database) -> None:
    take(database, "a")
    age(database, HOUR)

    assert database.transact(lambda session: renew_lease(session, "sniper", owner("a"), 1, TTL))
    assert take(database, "b") is None


def test_the_old_epoch_is_fenced_off(database: Database) -> None:
    take(database, "a")
    age(database, TTL)
    take(database, "b")

    with database.read() as session:
        require_lease(session, "sniper", 2)
        with pytest.raises(LeaseLost) as caught:
            require_lease(session, "sniper", 1)
    assert caught.value.exit == 9


def test_given_back_it_is_free_at_once(database: Database) -> None:
    take(database, "a")
    database.transact(lambda session: release_lease(session, "sniper", "a"))

    with database.write() as session, pytest.raises(LeaseLost):
        require_lease(session, "sniper", 1)
    assert take(database, "b") == 2


def test_a_stranger_cannot_give_it_back(database: Database) -> None:
    take(database, "a")
    database.transact(lambda session: release_lease(session, "sniper", "b"))

    assert take(database, "b") is None
    with database.read() as session:
        assert [lease.holder for lease in leases(session)] == ["a"]


def test_broken_it_is_free_and_its_holder_fenced_off(database: Database) -> None:
    take(database, "a")
    database.transact(lambda session: break_lease(session, "sniper"))

    with database.write() as session, pytest.raises(LeaseLost):
        require_lease(session, "sniper", 1)
    assert not database.transact(lambda session: renew_lease(session, "sniper", owner("a"), 1, TTL))
    assert take(database, "b") == 3


def test_what_was_never_taken_cannot_be_broken(database: Database) -> None:
    with pytest.raises(RowNotFound), database.write() as session:
        break_lease(session, "sniper")


def test_a_dead_holder_of_this_machine_is_succeeded_at_once(database: Database) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here = this_process()
    take(database, owner("gone", Process(here.host, here.machine, gone.pid, "1")), HOUR)

    assert take(database, "b") == 2


def test_a_holder_whose_pid_was_given_out_again_is_dead(database: Database) -> None:
    here = this_process()
    take(database, owner("before", Process(here.host, here.machine, here.pid, "1")), HOUR)

    assert take(database, "b") == 2


@pytest.mark.parametrize("host", ["elsewhere", this_process().host])
def test_a_holder_on_another_machine_is_respected_until_it_expires(database: Database, host: str) -> None:
    """Also on one of the same name: cloned machines are called alike."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    take(database, owner("far", Process(host, "another-boot/pid:[1]", gone.pid, "1")), TTL)

    assert take(database, "b") is None
    age(database, TTL)
    assert take(database, "b") == 2


def test_a_holder_written_down_by_an_older_sniper_is_respected_until_it_expires(database: Database) -> None:
    with database.write() as session:
        session.add(Lease(name="sniper", holder="host:1:1:abc", epoch=7, expires_at=utc_now() + HOUR))

    assert take(database, "b") is None
    with database.write() as session:
        session.get_one(Lease, "sniper").expires_at = utc_now() - HOUR
    assert take(database, "b") == 8


# -- clocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["fast", "slow"])
def test_a_client_with_a_wrong_clock_steals_nothing_and_loses_nothing(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    take(postgres_database, "a")
    set_client_clock(monkeypatch, ahead)

    assert take(postgres_database, "b") is None
    assert postgres_database.transact(lambda session: renew_lease(session, "sniper", owner("a"), 1, TTL))
    monkeypatch.undo()
    with postgres_database.read() as session:
        left = found(postgres_database).expires_at - clock(session)
    assert timedelta() < left <= TTL


def test_a_lease_taken_by_a_client_with_a_wrong_clock_lasts_its_time(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        set_client_clock(patch, HOUR)
        take(postgres_database, "a")
    age(postgres_database, TTL)

    assert take(postgres_database, "b") == 2


def test_after_a_clock_went_back_a_dead_lease_lasts_no_longer_than_its_length(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = owner("far", Process("container", "another-boot/pid:[1]", 1, "1"))
    with monkeypatch.context() as patch:
        set_client_clock(patch, HOUR)
        take(sqlite_database, far)
    # The clock has gone back an hour: the lease seems to run for an hour and half a minute.
    assert take(sqlite_database, "b") is None
    left = found(sqlite_database).expires_at - utc_now()
    assert left <= TTL

    age(sqlite_database, TTL)
    assert take(sqlite_database, "b") == 2


def test_after_a_clock_went_back_a_live_lease_is_not_stolen(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = owner("a")
    with monkeypatch.context() as patch:
        set_client_clock(patch, HOUR)
        take(sqlite_database, first)

    assert take(sqlite_database, "b") is None
    assert sqlite_database.transact(lambda session: renew_lease(session, "sniper", first, 1, TTL))
    age(sqlite_database, timedelta(seconds=20))
    assert take(sqlite_database, "b") is None


def test_a_clock_that_jumps_ahead_lets_it_change_hands_and_fences_the_holder(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(sqlite_database, "a")
    set_client_clock(monkeypatch, HOUR)

    assert take(sqlite_database, "b") == 2
    with sqlite_database.write() as session, pytest.raises(LeaseLost):
        require_lease(session, "sniper", 1)


# -- at once ----------------------------------------------------------------------------------------------------

RACE = """
import sys, time
from datetime import timedelta
from state.database import Database
from state.locks import new_owner, take_lease

with Database(sys.argv[1]) as database:
    with database.read() as session:
        session.connection()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        name = f"race-{number}"
        print(database.transact(lambda session: take_lease(session, name, new_owner(), timedelta(hours=1))))
    print("done", flush=True)
    sys.stdin.readline()
"""


def test_of_four_that_take_a_new_lease_at_once_one_gets_it(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        taken = [[racer.stdout.readline().strip() for _ in range(21)] for racer in racers]  # type: ignore[union-attr]
    finally:
        for racer in racers:  # they live until all have tried: a dead one would be succeeded
            racer.communicate("\n")

    assert [sum(answers[number] == "1" for answers in taken) for number in range(20)] == [1] * 20
    assert {answer for answers in taken for answer in answers} == {"1", "None", "done"}


def test_a_lease_cannot_change_hands_under_a_transaction_that_requires_it(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(postgres_database, "a")
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.3)
    url = postgres_database.url.render_as_string(hide_password=False)
    with Database(url) as rival, postgres_database.write() as session:
        require_lease(session, "sniper", 1)
        with pytest.raises(Exception, match="held on to what this one needs"):
            rival.transact(lambda other: break_lease(other, "sniper"))


@pytest.mark.parametrize("name", ["", "two words", "-x", "a*/b", "x" * 201, "naïve"])
def test_a_name_that_could_not_be_pasted_is_refused(sqlite_database: Database, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a lock"), sqlite_database.write() as session:
        take_lease(session, name, new_owner())
