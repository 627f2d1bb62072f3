"""The risk screen driven by keys: limits as bars, what was broken, and the kill switch by scope with its word typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from sniper_cli.context import Context
from sniper_cli.monitoring.rows import Dashboard, OrderRow
from sniper_cli.risk import switch
from sniper_cli.risk.report import LimitUse, RiskReport, SwitchView
from sniper_cli.risk.setting import Wanted, Whom, set_limit
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.venues.paper import ensure_account
from state.controls import GLOBAL, Resting, scope_name
from state.database import Database
from state.orders import OrderState, Side
from tui.app import SniperApp
from tui.screens.dialogs import ConfirmAct
from tui.screens.help import HelpBox
from tui.screens.risk import RiskScreen, ScopeBox
from tui.widgets.live_table import LiveTable

WIDE, SMALL = (120, 36), (80, 24)
NOW = datetime(2026, 3, 14, 20, 15, 42, tzinfo=UTC)


@pytest.fixture
def paper(home: Path, sqlite_database: Database) -> Context:
    """A paper account with two limits."""
    del home
    ensure_account(sqlite_database)
    for wanted in (
        Wanted("order_notional", "20000"),
        Wanted("daily_loss", "500", Whom(strategy="grid")),
    ):
        set_limit(sqlite_database, wanted, account="paper", actor="user:ada")
    return Context(Resolved("paper", Settings(), {}), home_paths(), sqlite_database, "user:ada")


@pytest.fixture
def app(paper: Context) -> SniperApp:
    app = SniperApp(paper, clock=lambda: NOW, poll_seconds=0)
    app.animation_level = "none"
    return app


def text_of(app: SniperApp) -> str:
    """Everything on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def settled(app: SniperApp, pilot: Pilot[None]) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


async def opened(app: SniperApp, pilot: Pilot[None], *keys: str) -> RiskScreen:
    for key in ("r", *keys):
        await pilot.press(key)
        await settled(app, pilot)
    screen = app.view
    assert isinstance(screen, RiskScreen)
    return screen


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_r_opens_every_limit_and_what_is_at_stake(app: SniperApp, size: tuple[int, int]):
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot)
        text = text_of(app)

        assert {use.name for use in screen.query_one("#limits", LiveTable)._rows.values()} == {
            "order_notional",
            "daily_loss",
            "collar",
        }
        assert "each order at most 20000 USDT" in text
        assert "daily loss" in text
        assert "nothing is over its limit" in text
        assert "○ trading allowed" in text
        assert "100,000 USDT" in text


async def test_s_asks_what_to_stop_and_wants_the_word(app: SniperApp, paper: Context):
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot, "s")
        assert isinstance(app.screen, ScopeBox)
        choices = app.screen.query_one(OptionList)
        assert [str(choices.get_option_at_index(place).prompt) for place in range(choices.option_count)] == [
            "○ kill    everything",
            "○ kill    account paper",
            "○ kill    strategy grid",
        ]

        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmAct)
        assert "$ sniper risk kill --account paper --reason" in text_of(app)
        await pilot.press(*"kil", "enter")
        assert app.screen.query_one("#word", Input).value == ""
        assert not [one for one in switch.status(paper.database) if one.tripped]

        await pilot.press(*"kill", "enter")
        await settled(app, pilot)
        found = [one for one in switch.status(paper.database) if one.tripped]
        assert [one.scope.partition(":")[0] for one in found] == ["account"]
        assert found[0].resting is Resting.CANCEL


async def test_what_is_stopped_is_offered_to_go_on(app: SniperApp, paper: Context):
    scope = scope_name("strategy", "grid")
    switch.trip(paper.database, "user:ada", "loses too much", scope)
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        assert "■ strategy grid" in text_of(app)
        assert "loses too much" in text_of(app)

        await pilot.press("s", "end", "enter", *"resume", "enter")
        await settled(app, pilot)
        assert not [one for one in switch.status(paper.database) if one.tripped]


async def test_escape_leaves_the_choice_and_then_the_screen(app: SniperApp, paper: Context):
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot, "s")
        await pilot.press("escape")
        assert isinstance(app.screen, RiskScreen)
        await pilot.press("escape")
        await pilot.pause()

        assert not isinstance(app.view, RiskScreen)
        assert not [one for one in switch.status(paper.database, GLOBAL) if one.tripped]


async def test_a_limit_set_elsewhere_appears_at_the_next_look(app: SniperApp, paper: Context):
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        set_limit(paper.database, Wanted("open_orders", "7"), account="paper", actor="user:ada")
        screen.look()
        await settled(app, pilot)

        assert "0%  0 of 7" in text_of(app)


async def test_the_help_tells_the_screen_s_own_key(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot, "question_mark")

        assert isinstance(app.screen, HelpBox)
        assert "stop or resume: choose what" in text_of(app)


# -- pictures -----------------------------------------------------------------------------------------------------


def use(name: str, share: str | None, value: str | None, most: str, set_to: str, **fields: Any) -> LimitUse:
    told = {
        "scope": "account",
        "of": "paper",
        "group": None,
        "unit": "USDT",
        "broken": False,
        "on_breach": "refuse",
        "instrument": None,
        "until": None,
    } | fields
    shown = None if share is None else Decimal(share)
    counted = None if value is None else Decimal(value)
    return LimitUse(name=name, value=counted, limit=Decimal(most), set_to=set_to, share_pct=shown, **told)


OF_GRID = {"scope": "strategy", "of": "grid"}
REPORT = RiskReport(
    kill_switch="not tripped",
    by=None,
    reason=None,
    at=None,
    switches=(
        SwitchView("strategy:grid", "rule", "daily_loss: 512 USDT, at most 500", NOW, "keep_exits", False),
    ),
    account="paper",
    equity=Decimal("98750.25"),
    gross_exposure=Decimal("41230.5"),
    net_exposure=Decimal("41230.5"),
    leverage=Decimal("0.42"),
    open_orders=3,
    open_positions=2,
    max_open_positions=None,
    spent=Decimal(42000),
    max_total_spend=None,
    unit="USDT",
    limits=(
        use("order_notional", None, None, "20000", "20000 USDT"),
        use("gross_exposure", "82.5", "41230.5", "50000", "50000 USDT", scope="tenant", of="main"),
        use("concentration", "101.3", "30010.2", "29625.07", "30%", broken=True, instrument="BTC/USDT"),
        use("correlated_exposure", "68.8", "41230.5", "60000", "60000 USDT", group="majors"),
        use("open_orders", "30", "3", "10", "10", unit=""),
        use("daily_loss", "102.4", "512", "500", "500 USDT", **OF_GRID, broken=True, on_breach="trip"),
        use("drawdown", "8.5", "1249.75", "14812.5", "15%", on_breach="flatten"),
        use("collar", None, None, "1000", "10%", scope="default", of="", unit="bps"),
    ),
    account_scope="account:01a2",
    strategies=("grid",),
)
REFUSED = OrderRow(
    id=UUID(int=1), created_at=NOW, symbol="BTC/USDT", side=Side.BUY, type="market", state=OrderState.REFUSED,
    origin="grid", quantity=10**8, budget=None, filled_quantity=0, filled_notional=0, decimals=8, quote_decimals=6,
    gas=None, tx_hash=None, block_number=None,
    explanation="order_notional: 90054.39 USDT, at most 20000; funds: 91000 needed at most, 58000 USDT available",
    launch_id=None, position_id=None,
)  # fmt: skip


@pytest.fixture
def fixed(app: SniperApp, monkeypatch: pytest.MonkeyPatch) -> SniperApp:
    """A screen whose figures stand still."""
    monkeypatch.setattr("tui.screens.risk.report", lambda _context: REPORT)
    read = app.monitor.read

    def board() -> Dashboard:
        from dataclasses import replace

        return replace(read(), orders=(REFUSED,))

    monkeypatch.setattr(app.monitor, "read", board)
    return app


async def test_breaches_are_limits_that_are_over_and_orders_that_were_refused(fixed: SniperApp):
    async with fixed.run_test(size=WIDE) as pilot:
        screen = await opened(fixed, pilot)
        table = screen.query_one("#breaches", LiveTable)
        rows = [(row.what, row.detail) for row in table._rows.values()]

        assert [what for what, _ in rows] == ["concentration", "daily loss", "order notional"]
        assert rows[-1][1] == "buy BTC/USDT: 90054.39 USDT, at most 20000"
        assert "2 over" in text_of(fixed)


PICTURES = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="one Python draws the snapshots")
Keys = tuple[str, ...]


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def run(pilot: Pilot[Any]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    return run


@PICTURES
@pytest.mark.parametrize(
    ("size", "keys"),
    [(WIDE, ("r",)), (SMALL, ("r",)), (WIDE, ("r", "s")), (WIDE, ("r", "s", "down", "enter"))],
    ids=["risk", "risk-small", "risk-scopes", "risk-kill"],
)
def test_screen(snap_compare: Any, fixed: SniperApp, size: tuple[int, int], keys: Keys):
    assert snap_compare(fixed, terminal_size=size, run_before=after(*keys))
