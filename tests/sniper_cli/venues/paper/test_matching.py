"""What becomes of a paper order follows from the order, the market and the time, and from nothing else."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import Book, Level, PricePath, SimulatedMarket
from sniper_cli.venues.paper.matching import BPS, FeeSchedule, Wish, affordable, fee_on, follow, take
from state.orders import OrderState, OrderType, Side, TimeInForce

BTC = INSTRUMENTS["paper:BTC/USDT"]
START = 1_795_176_000  # 2026-11-20T12:00:00Z
FEES = FeeSchedule()
FREE = FeeSchedule(0, 0)
VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "orders_matching.json"

sides = st.sampled_from(Side)
tifs = st.sampled_from(TimeInForce)
paths = st.builds(PricePath, st.integers(0, 10_000), st.sampled_from([*INSTRUMENTS.values()]))


@st.composite
def wishes(draw: st.DrawFn) -> tuple[PricePath, Wish]:
    """A limit order within half a per cent of the price, from a lot to more than the book holds."""
    path = draw(paths)
    limit = max(2, path.ticks(START) * (BPS + draw(st.integers(-50, 50))) // BPS)
    lots = draw(st.integers(1, path.spec.depth_lots * 120))
    return path, Wish(draw(sides), OrderType.LIMIT, draw(tifs), limit, lots)


@settings(max_examples=150, deadline=None)
@given(wishes(), st.integers(0, 900))
def test_a_limit_order_never_fills_at_a_worse_price_nor_for_more(
    case: tuple[PricePath, Wish], length: int
) -> None:
    path, wish = case
    course = follow(path, wish, FEES, START, START + length)
    for one in course.executions:
        assert one.ticks <= wish.worst if wish.side is Side.BUY else one.ticks >= wish.worst
        assert one.notional == path.spec.notional(one.ticks, one.lots)
        assert one.fee == fee_on(one.notional, FEES.maker_bps if one.maker else FEES.taker_bps)
        assert START <= one.step <= START + length
        assert one.maker == (one.step > START)
    assert wish.lots is not None
    assert course.lots <= wish.lots
    assert (course.state is OrderState.FILLED) == (course.lots == wish.lots)
    assert len({(one.step, one.index) for one in course.executions}) == len(course.executions)


@settings(max_examples=100, deadline=None)
@given(wishes(), st.lists(st.integers(0, 900), min_size=2, max_size=5))
def test_settled_in_pieces_is_settled_in_one_go(case: tuple[PricePath, Wish], lengths: list[int]) -> None:
    path, wish = case
    courses = [follow(path, wish, FEES, START, START + length) for length in sorted(lengths)]
    for earlier, later in pairwise(courses):
        assert later.executions[: len(earlier.executions)] == earlier.executions
        assert earlier.state in (OrderState.OPEN, OrderState.PARTIALLY_FILLED) or later == earlier


@settings(max_examples=60, deadline=None)
@given(wishes(), st.integers(0, 300))
def test_a_resting_order_gets_what_a_walk_second_by_second_gives(
    case: tuple[PricePath, Wish], length: int
) -> None:
    """The search that passes over quiet intervals, against looking at every book."""
    path, wish = case
    wish = replace(wish, time_in_force=TimeInForce.GTC)
    assert wish.lots is not None
    left, walked = wish.lots, []
    for step in range(START, START + length + 1):
        book = path.book(step)
        levels = [
            level
            for level in (book.asks if wish.side is Side.BUY else book.bids)
            if (level.ticks <= wish.worst if wish.side is Side.BUY else level.ticks >= wish.worst)
        ]
        got = min(left, sum(level.lots for level in levels))
        if got:
            walked.append((step, got))
            left -= got
    course = follow(path, wish, FEES, START, START + length)
    by_step = Counter[int]()
    for one in course.executions:
        by_step[one.step] += one.lots
    assert sorted(by_step.items()) == walked


@settings(deadline=None)
@given(wishes())
def test_fill_or_kill_is_all_or_nothing_and_at_once(case: tuple[PricePath, Wish]) -> None:
    path, wish = case
    course = follow(path, replace(wish, time_in_force=TimeInForce.FOK), FEES, START, START + 500)
    assert course.state in (OrderState.FILLED, OrderState.CANCELLED)
    assert course.lots == (wish.lots if course.state is OrderState.FILLED else 0)
    assert course.explanation or course.state is OrderState.FILLED


@settings(deadline=None)
@given(wishes())
def test_immediate_or_cancel_takes_what_is_there_and_ends(case: tuple[PricePath, Wish]) -> None:
    path, wish = case
    course = follow(path, replace(wish, time_in_force=TimeInForce.IOC), FEES, START, START + 500)
    assert course.state in (OrderState.FILLED, OrderState.CANCELLED)
    assert {one.step for one in course.executions} <= {START}
    assert course == follow(path, replace(wish, time_in_force=TimeInForce.IOC), FEES, START, START)


@settings(deadline=None)
@given(paths, st.integers(0, 10**13), st.integers(0, 300))
def test_a_budget_is_never_exceeded_and_spent_to_the_last_lot(
    path: PricePath, budget: int, slippage: int
) -> None:
    book = path.book(START)
    worst = book.asks[0].ticks * (BPS + slippage) // BPS
    wish = Wish(Side.BUY, OrderType.MARKET, TimeInForce.IOC, worst, None, budget)
    executions, satisfied = take(book, wish, FEES)
    spent = sum(one.notional + one.fee for one in executions)
    assert spent <= budget
    if satisfied:
        assert budget - spent < path.spec.notional(worst, 1) * (BPS + FEES.taker_bps) // BPS + 2
    assert affordable(path.spec, book.asks[0].ticks, budget, FEES.taker_bps) == 0 or executions


@settings(deadline=None)
@given(paths, st.integers(1, 10**12), st.integers(0, 100))
def test_what_is_affordable_is_the_most_that_can_be_paid(path: PricePath, budget: int, fee_bps: int) -> None:
    ticks = path.ticks(START)
    lots = affordable(path.spec, ticks, budget, fee_bps)

    def cost(n: int) -> int:
        return path.spec.notional(ticks, n) + fee_on(path.spec.notional(ticks, n), fee_bps)

    assert cost(lots) <= budget < cost(lots + 1)


def test_fees_are_rounded_up_by_hand() -> None:
    assert [fee_on(n, 10) for n in (0, 1, 999, 1000, 1001, 10_000_000)] == [0, 1, 1, 1, 2, 10_000]


def test_a_market_order_stops_at_its_worst_price() -> None:
    asks = (Level(100, 5), Level(101, 5), Level(103, 50))
    book = Book(BTC, START, (Level(99, 5),), asks)
    executions, satisfied = take(book, Wish(Side.BUY, OrderType.MARKET, TimeInForce.IOC, 102, 20), FREE)
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
    kind = OrderType(order["type"])
    tif = TimeInForce(order.get("tif", "gtc").lower())
    wish = Wish(Side(order["side"]), kind, tif, order.get("price", 10**9), order["qty"])
    executions, satisfied = take(book_of(found["input"]["resting_book"]), wish, FREE)
    by_price = Counter[int]()
    for _, price, quantity in expected["fills"]:
        by_price[price] += quantity
    assert [(one.ticks, one.lots) for one in executions] == sorted(by_price.items())
    assert order["qty"] - sum(one.lots for one in executions) == expected["remaining"]
    assert satisfied == (expected["status"] == "filled")


def test_a_month_is_settled_in_a_few_looks() -> None:
    """An order far from the price, and a large one that fills bit by bit."""
    path = SimulatedMarket(7).path("paper:BTC/USDT")
    until = START + 30 * 86_400
    far = Wish(Side.BUY, OrderType.LIMIT, TimeInForce.GTC, path.ticks(START) // 2, 10)
    assert follow(path, far, FEES, START, until).state is OrderState.OPEN
    book = path.book(START)
    large = Wish(Side.BUY, OrderType.LIMIT, TimeInForce.GTC, book.asks[0].ticks, 10**6)
    course = follow(path, large, FEES, START, until)
    assert course.state is OrderState.FILLED
    assert len(course.executions) > 3
