"""An exit that does not get out: seen on every screen, by whoever looks, until the sale that goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, select
from textual.pilot import Pilot

from docs.scene_acts import CHAIN, GWEI, NOW, SETTINGS
from sniper_cli.context import Context
from sniper_cli.sniping.attempts import WAITS_LONG
from state.accounts import Instrument
from state.database import Database
from state.journal import append
from state.launches import ChainCursor
from state.orders import Order, OrderState, OrderType, Side, TimeInForce
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.tui.test_dashboard import WIDE, settled, text_of
from tui.app import SniperApp
from tui.screens.position import PositionScreen
from tui.widgets.alarm import AlarmBar, tried
from tui.widgets.live_table import LiveTable

SMALL = (80, 24)
REASON = "TransferHelper: TRANSFER_FROM_FAILED"
OFTEN = SETTINGS.sniping.exits.stuck_after


def held(session: Session, token: str) -> Position:
    query = select(Position).join(Instrument, Instrument.id == Position.instrument_id)  # type: ignore[arg-type]
    return session.exec(query.where(Instrument.symbol == f"{token}/ETH", Position.state == "open")).one()


def sale(session: Session, token: str, number: int, state: OrderState, *, quantity: int, bid: int) -> Order:
    """One sale by a rule, as the sniper leaves it behind, with the transaction that was signed for it."""
    position = held(session, token)
    at = NOW - timedelta(seconds=60 - number)
    order = Order(
        account_id=position.account_id,
        client_order_id=f"position-{position.id}-exit-{number}",
        instrument_id=position.instrument_id,
        side=Side.SELL,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.FOK,
        state=state,
        quantity=quantity,
        position_id=position.id,
        reason={
            "origin": "exit",
            "rule": "stop_loss",
            "attempt": number,
            "max_slippage_bps": min(9900, 3000 + 1500 * number),
        },
        explanation=REASON if state is OrderState.REJECTED else None,
        created_at=at,
    )
    session.add(order)
    session.flush()
    session.add(
        ChainTransaction(
            account_id=position.account_id, order_id=order.id, purpose=Purpose.SELL, chain_id=CHAIN, sender="0x8b",
            nonce=900 + number, tx_hash=f"0x{token}{number}", raw="0x02", to="0x1", gas_limit=200_000, max_fee=bid,
            value=0, priority_fee=GWEI, state=TransactionState.SENT, planned_block=200,
        )
    )  # fmt: skip
    append(session, "order.state", order.id, {"state": state.value}, actor="sniper", at=at)
    return order


def fail(database: Database, token: str, times: int = OFTEN, *, first: int = 1) -> UUID:
    """So many sales that failed, each for half of the one before and for a gwei more."""
    with database.write() as session:
        position = held(session, token)
        for number in range(first, first + times):
            quantity = position.quantity >> (number - 1)
            sale(session, token, number, OrderState.REJECTED, quantity=quantity, bid=number * GWEI)
        return position.id


def out(database: Database, token: str) -> None:
    """The sale that goes through, and the position with it."""
    with database.write() as session:
        position = held(session, token)
        sale(session, token, 90, OrderState.FILLED, quantity=position.quantity, bid=9 * GWEI)
        position.state, position.closed_at, position.quantity = PositionState.CLOSED, NOW, 0


async def look(app: SniperApp, pilot: Pilot[None]) -> str:
    await app.read_state()
    await pilot.pause()
    return text_of(app)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_stuck_exit_is_told_above_everything_with_what_was_tried_until_it_is_out(
    app: SniperApp, evening: Context, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert not app.screen.query_one(AlarmBar).display

        fail(evening.database, "QUARTZ")
        lines = (await look(app, pilot)).splitlines()
        assert lines[2].strip() == "■ ALARM  QUARTZ cannot be sold: 5 sales in a row have failed"
        assert lines[3].startswith(" tried: down to 1/16, up to 5 gwei, 99% worse: Transfer")
        assert lines[3].rstrip().endswith("!  opens it")

        out(evening.database, "QUARTZ")
        assert "ALARM" not in await look(app, pilot)
        assert not app.screen.query_one(AlarmBar).display


async def test_it_takes_as_many_failures_as_the_setting_says_and_stays_while_the_next_sale_is_under_way(
    app: SniperApp, evening: Context
) -> None:
    fail(evening.database, "QUARTZ", OFTEN - 1)
    async with app.run_test(size=WIDE) as pilot:
        assert "ALARM" not in await look(app, pilot)
        fail(evening.database, "QUARTZ", 1, first=OFTEN)
        assert "ALARM" in await look(app, pilot)
        with evening.database.write() as session:
            sale(session, "QUARTZ", OFTEN + 1, OrderState.SENT, quantity=1, bid=GWEI)
        assert "5 sales in a row have failed" in await look(app, pilot)


async def test_its_row_stands_first_and_marked(app_at: Callable[[str], SniperApp], evening: Context) -> None:
    fail(evening.database, "WAVE")
    app = app_at("positions")
    async with app.run_test(size=WIDE) as pilot:
        screen = await look(app, pilot)
        first = app.screen.query_one("#positions", LiveTable).shown[0]
        assert app.dashboard is not None
        assert first == app.dashboard.alarms[0].position_id
        assert "■ WAVE" in screen
        assert "cannot sell" in screen
        assert "1 cannot be sold · 5 open" in screen


async def test_a_sale_that_no_block_takes_is_an_alarm_from_the_twentieth_block_on(
    app: SniperApp, evening: Context
) -> None:
    with evening.database.write() as session:
        sale(session, "QUARTZ", 1, OrderState.SENT, quantity=1, bid=GWEI)
    async with app.run_test(size=WIDE) as pilot:
        for head, told in ((200 + WAITS_LONG - 1, False), (200 + WAITS_LONG, True)):
            with evening.database.write() as session:
                cursor = session.get_one(ChainCursor, (CHAIN, "heads"))
                cursor.block_number = head
            assert ("a sale has waited for 20 blocks" in await look(app, pilot)) is told


async def test_the_key_opens_its_screen_with_every_attempt_and_again_the_next_one(
    app: SniperApp, evening: Context
) -> None:
    second = fail(evening.database, "WAVE")
    first = fail(evening.database, "QUARTZ", OFTEN + 1)
    with evening.database.write() as session:
        for order in session.exec(select(Order).where(Order.position_id == first)):
            order.created_at -= timedelta(minutes=1)
    async with app.run_test(size=WIDE) as pilot:
        assert "(1 of 2)" in await look(app, pilot)
        await pilot.press("m", "exclamation_mark")
        await settled(app, pilot)
        assert isinstance(app.screen, PositionScreen)
        assert app.screen.identifier == first
        screen = text_of(app)
        assert "6 sales in vain" in screen
        assert "1/32, 6 gwei, −99%" in screen
        assert "h  half · x  all" in screen

        await pilot.press("exclamation_mark")
        await settled(app, pilot)
        assert isinstance(app.screen, PositionScreen)
        assert app.screen.identifier == second


async def test_the_bell_rings_once_for_each_and_not_where_the_settings_say_no(
    app: SniperApp, evening: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(SniperApp, "bell", lambda _: rung.append("bell"))
    async with app.run_test(size=WIDE) as pilot:
        fail(evening.database, "QUARTZ")
        await look(app, pilot)
        fail(evening.database, "QUARTZ", 2, first=OFTEN + 1)
        await look(app, pilot)
        assert len(rung) == 1
        fail(evening.database, "WAVE")
        await look(app, pilot)
        assert len(rung) == 2

    quiet = SETTINGS.model_copy(update={"screens": SETTINGS.screens.model_copy(update={"bell": False})})
    silent = SniperApp(
        replace(evening, resolved=replace(evening.resolved, settings=quiet)),
        clock=lambda: NOW,
        poll_seconds=0,
    )
    async with silent.run_test(size=WIDE) as pilot:
        assert "ALARM" in await look(silent, pilot)
    assert len(rung) == 2


def test_nothing_tried_is_told_as_nothing() -> None:
    assert tried(()) == ""
