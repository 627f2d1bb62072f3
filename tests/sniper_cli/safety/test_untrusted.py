"""What a stranger's contract calls itself reaches the terminal as one short line of visible characters."""

import unicodedata

from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.safety.untrusted import (
    INVISIBLE,
    NAME_LENGTH,
    SYMBOL_LENGTH,
    plain,
    read_metadata,
    string_in,
    text_of,
)


@given(st.binary(max_size=400))
def test_no_bytes_whatever_break_the_reading_or_the_line(data: bytes) -> None:
    metadata = read_metadata(data, data, data, data)
    for text, limit in ((metadata.name, NAME_LENGTH), (metadata.symbol, SYMBOL_LENGTH)):
        assert len(text) <= limit
        assert not {unicodedata.category(character) for character in text} & INVISIBLE


@given(st.text(max_size=200))
def test_a_proper_string_is_read_as_any_decoder_reads_it(text: str) -> None:
    assert string_in(encode(["string"], [text])) == text.encode()


def test_ordinary_names_pass_unchanged() -> None:
    assert text_of(encode(["string"], ["Ordinary Token №1 – 令牌"]), NAME_LENGTH) == (
        "Ordinary Token №1 – 令牌",
        None,
    )


def test_escape_sequences_lose_their_escape() -> None:
    assert plain("\x1b]0;owned\x07\x1b[2Jname\r\nline", 64) == "]0;owned[2Jname line"


def test_writing_direction_cannot_be_turned() -> None:
    assert plain("USD\u202eTES\u2066\u200b", 64) == "USDTES"


def test_stacked_accents_are_cut_down() -> None:
    assert plain("Z" + "\u0301" * 50 + "a", 64) == "Z\u0301\u0301a"


def test_a_long_name_ends_in_an_ellipsis_and_is_reported() -> None:
    shown, odd = text_of(encode(["string"], ["A" * 5000]), SYMBOL_LENGTH)
    assert shown == "A" * (SYMBOL_LENGTH - 1) + "…"
    assert odd is not None
    assert "too long" in odd


def test_a_length_beyond_the_data_is_malformed_not_believed() -> None:
    lying = (32).to_bytes(32) + (2**255).to_bytes(32) + b"abc"
    assert text_of(lying, NAME_LENGTH) == ("", "malformed")


def test_absurd_decimals_are_none() -> None:
    assert read_metadata(None, None, (255).to_bytes(32), None).decimals is None
    assert read_metadata(None, None, (6).to_bytes(32), None).decimals == 6
