"""What a taker gets from a book at once: best price first, never worse than its limit, never more than its budget."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import Book, Level, PricePath
from sniper_cli.venues.paper.matching import (
    BPS,
    Conditions,
    Execution,
    FeeSchedule,
    Taker,
    affordable,
    fee_on,
    take,
)
from state.orders import OrderType, Side

BTC = INSTRUMENTS["paper:BTC/USDT"]
START = 1_795_176_000  # 2026-11-20T12:00:00Z
FEES = FeeSchedule()
FREE = Conditions(FeeSchedule(0, 0))
VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "orders_matching.json"

sides = st.sampled_from(Side)
paths = st.builds(PricePath, st.integers(0, 10_000), st.sampled_from([*INSTRUMENTS.values()]))


def taken(book: Book, taker: Taker, conditions: Conditions = FREE) -> tuple[tuple[Execution, ...], bool]:
    return take(book, taker, conditions, book.spec.tick_of_lot)


@st.composite
def takers(draw: st.DrawFn) -> tuple[Book, Taker]:
    """A limit within half a per cent of the price, from a lot to more than the book holds."""
    path = draw(paths)
    worst = max(2, path.ticks(START) * (BPS + draw(st.integers(-50, 50))) // BPS)
    lots = draw(st.integers(1, path.spec.depth_lots * 120))
    return path.book(START), Taker(draw(sides), worst, lots)


@settings(max_examples=150, deadline=None)
@given(takers())
def test_a_taker_never_pays_more_than_its_limit_nor_gets_more_than_it_wants(case: tuple[Book, Taker]) -> None:
    book, taker = case
    executions, satisfied = taken(book, taker, Conditions())
    prices = [one.ticks for one in executions]
    assert prices == sorted(prices, reverse=taker.side is Side.SELL)
    for index, one in enumerate(executions):
        assert one.ticks <= taker.worst if taker.side is Side.BUY else one.ticks >= taker.worst
        assert one.notional == book.spec.notional(one.ticks, one.lots)
        assert one.fee == fee_on(one.notional, FEES.taker_bps)
        assert (one.step, one.index, one.maker) == (START, index, False)
    got = sum(one.lots for one in executions)
    assert taker.lots is not None
    assert got <= taker.lots
    assert satisfied == (got == taker.lots)


@settings(deadline=None)
@given(takers(), st.integers(0, 300), st.integers(0, 300))
def test_slippage_and_impact_only_ever_make_it_worse(
    case: tuple[Book, Taker], slippage: int, impact: int
) -> None:
    book, taker = case
    kind, _ = taken(book, taker)
    harsh, _ = taken(book, taker, Conditions(FREE.fees, slippage_bps=slippage, impact_bps=impact))
    assert sum(one.lots for one in harsh) <= sum(one.lots for one in kind)
    for better, worse in zip(kind, harsh, strict=False):
        assert better.ticks <= worse.ticks if taker.side is Side.BUY else better.ticks >= worse.ticks


def test_slippage_moves_every_price_by_hand() -> None:
    asks = (Level(10_000, 5), Level(10_100, 5))
    book = Book(BTC, START, (Level(9_900, 5), Level(9_800, 5)), asks)
    slipped = Conditions(FREE.fees, slippage_bps=10)
    bought, _ = taken(book, Taker(Side.BUY, 20_000, 10), slipped)
    # A tenth of a per cent, to whole ticks against the taker: 10,010 and 10,110.1.
    assert [one.ticks for one in bought] == [10_010, 10_111]
    sold, _ = taken(book, Taker(Side.SELL, 1, 10), slipped)
    assert [one.ticks for one in sold] == [9_890, 9_790]


def test_impact_grows_with_the_share_of_the_book_by_hand() -> None:
    book = Book(BTC, START, (Level(9_900, 50),), (Level(10_000, 60), Level(10_100, 40)))
    moved = Conditions(FREE.fees, impact_bps=100)
    # Half of the hundred lots move the price by half of one per cent, all of them by all of it.
    assert [one.ticks for one in taken(book, Taker(Side.BUY, 20_000, 50), moved)[0]] == [10_050]
    assert [one.ticks for one in taken(book, Taker(Side.BUY, 20_000, 100), moved)[0]] == [10_100, 10_201]


@settings(deadline=None)
@given(paths, st.integers(0, 10**13), st.integers(0, 300))
def test_a_budget_is_never_exceeded_and_spent_to_the_last_lot(
    path: PricePath, budget: int, slippage: int
) -> None:
    book = path.book(START)
    worst = book.asks[0].ticks * (BPS + slippage) // BPS
    executions, satisfied = taken(book, Taker(Side.BUY, worst, None, budget), Conditions())
    spent = sum(one.notional + one.fee for one in executions)
    assert spent <= budget
    if satisfied:
        assert budget - spent < path.spec.notional(worst, 1) * (BPS + FEES.taker_bps) // BPS + 2
    assert affordable(path.spec.notional(book.asks[0].ticks, 1), budget, FEES.taker_bps) == 0 or executions


@settings(deadline=None)
@given(paths, st.integers(1, 10**12), st.integers(0, 100))
def test_what_is_affordable_is_the_most_that_can_be_paid(path: PricePath, budget: int, fee_bps: int) -> None:
    ticks = path.ticks(START)
    lots = affordable(path.spec.notional(ticks, 1), budget, fee_bps)

    def cost(n: int) -> int:
        return path.spec.notional(ticks, n) + fee_on(path.spec.notional(ticks, n), fee_bps)

    assert cost(lots) <= budget < cost(lots + 1)


def test_fees_are_rounded_up_by_hand() -> None:
    assert [fee_on(n, 10) for n in (0, 1, 999, 1000, 1001, 10_000_000)] == [0, 1, 1, 1, 2, 10_000]


def test_a_market_order_stops_at_its_worst_price() -> None:
    asks = (Level(100, 5), Level(101, 5), Level(103, 50))
    book = Book(BTC, START, (Level(99, 5),), asks)
    executions, satisfied = taken(book, Taker(Side.BUY, 102, 20))
    assert [(one.ticks, one.lots) for one in executions] == [(100, 5), (101, 5)]
    assert not satisfied


def book_of(resting: list[dict[str, Any]]) -> Book:
    """The vectors' resting orders as a book: what stands at one price is one level."""
    levels = {side: Counter[int]() for side in ("buy", "sell")}
    for one in resting:
        levels[one["side"]][one["price"]] += one["qty"]
    bids = tuple(Level(price, lots) for price, lots in sorted(levels["buy"].items(), reverse=True))
    asks = tuple(Level(price, lots) for price, lots in sorted(levels["sell"].items()))
    return Book(BTC, START, bids, asks)


TAKERS = (
    "limit-crosses-price-time",
    "limit-partial-then-rest",
    "price-improvement",
    "market-sweep",
    "fok-fill",
)


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not beside this clone")
@pytest.mark.parametrize("case", TAKERS)
def test_one_taker_gets_what_the_shared_vectors_say(case: str) -> None:
    (found,) = [one for one in json.loads(VECTORS.read_text())["cases"] if one["id"] == case]
    (order,) = found["input"]["orders"]
    (expected,) = found["expected"]["results"]
    assert order["type"] in (OrderType.LIMIT, OrderType.MARKET)
    taker = Taker(Side(order["side"]), order.get("price", 10**9), order["qty"])
    executions, satisfied = taken(book_of(found["input"]["resting_book"]), taker)
    by_price = Counter[int]()
    for _, price, quantity in expected["fills"]:
        by_price[price] += quantity
    assert [(one.ticks, one.lots) for one in executions] == sorted(by_price.items())
    assert order["qty"] - sum(one.lots for one in executions) == expected["remaining"]
    assert satisfied == (expected["status"] == "filled")
