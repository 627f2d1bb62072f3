"""The kill switch: one row for all processes, and every turn of it in the journal."""

from __future__ import annotations

import pytest

from sniper_cli.errors import NotAllowed
from sniper_cli.risk import switch
from state import journal
from state.controls import CONTROLS, ControlVersion, Resting, tripped_switch
from state.database import Database

PERSON = "user:ada"


def turns(database: Database) -> int:
    with database.read() as session:
        return session.get_one(ControlVersion, CONTROLS).version


def test_a_tripped_switch_is_seen_by_everybody_until_it_is_reset(database: Database) -> None:
    switch.trip(database, "somebody", "smoke")
    with Database(database.url.render_as_string(hide_password=False)) as other, other.read() as session:
        found = tripped_switch(session)
        assert found is not None
        assert (found.actor, found.reason) == ("somebody", "smoke")
    switch.reset(database, PERSON, "no fire")
    with database.read() as session:
        assert tripped_switch(session) is None


def test_tripping_twice_keeps_the_first_reason_and_one_record(database: Database) -> None:
    switch.trip(database, "first", "smoke")
    switch.trip(database, "second", "fire")
    assert [each.reason for each in switch.status(database)] == ["smoke"]
    with database.read() as session:
        assert [record.kind for record in journal.read_forward(session)].count("kill.tripped") == 1


def test_a_second_trip_may_ask_for_more_and_never_for_less(database: Database) -> None:
    switch.trip(database, "first", "smoke", resting=Resting.KEEP_EXITS)
    switch.trip(database, "second", "fire", resting=Resting.CANCEL, flatten=True)
    switch.trip(database, "third", "calm", resting=Resting.KEEP)
    (found,) = switch.status(database)
    assert (found.actor, found.reason) == ("first", "smoke")
    assert (found.resting, found.flatten, found.version) == (Resting.CANCEL, True, 2)


def test_every_turn_is_counted_for_the_desks(database: Database) -> None:
    before = turns(database)
    switch.trip(database, PERSON, "smoke")
    switch.trip(database, PERSON, "smoke again")
    switch.reset(database, PERSON, "no fire")
    assert turns(database) == before + 2


def test_an_accounts_switch_leaves_the_others_alone(database: Database) -> None:
    switch.trip(database, "somebody", "this one", scope="an-account")
    with database.read() as session:
        assert tripped_switch(session, "another-account") is None
        assert tripped_switch(session, "an-account") is not None
    assert [each.scope for each in switch.status(database, "an-account")] == ["an-account"]


@pytest.mark.parametrize("actor", ["", " ", "sniper", switch.RULE])
def test_only_a_person_resets_it(sqlite_database: Database, actor: str) -> None:
    switch.trip(sqlite_database, PERSON, "smoke")
    with pytest.raises(NotAllowed, match="by name"):
        switch.reset(sqlite_database, actor, "because")
    assert switch.status(sqlite_database)[0].tripped


def test_and_says_why(sqlite_database: Database) -> None:
    switch.trip(sqlite_database, PERSON, "smoke")
    with pytest.raises(NotAllowed, match="needs a reason"):
        switch.reset(sqlite_database, PERSON, "  ")
