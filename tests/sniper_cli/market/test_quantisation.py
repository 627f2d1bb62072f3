"""Ticks, lots, and the nearest order that a venue takes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sniper_cli.market.instruments import find_spec
from sniper_cli.market.quantisation import (
    Rounding,
    Rule,
    TradingRules,
    aggressive_price,
    ceil_to,
    fit,
    floor_to,
    nearest_to,
    passive_price,
    to_step,
)
from state.orders import Side


@pytest.mark.parametrize(
    ("value", "step", "down", "up", "nearest"),
    [
        (Decimal("100.037"), Decimal("0.05"), Decimal("100.00"), Decimal("100.05"), Decimal("100.05")),
        (Decimal("100.05"), Decimal("0.05"), Decimal("100.05"), Decimal("100.05"), Decimal("100.05")),
        (Decimal("1.25"), Decimal("0.1"), Decimal("1.2"), Decimal("1.3"), Decimal("1.3")),
        (
            Decimal("0.3"),
            Decimal("0.1"),
            Decimal("0.3"),
            Decimal("0.3"),
            Decimal("0.3"),
        ),  # as floats, 0.3 // 0.1 is 2
        (Decimal(7), Decimal("2.5"), Decimal("5.0"), Decimal("7.5"), Decimal("7.5")),
        (17, 5, 15, 20, 15),
        (15, 6, 12, 18, 18),
        (Decimal("-1.24"), Decimal("0.1"), Decimal("-1.3"), Decimal("-1.2"), Decimal("-1.2")),
        (-17, 5, -20, -15, -15),
    ],
)
def test_a_value_goes_to_a_multiple_of_its_step(
    value: Any, step: Any, down: Any, up: Any, nearest: Any
) -> None:
    assert floor_to(value, step) == down
    assert ceil_to(value, step) == up
    assert nearest_to(value, step) == nearest
    assert type(floor_to(value, step)) is type(value)


numbers = st.one_of(
    st.tuples(st.integers(-(10**40), 10**40), st.integers(1, 10**20)),
    st.tuples(
        st.decimals(-(10**30), 10**30, places=18).filter(lambda one: one.is_finite()),
        st.decimals("0.000000000000000001", 10**6, places=18),
    ),
)


@example((Decimal("-430092987378904920741.586223633283325952"), Decimal("5E-18")), Rounding.DOWN)
@given(numbers, st.sampled_from(Rounding))
def test_it_is_exact_however_long_the_number(pair: tuple[Any, Any], rounding: Rounding) -> None:
    value, step = pair
    got = to_step(value, step, rounding)
    multiple, off = Fraction(got) / Fraction(step), Fraction(got) - Fraction(value)

    assert multiple.denominator == 1
    assert {Rounding.DOWN: off <= 0, Rounding.UP: off >= 0, Rounding.NEAREST: True}[rounding]
    assert abs(off) < Fraction(step)
    assert rounding is not Rounding.NEAREST or abs(off) <= Fraction(step) / 2


def test_the_passive_side_pays_no_more_and_takes_no_less() -> None:
    assert passive_price(Side.BUY, Decimal("1.29"), Decimal("0.1")) == Decimal("1.2")
    assert passive_price(Side.SELL, Decimal("1.21"), Decimal("0.1")) == Decimal("1.3")
    assert aggressive_price(Side.BUY, Decimal("1.21"), Decimal("0.1")) == Decimal("1.3")
    assert aggressive_price(Side.SELL, Decimal("1.29"), Decimal("0.1")) == Decimal("1.2")


def test_a_step_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="a step is more than nothing"):
        floor_to(5, 0)


# An order and a venue's rules

RULES = TradingRules(
    tick=Decimal("0.05"),
    lot=Decimal("0.01"),
    minimum_quantity=Decimal("0.02"),
    maximum_quantity=Decimal(50),
    minimum_notional=Decimal(5),
    maximum_notional=Decimal(10_000),
)


def test_an_order_that_fits_is_its_own_nearest() -> None:
    found = fit(RULES, Decimal("100.05"), Decimal("0.05"))

    assert found.fits
    assert found.nearest == (Decimal("100.05"), Decimal("0.05"))


@pytest.mark.parametrize(
    ("price", "quantity", "broken", "nearest"),
    [
        ("100.037", "0.05", {Rule.TICK: "0.05"}, ("100.05", "0.05")),
        ("100.05", "0.0512", {Rule.LOT: "0.01"}, ("100.05", "0.05")),
        # 5 / 100.05 is 0.04997…: four lots are worth 4.002, five 5.0025
        ("100.05", "0.04", {Rule.MINIMUM_NOTIONAL: "5"}, ("100.05", "0.05")),
        ("400", "0.01", {Rule.MINIMUM_QUANTITY: "0.02", Rule.MINIMUM_NOTIONAL: "5"}, ("400", "0.02")),
        ("100", "60", {Rule.MAXIMUM_QUANTITY: "50"}, ("100", "50")),
        ("300", "50", {Rule.MAXIMUM_NOTIONAL: "10000"}, ("300", "33.33")),
        ("100.02", "0", {Rule.TICK: "0.05", Rule.MINIMUM_QUANTITY: "0.02"}, ("100.00", "0.05")),
        ("-3", "1", {Rule.MINIMUM_PRICE: "0.05", Rule.MINIMUM_NOTIONAL: "5"}, None),
        ("0.05", "50", {Rule.MINIMUM_NOTIONAL: "5"}, None),  # the greatest quantity is worth 2.50
    ],
)
def test_what_is_broken_is_named_with_its_figure_and_the_nearest_offered(
    price: str, quantity: str, broken: dict[Rule, str], nearest: tuple[str, str] | None
) -> None:
    found = fit(RULES, Decimal(price), Decimal(quantity))

    assert {one.rule: one.bound for one in found.violations} == {
        rule: Decimal(at) for rule, at in broken.items()
    }
    assert found.nearest == (None if nearest is None else (Decimal(nearest[0]), Decimal(nearest[1])))


@pytest.mark.parametrize(("side", "price"), [(None, "100.00"), (Side.BUY, "100.00"), (Side.SELL, "100.05")])
def test_from_the_middle_the_price_goes_to_the_passive_side(side: Side | None, price: str) -> None:
    nearest = fit(RULES, Decimal("100.025"), Decimal(1), side).nearest

    assert nearest == (Decimal(price), Decimal(1))


def test_prices_have_bounds_too() -> None:
    rules = TradingRules(
        tick=Decimal(1), lot=Decimal(1), minimum_price=Decimal("9.5"), maximum_price=Decimal("20.5")
    )

    assert fit(rules, Decimal(8), Decimal(1)).nearest == (Decimal(10), Decimal(1))
    assert fit(rules, Decimal(30), Decimal(1)).nearest == (Decimal(20), Decimal(1))
    narrow = TradingRules(
        tick=Decimal(10), lot=Decimal(1), minimum_price=Decimal(11), maximum_price=Decimal(19)
    )
    assert fit(narrow, Decimal(15), Decimal(1)).nearest is None


def test_a_market_order_s_price_is_not_judged() -> None:
    found = fit(RULES, Decimal("100.037"), Decimal("0.04"), at_market=True)

    assert [one.rule for one in found.violations] == [Rule.MINIMUM_NOTIONAL]
    assert found.nearest == (Decimal("100.037"), Decimal("0.05"))


def test_a_violation_is_a_sentence() -> None:
    sentences = [str(one) for one in fit(RULES, Decimal("100.037"), Decimal("0.0400")).violations]

    assert sentences == [
        "the price 100.037 is no multiple of the tick 0.05",
        "the notional 4.00148 is below the least, 5",
    ]


def test_whole_units_fit_as_decimals_do() -> None:
    """The simulated market's bitcoin: price in ticks, quantity in lots, notional in quote units."""
    spec = find_spec("paper:BTC/USDT")
    rules = TradingRules(
        tick=1,
        lot=1,
        maximum_quantity=spec.maximum_lots,
        minimum_notional=spec.minimum_notional,
        maximum_notional=spec.maximum_notional,
        contract=spec.tick_of_lot,
    )
    ticks = 9_000_000  # 90,000.00 USDT: a lot of 0.0001 BTC is worth 9

    assert rules.notional(ticks, 1) == spec.notional(ticks, 1) == 9_000_000
    assert fit(rules, ticks, 1).fits
    assert fit(rules, ticks // 10, 1).nearest == (ticks // 10, 6)  # 0.90 a lot: six are worth 5.40
    assert [str(one) for one in fit(rules, ticks, 10**6).violations] == [
        "the notional 9000000000000 is above the greatest, 5000000000000"
    ]


small = st.integers(1, 40)
bounds = st.one_of(st.none(), st.integers(1, 400))


@given(small, small, bounds, bounds, bounds, bounds, st.integers(1, 60), st.integers(0, 120))
def test_the_nearest_is_the_nearest(
    tick: int,
    lot: int,
    least: int | None,
    most: int | None,
    least_notional: int | None,
    most_notional: int | None,
    price: int,
    quantity: int,
) -> None:
    """Against a search through all quantities at the nearest price."""
    rules = TradingRules(tick, lot, least, most, least_notional, most_notional)
    found = fit(rules, price, quantity)
    near = min((at for at in range(tick, price + 2 * tick, tick)), key=lambda at: (abs(at - price), at))
    fitting = [many for many in range(lot, 1_000, lot) if fit(rules, near, many).fits]

    if not fitting:
        assert found.nearest is None
    else:
        closest = min(fitting, key=lambda many: (abs(many - quantity), many))
        assert found.nearest == (near, closest)
        assert found.fits == ((price, quantity) == found.nearest)
