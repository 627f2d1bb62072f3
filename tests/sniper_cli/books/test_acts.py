"""Each event of a record is told as one act, as informative as a record of its own would be."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.audit.reading import Entries, entries
from sniper_cli.books.acts import MANY, Act, acts_of
from sniper_cli.books.events import Moved
from sniper_cli.books.records import Page
from sniper_cli.monitoring.rows import event_rows
from sniper_cli.monitoring.sentences import Money
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination
from sniper_cli.trading.intents import CheckResult, OrderIntent, Terms
from state.database import Database
from state.journal import JournalRecord
from state.orders import OrderState, Side
from state.positions import LotMethod
from tests.books_fixtures import COIN, PAIR, POINT, TOKEN, Ledger


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    found = Ledger(database)
    yield found
    found.books.close()


def told(ledger: Ledger, *, most: int | None = None) -> list[Act]:
    """The acts of the last record."""
    with ledger.database.read() as session:
        last = session.exec(select(JournalRecord).order_by(JournalRecord.seq.desc())).first()  # type: ignore[attr-defined]
        assert last is not None
        [acts] = acts_of(session, [last], most=most)
    return acts


def kinds(acts: list[Act]) -> list[str]:
    return [act.kind for act in acts]


def words(ledger: Ledger) -> list[str]:
    """The last record's lines in an event log."""
    with ledger.database.read() as session:
        last = session.exec(select(JournalRecord).order_by(JournalRecord.seq.desc())).first()  # type: ignore[attr-defined]
        assert last is not None
        return [row.text for row in event_rows(session, [last], Money("ETH"))]


def test_a_purchase_is_recorded_opens_a_position_and_is_filled(ledger: Ledger) -> None:
    trade = ledger.buy(100, 1000, fee=7, reason={"origin": "test"}, strategy="grid")
    recorded, opened, filled = told(ledger)
    position = str(ledger.position().id)

    assert (recorded.kind, recorded.subject) == ("order.recorded", str(ledger.order(trade.order).id))
    assert recorded.data.items() >= {
        "instrument": "TOKEN/COIN", "side": "buy", "type": "market", "quantity": 100, "strategy": "grid",
        "reason": {"origin": "test"},
    }.items()  # fmt: skip
    assert (opened.kind, opened.subject) == ("position.opened", position)
    assert opened.data.items() >= {"instrument": "TOKEN/COIN", "quantity": 100, "spent": 1000}.items()
    assert (filled.kind, filled.subject) == ("order.filled", recorded.subject)
    assert filled.data.items() >= {
        "side": "buy", "quantity": 100, "notional": 1000, "fee": 7, "fee_asset": COIN, "position": position,
        "venue_trade_id": trade.trade,
    }.items()  # fmt: skip
    assert {act.at for act in (recorded, opened, filled)} == {ledger.order(trade.order).created_at}


def test_what_adds_to_a_position_opens_none(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.buy(50, 700)
    assert kinds(told(ledger)) == ["order.recorded", "order.filled"]


def test_a_sale_tells_its_lots_and_the_last_one_what_the_position_brought(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.sell(40, 600)
    _, filled = told(ledger)
    [lot] = filled.data["lots"]
    assert (lot["quantity"], lot["cost"], lot["proceeds"]) == (40, 400, 600)
    assert filled.data["realised"] == 200

    ledger.sell(60, 900, fee=5, reason={"rule": "stop_loss"})
    recorded, filled, closed = told(ledger)
    assert (recorded.kind, filled.kind, closed.kind) == ("order.recorded", "order.filled", "position.closed")
    assert closed.subject == str(ledger.position().id)
    assert closed.data == {
        "instrument": "TOKEN/COIN", "rule": "stop_loss", "spent": "1000", "received": "1500", "fees": "5",
        "realised": "500",
    }  # fmt: skip


def test_a_fill_of_an_order_of_before_knows_its_side(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    order = ledger.open_order(Side.SELL, 30)
    ledger.fill(order, 10, 200, "t1")
    [filled] = told(ledger)
    assert (filled.data["side"], filled.data["venue_trade_id"]) == ("sell", "t1")


def test_a_turn_closes_one_position_and_opens_another(database: Database) -> None:
    ledger = Ledger(database, margin=Decimal(3))
    ledger.buy(100, 1000)
    ledger.sell(250, 5000)
    assert kinds(told(ledger)) == ["order.recorded", "position.opened", "order.filled", "position.closed"]
    long, short = ledger.positions()
    _, opened, _, closed = told(ledger)
    assert (opened.subject, closed.subject) == (str(short.id), str(long.id))
    assert opened.data.items() >= {"quantity": 150, "spent": 3000}.items()
    ledger.books.close()


def test_a_refusal_says_why_and_keeps_its_checks(ledger: Ledger) -> None:
    def refuse(page: Page) -> None:
        intent = OrderIntent(ledger.account_id, PAIR, Side.BUY, "no", quantity=100)
        found = Examination([("instrument",)], [CheckResult("funds", False, "too few", {"needed": "7"})])
        recording.write(page, recording.draft(page, intent, OrderState.RECORDED), found)

    ledger.turn(refuse)
    [refused] = told(ledger)
    assert refused.kind == "order.refused"
    assert refused.data["why"] == "funds: too few"
    assert refused.data["checks"] == [
        ["instrument"],
        {"name": "funds", "passed": False, "detail": "too few", "figures": {"needed": "7"}},
    ]
    assert words(ledger) == ["buy refused: 0.0000000000000001 TOKEN – funds: too few"]


def test_an_order_is_sent_and_taken_back_and_ends(ledger: Ledger) -> None:
    order = ledger.open_order(Side.BUY, 100, state=OrderState.RECORDED)
    reference = "0x" + "ab" * 32

    def move(state: OrderState, explanation: str | None = None, **facts: Any) -> str:
        ledger.turn(
            lambda page: recording.move(
                page, page.book.find_order(order), state, explanation, venue_reference=reference, facts=facts
            )
        )
        [act] = told(ledger)
        assert act.subject == str(ledger.order(order).id)
        return act.kind

    assert move(OrderState.SENT) == "order.sent"
    assert words(ledger) == ["given to the venue as 0xabab…abab"]
    assert move(OrderState.REJECTED, "it reverted", gas_used=21000) == "order.state"
    assert told(ledger)[0].data["gas_used"] == 21000
    assert words(ledger) == ["now rejected – it reverted"]
    assert move(OrderState.SENT, "a reorganisation took it back") == "order.state"


def test_what_a_reorganisation_took_back_is_told_with_its_figures(ledger: Ledger) -> None:
    trade = ledger.buy(100, 1000)
    ledger.undo(trade)
    [act] = told(ledger)
    assert (act.kind, act.data["reversed"]) == ("order.state", trade.trade)
    assert (act.data["quantity"], act.data["notional"]) == ("100", "1000")
    assert words(ledger) == ["a fill was taken back by a reorganisation"]


def test_money_without_a_trade_is_the_accounts_and_gas_the_orders(ledger: Ledger) -> None:
    from sniper_cli.books.cash import move_cash
    from state.accounts import Movement

    [deposit] = told(ledger)
    assert (deposit.kind, deposit.subject) == ("account.deposit", str(ledger.account_id))
    assert deposit.data.items() >= {"movement": "deposit", "asset": COIN, "reference": "opening"}.items()

    ledger.turn(lambda page: move_cash(page, POINT, Movement.FUNDING, -3, reference="08:00"))
    assert kinds(told(ledger)) == ["account.funding"]
    trade = ledger.buy(100, 10**18)
    ledger.gas(trade, 10**15, reference="0xabc")
    [cost] = told(ledger)
    assert (cost.kind, cost.subject) == ("order.cost", str(ledger.order(trade.order).id))
    assert words(ledger) == []  # on a screen the mined transaction tells it
    assert entries(ledger.database, limit=1).entries[0].what == "gas of 0.001000 COIN"


def test_units_that_are_gone_and_the_position_with_the_last_of_them(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.write_off(25)
    [gone] = told(ledger)
    assert (gone.kind, gone.data["quantity"], gone.data["cost"]) == ("position.written_off", 25, 250)
    ledger.write_off(75)
    assert kinds(told(ledger)) == ["position.written_off", "position.closed"]


def test_an_accounts_rules(ledger: Ledger) -> None:
    ledger.rename(LotMethod.HIFO, Decimal(2))
    [act] = told(ledger)
    assert (act.kind, act.data) == ("account.rules", {"lot_method": "hifo", "margin": "2"})


def test_an_amended_order_says_what_it_now_is(ledger: Ledger) -> None:
    from sniper_cli.books.events import Amended, raw

    order = ledger.open_order(Side.BUY, 100, terms=Terms(display=10))
    terms = raw({"display": 20})
    ledger.turn(lambda page: page.add(Amended(order, 60, "12.5", 0, terms, page.now)))
    [act] = told(ledger)
    assert (act.kind, act.data) == (
        "order.amended",
        {"quantity": 60, "limit_price": "12.5", "terms": {"display": 20}},
    )


# -- many at once -----------------------------------------------------------------------------------------------


@pytest.fixture
def batch(ledger: Ledger) -> Ledger:
    """Twenty orders in one record: five are filled, three of them cancelled, the rest rests."""

    def work(page: Page) -> None:
        from sniper_cli.books.trades import tell_fill

        for number in range(20):
            order = ledger.record(page, Side.BUY, 10, client_id=f"many-{number:02}")
            if number < 5:
                page.add(tell_fill(page.book, order, f"t{number}", 10, 100, COIN, 0, page.now))
            elif number < 8:
                page.add(Moved(order.key, OrderState.CANCELLED.value, page.now))

    ledger.turn(work)
    return ledger


def test_a_large_record_is_told_as_one_act(batch: Ledger) -> None:
    [act] = told(batch, most=MANY)
    assert (act.kind, act.subject) == ("desk.orders", str(batch.account_id))
    assert act.data == {"orders": 20, "filled": 5, "cancelled": 3, "sent": 12, "fills": 5}
    assert words(batch) == ["20 orders: 5 filled, 12 sent, 3 cancelled; 5 fills"]
    assert len(told(batch)) == 20 + 5 + 1 + 3


def test_the_audit_tells_a_batch_in_a_line_and_an_order_of_it_in_full(batch: Ledger) -> None:
    order = batch.order(batch.turn(lambda page: page.book.known("many-03") or ""))
    found = entries(batch.database, limit=50)
    assert [entry.kind for entry in found.entries][-2:] == ["account.deposit", "desk.orders"]
    assert not found.more

    story = entries(batch.database, limit=50, subject=str(order.id))
    assert [entry.kind for entry in story.entries] == ["order.recorded", "order.filled"]
    assert {entry.subject for entry in story.entries} == {str(order.id)}
    assert entries(batch.database, limit=50, subject=order.id.hex) == story


def test_the_audit_finds_a_kind_inside_batches(batch: Ledger) -> None:
    filled = entries(batch.database, limit=None, kind="order.filled").entries
    assert len(filled) == 5
    family = entries(batch.database, limit=None, kind="order").entries
    assert len(family) == 20 + 5 + 3
    assert [entry.kind for entry in entries(batch.database, limit=None, kind="desk").entries].count(
        "position.opened"
    ) == 1
    assert entries(batch.database, limit=None, kind="config").entries == []


def test_the_audit_follows_an_order_through_its_records(ledger: Ledger) -> None:
    order = ledger.open_order(Side.BUY, 100)
    ledger.buy(5, 50)
    ledger.fill(order, 40, 400, "t1")
    ledger.turn(lambda page: page.add(Moved(order, OrderState.CANCELLED.value, page.now, "by hand")))
    story = entries(ledger.database, limit=50, subject=str(ledger.order(order).id)).entries
    assert [entry.kind for entry in story] == ["order.recorded", "order.filled", "order.state"]
    assert len({entry.seq for entry in story}) == 3
    assert story[-1].what == "now cancelled – by hand"


def test_the_audit_follows_a_position(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.sell(100, 1500)
    position = ledger.position()
    story = entries(ledger.database, limit=50, subject=str(position.id)).entries
    assert [entry.kind for entry in story] == ["position.opened", "position.closed"]


def test_pages_of_the_audit_end_with_whole_records(ledger: Ledger) -> None:
    for number in range(5):
        ledger.buy(10, 100 + number)
    everything = entries(ledger.database, limit=None, after=0)
    pages: list[Entries] = []
    after, more = 0, True
    while more:
        page = entries(ledger.database, limit=3, after=after)
        pages.append(page)
        after, more = page.entries[-1].seq, page.more
    assert [entry for page in pages for entry in page.entries] == everything.entries
    assert len(pages) > 2
    assert TOKEN not in everything.entries[-1].subject
