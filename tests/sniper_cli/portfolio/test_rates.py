"""An asset in another: directly, the other way round, over a third; exactly, and never where nobody knows a price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.portfolio.rates import Price, Rates

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
# One bitcoin of 10^8 units costs 90,000 dollars of 10^6 units.
BTC = Price("BTC", "USDT", 90_000 * 10**6, 10**8, NOON)
ETH = Price("ETH", "USDT", 3_000 * 10**6, 10**8, NOON - timedelta(minutes=5))


def test_a_price_converts_directly() -> None:
    assert Rates([BTC]).convert(10**8 // 2, "BTC", "USDT") == 45_000 * 10**6


def test_a_price_converts_the_other_way_round() -> None:
    assert Rates([BTC]).convert(45_000 * 10**6, "USDT", "BTC") == 10**8 // 2


def test_two_prices_in_a_third_asset_convert_over_it() -> None:
    found = Rates([BTC, ETH]).between("ETH", "BTC")

    assert found is not None
    assert found.path == ("ETH", "USDT", "BTC")
    assert found.of(30 * 10**8) == 10**8
    assert found.at == ETH.at, "as old as the oldest price in it"


def test_a_price_of_its_own_goes_before_a_way_round() -> None:
    found = Rates([BTC, ETH, Price("ETH", "BTC", 4, 100, NOON)]).between("ETH", "BTC")

    assert found is not None
    assert (found.path, found.of(100)) == (("ETH", "BTC"), 4)


def test_of_two_ways_the_newer_one_counts() -> None:
    old = [Price("A", "X", 1, 1, NOON - timedelta(days=1)), Price("X", "B", 5, 1, NOON)]
    new = [Price("A", "Y", 1, 1, NOON), Price("Y", "B", 7, 1, NOON)]

    assert Rates(old + new).convert(1, "A", "B") == 7
    assert Rates(new + old).convert(1, "A", "B") == 7


def test_what_nobody_prices_is_not_guessed() -> None:
    rates = Rates([BTC])

    assert rates.convert(5, "DOGE", "USDT") is None
    assert rates.convert(5, "BTC", "EUR") is None
    assert rates.convert(0, "DOGE", "USDT") == 0, "nothing of it is worth nothing"


def test_an_asset_is_itself() -> None:
    assert Rates().convert(7, "BTC", "BTC") == 7


def test_what_is_worth_nothing_brings_nothing_and_is_not_to_be_bought_for_anything() -> None:
    rates = Rates([Price("DUST", "USDT", 0, 1, NOON)])

    assert rates.convert(7, "DUST", "USDT") == 0
    assert rates.convert(7, "USDT", "DUST") is None


@given(units=st.integers(-(10**30), 10**30), over=st.integers(1, 10**20), under=st.integers(1, 10**20))
def test_a_conversion_is_cut_towards_nothing_by_less_than_a_unit(units: int, over: int, under: int) -> None:
    got = Rates([Price("A", "B", over, under, NOON)]).convert(units, "A", "B")

    assert got is not None
    assert 0 <= abs(units) * over - abs(got) * under < under
    assert got * units >= 0
