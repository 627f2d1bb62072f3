"""The lease: one living runner an account, a dead one's successor need not wait."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from sniper_cli.sniping.lease import RunnerLease
from state.columns import utc_now
from state.database import Database
from state.errors import LeaseLost
from state.identifiers import new_id
from state.locks import Lease, Owner, take_lease
from state.processes import Process, this_process


def test_a_second_runner_is_refused_while_the_first_lives(database: Database) -> None:
    account = new_id()
    RunnerLease(database, account).take()
    with pytest.raises(LeaseLost):
        RunnerLease(database, account).take()


def test_a_lease_given_back_can_be_taken_at_once_under_a_new_epoch(database: Database) -> None:
    account = new_id()
    first, second = RunnerLease(database, account), RunnerLease(database, account)
    first.take()
    first.release()
    second.take()
    assert second.epoch == first.epoch + 1


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once(database: Database) -> None:
    account = new_id()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here = this_process()
    lease = RunnerLease(database, account)
    dead = Owner("dead", Process(here.host, here.machine, gone.pid, "1"))
    database.transact(lambda session: take_lease(session, lease.name, dead, timedelta(hours=1)))
    lease.take()
    assert lease.epoch == 2


def test_the_lease_of_another_machine_is_respected_until_it_expires(database: Database) -> None:
    account = new_id()
    lease = RunnerLease(database, account)
    far = Owner("far", Process("elsewhere", "another-boot/pid:[1]", 1, "1"))
    database.transact(lambda session: take_lease(session, lease.name, far, timedelta(hours=1)))
    with pytest.raises(LeaseLost, match="another sniper is running"):
        lease.take()
    past = utc_now() - timedelta(hours=2)
    database.transact(lambda session: _expire(session.get_one(Lease, lease.name), past))
    lease.take()


def test_a_runner_that_lost_its_lease_can_neither_renew_nor_place(database: Database) -> None:
    account = new_id()
    first, second = RunnerLease(database, account), RunnerLease(database, account)
    first.take()
    database.transact(
        lambda session: _expire(session.get_one(Lease, first.name), utc_now() - timedelta(hours=1))
    )
    second.take()
    with pytest.raises(LeaseLost):
        first.renew()
    with pytest.raises(LeaseLost), database.read() as session:
        first.require(session)
    with database.read() as session:
        second.require(session)


def _expire(lease: Lease, moment: object) -> None:
    lease.expires_at = moment  # type: ignore[assignment]
