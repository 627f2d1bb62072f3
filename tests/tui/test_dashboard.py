"""The dashboard driven by keys, over a finished evening on the local chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from docs.scene_acts import ACTS, NOW
from sniper_cli.context import Context
from sniper_cli.monitoring.rows import Dashboard
from state.database import Database
from state.journal import append
from state.launches import ChainCursor, Launch, Verdict
from tests.tui.conftest import until
from tui.app import SniperApp
from tui.screens.dashboard import DashboardScreen
from tui.screens.dialogs import EvidenceBox, RecordBox
from tui.screens.help import HelpBox
from tui.screens.launch import LaunchScreen
from tui.screens.order import OrderScreen
from tui.screens.position import PositionScreen
from tui.widgets.live_table import LiveTable
from tui.widgets.status import StatusHeader

WIDE = (120, 36)


def dashboard(app: SniperApp) -> DashboardScreen:
    assert isinstance(app.screen, DashboardScreen)
    return app.screen


def text_of(app: SniperApp) -> str:
    """Everything on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def settled(app: SniperApp, pilot: Pilot[None]) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


async def test_the_header_tells_profile_mode_chain_head_equity_and_switch(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        top = text_of(app).splitlines()[:2]

    assert " ".join(top[0].split()) == "DEVNET demo chain 31337 block 214 · 0.4 s ago ○ trading allowed"
    assert "equity 100.1377 ETH" in top[1]
    assert "realised ▲ 0.0971" in top[1]


async def test_the_header_says_how_far_the_tables_are_behind(app: SniperApp, monkeypatch: pytest.MonkeyPatch):
    read = app.monitor.read

    def behind() -> Dashboard:
        board = read()
        return replace(board, facts=replace(board.facts, lag=1234))

    monkeypatch.setattr(app.monitor, "read", behind)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()

        assert "1,234 records still to come in" in text_of(app).splitlines()[1]


async def test_launches_stand_with_verdict_and_reason_newest_first(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        screen = text_of(app)
        symbols = [row.symbol for row in app.dashboard.launches] if app.dashboard else []

    assert symbols == [act.symbol for act in reversed(ACTS)]
    assert "✘ unsafe" in screen
    assert "? not proven" in screen
    assert "selling fails in the next block" in screen


@pytest.mark.parametrize(
    ("key", "panel"), [("1", "launches"), ("2", "positions"), ("3", "orders"), ("4", "events")]
)
async def test_a_number_key_goes_to_its_panel(app: SniperApp, key: str, panel: str):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", key)

        assert app.focused is not None
        assert app.focused.id == panel


async def test_the_screen_option_chooses_the_first_panel(app_at: Callable[[str], SniperApp]):
    app = app_at("orders")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()

        assert dashboard(app).active == "orders"


async def test_a_slash_filters_escape_takes_it_back(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"honeypot")
        table = dashboard(app).table("launches")
        found = {row.symbol for row in (table._rows[key] for key in table.shown)}
        await pilot.press("enter")
        assert app.focused is table
        await pilot.press("escape")

        assert found == {"FROGE", "PHANTOM", "MIMIC"}
        assert len(table.shown) == len(ACTS)


async def test_a_slash_with_an_exclamation_mark_filters_the_other_way(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", "exclamation_mark", *"unsafe", "enter")
        await pilot.pause()
        shown = dashboard(app).table("launches").shown

        assert len(shown) == sum(act.verdict is not Verdict.UNSAFE for act in ACTS)
        assert f"{len(shown)} of {len(ACTS)}" in text_of(app)


async def test_keys_typed_into_the_filter_do_nothing_else(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"qzx1?")

        assert app.is_running
        assert dashboard(app).query_one("#filter", Input).value == "qzx1?"


async def test_shift_and_a_letter_sort_the_panel_in_focus(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "F")
        table = dashboard(app).table("positions")
        profits = [table._rows[key].profit for key in table.shown]

        assert profits == sorted(profits, reverse=True)


async def test_enter_opens_the_launch_with_every_check_failures_first(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"gassy", "enter", "enter")
        await settled(app, pilot)
        screen = text_of(app)

        assert isinstance(app.screen, LaunchScreen)
        checks = app.screen.query_one("#checks", LiveTable)
        assert "✘ sell gas" in screen
        assert "9,412,880 gas" in screen
        assert "2,000,000 gas" in screen
        assert checks.total == 15
        assert "refused: nothing was sent" in screen


async def test_a_dossier_stands_with_its_groups_and_enter_shows_the_simulated_call(
    app: SniperApp, evening: Context
):
    with evening.database.write() as session:
        launch = session.exec(select(Launch).where(Launch.symbol == "GASSY")).one()
        launch.report = {**launch.report, "groups": DOSSIER}
        session.add(launch)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"gassy", "enter", "enter")
        await settled(app, pilot)
        screen = text_of(app)
        assert "✘ powers    mints" in screen
        assert "trading 1/1 · powers 0/2" in screen

        await pilot.press("enter")
        await settled(app, pilot)
        shown = text_of(app)
        assert isinstance(app.screen, EvidenceBox)
        assert "0x40c10f19" in shown
        assert "the supply grew by 99" in shown


async def test_a_bought_launch_tells_its_orders_and_its_result(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"ember", "enter", "enter")
        await settled(app, pilot)
        screen = text_of(app)

        assert "bought · sold by take profit ▲ 0.0598 +59.8%" in screen
        assert "✔ filled, block 135" in screen


async def test_escape_leads_back_to_where_one_was(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "down", "enter")
        await settled(app, pilot)
        await pilot.press("escape")

        assert dashboard(app).table("launches").cursor == 2


async def test_enter_on_a_position_shows_its_exits_and_its_trend(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", *["down"] * 4, "enter")
        await settled(app, pilot)
        screen = text_of(app)

        assert isinstance(app.screen, PositionScreen)
        assert "sells when worth 0.1600 or more" in screen
        assert "+7.5%" in screen
        assert "0.1488" in screen


async def test_enter_on_an_order_shows_checks_and_transactions(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3", "enter")
        await settled(app, pilot)
        screen = text_of(app)

        assert isinstance(app.screen, OrderScreen)
        assert "kill switch" in screen
        assert "mined" in screen


async def test_enter_on_an_event_shows_the_whole_record(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()

        assert isinstance(app.screen, RecordBox)
        assert '"kind": "launch.seen"' in text_of(app)


async def test_the_help_tells_the_keys_of_the_view_and_the_letters_that_sort(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "question_mark")
        await pilot.pause()
        screen = text_of(app)

        assert isinstance(app.screen, HelpBox)
        assert "close the position under the cursor" in screen
        assert "Sort positions" in screen


async def test_the_palette_finds_a_launch_by_its_token(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+p", *"launch froge")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count)
        await settled(app, pilot)
        await pilot.press("enter", "enter")
        await settled(app, pilot)

        assert any(isinstance(each, LaunchScreen) for each in app.screen_stack)


async def test_zoom_shows_one_panel_and_escape_all_of_them(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4", "z")
        await pilot.pause()
        zoomed = [table.id for table in app.screen.query(LiveTable) if table.region.height]
        await pilot.press("escape")
        await pilot.pause()

        assert zoomed == ["events"]
        assert len([table for table in app.screen.query(LiveTable) if table.region.height]) == 4


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_on_a_small_terminal_the_active_panel_and_one_more_have_room(app: SniperApp, key: str):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        visible = [table for table in app.screen.query(LiveTable) if table.region.height]

        assert app.focused in visible
        assert len(visible) == 2
        assert all(table.region.height >= 6 for table in visible)


async def test_new_rows_appear_when_the_journal_grows(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE):
        see_launch(evening.database, "0x" + "ab" * 20)
        await app.read_state()

        assert dashboard(app).table("launches").total == len(ACTS) + 1


async def test_a_head_older_than_two_blocks_is_called_stale(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE) as pilot:
        with evening.database.write() as session:
            cursor = session.get(ChainCursor, (31337, "heads"))
            assert cursor is not None
            cursor.updated_at = NOW - timedelta(seconds=9)
        await app.read_state()
        await pilot.pause()

        assert "block 214 · stale, 9.0 s old" in text_of(app)


async def test_pause_lets_the_screen_stand_still_and_says_so(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("p")
        await pilot.pause()

        assert "PAUSED" in text_of(app)
        assert app.screen.query_one(StatusHeader).paused


async def test_a_token_s_name_is_never_read_as_markup(app: SniperApp, evening: Context):
    async with app.run_test(size=WIDE) as pilot:
        see_launch(evening.database, "0x" + "cd" * 20, symbol="[red]EVIL[/]", name="[@click=quit]x[/]")
        await app.read_state()
        await pilot.press("home", "enter")
        await settled(app, pilot)

        assert "Launch · [red]EVIL[/]" in text_of(app)


DOSSIER = {
    "trading": [{"name": "buy", "outcome": "pass", "detail": "buys", "weight": "ignore", "evidence": []}],
    "powers": [
        {"name": "unknown_authority", "outcome": "not_proven", "detail": "who?", "weight": "warn"},
        {
            "name": "mints",
            "outcome": "fail",
            "detail": "0xabc can make new tokens",
            "weight": "refuse",
            "evidence": [
                {
                    "what": "eth_simulateV1",
                    "to": "0x" + "2" * 40,
                    "sender": "0x" + "7" * 40,
                    "data": "0x40c10f19" + "0" * 64,
                    "block": 215,
                    "result": "the supply grew by 99",
                }
            ],
        },
    ],
}


def see_launch(database: Database, pool: str, symbol: str = "NEW", name: str = "New") -> None:
    """One more launch, as the sniper writes it."""
    with database.write() as session:
        launch = Launch(
            chain_id=31337,
            protocol="uniswap_v2",
            factory="0x" + "1" * 40,
            pool=pool,
            token="0x" + "2" * 40,
            quote_token="0x" + "3" * 40,
            symbol=symbol,
            name=name,
            block_number=215,
            block_hash="0x" + "4" * 64,
            tx_hash="0x" + "5" * 64,
            seen_at=NOW,
        )
        session.add(launch)
        session.flush()
        append(session, "launch.seen", launch.id, {"block_number": 215}, actor="sniper")
