"""The kill switch: one row for all processes, and every turn of it in the journal."""

from __future__ import annotations

from sniper_cli.risk import switch
from state import journal
from state.controls import tripped_switch
from state.database import Database


def test_a_tripped_switch_is_seen_by_everybody_until_it_is_reset(database: Database) -> None:
    switch.trip(database, "somebody", "smoke")
    with Database(database.url.render_as_string(hide_password=False)) as other, other.read() as session:
        found = tripped_switch(session)
        assert found is not None
        assert (found.actor, found.reason) == ("somebody", "smoke")
    switch.reset(database, "somebody", "no fire")
    with database.read() as session:
        assert tripped_switch(session) is None


def test_tripping_twice_keeps_the_first_reason_and_one_record(database: Database) -> None:
    switch.trip(database, "first", "smoke")
    switch.trip(database, "second", "fire")
    assert [each.reason for each in switch.status(database)] == ["smoke"]
    with database.read() as session:
        assert [record.kind for record in journal.read_forward(session)].count("kill.tripped") == 1


def test_an_accounts_switch_leaves_the_others_alone(database: Database) -> None:
    switch.trip(database, "somebody", "this one", scope="an-account")
    with database.read() as session:
        assert tripped_switch(session, "another-account") is None
        assert tripped_switch(session, "an-account") is not None
    assert [each.scope for each in switch.status(database, "an-account")] == ["an-account"]
