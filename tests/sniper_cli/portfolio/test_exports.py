"""Fills as CSV and as Parquet: every amount as exact as it is booked, alike from both databases."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from sniper_cli.errors import ConfigurationError, NotFound, UsageProblem
from sniper_cli.portfolio.exports import FIELDS, Wanted, export_csv, export_parquet
from state.accounts import Asset, Instrument
from state.database import Database
from state.orders import Fill, Order
from state.reading import snapshot
from tests.books_fixtures import Ledger
from tests.portfolio_fixtures import BTC, ETH, NOON, Diary

pytest.importorskip("pyarrow")


@pytest.fixture
def diary(database: Database) -> Iterator[Diary]:
    found = Diary(database)
    found.pay(100_000)
    found.buy(BTC, 123, 0, strategy="grid")
    found.sell(BTC, 23, 1)
    found.buy(ETH, 7, 2)
    yield found
    found.close()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def booked(database: Database) -> list[dict[str, str]]:
    """The fills as the tables have them, put into words one by one."""
    with database.read() as session:
        found = []
        for fill in session.exec(select(Fill).order_by(col(Fill.id))).all():
            instrument = session.get_one(Instrument, fill.instrument_id)
            base, quote, fee = (
                session.get_one(Asset, name)
                for name in (instrument.base_asset, instrument.quote_asset, fill.fee_asset)
            )
            order = session.get_one(Order, fill.order_id)
            found.append(
                {
                    "id": fill.id.hex,
                    "at": fill.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                    "instrument": instrument.symbol,
                    "side": fill.side.value,
                    "quantity": plain(base, fill.quantity),
                    "notional": plain(quote, fill.notional),
                    "quote": quote.symbol,
                    "fee": plain(fee, fill.fee),
                    "realised": plain(quote, fill.realised),
                    "strategy": order.strategy or "",
                    "order_id": order.id.hex,
                    "client_order_id": order.client_order_id,
                    "record": str(fill.seq),
                    "reversed_at": "",
                }
            )
        return found


def plain(asset: Asset, units: int) -> str:
    text = f"{asset.amount(units):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def test_a_csv_has_every_fill_exactly(diary: Diary, tmp_path: Path) -> None:
    done = export_csv(diary.database, Wanted(), tmp_path / "fills.csv")

    expected = booked(diary.database)
    found = rows(tmp_path / "fills.csv")
    assert (done.fills, done.format, done.bytes) == (3, "csv", (tmp_path / "fills.csv").stat().st_size)
    assert list(found[0]) == list(FIELDS)
    assert [{name: row[name] for name in expected[0]} for row in found] == expected
    assert oct((tmp_path / "fills.csv").stat().st_mode & 0o777) == "0o600"


def test_a_parquet_file_says_the_same_as_decimals_and_times(diary: Diary, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    done = export_parquet(diary.database, Wanted(), tmp_path / "fills.parquet")

    found = parquet.read_table(tmp_path / "fills.parquet").to_pylist()
    expected = booked(diary.database)
    assert done.fills == len(found) == 3
    for row, words in zip(found, expected, strict=True):
        assert isinstance(row["at"], datetime)
        assert row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") == words["at"]
        assert [row[name] for name in ("quantity", "notional", "fee", "realised")] == [
            Decimal(words[name]) for name in ("quantity", "notional", "fee", "realised")
        ]
        assert (row["id"], row["instrument"], row["record"]) == (
            words["id"],
            words["instrument"],
            int(words["record"]),
        )
        assert (row["strategy"] or "", row["reversed_at"]) == (words["strategy"], None)


def test_fields_bounds_and_account_choose_what_is_written(diary: Diary, tmp_path: Path) -> None:
    fields = ("side", "instrument")
    file = tmp_path / "some.csv"

    export_csv(diary.database, Wanted(since=NOON + timedelta(days=1), fields=fields), file)
    assert file.read_text() == "side,instrument\nsell,BTC/USDT\nbuy,ETH/USDT\n"

    export_csv(diary.database, Wanted(until=NOON, fields=fields, account="paper"), file)
    assert file.read_text() == "side,instrument\nbuy,BTC/USDT\n"

    with pytest.raises(NotFound, match="no account 'second'"):
        export_csv(diary.database, Wanted(account="second"), file)
    assert file.read_text() == "side,instrument\nbuy,BTC/USDT\n", "a failed export leaves what was there"


def test_what_a_reorganisation_took_back_is_left_out_unless_it_is_wanted(
    database: Database, tmp_path: Path
) -> None:
    ledger = Ledger(database)
    ledger.buy(10, 100)
    ledger.undo(ledger.buy(5, 50))
    ledger.books.close()

    export_csv(database, Wanted(), tmp_path / "standing.csv")
    export_csv(database, Wanted(reversed_too=True), tmp_path / "all.csv")

    assert len(rows(tmp_path / "standing.csv")) == 1
    assert [bool(row["reversed_at"]) for row in rows(tmp_path / "all.csv")] == [False, True]


def test_amounts_too_wide_for_a_decimal_column_stay_exact_as_text(
    sqlite_database: Database, tmp_path: Path
) -> None:
    import pyarrow.parquet as parquet

    ledger = Ledger(sqlite_database)
    ledger.buy(10**45 + 1, 7)
    ledger.books.close()

    export_parquet(sqlite_database, Wanted(), tmp_path / "wide.parquet")

    [row] = parquet.read_table(tmp_path / "wide.parquet").to_pylist()
    assert row["quantity"] == "1000000000000000000000000000.000000000000000001"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    units=st.integers(-(10**40), 10**40) | st.integers(-200, 200),
    decimals=st.integers(0, 30),
)
def test_sqlite_puts_the_point_where_it_belongs(sqlite_database: Database, units: int, decimals: int) -> None:
    assert spelled(sqlite_database, units, decimals) == plain(
        Asset(id="a", symbol="A", decimals=decimals), units
    )


@pytest.mark.postgres
@pytest.mark.parametrize("units", [0, 1, -1, 10, -100, 123456789, -(10**30) - 1, 10**40])
@pytest.mark.parametrize("decimals", [0, 1, 6, 18, 30])
def test_postgres_puts_it_there_too(postgres_database: Database, units: int, decimals: int) -> None:
    assert spelled(postgres_database, units, decimals) == plain(
        Asset(id="a", symbol="A", decimals=decimals), units
    )


def spelled(database: Database, units: int, decimals: int) -> str:
    """An amount as the export's query writes it."""
    from sniper_cli.portfolio.exports import _postgres, _sqlite

    spell = _sqlite if database.is_sqlite else _postgres
    kind = "text" if database.is_sqlite else "numeric"
    cell = spell("amount", "units", "decimals")
    query = f"SELECT {cell} FROM (SELECT CAST(? AS {kind}) AS units, {decimals} AS decimals) x"
    with snapshot(database) as reader:
        return str(reader.row(query, (str(units),))[0])


def test_without_pyarrow_parquet_says_how_to_get_it(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match="needs pyarrow") as caught:
        export_parquet(sqlite_database, Wanted(), tmp_path / "x.parquet")
    assert caught.value.hint == "pip install 'sniper-cli[parquet]'"


def test_a_folder_that_is_not_there_is_said_before_anything_is_read(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(UsageProblem, match="cannot be written"):
        export_csv(sqlite_database, Wanted(), tmp_path / "nowhere" / "x.csv")


def test_a_broken_export_leaves_no_draft(
    diary: Diary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sniper_cli.portfolio import exports

    def fail(*_: Any) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(exports, "_write_csv", fail)
    with pytest.raises(RuntimeError):
        export_csv(diary.database, Wanted(), tmp_path / "x.csv")
    assert list(tmp_path.glob("*x.csv*")) == []
