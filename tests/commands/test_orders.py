"""Orders as people type them: brackets, pairs, ladders, changes, many at once, files — and the mistakes they make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

BUY = ("order", "place", "buy", "BTC/USDT")


@pytest.fixture
def sniper(sniper_set_up: Run) -> Run:
    """In this process, with a home that has been set up."""
    return sniper_set_up


def told(done: Any) -> Any:
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def orders(sniper: Run, *words: str) -> dict[str, dict[str, Any]]:
    return {row["client_order_id"]: row for row in told(sniper("order", "list", "--all", "--json", *words))}


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("byu", "BTC/USDT", "--quantity", "1"), "did you mean 'buy'", "sniper order place buy"),
        (("BTC/USDT", "buy", "--quantity", "1"), "the side comes first", "sniper order place buy BTC/USDT"),
        (("buy", "BTC/USDT", "--quantity", "1,5"), "a comma parts thousands", "--quantity 1.5"),
        (("buy", "BTC/USDT", "--quantity", "100USDT"), "is what to spend", "--budget 100"),
        (("buy", "BTC/USDT", "--quantity", "-1"), "must be above zero, not -1", "sniper order place --help"),
        (("buy", "BTC/USDT"), "how much?", "--quantity AMOUNT"),
        (("sell", "BTC/USDT", "--budget", "100"), "a sale says how much to sell", "--quantity AMOUNT"),
        (("buy", "BTC/USDT", "--quantity", "1", "--type", "limt"), "did you mean 'limit'", "one of: market"),
        (
            ("buy", "BTC/USDT", "--quantity", "0.01", "--price", "9999999"),
            "looks like a slip",
            "leave --price out",
        ),
        (
            ("buy", "ETH/USDT", "--quantity", "1", "--take-profit", "1", "--stop-loss", "99999"),
            "were --take-profit and --stop-loss swapped",
            "sniper order place --help",
        ),
        (
            ("buy", "ETH/USDT", "--quantity", "1", "--price", "9", "--expires", "yesterday"),
            "is no time",
            "write 90s",
        ),
    ],
)
def test_a_mistake_ends_with_2_and_what_to_type_instead(
    sniper: Run, words: tuple[str, ...], said: str, hint: str
) -> None:
    done = sniper("order", "place", *words, "--yes")

    assert done.code == 2
    assert said in done.stderr
    assert hint in done.stderr.partition("hint:")[2]
    assert orders(sniper) == {}


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("--quantity", "0.00015"), "the nearest is 0.0001 BTC", "--round"),
        (("--quantity", "0.01", "--price", "80000.005"), "the nearest is 80000", "--round"),
        (("--quantity", "5000"), "at most 5000000", "--budget 5000"),
        (
            ("--quantity", "0.01", "--type", "stop", "--trigger", "60000"),
            "beyond 60000 already",
            "--type take-profit",
        ),
        (("--quantity", "0.01", "--post-only"), "a market order never rests", "sniper explain"),
    ],
)
def test_what_does_not_fit_is_refused_with_6_and_the_nearest_that_does(
    sniper: Run, words: tuple[str, ...], said: str, hint: str
) -> None:
    done = sniper(*BUY, *words, "--yes")

    assert (done.code, said in done.stderr) == (6, True), done.stderr
    assert hint in done.stderr.partition("hint:")[2]


def test_rounding_happens_only_where_it_is_asked_for_and_is_told(sniper: Run) -> None:
    done = sniper(*BUY, "--quantity", "0.00015", "--round", "--yes", "--json")

    assert told(done)["quantity"] == "0.0001"
    assert "--quantity 0.00015 was rounded to 0.0001" in done.stderr


def test_a_bracket_is_placed_shown_and_closed_with_its_position(sniper: Run) -> None:
    placed = told(
        sniper(
            *BUY,
            "--budget",
            "1000",
            "--take-profit",
            "5%",
            "--stop-loss",
            "3%",
            "--client-id",
            "b",
            "--yes",
            "--json",
        )
    )
    assert [(leg["type"], leg["state"]) for leg in placed["legs"]] == [("limit", "open"), ("stop", "open")]

    shown = told(sniper("order", "show", "b", "--json"))
    assert [(each["relation"], each["client_order_id"]) for each in shown["family"]] == [
        ("child", "b/tp"),
        ("child", "b/sl"),
    ]
    assert {"child"} <= {chapter["kind"] for chapter in told(sniper("explain", "b", "--json"))["chapters"]}

    tail = told(sniper("position", "list", "--json"))[0]["id"][-12:]
    dry = told(sniper("position", "close", tail, "--dry-run", "--json"))
    assert (dry["cancelled"], dry["left"], dry["dry_run"]) == (2, "0", True)
    closed = told(sniper("position", "close", tail, "--yes", "--json"))
    assert (closed["state"], closed["cancelled"], closed["left"]) == ("filled", 2, "0")
    assert {row["state"] for name, row in orders(sniper).items() if name in ("b/tp", "b/sl")} == {"cancelled"}


def test_the_question_names_the_exits(sniper: Run) -> None:
    done = sniper(
        "order", "place", "buy", "SOL/USDT", "--budget", "500", "--take-profit", "5%", "--stop-loss", "3%"
    )

    assert done.code == 2
    assert re.search(
        r"Buy for 500 USDT of SOL/USDT on paper, take profit at [\d.]+, stop loss at [\d.]+", done.stderr
    )


def test_a_part_of_a_position_is_closed(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.05", "--yes")
    tail = told(sniper("position", "list", "--json"))[0]["id"][-12:]

    closed = told(sniper("position", "close", tail, "--quantity", "0.02", "--yes", "--json"))
    assert (closed["quantity"], closed["left"]) == ("0.02", "0.03")

    too_much = sniper("position", "close", tail, "--quantity", "1", "--yes")
    assert (too_much.code, "0.03 BTC is held" in too_much.stderr) == (6, True)


def test_flatten_says_how_many_and_leaves_nothing(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.05", "--yes")
    sniper("order", "place", "buy", "ETH/USDT", "--quantity", "1", "--yes")
    sniper("order", "place", "buy", "ETH/USDT", "--quantity", "1", "--price", "900", "--yes")

    asked = sniper("position", "flatten")
    assert (asked.code, "Cancel 1 order and close 2 positions" in asked.stderr) == (2, True)
    dry = told(sniper("position", "flatten", "--dry-run", "--json"))
    assert [row["left"] for row in dry] == ["0", "0"]
    assert len(told(sniper("position", "list", "--json"))) == 2

    flat = told(sniper("position", "flatten", "--yes", "--json"))
    assert {row["state"] for row in flat} == {"filled"}
    assert told(sniper("position", "list", "--json")) == []
    assert orders(sniper, "--open") == {}
    assert told(sniper("position", "flatten", "--yes", "--json")) == []


def test_slices_are_a_family_that_is_cancelled_together(sniper: Run) -> None:
    sniper(
        "order",
        "place",
        "buy",
        "ETH/USDT",
        "--budget",
        "90",
        "--times",
        "3",
        "--every",
        "1h",
        "--client-id",
        "t",
        "--yes",
    )
    assert {name: row["state"] for name, row in orders(sniper).items()} == {
        "t": "held",
        "t/1": "filled",
        "t/2": "held",
        "t/3": "held",
    }
    assert set(orders(sniper, "--parent", "t")) == {"t/1", "t/2", "t/3"}
    assert orders(sniper)["t/2"]["waits_for"].endswith("Z")

    ended = told(sniper("order", "cancel", "t", "--yes", "--json"))

    assert ended["state"] == "cancelled"
    assert {name: row["state"] for name, row in orders(sniper).items()} == {
        "t": "cancelled",
        "t/1": "filled",
        "t/2": "cancelled",
        "t/3": "cancelled",
    }


def test_an_order_comes_after_another(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.01", "--price", "70000", "--client-id", "first", "--yes")
    then = told(
        sniper("order", "place", "buy", "ETH/USDT", "--quantity", "1", "--after", "first", "--yes", "--json")
    )
    assert (then["state"], "to be filled" in then["waits_for"]) == ("held", True)

    sniper("order", "cancel", "first", "--yes")

    assert {row["state"] for row in orders(sniper).values()} == {"cancelled"}
    late = sniper("order", "place", "buy", "ETH/USDT", "--quantity", "1", "--after", "first", "--yes")
    assert (late.code, "nothing can come after it" in late.stderr) == (6, True)


def test_an_order_is_changed_rehearsed_first(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.1", "--price", "70000", "--client-id", "a", "--yes")

    dry = told(sniper("order", "amend", "a", "--price", "69000", "--dry-run", "--json"))
    assert (dry["limit_price"], dry["before"], dry["dry_run"]) == ("69000", {"limit_price": "70000"}, True)
    assert orders(sniper)["a"]["limit_price"] == "70000"

    changed = told(sniper("order", "amend", "a", "--quantity", "0.05", "--yes", "--json"))
    assert (changed["quantity"], changed["before"], changed["keeps_place"]) == (
        "0.05",
        {"quantity": "0.1"},
        True,
    )

    asked = sniper("order", "amend", "a", "--price", "69000")
    assert (asked.code, "price 69000, queues up anew" in asked.stderr) == (2, True)
    assert sniper("order", "amend", "a", "--trail", "2%", "--yes").code == 6
    assert sniper("order", "amend", "a").code == 2


def test_orders_are_cancelled_by_filter_and_counted_first(sniper: Run) -> None:
    for name, instrument, price in (
        ("x", "BTC/USDT", "70000"),
        ("y", "BTC/USDT", "60000"),
        ("z", "ETH/USDT", "900"),
    ):
        sniper(
            "order",
            "place",
            "buy",
            instrument,
            "--quantity",
            "0.1",
            "--price",
            price,
            "--client-id",
            name,
            "--yes",
        )

    asked = sniper("order", "cancel-all", "--instrument", "btc")
    assert (asked.code, "Cancel 2 orders?" in asked.stderr) == (2, True)
    assert len(told(sniper("order", "cancel-all", "--older-than", "1h", "--dry-run", "--json"))) == 0
    assert len(told(sniper("order", "cancel-all", "--instrument", "btc", "--dry-run", "--json"))) == 2
    assert {row["state"] for row in orders(sniper).values()} == {"open"}

    ended = told(sniper("order", "cancel-all", "--instrument", "btc", "--yes", "--json"))
    assert {row["client_order_id"]: row["state"] for row in ended} == {"x": "cancelled", "y": "cancelled"}
    assert set(orders(sniper, "--open")) == {"z"}
    assert told(sniper("order", "cancel-all", "--side", "sell", "--yes", "--json")) == []


def test_orders_are_listed_by_what_they_are(sniper: Run) -> None:
    sniper(*BUY, "--budget", "100", "--client-id", "m", "--strategy", "s", "--yes")
    sniper(
        "order",
        "place",
        "sell",
        "BTC/USDT",
        "--quantity",
        "0.001",
        "--price",
        "99000",
        "--client-id",
        "l",
        "--yes",
    )

    assert set(orders(sniper, "--strategy", "s")) == {"m"}
    assert set(orders(sniper, "--side", "sell")) == {"l"}
    assert set(orders(sniper, "--type", "limit")) == {"l"}
    assert set(orders(sniper, "--open")) == {"l"}
    assert sniper("order", "list", "--instrument", "BCT").code == 7


def test_watching_in_a_pipe_gives_a_line_for_each_order(sniper: Run) -> None:
    sniper(*BUY, "--quantity", "0.01", "--price", "70000", "--client-id", "a", "--yes")

    done = sniper("order", "watch", "--count", "2", "--every", "0.1", "--fields", "client_order_id,state")

    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"client_order_id": "a", "state": "open"}
    ]


LINES = """\
# two that are taken, two that are not
side,instrument,quantity,budget,price
buy,BTC/USDT,0.01,,70000
buy,NOPE,1,,
sell,BTC/USDT,5,,
buy,ETH/USDT,,100,
"""


def test_a_file_has_a_result_for_each_line_and_is_not_placed_twice(sniper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(LINES)

    dry = sniper("order", "import", str(file), "--dry-run", "--json")
    assert (dry.code, orders(sniper)) == (8, {})
    first = sniper("order", "import", str(file), "--yes", "--json")
    assert first.code == 8
    assert [(row["line"], row["state"]) for row in json.loads(first.stdout)] == [
        (3, "open"),
        (4, "invalid"),
        (5, "refused"),
        (6, "filled"),
    ]
    assert "line 4: there is no instrument 'NOPE' on paper" in first.stderr

    file.write_text(LINES.replace("buy,NOPE,1,,\n", "buy,SOL/USDT,1,,\n").replace("sell,BTC/USDT,5,,\n", ""))
    again = told(sniper("order", "import", str(file), "--yes", "--json"))

    assert [(row["state"], row["replayed"]) for row in again] == [
        ("open", True),
        ("filled", False),
        ("filled", True),
    ]
    assert len(orders(sniper)) == 4  # three taken, one refused


def test_another_batch_places_the_same_lines_anew(sniper: Run) -> None:
    line = '{"side": "buy", "instrument": "BTC/USDT", "budget": 100}\n'
    for batch in ("monday", "tuesday"):
        assert not told(sniper("order", "import", "-", "--batch", batch, "--yes", "--json", stdin=line))[0][
            "replayed"
        ]
    assert len(orders(sniper)) == 2


def test_together_means_all_lines_or_none(sniper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(LINES)

    done = sniper("order", "import", str(file), "--together", "--yes", "--json")

    assert (done.code, orders(sniper)) == (8, {})


def test_a_file_that_cannot_be_read_is_told_with_its_place(sniper: Run, tmp_path: Path) -> None:
    wrong = sniper("order", "import", "-", "--yes", stdin="side,instrument,quantitty\n")
    assert (wrong.code, "stdin:1:17: there is no column 'quantitty'" in wrong.stderr) == (2, True)
    assert sniper("order", "import", str(tmp_path / "none.csv"), "--yes").code == 7
    (tmp_path / "latin").write_bytes("side,instrument\nbuy,É\n".encode("latin-1"))
    latin = sniper("order", "import", str(tmp_path / "latin"), "--yes")
    assert (latin.code, ":2:5: this is no UTF-8 text" in latin.stderr) == (2, True)


def test_a_family_stands_in_one_line_of_a_file(sniper: Run) -> None:
    line = '{"side":"buy","instrument":"SOL/USDT","budget":"100","take-profit":"5%","stop-loss":"3%","client_id":"f"}'

    (row,) = told(sniper("order", "import", "-", "--yes", "--json", stdin=line))

    assert (row["orders"], set(orders(sniper))) == (3, {"f", "f/tp", "f/sl"})


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_template_is_an_empty_file_that_explains_itself(sniper: Run, form: str) -> None:
    text = sniper("order", "template", "--format", form).stdout
    assert text.startswith("# Orders for `sniper order import FILE`")
    assert "# quantity: how much of the base asset" in text
    assert sniper("order", "import", "-", "--yes", stdin=text).code == 2
