"""What the first edition left behind goes on: the books load as they were, orders at work are followed, lots match."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import select

from sniper_cli.books.book import Book
from sniper_cli.books.events import Reversed, decode
from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.books.records import Books, Page
from sniper_cli.books.undoing import REORGANISED
from sniper_cli.errors import OrderRefused
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.trading.applying import book_fill
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.explanation import explain
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import PaperVenue
from sniper_cli.venues.venue import FillReport
from state import journal, schema
from state.accounts import Account, VenueKind, balance_of, find_account
from state.database import Database
from state.journal import JournalRecord
from state.orders import Fill, Order, OrderState, Side
from state.positions import Lot, Position, PositionState
from state.writing import Writer
from tests import first_edition
from tests.books_fixtures import plain
from tests.conftest import Begun
from tests.desk_fixtures import assert_books_balance

WEI = 10**18
COIN, TOKEN = "evm:31337:native", f"evm:31337:0x{'ab' * 20}"
POOL = f"evm:31337:0x{'cd' * 20}"
ETH, USDT = "paper:ETH", "paper:USDT"


def lay(url: str) -> None:
    first_edition.lay(url)
    with Database(url) as database:
        schema.upgrade(database, actor="user:test")


@pytest.fixture
def upgraded(begun_with: Begun) -> Database:
    return begun_with("carried", lay)


@pytest.fixture
def books(upgraded: Database) -> Iterator[Books]:
    found = Books(upgraded, actor="test")
    yield found
    found.close()


@pytest.fixture
def desk(upgraded: Database) -> Iterator[OrderDesk]:
    found = OrderDesk(upgraded, {VenueKind.PAPER: PaperVenue(SimulatedMarket(7))}, actor="test")
    yield found
    found.close()


def account(database: Database, name: str) -> Account:
    with database.read() as session:
        found = find_account(session, name)
        assert found is not None
        session.expunge(found)
        return found


def order(database: Database, client_id: str) -> Order:
    with database.read() as session:
        found = session.exec(select(Order).where(Order.client_order_id == client_id)).one()
        session.expunge(found)
        return found


def fill(database: Database, client_id: str) -> Fill:
    key = order(database, client_id).id
    with database.read() as session:
        found = session.exec(select(Fill).where(Fill.order_id == key)).one()
        session.expunge(found)
        return found


def position(database: Database, instrument: str) -> Position:
    with database.read() as session:
        query = select(Position).where(
            Position.instrument_id == instrument, Position.state == PositionState.OPEN
        )
        found = session.exec(query).one()
        session.expunge(found)
        return found


def report(trade: str, quantity: int, notional: int) -> FillReport:
    return FillReport(trade, quantity, notional, COIN, 0, datetime(2026, 12, 1, tzinfo=UTC))


def test_the_books_load_as_the_first_edition_left_them(upgraded: Database, books: Books) -> None:
    paper = books.turn(account(upgraded, "paper").id, lambda page: plain(page.book))
    main = books.turn(account(upgraded, "main").id, lambda page: plain(page.book))

    assert paper["cash"] == {USDT: 835588032226, "paper:BTC": 182350000}
    # The limit below the market, what is left of the one that was filled in part; the held one claims nothing yet.
    assert paper["reserved"] == {USDT: 4055791250 + 163458633399 - 159693010570}
    assert paper["selling"] == {"paper:BTC/USDT": 3000000}
    assert main["cash"] == {COIN: 9895900000000012345, TOKEN: 490 * WEI + 1}
    assert main["selling"] == {POOL: 100 * WEI}
    [held] = main["positions"].values()
    assert (held["quantity"], held["fees"]) == (490 * WEI + 1, 41 * 10**14)


@pytest.mark.parametrize("name", ["paper", "main"])
def test_the_carried_record_alone_gives_the_same_book(upgraded: Database, name: str) -> None:
    found = account(upgraded, name)
    writer = Writer(upgraded)
    try:
        read = load_book(writer, found.id.hex, Pairs(writer))
        told = Book(found.id.hex, read.shelf, read.pairs)
        with upgraded.read() as session:
            query = select(JournalRecord).where(
                JournalRecord.kind == "desk.carried", JournalRecord.subject == str(found.id)
            )
            record = session.exec(query).one()
            session.expunge(record)
        for event in decode(record.body).data.events:
            told.apply(event, record.seq)
    finally:
        writer.close()
    mine, theirs = plain(told), plain(read)
    for one in (*mine["orders"], *theirs["orders"]):
        del one["updated"], one["version"], one["checks_json"]
    for one in (*mine["positions"].values(), *theirs["positions"].values()):
        del one["version"], one["exit_rule"]
    assert mine == theirs


def test_what_was_recorded_before_the_crash_gets_what_it_would_have_got(
    upgraded: Database, desk: OrderDesk
) -> None:
    paper = account(upgraded, "paper")
    asyncio.run(desk.recover(paper.id))

    # Half an ether at the best price of its second, 2398.40, and a fee of 10 basis points.
    unsent = order(upgraded, "first-11")
    assert (unsent.state, unsent.filled_quantity, unsent.filled_notional) == (
        OrderState.FILLED,
        50_000_000,
        1_199_200_000,
    )
    found = fill(upgraded, "first-11")
    assert (found.fee, found.venue_trade_id) == (1_199_200, "1795574102:0")
    # Its second began before it was recorded; the trade did not.
    assert found.at == unsent.created_at


def test_an_order_that_rested_goes_on_and_can_be_cancelled(upgraded: Database, desk: OrderDesk) -> None:
    resting = order(upgraded, "first-7")
    cancelled = asyncio.run(desk.cancel(resting.id))

    assert cancelled.state is OrderState.CANCELLED
    # What it had put aside is free again: only the one filled in part still claims something, if it is not filled.
    partly = order(upgraded, "first-8")
    left = partly.still_reserved
    reserved = desk.books.turn(resting.account_id, lambda page: page.book.reserved.get(USDT, 0))
    assert reserved == left


def test_the_same_wish_is_the_same_order_still(upgraded: Database, desk: OrderDesk) -> None:
    paper = account(upgraded, "paper")
    wishes = [
        OrderIntent(paper.id, "paper:BTC/USDT", Side.BUY, "first-1", quantity=20_000_000),
        OrderIntent(paper.id, "paper:ETH/USDT", Side.BUY, "first-4", budget=2_000_000_000),
        OrderIntent(paper.id, "paper:ETH/USDT", Side.BUY, "first-11", quantity=50_000_000),
    ]
    again = asyncio.run(desk.submit(wishes))

    assert [one.replayed for one in again] == [True, True, True]
    assert [one.order.id for one in again] == [order(upgraded, f"first-{n}").id for n in (1, 4, 11)]


def test_a_wish_under_a_used_id_that_asks_for_more_is_refused(upgraded: Database, desk: OrderDesk) -> None:
    paper = account(upgraded, "paper")
    wish = OrderIntent(paper.id, "paper:BTC/USDT", Side.BUY, "first-1", quantity=30_000_000)
    with pytest.raises(OrderRefused, match="has been used for another order"):
        asyncio.run(desk.submit([wish]))


def test_trading_goes_on_and_takes_the_old_lots_first(upgraded: Database, desk: OrderDesk) -> None:
    paper = account(upgraded, "paper")
    before = position(upgraded, "paper:BTC/USDT")
    wish = OrderIntent(paper.id, "paper:BTC/USDT", Side.SELL, "now", quantity=5_000_000)
    [outcome] = asyncio.run(desk.submit([wish]))

    assert outcome.order.state is OrderState.FILLED
    after = position(upgraded, "paper:BTC/USDT")
    # What rested may have been filled by the replay of the market since.
    bought = order(upgraded, "first-8").filled_quantity - 177_350_000
    bought += order(upgraded, "first-7").filled_quantity
    sold = 5_000_000 + order(upgraded, "first-9").filled_quantity
    assert after.quantity == before.quantity + bought - sold
    second = fill(upgraded, "first-2").id
    with upgraded.read() as session:
        # The oldest with something left: the other half of what was bought by the second order.
        assert session.get_one(Lot, second).remaining == 0
    assert_books_balance(upgraded)


def test_a_sale_that_was_on_its_way_is_booked_when_it_is_reported(upgraded: Database, books: Books) -> None:
    sent = order(upgraded, "chain-4")
    held = position(upgraded, POOL)

    def work(page: Page) -> None:
        assert book_fill(page, page.book.find_order(sent.id.hex), report("0xnew", 100 * WEI, WEI // 2))

    books.turn(sent.account_id, work)
    after = position(upgraded, POOL)
    # 203 of 693 were gone already; the hundred after them cost their share of one coin.
    cost = WEI * (303 * WEI - 1) // (693 * WEI) - WEI * (203 * WEI - 1) // (693 * WEI)
    assert after.realised - held.realised == WEI // 2 - cost
    assert after.basis == held.basis - cost
    assert order(upgraded, "chain-4").state is OrderState.FILLED
    assert_books_balance(upgraded)


def test_a_trade_of_the_first_edition_is_known_still(upgraded: Database, books: Books) -> None:
    first = order(upgraded, "chain-1")
    known = fill(upgraded, "chain-1")

    def work(page: Page) -> bool:
        again = report(known.venue_trade_id, known.quantity, known.notional)
        return book_fill(page, page.book.find_order(first.id.hex), again)

    assert not books.turn(first.account_id, work)


def test_a_reorganisation_takes_back_what_the_first_edition_had_booked(
    upgraded: Database, books: Books
) -> None:
    sale, before = fill(upgraded, "chain-3"), position(upgraded, POOL)

    def undo(page: Page) -> None:
        page.add(Reversed(sale.id.hex, sale.order_id.hex, sale.venue_trade_id, page.now))

    books.turn(sale.account_id, undo)
    after = position(upgraded, POOL)
    assert after.quantity == before.quantity + 1200 * WEI
    # Only what vanished is still realised: three of 693 that cost one coin, after two hundred less a unit.
    gone = WEI * (203 * WEI - 1) // (693 * WEI) - WEI * (200 * WEI - 1) // (693 * WEI)
    assert after.realised == -gone
    assert (after.received, after.spent) == (0, 2 * WEI)
    with upgraded.read() as session:
        assert balance_of(session, sale.account_id, COIN) == 9895900000000012345 - 2 * WEI - 12345
    assert after.exit_rule != REORGANISED


def test_a_sale_that_closed_a_position_is_taken_back_and_the_position_is_open(
    upgraded: Database, books: Books
) -> None:
    sale = fill(upgraded, "chain-6")
    books.turn(
        sale.account_id,
        lambda page: page.add(Reversed(sale.id.hex, sale.order_id.hex, sale.venue_trade_id, page.now)),
    )
    opened = position(upgraded, f"evm:31337:0x{'ce' * 20}")
    assert (opened.quantity, opened.basis, opened.realised) == (10**15, WEI // 2, 0)


def test_an_old_orders_story_is_told_from_the_journal_it_had(upgraded: Database) -> None:
    with upgraded.read() as session:
        story = explain(session, "first-1")
        records = [chapter.title.split()[1] for chapter in story.chapters if chapter.kind == "record"]
    assert records == ["order.recorded", "order.filled", "order.filled", "order.state"]


def test_the_journal_stays_whole_as_trading_goes_on(upgraded: Database, desk: OrderDesk) -> None:
    paper = account(upgraded, "paper")
    asyncio.run(desk.submit([OrderIntent(paper.id, "paper:ETH/USDT", Side.BUY, "new", budget=10_000_000)]))

    with upgraded.read() as session:
        assert journal.verify(session).whole
    assert_books_balance(upgraded)
    assert desk.books.turn(paper.id, lambda page: page.book.margin) == Decimal(0)
