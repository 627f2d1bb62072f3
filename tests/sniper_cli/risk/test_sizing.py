"""A size answers with its figures, passes no cap by a unit, and is refused where it does not reach the minimum."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.errors import OrderRefused
from sniper_cli.risk.sizing import (
    METHODS,
    AtrUnit,
    Caps,
    Fixed,
    FixedFractional,
    KellyBet,
    KellyDrift,
    Method,
    RiskShare,
    SizedOrder,
    TargetVolatility,
    TradeRules,
    VinceF,
    size_order,
    spelled,
)
from state.accounts import Asset, Instrument, VenueKind

D = Decimal
BTC = TradeRules(8, 6, lot=1000, tick=D("0.01"), minimum_notional=10_000_000)
"""Lots of 0.00001 BTC, prices in cents, at least 10 USDT."""
TEN_THOUSAND = 10_000_000_000
VINCE = tuple(D(trade) for trade in (9, 18, 7, 1, 10, -5, -3, -17, -7))


def sized(
    method: Method, *, price: str = "50000", stop: str | None = None, caps: Caps | None = None
) -> SizedOrder:
    return size_order(
        method, equity=TEN_THOUSAND, price=D(price), rules=BTC, stop=D(stop) if stop else None, caps=caps
    )


@pytest.mark.parametrize(
    ("method", "stop", "quantity"),
    [
        (Fixed(quantity=D("0.5")), None, "0.5"),
        (Fixed(notional=D(2500)), None, "0.05"),
        (FixedFractional(D("0.01")), "49000", "0.1"),  # 100 USDT over 1 000 a coin
        (FixedFractional(D("0.01")), "51000", "0.1"),  # the same, short
        (FixedFractional(D("0.01"), fee=D("0.001")), "49000", "0.09099"),  # 100 over 1 000 + 50 + 49
        (AtrUnit(D(500)), None, "0.2"),  # 100 USDT over a range of 500
        (TargetVolatility(D("0.2"), D("0.8")), None, "0.05"),  # a quarter of the equity
        (TargetVolatility(D("0.8"), D("0.2"), max_leverage=D(2)), None, "0.4"),  # four times, two allowed
        (KellyBet(0.6, 1.0), None, "0.02"),  # half of 0.2 of 10 000
        (KellyBet(0.6, 1.0, at_stop=True), "49000", "1"),  # 1 000 USDT lost at the stop
        (KellyBet(0.9, 1.0), None, "0.05"),  # half of 0.8, capped at a quarter
        (KellyDrift(0.11, 0.15, 0.06, cap=D(2)), None, "0.22222"),  # half of 2.2222 is 1.1111 of the equity
        (RiskShare([[0.01, 0.0], [0.0, 0.04]], 1), None, "0.06666"),  # a third: the other is twice as calm
    ],
    ids=repr,
)
def test_each_method_says_its_quantity(method: Method, stop: str | None, quantity: str) -> None:
    order = sized(method, stop=stop)
    assert order.fits, order.refusals
    assert order.figures["quantity"] == quantity
    assert order.quantity == D(quantity).scaleb(8)
    assert order.notional == D(quantity) * 50_000 * 10**6
    assert order.bound_by == "method"


def test_optimal_f_trades_a_unit_for_every_loss_over_f() -> None:
    """17 / 0.2367 is 71.8 of capital a unit: 10 000 carry 139.24."""
    order = sized(VinceF(VINCE, fraction=D(1)), price="1")
    assert order.figures["quantity"].startswith("139.24")
    assert order.figures["worst_loss"] == "17"


def test_every_figure_that_led_to_the_size_is_told() -> None:
    order = sized(FixedFractional(D("0.01")), stop="49700", caps=Caps(fraction=D("0.5")))
    assert order.figures == {
        "equity": "10000",
        "price": "50000",
        "stop": "49700",
        "risk": "0.01",
        "risk_amount": "100",
        "loss_per_unit": "300",
        "wished": "0.333333333333333333",
        "lot": "0.00001",
        "quantity": "0.1",
        "notional": "5000",
        "bound_by": "max_fraction",
        "at_risk": "30",
    }
    assert order.at_risk == 30_000_000


@pytest.mark.parametrize(
    ("caps", "bound_by", "quantity"),
    [
        (Caps(notional=1_000_000_000), "max_notional", "0.02"),
        (Caps(fraction=D("0.25")), "max_fraction", "0.05"),
        (Caps(risk=D("0.005")), "max_risk", "0.05"),
        (Caps(fraction=D("0.25"), notional=1_000_000_000, risk=D("0.005")), "max_notional", "0.02"),
        (Caps(notional=10**15), "method", "0.1"),
    ],
)
def test_the_tightest_cap_decides_and_is_named(caps: Caps, bound_by: str, quantity: str) -> None:
    order = sized(FixedFractional(D("0.01")), stop="49000", caps=caps)
    assert (order.bound_by, order.figures["quantity"]) == (bound_by, quantity)


def test_the_instruments_maximum_is_a_cap() -> None:
    rules = replace(BTC, maximum_notional=1_000_000_000)
    order = size_order(Fixed(quantity=D(1)), equity=TEN_THOUSAND, price=D(50_000), rules=rules)
    assert (order.bound_by, order.notional) == ("maximum_notional", 1_000_000_000)


@pytest.mark.parametrize(
    ("method", "stop", "caps", "code", "sentence"),
    [
        (Fixed(notional=D(9)), None, None, "below_minimum_notional",
         "0.00018 is what these figures allow, worth 9 of at least 10; the least that may be ordered is 0.0002"),
        (Fixed(quantity=D("0.000009")), None, None, "below_lot",
         "less than one lot is what these figures allow; the least that may be ordered is 0.0002"),
        (KellyBet(0.4, 1.0), None, None, "no_edge",
         "the method wishes for nothing: on these figures no stake would grow"),
        (VinceF([D(-1), D(-2)]), None, None, "no_edge",
         "the method wishes for nothing: on these figures no stake would grow"),
        (VinceF([D(1)]), None, None, "no_stake", "optimal f scales by the worst loss, and no trade lost"),
        (FixedFractional(D("0.01")), None, None, "no_stake", "this method risks the way to a stop: name one"),
        (FixedFractional(D("0.01")), "50000", None, "no_stake", "price and stop are the same"),
        (FixedFractional(D("0.01")), "49000.005", None, "stop_off_tick",
         "the stop 49000.005 is not on the tick of 0.01: 49000 and 49000.01 are"),
        (Fixed(quantity=D(1)), None, Caps(risk=D("0.01")), "no_stop",
         "the risk is capped, and without a stop nobody knows the loss: name one"),
        (Fixed(), None, None, "no_stake", "a fixed size is either a quantity or a sum"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_reason(
    method: Method, stop: str | None, caps: Caps | None, code: str, sentence: str
) -> None:
    order = sized(method, stop=stop, caps=caps)
    assert [(refusal.code, refusal.sentence) for refusal in order.refusals] == [(code, sentence)]
    assert (order.quantity, order.notional) == (0, 0)
    with pytest.raises(OrderRefused) as refused:
        order.or_refuse()
    assert refused.value.details["reasons"] == [code]


def test_an_account_without_equity_is_refused_before_any_method_is_asked() -> None:
    order = size_order(Fixed(quantity=D(1)), equity=0, price=D(0), rules=BTC)
    assert [refusal.code for refusal in order.refusals] == ["no_equity", "no_price"]


def test_an_atr_unit_without_a_stop_risks_two_ranges() -> None:
    order = sized(AtrUnit(D(500)), caps=Caps(risk=D("0.01")))
    assert (order.bound_by, order.figures["quantity"], order.figures["at_risk"]) == ("max_risk", "0.1", "100")


def test_an_instruments_own_rules_are_taken_over() -> None:
    base, quote = Asset(id="b", symbol="B", decimals=8), Asset(id="q", symbol="Q", decimals=6)
    instrument = Instrument(
        id="i", venue=VenueKind.PAPER, symbol="B/Q", base_asset="b", quote_asset="q",
        tick=D("0.01"), lot=1000, minimum_notional=10_000_000,
    )  # fmt: skip
    assert TradeRules.of(instrument, base, quote) == BTC


def test_every_method_has_a_name_of_its_own() -> None:
    assert {name: one.name for name, one in METHODS.items()} == {name: name for name in METHODS}
    assert len(METHODS) == 8


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(1, 3), "0.333333333333333333"),
        (D("1E+2"), "100"),
        (0, "0"),
        (0.1, "0.1"),
        (10**40 + 1, f"{10**40 + 1}"),
    ],
)
def test_a_figure_is_spelled_exactly_where_a_decimal_can(
    number: Fraction | Decimal | float, text: str
) -> None:
    assert spelled(number) == text


shares = st.decimals("0.0001", "2", places=4)
cents = st.integers(1, 10**7).map(lambda cents: D(cents).scaleb(-2))
methods = st.one_of(
    st.builds(Fixed, quantity=st.decimals("0.000001", "1000", places=6)),
    st.builds(FixedFractional, risk=shares, fee=st.decimals("0", "0.01", places=4)),
    st.builds(AtrUnit, atr=cents, risk=shares),
    st.builds(TargetVolatility, target=shares, volatility=shares, max_leverage=st.just(D(3))),
    st.builds(KellyBet, p=st.floats(0.05, 0.95), win_multiple=st.floats(0.1, 5), fraction=shares),
    st.builds(KellyDrift, mu=st.floats(-1, 1), sigma=st.floats(0.05, 2), fraction=shares),
)
rules = st.builds(
    TradeRules,
    base_decimals=st.integers(0, 18),
    quote_decimals=st.integers(0, 18),
    lot=st.integers(1, 10**6),
    minimum_notional=st.none() | st.integers(1, 10**9),
    maximum_notional=st.none() | st.integers(1, 10**24),
)
caps = st.builds(
    Caps, fraction=st.none() | shares, notional=st.none() | st.integers(1, 10**24), risk=st.none() | shares
)


@given(methods, st.integers(1, 10**24), cents, cents, rules, caps)
def test_no_size_passes_a_cap_or_its_risk_or_misses_a_lot(
    method: Method, equity: int, price: Decimal, stop: Decimal, rules: TradeRules, caps: Caps
) -> None:
    order = size_order(method, equity=equity, price=price, stop=stop, rules=rules, caps=caps)
    if not order.fits:
        assert order.quantity == order.notional == 0
        return
    assert order.quantity > 0
    assert order.quantity % rules.lot == 0
    scale = Fraction(10**rules.quote_decimals, 10**rules.base_decimals)
    notional = order.quantity * Fraction(price) * scale
    assert notional <= order.notional < notional + 1
    assert order.notional <= (rules.maximum_notional or order.notional)
    assert notional >= (rules.minimum_notional or 0)
    if caps.notional is not None:
        assert order.notional <= caps.notional
    if caps.fraction is not None:
        assert order.notional <= equity * Fraction(caps.fraction)
    lost = order.quantity * abs(Fraction(price) - Fraction(stop)) * scale
    if caps.risk is not None:
        assert lost <= equity * Fraction(caps.risk)
    if isinstance(method, FixedFractional):
        fees = order.quantity * Fraction(method.fee) * (Fraction(price) + Fraction(stop)) * scale
        assert lost + fees <= equity * Fraction(method.risk)


@given(methods, st.integers(1, 10**24), cents, cents, rules)
def test_one_lot_more_would_be_more_than_the_method_wished_for(
    method: Method, equity: int, price: Decimal, stop: Decimal, rules: TradeRules
) -> None:
    order = size_order(method, equity=equity, price=price, stop=stop, rules=rules)
    if order.fits and order.bound_by == "method":
        whole = Fraction(order.quantity + rules.lot, 10**rules.base_decimals)
        assert whole > Fraction(order.figures["wished"]) * (1 - Fraction(1, 10**17))
