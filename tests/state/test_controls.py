"""A tripped switch is found by those it concerns."""

from state.controls import GLOBAL, KillSwitch, tripped_switch
from state.database import Database


def test_a_tripped_switch_is_found_by_its_scope(database: Database) -> None:
    with database.write() as session:
        session.add(KillSwitch(scope="account-1", tripped=True, reason="test"))
        session.add(KillSwitch(scope=GLOBAL, tripped=False))

    with database.read() as session:
        assert tripped_switch(session) is None
        assert tripped_switch(session, "account-2") is None
        assert tripped_switch(session, "account-1").reason == "test"
