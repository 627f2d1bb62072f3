"""What people type for numbers, sides and kinds: read with what they meant, or an error that shows what to type."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.errors import UsageProblem
from sniper_cli.trading.words import (
    Units,
    read_level,
    read_number,
    read_side,
    read_time_in_force,
    read_trail,
    read_type,
)
from state.orders import OrderType, Side, TimeInForce

BTC = Units("BTC", "USDT")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", "1"), ("0.5", "0.5"), (".5", "0.5"), ("5.", "5"), ("1e-3", "0.001"), (" 2 ", "2"), ("+3", "3")],
)
def test_a_number_is_read(text: str, number: str) -> None:
    assert read_number(text, "--quantity") == Decimal(number)


@pytest.mark.parametrize(
    ("text", "option", "said", "hint"),
    [
        ("1,5", "--quantity", "a comma parts thousands", "--quantity 15 or --quantity 1.5"),
        ("5,000", "--quantity", "a comma parts thousands", "--quantity 5000 or --quantity 5.000"),
        ("1,234.5", "--price", "a comma parts thousands", "--price 1234.5"),
        ("100USDT", "--quantity", "--quantity counts BTC; 100USDT is what to spend", "--budget 100"),
        ("$100", "--quantity", "what to spend", "--budget 100"),
        ("0.5 BTC", "--budget", "--budget counts USDT; 0.5 BTC is how much to buy", "--quantity 0.5"),
        ("0.5BTC", "--quantity", "write the number alone", "--quantity 0.5"),
        ("10k", "--budget", "write the number out", "--budget 10000"),
        ("1.5m", "--budget", "write the number out", "--budget 1500000"),
        ("50%", "--quantity", "takes no percentage", ""),
        ("1 000", "--quantity", "is no number", "--quantity 1000"),
        ("lots", "--quantity", "is no number", ""),
        ("", "--quantity", "is no number", ""),
        ("NaN", "--quantity", "", ""),
        ("Infinity", "--quantity", "", ""),
        ("0x10", "--quantity", "is no number", ""),
        ("-1", "--quantity", "must be above zero, not -1 (to sell, say sell)", ""),
        ("0", "--price", "must be above zero", ""),
        ("1e400000000", "--price", "beyond all bounds", ""),
    ],
)
def test_what_is_no_number_is_told_with_what_to_type(text: str, option: str, said: str, hint: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        read_number(text, option, BTC)
    assert said in caught.value.message
    assert hint in (caught.value.hint or "")


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_number_or_an_error_of_ours(text: str) -> None:
    number, hint = Decimal(0), None
    try:
        number = read_number(text, "--quantity", BTC)
    except UsageProblem as problem:
        hint = problem.hint
    assert number > 0 or hint


@pytest.mark.parametrize(
    ("text", "side"),
    [("buy", Side.BUY), ("BUY", Side.BUY), ("long", Side.BUY), ("s", Side.SELL), ("Short", Side.SELL)],
)
def test_a_side_has_several_names(text: str, side: Side) -> None:
    assert read_side(text) is side


def test_a_side_and_an_instrument_that_were_swapped_are_recognised() -> None:
    with pytest.raises(UsageProblem, match="the side comes first") as caught:
        read_side("BTC/USDT", "buy")
    assert caught.value.hint == "sniper order place buy BTC/USDT …"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("stop-limit", OrderType.STOP_LIMIT),
        ("STOP_LIMIT", OrderType.STOP_LIMIT),
        ("trailing stop", OrderType.TRAILING_STOP),
        ("take-profit", OrderType.TAKE_PROFIT),
    ],
)
def test_a_kind_is_read_with_hyphens_or_without(text: str, kind: OrderType) -> None:
    assert read_type(text) is kind


@pytest.mark.parametrize(
    ("text", "meant"), [("limt", "limit"), ("markt", "market"), ("stoplimit", "stop_limit")]
)
def test_a_misspelt_kind_is_told_with_the_one_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(UsageProblem, match=f"did you mean '{meant}'"):
        read_type(text)


def test_a_time_in_force_is_read() -> None:
    assert read_time_in_force("GTC") is TimeInForce.GTC
    with pytest.raises(UsageProblem, match="did you mean 'ioc'"):
        read_time_in_force("iok")


@pytest.mark.parametrize(
    ("text", "above", "price"),
    [
        ("110", True, "110"),
        ("5%", True, "105"),
        ("5%", False, "95"),
        ("+5%", True, "105"),
        ("-5%", False, "95"),
    ],
)
def test_a_level_is_a_price_or_a_distance(text: str, above: bool, price: str) -> None:
    assert read_level(text, "--take-profit", Decimal(100), above=above) == Decimal(price)


def test_a_distance_needs_a_price_to_reckon_from() -> None:
    with pytest.raises(UsageProblem, match="there is no price yet"):
        read_level("5%", "--take-profit", None, above=True)


@pytest.mark.parametrize(
    ("text", "read"), [("250", (Decimal(250), None)), ("2%", (None, 200)), ("0.25%", (None, 25))]
)
def test_a_trail_is_an_amount_or_a_share(text: str, read: tuple[Decimal | None, int | None]) -> None:
    assert read_trail(text, "--trail") == read


@pytest.mark.parametrize("text", ["100%", "0.001%", "2,5%", "x%"])
def test_a_trail_that_cannot_be_is_told(text: str) -> None:
    with pytest.raises(UsageProblem):
        read_trail(text, "--trail")
