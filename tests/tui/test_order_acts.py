"""Orders on paper from the screens: cancelled, changed, ended all at once — asked first, as the command would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlmodel import select as query
from textual.widgets import Input

from sniper_cli.context import Context, open_context
from sniper_cli.trading.placing import place
from sniper_cli.trading.requests import OrderRequest
from state.orders import Order
from state.schema import upgrade
from tests.tui.test_dashboard import WIDE, settled, text_of
from tui.app import SniperApp
from tui.screens.dialogs import AmendBox, ConfirmAct
from tui.screens.order import OrderScreen


@pytest.fixture
def paper(home: object) -> Iterator[Context]:
    """A paper profile with one order far below the market, and a bracket."""
    del home
    with open_context("paper", needs_schema=False) as context:
        upgrade(context.database)
        for request in (
            OrderRequest("buy", "BTC/USDT", quantity="0.1", price="20000", client_id="low"),
            OrderRequest("buy", "ETH/USDT", budget="500", take_profit="50%", stop_loss="50%", client_id="b"),
        ):
            asyncio.run(place(context, request, lambda _: None))
        yield context


def app_on(context: Context) -> SniperApp:
    app = SniperApp(context, panel="orders", poll_seconds=0)
    app.animation_level = "none"
    return app


def order(context: Context, client_id: str) -> Order:
    with context.database.read() as session:
        found = session.exec(query(Order).where(Order.client_order_id == client_id)).one()
        session.expunge(found)
        return found


def state(context: Context, client_id: str) -> str:
    return order(context, client_id).state.value


async def select(app: SniperApp, pilot: object, client_id: str) -> None:
    """Put the cursor on an order."""
    from tui.widgets.live_table import LiveTable

    wanted = order(app.context, client_id).id
    table = app.screen.query_one("#orders", LiveTable)
    for _ in range(table.total):
        if table.current is not None and table.current.id == wanted:
            return
        await pilot.press("down")  # type: ignore[attr-defined]
    raise AssertionError(f"{client_id} is not in the table")


async def test_an_order_is_cancelled_with_the_command_it_equals(paper: Context) -> None:
    app = app_on(paper)
    async with app.run_test(size=WIDE) as pilot:
        await select(app, pilot, "low")
        await pilot.press("x")
        await pilot.pause()
        assert "Ends the 0.1 BTC limit order" in text_of(app)
        assert "$ sniper order cancel" in text_of(app)

        await pilot.press("enter")
        await settled(app, pilot)

    assert state(paper, "low") == "cancelled"


async def test_an_order_that_is_over_cannot_be_cancelled(paper: Context) -> None:
    app = app_on(paper)
    async with app.run_test(size=WIDE) as pilot:
        await select(app, pilot, "b")
        await pilot.press("x")
        await pilot.pause()
        assert [notice.message for notice in app._notifications] == ["this order is over already"]


async def test_an_order_is_changed_by_what_is_typed(paper: Context) -> None:
    app = app_on(paper)
    async with app.run_test(size=WIDE) as pilot:
        await select(app, pilot, "low")
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, AmendBox)
        app.screen.query_one("#quantity", Input).value = "0.05"
        app.screen.query_one("#price", Input).value = "21000"
        await pilot.press("enter")
        await pilot.pause()
        assert "--quantity 0.05 --price 21000" in text_of(app)
        await pilot.press("enter")
        await settled(app, pilot)

    changed = order(paper, "low")
    assert (changed.quantity, changed.limit_price) == (5_000_000, 21_000)


async def test_all_orders_are_cancelled_counted_first_and_with_a_word(paper: Context) -> None:
    app = app_on(paper)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("X")
        await pilot.pause()
        assert "Cancel all 3 orders" in text_of(app)
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmAct)
        assert state(paper, "low") == "open"
        await pilot.press(*"all", "enter")
        await settled(app, pilot)

    assert {state(paper, name) for name in ("low", "b/tp", "b/sl")} == {"cancelled"}


async def test_an_order_s_own_screen_cancels_it_with_the_same_key(paper: Context) -> None:
    app = app_on(paper)
    async with app.run_test(size=WIDE) as pilot:
        await select(app, pilot, "low")
        await pilot.press("enter")
        await settled(app, pilot)
        assert isinstance(app.screen, OrderScreen)
        await pilot.press("x")
        assert isinstance(app.screen, ConfirmAct)
