"""`sniper db locks` and `sniper db unlock`: what a person sees and what a script relies on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from state.database import Database
from state.errors import LeaseLost
from state.locks import HeldLease
from state.processes import this_process

Run = Callable[..., Any]


@pytest.fixture
def lease(sniper_set_up: Run, home: Path) -> Iterator[HeldLease]:
    """A lease that this process holds in the home's database."""
    with Database(f"sqlite:///{home}/data/sniper.db") as database:
        held = HeldLease(database, "nightly-report", purpose="report", ttl=timedelta(hours=1))
        held.take()
        yield held
        held.release()


def test_a_held_lease_is_listed(sniper_set_up: Run, lease: HeldLease) -> None:
    (row,) = json.loads(sniper_set_up("db", "locks", "--json").stdout)

    assert (row["kind"], row["name"], row["holder"]) == ("lease", "nightly-report", lease.owner.holder)
    assert (row["pid"], row["alive"], row["held"], row["expired"]) == (this_process().pid, "yes", True, False)
    assert 3500 < float(row["expires_in"]) <= 3600


def test_the_table_fits_a_narrow_terminal(sniper_set_up: Run, lease: HeldLease) -> None:
    done = sniper_set_up("db", "locks", env={"COLUMNS": "60"})

    assert "nightly-report" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 60


def test_an_unlock_without_a_terminal_wants_yes(sniper_set_up: Run, lease: HeldLease) -> None:
    done = sniper_set_up("db", "unlock", "nightly-report")

    assert (done.code, done.stdout) == (2, "")
    assert f"Take the lease nightly-report from {lease.owner.holder}, which still runs?" in done.stderr
    lease.renew()


def test_a_dry_unlock_changes_nothing(sniper_set_up: Run, lease: HeldLease) -> None:
    done = json.loads(sniper_set_up("db", "unlock", "nightly-report", "--dry-run", "--json").stdout)

    assert (done["epoch"], done["new_epoch"], done["broken"], done["dry_run"]) == (1, 2, False, True)
    lease.renew()


def test_an_unlock_takes_it_away_and_is_in_the_journal(sniper_set_up: Run, lease: HeldLease) -> None:
    done = json.loads(sniper_set_up("db", "unlock", "nightly-report", "--yes", "--json").stdout)
    record = json.loads(sniper_set_up("audit", "tail", "--kind", "lease.broken", "--json").stdout)[0]

    assert (done["broken"], done["new_epoch"]) == (True, 2)
    assert (record["subject"], record["data"]["holder"]) == ("nightly-report", lease.owner.holder)
    with pytest.raises(LeaseLost):
        lease.renew()


def test_a_lease_that_is_not_there_is_not_found(sniper_set_up: Run, lease: HeldLease) -> None:
    done = sniper_set_up("db", "unlock", "nightly-raport", "--yes", "--json")

    error = json.loads(done.stderr)["error"]
    assert (done.code, error["code"], error["hint"]) == (7, "not_found", "sniper db locks")
    assert "nightly-report" in error["message"]


def test_names_of_held_leases_are_completed(
    sniper_set_up: Run, lease: HeldLease, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sniper_cli.completion import leases_starting

    assert leases_starting("nig") == ["nightly-report"]
    lease.release()
    assert leases_starting("nig") == []
