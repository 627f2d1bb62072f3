"""What there is: every figure from the balances and marks, and what nobody prices said so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from sniper_cli.errors import NotFound
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.portfolio.overview import overview
from sniper_cli.portfolio.profits import unit_price
from state.accounts import Account, Asset, Instrument, VenueKind
from state.database import Database
from state.orders import Side
from state.positions import Position
from tests.portfolio_fixtures import BTC, DOLLAR, ETH, NOON, Diary


@pytest.fixture
def diary(database: Database) -> Iterator[Diary]:
    found = Diary(database)
    yield found
    found.close()


@pytest.fixture
def one(sqlite_database: Database) -> Iterator[Diary]:
    found = Diary(sqlite_database)
    yield found
    found.close()


def whole(units: int) -> Decimal:
    return Decimal(units) / DOLLAR


def test_equity_is_the_cash_and_what_closing_everything_would_bring(diary: Diary) -> None:
    diary.pay(10_000)
    bought = diary.buy(BTC, 500)

    found = overview(diary.database, diary.marks, now=NOON + timedelta(hours=1), lots=True)

    cash = 10_000 * DOLLAR - bought - bought // 1000
    value = diary.marks.at(NOON + timedelta(hours=1)).closing(BTC.id, 500 * BTC.lot_units)
    assert (found.currency, found.cash, found.positions_value) == ("USDT", whole(cash), whole(value))
    assert found.equity == whole(cash + value)
    assert found.unrealised == whole(value - bought)
    assert found.fees == whole(bought // 1000)
    [line] = found.positions
    assert (line.instrument, line.side, line.quantity, line.cost) == (
        "BTC/USDT",
        "long",
        Decimal("0.05"),
        whole(bought),
    )
    assert (line.source, line.age, line.stale) == ("market", timedelta(0), False)
    [lot] = line.lots
    assert (lot.remaining, lot.cost, lot.unrealised) == (Decimal("0.05"), whole(bought), line.unrealised)


def test_lots_show_what_is_left_of_them(one: Diary) -> None:
    one.pay(10_000)
    first, second = one.buy(BTC, 300), one.buy(BTC, 100, 1)
    one.sell(BTC, 350, 2)

    [line] = overview(one.database, one.marks, now=NOON + timedelta(days=3), lots=True).positions

    [left] = line.lots
    assert (left.quantity, left.remaining) == (Decimal("0.01"), Decimal("0.005"))
    assert left.cost == whole(second - second * 50 // 100)
    assert line.cost == left.cost
    assert first != second


def test_coins_without_a_position_count_at_the_middle_price(one: Diary) -> None:
    one.pay(100)
    one.pay(2, asset="paper:ETH", scale=10**8)

    found = overview(one.database, one.marks, now=NOON)

    assert found.positions == ()
    assert found.equity == found.cash == whole(100 * DOLLAR + one.worth(ETH, 2000, NOON))
    balance = next(line for line in found.balances if line.asset == "ETH")
    assert (balance.amount, balance.in_positions) == (2, 0)


def test_everything_can_be_reckoned_in_another_currency(one: Diary) -> None:
    one.pay(1000)

    found = overview(one.database, one.marks, now=NOON, currency="btc")

    over, under = one.marks.at(NOON).rate(BTC.id) or (0, 1)
    assert found.currency == "BTC"
    assert found.equity == Decimal(1000 * DOLLAR * under // over) / 10**8
    with pytest.raises(NotFound, match="no asset 'beans'"):
        overview(one.database, one.marks, now=NOON, currency="beans")


def test_accounts_add_up_and_can_be_looked_at_alone(one: Diary) -> None:
    other = Diary(one.database, "second")
    one.pay(1000)
    other.pay(500)

    both = overview(one.database, one.marks, now=NOON)
    alone = overview(one.database, one.marks, now=NOON, account="second")

    assert (both.equity, alone.equity) == (1500, 500)
    assert [line.account for line in both.accounts] == ["paper", "second"]
    with pytest.raises(NotFound, match="no account 'third'"):
        overview(one.database, one.marks, now=NOON, account="third")
    other.close()


def test_a_short_position_is_a_debt_at_what_buying_back_would_cost(one: Diary) -> None:
    one.pay(10_000)
    one.rules(margin=3)
    sold = one.trade(Side.SELL, BTC, 400)

    found = overview(one.database, one.marks, now=NOON)

    costs = -one.marks.at(NOON).closing(BTC.id, -400 * BTC.lot_units)
    [line] = found.positions
    assert (line.side, line.quantity, line.value) == ("short", Decimal("-0.04"), whole(-costs))
    assert line.unrealised == whole(sold - costs)
    assert found.equity == whole(10_000 * DOLLAR + sold - sold // 1000 - costs)


def on_a_chain(database: Database, *, mark: int | None, age: timedelta = timedelta(0)) -> None:
    """A position of a thousand tokens that cost one coin, in an account on a chain."""
    coin, token = "evm:31337:native", "evm:31337:0xab"
    with database.write() as session:
        session.add(Asset(id=coin, symbol="ETH", decimals=18))
        session.add(Asset(id=token, symbol="TKN", decimals=18))
        session.flush()
        session.add(
            Instrument(
                id="evm:31337:0xcd", venue=VenueKind.EVM, symbol="TKN/ETH", base_asset=token, quote_asset=coin
            )
        )
        account = Account(
            name="main", venue=VenueKind.EVM, chain_id=31337, address="0x1", reporting_asset=coin
        )
        session.add(account)
        session.flush()
        session.add(
            Position(
                account_id=account.id, instrument_id="evm:31337:0xcd", quantity=1000 * 10**18, spent=10**18,
                basis=10**18, mark_value=mark, marked_at=None if mark is None else NOON - age, opened_at=NOON,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "age", "said"),
    [
        (2 * 10**18, timedelta(seconds=5), ("pool", timedelta(seconds=5), False)),
        (2 * 10**18, timedelta(hours=1), ("pool", timedelta(hours=1), True)),
        (None, timedelta(0), ("cost", None, True)),
    ],
)
def test_a_position_on_a_chain_says_who_marked_it_and_when(
    one: Diary, mark: int | None, age: timedelta, said: tuple[str, timedelta | None, bool]
) -> None:
    on_a_chain(one.database, mark=mark, age=age)

    found = overview(one.database, one.marks, now=NOON, account="main")

    [line] = found.positions
    assert (line.source, line.age, line.stale) == said
    assert line.value == (2 if mark else 1)
    assert found.stale == int(said[2])


def test_what_nobody_prices_in_the_currency_is_left_out_and_named(one: Diary) -> None:
    one.pay(1000)
    on_a_chain(one.database, mark=2 * 10**18)

    found = overview(one.database, one.marks, now=NOON)

    assert found.equity == 1000
    assert found.unpriced == ("TKN of main",)


def test_without_an_account_there_is_nothing_to_show(sqlite_database: Database) -> None:
    with pytest.raises(NotFound, match="no account yet"):
        overview(sqlite_database, PaperMarks(SimulatedMarket(7)), now=NOON)


@pytest.mark.parametrize(
    ("quantity", "notional", "price"),
    [
        (10**8, 90_000 * 10**6, "90000"),
        (3 * 10**8, 10 * 10**6, "3.33333333333"),
        (1, 10**12, "100000000000000"),
        (0, 5, None),
    ],
)
def test_a_unit_price_has_twelve_digits(quantity: int, notional: int, price: str | None) -> None:
    base, quote = Asset(id="a", symbol="A", decimals=8), Asset(id="b", symbol="B", decimals=6)

    assert unit_price(base, quote, quantity, notional) == (None if price is None else Decimal(price))
