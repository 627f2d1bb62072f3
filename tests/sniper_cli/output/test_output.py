"""Values are spelled exactly, tables fit, and no figure is ever cut."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.errors import ConfirmationNeeded, UsageProblem
from sniper_cli.moments import parse_duration, parse_moment
from sniper_cli.output import Column, Format, confirm, cut, emit
from sniper_cli.output.formats import plain
from sniper_cli.output.table import display_width, table_lines

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


class Word(StrEnum):
    YES = "yes"


COLUMNS = (
    Column("id", priority=0),
    Column("size", right=True, priority=0),
    Column("note", elastic=True, priority=1),
    Column("extra", priority=5),
)
ROWS = [{"id": "a", "size": Decimal("123456789.000000000000000001"), "note": "words " * 10, "extra": "more"}]


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (Decimal("1E-18"), "0.000000000000000001"),
        (Decimal(100), "100"),
        (2**53 - 1, 2**53 - 1),
        (10**18, "1000000000000000000"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00.000000Z"),
        (timedelta(milliseconds=1500), "1.5"),
        (Word.YES, "yes"),
        (None, None),
        (True, True),
        ({"a": [Decimal("1.10")]}, {"a": ["1.10"]}),
    ],
)
def test_a_value_has_one_spelling(value: object, spelled: object) -> None:
    assert plain(value) == spelled


def test_an_exact_column_is_always_text(capsys: pytest.CaptureFixture[str]) -> None:
    emit([{"wei": 5}], columns=(Column("wei", exact=True),), fmt=Format.JSON)

    assert json.loads(capsys.readouterr().out) == [{"wei": "5"}]


@given(width=st.integers(20, 120), note=st.text(max_size=60))
def test_a_table_fits_and_keeps_its_figures(width: int, note: str) -> None:
    lines = table_lines([{**ROWS[0], "note": note}], COLUMNS, width)

    assert "123456789.000000000000000001" in lines[2]
    if width >= 45:
        assert all(display_width(line) <= width for line in lines)


def test_the_least_important_column_goes_first() -> None:
    assert "extra" in table_lines(ROWS, COLUMNS, 200)[0]
    assert "extra" not in table_lines(ROWS, COLUMNS, 48)[0]
    assert "note" in table_lines(ROWS, COLUMNS, 48)[0]


def test_a_pipe_gets_everything() -> None:
    assert "words " * 9 in table_lines(ROWS, COLUMNS, None)[2]


def test_a_strangers_escape_codes_do_not_reach_the_terminal() -> None:
    lines = table_lines([{**ROWS[0], "note": "\x1b]0;title\x07"}], COLUMNS, None)

    assert "\x1b" not in "".join(lines)


def test_one_record_is_an_object_and_a_list_is_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"id": 1}, columns=COLUMNS[:1], fmt=Format.JSON)
    assert json.loads(capsys.readouterr().out) == {"id": 1}
    emit([], columns=COLUMNS, fmt=Format.JSON)
    assert capsys.readouterr().out == "[]\n"
    emit([], columns=COLUMNS, fmt=Format.CSV)
    assert capsys.readouterr().out == "id,size,note,extra\n"
    emit([], columns=COLUMNS, fmt=Format.TABLE)
    assert capsys.readouterr() == ("", "nothing to show\n")


def test_an_unknown_field_is_refused_even_for_an_empty_list() -> None:
    with pytest.raises(UsageProblem, match="did you mean 'size'"):
        emit([], columns=COLUMNS, fields="siz")


def test_a_cut_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cut(iter(range(10)), limit=3, cursor=lambda row: row) == [0, 1, 2]
    assert "--after 2" in capsys.readouterr().err
    assert cut(range(3), limit=3) == [0, 1, 2]
    assert cut(range(10), limit=3, everything=True) == list(range(10))
    assert capsys.readouterr().err == ""


def test_nobody_to_ask_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(ConfirmationNeeded):
        confirm("Really?", yes=False)
    confirm("Really?", yes=True)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("now-1d", NOW - timedelta(days=1)),
        ("now", NOW),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T12:30+01:00", datetime(2026, 1, 1, 11, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_understood(text: str, moment: datetime) -> None:
    assert parse_moment(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "-1h", "99999999999999w"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem):
        parse_moment(text)


def test_a_duration_is_understood() -> None:
    assert parse_duration("60s") == parse_duration("1m") == parse_duration("60") == timedelta(seconds=60)
    with pytest.raises(UsageProblem):
        parse_duration("now-1h")
