"""The portfolio screen driven by keys, over four days that were written by hand."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sniper_cli.context import Context
from sniper_cli.portfolio.report import report
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from state.database import Database
from state.positions import open_positions
from tests.portfolio_fixtures import BTC, ETH, NOON, Diary
from tui.app import SniperApp
from tui.screens.portfolio import PortfolioScreen
from tui.screens.position import PositionScreen
from tui.widgets.live_table import LiveTable

WIDE, SMALL = (120, 36), (80, 24)
NOW = NOON + timedelta(days=4)


@pytest.fixture
def diary(sqlite_database: Database) -> Iterator[Diary]:
    found = Diary(sqlite_database)
    found.pay(100_000)
    found.buy(BTC, 4000, 0, strategy="grid")
    found.buy(ETH, 9000, 1)
    found.sell(BTC, 1500, 2, strategy="grid")
    found.buy(BTC, 700, 3, strategy="grid")
    with found.database.write() as session:
        for position in open_positions(session):
            position.mark_value = found.marks.at(NOW).closing(position.instrument_id, position.quantity)
            position.marked_at = NOW
    yield found
    found.close()


@pytest.fixture
def context(home: Path, diary: Diary) -> Context:
    del home
    return Context(Resolved("paper", Settings(), {}), home_paths(), diary.database, "user:ada")


@pytest.fixture
def app(context: Context) -> SniperApp:
    app = SniperApp(context, clock=lambda: NOW, poll_seconds=0)
    app.animation_level = "none"
    return app


def text_of(app: SniperApp) -> str:
    """Everything on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_f_opens_what_there_is(app: SniperApp, context: Context, size: tuple[int, int]):
    found = report(context, NOW)
    async with app.run_test(size=size) as pilot:
        await pressed(pilot, "f")
        screen, text = app.screen, text_of(app)

        assert isinstance(screen, PortfolioScreen)
        assert f"{found.portfolio.equity:,.2f}" in text
        assert "Equity in USDT" in text
        assert "BTC/USDT" in text
        assert "ETH/USDT" in text
        assert f"{found.days[0].net:,.2f}".lstrip("-") in text


async def test_the_lots_are_those_of_the_position_under_the_cursor(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, "f")
        positions = app.screen.query_one("#positions", LiveTable)
        first = positions.current.instrument
        assert f"Lots of {first}" in text_of(app)

        await pressed(pilot, "down")
        second = positions.current.instrument
        lots = list(app.screen.query_one("#lots", LiveTable)._rows.values())
        assert second != first
        assert f"Lots of {second}" in text_of(app)
        assert lots == list(positions.current.lots)


async def test_enter_opens_the_position_and_escape_leads_back(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, "f", "enter")
        assert isinstance(app.screen, PositionScreen)

        await pressed(pilot, "escape")
        assert isinstance(app.screen, PortfolioScreen)
        await pressed(pilot, "escape")
        assert not isinstance(app.screen, PortfolioScreen)


async def test_a_trade_made_elsewhere_appears_at_the_next_look(app: SniperApp, diary: Diary):
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, "f")
        diary.sell(ETH, 9000, 3, strategy="pairs")
        assert isinstance(app.screen, PortfolioScreen)
        app.screen.look()
        await app.workers.wait_for_complete()
        await pilot.pause()

        assert "pairs" in text_of(app)
        assert app.screen.query_one("#positions", LiveTable).total == 1


async def test_without_an_account_it_says_so(home: Path, sqlite_database: Database):
    del home
    empty = Context(Resolved("paper", Settings(), {}), home_paths(), sqlite_database, "user:ada")
    app = SniperApp(empty, clock=lambda: NOW, poll_seconds=0)
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, "f")

        assert "there is no account yet" in text_of(app)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="one Python draws the snapshots")
@pytest.mark.parametrize(
    ("size", "keys"),
    [(WIDE, ("f",)), (SMALL, ("f",)), (WIDE, ("f", "down"))],
    ids=["portfolio", "portfolio-small", "portfolio-second"],
)
def test_screen(snap_compare: Any, app: SniperApp, size: tuple[int, int], keys: tuple[str, ...]):
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await pressed(pilot, *keys)

    return run
