"""Sizes for an account as it stands: by hand-reckoned figures, cut to lots, money and limits, and placeable."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest

from sniper_cli.context import Context
from sniper_cli.errors import NotFound, UsageProblem
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.risk.history import ATR_DAYS, Candles, covariance
from sniper_cli.risk.suggesting import Suggestion, Wish, suggest
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from state.database import Database
from tests.risk_fixtures import BTC, BUY, COIN, ETH, SELL, OrderState, RiskDesk, refused_by, risk_desk

CENT = COIN // 100


@pytest.fixture
def desk(home: Path, sqlite_database: Database) -> Iterator[RiskDesk]:
    del home
    with (
        risk_desk(sqlite_database) as found,
        patch("sniper_cli.risk.suggesting.utc_now", found.clock),
        patch("sniper_cli.risk.report.utc_now", found.clock),
    ):
        yield found


def sized(desk: RiskDesk, instrument: str = "BTC/USDT", **wish: object) -> Suggestion:
    context = Context(Resolved("paper", Settings(), {}), home_paths(), desk.database, "user:ada")
    return suggest(context, Wish(instrument, **wish))  # type: ignore[arg-type]


def test_fixed_fractional_loses_the_share_at_the_stop_fees_included(desk: RiskDesk) -> None:
    """1 % of 100,000 is 1,000; from 50,000 to 45,000 and 10 bps of both prices are 5,095 a coin: 0.19627 → 0.1962."""
    found = sized(desk, price="50000", stop="45000", risk="1%")
    assert (found.quantity, found.bound_by) == (Decimal("0.1962"), "method")
    assert found.at_risk is not None
    assert found.at_risk <= 1_000
    assert found.command == "sniper order place buy BTC/USDT --quantity 0.1962 --type limit --price 50000"


def test_a_fixed_size_is_a_quantity_or_a_sum(desk: RiskDesk) -> None:
    assert sized(desk, method="fixed", quantity="0.12345").quantity == Decimal("0.1234")
    assert sized(desk, method="fixed", notional="500", price="50000").quantity == Decimal("0.01")
    with pytest.raises(UsageProblem, match="either --quantity or --notional"):
        sized(desk, method="fixed")


def test_a_range_is_that_of_the_last_fourteen_days_if_none_is_named(desk: RiskDesk) -> None:
    """The Turtles' unit: 1 % of the equity over the average true range, reckoned here from the candles."""
    days = Candles(SimulatedMarket(7), desk.clock()).days(BTC, ATR_DAYS + 1)
    ranges = [
        max(day.high - day.low, abs(day.high - before.close), abs(day.low - before.close))
        for before, day in pairwise(days)
    ]
    expected = 1_000 / (sum(ranges) / len(ranges))
    found = sized(desk, method="atr", price="50000")
    assert found.quantity == expected // INSTRUMENTS[BTC].lot * INSTRUMENTS[BTC].lot
    assert sized(desk, method="atr", atr="2000", price="50000").quantity == Decimal("0.5")


def test_a_volatility_target_holds_target_over_volatility_of_the_equity(desk: RiskDesk) -> None:
    """20 % over 80 % of 100,000 are 25,000: half a coin at 50,000."""
    found = sized(desk, method="volatility_target", target="20%", volatility="80%", price="50000")
    assert found.quantity == Decimal("0.5")


def test_the_volatility_is_taken_from_the_closes_if_none_is_named(desk: RiskDesk) -> None:
    returns = Candles(SimulatedMarket(7), desk.clock()).returns(BTC)
    yearly = (covariance(returns, returns) * 365) ** 0.5
    found = sized(desk, method="volatility_target", target="20%", price="50000")
    assert float(found.figures["volatility"]) == pytest.approx(yearly, abs=1e-6)
    assert float(found.quantity) == pytest.approx(0.2 / yearly * 2, abs=1e-4)


def test_half_of_kelly_never_more_than_the_cap(desk: RiskDesk) -> None:
    """p = 0.6 at even odds: f = 0.2, half of it 10,000 dollars. At 0.9 f = 0.8, half is 0.4, the cap 0.25."""
    found = sized(desk, method="kelly", win_rate="60%", win_multiple="1", price="50000")
    assert found.quantity == Decimal("0.2")
    found = sized(desk, method="kelly", win_rate="90%", win_multiple="1", price="50000")
    assert found.quantity == Decimal("0.5")


def test_without_an_edge_nothing_is_suggested(desk: RiskDesk) -> None:
    found = sized(desk, method="kelly", win_rate="40%", win_multiple="1", price="50000")
    assert (found.quantity, found.command) == (0, None)
    assert found.refusals == ("the method wishes for nothing: on these figures no stake would grow",)


def test_kelly_of_a_drift(desk: RiskDesk) -> None:
    """μ = 0.1, σ = 1: f = 0.1, half of it 5,000 dollars."""
    found = sized(desk, method="kelly_continuous", drift="10%", volatility="100%", price="50000")
    assert found.quantity == Decimal("0.1")
    own = sized(desk, method="kelly_continuous", price="50000")
    assert "kelly" in own.figures


def test_optimal_f_of_named_trades_is_vince_s(desk: RiskDesk) -> None:
    """Vince's nine trades have f = 0.2367 and a worst loss of 17: half of f of 100,000 over 17 are 696.2 units."""
    trades = ["9", "18", "7", "1", "10", "-5", "-3", "-17", "-7"]
    found = sized(desk, "DOGE/USDT", method="optimal_f", trades=trades, price="0.2")
    assert found.quantity == 696


def test_too_few_trades_of_one_s_own_say_nothing(desk: RiskDesk) -> None:
    for method in ("kelly", "optimal_f"):
        with pytest.raises(UsageProblem, match="0 positions in BTC/USDT were closed, and fewer than 20"):
            sized(desk, method=method)


def test_one_s_own_trades_are_asked_when_there_are_enough(desk: RiskDesk) -> None:
    for _ in range(20):
        desk.place(BUY, CENT)
        desk.clock.forward(hours=7)
        desk.place(SELL, CENT)
        desk.clock.forward(hours=7)
    found = sized(desk, method="kelly", price="50000")
    assert "kelly" in found.figures
    assert "worst_loss" in sized(desk, method="optimal_f", price="50000").figures


def test_risk_parity_gives_the_calmer_one_more(desk: RiskDesk) -> None:
    calm = sized(desk, method="risk_parity", beside=["DOGE/USDT"], invested="10%", price="50000")
    wild = sized(desk, "DOGE/USDT", method="risk_parity", beside=["BTC/USDT"], invested="10%", price="0.2")
    weights = [Decimal(one.figures["weight"]) for one in (calm, wild)]
    assert sum(weights) == pytest.approx(Decimal(1), abs=Decimal("1e-9"))
    assert weights[0] > weights[1]
    with pytest.raises(UsageProblem, match="name them"):
        sized(desk, method="risk_parity")


@pytest.mark.parametrize(
    ("limit", "value", "by"),
    [
        ("order_notional", "2000", "order_notional"),
        ("position_notional", "3000", "position_notional"),
        ("gross_exposure", "4000", "gross_exposure"),
        ("total_spend", "5000", "total_spend"),
        ("concentration", "6%", "concentration"),
        ("leverage", "0.07x", "leverage"),
        ("order_quantity", "0.1 BTC", "order_quantity"),
        ("position_quantity", "0.1 BTC", "position_quantity"),
    ],
)
@pytest.mark.parametrize("at", [None, "0.9", "1.001"])
def test_a_suggestion_is_cut_to_what_the_limits_leave_and_then_passes(
    desk: RiskDesk, limit: str, value: str, by: str, at: str | None
) -> None:
    """At market, below it and above: the order passes, and one lot more would not."""
    desk.place(BUY, CENT, price=desk.paper.near("0.5"))
    desk.limit(limit, value)
    price = None if at is None else desk.paper.near(at)
    found = sized(desk, method="fixed", quantity="1", price=None if price is None else str(price))
    assert found.bound_by == by
    assert 0 < found.quantity < 1
    lot = INSTRUMENTS[BTC].lot_units
    units = int(found.quantity * COIN)
    assert refused_by(desk.place(BUY, units + lot, price=price)) == {limit}
    assert desk.place(BUY, units, price=price).state is not OrderState.REFUSED


@pytest.mark.parametrize("at", [None, "0.9", "1.001"])
def test_a_suggestion_is_cut_to_the_money_at_hand_and_then_passes(desk: RiskDesk, at: str | None) -> None:
    price = None if at is None else desk.paper.near(at)
    found = sized(desk, method="fixed", quantity="10", price=None if price is None else str(price))
    assert found.bound_by == "funds"
    assert desk.place(BUY, int(found.quantity * COIN), price=price).state is not OrderState.REFUSED


def test_a_price_that_is_not_named_is_the_market_s(desk: RiskDesk) -> None:
    found = sized(desk, "ETH/USDT", method="fixed", quantity="1")
    assert found.price == desk.paper.price(ETH)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"method": "guess"}, "no method 'guess'"),
        ({}, "risks the way to a stop"),
        ({"stop": "low"}, "--stop 'low' is no number"),
        ({"stop": "-5"}, "must be above zero"),
        ({"stop": "45000", "risk": "0%"}, "must be above zero"),
    ],
)
def test_what_makes_no_size_is_a_problem_of_usage(desk: RiskDesk, wish: dict[str, str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        sized(desk, price="50000", **wish)


def test_an_instrument_that_is_not_there(desk: RiskDesk) -> None:
    with pytest.raises(NotFound):
        sized(desk, "NOPE/USDT", stop="1")
