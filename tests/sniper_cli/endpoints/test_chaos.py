"""The short storm: one launch in quiet and under each fault. `python -m tests.chaos 100` is the long one."""

from __future__ import annotations

import pytest

from state.database import Database
from tests.chaos.storm import storm

pytestmark = pytest.mark.anvil


@pytest.mark.timeout(180)
async def test_no_launch_is_missed_or_bought_twice_while_nodes_lag_freeze_and_die(
    sqlite_database: Database,
) -> None:
    tally = await storm(sqlite_database, 8)

    assert tally.bought == 8
    assert set(tally.timings.taken) >= {"one lags", "one is frozen", "one is dead"}
