"""The market commands find what is meant, need no database, and see what other venues have listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sniper_cli.context import open_context
from sniper_cli.errors import NotFound, UsageProblem
from sniper_cli.market.candles import Interval
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.reading import open_market, quote, quotes, simulated, stretch
from sniper_cli.market.simulated import time_of
from sniper_cli.market.views import Market, this_second

START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = INSTRUMENTS["paper:BTC/USDT"]
POOL = "0x" + "ab" * 20


@pytest.fixture
def with_a_pool(home: Path) -> None:
    """A database in which a token on a chain has been listed."""
    from state import schema
    from state.accounts import Asset, Instrument, VenueKind

    home.mkdir()
    with open_context(None, needs_schema=False) as context:
        schema.upgrade(context.database)
        with context.database.write() as session:
            session.add(Asset(id="evm:31337:native", symbol="ETH", name="Ether", decimals=18))
            session.add(Asset(id=f"evm:31337:0x{'cd' * 20}", symbol="FROGE", name="Froge", decimals=9))
            session.flush()
            session.add(
                Instrument(
                    id=f"evm:31337:{POOL}",
                    venue=VenueKind.EVM,
                    symbol="FROGE/ETH",
                    base_asset=f"evm:31337:0x{'cd' * 20}",
                    quote_asset="evm:31337:native",
                    pool=POOL,
                )
            )


def test_without_a_database_the_simulated_market_is_listed(home: Path) -> None:
    assert [each.instrument for each in quotes(None)] == [spec.symbol for spec in INSTRUMENTS.values()]
    assert not home.exists()


def test_the_seed_is_the_profile_s(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_MARKET_SEED", "8")
    assert open_market(None).simulated.seed == 8


@pytest.mark.usefixtures("with_a_pool")
def test_instruments_of_other_venues_follow_without_a_price() -> None:
    *rest, pool = quotes(None)
    assert len(rest) == len(INSTRUMENTS)
    assert (pool.instrument, pool.venue, pool.name, pool.last, pool.tick) == (
        "FROGE/ETH", "evm", "Froge", None, None,
    )  # fmt: skip
    assert quote(None, "froge/eth") == quote(None, POOL) == quote(None, pool.id) == pool


@pytest.mark.usefixtures("with_a_pool")
def test_a_slip_in_another_venue_s_symbol_is_answered_with_what_was_meant() -> None:
    with pytest.raises(NotFound, match="did you mean 'FROGE/ETH'"):
        quote(None, "FROG/ETH")
    with pytest.raises(NotFound, match="did you mean 'DOGE/USDT'"):
        quote(None, "DOGEE")


@pytest.mark.usefixtures("with_a_pool")
def test_only_the_simulated_market_has_books_and_candles() -> None:
    with pytest.raises(NotFound, match="FROGE/ETH is not in the simulated market"):
        simulated(None, "FROGE/ETH")
    assert simulated(None, "btc") is BTC


@pytest.mark.usefixtures("home")
def test_a_list_goes_on_after_an_instrument() -> None:
    found = quotes(None, after="paper:ETH/USDT")
    assert found[0].instrument == "SOL/USDT"
    assert len(found) == len(INSTRUMENTS) - 2
    # Another second may have begun: the same instruments, not the same prices.
    assert [each.id for each in quotes(None, after="eth")] == [each.id for each in found]
    with pytest.raises(NotFound, match="no NOPE"):
        quotes(None, after="NOPE")


def test_a_stretch_is_the_last_candles() -> None:
    found = stretch(Market(7), BTC, Interval.M1, limit=10, now=START)
    assert (len(found.candles), found.of) == (10, 10)
    assert found.candles[-1].first == START


def test_since_a_moment_are_all_candles_from_then_on_or_the_latest_of_them() -> None:
    since = time_of(START - 3600).isoformat()
    some = stretch(Market(7), BTC, Interval.M1, limit=100, since=since, now=START)
    few = stretch(Market(7), BTC, Interval.M1, limit=10, since=since, now=START)
    every = stretch(Market(7), BTC, Interval.M1, limit=10, since=since, everything=True, now=START)
    assert (len(some.candles), some.of) == (61, 61)
    assert (few.candles, few.of) == (some.candles[-10:], 61)
    assert every == some
    assert some.candles[0].first == START - 3600


def test_since_a_moment_to_come_is_the_present_candle() -> None:
    found = stretch(Market(7), BTC, Interval.H1, limit=5, since="2200-01-01", now=START)
    assert [each.first for each in found.candles] == [START]


def test_all_candles_have_no_beginning() -> None:
    with pytest.raises(UsageProblem, match="--all needs --since"):
        stretch(Market(7), BTC, Interval.M1, limit=5, everything=True, now=START)


def test_the_present_second_is_now() -> None:
    from datetime import UTC, datetime

    assert abs(datetime.now(UTC).timestamp() - this_second()) < 5
