"""What a person can do from the screens: asked first, shown as a command, done by the services, errors told."""

from __future__ import annotations

from textual.widgets import Input

from docs.scene_acts import SETTINGS
from sniper_cli.context import Context
from sniper_cli.risk import switch
from sniper_cli.settings.model import Mode
from state.controls import tripped_switch
from state.launches import ChainCursor
from tests.tui.test_dashboard import WIDE, settled, text_of
from tui.actions import Act, close_position, command_line
from tui.app import SniperApp
from tui.screens.dashboard import DashboardScreen
from tui.screens.dialogs import ConfirmAct, ErrorBox
from tui.screens.position import PositionScreen


def tripped(context: Context) -> bool:
    with context.database.read() as session:
        return tripped_switch(session) is not None


async def test_the_kill_switch_shows_its_command_and_wants_its_word(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert "$ sniper -p demo risk" in text_of(app)
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmAct)
        assert not tripped(evening)

        await pilot.press(*"kill", "enter")
        await settled(app, pilot)

        assert tripped(evening)
        assert "■ KILL SWITCH" in text_of(app)


async def test_a_wrong_word_does_nothing_and_escape_leaves_it(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+k", *"kil", "enter")
        assert app.screen.query_one("#word", Input).value == ""
        await pilot.press("escape")
        await settled(app, pilot)

        assert isinstance(app.screen, DashboardScreen)
        assert not tripped(evening)


async def test_a_tripped_switch_is_reset_with_the_same_key(app: SniperApp, evening: Context):
    switch.trip(evening.database, "user:ada", "test")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+k", *"resume", "enter")
        await settled(app, pilot)

        assert not tripped(evening)
        assert "trading allowed" in text_of(app)


async def test_closing_a_position_shows_what_it_sells_and_the_command_it_equals(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "down", "x")
        await pilot.pause()
        screen = text_of(app)

        assert "Sells 70511.285714285714285714 QUARTZ" in screen
        assert "$ sniper -p demo position close 6c4614b2fada" in screen


async def test_an_act_that_fails_is_told_in_a_box_and_the_app_goes_on(app: SniperApp):
    """There is no chain behind the scene, so the sale cannot be made."""
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "x", "enter")
        await settled(app, pilot)
        assert isinstance(app.screen, ErrorBox)
        assert "That did not work" in text_of(app)
        assert "$ " in text_of(app)

        await pilot.press("escape", "1")
        assert isinstance(app.screen, DashboardScreen)


async def test_an_unforeseen_error_is_told_too(app: SniperApp):
    async def fail() -> str:
        raise ZeroDivisionError("1 / 0")

    async with app.run_test(size=WIDE) as pilot:
        app.ask(Act("Try", "Fails.", "sniper fail", fail))
        await pilot.press("enter")
        await settled(app, pilot)

        assert "ZeroDivisionError: 1 / 0" in text_of(app)


async def test_a_closed_position_cannot_be_closed_again(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "end", "x")
        await pilot.pause()

        assert isinstance(app.screen, DashboardScreen)
        assert [notice.message for notice in app._notifications] == ["this position is closed already"]


async def test_a_position_s_own_screen_closes_it_with_the_same_key(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "enter")
        await settled(app, pilot)
        assert isinstance(app.screen, PositionScreen)
        await pilot.press("x")

        assert isinstance(app.screen, ConfirmAct)


async def test_on_a_live_profile_closing_wants_a_word_and_the_frame_is_red(evening: Context):
    from dataclasses import replace

    from docs.scene_acts import NOW

    live = replace(
        evening, resolved=replace(evening.resolved, settings=SETTINGS.model_copy(update={"mode": Mode.LIVE}))
    )
    app = SniperApp(live, clock=lambda: NOW, poll_seconds=0)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert app.screen.has_class("-live")
        assert " LIVE " in text_of(app)
        assert app.dashboard is not None
        act = close_position(live, app.dashboard.positions[0])

        assert act.word == "live"
        assert act.command.endswith("--live")


def test_a_command_line_names_the_profile_unless_it_is_the_default(evening: Context):
    assert command_line(evening, "risk", "show") == "sniper -p demo risk show"


async def test_behind_a_question_the_figures_go_on(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+k")
        with evening.database.write() as session:
            cursor = session.get(ChainCursor, (31337, "heads"))
            assert cursor is not None
            cursor.block_number = 999
        await app.read_state()
        await pilot.pause()

        assert isinstance(app.screen, ConfirmAct)
        assert "block 999" in text_of(app)


async def test_half_of_a_position_is_sold_and_its_rules_are_held_by_keys_that_ask_first(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "enter")
        await settled(app, pilot)
        await pilot.press("h")
        assert "position exit" in text_of(app)
        assert "--share 50" in text_of(app)
        await pilot.press("escape", "o")
        await pilot.pause()
        assert "position hold" in text_of(app)
