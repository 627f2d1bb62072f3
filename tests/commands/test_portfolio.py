"""portfolio, cash and account as somebody types them, on paper."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commands import account, cash, portfolio
from sniper_cli.portfolio.cash import CHARGES
from sniper_cli.portfolio.profits import By
from state.accounts import Movement
from state.positions import LotMethod

Run = Callable[..., Any]

BUY = ("order", "place", "buy", "BTC/USDT", "--budget", "20000", "--yes")
TARGETS = ("BTC/USDT=50", "ETH/USDT=30")


@pytest.fixture
def sniper(sniper_set_up: Run) -> Run:
    """In this process, with a home that has been set up."""
    return sniper_set_up


def told(done: Any) -> Any:
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_words_of_the_command_line_are_those_of_the_services() -> None:
    assert [word.value for word in account.LotMethod] == [word.value for word in LotMethod]
    assert [word.value for word in cash.Movement] == [word.value for word in Movement]
    assert {word.value for word in cash.Charge} == {word.value for word in CHARGES}
    assert [word.value for word in portfolio.By] == [word.value for word in By]


def test_show_adds_up(sniper: Run) -> None:
    sniper(*BUY)

    found = told(sniper("portfolio", "show", "--lots", "--json"))

    assert Decimal(found["equity"]) == Decimal(found["cash"]) + Decimal(found["positions_value"])
    assert found["currency"] == "USDT"
    [position] = found["positions"]
    assert position["source"] == "market"
    # As many lots as the purchase had fills: how many depends on the book of the second it came in.
    assert sum(Decimal(lot["remaining"]) for lot in position["lots"]) == Decimal(position["quantity"])
    assert found["lots"][0]["instrument"] == "BTC/USDT"
    assert [line["asset"] for line in found["balances"]] == ["BTC", "USDT"]


def test_show_draws_tables_for_a_person(sniper: Run) -> None:
    sniper(*BUY)

    words = sniper("portfolio", "show", "--lots").stdout

    for line in ("open positions  ", "cash and coins  ", "BTC/USDT", "lots  "):
        assert line in words


@pytest.mark.parametrize("by", [word.value for word in By])
def test_pnl_can_be_cut_every_way(sniper: Run, by: str) -> None:
    sniper(*BUY)

    [line] = told(sniper("portfolio", "pnl", "--by", by, "--json"))

    assert line["currency"] == "USDT"
    assert Decimal(line["fees"]) > 0
    assert (line["day"] is not None) == ("day" in by)
    assert (
        sniper("portfolio", "pnl", "--by", by).stdout.splitlines()[0].split()[0]
        == by.split("-", maxsplit=1)[0]
    )


@pytest.mark.parametrize("part", ["account", "day", "strategy", "instrument"])
def test_performance_can_be_told_of_each_part(sniper: Run, part: str) -> None:
    sniper(*BUY)

    found = told(sniper("portfolio", "performance", "--by", part, "--json"))

    row = found if part == "account" else found[0]
    assert Decimal(row["profit"]) < 0, "the fee and the spread"


def test_history_tells_days_and_what_was_held(sniper: Run) -> None:
    sniper(*BUY)

    [day] = told(sniper("portfolio", "history", "--json"))
    [held] = told(sniper("portfolio", "history", "--at", "now", "--json"))

    assert day["paid_in"] == "100000"
    assert day["fills"] >= 1
    assert (held["instrument"], held["priced"]) == ("BTC/USDT", True)
    assert told(sniper("portfolio", "history", "--at", "30d", "--json")) == []


def test_verify_finds_what_somebody_changed_and_rebuild_mends_it(sniper: Run, home: Path) -> None:
    sniper(*BUY)
    assert told(sniper("portfolio", "verify", "--json"))["whole"] is True
    with sqlite3.connect(next(home.rglob("sniper.db"))) as database:
        database.execute("UPDATE position SET realised = '5'")

    broken = sniper("portfolio", "verify", "--json")

    error = json.loads(broken.stderr)["error"]
    assert (broken.code, error["code"]) == (1, "books_broken")
    assert error["hint"] == "sniper portfolio rebuild --dry-run"
    found = json.loads(broken.stdout)["found"]
    assert [(row["table"], row["field"], row["rule"]) for row in found] == [
        ("position", "realised", "journal"),
        ("position", "realised", "identity"),
    ]
    assert told(sniper("portfolio", "rebuild", "--dry-run", "--json"))["differences"] == 2
    assert sniper("portfolio", "rebuild").code == 2, "neither a terminal nor --yes"
    assert sniper("portfolio", "verify").code == 1
    assert told(sniper("portfolio", "rebuild", "--yes", "--json"))["whole"] is True
    assert sniper("portfolio", "verify").code == 0
    assert told(sniper("audit", "tail", "--kind", "portfolio", "--json"))[0]["data"]["differences"] == 2


def test_a_rebalancing_is_shown_first_and_placed_as_one_batch(sniper: Run) -> None:
    dry = told(sniper("portfolio", "rebalance", *TARGETS, "--dry-run", "--json"))

    assert [(line["action"], line["weight_pct"], line["dry_run"]) for line in dry] == [
        ("buy", "0.00", True)
    ] * 2
    assert all(Decimal(line["cost"]) > 0 for line in dry)
    assert told(sniper("order", "list", "--json")) == []
    assert sniper("portfolio", "rebalance", *TARGETS).code == 2

    done = told(sniper("portfolio", "rebalance", *TARGETS, "--client-id", "may", "--yes", "--json"))

    assert {line["state"] for line in done} == {"filled"}
    orders = told(sniper("order", "list", "--json"))
    assert {order["client_order_id"] for order in orders} == {"may-BTC/USDT", "may-ETH/USDT"}
    reason = told(sniper("order", "show", "may-BTC/USDT", "--json"))["reason"]
    assert (reason["origin"], reason["plan"], reason["target_pct"]) == ("rebalance", "may", "50")
    shown = {line["instrument"]: line for line in told(sniper("portfolio", "show", "--json"))["positions"]}
    assert abs(Decimal(shown["BTC/USDT"]["weight_pct"]) - 50) < 1
    assert abs(Decimal(shown["ETH/USDT"]["weight_pct"]) - 30) < 1


def test_the_same_rebalancing_again_gives_the_same_orders(sniper: Run) -> None:
    call = ("portfolio", "rebalance", *TARGETS, "--client-id", "may", "--yes", "--json")
    first, again = told(sniper(*call)), told(sniper(*call))

    assert [line["order_id"] for line in again] == [line["order_id"] for line in first]
    assert {line["replayed"] for line in again} == {True}
    assert len(told(sniper("order", "list", "--json"))) == 2


def test_within_the_band_nothing_is_done(sniper: Run) -> None:
    sniper("portfolio", "rebalance", *TARGETS, "--yes")

    done = sniper("portfolio", "rebalance", *TARGETS, "--band", "2", "--yes", "--json")

    assert {line["action"] for line in told(done)} == {"keep"}
    assert "nothing to do" in done.stderr


def test_targets_come_from_a_file_or_from_the_settings(sniper: Run, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text("instrument,weight\nSOL/USDT,10\n")
    [by_file] = told(sniper("portfolio", "rebalance", "--file", str(file), "--dry-run", "--json"))
    assert by_file["instrument"] == "SOL/USDT"

    assert sniper("portfolio", "rebalance", "--dry-run").code == 2
    assert sniper("config", "set", "portfolio.targets", "BTC/USDT=20").code == 0
    [by_settings] = told(sniper("portfolio", "rebalance", "--dry-run", "--json"))
    assert by_settings["target_pct"] == "20"


def test_what_has_no_target_is_sold_only_when_asked(sniper: Run) -> None:
    sniper(*BUY)

    kept = told(sniper("portfolio", "rebalance", "ETH/USDT=10", "--dry-run", "--json"))
    sold = told(sniper("portfolio", "rebalance", "ETH/USDT=10", "--sell-others", "--dry-run", "--json"))

    assert [line["instrument"] for line in kept] == ["ETH/USDT"]
    assert [(line["instrument"], line["action"]) for line in sold] == [
        ("BTC/USDT", "sell"),
        ("ETH/USDT", "buy"),
    ]
    assert Decimal(sold[0]["weight_after_pct"]) == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("BTC/USDT=60", "ETH/USDT=50"), 2, "more than there is"),
        (("BEANS/USDT=10",), 7, "BEANS"),
        (("BTC/USDT=10", "--band", "x"), 2, "no number"),
        (("BTC/USDT=10", "--file", "/nowhere/targets"), 2, "a file of them too"),
    ],
)
def test_a_rebalancing_that_cannot_be_meant_is_refused(
    sniper: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    done = sniper("portfolio", "rebalance", *words, "--dry-run")

    assert (done.code, said in done.stderr) == (code, True), done.stderr


def test_a_rebalancing_of_which_nothing_is_taken_ends_with_6(sniper: Run) -> None:
    sniper("risk", "kill", "--reason", "a drill", "--yes")

    done = sniper("portfolio", "rebalance", *TARGETS, "--yes", "--json")

    assert done.code == 6
    assert {line["state"] for line in json.loads(done.stdout)} == {"refused"}


def test_a_rebalancing_of_which_a_part_is_taken_ends_with_8(sniper: Run) -> None:
    sniper(*BUY)
    sniper("risk", "kill", "--reason", "a drill", "--yes")

    done = sniper("portfolio", "rebalance", "ETH/USDT=30", "--sell-others", "--yes", "--json")

    error = json.loads(done.stderr)["error"]
    assert (done.code, error["code"]) == (8, "partly_done")
    assert [line["state"] for line in json.loads(done.stdout)] == ["filled", "refused"]


def test_fills_go_to_stdout_or_to_a_file(sniper: Run, tmp_path: Path) -> None:
    sniper(*BUY)
    file = tmp_path / "fills.parquet"

    lines = sniper("portfolio", "export", "--fields", "instrument,side,quantity").stdout
    done = told(sniper("portfolio", "export", str(file), "--json"))

    header, *fills = csv.reader(io.StringIO(lines))  # a large order may take from several prices
    assert (header[:2], fills[0][:2]) == (["instrument", "side"], ["BTC/USDT", "buy"])
    assert (done["format"], done["fills"], file.stat().st_size) == ("parquet", len(fills), done["bytes"])
    assert sniper("portfolio", "export", "--format", "parquet").code == 2
    unknown = sniper("portfolio", "export", "--fields", "colour")
    assert (unknown.code, "fields: id, at" in unknown.stderr) == (2, True)


def test_a_deposit_can_be_repeated_and_a_withdrawal_wants_a_yes(sniper: Run) -> None:
    call = ("cash", "deposit", "500", "--reference", "may", "--json")
    first, again = told(sniper(*call)), told(sniper(*call))
    assert (first["replayed"], again["replayed"], again["balance"]) == (False, True, "100500")

    assert sniper("cash", "withdraw", "500").code == 2
    assert told(sniper("cash", "withdraw", "500", "--dry-run", "--json"))["dry_run"] is True
    assert told(sniper("cash", "withdraw", "500", "--yes", "--json"))["balance"] == "100000"
    assert sniper("cash", "withdraw", "100000.01", "--yes").code == 6
    assert [row["movement"] for row in told(sniper("cash", "list", "--json"))] == [
        "withdrawal",
        "deposit",
        "deposit",
    ]
    assert len(told(sniper("cash", "list", "--movement", "deposit", "--json"))) == 2


def test_a_transfer_goes_to_an_account_that_was_opened(sniper: Run) -> None:
    assert told(sniper("account", "create", "second", "--deposit", "0", "--dry-run", "--json"))["id"] is None
    assert told(sniper("account", "create", "second", "--deposit", "0", "--json"))["chosen"] is False

    done = told(sniper("cash", "transfer", "1000", "USDT", "second", "--yes", "--json"))

    assert (done["amount"], done["counter_account"], done["balance"]) == ("-1000", "second", "99000")
    assert told(sniper("account", "show", "second", "--json"))["balances"] == [
        {"asset": "USDT", "amount": "1000"}
    ]
    shown = told(sniper("portfolio", "show", "--json"))
    assert [(line["account"], line["equity"]) for line in shown["accounts"]] == [
        ("paper", "99000"),
        ("second", "1000"),
    ]
    assert told(sniper("portfolio", "verify", "--json"))["whole"] is True


def test_a_charge_is_a_cost_of_its_day(sniper: Run) -> None:
    sniper("cash", "charge", "3.2", "--as", "funding", "--yes")

    [day] = told(sniper("portfolio", "pnl", "--json"))
    assert (day["costs"], day["net"]) == ("3.2", "-3.2")


def test_an_accounts_rules_are_set_and_shown(sniper: Run) -> None:
    told(sniper("account", "set", "paper", "--lot-method", "hifo", "--margin", "3", "--yes", "--json"))

    [line] = told(sniper("account", "list", "--json"))
    assert (line["lot_method"], line["margin"], line["chosen"]) == ("hifo", "3", True)
    assert sniper("account", "set", "paper", "--lot-method", "lifo").code == 2, "neither a terminal nor --yes"
    assert told(sniper("account", "set", "paper", "--margin", "3", "--json"))["changed"] is False
    assert told(sniper("account", "set", "paper", "--margin", "0", "--dry-run", "--json"))["dry_run"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("portfolio", "show", "--account", "x"), "no account 'x'"),
        (("portfolio", "performance", "--account", "x"), "no account 'x'"),
        (("account", "show", "x"), "no account 'x'"),
        (("cash", "deposit", "1", "BEANS"), "no asset 'BEANS'"),
        (("cash", "list", "--after", "ffffffffffff"), "no entry of the ledger"),
    ],
)
def test_what_is_not_there_ends_with_7(sniper: Run, words: tuple[str, ...], said: str) -> None:
    done = sniper(*words)
    assert (done.code, said in done.stderr) == (7, True), done.stderr
