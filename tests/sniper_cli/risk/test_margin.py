"""Margin, liquidation and funding, against the venues' published examples and their own definitions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.risk import margin
from tests.vectors import agree, arguments, cases, name

D = Decimal
RENAMED = {"exit": "exit_price", "premium_index": "premium"}
COINS = {"position_value_btc": "position_value", "initial_margin_btc": "initial_margin",
         "maintenance_margin_btc": "maintenance_margin"}  # fmt: skip
sides = st.sampled_from(["long", "short"])
prices = st.decimals("1", "100000", places=2)
quantities = st.decimals("0.01", "1000", places=2)


@pytest.mark.parametrize("case", cases("derivatives_margin_funding"), ids=name)
def test_figures_are_the_shared_ones(case: dict[str, Any]) -> None:
    given_ = {
        key: value if isinstance(value, str) else D(str(value))
        for key, value in arguments(case, **RENAMED).items()
    }
    agree(case, getattr(margin, case["input"]["fn"])(**given_), renamed=COINS)


def test_a_long_of_fifty_times_is_liquidated_where_bybit_says() -> None:
    """Help centre: 1 BTC at 20 000 with 50x and 0.5 %: 19 700."""
    assert margin.liq_isolated_linear("long", 1, 20_000, 50, D("0.005")).liquidation_price == 19_700


def test_bybits_cross_margin_example_goes_bankrupt_and_is_liquidated() -> None:
    """10 000 contracts at 8 000 with 0.5 BTC: bankrupt at 5718.57; its equation solves to 5739.08, not to 5739.50."""
    bankrupt = margin.bankruptcy_inverse_cross("long", 10_000, 8_000, D("0.5"))
    assert bankrupt is not None
    assert round(bankrupt, 2) == D("5718.57")
    price = margin.liq_cross_inverse("long", 10_000, 8_000, D("0.5"), D("0.005")).liquidation_price
    assert price is not None
    assert round(price, 2) == D("5739.08")


@given(sides, quantities, prices, st.integers(1, 100), st.decimals("0", "100", places=2))
def test_at_the_liquidation_price_the_margin_left_is_the_maintenance_margin(
    side: str, qty: Decimal, entry: Decimal, leverage: int, extra: Decimal
) -> None:
    end = margin.liq_isolated_linear(side, qty, entry, leverage, D("0.005"), extra)  # type: ignore[arg-type]
    if end.liquidation_price is None:
        return
    signed = qty if side == "long" else -qty
    left = end.initial_margin + extra + margin.pnl_linear(entry, end.liquidation_price, signed)
    assert left == pytest.approx(end.maintenance_margin, rel=D("1e-18"), abs=D("1e-15"))


@given(sides, st.integers(1, 10**6), prices, st.integers(2, 100))
def test_coins_left_at_the_liquidation_price_are_the_maintenance_margin(
    side: str, contracts: int, entry: Decimal, leverage: int
) -> None:
    end = margin.liq_isolated_inverse(side, contracts, entry, leverage, D("0.005"))  # type: ignore[arg-type]
    assert end.liquidation_price is not None
    signed = contracts if side == "long" else -contracts
    left = end.initial_margin + margin.pnl_inverse(entry, end.liquidation_price, signed)
    assert left == pytest.approx(end.maintenance_margin, rel=D("1e-18"), abs=D("1e-18"))


@given(sides, prices, st.integers(2, 100))
def test_at_bankruptcy_the_initial_margin_is_gone(side: str, entry: Decimal, leverage: int) -> None:
    price = margin.bankruptcy_linear(side, entry, leverage)  # type: ignore[arg-type]
    lost = -margin.pnl_linear(entry, price, 1 if side == "long" else -1)
    assert lost == pytest.approx(margin.initial_margin(entry, leverage), rel=D("1e-18"))
    in_coins = margin.bankruptcy_inverse(side, entry, leverage)  # type: ignore[arg-type]
    assert in_coins is not None
    coins = -margin.pnl_inverse(entry, in_coins, 1 if side == "long" else -1)
    assert coins == pytest.approx(margin.initial_margin(1 / entry, leverage), rel=D("1e-18"))


def test_enough_extra_margin_leaves_no_price_that_liquidates() -> None:
    assert margin.liq_isolated_linear("long", 1, 100, 10, D("0.005"), 100).liquidation_price is None
    assert margin.liq_isolated_inverse("short", 100, 100, 10, D("0.005"), 1).liquidation_price is None


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        ("0.0005", "0.0001"),
        ("0.0006", "0.0001"),
        ("0.002", "0.0015"),
        ("-0.0004", "0.0001"),
        ("-0.002", "-0.0015"),
    ],
)
def test_funding_follows_the_premium_only_outside_the_clamp(premium: str, rate: str) -> None:
    assert margin.funding_rate(D(premium)) == D(rate)


def test_funding_is_capped_both_ways_where_the_venue_caps_it() -> None:
    assert margin.funding_rate(D("0.05"), cap=D("0.0075")) == D("0.0075")
    assert margin.funding_rate(D("-0.05"), cap=D("0.0075")) == D("-0.0075")


def test_longs_pay_shorts_while_the_rate_is_positive() -> None:
    assert margin.funding_payment_linear(2, 3000, D("0.0003")) == D("-1.8")
    assert margin.funding_payment_linear(-2, 3000, D("0.0003")) == D("1.8")
    assert margin.funding_payment_inverse(10_000, 50_000, D("0.0001")) == D("-0.00002")


def test_money_as_a_float_is_an_error() -> None:
    with pytest.raises(TypeError):
        margin.pnl_linear(100, 110, 0.5)  # type: ignore[arg-type]
