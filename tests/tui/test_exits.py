"""A position's exits in a form: what is in force to begin with, judged by the service, changed once or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select
from textual.pilot import Pilot
from textual.widgets import Input, Static

from docs.scene_acts import NOW
from sniper_cli.context import Context
from sniper_cli.sniping import overrides
from sniper_cli.sniping.rules import ExitRules, rules_of
from state.identifiers import short
from state.journal import JournalRecord, append
from state.leases import Lease
from state.orders import Order, OrderState
from state.positions import Position, PositionState
from tests.tui.conftest import until
from tests.tui.test_alarm import sale
from tests.tui.test_dashboard import settled, text_of
from tui.app import SniperApp
from tui.screens.exits import FIELDS, ExitsBox
from tui.screens.position import PositionScreen
from tui.widgets.facts import Facts

WIDE, SMALL = (120, 36), (80, 24)


async def opened(app: SniperApp, pilot: Pilot[None], *keys: str) -> UUID:
    """The screen of the first open position, and keys pressed on it."""
    await pilot.press("2", "enter")
    await settled(app, pilot)
    assert isinstance(app.screen, PositionScreen)
    identifier = app.screen.identifier
    await pilot.press(*keys)
    await pilot.pause()
    return identifier


def field(app: SniperApp, name: str) -> Input:
    return app.screen.query_one(f"#{name}", Input)


def rules(context: Context, key: UUID) -> ExitRules:
    with context.database.read() as session:
        return rules_of(session.get_one(Position, key))


def told(context: Context, kind: str) -> list[JournalRecord]:
    with context.database.read() as session:
        found = list(session.exec(select(JournalRecord).where(JournalRecord.kind == kind)).all())
        session.expunge_all()
        return found


def side(app: SniperApp) -> list[str]:
    """What stands beside the position, a value a line."""
    return [value for _, value, _ in app.screen.query_one("#figures", Facts).facts]


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_form_begins_with_the_rules_in_force_and_every_rule_has_a_line(
    app: SniperApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, "e")
        assert isinstance(app.screen, ExitsBox)
        typed = {name: field(app, name).value for name, *_ in FIELDS}
        screen = text_of(app)

    # The scene's settings: everything at +60 %, stop at -30 %, 12 % below the peak from +15 % on, a minute.
    assert typed == {
        "take_profit": "60:100", "stop_loss": "30", "trailing": "12", "trailing_activation": "15",
        "break_even": "off", "break_even_steps": "0", "max_age": "1m", "no_profit_after": "off",
        "volume_stall": "off", "price_stall": "off", "liquidity_drop": "30", "watch_pending": "yes",
    }  # fmt: skip
    assert all(title.strip() in screen and about in screen for _, title, about in FIELDS)
    assert "esc  leave it" in screen


async def test_what_is_typed_over_is_changed_journalled_and_the_rest_left_alone(
    app: SniperApp, evening: Context
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        key = await opened(app, pilot, "e")
        before = rules(evening, key)
        field(app, "take_profit").value = "100:50, 300:25"
        field(app, "price_stall").value = "20:0.5"
        field(app, "max_age").value = "2h"
        await pilot.pause()
        options = "--take-profit '100:50, 300:25' --max-age 2h --price-stall 20:0.5"
        command = str(app.screen.query_one(".command", Static).content)
        assert command == f"$ sniper -p demo position exits set {short(key)} {options}"
        assert rules(evening, key) == before

        await pilot.press("enter")
        await settled(app, pilot)
        await until(pilot, lambda: isinstance(app.screen, PositionScreen))

    changed: dict[str, Any] = {
        "take_profit": ("100:50", "300:25"),
        # Where steps count, the single take-profit is none.
        "take_profit_pct": Decimal(0),
        "max_age_seconds": 7200,
        "price_stall_blocks": 20,
        "price_stall_pct": Decimal("0.5"),
    }
    assert rules(evening, key) == replace(before, **changed)
    (record,) = told(evening, "exit.edited")
    assert (record.subject, record.actor) == (str(key), "user:ada")


WRONG = (
    ("stop_loss", "120", "stop-loss-pct: Input should be less than 100"),
    ("take_profit", "50:80,90:40", "the shares add up to more than 100 %"),
    ("max_age", "soon", "'soon' is no duration"),
    ("break_even_steps", "many", "'many' is no number of steps"),
    ("watch_pending", "perhaps", "'perhaps' is neither yes nor no"),
)


async def test_what_is_wrong_is_said_in_the_form_with_its_hint_and_nothing_is_changed(
    app: SniperApp, evening: Context
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        key = await opened(app, pilot, "e")
        before = rules(evening, key)
        for name, text, problem in WRONG:
            field(app, name).value = text
            await pilot.press("enter")
            await settled(app, pilot)
            screen = " ".join(text_of(app).replace("│", " ").split())
            assert problem in screen
            assert "$ sniper position exits set --help" in screen or "$ write 90s" in screen
            assert isinstance(app.screen, ExitsBox)

            field(app, name).value = app.screen.edit.typed[name]
            await pilot.pause()
            assert problem not in text_of(app)
        assert rules(evening, key) == before

        with evening.database.write() as session:
            session.get_one(Position, key).state = PositionState.CLOSED
        field(app, "stop_loss").value = "5"
        await pilot.press("enter")
        await settled(app, pilot)
        assert "the position is closed already" in text_of(app)
        assert isinstance(app.screen, ExitsBox)
    assert told(evening, "exit.edited") == []


async def test_escape_changes_nothing_and_enter_without_a_change_says_so(
    app: SniperApp, evening: Context
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        key = await opened(app, pilot, "e", "enter")
        assert "nothing is changed yet" in text_of(app)
        before = rules(evening, key)
        await pilot.press("down", "5", "escape")
        await settled(app, pilot)
        assert isinstance(app.screen, PositionScreen)
    assert rules(evening, key) == before
    assert told(evening, "exit.edited") == []


def looks(context: Context, key: UUID, at: object) -> None:
    """A sniper marks the position, as it does at every block."""
    with context.database.write() as session:
        session.get_one(Position, key).marked_at = at  # type: ignore[assignment]


async def test_other_rules_are_pending_until_the_sniper_has_looked_again(
    app: SniperApp, evening: Context
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        key = await opened(app, pilot)
        overrides.hold(evening.database, key, actor="user:ada")
        await refreshed(app, pilot)
        assert "waits: no sniper is at work" in side(app)

        with evening.database.write() as session:
            name = f"sniper:{session.get_one(Position, key).account_id}"
            session.add(Lease(name=name, holder="h", epoch=1, expires_at=NOW + timedelta(seconds=9)))
            append(session, "runner.started", name, {}, actor="sniper")
        await refreshed(app, pilot)
        assert "waits for the sniper's next block" in side(app)

        looks(evening, key, told(evening, "exit.held")[0].at + timedelta(seconds=1))
        await refreshed(app, pilot)
        assert not [words for words in side(app) if words.startswith("waits")]
        assert "only fleeing rules and you sell it" in side(app)

        await pilot.press("x")  # beside a sniper at work it is he who is asked to sell
        await pilot.pause()
        assert f"position exit {short(key)} --share 100" in text_of(app)


async def test_a_sale_asked_for_is_shown_until_it_is_done(app: SniperApp, evening: Context) -> None:
    async with app.run_test(size=WIDE) as pilot:
        key = await opened(app, pilot)
        request = overrides.ask(
            evening.database, key, share=Decimal(50), urgent=True, max_slippage_bps=None, actor="user:bob"
        )
        await refreshed(app, pilot)
        assert "50 % at once, by user:bob" in side(app)
        assert "waits: no sniper is at work" in side(app)

        with evening.database.write() as session:
            half = sale(session, "PIXEL", 1, OrderState.SENT, quantity=1, bid=1)
            half.reason = {**half.reason, "request": request}
        await refreshed(app, pilot)
        assert "the sniper has taken it up" in side(app)

        with evening.database.write() as session:
            done = session.get_one(Order, half.id)
            done.quantity = int(session.get_one(Position, key).exit_rules["request"]["quantity"])
            done.state = OrderState.FILLED
            append(session, "order.state", done.id, {"state": "filled"}, actor="sniper")
        await refreshed(app, pilot)
        assert "50 % at once, by user:bob" not in side(app)


async def refreshed(app: SniperApp, pilot: Pilot[None]) -> None:
    await app.read_state()
    await settled(app, pilot)
