"""Words that a stranger's contract returns, made fit to be shown: a token's name is an attacker's text.

A name may hold escape sequences that repaint the terminal, right-to-left marks that reverse a line, a megabyte of
combining accents, or no text at all. What leaves this module is one short line of visible characters. Markup
is not this module's business: who renders with Rich escapes brackets.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

NAME_LENGTH = 64
SYMBOL_LENGTH = 24
REASON_LENGTH = 160
MAX_DECIMALS = 77
"""10^77 is the largest power of ten below 2^256."""
MAX_BYTES = 4096
"""Nothing longer is decoded at all."""
MAX_ACCENTS = 2
"""Combining marks kept in a row; stacks of them climb over the neighbouring lines."""

WORD = 32
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Control, format (bidirectional marks, zero widths), unassigned, private, surrogate, separators of lines."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a token says about itself, and what is odd about the way it says it."""

    name: str = ""
    symbol: str = ""
    decimals: int | None = None
    total_supply: int | None = None
    oddities: tuple[str, ...] = ()


def plain(text: str, limit: int) -> str:
    """One line of visible characters, at most `limit` long."""
    kept: list[str] = []
    accents = 0
    for character in text:
        category = unicodedata.category(character)
        accents = accents + 1 if category in {"Mn", "Me"} else 0
        if category in INVISIBLE:
            character = " " if character in "\t\n\r" else ""  # noqa: PLW2901
        elif accents > MAX_ACCENTS:
            continue
        kept.append(character)
        if len(kept) > limit * 4:
            break
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def text_of(data: bytes, limit: int) -> tuple[str, str | None]:
    """The text in what `name()` or `symbol()` returned, and what is odd about it.

    Old tokens answer with bytes32 in place of a string; both are read, by hand: a decoder would trust the lengths.
    """
    if not data:
        return "", "answers nothing"
    if len(data) == WORD:
        raw, odd = data.rstrip(b"\0"), "a bytes32"
    else:
        found = string_in(data)
        if found is None:
            return "", "malformed"
        raw, odd = found, None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text, odd = raw.decode("utf-8", "replace"), "not UTF-8"
    shown = plain(text, limit)
    if shown != text:
        odd = f"too long ({len(text)} characters)" if len(text) > limit else "has invisible characters"
    return shown, odd


def string_in(data: bytes) -> bytes | None:
    """The bytes of an ABI-encoded string; none where the encoding does not hold together."""
    offset = _number(data, 0)
    length = _number(data, offset) if offset is not None else None
    if offset is None or length is None:
        return None
    start = offset + WORD
    if start + length > len(data):
        return None
    return data[start : start + min(length, MAX_BYTES)]


def _number(data: bytes, at: int) -> int | None:
    return int.from_bytes(data[at : at + WORD]) if 0 <= at <= len(data) - WORD else None


def read_metadata(
    name: bytes | None, symbol: bytes | None, decimals: bytes | None, supply: bytes | None
) -> Metadata:
    """What the four answers say; None for a call that reverted."""
    oddities: list[str] = []
    texts: list[str] = []
    for what, answer, limit in (("name", name, NAME_LENGTH), ("symbol", symbol, SYMBOL_LENGTH)):
        text, odd = text_of(answer, limit) if answer is not None else ("", "reverts")
        texts.append(text)
        if odd:
            oddities.append(f"{what}: {odd}")
    places = _number(decimals, 0) if decimals else None
    if places is None or places > MAX_DECIMALS:
        oddities.append("decimals: none" if places is None else f"decimals: absurd ({str(places)[:12]})")
        places = None
    total = _number(supply, 0) if supply else None
    if total is None:
        oddities.append("total supply: none")
    return Metadata(texts[0], texts[1], places, total, tuple(oddities))
