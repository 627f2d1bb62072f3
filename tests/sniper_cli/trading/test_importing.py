"""A file of orders: what its lines mean, and what is wrong with those that mean nothing, with line and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.errors import OrderRefused, PartlyDone, SniperError, UsageProblem
from sniper_cli.trading.importing import Imported, Line, raise_unless_all, read_lines, template


def lines(text: str) -> list[Line]:
    return list(read_lines(text, "orders"))


def test_csv_and_json_lines_say_the_same() -> None:
    csv = lines("side,instrument,budget,post_only,times\nbuy,BTC/USDT,250,yes,3\n")
    json = lines('{"side":"buy","instrument":"BTC/USDT","budget":250,"post-only":true,"times":3}\n')
    assert csv[0].request == json[0].request
    assert csv[0].request is not None
    assert (csv[0].request.budget, csv[0].request.post_only, csv[0].request.times) == ("250", True, 3)


def test_numbers_in_json_are_never_floats() -> None:
    (line,) = lines('{"side":"buy","instrument":"X","quantity":0.1000000000000000055511151231257827}')
    assert line.request is not None
    assert line.request.quantity == "0.1000000000000000055511151231257827"


def test_comments_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    found = lines("# mine\n\nside,instrument,quantity\n# one\nbuy,A,1\n\nsell,B,2\n")
    assert [(line.number, line.request and line.request.side) for line in found] == [(5, "buy"), (7, "sell")]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_file_as_a_spreadsheet_writes_it_elsewhere(delimiter: str) -> None:
    text = "side,instrument,quantity\nbuy,A,1\n".replace(",", delimiter)
    assert lines(text)[0].request is not None


def test_quoted_cells_may_hold_commas() -> None:
    (line,) = lines('side,instrument,client_id,quantity\nbuy,A,"one, two",1\n')
    assert line.request is not None
    assert line.request.client_id == "one, two"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "side,instrument,quantitty\n",
            "orders:1:17: there is no column 'quantitty'; did you mean 'quantity'?",
        ),
        ("# x\nside,side\n", "orders:2:6: the column 'side' stands there twice"),
        ("side,quantity\n", "orders:1:1: the header has no column 'instrument'"),
        ("", "orders has no orders in it"),
        ("# only words\n", "orders has no orders in it"),
        ("[{]", "orders:1:3: "),
    ],
)
def test_a_header_that_is_wrong_is_told_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        lines(text)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("side,instrument\nbuy\n", "orders:2: 1 cells under 2 columns"),
        ("side,instrument,times\nbuy,A,many\n", "orders:2: times is a whole number, not 'many'"),
        ("side,instrument,post_only\nbuy,A,perhaps\n", "orders:2: post_only is yes or no, not 'perhaps'"),
        ('{"side":"buy",}\n', "orders:1:15: "),
        (
            '{"side":"buy","instrumnt":"A"}\n',
            "orders:1: there is no field 'instrumnt'; did you mean 'instrument'?",
        ),
        ('{}\n["x"]\n', "orders:2: an order is an object"),
    ],
)
def test_a_line_that_is_wrong_is_told_and_spoils_no_other(text: str, said: str) -> None:
    problems = [line.problem.message for line in lines(text) if line.problem is not None]
    assert len(problems) == 1
    assert problems[0].startswith(said)


@given(st.text(max_size=80))
def test_whatever_is_in_a_file_it_is_lines_or_an_error_of_ours(text: str) -> None:
    try:
        found = lines(text)
    except SniperError:
        found = []
    assert all((line.request is None) != (line.problem is None) for line in found)


def test_some_lines_that_were_not_taken_make_it_partly_done() -> None:
    results = [Imported(2, state="filled"), Imported(3, message="no such instrument")]
    with pytest.raises(PartlyDone, match="1 of 2 lines were taken; line 3: no such instrument"):
        raise_unless_all(results)


@pytest.mark.parametrize(("state", "error"), [("invalid", UsageProblem), ("refused", OrderRefused)])
def test_where_no_line_was_taken_the_reason_is_the_error(state: str, error: type[SniperError]) -> None:
    with pytest.raises(error, match="no line was taken"):
        raise_unless_all([Imported(2, state=state, message="why")])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_template_with_its_examples_taken_in_can_be_read(form: str) -> None:
    text = "\n".join(
        line.removeprefix("# ") if line.startswith(("# buy", "# sell", '# {"')) else line
        for line in template(form)
    )
    found = lines(text)
    assert len(found) == 3
    assert all(line.request is not None for line in found)
