"""An account's days and what is said of them, against figures reckoned by hand from the market's own prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sniper_cli.errors import UsageProblem
from sniper_cli.portfolio.contributions import by_instrument, by_strategy
from sniper_cli.portfolio.course import Day, course
from sniper_cli.portfolio.performance import day_lines, performance, span_of
from sniper_cli.portfolio.standing import read_standing
from state.accounts import Movement
from state.database import Database
from state.reading import Reader, snapshot
from tests.portfolio_fixtures import BTC, DOLLAR, ETH, NOON, Diary

FIRST = NOON.date()


@pytest.fixture
def diary(database: Database) -> Iterator[Diary]:
    found = Diary(database)
    yield found
    found.close()


@pytest.fixture
def one(sqlite_database: Database) -> Iterator[Diary]:
    """The same on SQLite alone, where the database does not matter."""
    found = Diary(sqlite_database)
    yield found
    found.close()


def end_of(day: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day + 1), datetime.min.time(), UTC) - timedelta(seconds=1)


def days_of(diary: Diary, now: datetime) -> list[Day]:
    with snapshot(diary.database) as reader:
        standing = read_standing(reader, diary.marks, now)
        return course(reader, standing, standing.purse("paper"), diary.marks)


def test_each_day_ends_with_its_cash_and_what_was_held_at_that_seconds_price(diary: Diary) -> None:
    diary.pay(10_000)
    bought = diary.buy(BTC, 500, day=0)
    sold = diary.sell(BTC, 200, day=2)

    days = days_of(diary, NOON + timedelta(days=3))

    cash = 10_000 * DOLLAR - bought - bought // 1000
    assert [day.day for day in days] == [FIRST + timedelta(days=n) for n in range(4)]
    assert [day.cash for day in days] == [cash, cash, cash + sold - sold // 1000, cash + sold - sold // 1000]
    moments = [end_of(0), end_of(1), end_of(2), NOON + timedelta(days=3)]
    assert [day.positions for day in days] == [
        diary.worth(BTC, lots, moment) for lots, moment in zip((500, 500, 300, 300), moments, strict=True)
    ]
    assert [day.paid_in for day in days] == [10_000 * DOLLAR, 0, 0, 0]
    assert [day.fees for day in days] == [bought // 1000, 0, sold // 1000, 0]
    assert days[2].realised == sold - bought * 200 // 500


def test_what_is_paid_beside_trades_is_a_fee_of_its_day_and_no_flow(one: Diary) -> None:
    one.pay(1000)
    one.pay(-7, 1, Movement.FUNDING)
    one.pay(3, 1, Movement.INTEREST)

    days = days_of(one, NOON + timedelta(days=1))

    assert (days[1].equity, days[1].fees, days[1].flow) == (996 * DOLLAR, 4 * DOLLAR, 0)


def test_coins_that_were_paid_in_count_at_their_price_of_the_day(one: Diary) -> None:
    one.pay(1000)
    one.pay(2, 1, asset="paper:ETH", scale=10**8)

    days = days_of(one, NOON + timedelta(days=2))

    assert days[1].paid_in == one.worth(ETH, 2000, end_of(1))
    assert days[2].equity == 1000 * DOLLAR + one.worth(ETH, 2000, NOON + timedelta(days=2))


def test_an_account_to_which_nothing_happened_has_no_days(one: Diary) -> None:
    assert days_of(one, NOON) == []
    with pytest.raises(UsageProblem, match="nothing has happened"):
        span_of([], None, None)


def told(diary: Diary, now: datetime, since: date | None = None, until: date | None = None):
    """Performance, day lines, and the contributions of strategies and instruments."""
    with snapshot(diary.database) as reader:
        standing = read_standing(reader, diary.marks, now)
        purse = standing.purse("paper")
        span = span_of(course(reader, standing, purse, diary.marks), since, until)
        return (
            performance(reader, standing, purse, span),
            day_lines(standing, purse, span),
            by_strategy(reader, standing, purse, span),
            by_instrument(reader, standing, purse, span, diary.marks),
        )


def test_a_return_is_chained_over_days_with_money_in_at_their_beginning_and_out_at_their_end(
    one: Diary,
) -> None:
    one.pay(1000)
    one.pay(-10, 0, Movement.FUNDING)  # 990 of 1,000: −1 %
    one.pay(110, 1)
    one.pay(-100, 1, Movement.FUNDING)  # 1,000 of 1,100: −9.0909 %
    one.pay(-500, 2, Movement.WITHDRAWAL)
    one.pay(100, 2, Movement.FUNDING)  # 600 and 500 paid out, of 1,000: +10 %

    found, days, _, _ = told(one, NOON + timedelta(days=2))

    assert [line.return_pct for line in days[::-1]] == [-1.0, pytest.approx(-9.0909, abs=1e-4), 10.0]
    assert found.return_pct == pytest.approx((0.99 * (1000 / 1100) * 1.1 - 1) * 100, abs=1e-4)
    assert (found.begin, found.end, found.paid_in, found.paid_out) == (0, 600, 1110, 500)
    assert found.profit == 600 + 500 - 1110 == -10
    # From the top, the money that one begins with, over 0.99 to 0.9, and back to 0.99.
    assert found.max_drawdown_pct == pytest.approx(-10.0, abs=1e-4)
    assert (found.drawdown_from, found.drawdown_to, found.recovered) == (
        FIRST,
        FIRST + timedelta(days=1),
        None,
    )
    assert found.drawdown_now_pct == pytest.approx(-1.0, abs=1e-4)
    assert [line.profit for line in days[::-1]] == [-10, -100, 100]


def test_the_owners_return_depends_on_when_the_money_came(one: Diary) -> None:
    """1,000 lose a tenth; then 9,000 more come, and all gains a tenth: the owner is well off, the trader is not."""
    one.pay(1000)
    one.pay(-100, 0, Movement.FUNDING)
    one.pay(9000, 1)
    one.pay(990, 1, Movement.FUNDING)

    found, _, _, _ = told(one, NOON + timedelta(days=1))

    assert found.return_pct == pytest.approx(-1.0, abs=1e-4)
    # 1,000·g² + 9,000·g = 10,890 over two days: g = 1.07745…, and g² − 1 over the span.
    growth = (-9000 + (9000**2 + 4 * 1000 * 10_890) ** 0.5) / 2000
    assert found.money_weighted_pct == pytest.approx((growth**2 - 1) * 100, abs=1e-3)
    assert found.money_weighted_year_pct is None, "two days are no year"
    assert found.yearly_pct is None


def test_a_span_begins_with_what_was_there_the_day_before(one: Diary) -> None:
    one.pay(1000)
    one.pay(-100, 1, Movement.FUNDING)
    one.pay(90, 2, Movement.FUNDING)

    found, days, _, _ = told(one, NOON + timedelta(days=3), since=FIRST + timedelta(days=2))

    assert (found.begin, found.end, found.days) == (900, 990, 2)
    assert found.return_pct == pytest.approx(10.0, abs=1e-4)
    assert days[0].day == FIRST + timedelta(days=3)


def test_contributions_of_instruments_add_up_to_the_accounts_profit(diary: Diary) -> None:
    diary.pay(100_000)
    diary.buy(BTC, 3000, day=0, strategy="grid")
    diary.buy(ETH, 4000, day=1, strategy="pairs")
    diary.sell(BTC, 3000, day=3, strategy="grid")
    diary.sell(ETH, 1000, day=4, strategy="pairs")

    found, days, strategies, instruments = told(diary, NOON + timedelta(days=5))

    assert sum(line.profit for line in instruments) == found.profit == sum(line.profit for line in days)
    assert {line.name for line in instruments} == {"BTC/USDT", "ETH/USDT"}
    assert {line.name for line in strategies} == {"grid", "pairs"}
    grid = next(line for line in strategies if line.name == "grid")
    btc = next(line for line in instruments if line.name == "BTC/USDT")
    assert grid.profit == btc.profit, "the strategy closed what it opened: nothing of it is open"


def test_hit_rate_and_profit_factor_are_those_of_the_closing_trades(one: Diary) -> None:
    one.pay(100_000)
    first = one.buy(BTC, 1000, day=0)
    results = [
        one.sell(BTC, 100, day=n) - first * (n * 100) // 1000 + first * ((n - 1) * 100) // 1000
        for n in range(1, 6)
    ]

    found, _, _, _ = told(one, NOON + timedelta(days=6))

    won, lost = sum(r for r in results if r > 0), -sum(r for r in results if r < 0)
    wins, losses = sum(r > 0 for r in results), sum(r < 0 for r in results)
    assert found.trades == wins + losses == 5
    assert found.hit_rate == Decimal(wins) / 5
    expected = None if not lost else (Decimal(won) / Decimal(lost)).quantize(Decimal("0.0001"))
    assert found.profit_factor == expected
    assert found.realised == Decimal(sum(results)) / DOLLAR


def test_a_short_position_gains_when_the_price_falls(one: Diary) -> None:
    one.pay(100_000)
    one.rules(margin=3)
    sold = one.sell(BTC, 1000, day=0)

    days = days_of(one, NOON + timedelta(days=2))

    for day, moment in zip(days, (end_of(0), end_of(1), NOON + timedelta(days=2)), strict=True):
        assert day.equity == 100_000 * DOLLAR + sold - sold // 1000 - one.worth(BTC, 1000, moment)


def test_nothing_is_asked_for_more_than_one_snapshot(one: Diary) -> None:
    """A reader's rows of two tables belong to one moment, though somebody writes between the two queries."""
    one.pay(1000)
    with snapshot(one.database) as reader:
        assert isinstance(reader, Reader)
        before = reader.number("SELECT count(*) FROM ledger_entry")
        one.pay(1000)
        assert reader.number("SELECT count(*) FROM ledger_entry") == before
