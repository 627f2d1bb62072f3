"""`sniper market` at the door: every format, charts, live lines, slips answered, and no database needed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.views import Market

Run = Callable[..., Any]
START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = INSTRUMENTS["paper:BTC/USDT"]


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market's clock stands still."""
    for module in ("views", "reading", "frames"):
        monkeypatch.setattr(f"sniper_cli.market.{module}.this_second", lambda: START)


@pytest.mark.usefixtures("noon")
def test_the_list_has_every_instrument_with_price_change_and_bounds(sniper_inside: Run, home: Path) -> None:
    done = sniper_inside("market", "list", "--json")
    rows = {row["instrument"]: row for row in json.loads(done.stdout)}
    assert done.code == 0
    assert list(rows) == [spec.symbol for spec in INSTRUMENTS.values()]
    btc = rows["BTC/USDT"]
    assert (btc["last"], btc["tick"], btc["lot"], btc["minimum"]) == ("77563.66", "0.01", "0.0001", "5")
    assert (btc["change_pct"], btc["high"], btc["low"]) == ("2.59", "78210.00", "75337.36")
    assert btc["at"] == "2026-11-20T12:00:00.000000Z"
    assert not home.exists(), "looking at the market makes nothing"


@pytest.mark.usefixtures("noon")
def test_a_table_writes_thousands_apart(sniper_inside: Run) -> None:
    table = sniper_inside("market", "list", "--limit", "3", "--fields", "instrument,last,change_pct")
    assert table.stdout.splitlines()[2:] == [
        "BTC/USDT    77,563.66  +2.59",
        "ETH/USDT     2,440.42  +0.10",
        "SOL/USDT        67.55  -4.77",
    ]
    assert "only 3 shown; --after paper:SOL/USDT" in table.stderr


@pytest.mark.usefixtures("noon")
def test_a_narrow_terminal_keeps_instrument_price_and_change(sniper_inside: Run) -> None:
    done = sniper_inside("market", "list", env={"COLUMNS": "32"})
    assert done.stdout.splitlines()[0].split() == ["instrument", "last", "24h", "%"]


@pytest.mark.usefixtures("noon")
def test_one_instrument_is_shown_by_whatever_it_is_called(sniper_inside: Run) -> None:
    shown = [
        sniper_inside("market", "show", text, "--json").stdout for text in ("BTC/USDT", "btc", "BTCUSDT")
    ]
    assert len(set(shown)) == 1
    row = json.loads(shown[0])
    assert (row["bid"], row["ask"]) == ("77562.11", "77569.86")
    assert (row["maximum"], row["maximum_quantity"]) == ("5000000", "1000")


@pytest.mark.usefixtures("noon")
def test_a_book_is_a_ladder_with_bars(sniper_inside: Run) -> None:
    lines = sniper_inside("market", "book", "BTC/USDT", "--levels", "2").stdout.splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [
        ["ask", "77,571.41"],
        ["ask", "77,569.86"],
        ["bid", "77,562.11"],
        ["bid", "77,559.01"],
    ]
    assert all(line.rstrip().endswith("█") for line in lines[2:])


@pytest.mark.usefixtures("noon")
def test_a_book_in_json_has_shares_instead_of_bars(sniper_inside: Run) -> None:
    rows = json.loads(sniper_inside("market", "book", "BTC/USDT", "--json").stdout)
    assert len(rows) == 20
    assert max(Decimal(row["depth_pct"]) for row in rows) == 100
    assert set(rows[0]) == {"side", "price", "quantity", "total", "depth_pct"}


@pytest.mark.usefixtures("noon")
def test_trades_come_newest_first(sniper_inside: Run) -> None:
    rows = json.loads(sniper_inside("market", "trades", "btc", "--limit", "7", "--json").stdout)
    assert len(rows) == 7
    assert [int(row["id"]) for row in rows] == sorted((int(row["id"]) for row in rows), reverse=True)
    assert rows[4] == {
        "id": "179517600000",
        "at": "2026-11-20T12:00:00.000000Z",
        "side": "buy",
        "price": "77569.86",
        "quantity": "0.0161",
    }


@pytest.mark.usefixtures("noon")
def test_candles_are_listed_in_a_pipe_and_add_up(sniper_inside: Run) -> None:
    hour = ("market", "candles", "BTC/USDT", "--since", "2026-11-20T11:00", "--all", "-o", "csv")
    minutes = list(csv.DictReader(io.StringIO(sniper_inside(*hour, "--interval", "1m").stdout)))[:60]
    fives = list(csv.DictReader(io.StringIO(sniper_inside(*hour, "--interval", "5m").stdout)))
    assert len(minutes) == 60
    assert len(fives) == 13
    assert fives[0]["open"] == minutes[0]["open"]
    assert fives[0]["close"] == minutes[4]["close"]
    assert Decimal(fives[0]["high"]) == max(Decimal(row["high"]) for row in minutes[:5])
    assert Decimal(fives[0]["low"]) == min(Decimal(row["low"]) for row in minutes[:5])
    assert Decimal(fives[0]["volume"]) == sum(Decimal(row["volume"]) for row in minutes[:5])
    assert [row["complete"] for row in fives] == ["true"] * 12 + ["false"]


@pytest.mark.usefixtures("noon")
def test_a_cut_list_of_candles_says_so(sniper_inside: Run) -> None:
    done = sniper_inside(
        "market", "candles", "btc", "--since", "2026-11-20T11:00", "--limit", "5", "-o", "yaml"
    )
    assert len(yaml.safe_load(done.stdout)) == 5
    assert "only the last 5 of 61 candles" in done.stderr


@pytest.mark.usefixtures("noon")
def test_a_chart_is_drawn_when_asked_for_and_has_no_escape_byte_in_a_pipe(sniper_inside: Run) -> None:
    done = sniper_inside(
        "market", "candles", "BTC/USDT", "--interval", "5m", "--chart", env={"COLUMNS": "60"}
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 22
    assert max(map(len, lines)) <= 60
    assert "\x1b" not in done.stdout
    assert any("┤77,563.66" in line for line in lines)
    assert "only the last 49 of 100 candles fit" in done.stderr


@pytest.mark.usefixtures("noon")
def test_fields_ask_for_the_list_also_with_a_chart(sniper_inside: Run) -> None:
    done = sniper_inside("market", "candles", "btc", "--limit", "1", "--chart", "--fields", "at,close")
    assert done.stdout.splitlines()[-1].split() == ["2026-11-20", "12:00:00Z", "77,563.66"]


def test_a_pipe_that_watches_gets_a_json_line_a_second_and_misses_none(sniper_inside: Run) -> None:
    done = sniper_inside("market", "watch", "BTC/USDT", "--count", "2")
    one, two = (json.loads(line) for line in done.stdout.splitlines())
    second = Market(7).second(BTC, int(one["trades"][0]["id"]) // 100)
    assert two["at"] > one["at"]
    assert one["last"] == str(second.last)
    assert one["trades"][0]["price"] == str(second.trades[0].price)
    assert Decimal(one["volume"]) == sum(Decimal(each["quantity"]) for each in one["trades"])


def test_a_watched_csv_has_one_header(sniper_inside: Run) -> None:
    done = sniper_inside("market", "watch", "btc", "--count", "2", "-o", "csv", "--fields", "at,bid")
    assert done.stdout.splitlines()[0] == "at,bid"
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    "call",
    [("show",), ("book",), ("trades",), ("candles",), ("watch", "--count", "1")],
    ids=lambda call: call[0],
)
def test_a_slip_is_answered_with_what_was_meant(sniper_inside: Run, call: tuple[str, ...]) -> None:
    done = sniper_inside("market", call[0], "BTTC/USDT", *call[1:])
    assert done.code == 7
    assert "did you mean 'BTC/USDT'?" in done.stderr
    assert "hint: sniper market list" in done.stderr


def test_all_candles_of_all_time_are_refused_with_a_way_out(sniper_inside: Run) -> None:
    done = sniper_inside("market", "candles", "btc", "--all")
    assert done.code == 2
    assert "hint: sniper market candles BTC/USDT --interval 1m --since 1d --all" in done.stderr


def test_a_market_is_completed_before_there_is_a_database(home: Path) -> None:
    from sniper_cli.completion import instruments_starting

    assert instruments_starting("B") == ["BTC/USDT", "BNB/USDT", "BCH/USDT"]
    assert instruments_starting("do") == ["DOGE/USDT", "DOT/USDT"]
