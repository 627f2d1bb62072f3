"""Gains as the United States and the United Kingdom count them, against the authorities' examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.books.lots import LotsDoNotReach, cost_left
from sniper_cli.portfolio.disposals import (
    TaxLots,
    Term,
    Trade,
    TradeKind,
    by_year,
    long_from,
    term,
    us_disposals,
)
from sniper_cli.portfolio.hmrc import Deal, NotHeld, UkResult, uk_disposals
from tests.vectors import agree, cases, name

UNIT = 10**18
"""The vectors tell whole coins and dollars; both are counted in units of 1e-18 here."""
DAY = date(2026, 1, 1)


def units(number: Any) -> int:
    return int(Decimal(str(number)) * UNIT)


def amount_of(row: dict[str, Any]) -> Decimal:
    """The price of a transaction: told as a whole, or of one unit."""
    if "amount" in row:
        return Decimal(str(row["amount"]))
    return Decimal(str(row["qty"])) * Decimal(str(row["price"]))


def trades(rows: Iterable[dict[str, Any]]) -> list[Trade]:
    return [
        Trade(
            date.fromisoformat(row["date"]), TradeKind(row["side"]), units(row["qty"]),
            units(amount_of(row)), units(row.get("fee", 0)),
        )
        for row in rows
    ]  # fmt: skip


@dataclass
class UsFigures:
    disposals: list[dict[str, Any]]
    total_gain: float
    remaining_lots: list[dict[str, Any]]
    short_term: float
    long_term: float
    disallowed: float


def us_figures(found: TaxLots) -> UsFigures:
    """The result as the vectors spell it."""
    return UsFigures(
        disposals=[
            {
                "acquired": str(one.acquired), "sold": str(one.sold), "qty": one.quantity / UNIT,
                "proceeds": one.proceeds / UNIT, "basis": one.basis / UNIT, "gain": one.gain / UNIT,
                "disallowed": one.disallowed / UNIT, "term": one.term,
            }
            for one in found.disposals
        ],
        total_gain=found.total_gain / UNIT,
        remaining_lots=[
            {
                "acquired": str(found.inherited.get(lot.id, lot.opened_at)), "qty": lot.remaining / UNIT,
                "unit_basis": cost_left(lot) / lot.remaining, "basis": cost_left(lot) / UNIT,
            }
            for lot in found.remaining
        ],
        short_term=found.short_term / UNIT,
        long_term=found.long_term / UNIT,
        disallowed=found.disallowed / UNIT,
    )  # fmt: skip


@pytest.mark.parametrize("case", cases("tax_lots_us"), ids=name)
def test_american_disposals_are_the_shared_ones(case: dict[str, Any]) -> None:
    asked = case["input"]
    found = us_disposals(
        trades(asked["transactions"]), asked.get("method", "fifo"), wash_sales=bool(asked.get("wash_sale"))
    )
    agree(case, us_figures(found))


@dataclass
class UkFigures:
    disposals: list[dict[str, Any]]
    total_gain: Fraction
    pool_qty: Fraction
    pool_cost: Fraction


def uk_figures(found: UkResult) -> UkFigures:
    return UkFigures(
        disposals=[
            {
                "date": str(one.at), "qty": one.quantity, "proceeds": one.proceeds,
                "allowable_cost": one.allowable_cost, "gain": one.gain,
                "matches": [
                    {"rule": m.rule, "acquired": m.acquired and str(m.acquired), "qty": m.quantity, "cost": m.cost}
                    for m in one.matches
                ],
            }
            for one in found.disposals
        ],
        total_gain=found.total_gain,
        pool_qty=found.pool_quantity,
        pool_cost=found.pool_cost,
    )  # fmt: skip


@pytest.mark.parametrize("case", cases("tax_lots_hmrc"), ids=name)
def test_british_disposals_are_the_shared_ones(case: dict[str, Any]) -> None:
    deals = [
        Deal(
            date.fromisoformat(row["date"]), row["side"] == "buy", Decimal(str(row["qty"])),
            Decimal(str(row["amount"])), Decimal(str(row["fee"])),
        )
        for row in case["input"]["transactions"]
    ]  # fmt: skip
    agree(case, uk_figures(uk_disposals(deals)))


def bought(day: date, quantity: int, amount: int, fee: int = 0, lot: str | None = None) -> Trade:
    return Trade(day, TradeKind.BUY, quantity, amount, fee, id=lot)


def sold(day: date, quantity: int, amount: int, fee: int = 0) -> Trade:
    return Trade(day, TradeKind.SELL, quantity, amount, fee)


@pytest.mark.parametrize(
    ("acquired", "last_short"),
    [
        (date(2022, 3, 1), date(2023, 3, 1)),
        (date(2023, 12, 31), date(2024, 12, 31)),
        (date(2020, 2, 29), date(2021, 2, 28)),
        (date(2019, 2, 28), date(2020, 2, 29)),  # Rev. Rul. 66-7: bought on a month's last day
        (date(2020, 2, 28), date(2021, 2, 28)),
    ],
)
def test_the_day_after_a_year_is_long_term(acquired: date, last_short: date) -> None:
    assert term(acquired, last_short) is Term.SHORT
    assert term(acquired, last_short + timedelta(days=1)) is Term.LONG
    assert long_from(acquired) == last_short + timedelta(days=1)


def test_fees_join_the_basis_and_lower_the_proceeds() -> None:
    found = us_disposals([bought(DAY, 10, 1000, fee=7), sold(DAY, 10, 1200, fee=5)])
    assert (found.disposals[0].basis, found.disposals[0].proceeds, found.total_gain) == (1007, 1195, 188)


def test_shares_given_away_leave_the_oldest_lots_and_gain_nothing() -> None:
    """Publication 550: 50 of 100 shares at $10 were given away; of 130 sold, 50 cost $500 and 80 at $11 cost $880."""
    found = us_disposals([
        bought(date(2000, 1, 3), 100, 1000),
        bought(date(2001, 1, 3), 200, 2200),
        Trade(date(2001, 7, 2), TradeKind.GIFT, 50, 0),
        bought(date(2003, 12, 1), 100, 900),
        sold(date(2013, 4, 1), 130, 2000),
    ])  # fmt: skip
    assert [disposal.basis for disposal in found.disposals] == [500, 880]


def test_a_wash_sale_puts_the_loss_off_into_the_new_shares() -> None:
    """IRS: 100 shares for $1,000, sold for $750, 100 bought within 30 days for $800: no loss of $250, basis $1,050."""
    found = us_disposals(
        [
            bought(DAY, 100, 1000),
            sold(DAY + timedelta(days=60), 100, 750),
            bought(DAY + timedelta(days=90), 100, 800),
        ],
        wash_sales=True,
    )
    assert (found.disposals[0].disallowed, found.total_gain) == (250, 0)
    assert [cost_left(lot) for lot in found.remaining] == [1050]
    assert list(found.inherited.values()) == [DAY + timedelta(days=30)]  # sixty days older than bought


def test_coins_have_no_wash_sales_unless_asked_for() -> None:
    found = us_disposals([bought(DAY, 100, 1000), sold(DAY, 100, 750), bought(DAY, 100, 800)])
    assert (found.total_gain, found.disallowed) == (-250, 0)


def test_only_as_much_of_a_loss_is_put_off_as_was_bought_again() -> None:
    """40 of 100 come back: 100 of the loss of 250."""
    found = us_disposals(
        [
            bought(DAY, 100, 1000),
            sold(DAY + timedelta(days=9), 100, 750),
            bought(DAY + timedelta(days=9), 40, 320),
        ],
        wash_sales=True,
    )
    assert (found.disallowed, found.total_gain, cost_left(found.remaining[0])) == (100, -150, 420)


def test_shares_bought_before_the_sale_replace_too_but_not_the_rest_of_the_same_purchase() -> None:
    history = [bought(DAY, 100, 1000, lot="sold from"), sold(DAY + timedelta(days=20), 50, 400)]
    assert us_disposals(history, wash_sales=True).disallowed == 0
    before = bought(DAY + timedelta(days=10), 50, 450, lot="replacement")
    found = us_disposals([history[0], before, history[1]], wash_sales=True)
    assert found.disallowed == 100
    assert [cost_left(lot) for lot in found.remaining] == [500, 550]


def test_thirty_days_are_in_the_window_and_thirty_one_are_not() -> None:
    for days, put_off in ((30, 250), (31, 0)):
        later = DAY + timedelta(days=days)
        history = [bought(DAY - timedelta(days=90), 100, 1000), sold(DAY, 100, 750), bought(later, 100, 800)]
        assert us_disposals(history, wash_sales=True).disallowed == put_off


def test_more_than_was_bought_cannot_be_sold() -> None:
    with pytest.raises(LotsDoNotReach):
        us_disposals([bought(DAY, 1, 1), sold(DAY, 2, 2)])
    with pytest.raises(NotHeld):
        uk_disposals([Deal(DAY, True, 1, 1), Deal(DAY + timedelta(days=1), False, 2, 2)])


def test_gains_by_year() -> None:
    found = us_disposals([bought(DAY, 10, 100), sold(DAY, 5, 60), sold(date(2027, 2, 1), 5, 40)])
    assert by_year(found.disposals) == {2026: 10, 2027: -10}


@st.composite
def histories(draw: st.DrawFn) -> list[Trade]:
    """Purchases and sales over two months, never more sold than held."""
    history, held, day = [], 0, DAY
    for _ in range(draw(st.integers(1, 14))):
        day += timedelta(days=draw(st.integers(0, 12)))
        if held and draw(st.booleans()):
            quantity = draw(st.integers(1, held))
            history.append(sold(day, quantity, draw(st.integers(0, 10**6)), draw(st.integers(0, 9))))
            held -= quantity
        else:
            quantity = draw(st.integers(1, 1000))
            history.append(bought(day, quantity, draw(st.integers(0, 10**6)), draw(st.integers(0, 9))))
            held += quantity
    return history


@given(histories(), st.sampled_from(["fifo", "lifo", "hifo", "lofo"]), st.booleans())
def test_what_was_paid_is_in_disposals_or_in_lots_and_a_loss_put_off_is_in_the_lots(
    history: list[Trade], method: str, wash_sales: bool
) -> None:
    found = us_disposals(history, method, wash_sales=wash_sales)
    paid = sum(trade.amount + trade.fee for trade in history if trade.kind is TradeKind.BUY)
    got = sum(trade.amount - trade.fee for trade in history if trade.kind is TradeKind.SELL)
    left = sum(cost_left(lot) for lot in found.remaining)
    assert sum(disposal.proceeds for disposal in found.disposals) == got
    assert sum(disposal.basis for disposal in found.disposals) + left == paid + found.disallowed
    assert found.total_gain == got - paid + left
    held = sum(trade.quantity * (1 if trade.kind is TradeKind.BUY else -1) for trade in history)
    assert sum(lot.remaining for lot in found.remaining) == held
    for disposal in found.disposals:
        assert 0 <= disposal.disallowed <= max(0, disposal.basis - disposal.proceeds)


@given(histories())
def test_the_british_pool_conserves_money_and_matches_every_unit(history: list[Trade]) -> None:
    deals = [
        Deal(trade.at, trade.kind is TradeKind.BUY, trade.quantity, trade.amount, trade.fee)
        for trade in history
    ]
    found = uk_disposals(deals)
    allowed = sum(disposal.allowable_cost for disposal in found.disposals)
    costs = sum(Fraction(deal.amount) + deal.fee if deal.buys else Fraction(deal.fee) for deal in deals)
    assert allowed + found.pool_cost == costs
    for disposal in found.disposals:
        assert sum(match.quantity for match in disposal.matches) == disposal.quantity
