"""Leases change hands only when they may, and the one that lost can place nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from state.controls import (
    GLOBAL,
    KillSwitch,
    leases,
    release_lease,
    require_lease,
    take_lease,
    tripped_switch,
)
from state.database import Database
from state.errors import LeaseLost

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TTL = timedelta(seconds=3)


def take(database: Database, holder: str, *, after: float = 0) -> int | None:
    return database.transact(
        lambda s: take_lease(s, "sniper", holder, TTL, now=NOW + timedelta(seconds=after))
    )


def test_the_first_one_gets_it(database: Database) -> None:
    assert take(database, "a") == 1


def test_nobody_else_gets_it_while_it_is_held(database: Database) -> None:
    take(database, "a")

    assert take(database, "b", after=2.9) is None


def test_its_holder_renews_it_under_the_same_epoch(database: Database) -> None:
    take(database, "a")

    assert take(database, "a", after=2) == 1
    assert take(database, "b", after=4) is None


def test_expired_it_changes_hands_with_a_new_epoch(database: Database) -> None:
    take(database, "a")

    assert take(database, "b", after=3) == 2


def test_the_old_epoch_is_fenced_off(database: Database) -> None:
    take(database, "a")
    take(database, "b", after=3)

    with database.read() as session:
        require_lease(session, "sniper", 2)
        with pytest.raises(LeaseLost) as caught:
            require_lease(session, "sniper", 1)
    assert caught.value.exit == 9


def test_given_back_it_is_free_at_once(database: Database) -> None:
    take(database, "a")
    database.transact(lambda session: release_lease(session, "sniper", "a"))

    assert take(database, "b") == 2


def test_a_stranger_cannot_give_it_back(database: Database) -> None:
    take(database, "a")
    database.transact(lambda session: release_lease(session, "sniper", "b"))

    assert take(database, "b", after=1) is None
    with database.read() as session:
        assert [lease.holder for lease in leases(session)] == ["a"]


def test_a_tripped_switch_is_found_by_its_scope(database: Database) -> None:
    with database.write() as session:
        session.add(KillSwitch(scope="account-1", tripped=True, reason="test"))
        session.add(KillSwitch(scope=GLOBAL, tripped=False))

    with database.read() as session:
        assert tripped_switch(session) is None
        assert tripped_switch(session, "account-2") is None
        assert tripped_switch(session, "account-1").reason == "test"
