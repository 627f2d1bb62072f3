"""Profit and loss by day, strategy and instrument: the same money, cut three ways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from sniper_cli.portfolio.profits import BY_HAND, By, ProfitLine, profits
from sniper_cli.portfolio.standing import read_standing
from state.accounts import Movement
from state.database import Database
from state.reading import snapshot
from tests.portfolio_fixtures import BTC, DOLLAR, ETH, NOON, Diary

FIRST = NOON.date()
NOW = NOON + timedelta(days=4)


@pytest.fixture
def diary(database: Database) -> Iterator[Diary]:
    """Two instruments, a strategy and a person, four days."""
    found = Diary(database)
    found.pay(100_000)
    found.bought = found.buy(BTC, 1000, 0, strategy="grid")  # type: ignore[attr-defined]
    found.sold = found.sell(BTC, 400, 1, strategy="grid")  # type: ignore[attr-defined]
    found.by_hand = found.buy(ETH, 2000, 1)  # type: ignore[attr-defined]
    found.pay(-3, 1, Movement.FUNDING)
    yield found
    found.close()


def lines(diary: Diary, by: By, since: date | None = None, until: date | None = None) -> list[ProfitLine]:
    with snapshot(diary.database) as reader:
        standing = read_standing(reader, diary.marks, NOW)
        return list(profits(reader, standing, by, since=since, until=until))


def whole(units: int) -> Decimal:
    return Decimal(units) / DOLLAR


def test_by_day_the_newest_first_with_what_is_open_in_todays_line(diary: Diary) -> None:
    found = lines(diary, By.DAY)

    assert [line.day for line in found] == [NOW.date(), FIRST + timedelta(days=1), FIRST]
    today, second, first = found
    cost = diary.bought * 400 // 1000
    realised = diary.sold - cost
    fees = diary.sold // 1000 + diary.by_hand // 1000
    assert (second.realised, second.fees, second.costs) == (whole(realised), whole(fees), 3)
    assert second.net == whole(realised - fees - 3 * DOLLAR)
    assert (second.bought, second.sold, second.fills) == (whole(diary.by_hand), whole(diary.sold), 2)
    assert (second.wins, second.losses) == ((1, 0) if realised > 0 else (0, 1))
    assert (first.realised, first.unrealised, first.fills) == (0, None, 1)
    diary.marks.at(NOW)
    open_btc = diary.marks.closing(BTC.id, 600 * BTC.lot_units) - (diary.bought - cost)
    open_eth = diary.marks.closing(ETH.id, 2000 * ETH.lot_units) - diary.by_hand
    assert (today.unrealised, today.fills) == (whole(open_btc + open_eth), 0)


def test_by_strategy_what_a_person_did_has_a_line_of_its_own(diary: Diary) -> None:
    found = {line.strategy: line for line in lines(diary, By.STRATEGY)}

    assert set(found) == {"grid", BY_HAND}
    assert found["grid"].realised == whole(diary.sold - diary.bought * 400 // 1000)
    assert found[BY_HAND].fees == whole(diary.by_hand // 1000)
    assert found["grid"].day is None


def test_by_instrument_volume_is_both_sides(diary: Diary) -> None:
    found = {line.instrument: line for line in lines(diary, By.INSTRUMENT)}

    assert found["BTC/USDT"].volume == whole(diary.bought + diary.sold)
    assert found["BTC/USDT"].fills == 2
    lots = Decimal(1400) * BTC.lot
    assert (
        found["BTC/USDT"].price
        == (whole(diary.bought + diary.sold) / lots).quantize(Decimal("0.0000001")).normalize()
    )
    assert found["ETH/USDT"].bought is None, "the day sums of instruments know no sides"


@pytest.mark.parametrize("by", list(By))
def test_however_it_is_cut_it_is_the_same_money(diary: Diary, by: By) -> None:
    found = lines(diary, by)

    assert sum(line.realised for line in found) == whole(diary.sold - diary.bought * 400 // 1000)
    assert sum(line.fees for line in found) == whole(
        diary.bought // 1000 + diary.sold // 1000 + diary.by_hand // 1000
    )
    assert sum(line.fills for line in found) == 3
    assert sum(line.unrealised or 0 for line in found) == sum(
        line.unrealised or 0 for line in lines(diary, By.INSTRUMENT)
    )


def test_days_can_be_bounded_on_both_sides(diary: Diary) -> None:
    second = FIRST + timedelta(days=1)

    assert [line.day for line in lines(diary, By.DAY, since=second, until=second)] == [second]
    assert lines(diary, By.STRATEGY, until=FIRST)[0].fills == 1
    assert lines(diary, By.STRATEGY, until=FIRST)[0].unrealised is None, "what is open now belongs to today"
