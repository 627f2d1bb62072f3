"""One record a turn: written whole or not at all, true to what other processes wrote, counted once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlmodel import select

from sniper_cli.books.events import Moved, Reversed
from sniper_cli.books.projector import catch_up
from sniper_cli.books.records import Books, Page
from state import journal
from state.accounts import Account
from state.database import Database
from state.errors import IllegalTransition, RowNotFound
from state.journal import JournalRecord
from state.orders import OrderChange, OrderState, Side
from state.positions import LotMethod
from state.projections import InstrumentDay, StrategyDay
from tests.books_fixtures import COIN, PAIR, TOKEN, Ledger, plain


@pytest.fixture
def other(ledger: Ledger) -> Iterator[Ledger]:
    """Another process on the same account; both have a book of it in memory."""
    found = object.__new__(Ledger)
    found.database, found.account_id = ledger.database, ledger.account_id
    found.books = Books(ledger.database, actor="other")
    found.turn(lambda page: None)
    yield found
    found.assert_true()
    found.books.close()


def records(database: Database) -> list[JournalRecord]:
    with database.read() as session:
        found = list(session.exec(select(JournalRecord).order_by(JournalRecord.seq)).all())  # type: ignore[arg-type]
        session.expunge_all()
        return found


def version(ledger: Ledger) -> int:
    with ledger.database.read() as session:
        return session.get_one(Account, ledger.account_id).version


# -- one record -------------------------------------------------------------------------------------------------


def test_a_turn_is_one_record_of_the_account(ledger: Ledger) -> None:
    before = records(ledger.database)
    ledger.buy(100, 1000)
    [record] = records(ledger.database)[len(before) :]
    assert (record.kind, record.subject, record.actor) == ("desk.orders", str(ledger.account_id), "test")
    assert [event[0] for event in record.data["events"]] == ["R", "F"]
    with ledger.database.read() as session:
        assert journal.verify(session).whole


def test_a_turn_without_an_event_writes_nothing(ledger: Ledger) -> None:
    before = len(records(ledger.database)), version(ledger)
    assert ledger.turn(lambda page: page.book.held(COIN)) > 0
    assert (len(records(ledger.database)), version(ledger)) == before


def test_the_accounts_version_counts_its_records(ledger: Ledger) -> None:
    before = version(ledger)
    ledger.buy(100, 1000)
    ledger.open_order(Side.BUY, 5)
    assert version(ledger) == before + 2


def test_what_fails_in_the_middle_leaves_nothing_behind(ledger: Ledger) -> None:
    ledger.buy(100, 1000)
    before = len(records(ledger.database)), ledger.holds(TOKEN)

    def work(page: Page) -> None:
        order = ledger.record(page, Side.BUY, 10)
        page.add(Moved(order.key, OrderState.FILLED.value, page.now))
        page.add(Moved(order.key, OrderState.OPEN.value, page.now))

    with pytest.raises(IllegalTransition, match="cannot become open"):
        ledger.turn(work)
    assert (len(records(ledger.database)), ledger.holds(TOKEN)) == before
    assert ledger.turn(lambda page: len(page.book.orders)) == 0


def test_an_account_that_is_not_there_is_exit_7(ledger: Ledger) -> None:
    from state.identifiers import new_id

    with pytest.raises(RowNotFound) as caught:
        ledger.books.turn(new_id(), lambda page: None)
    assert caught.value.exit == 7


def test_an_order_knows_where_the_journal_tells_it(ledger: Ledger) -> None:
    order = ledger.open_order(Side.BUY, 100)
    first = records(ledger.database)[-1].seq
    ledger.fill(order, 40, 400, "t1")
    second = records(ledger.database)[-1].seq
    ledger.turn(lambda page: page.add(Moved(order, OrderState.CANCELLED.value, page.now, "by hand")))
    third = records(ledger.database)[-1].seq
    assert ledger.order(order).recorded_seq == first
    with ledger.database.read() as session:
        changes = session.exec(select(OrderChange.seq)).all()
    assert third in changes
    from state.orders import Fill

    assert [fill.seq for fill in ledger.rows(Fill)] == [second]


# -- what another process wrote ---------------------------------------------------------------------------------


def test_another_processes_trades_are_in_the_book_at_the_next_turn(ledger: Ledger, other: Ledger) -> None:
    other.buy(100, 1000, fee=3)
    working = other.open_order(Side.SELL, 30)
    assert ledger.turn(lambda page: page.book.held(TOKEN)) == 100
    ledger.fill(working, 30, 900, "t1")
    assert other.turn(lambda page: page.book.positions[PAIR].quantity) == 70
    other.assert_true()


def test_two_processes_in_turn_keep_one_truth(ledger: Ledger, other: Ledger) -> None:
    for number in range(6):
        one = (ledger, other)[number % 2]
        one.buy(100, 1000 + number, fee=1, strategy="grid")
        one.sell(50, 700, strategy="grid")
    kept = ledger.turn(lambda page: plain(page.book))
    assert other.turn(lambda page: plain(page.book)) == kept
    with ledger.database.read() as session:
        day = session.exec(select(StrategyDay)).one()
        traded = session.exec(select(InstrumentDay)).one()
        # Six purchases for 6015 and six sales for 4200, whoever made them.
        assert (day.bought, day.sold, day.fills, day.fees) == (6015, 4200, 12, 6)
        assert (traded.quantity, traded.notional, traded.fills, traded.held) == (900, 10215, 12, 300)


def test_what_another_process_took_back_is_taken_back_here_too(ledger: Ledger, other: Ledger) -> None:
    ledger.buy(100, 1000)
    sale = ledger.sell(40, 900)
    other.undo(sale)
    assert ledger.turn(lambda page: page.book.positions[PAIR].quantity) == 100
    ledger.sell(100, 1500)
    assert ledger.position().realised == 500
    other.assert_true()


def test_an_order_that_another_process_reopened_is_as_it_left_it(ledger: Ledger, other: Ledger) -> None:
    sale = ledger.buy(100, 1000)
    ledger.sell(10, 200)
    other.turn(lambda page: None)
    closed = ledger.sell(90, 900)

    def reopen(page: Page) -> None:
        page.add(Reversed(closed.fill, closed.order, closed.trade, page.now))
        page.add(Moved(closed.order, OrderState.SENT.value, page.now, "a reorganisation took it back"))

    other.turn(reopen)
    seen = ledger.turn(lambda page: page.book.find_order(closed.order).filled_quantity)
    assert seen == 0
    assert ledger.fill(closed.order, 90, 950, "again")
    assert ledger.order(closed.order).filled_quantity == 90
    assert ledger.position().received == 1150
    assert sale.order != closed.order


def test_a_late_fill_from_another_process_counts_once_here(ledger: Ledger, other: Ledger) -> None:
    order = ledger.open_order(Side.BUY, 100)
    ledger.turn(lambda page: page.add(Moved(order, OrderState.CANCELLED.value, page.now)))
    assert other.fill(order, 60, 600, "late")
    assert ledger.turn(lambda page: page.book.find_order(order).filled_quantity) == 60
    assert ledger.fill(order, 40, 400, "later")
    assert (ledger.order(order).filled_quantity, ledger.order(order).state) == (100, OrderState.FILLED)


def test_a_method_that_another_process_set_counts_here(ledger: Ledger, other: Ledger) -> None:
    ledger.buy(100, 1000)
    ledger.buy(100, 3000)
    other.rename(LotMethod.LIFO, Decimal(2))
    ledger.sell(100, 3000)
    assert ledger.position().realised == 0
    assert ledger.turn(lambda page: page.book.margin) == 2


def test_a_client_order_id_is_known_whoever_used_it(ledger: Ledger, other: Ledger) -> None:
    def record(page: Page, client_id: str) -> str:
        return str(ledger.record(page, Side.BUY, 1, client_id=client_id).key)

    mine = ledger.turn(lambda page: record(page, "b-1"))
    theirs = other.turn(lambda page: record(page, "a-1"))
    for one in (ledger, other):
        assert one.turn(lambda page: [page.book.known(name) for name in ("a-1", "b-1", "c")]) == [
            theirs,
            mine,
            None,
        ]


# -- rows that follow -------------------------------------------------------------------------------------------


@pytest.fixture
def bulk(database: Database) -> Iterator[Ledger]:
    """A desk whose records leave their rows to the projector, and no projector at work."""
    found = Ledger(database, defer_above=0)
    found.books._leave_to_projector = lambda: None  # type: ignore[method-assign]
    yield found
    catch_up(database)
    found.assert_true()
    found.books.close()


def trade_a_little(ledger: Ledger) -> None:
    bought = ledger.buy(100, 1000, fee=7)
    ledger.buy(50, 900)
    sold = ledger.sell(120, 2400, strategy="grid")
    ledger.gas(bought, 5, reference="g")
    ledger.undo(sold)
    ledger.sell(10, 300)


def test_rows_that_were_left_follow_and_are_the_same(bulk: Ledger, database: Database) -> None:
    trade_a_little(bulk)
    assert bulk.positions() == []
    assert catch_up(database) > 0
    assert catch_up(database) == 0

    inline = Ledger(database)
    trade_a_little(inline)
    names = {"quantity", "spent", "received", "basis", "fees", "realised", "state", "version"}
    assert bulk.position().model_dump(include=names) == inline.position().model_dump(include=names)
    assert (bulk.lots(), bulk.holds(COIN)) == (inline.lots(), inline.holds(COIN))
    inline.books.close()


def test_an_order_that_is_over_is_known_before_its_row_is_there(bulk: Ledger) -> None:
    trade = bulk.buy(100, 1000)
    found = bulk.turn(lambda page: page.book.find_order(trade.order).state)
    assert found is OrderState.FILLED


def test_what_is_over_can_be_undone_before_its_rows_are_there(bulk: Ledger) -> None:
    bulk.buy(100, 1000)
    sale = bulk.sell(100, 1500)
    bulk.undo(sale)
    assert bulk.turn(lambda page: page.book.positions[PAIR].quantity) == 100


def test_a_trade_is_known_before_its_row_is_there(bulk: Ledger) -> None:
    order = bulk.open_order(Side.BUY, 100)
    assert bulk.fill(order, 60, 600, "t1")
    assert not bulk.fill(order, 60, 600, "t1")


def test_a_movement_is_known_before_its_row_is_there(bulk: Ledger) -> None:
    trade = bulk.buy(100, 1000)
    assert bulk.gas(trade, 5, reference="g")
    assert not bulk.gas(trade, 5, reference="g")


def test_a_desk_that_comes_later_brings_the_tables_up_first(bulk: Ledger, database: Database) -> None:
    bulk.buy(100, 1000)
    later = Books(database, actor="later")
    assert later.turn(bulk.account_id, lambda page: page.book.held(TOKEN)) == 100
    later.close()
    assert bulk.holds(TOKEN) == 100


def test_two_bulk_desks_in_turn_keep_one_truth(bulk: Ledger, database: Database) -> None:
    second = object.__new__(Ledger)
    second.database, second.account_id = database, bulk.account_id
    second.books = Books(database, actor="second", defer_above=0)
    second.books._leave_to_projector = lambda: None  # type: ignore[method-assign]
    for number in range(6):
        one = (bulk, second)[number % 2]
        one.buy(100, 1000, strategy="grid")
        one.sell(40, 600, strategy="grid")
    kept = bulk.turn(lambda page: plain(page.book))
    assert second.turn(lambda page: plain(page.book)) == kept
    catch_up(database)
    with database.read() as session:
        day = session.exec(select(StrategyDay)).one()
        assert (day.bought, day.sold, day.fills) == (6000, 3600, 12)
    second.books.close()
