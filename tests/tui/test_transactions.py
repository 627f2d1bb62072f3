"""Transactions on the screen: what waits stands first, with its next step; on a real chain bids raised and ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import select
from textual.pilot import Pilot

from docs.scene_acts import GWEI
from sniper_cli.context import Context
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.trading.assembly import open_desk, resolve_instrument
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.trading.transactions import TransactionView
from state.identifiers import short
from state.orders import OrderState, Side
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.tui.conftest import until
from tests.tui.test_alarm import sale
from tests.tui.test_dashboard import WIDE, settled, text_of
from tests.zoo import list_token
from tui.app import SniperApp
from tui.screens.dialogs import ConfirmAct, ErrorBox
from tui.screens.order import OrderScreen
from tui.screens.transactions import TransactionsScreen, brief
from tui.widgets.facts import Facts
from tui.widgets.live_table import LiveTable

SMALL = (80, 24)
WEI = 10**18


async def opened(app: SniperApp, pilot: Pilot[None]) -> TransactionsScreen:
    await pilot.press("t")
    await settled(app, pilot)
    screen = app.screen
    assert isinstance(screen, TransactionsScreen)
    await until(pilot, lambda: screen.views)
    await pilot.pause()
    return screen


def facts(screen: TransactionsScreen, name: str) -> dict[str, str]:
    return {label: value for label, value, _ in screen.query_one(f"#{name}", Facts).facts if label}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_what_waits_stands_first_whole_with_what_shares_its_nonce_though_no_node_can_be_asked(
    app: SniperApp, evening: Context, size: tuple[int, int]
) -> None:
    """There is no chain behind the scene: that is told, and the record shown."""
    with evening.database.write() as session:
        sale(session, "QUARTZ", 1, OrderState.SENT, quantity=1, bid=3_214_567_890)
        [old] = session.exec(select(ChainTransaction).where(ChainTransaction.nonce == 901)).all()
        session.add(ChainTransaction(**old.model_dump(exclude={"id"}) | {"tx_hash": "0xnew"}))
        old.state, old.max_fee = TransactionState.REPLACED, GWEI
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot)
        first = text_of(app).splitlines()[4].replace("│", " ").split()
        assert first[:5] == ["901", "sell", "QUARTZ", "→", "sent"]
        assert "3.215 / –" in text_of(app)
        counts = str(screen.query_one("#transactions").border_subtitle)
        assert counts == "no node was asked · 1 waiting of 30"
        assert facts(screen, "bid")["at most"] == "3.21456789 gwei per gas"
        assert facts(screen, "next")["same nonce"] == "– replaced sell at 1 gwei"
        assert "no exchange on chain 31337" in facts(screen, "next")["node"]

        await pilot.press("b")
        await settled(app, pilot)
        assert isinstance(app.screen, ErrorBox)


async def test_enter_opens_the_order_and_a_mined_one_has_no_bid_to_raise(app: SniperApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("b")
        await pilot.pause()
        assert [notice.message for notice in app._notifications] == ["it is mined: nothing waits of it"]
        await pilot.press("enter")
        await settled(app, pilot)
        assert isinstance(app.screen, OrderScreen)


async def test_the_node_is_asked_again_only_while_something_waits(
    app: SniperApp, evening: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("tui.screens.transactions.LOOK_SECONDS", 0)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        monkeypatch.setattr(screen, "look", lambda: asked.append("look"))
        await app.read_state()
        await app.read_state()
        assert len(asked) <= 1  # the journal's place is taken at the first look at it
        asked.clear()
        screen.views = [replace(screen.views[0], state="sent")]
        await app.read_state()
        assert asked == ["look"]


@pytest.mark.parametrize(
    ("gwei", "text"),
    [
        ("300.25", "300.2"),
        ("28.4125", "28.41"),
        ("3", "3"),
        ("0.0004", "<.001"),
        ("12345.6", "12350"),
        ("0", "0"),
    ],
)
def test_a_fee_is_told_in_four_digits(gwei: str, text: str) -> None:
    assert brief(Decimal(gwei)) == text


@dataclass
class Waiting:
    """A purchase that no block takes: the chain mines only when it is asked to."""

    chain: Chain
    context: Context

    def rows(self) -> list[ChainTransaction]:
        with self.context.database.read() as session:
            found = list(session.exec(select(ChainTransaction).order_by("id")).all())
            session.expunge_all()
            return found


@pytest.fixture
async def waiting(home: Path, anvil: Chain) -> AsyncIterator[Waiting]:
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10 * WEI)])
        token, _ = await list_token(anvil.node, anvil.exchange, "Normal")
        async with open_desk(context) as desk:
            instrument, _, _ = await resolve_instrument(desk, token)
            await anvil.node.call("evm_setAutomine", [False])
            intent = OrderIntent(desk.account.id, instrument.id, Side.BUY, "waiting", budget=WEI // 10)
            outcome = (await desk.desk.submit(intent))[0]
            assert outcome.order.state is OrderState.SENT, outcome.order.explanation
        yield Waiting(anvil, context)
        await anvil.node.call("anvil_dropAllTransactions")
        await anvil.node.call("evm_setAutomine", [True])


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
async def test_a_bid_is_raised_and_then_ended_from_the_screen_under_the_same_nonce(waiting: Waiting) -> None:
    app = SniperApp(waiting.context, poll_seconds=0)
    app.animation_level = "none"
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        view = current(screen)
        assert (view.nonce, view.place) == (0, "next to be mined")
        assert facts(screen, "next")["next"].startswith("its bid is raised")
        assert f"at {view.next_at_block}: its bid is" in text_of(app)
        assert view.base_fee is not None

        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmAct))
        await pilot.pause()
        assert "Raise the bid of the buy under nonce 0" in text_of(app)
        assert f"instead of {view.max_fee:f}" in " ".join(text_of(app).replace("│", "").split())
        assert f"tx speed-up {short(view.id)}" in text_of(app)
        assert len(waiting.rows()) == 1
        await pilot.press("enter")
        await until(pilot, lambda: len(waiting.rows()) == 2)
        old, new = waiting.rows()
        assert (old.state, new.state) == (TransactionState.REPLACED, TransactionState.SENT)
        assert (new.nonce, new.data) == (old.nonce, old.data)

        await until(pilot, shows(screen, new))
        assert facts(screen, "next")["same nonce"] == f"– replaced buy at {view.max_fee:f} gwei"
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmAct))
        await pilot.pause()
        assert "End the buy under nonce 0" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(waiting.rows()) == 3)
        end = waiting.rows()[-1]
        assert (end.purpose, end.nonce, end.value, end.to) == (Purpose.CANCEL, 0, 0, end.sender)
        await settled(app, pilot)


def current(screen: TransactionsScreen) -> TransactionView:
    found = screen.query_one("#transactions", LiveTable).current
    assert isinstance(found, TransactionView)
    return found


def shows(screen: TransactionsScreen, row: ChainTransaction) -> Callable[[], bool]:
    """The screen has looked again, and the cursor is on what took the old one's place."""

    def look() -> bool:
        screen.look()
        return current(screen).id == row.id

    return look
