"""The order book alone: 60 % limit orders around a wandering price, 25 % cancellations, 15 % IOC orders that sweep.

Every order has one of fifty owners and self-trade prevention is on, as on a venue. One book is what an instrument
sees; a hundred in turn is what an exchange sees, whose data no longer fit the processor's cache.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from math import log

from sniper_cli.market.book_outcomes import Outcome, SelfTrade
from sniper_cli.market.matching import OrderBook
from state.orders import Side, TimeInForce

OPERATIONS = 300_000
ROUNDS = 5
OWNERS = 50
RESTING = 125_000
GTC, IOC = TimeInForce.GTC, TimeInForce.IOC

Operation = tuple[int, int, Side, int, int, TimeInForce, int]
"""Book, order, side, price, lots (0 to cancel), time in force, owner."""


def measure() -> dict[str, str]:
    """Operations a second, latencies, and what a full book costs."""
    results = {}
    for books in (1, 100):
        day = operations(books)
        title = "one book" if books == 1 else f"{books} books"
        results[f"{title}, collector on"] = _rate([_run(books, day) for _ in range(ROUNDS)])
        gc.disable()
        try:
            results[f"{title}, collector off"] = _rate([_run(books, day) for _ in range(ROUNDS)])
        finally:
            gc.enable()
        results[f"{title}, one operation"] = _latency(books, day)
    return results | _full_book()


def operations(books: int, seed: int = 42) -> list[Operation]:
    """The same day every time."""
    dice = random.Random(seed)
    mid = [100_000] * books
    resting: list[list[int]] = [[] for _ in range(books)]
    day: list[Operation] = []
    for order in range(OPERATIONS):
        book, side, owner = dice.randrange(books), dice.choice([Side.BUY, Side.SELL]), dice.randrange(OWNERS)
        sign = 1 if side is Side.BUY else -1
        mid[book] += dice.choices((-1, 0, 1), (5, 90, 5))[0]
        kind, mine = dice.random(), resting[book]
        if kind < 0.25 and mine:
            # One of the 300 latest: quotes are younger than what stands far from the price.
            gone = mine.pop(-1 - int(dice.random() * min(len(mine), 300)))
            day.append((book, gone, side, 0, 0, GTC, owner))
        elif kind < 0.85:
            away = 1 + int(log(1 - dice.random()) / log(0.9))
            day.append((book, order, side, mid[book] - sign * away, dice.randint(1, 100), GTC, owner))
            mine.append(order)
        else:
            day.append((book, order, side, mid[book] + sign * 40, dice.randint(1, 150), IOC, owner))
    return day


def _run(books: int, day: list[Operation]) -> float:
    """Seconds for a day."""
    venue = [OrderBook(SelfTrade.CANCEL_NEWEST) for _ in range(books)]
    calls = [(book.place, book.cancel) for book in venue]
    begun = time.perf_counter()
    for number, order, side, price, lots, time_in_force, owner in day:
        place, cancel = calls[number]
        if lots:
            place(order, side, price, lots, time_in_force, owner)
        else:
            cancel(order)
    return time.perf_counter() - begun


def _latency(books: int, day: list[Operation]) -> str:
    """Each operation by itself, the clock's own time taken off."""
    venue, clock = [OrderBook(SelfTrade.CANCEL_NEWEST) for _ in range(books)], time.perf_counter_ns
    idle = statistics.median(-(clock() - clock()) for _ in range(10_000))
    times, fills = [], 0
    for number, order, side, price, lots, time_in_force, owner in day:
        book, begun = venue[number], clock()
        outcome = book.place(order, side, price, lots, time_in_force, owner) if lots else book.cancel(order)
        times.append(clock() - begun)
        fills += len(outcome.fills) if isinstance(outcome, Outcome) else 0
    ranked = sorted(times)
    p50, p99 = ((ranked[len(ranked) * share // 100] - idle) / 1000 for share in (50, 99))
    return f"p50 {p50:.2f} µs, p99 {p99:.2f} µs, max {ranked[-1] / 1e6:.1f} ms ({fills:,} fills)"


def _full_book() -> dict[str, str]:
    """What looks at all of a book, with many orders in it."""
    dice, book = random.Random(7), OrderBook()
    for order in range(RESTING):
        away = dice.randint(1, 500)
        side = dice.choice([Side.BUY, Side.SELL])
        price = 100_000 - away if side is Side.BUY else 100_000 + away
        book.place(order, side, price, dice.randint(1, 100), owner=dice.randrange(OWNERS))
    rows = book.dump()
    at = f"{RESTING:,} resting"
    return {
        f"{at}: depth, 10 levels": _each(lambda: book.depth(10)),
        f"{at}: dump": _each(book.dump),
        f"{at}: load": _each(lambda: OrderBook.load(rows)),
        f"{at}: cancel all of one of {OWNERS}": _each(
            lambda: OrderBook.cancel_all(book, dice.randrange(OWNERS))
        ),
    }


def _each(call) -> str:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return f"{statistics.median(times) * 1000:.2f} ms (median of {ROUNDS})"


def _rate(times: list[float]) -> str:
    rates = sorted(OPERATIONS / one / 1e6 for one in times)
    return f"{statistics.median(rates):.2f} M operations/s (median of {ROUNDS}, {rates[0]:.2f} to {rates[-1]:.2f})"
