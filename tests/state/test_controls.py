"""A tripped switch is found by those it concerns, and the count of changes is there from the beginning."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from state.controls import (
    CONTROLS,
    GLOBAL,
    ControlVersion,
    KillSwitch,
    Resting,
    account_scope,
    count_change,
    scope_name,
    tripped_for,
    tripped_switch,
    tripped_switches,
)
from state.database import Database
from state.writing import Writer

ACCOUNT = UUID("01a20000-0000-7000-8000-000000000001")
OTHER = UUID("01a20000-0000-7000-8000-000000000002")
MOMENT = datetime(2026, 3, 14, 20, 15, 42, 123456, tzinfo=UTC)


def test_a_tripped_switch_is_found_by_its_scope(database: Database) -> None:
    with database.write() as session:
        session.add(KillSwitch(scope="account-1", tripped=True, reason="test"))
        session.add(KillSwitch(scope=GLOBAL, tripped=False))

    with database.read() as session:
        assert tripped_switch(session) is None
        assert tripped_switch(session, "account-2") is None
        assert tripped_switch(session, "account-1").reason == "test"


@pytest.mark.parametrize(
    ("scopes", "whole", "strategies"),
    [
        ((GLOBAL, account_scope(ACCOUNT)), GLOBAL, []),
        ((scope_name("tenant", "main"), account_scope(ACCOUNT)), "tenant:main", []),
        ((account_scope(ACCOUNT), scope_name("strategy", "grid")), account_scope(ACCOUNT), ["grid"]),
        ((scope_name("tenant", "another"), account_scope(OTHER), "strategy:grid"), None, ["grid"]),
        ((), None, []),
    ],
)
def test_of_several_switches_the_widest_stops_an_account(
    database: Database, scopes: tuple[str, ...], whole: str | None, strategies: list[str]
) -> None:
    with database.write() as session:
        for scope in scopes:
            row = KillSwitch(
                scope=scope, tripped=True, actor="ada", reason="a drill", at=MOMENT, resting=Resting.CANCEL
            )
            session.add(row)
    with database.read() as session:
        by_session = tripped_for(session, ACCOUNT, "main")
        by_writer = tripped_switches(Writer(database, session=session), ACCOUNT.hex, "main")
        for found in (by_session, by_writer):
            assert (found.account.scope if found.account else None) == whole
            assert list(found.strategies) == strategies
            assert bool(found) is bool(whole or strategies)
            stopping = found.of("grid")
            assert (stopping.scope if stopping else None) == (
                whole or (strategies and "strategy:grid") or None
            )
            assert found.of(None) is found.account
            for switch in found.tripped:
                assert (switch.at, switch.resting, switch.flatten) == (MOMENT, Resting.CANCEL, False)


def test_changes_are_counted(database: Database) -> None:
    with database.write() as session:
        count_change(session)
        count_change(session)
    with database.read() as session:
        assert session.get_one(ControlVersion, CONTROLS).version == 2
