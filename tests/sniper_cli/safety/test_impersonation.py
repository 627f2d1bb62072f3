"""Names are compared as the eye sees them."""

import pytest

from sniper_cli.safety.impersonation import judge_metadata, skeleton
from sniper_cli.safety.report import Outcome


@pytest.mark.parametrize(
    "symbol",
    ["USDT", "usdt", "U\u200bSDT", "USD\u0422", "\uff35\uff33\uff24\uff34", "U$DT", "U5DT", "U S D T"],
)
def test_what_looks_like_usdt_passes_for_it(symbol: str) -> None:
    [line, _] = judge_metadata(symbol, "Something", 18)
    assert (line.outcome, line.figure) == (Outcome.FAIL, "USDT")


def test_a_name_in_greek_letters_passes_for_the_latin_one() -> None:
    assert skeleton("\u03a4ether \u03a5SD") == skeleton("Tether YSD")
    [line, _] = judge_metadata("TUS", "\u03a4ether USD", 18)
    assert line.figure == "USDT"


def test_invisible_characters_are_told_whatever_the_name() -> None:
    [line, _] = judge_metadata("FROG", "Frog", 18, raw="Fr\u200dogFROG")
    assert line.outcome is Outcome.FAIL
    assert "invisible" in line.detail


def test_an_ordinary_name_passes() -> None:
    lines = judge_metadata("FROG", "Frog Coin", 9, raw="Frog CoinFROG")
    assert {line.outcome for line in lines} == {Outcome.PASS}


@pytest.mark.parametrize("decimals", [None, 0, 77])
def test_unusual_decimals_are_not_proven(decimals: int | None) -> None:
    [_, line] = judge_metadata("FROG", "Frog", decimals)
    assert line.outcome is Outcome.NOT_PROVEN
