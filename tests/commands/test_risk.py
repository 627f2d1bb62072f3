"""sniper risk, as somebody types it: limits, what-ifs, sizes, the switch and its scopes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from commands import risk_limits, risk_size
from sniper_cli.risk.methods import METHODS
from state.limits import OnBreach

Run = Callable[..., Any]
BUY = ("order", "place", "buy", "BTC/USDT")


@pytest.fixture
def sniper(sniper_set_up: Run) -> Run:
    """In this process, with a home that has been set up and an account that has traded."""
    assert sniper_set_up(*BUY, "--budget", "1000", "--yes").code == 0
    return sniper_set_up


def told(ran: Any) -> Any:
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_words_of_the_command_line_are_those_of_the_program() -> None:
    assert [one.value for one in risk_limits.OnBreach] == [one.value for one in OnBreach]
    assert {one.value for one in risk_size.Method} == set(METHODS)


def test_a_limit_is_set_listed_used_and_removed(sniper: Run) -> None:
    found = told(sniper("risk", "limits", "set", "order_notional", "500", "--yes", "--json"))
    assert (found["value"], found["unit"], found["set_to"], found["version"]) == (
        "500",
        "USDT",
        "500 USDT",
        1,
    )
    assert [one["name"] for one in told(sniper("risk", "limits", "list", "--json"))] == ["order_notional"]

    refused = sniper(*BUY, "--budget", "600", "--yes", "--json")
    error = json.loads(refused.stderr)["error"]
    assert (refused.code, error["code"]) == (6, "order_refused")
    assert [check["name"] for check in error["details"]["checks"]] == ["order_notional"]
    assert error["details"]["checks"][0]["figures"]["limit"] == "500000000"

    gone = told(sniper("risk", "limits", "remove", "order_notional", "--yes", "--json"))
    assert gone["previous"] == "500 USDT"
    assert told(sniper("risk", "limits", "list", "--json")) == []
    assert sniper(*BUY, "--budget", "600", "--yes").code == 0


def test_without_a_terminal_and_without_yes_no_limit_is_changed(sniper: Run) -> None:
    done = sniper("risk", "limits", "set", "order_notional", "500")
    assert done.code == 2
    assert "Limit order_notional of account paper to 500 USDT?" in done.stderr
    assert told(sniper("risk", "limits", "list", "--json")) == []


def test_a_dry_run_of_a_limit_changes_nothing(sniper: Run) -> None:
    found = told(
        sniper("risk", "limits", "set", "drawdown", "10%", "--on-breach", "trip", "--dry-run", "--json")
    )
    assert (found["dry_run"], found["on_breach"]) == (True, "trip")
    assert told(sniper("risk", "limits", "list", "--json")) == []


def test_a_limit_that_somebody_changed_meanwhile_ends_with_9(sniper: Run) -> None:
    sniper("risk", "limits", "set", "open_orders", "5", "--yes")
    done = sniper("risk", "limits", "set", "open_orders", "6", "--if-version", "0", "--yes", "--json")
    assert done.code == 9
    assert json.loads(done.stderr)["error"]["code"] == "changed_meanwhile"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "order_notinal", "5"), 2, "did you mean 'order_notional'"),
        (("set", "collar", "10"), 2, "a share: 10% or 1000bps"),
        (("set", "order_notional", "5", "--instrument", "BTC/USD"), 7, "did you mean"),
        (("set", "order_notional", "5", "--account", "nobody"), 7, "accounts: paper"),
        (("set", "losing_streak", "3", "--cooldown", "soon"), 2, "is no duration"),
        (("remove", "drawdown"), 7, "there is no limit drawdown"),
    ],
)
def test_what_does_not_fit_says_what_would(sniper: Run, words: tuple[str, ...], code: int, said: str) -> None:
    done = sniper("risk", "limits", *words, "--yes")
    assert (done.code, said in done.stderr) == (code, True), done.stderr
    assert "hint:" in done.stderr


def test_the_kinds_of_limits_are_told(sniper: Run) -> None:
    found = {one["name"]: one for one in told(sniper("risk", "limits", "kinds", "--json"))}
    assert found["drawdown"]["scopes"] == ["tenant", "account"]
    assert found["order_quantity"]["unit"] == "base"


def test_status_shows_limits_as_bars_and_as_figures(sniper: Run) -> None:
    sniper("risk", "limits", "set", "gross_exposure", "2000", "--yes")
    sniper("risk", "limits", "set", "open_orders", "4", "--yes")
    found = told(sniper("risk", "status", "--json"))
    limits = {one["name"]: one for one in found["limits"]}
    assert (found["account"], found["kill_switch"], found["breaches"]) == ("paper", "not tripped", [])
    assert 900 < float(limits["gross_exposure"]["value"]) < 1000
    assert limits["gross_exposure"]["limit"] == "2000"
    assert limits["open_orders"]["share_pct"] == "0"
    assert limits["collar"]["scope"] == "default"
    table = sniper("risk", "status").stdout
    assert "gross_exposure (account)  ██████████░░░░░░░░░░" in table
    assert "each order            at most 10%" in table


def test_a_limit_that_is_over_shows_as_a_breach(sniper: Run) -> None:
    sniper("risk", "limits", "set", "gross_exposure", "100", "--yes")
    assert told(sniper("risk", "status", "--json"))["breaches"] == ["gross_exposure"]
    assert "✗ over" in sniper("risk", "status").stdout


def test_status_of_an_account_that_is_not_opened_is_no_error(sniper_set_up: Run) -> None:
    sniper_set_up("profile", "create", "second")
    found = told(sniper_set_up("risk", "status", "--json", "-p", "second"))
    assert (found["account"], found["limits"], found["equity"]) == ("second", [], "0")
    assert sniper_set_up("risk", "status", "--account", "nobody").code == 7


def test_check_tells_every_check_and_writes_nothing(sniper: Run) -> None:
    sniper("risk", "limits", "set", "order_notional", "500", "--yes")
    passing = told(sniper("risk", "check", "buy", "BTC/USDT", "--budget", "400", "--json"))
    assert {one["passed"] for one in passing} == {True}
    assert {one["name"]: one["limit"] for one in passing}["order_notional"] == "500000000"

    failing = sniper("risk", "check", "buy", "BTC/USDT", "--budget", "999999999", "--json")
    assert failing.code == 6
    names = {one["name"] for one in json.loads(failing.stdout) if not one["passed"]}
    assert {"order_notional", "funds"} <= names
    assert "the order would be refused" in failing.stderr
    assert len(told(sniper("order", "list", "--json"))) == 1


def test_a_size_can_be_placed_as_it_is_told(sniper: Run) -> None:
    found = told(sniper("risk", "size", "ETH/USDT", "--method", "fixed", "--notional", "500", "--json"))
    assert found["refusals"] == []
    assert sniper(*found["command"].split()[1:], "--yes").code == 0


def test_a_size_that_may_not_be_ends_with_6(sniper: Run) -> None:
    words = ("risk", "size", "BTC/USDT", "--method", "kelly", "--win-rate", "40%", "--win-multiple", "1")
    done = sniper(*words, "--json")
    assert done.code == 6
    assert json.loads(done.stdout)["quantity"] == "0"
    assert "no stake would grow" in done.stderr


def test_kill_says_its_numbers_first_then_does_it(sniper: Run) -> None:
    low = ("--type", "limit", "--price", "10000", "--yes")
    sniper(*BUY, "--quantity", "0.01", *low)
    foreseen = told(sniper("risk", "kill", "--flatten", "--dry-run", "--json"))
    assert (foreseen["scope"], foreseen["orders"], foreseen["positions"], foreseen["dry_run"]) == (
        "global",
        1,
        1,
        True,
    )
    assert told(sniper("risk", "status", "--json"))["kill_switch"] == "not tripped"

    asked = sniper("risk", "kill", "--flatten")
    assert asked.code == 2
    assert (
        "on every account of this database, cancels 1 order, closes 1 position at the market." in asked.stderr
    )

    done = told(sniper("risk", "kill", "--flatten", "--reason", "a drill", "--yes", "--json"))
    assert (done["kill_switch"], done["orders"], done["positions"], done["troubles"]) == ("tripped", 1, 1, [])
    assert told(sniper("position", "list", "--json")) == []
    assert sniper(*BUY, "--budget", "100", "--yes").code == 6


def test_kill_may_keep_orders_or_exits(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.01", "--type", "limit", "--price", "10000", "--yes")
    done = told(sniper("risk", "kill", "--keep-orders", "--yes", "--json"))
    assert (done["resting"], done["orders"]) == ("keep", 0)
    assert [one["state"] for one in told(sniper("order", "list", "--state", "open", "--json"))] == ["open"]
    done = told(sniper("risk", "kill", "--keep-exits", "--yes", "--json"))
    assert (done["resting"], done["orders"]) == ("keep_exits", 1)
    assert sniper("risk", "kill", "--keep-orders", "--flatten", "--yes").code == 2


def test_a_strategy_is_stopped_and_let_go_alone(sniper: Run) -> None:
    assert told(sniper("risk", "kill", "--strategy", "grid", "--yes", "--json"))["scope"] == "strategy:grid"
    checked = ("risk", "check", "buy", "BTC/USDT", "--budget", "100")
    assert sniper(*checked, "--strategy", "grid").code == 6
    assert sniper(*checked).code == 0
    assert told(sniper("risk", "status", "--json"))["switches"][0]["scope"] == "strategy:grid"
    other = sniper("risk", "resume", "--reason", "fine again", "--yes")
    assert (other.code, "tripped: strategy:grid" in other.stderr) == (7, True)
    done = told(
        sniper(
            "risk", "resume", "--strategy", "grid", "--reason", "fine again", "--by", "ada", "--yes", "--json"
        )
    )
    assert (done["kill_switch"], done["by"]) == ("not tripped", "user:ada")
    assert sniper(*checked, "--strategy", "grid").code == 0


@pytest.mark.parametrize("whom", [("--account", "paper"), ("--tenant", "main")])
def test_an_account_and_a_tenant_are_stopped(sniper: Run, whom: tuple[str, str]) -> None:
    assert sniper("risk", "kill", *whom, "--yes").code == 0
    assert sniper(*BUY, "--budget", "100", "--yes").code == 6
    assert told(sniper("risk", "status", "--json"))["kill_switch"] == "tripped"
    assert sniper("risk", "resume", *whom, "--reason", "over", "--yes").code == 0
    assert sniper(*BUY, "--budget", "100", "--yes").code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("kill", "--account", "nobody", "--yes"), 7, "no account 'nobody'"),
        (("kill", "--tenant", "nobody", "--yes"), 7, "tenants: main"),
        (("kill", "--tenant", "main", "--strategy", "grid", "--yes"), 2, "two scopes"),
        (("resume", "--yes"), 2, "say why trading may go on"),
        (("resume", "--reason", "x", "--yes"), 7, "no kill switch is tripped on global"),
    ],
)
def test_what_cannot_be_stopped_or_resumed(sniper: Run, words: tuple[str, ...], code: int, said: str) -> None:
    done = sniper("risk", *words)
    assert (done.code, said in done.stderr) == (code, True), done.stderr


def test_closing_live_positions_needs_live(sniper: Run) -> None:
    sniper("profile", "create", "real", "--set", "mode=live")
    done = sniper("risk", "kill", "--flatten", "--yes", "-p", "real")
    assert (done.code, "--live" in done.stderr) == (4, True)
    assert sniper("risk", "kill", "--reason", "stop it", "--yes", "-p", "real").code == 0
    assert told(sniper("risk", "status", "--json"))["reason"] == "stop it"
