"""Stops, take-profits, trailing stops and brackets: published cases, and their edges worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.market.triggers import (
    BarExit,
    Course,
    ExitReason,
    Intrabar,
    Trailing,
    TrailingCourse,
    bracket_on_bars,
    follow_stop,
    follow_target,
    follow_trailing,
    stop_touched,
    target_touched,
    trailing_on_bars,
)
from state.orders import Side

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "orders_matching.json"
BUY, SELL = Side.BUY, Side.SELL


def published(*kinds: str) -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    return [case for case in json.loads(VECTORS.read_text())["cases"] if case["input"].get("kind") in kinds]


def exact(number: Any) -> Any:
    """A number of a vector as the Decimal that it is written as."""
    return number if number is None else Decimal(str(number))


needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published vectors are not beside this repository"
)


@needs_vectors
@pytest.mark.parametrize(
    "case",
    published("stop_market", "stop_limit", "take_profit", "take_profit_limit"),
    ids=lambda case: case["id"],
)
def test_triggers_go_off_as_published(case: dict[str, Any]) -> None:
    asked, expected = case["input"], case["expected"]
    target = asked["kind"].startswith("take_profit")
    course = (follow_target if target else follow_stop)(
        Side(asked["side"]),
        exact(asked.get("stop", asked.get("trigger"))),
        [exact(price) for price in asked["path"]],
        exact(asked.get("limit")),
    )
    assert course.triggered_index == expected["triggered_index"]
    assert course.filled_index == expected["filled_index"]
    assert course.fill_price == exact(expected["fill_price"])


@needs_vectors
@pytest.mark.parametrize("case", published("trailing_stop"), ids=lambda case: case["id"])
def test_trailing_stops_follow_as_published(case: dict[str, Any]) -> None:
    asked, expected = case["input"], case["expected"]
    trailing = Trailing(
        Side(asked["side"]),
        exact(asked.get("offset")),
        exact(asked.get("offset_pct", asked.get("percent"))),
        exact(asked.get("activation")),
    )
    course = follow_trailing(trailing, [exact(price) for price in asked["path"]])
    assert course.triggered_index == expected["triggered_index"]
    assert course.trigger_price == exact(expected["trigger_price"])
    assert course.stop_at_trigger == exact(expected["stop_at_trigger"])
    assert list(course.stops) == [exact(stop) for stop in expected["stops"]]


@needs_vectors
@pytest.mark.parametrize("case", published("oco_bracket_on_bars"), ids=lambda case: case["id"])
def test_brackets_close_as_published(case: dict[str, Any]) -> None:
    asked, expected = case["input"], case["expected"]
    closed = bracket_on_bars(
        SELL if asked["side"] == "long" else BUY,
        [tuple(exact(price) for price in bar) for bar in asked["bars"]],
        take_profit=exact(asked.get("take_profit")),
        stop_loss=exact(asked.get("stop_loss")),
        rule=Intrabar(asked.get("intrabar_rule", "pessimistic")),
    )
    if expected["bar"] is None:
        assert closed is None
    else:
        assert closed is not None
        assert (closed.bar, closed.reason, closed.price) == (
            expected["bar"],
            expected["reason"],
            exact(expected["price"]),
        )


# Stops and take-profits


@pytest.mark.parametrize(
    ("side", "stop", "target"), [(SELL, [99, 100], [100, 101]), (BUY, [100, 101], [99, 100])]
)
def test_a_stop_waits_for_the_price_to_turn_and_a_target_for_it_to_go_on(
    side: Side, stop: list[int], target: list[int]
) -> None:
    assert [price for price in (99, 100, 101) if stop_touched(side, 100, price)] == stop
    assert [price for price in (99, 100, 101) if target_touched(side, 100, price)] == target


def test_a_take_profit_gets_the_price_that_touches_it() -> None:
    assert follow_target(SELL, 105, [100, 104, 107]) == Course(2, 2, 107)
    assert follow_target(BUY, 95, [100, 96]) == Course()


def test_a_stop_limit_fills_at_the_trade_that_triggers_it_if_that_is_within_its_limit() -> None:
    assert follow_stop(SELL, 96, [100, 96, 95], limit=95) == Course(1, 1, 96)


def test_a_stop_limit_that_is_jumped_over_waits() -> None:
    assert follow_stop(SELL, 96, [100, 94, 93], limit=95) == Course(1, None, None)
    assert follow_stop(BUY, 105, [100, 108, 107, 106], limit=106) == Course(1, 3, 106)


# Trailing stops


def test_a_trailing_buy_follows_the_price_down() -> None:
    course = follow_trailing(Trailing(BUY, amount=2), [100, 97, 98, 96, 99])

    assert course == TrailingCourse(4, 99, 98, (102, 99, 99, 98))


def test_a_percentage_is_of_the_best_price() -> None:
    course = follow_trailing(
        Trailing(SELL, percent=Decimal("2.5")), [Decimal(100), Decimal(120), Decimal("117.5"), Decimal(117)]
    )

    assert course == TrailingCourse(
        3, Decimal(117), Decimal(117), (Decimal("97.5"), Decimal(117), Decimal(117))
    )


@pytest.mark.parametrize(("side", "stop"), [(SELL, 97), (BUY, 104)])
def test_in_ticks_a_percentage_is_rounded_away_from_the_price(side: Side, stop: int) -> None:
    trailing = Trailing(side, percent=Decimal("2.5"))  # of 101: 98.475 and 103.525
    trailing.update(101)

    assert trailing.stop == (98 if side is SELL else stop)


def test_it_begins_at_its_activation_price() -> None:
    trailing = Trailing(SELL, amount=5, activation=110)

    course = follow_trailing(trailing, [100, 90, 111, 108, 112, 107])

    assert course == TrailingCourse(5, 107, 107, (None, None, 106, 106, 107))


def test_what_counts_is_the_stop_known_before_the_trade() -> None:
    """A trade that is both a new best and, at its own new stop, no trigger."""
    trailing = Trailing(SELL, amount=1)
    trailing.update(100)

    assert trailing.update(99)
    assert trailing.best == 100


def test_once_triggered_it_stays_so() -> None:
    trailing = Trailing(SELL, amount=1)
    assert [trailing.update(price) for price in (100, 99, 200)] == [False, True, True]
    assert (trailing.best, trailing.stop) == (100, 99)


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"amount": 1, "percent": Decimal(1)},
        {"amount": 0},
        {"percent": Decimal(0)},
        {"percent": Decimal(100)},
    ],
)
def test_a_distance_is_an_amount_or_a_percentage(words: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a trailing stop keeps"):
        Trailing(SELL, **words)


ticks = st.lists(st.integers(1, 300), min_size=1, max_size=30)
distances = st.one_of(
    st.fixed_dictionaries({"amount": st.integers(1, 50)}),
    st.fixed_dictionaries({"percent": st.decimals("0.1", 50, places=1)}),
)


@given(st.sampled_from(Side), distances, st.one_of(st.none(), st.integers(1, 300)), ticks, st.integers(0, 30))
def test_a_restart_changes_nothing(
    side: Side, distance: dict[str, Any], activation: int | None, path: list[int], cut: int
) -> None:
    whole = Trailing(side, activation=activation, **distance)
    half = Trailing(side, activation=activation, **distance)
    for price in path[:cut]:
        half.update(price)
    half = Trailing.from_dict(json.loads(json.dumps(half.as_dict())))

    assert [half.update(price) for price in path[cut:]] == [whole.update(price) for price in path][cut:]
    assert half == whole


def test_decimals_come_through_a_restart_as_decimals() -> None:
    trailing = Trailing(SELL, percent=Decimal("0.1"))
    trailing.update(Decimal("1.10"))

    assert Trailing.from_dict(trailing.as_dict()).stop == Decimal("1.0989")


@given(st.sampled_from(Side), distances, ticks)
def test_it_never_turns_back_and_triggers_at_the_first_trade_beyond_it(
    side: Side, distance: dict[str, Any], path: list[int]
) -> None:
    sign = 1 if side is SELL else -1
    course = follow_trailing(Trailing(side, **distance), path)
    stops = [stop * sign for stop in course.stops if stop is not None]

    assert stops == sorted(stops)
    # By the definition: the best so far, less the distance, against the next trade.
    for index in range(1, len(path)):
        best = (max if side is SELL else min)(path[:index])
        away = distance["amount"] if "amount" in distance else best * distance["percent"] / 100
        if sign * path[index] <= sign * best - away:
            assert course.triggered_index == index
            return
    assert course.triggered_index is None


@given(st.sampled_from(Side), distances, ticks)
def test_ticks_and_decimals_trigger_at_the_same_trade(
    side: Side, distance: dict[str, Any], path: list[int]
) -> None:
    in_decimals = {name: Decimal(value) for name, value in distance.items()}

    assert (
        follow_trailing(Trailing(side, **distance), path).triggered_index
        == follow_trailing(Trailing(side, **in_decimals), [Decimal(price) for price in path]).triggered_index
    )


# Candles


@pytest.mark.parametrize(
    ("side", "take_profit", "stop_loss"), [(SELL, 105, 96), (BUY, 96, 105)], ids=["long", "short"]
)
@pytest.mark.parametrize("rule", Intrabar)
def test_where_both_lie_in_a_candle_the_rule_decides(
    side: Side, take_profit: int, stop_loss: int, rule: Intrabar
) -> None:
    closed = bracket_on_bars(
        side, [(100, 106, 95, 101)], take_profit=take_profit, stop_loss=stop_loss, rule=rule
    )

    if rule is Intrabar.PESSIMISTIC:
        assert closed == BarExit(0, ExitReason.STOP_LOSS, stop_loss, ambiguous=True)
    else:
        assert closed == BarExit(0, ExitReason.TAKE_PROFIT, take_profit, ambiguous=True)


@pytest.mark.parametrize("rule", Intrabar)
@pytest.mark.parametrize(
    ("side", "bar", "reason", "price"),
    [
        (SELL, (94, 106, 93, 101), ExitReason.STOP_LOSS, 94),
        (SELL, (107, 108, 95, 101), ExitReason.TAKE_PROFIT, 107),
        (BUY, (108, 109, 95, 101), ExitReason.STOP_LOSS, 108),
        (BUY, (94, 109, 93, 101), ExitReason.TAKE_PROFIT, 94),
    ],
)
def test_a_candle_that_opens_beyond_a_price_trades_at_its_open(
    rule: Intrabar, side: Side, bar: tuple[int, int, int, int], reason: ExitReason, price: int
) -> None:
    prices = {"take_profit": 105, "stop_loss": 96} if side is SELL else {"take_profit": 96, "stop_loss": 105}

    closed = bracket_on_bars(side, [(100, 101, 99, 100), bar], rule=rule, **prices)

    assert closed == BarExit(1, reason, price)


def test_a_single_stop_or_target_needs_no_other() -> None:
    bars = [(100, 110, 90, 100)]

    assert bracket_on_bars(SELL, bars, stop_loss=95) == BarExit(0, ExitReason.STOP_LOSS, 95)
    assert bracket_on_bars(SELL, bars, take_profit=105) == BarExit(0, ExitReason.TAKE_PROFIT, 105)
    assert bracket_on_bars(SELL, bars) is None


def test_trades_are_candles_of_one_price() -> None:
    trades = [(price,) * 4 for price in (100, 97, 95)]

    assert bracket_on_bars(SELL, trades, take_profit=105, stop_loss=96) == BarExit(
        2, ExitReason.STOP_LOSS, 95
    )


@pytest.mark.parametrize(
    ("rule", "closed"),
    [
        # 100, 98, 110, 107: the low comes before the high, the close is 3 below it.
        (Intrabar.PESSIMISTIC, None),
        # 100, 110, 98: from the high down through 106.
        (Intrabar.OPTIMISTIC, BarExit(0, ExitReason.TRAILING_STOP, 106)),
    ],
)
def test_a_trailing_stop_on_a_candle(rule: Intrabar, closed: BarExit[int] | None) -> None:
    assert trailing_on_bars(Trailing(SELL, amount=4), [(100, 110, 98, 107)], rule=rule) == closed


def test_a_trailing_stop_is_known_to_be_hit_where_the_close_is_far_enough_from_the_high() -> None:
    closed = trailing_on_bars(Trailing(SELL, amount=4), [(100, 110, 98, 105)])

    assert closed == BarExit(0, ExitReason.TRAILING_STOP, 106)


def test_a_trailing_stop_that_a_candle_opens_beyond_gets_its_open() -> None:
    closed = trailing_on_bars(Trailing(BUY, amount=4), [(100, 101, 95, 96), (103, 110, 90, 92)])

    assert closed == BarExit(1, ExitReason.TRAILING_STOP, 103)
