"""The unrolled walk of a plain order against the general one: the same record, letter by letter."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from sniper_cli.books import records, trades
from sniper_cli.errors import OrderRefused
from sniper_cli.market.instruments import find_spec
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading import local, plain, recording
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent, Terms
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state.accounts import VenueKind
from state.database import Database
from state.journal import JournalRecord
from state.orders import OrderType, Side, TimeInForce

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
BTC, DOGE = "paper:BTC/USDT", "paper:DOGE/USDT"
USDT = 10**6

wishes = st.fixed_dictionaries(
    {
        "instrument": st.sampled_from([BTC, DOGE, "paper:NOPE/USDT"]),
        "side": st.sampled_from(Side),
        "type": st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET]),
        "tif": st.sampled_from(TimeInForce),
        "lots": st.sampled_from([0, 1, 3, 500, 40_000]),
        "off_lot": st.sampled_from([0, 0, 0, 1]),
        "away": st.sampled_from([-200, -2, -1, 0, 1, 2, 30]),
        "off_tick": st.sampled_from(["0", "0", "0", "0.0000001"]),
        "post_only": st.sampled_from([False, False, True]),
        "name": st.sampled_from("abcdefghijklmnop"),
    }
)


def walked(
    database: Database, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *, unrolled: bool
) -> list[str]:
    """The bodies of the trading records that the wishes lead to, one batch and then one by one."""
    keys = (f"{number:032x}" for number in itertools.count(1))
    ticks = itertools.count()
    for module in (recording, trades, plain):
        monkeypatch.setattr(module, "new_key", lambda: next(keys))
    monkeypatch.setattr(records, "utc_now", lambda: NOW + timedelta(seconds=next(ticks) // 4))
    if not unrolled:
        monkeypatch.setattr(local, "walk_plain", lambda *_: None)
    account = ensure_account(database, deposit=Decimal(20_000))
    market = SimulatedMarket(7)
    desk = OrderDesk(database, {VenueKind.PAPER: PaperVenue(market, clock=lambda: NOW)}, actor="test")
    intents = [intent(account.id, one, market) for one in asked]

    async def place() -> None:
        for group in (intents[:5], *([one] for one in intents[5:])):
            try:
                await desk.submit(group)
            except OrderRefused:
                continue  # the name was used for another order: on both walks alike

    asyncio.run(place())
    desk.close()
    with database.read() as session:
        rows = session.exec(select(JournalRecord).order_by(JournalRecord.seq)).all()
        return [row.body.replace(str(account.id), "ACCOUNT") for row in rows if row.kind == "desk.orders"]


def intent(account_id: Any, one: dict[str, Any], market: SimulatedMarket) -> OrderIntent:
    known = one["instrument"] != "paper:NOPE/USDT"
    spec = find_spec(one["instrument"]) if known else find_spec(BTC)
    middle = int(market.price(spec.id, NOW) / spec.tick)
    price = spec.price(middle * (100 + one["away"]) // 100) + Decimal(one["off_tick"])
    return OrderIntent(
        account_id,
        one["instrument"],
        one["side"],
        one["name"],
        one["type"],
        one["tif"],
        quantity=one["lots"] * spec.lot_units + one["off_lot"],
        limit_price=price if one["type"] is OrderType.LIMIT else None,
        terms=Terms(post_only=True) if one["post_only"] else None,
        reason={"origin": "test"} if one["lots"] == 3 else {},
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=st.lists(wishes, min_size=1, max_size=14))
def test_both_walks_write_the_same_record(
    tmp_path: Path, sqlite_template: Path, asked: list[dict[str, Any]]
) -> None:
    told = []
    for unrolled in (True, False):
        file = tmp_path / f"{uuid4()}.db"
        shutil.copy(sqlite_template, file)
        with pytest.MonkeyPatch.context() as patched, Database(f"sqlite:///{file}") as database:
            told.append(walked(database, asked, patched, unrolled=unrolled))
    assert told[0] == told[1]
