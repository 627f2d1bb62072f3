"""What a running pool writes down for those who look, and that it holds nobody up."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from sniper_cli.endpoints.listing import latest_readings
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.readings import Recorder, observer, write_readings
from state.columns import utc_now
from state.database import Database
from state.endpoints import EndpointReading
from tests.sniper_cli.endpoints.conftest import CHAIN, Trio, member_of, until

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


async def test_a_pool_writes_what_it_finds(trio: Trio, sqlite_database: Database) -> None:
    members = [member_of(node) for node in trio.nodes]
    for member in members:
        member.endpoint_id = uuid4()
    recorder = Recorder(sqlite_database, every_seconds=0.1)
    async with NodePool(members, CHAIN, poll_seconds=0.05, observer=recorder) as pool:
        await pool.check_chain(CHAIN)
        trio.b.chain_id = "0x1"
        await until(lambda: pool.members[1].health.wrong_chain)
        await until(lambda: len(latest_readings(sqlite_database)) == 3)
        await until(lambda: latest_readings(sqlite_database)[members[1].endpoint_id].state == "wrong_chain")
        head = await trio.chain.node.head()
    found = latest_readings(sqlite_database)

    first = found[members[0].endpoint_id]
    assert (first.state, first.head, first.observer) == ("healthy", head.number, observer())
    assert first.figures["lag"] == 0
    assert first.figures["p95_us"] > 0
    assert found[members[1].endpoint_id].figures["trouble"] == "serves chain 1, not 31337"


async def test_where_the_database_is_away_the_pool_goes_on(trio: Trio, tmp_path: object) -> None:
    with Database(f"sqlite:///{tmp_path}/no-schema.db") as empty:
        recorder = Recorder(empty, every_seconds=0)
        members = [member_of(node) for node in trio.nodes]
        for member in members:
            member.endpoint_id = uuid4()
        async with NodePool(members, CHAIN, poll_seconds=0.02, observer=recorder) as pool:
            await pool.check_chain(CHAIN)
            await until(lambda: recorder.missed > 1)
            assert await pool.head() == await trio.chain.node.head()


def test_a_reading_takes_the_place_of_the_one_before_and_of_those_of_long_ago(database: Database) -> None:
    long_ago, now = uuid4(), uuid4()

    def reading(endpoint_id: UUID, state: str, age: timedelta = timedelta()) -> EndpointReading:
        return EndpointReading(
            endpoint_id=endpoint_id, observer="x:1", state=state, figures={"lag": 1}, at=utc_now() - age
        )

    write_readings(database, [reading(long_ago, "healthy", timedelta(days=2))])
    write_readings(database, [reading(now, "healthy")])
    write_readings(database, [reading(now, "frozen")])

    with database.read() as session:
        rows = session.exec(select(EndpointReading)).all()
        assert [(row.endpoint_id, row.state, row.figures) for row in rows] == [(now, "frozen", {"lag": 1})]
