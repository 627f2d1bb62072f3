"""Tripping a switch as a person does it, where accounts stand on paper, on a chain, and on one that nobody reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sniper_cli.context import Context
from sniper_cli.risk import switch
from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Mode, Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.trading.stopping import Target, foreseen, scope_of, stop
from state.accounts import Account, Asset, Instrument, VenueKind
from state.controls import GLOBAL, Resting
from state.database import Database
from state.positions import Position
from tests.risk_fixtures import BTC, BUY, COIN, RiskDesk, risk_desk

CENT = COIN // 100


@pytest.fixture
def desk(home: Path, sqlite_database: Database) -> Iterator[RiskDesk]:
    del home
    with risk_desk(sqlite_database) as found:
        found.place(BUY, CENT)
        found.place(BUY, CENT, price=found.paper.near("0.5"))
        found.place(BUY, CENT, price=found.paper.near("0.5"), strategy="grid")
        yield found


def context(desk: RiskDesk, **settings: object) -> Context:
    return Context(Resolved("paper", Settings(**settings), {}), home_paths(), desk.database, "user:ada")  # type: ignore[arg-type]


def on_a_chain(desk: RiskDesk, *, held: int) -> None:
    """An account of another profile, with a position."""
    with desk.database.write() as session:
        session.add(Asset(id="evm:1:native", symbol="ETH", decimals=18))
        session.add(Asset(id="evm:1:0xaa", symbol="TKN", decimals=18))
        session.flush()
        session.add(
            Instrument(
                id="evm:1:0xbb",
                venue=VenueKind.EVM,
                symbol="TKN/ETH",
                base_asset="evm:1:0xaa",
                quote_asset="evm:1:native",
            )
        )
        account = Account(
            name="far",
            venue=VenueKind.EVM,
            chain_id=1,
            address="0x" + "a" * 40,
            reporting_asset="evm:1:native",
        )
        session.add(account)
        session.flush()
        if held:
            session.add(Position(account_id=account.id, instrument_id="evm:1:0xbb", quantity=held))


def test_what_would_be_done_is_counted_for_each_account(desk: RiskDesk) -> None:
    whole = foreseen(context(desk), GLOBAL, "a drill", flatten=True)
    assert [(one.account, one.orders, one.positions) for one in whole.accounts] == [("paper", 2, 1)]
    grid = foreseen(context(desk), "strategy:grid", "a drill", flatten=True)
    assert (grid.orders, grid.positions) == (1, 0)
    kept = foreseen(context(desk), GLOBAL, "a drill", resting=Resting.KEEP)
    assert (kept.orders, kept.positions) == (0, 0)
    assert not [one for one in switch.status(desk.database) if one.tripped]


def test_an_account_that_this_profile_does_not_reach_is_named(desk: RiskDesk) -> None:
    on_a_chain(desk, held=5)
    done = asyncio.run(stop(context(desk), GLOBAL, "a drill"))
    assert done.kill_switch == "tripped"
    assert [one.account for one in done.accounts if one.troubles] == ["far"]
    assert done.troubles[0].startswith("far: this profile does not reach chain 1")
    assert [one.tripped for one in switch.status(desk.database)] == [True]


def test_an_account_without_orders_or_positions_is_no_trouble(desk: RiskDesk) -> None:
    on_a_chain(desk, held=0)
    assert asyncio.run(stop(context(desk), GLOBAL, "a drill")).troubles == []


def test_a_node_that_does_not_answer_leaves_the_switch_tripped_and_says_so(desk: RiskDesk) -> None:
    on_a_chain(desk, held=5)
    settings = {
        "mode": Mode.DEVNET,
        "account": "far",
        "chain": ChainSettings(
            chain_id=1, rpc_url="http://127.0.0.1:9", factory="0x" + "1" * 40, router="0x" + "2" * 40
        ),
    }
    done = asyncio.run(stop(context(desk, **settings), GLOBAL, "a drill"))
    assert done.kill_switch == "tripped"
    assert len(done.troubles) == 1
    assert done.troubles[0].startswith("far: ")


def test_another_account_is_left_alone(desk: RiskDesk) -> None:
    from sniper_cli.venues.paper import ensure_account

    ensure_account(desk.database, "second")
    scope = scope_of(context(desk), Target(account="second"))
    done = asyncio.run(stop(context(desk), scope, "a drill", flatten=True))
    assert [one.account for one in done.accounts] == ["second"]
    assert desk.paper.held(BTC) == CENT
    assert sum(order.is_working for order in desk.paper.orders().values()) == 2
