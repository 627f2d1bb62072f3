"""The order book: published cases, and what each word of an order means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.market.book_outcomes import (
    Depth,
    Fill,
    ImpossibleOrder,
    Outcome,
    PostOnly,
    Reason,
    SelfTrade,
    Status,
)
from sniper_cli.market.matching import OrderBook
from state.orders import Side, TimeInForce

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "orders_matching.json"
BUY, SELL = Side.BUY, Side.SELL
IOC, FOK, DAY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY


def published() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    return [case for case in json.loads(VECTORS.read_text())["cases"] if "resting_book" in case["input"]]


def enter(book: OrderBook, order: dict[str, Any], order_id: str) -> Outcome:
    """One order of a vector: `type` or flags say what it is, none of them has an owner."""
    kind = order.get("type", "limit")
    return book.place(
        order.get("id", order_id),
        Side(order["side"]),
        None if kind == "market" else order["price"],
        order["qty"],
        TimeInForce(order.get("tif", "gtc").lower()),
        post_only=PostOnly.REJECT if kind == "post_only" or order.get("post_only") else None,
        display=order.get("display") or 0,
    )


@pytest.mark.skipif(not VECTORS.exists(), reason="the published vectors are not beside this repository")
@pytest.mark.parametrize("case", published(), ids=lambda case: case["id"])
def test_orders_trade_as_published(case: dict[str, Any]) -> None:
    book = OrderBook()
    for place, order in enumerate(case["input"]["resting_book"]):
        assert not enter(book, order, f"resting {place}").fills
    for place, (order, expected) in enumerate(
        zip(case["input"]["orders"], case["expected"]["results"], strict=True)
    ):
        outcome = enter(book, order, f"taker {place}")
        assert [[fill.maker, fill.price, fill.lots] for fill in outcome.fills] == expected["fills"]
        assert outcome.status == expected["status"]
        assert outcome.remaining == expected["remaining"]


def asks(*orders: tuple[str, int, int]) -> OrderBook:
    """A book with these sales: id, price, lots."""
    book = OrderBook()
    for order_id, price, lots in orders:
        book.place(order_id, SELL, price, lots)
    return book


def taken(outcome: Outcome) -> list[tuple[Any, int, int]]:
    return [(fill.maker, fill.price, fill.lots) for fill in outcome.fills]


# What an order says of itself


def test_a_fill_says_what_its_maker_has_left() -> None:
    book = asks(("a", 100, 5))

    outcome = book.place("b", BUY, 100, 2)

    assert outcome.fills == [Fill("a", 100, 2, left=3)]
    assert book.place("c", BUY, 100, 3).fills == [Fill("a", 100, 3, left=0)]
    assert "a" not in book


def test_ioc_takes_what_is_there_and_leaves_nothing_behind() -> None:
    book = asks(("a", 100, 5), ("b", 102, 5))

    outcome = book.place("t", BUY, 101, 8, IOC)

    assert taken(outcome) == [("a", 100, 5)]
    assert (outcome.status, outcome.remaining, outcome.reason) == (
        Status.PARTIALLY_FILLED_CANCELLED,
        3,
        Reason.NOTHING_LEFT,
    )
    assert "t" not in book
    assert book.best_bid is None


def test_ioc_that_meets_nothing_is_cancelled() -> None:
    outcome = asks(("a", 100, 5)).place("t", BUY, 99, 1, IOC)

    assert (outcome.status, outcome.remaining, outcome.fills) == (Status.CANCELLED, 1, ())


def test_fok_takes_all_or_leaves_the_book_as_it_was() -> None:
    book = asks(("a", 100, 5), ("b", 101, 4), ("c", 102, 9))
    before = book.dump()

    killed = book.place("t", BUY, 101, 10, FOK)

    assert (killed.status, killed.remaining, killed.reason) == (Status.CANCELLED, 10, Reason.NOT_ALL_AT_ONCE)
    assert book.dump() == before
    assert book.place("t", BUY, 101, 9, FOK).status is Status.FILLED


def test_fok_counts_what_an_iceberg_hides() -> None:
    book = OrderBook()
    book.place("ice", SELL, 100, 10, display=2)

    assert book.place("t", BUY, 100, 10, FOK).status is Status.FILLED


def test_a_market_order_never_rests() -> None:
    book = asks(("a", 100, 5))

    assert book.place("t", BUY, None, 8).remaining == 3
    assert book.place("u", BUY, None, 8).status is Status.CANCELLED
    assert len(book) == 0


def test_a_market_order_may_be_fill_or_kill() -> None:
    assert asks(("a", 100, 5)).place("t", BUY, None, 6, FOK).fills == ()


def test_an_order_good_for_the_day_rests() -> None:
    book = OrderBook()

    assert book.place("t", BUY, 100, 6, DAY).status is Status.RESTING
    assert book.best_bid == 100


@pytest.mark.parametrize(("side", "best", "limit", "slid"), [(BUY, 100, 103, 99), (SELL, 100, 97, 101)])
def test_a_post_only_order_that_would_trade_is_rejected_or_slides(
    side: Side, best: int, limit: int, slid: int
) -> None:
    book = OrderBook()
    book.place("m", SELL if side is BUY else BUY, best, 5)

    rejected = book.place("t", side, limit, 1, post_only=PostOnly.REJECT)
    assert (rejected.status, rejected.remaining, rejected.reason) == (
        Status.REJECTED,
        1,
        Reason.WOULD_TRADE,
    )
    assert "t" not in book

    outcome = book.place("t", side, limit, 1, post_only=PostOnly.SLIDE)
    assert (outcome.status, outcome.price, outcome.fills) == (Status.RESTING, slid, ())


def test_a_post_only_order_that_would_not_trade_rests_where_it_said() -> None:
    book = asks(("a", 100, 5))
    book.cancel("a")

    assert book.place("t", BUY, 105, 1, post_only=PostOnly.REJECT).price == 105


def test_there_is_no_price_below_one_tick_to_slide_to() -> None:
    assert asks(("a", 1, 5)).place("t", BUY, 1, 1, post_only=PostOnly.SLIDE).status is Status.REJECTED


def test_an_iceberg_shows_a_slice_and_reports_the_rest() -> None:
    book = OrderBook()

    outcome = book.place("ice", SELL, 101, 10, display=3)

    assert (outcome.remaining, outcome.hidden) == (10, 7)
    assert book.depth() == Depth([], [(101, 3)])
    assert book.available(BUY) == 10


def test_a_new_slice_queues_up_behind_all_others() -> None:
    book = OrderBook()
    book.place("ice", SELL, 101, 10, display=3)
    book.place("b", SELL, 101, 4)

    assert taken(book.place("t", BUY, 101, 4)) == [("ice", 101, 3), ("b", 101, 1)]
    assert taken(book.place("u", BUY, 101, 4)) == [("b", 101, 3), ("ice", 101, 1)]
    resting = book.get("ice")
    assert resting is not None
    assert (resting.shown, resting.hidden) == (2, 4)


def test_an_iceberg_that_takes_shows_a_slice_of_what_is_left() -> None:
    book = asks(("a", 100, 4))

    outcome = book.place("ice", BUY, 100, 10, display=5)

    assert (outcome.status, outcome.remaining, outcome.hidden) == (Status.PARTIALLY_FILLED_RESTING, 6, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"lots": 0}, "one lot or more"),
        ({"price": 0}, "one tick or more"),
        ({"display": -1}, "an iceberg shows"),
        ({"order_id": "a"}, "in the book already"),
        ({"post_only": PostOnly.SLIDE, "price": None}, "a post-only order has a price"),
        ({"post_only": PostOnly.REJECT, "time_in_force": IOC}, "rests until it is cancelled"),
    ],
)
def test_what_cannot_be_an_order_is_an_error(words: dict[str, Any], sentence: str) -> None:
    book = asks(("a", 100, 5))
    before = book.dump()

    with pytest.raises(ImpossibleOrder, match=sentence):
        book.place(**({"order_id": "t", "side": BUY, "price": 100, "lots": 1} | words))
    assert book.dump() == before


# Self-trade prevention: `mine` and the taker belong to participant 1, `theirs` came after `mine`


def own_book() -> OrderBook:
    book = OrderBook()
    book.place("mine", SELL, 100, 3, owner=1)
    book.place("theirs", SELL, 100, 5, owner=2)
    return book


@pytest.mark.parametrize(
    ("mode", "fills", "prevented", "status", "remaining", "left"),
    [
        (SelfTrade.ALLOW, [("mine", 3), ("theirs", 4)], [], Status.FILLED, 0, {"theirs": 1}),
        (SelfTrade.CANCEL_NEWEST, [], [], Status.CANCELLED, 7, {"mine": 3, "theirs": 5}),
        (
            SelfTrade.CANCEL_OLDEST,
            [("theirs", 5)],
            [("mine", 3)],
            Status.PARTIALLY_FILLED_RESTING,
            2,
            {"t": 2},
        ),
        (SelfTrade.CANCEL_BOTH, [], [("mine", 3)], Status.CANCELLED, 7, {"theirs": 5}),
        (
            SelfTrade.DECREMENT,
            [("theirs", 4)],
            [("mine", 3)],
            Status.PARTIALLY_FILLED_CANCELLED,
            0,
            {"theirs": 1},
        ),
    ],
)
def test_a_participant_that_meets_itself(
    mode: SelfTrade,
    fills: list[tuple[str, int]],
    prevented: list[tuple[str, int]],
    status: Status,
    remaining: int,
    left: dict[str, int],
) -> None:
    book = own_book()

    outcome = book.place("t", BUY, 100, 7, owner=1, self_trade=mode)

    assert [(fill.maker, fill.lots) for fill in outcome.fills] == fills
    assert [(fill.maker, fill.lots) for fill in outcome.prevented] == prevented
    assert (outcome.status, outcome.remaining) == (status, remaining)
    assert {row[0]: row[4] for row in book.dump()} == left


def test_what_it_has_traded_before_meeting_itself_stands() -> None:
    book = OrderBook(SelfTrade.CANCEL_NEWEST)
    book.place("theirs", SELL, 100, 5, owner=2)
    book.place("mine", SELL, 101, 3, owner=1)

    outcome = book.place("t", BUY, None, 7, owner=1)

    assert taken(outcome) == [("theirs", 100, 5)]
    assert (outcome.status, outcome.reason) == (Status.PARTIALLY_FILLED_CANCELLED, Reason.SELF_TRADE)


def test_both_shrink_by_the_smaller_one() -> None:
    book = OrderBook(SelfTrade.DECREMENT)
    book.place("mine", SELL, 100, 7, owner=1)

    outcome = book.place("t", BUY, 100, 3, owner=1)

    assert outcome.prevented == [Fill("mine", 100, 3, left=4)]
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.SELF_TRADE)
    assert book.available(BUY) == 4


def test_orders_without_an_owner_trade_with_each_other() -> None:
    book = OrderBook(SelfTrade.CANCEL_NEWEST)
    book.place("a", SELL, 100, 1)

    assert book.place("b", BUY, 100, 1).status is Status.FILLED


@pytest.mark.parametrize(
    ("mode", "lots", "fills"),
    [
        (SelfTrade.CANCEL_NEWEST, 5, True),  # the slices shown ahead of its own order: 2 and 3
        (SelfTrade.CANCEL_NEWEST, 6, False),  # the iceberg's next slice would come behind it
        (SelfTrade.CANCEL_OLDEST, 12, True),  # without its own order: 8 and 3 at 100, 1 at 101
        (SelfTrade.CANCEL_OLDEST, 13, False),
        (SelfTrade.DECREMENT, 6, False),
        (SelfTrade.ALLOW, 16, True),
    ],
)
def test_fok_does_not_count_what_self_trade_prevention_keeps_from_it(
    mode: SelfTrade, lots: int, fills: bool
) -> None:
    book = OrderBook(mode)
    book.place("ice", SELL, 100, 8, owner=2, display=2)
    book.place("b", SELL, 100, 3, owner=2)
    book.place("mine", SELL, 100, 4, owner=1)
    book.place("c", SELL, 101, 1, owner=2)
    before = book.dump()

    outcome = book.place("t", BUY, 101, lots, FOK, owner=1)

    assert (outcome.status is Status.FILLED) is fills
    assert sum(fill.lots for fill in outcome.fills) == (lots if fills else 0)
    assert (book.dump() == before) is not fills


def test_a_cancelled_order_of_one_s_own_is_in_nobody_s_way() -> None:
    book = OrderBook(SelfTrade.CANCEL_NEWEST)
    for order_id, owner in (("gone", 1), ("theirs", 2), ("mine", 1)):
        book.place(order_id, SELL, 100, 4, owner=owner)
    book.cancel("gone")

    assert taken(book.place("t", BUY, 100, 4, FOK, owner=1)) == [("theirs", 100, 4)]


# Changing and taking out


def queue_at_100(book: OrderBook) -> list[Any]:
    """Who trades at 100, in this order."""
    copy = OrderBook.load(book.dump())
    return [fill.maker for fill in copy.place("all", BUY, 100, 1_000, IOC).fills]


def test_less_of_an_order_keeps_its_place() -> None:
    book = asks(("a", 100, 5), ("b", 100, 5))

    outcome = book.amend("a", lots=2)

    assert (outcome.status, outcome.remaining, outcome.price) == (Status.RESTING, 2, 100)
    assert queue_at_100(book) == ["a", "b"]
    assert book.depth().asks == [(100, 7)]


@pytest.mark.parametrize("change", [{"lots": 6}, {"price": 99}, {"price": 99, "lots": 2}])
def test_more_of_an_order_or_another_price_loses_its_place(change: dict[str, int]) -> None:
    book = asks(("b", 99, 5), ("a", 100, 5), ("c", 100, 5))

    book.amend("a", **change)

    assert queue_at_100(book) == (["b", "a", "c"] if "price" in change else ["b", "c", "a"])


def test_an_amended_order_may_trade() -> None:
    book = asks(("a", 105, 5))
    book.place("b", BUY, 100, 3)

    outcome = book.amend("a", price=100)

    assert taken(outcome) == [("b", 100, 3)]
    assert (outcome.status, outcome.remaining) == (Status.PARTIALLY_FILLED_RESTING, 2)
    assert book.best_ask == 100


def test_an_amendment_that_post_only_rejects_changes_nothing() -> None:
    book = asks(("a", 105, 5))
    book.place("b", BUY, 100, 3)
    before = book.dump()

    outcome = book.amend("a", price=100, post_only=PostOnly.REJECT)

    assert (outcome.status, outcome.remaining, outcome.price) == (Status.REJECTED, 5, 105)
    assert book.dump() == before


def test_a_smaller_iceberg_loses_what_is_hidden_first() -> None:
    book = OrderBook()
    book.place("ice", SELL, 100, 10, display=3)

    assert book.amend("ice", lots=4).hidden == 1
    assert book.depth().asks == [(100, 3)]
    assert book.amend("ice", lots=2).hidden == 0
    assert book.depth().asks == [(100, 2)]
    assert book.amend("ice", lots=9).hidden == 6


def test_amending_what_is_gone_is_rejected() -> None:
    outcome = OrderBook().amend("a", lots=3)

    assert (outcome.status, outcome.reason) == (Status.REJECTED, Reason.NOT_RESTING)


def test_an_order_is_not_amended_to_nothing() -> None:
    with pytest.raises(ImpossibleOrder):
        asks(("a", 100, 5)).amend("a", lots=0)


def test_cancelling_returns_what_was_open() -> None:
    book = OrderBook()
    book.place("ice", SELL, 100, 10, display=3)
    book.place("t", BUY, 100, 1)

    assert book.cancel("ice") == 9
    assert book.cancel("ice") == 0
    assert book.depth() == Depth([], [])


def test_all_of_a_participant_or_all_on_one_side_are_cancelled() -> None:
    book = OrderBook()
    for place, (side, price, owner) in enumerate(
        [(BUY, 90, "me"), (SELL, 110, "me"), (SELL, 111, "you"), (SELL, 109, "me")]
    ):
        book.place(place, side, price, 1, owner=owner)

    assert [one.id for one in book.orders_of("me")] == [0, 1, 3]
    assert book.cancel_all("me", SELL) == [(1, 1), (3, 1)]
    assert book.cancel_all("me") == [(0, 1)]
    assert len(book) == 1
    assert 2 in book


def test_the_book_is_seen_level_by_level_best_first() -> None:
    book = OrderBook()
    for place, (side, price, lots) in enumerate(
        [(BUY, 98, 1), (BUY, 99, 2), (BUY, 99, 3), (SELL, 101, 4), (SELL, 103, 5)]
    ):
        book.place(place, side, price, lots)

    assert book.depth() == Depth([(99, 5), (98, 1)], [(101, 4), (103, 5)])
    assert book.depth(1) == Depth([(99, 5)], [(101, 4)])
    assert (book.best_bid, book.best_ask) == (99, 101)
    assert book.available(BUY, 102) == 4
    assert book.available(SELL) == 6


# What is left behind by a day of quoting


def test_tombstones_and_stale_prices_do_not_pile_up() -> None:
    book = asks(("far", 1_000, 1), ("first", 500, 1))
    for place in range(5_000):
        book.place(place, SELL, 500, 1)
        book.place(-1 - place, SELL, 600 + place % 300, 1)
        book.cancel(place)
        book.cancel(-1 - place)

    half = book._asks
    assert sum(len(level.queue) for level in half.levels.values()) < 100
    assert len(half.keys) < 100
    assert [row[0] for row in book.dump()] == ["far", "first"]


def test_a_participant_s_tombstones_are_swept_while_it_is_being_taken_from() -> None:
    book = OrderBook(SelfTrade.CANCEL_OLDEST)
    for place in range(200):
        book.place(place, SELL, 100, 1, owner=1 if place % 4 else 2)

    outcome = book.place("t", BUY, 100, 50, owner=1)

    assert [fill.maker for fill in outcome.fills] == list(range(0, 200, 4))
    # Sale 196 is the last of the others; what stands behind it is not met.
    assert len(outcome.prevented) == 147
    assert [row[0] for row in book.dump()] == [197, 198, 199]
