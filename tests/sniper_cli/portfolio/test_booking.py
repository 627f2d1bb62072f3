"""Fills, lots and cash: whatever is bought, sold and undone, nothing appears and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from sniper_cli.portfolio.booking import REORGANISED, book_cost, book_fill, undo_fill, write_off
from state.accounts import Account, Asset, Instrument, Movement, VenueKind, balance_of, post
from state.database import Database
from state.orders import Fill, Order, OrderState, OrderType, Side, TimeInForce
from state.positions import LotMatch, Position, PositionState
from tests.desk_fixtures import assert_books_balance

COIN, TOKEN, PAIR = "test:COIN", "test:TOKEN", "test:TOKEN/COIN"
PURSE = 10**30

amounts = st.integers(min_value=1, max_value=10**24)
trades = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), amounts, amounts),
        st.tuples(st.just("sell"), st.integers(min_value=1, max_value=100), amounts),
        st.tuples(st.just("gas"), amounts, amounts),
        st.tuples(st.just("undo"), amounts, amounts),
    ),
    max_size=12,
)
examples = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Books:
    """An account in one write transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session
        if session.get(Asset, COIN) is None:
            for asset in (COIN, TOKEN):
                session.add(Asset(id=asset, symbol=asset[5:], decimals=18))
            session.flush()
            session.add(
                Instrument(
                    id=PAIR, venue=VenueKind.PAPER, symbol="TOKEN/COIN", base_asset=TOKEN, quote_asset=COIN
                )
            )
        self.account = Account(name=f"account-{uuid4()}", venue=VenueKind.PAPER, reporting_asset=COIN)
        session.add(self.account)
        session.flush()
        post(session, self.account.id, COIN, Movement.DEPOSIT, PURSE, reference="opening")
        self.instrument = session.get_one(Instrument, PAIR)
        self.done: list[tuple[Fill, Order]] = []

    def trade(self, side: Side, quantity: int, notional: int, fee: int = 0) -> Order:
        order = Order(
            account_id=self.account.id,
            client_order_id=str(uuid4()),
            fingerprint="",
            instrument_id=PAIR,
            side=side,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
            quantity=quantity,
            state=OrderState.SENT,
        )
        self.session.add(order)
        self.session.flush()
        fill = Fill(
            order_id=order.id,
            account_id=self.account.id,
            venue_trade_id=str(uuid4()),
            side=side,
            quantity=quantity,
            notional=notional,
            fee_asset=COIN,
            fee=fee,
        )
        assert book_fill(self.session, order, self.instrument, fill, actor="test")
        self.done.append((fill, order))
        return order

    def holds(self, asset: str) -> int:
        return balance_of(self.session, self.account.id, asset)

    def positions(self) -> list[Position]:
        query = select(Position).where(Position.account_id == self.account.id).order_by(Position.id)  # type: ignore[arg-type]
        return list(self.session.exec(query).all())


@pytest.fixture
def books(database: Database) -> Iterator[Books]:
    with database.write() as session:
        yield Books(session)


@examples
@given(trades=trades)
def test_money_and_tokens_are_conserved_whatever_happens(
    sqlite_database: Database, trades: list[tuple[str, int, int]]
) -> None:
    with sqlite_database.write() as session:
        books = Books(session)
        for kind, first, second in trades:
            held = books.holds(TOKEN)
            if kind == "buy":
                books.trade(Side.BUY, first, second, fee=second // 1000)
            elif kind == "sell" and held:
                books.trade(Side.SELL, max(1, held * first // 100), second, fee=second // 1000)
            elif kind == "gas" and books.done:
                assert book_cost(session, books.done[-1][1], COIN, first, reference=str(uuid4()))
            elif kind == "undo" and books.done:
                fill, order = books.done.pop()
                undo_fill(session, fill, order, books.instrument)
            tokens = sum(position.quantity for position in books.positions())
            assert tokens == books.holds(TOKEN)
        positions = books.positions()
        spent = sum(p.spent + p.fees - p.received for p in positions)
        assert books.holds(COIN) == PURSE - spent
    assert_books_balance(sqlite_database)


@examples
@given(
    lots=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 60), max_size=6),
    price=amounts,
)
def test_selling_everything_in_any_pieces_realises_the_same_to_the_last_unit(
    sqlite_database: Database, lots: list[tuple[int, int]], cuts: list[int], price: int
) -> None:
    with sqlite_database.write() as session:
        books = Books(session)
        for quantity, cost in lots:
            books.trade(Side.BUY, quantity, cost)
        for cut in cuts:
            piece = books.holds(TOKEN) * cut // 100
            if piece:
                books.trade(Side.SELL, piece, price)
        if books.holds(TOKEN):
            books.trade(Side.SELL, books.holds(TOKEN), price)
        position = books.positions()[0]
        assert position.state is PositionState.CLOSED
        assert position.realised == position.received - position.spent
        assert position.cost == 0
        matches = session.exec(select(LotMatch)).all()
        mine = {fill.id for fill, _ in books.done}
        assert sum(m.proceeds for m in matches if m.fill_id in mine) == position.received


def test_a_sale_is_taken_from_the_oldest_lot_first(books: Books) -> None:
    books.trade(Side.BUY, 100, 1000)
    books.trade(Side.BUY, 100, 3000)
    books.trade(Side.SELL, 150, 6000)
    position = books.positions()[0]
    # 1000 for the whole first lot, half of 3000 for half of the second: 6000 - 2500 = 3500.
    assert position.realised == 3500
    assert position.cost == 1500
    assert position.quantity == 50


def test_the_same_trade_reported_twice_counts_once(books: Books) -> None:
    order = books.trade(Side.BUY, 100, 1000)
    fill = books.done[0][0]
    again = Fill(**{**fill.model_dump(), "id": uuid4()})
    assert not book_fill(books.session, order, books.instrument, again, actor="test")
    assert books.holds(TOKEN) == 100
    assert order.filled_quantity == 100


def test_undoing_leaves_as_if_it_had_never_been(books: Books) -> None:
    books.trade(Side.BUY, 100, 1000, fee=7)
    books.trade(Side.SELL, 40, 900, fee=3)
    for fill, order in reversed(books.done):
        undo_fill(books.session, fill, order, books.instrument)
    assert books.holds(COIN) == PURSE
    assert books.holds(TOKEN) == 0
    position = books.positions()[0]
    assert (position.spent, position.received, position.realised, position.fees) == (0, 0, 0, 0)
    assert position.exit_rule == REORGANISED


def test_what_vanished_is_written_off_at_its_cost(books: Books) -> None:
    books.trade(Side.BUY, 100, 1000)
    position = books.positions()[0]
    write_off(books.session, position, 25, rule="vanished", actor="test")
    assert position.realised == -250
    assert position.quantity == 75
    write_off(books.session, position, 75, rule="vanished", actor="test")
    assert position.state is PositionState.CLOSED
    assert position.exit_rule == "vanished"
