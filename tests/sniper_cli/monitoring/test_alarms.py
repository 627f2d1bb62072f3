"""Alarms are what the orders say: the same for every reader, on both databases, whenever it began to read."""

from __future__ import annotations

from sqlmodel import select

from docs import scene
from docs.scene_acts import GWEI, NOW, SETTINGS
from sniper_cli.monitoring.rows import Alarm
from sniper_cli.monitoring.snapshot import Monitor
from sniper_cli.sniping.attempts import WAITS_LONG
from sniper_cli.sniping.telling import stuck_positions
from state.database import Database
from state.launches import ChainCursor
from state.orders import OrderState
from tests.tui.test_alarm import OFTEN, fail, out, sale


def alarms(database: Database) -> tuple[Alarm, ...]:
    """As a terminal shows them that is opened now."""
    return Monitor(database, profile="demo", settings=SETTINGS, clock=lambda: NOW).read().alarms


def test_a_reader_that_begins_later_finds_the_same_until_the_sale_that_goes_through(
    database: Database,
) -> None:
    scene.stage(database)
    early = Monitor(database, profile="demo", settings=SETTINGS, clock=lambda: NOW)
    assert early.read().alarms == ()

    key = fail(database, "QUARTZ")
    with database.write() as session:  # the next one is under way, and has waited too short to be told
        sale(session, "QUARTZ", OFTEN + 1, OrderState.SENT, quantity=1, bid=GWEI)
        sale(session, "WAVE", 1, OrderState.SENT, quantity=1, bid=GWEI)
    (alarm,) = early.read().alarms
    assert (alarm.position_id, alarm.token, alarm.problem) == (key, "QUARTZ", "5 sales in a row have failed")
    assert [attempt.max_fee for attempt in alarm.attempts] == [
        number * GWEI for number in range(1, OFTEN + 1)
    ]
    assert alarms(database) == (alarm,)
    with database.read() as session:
        assert stuck_positions(session, after=OFTEN) == {key: OFTEN}

    with database.write() as session:
        cursor = session.exec(select(ChainCursor)).one()
        cursor.block_number = 200 + WAITS_LONG  # WAVE's sale was planned at block 200
    assert [found.token for found in alarms(database)] == ["QUARTZ", "WAVE"]

    out(database, "QUARTZ")
    assert [found.token for found in early.read().alarms] == ["WAVE"]
