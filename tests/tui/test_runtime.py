"""A runtime inside the app: started with it, ended and awaited when the person leaves, its report shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from docs.scene_acts import NOW
from sniper_cli.context import Context
from sniper_cli.errors import DatabaseUnavailable, NodeUnreachable
from tests.tui.conftest import until
from tests.tui.test_dashboard import WIDE, text_of
from tui.app import SniperApp
from tui.screens.dashboard import DashboardScreen
from tui.screens.dialogs import ErrorBox
from tui.screens.summary import SummaryScreen


def hosting(context: Context, runtime: Callable[[], Awaitable[str | None]]) -> SniperApp:
    return SniperApp(context, runtime, clock=lambda: NOW, poll_seconds=0)


async def test_the_report_of_a_finished_runtime_is_shown_and_kept(evening: Context):
    async def runtime() -> str:
        return "12 launches, 3 trades, ledger equals chain"

    app = hosting(evening, runtime)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        await pilot.pause()
        assert "12 launches, 3 trades" in text_of(app)
        await pilot.press("escape")
        assert isinstance(app.screen, DashboardScreen)

    assert app.report == "12 launches, 3 trades, ledger equals chain"


async def test_leaving_cancels_the_runtime_and_waits_until_it_has_cleaned_up(evening: Context):
    steps: list[str] = []

    async def runtime() -> str:
        steps.append("started")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            steps.append("settled")
            return "cut short, in order"
        return "never"

    app = hosting(evening, runtime)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("q")
        await until(pilot, lambda: app.report)

    assert steps == ["started", "settled"]
    assert app.report == "cut short, in order"


async def test_a_second_q_does_not_wait(evening: Context):
    async def runtime() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                raise

    app = hosting(evening, runtime)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("q", "q")
        await pilot.pause()

    assert not app.is_running
    assert app._hosted is not None
    await asyncio.wait([app._hosted])


async def test_a_runtime_that_fails_is_told_and_its_error_kept_for_the_exit_code(evening: Context):
    async def runtime() -> None:
        raise NodeUnreachable("no connection to http://127.0.0.1:8545", hint="sniper devnet start")

    app = hosting(evening, runtime)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorBox))
        await pilot.pause()
        assert "$ sniper devnet start" in text_of(app)

    assert isinstance(app.failure, NodeUnreachable)


async def test_a_state_that_cannot_be_read_at_the_start_ends_the_app_with_its_error(evening: Context):
    with evening.database.write() as session:
        session.execute(sa.text("DROP TABLE journal_head"))
    app = SniperApp(evening, poll_seconds=0)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()

    assert isinstance(app.failure, DatabaseUnavailable)


async def test_figures_that_come_while_a_screen_is_built_go_to_the_one_beneath(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        beneath = app.view
        being_built = app.push_screen(DashboardScreen())
        assert app.view is beneath
        app._tick()
        await being_built

        assert app.view is app.screen
    assert app.view is None
    app._tick()


async def test_a_reading_that_fails_later_is_told_and_tried_again(evening: Context):
    app = SniperApp(evening, clock=lambda: NOW, poll_seconds=0.05)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        with evening.database.write() as session:
            session.execute(sa.text("ALTER TABLE journal_head RENAME TO elsewhere"))
        told = lambda: {notice.title for notice in app._notifications}  # noqa: E731 - looked at again and again
        await until(pilot, lambda: "The state cannot be read" in told())

        assert app.is_running
