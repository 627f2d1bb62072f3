"""order, position, risk and explain, as somebody types them, on paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from commands import trading
from state.orders import OrderState, OrderType, Side, TimeInForce

Run = Callable[..., Any]

BUY = ("order", "place", "buy", "BTC/USDT")


@pytest.fixture
def sniper(sniper_set_up: Run) -> Run:
    """In this process, with a home that has been set up."""
    return sniper_set_up


@pytest.mark.parametrize("name", ["Side", "OrderType", "TimeInForce", "OrderState"])
def test_the_words_of_the_command_line_are_those_of_the_state(name: str) -> None:
    known = {"Side": Side, "OrderType": OrderType, "TimeInForce": TimeInForce, "OrderState": OrderState}
    assert [word.value for word in getattr(trading, name)] == [word.value for word in known[name]]


def test_an_order_with_a_client_id_can_be_repeated(sniper: Run) -> None:
    order = (*BUY, "--budget", "100", "--client-id", "mine", "--yes", "--json")

    first, again = (json.loads(sniper(*order).stdout) for _ in range(2))

    assert first["state"] == "filled"
    assert first["replayed"] is False
    assert again["replayed"] is True
    assert again["dry_run"] is False
    assert again["id"] == first["id"]
    assert isinstance(first["filled_quantity"], str)


def test_the_same_client_id_for_another_order_is_refused(sniper: Run) -> None:
    sniper(*BUY, "--budget", "100", "--client-id", "mine", "--yes")

    done = sniper(*BUY, "--budget", "200", "--client-id", "mine", "--yes")

    assert done.code == 6
    assert "has been used for another order" in done.stderr
    assert "hint: sniper order show" in done.stderr


def test_without_a_terminal_and_without_yes_nothing_is_placed(sniper: Run) -> None:
    done = sniper(*BUY, "--budget", "100")

    assert done.code == 2
    assert "Buy for 100 USDT of BTC/USDT on paper" in done.stderr
    assert "worst price" in done.stderr
    assert json.loads(sniper("order", "list", "--json").stdout) == []


def test_a_dry_run_tells_the_plan_and_places_nothing(sniper: Run) -> None:
    done = sniper(*BUY, "--budget", "100", "--dry-run", "--json")

    told = json.loads(done.stdout)
    assert (done.code, told["dry_run"]) == (0, True)
    assert told["plan"]["best_price"]
    assert json.loads(sniper("order", "list", "--json").stdout) == []


def test_a_refused_order_ends_with_6_and_every_failed_check(sniper: Run) -> None:
    done = sniper(*BUY, "--budget", "999999999", "--yes", "--json")

    error = json.loads(done.stderr)["error"]
    assert done.code == 6
    assert error["code"] == "insufficient_funds"
    assert [check["name"] for check in error["details"]["checks"]] == ["maximum_notional", "funds"]
    assert sniper(*error["hint"].split()[1:]).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("order", "place", "buy", "BTC/USD", "--budget", "100", "--yes"), "did you mean 'BTC/USDT'"),
        (("order", "show", "ffffffffffff"), "there is no order"),
        (("position", "show", "ffffffffffff"), "there is no position"),
        (("explain", "ffffffffffff"), "there is no order, launch or position"),
    ],
)
def test_what_is_not_there_ends_with_7(sniper: Run, words: tuple[str, ...], said: str) -> None:
    done = sniper(*words)
    assert done.code == 7
    assert said in done.stderr


@pytest.mark.parametrize("amount", ["lots", "-1", "0", "NaN", "0.0000000001"])
def test_an_amount_that_is_none_ends_with_2(sniper: Run, amount: str) -> None:
    done = sniper(*BUY, "--quantity", amount, "--yes")
    assert done.code == 2
    assert "error:" in done.stderr
    assert "hint:" in done.stderr


def test_a_resting_order_can_be_listed_and_cancelled(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.1", "--type", "limit", "--price", "10000", "--client-id", "low", "--yes")
    assert [
        row["state"] for row in json.loads(sniper("order", "list", "--state", "open", "--json").stdout)
    ] == ["open"]

    assert json.loads(sniper("order", "cancel", "low", "--dry-run", "--json").stdout)["state"] == "open"
    assert json.loads(sniper("order", "cancel", "low", "--yes", "--json").stdout)["state"] == "cancelled"
    assert sniper("order", "cancel", "low", "--yes").code == 6


def test_orders_are_paged_by_a_cursor_and_the_cut_is_said(sniper: Run) -> None:
    for number in range(3):
        sniper(*BUY, "--budget", "100", "--client-id", f"n{number}", "--yes")

    first = sniper("order", "list", "--limit", "2", "--json")
    rows = json.loads(first.stdout)
    rest = json.loads(sniper("order", "list", "--after", rows[-1]["id"][-12:], "--json").stdout)

    assert [row["client_order_id"] for row in rows + rest] == ["n2", "n1", "n0"]
    assert "only 2 shown" in first.stderr


def test_a_position_is_opened_marked_and_closed(sniper: Run) -> None:
    sniper(*BUY, "--budget", "1000", "--yes")
    position = json.loads(sniper("position", "list", "--json").stdout)[0]
    assert position["state"] == "open"
    assert position["value"] is not None

    tail = position["id"][-12:]
    assert len(json.loads(sniper("position", "show", tail, "--json").stdout)["lots"]) == 1
    closed = json.loads(sniper("position", "close", tail, "--yes", "--json").stdout)

    assert closed["state"] == "filled"
    assert json.loads(sniper("position", "list", "--json").stdout) == []
    assert (
        json.loads(sniper("position", "list", "--all", "--json").stdout)[0]["exit_rule"] == "closed_by_hand"
    )
    assert sniper("position", "close", tail, "--yes").code == 6


def test_the_kill_switch_stops_purchases_and_lets_positions_be_closed(sniper: Run) -> None:
    sniper(*BUY, "--budget", "1000", "--yes")
    assert sniper("risk", "kill").code == 2
    assert json.loads(sniper("risk", "status", "--json").stdout)["kill_switch"] == "not tripped"

    assert sniper("risk", "kill", "--reason", "a drill", "--yes").code == 0

    refused = sniper(*BUY, "--budget", "1000", "--yes")
    assert (refused.code, "a drill" in refused.stderr) == (6, True)
    tail = json.loads(sniper("position", "list", "--json").stdout)[0]["id"][-12:]
    assert sniper("position", "close", tail, "--yes").code == 0
    assert sniper("risk", "resume", "--reason", "it was a drill", "--yes").code == 0
    assert sniper(*BUY, "--budget", "1000", "--yes").code == 0


def test_explain_tells_an_order_from_its_checks_to_its_records(sniper: Run) -> None:
    sniper(*BUY, "--budget", "100", "--client-id", "mine", "--yes")

    told = sniper("explain", "mine").stdout
    story = json.loads(sniper("explain", "mine", "--json").stdout)

    for words in ("✓ funds", "fill got", "lot 0.", "order.recorded", "order.filled"):
        assert words in told
    assert story["kind"] == "order"
    assert {"check", "fill", "position", "record"} <= {chapter["kind"] for chapter in story["chapters"]}


def test_a_paper_account_reconciles_with_itself(sniper: Run) -> None:
    sniper(*BUY, "--budget", "100", "--yes")

    done = sniper("position", "reconcile", "--json")

    assert done.code == 0
    assert {line["difference"] for line in json.loads(done.stdout)} == {"0"}


def test_a_live_profile_asks_for_live(sniper: Run) -> None:
    sniper("profile", "create", "real", "--set", "mode=live")
    done = sniper(*BUY, "--budget", "1", "--yes", "--profile", "real")
    assert done.code == 4
    assert "--live" in done.stderr
