"""What people type for a side, a kind of order, a number, a price: read with what they meant, or an error that says it.

A comma may be a decimal point or may part thousands, so it is never guessed at; a unit beside a number tells which
option it belongs to. Every error names the option and shows what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import TypeVar

from sniper_cli.errors import UsageProblem
from state.orders import OrderType, Side, TimeInForce

T = TypeVar("T")

HELP = "sniper order place --help"

DIGITS = 60
"""Digits before or after the point beyond which a number is a slip, whatever it counts."""

SIDES = {
    "buy": Side.BUY, "b": Side.BUY, "bid": Side.BUY, "long": Side.BUY,
    "sell": Side.SELL, "s": Side.SELL, "ask": Side.SELL, "short": Side.SELL,
}  # fmt: skip
TYPES = {kind.value: kind for kind in OrderType} | {
    "stop_loss": OrderType.STOP,
    "trailing": OrderType.TRAILING_STOP,
    "tp": OrderType.TAKE_PROFIT,
    "sl": OrderType.STOP,
}
TIMES = {tif.value: tif for tif in TimeInForce}

NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
WITH_UNIT = re.compile(r"^(?P<front>[$€£])?\s*(?P<number>[\d.,_' ]+?)\s*(?P<unit>[A-Za-z$€£%]+)?$")
GROUPS = re.compile(r"^\d{1,3}(,\d{3})+(\.\d+)?$")
MAGNITUDES = {"k": 3, "m": 6, "mio": 6, "b": 9, "bn": 9}


def read_side(text: str, instrument: str = "") -> Side:
    """Buy or sell. Raises UsageProblem."""
    word = text.strip().lower()
    if word in SIDES:
        return SIDES[word]
    if instrument.strip().lower() in SIDES:
        raise UsageProblem(
            f"the side comes first, then the instrument: {instrument} {text}",
            hint=f"sniper order place {SIDES[instrument.strip().lower()].value} {text} …",
        )
    raise UsageProblem(
        f"there is no side {text!r}{_meant(word, SIDES)}", hint="sniper order place buy …, or sell"
    )


def read_type(text: str) -> OrderType:
    """A kind of order, with hyphens or without. Raises UsageProblem."""
    return _word("type", text, TYPES)


def read_time_in_force(text: str) -> TimeInForce:
    return _word("time in force", text, TIMES)


def _word(what: str, text: str, known: dict[str, T]) -> T:
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    if word in known:
        return known[word]
    names = ", ".join(dict.fromkeys(str(value) for value in known.values()))
    raise UsageProblem(f"there is no {what} {text!r}{_meant(word, known)}", hint=f"one of: {names}")


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True, slots=True)
class Units:
    """The two assets of an instrument by their symbols, to tell which one a unit beside a number names."""

    base: str
    quote: str


def read_number(text: str, option: str, units: Units | None = None) -> Decimal:
    """A number above zero. Raises UsageProblem with what to type instead."""
    word = text.strip()
    if not NUMBER.match(word):
        raise _no_number(word, option, units)
    try:
        number = Decimal(word)
    except InvalidOperation as error:  # an exponent beyond what a Decimal holds
        raise UsageProblem(f"{option} {text!r} is no number", hint=HELP) from error
    if number and not -DIGITS < number.adjusted() < DIGITS:
        raise UsageProblem(f"{option} {text!r} is beyond all bounds", hint=HELP)
    if number <= 0:
        detail = " (to sell, say sell)" if option == "--quantity" and number < 0 else ""
        raise UsageProblem(f"{option} must be above zero, not {text}{detail}", hint=HELP)
    return number


def _no_number(word: str, option: str, units: Units | None) -> UsageProblem:
    parts = WITH_UNIT.match(word)
    if parts is None:
        return UsageProblem(f"{option} {word!r} is no number", hint=HELP)
    number, unit = parts["number"].strip(), (parts["unit"] or parts["front"] or "").strip()
    plain = _plain(number)
    if unit == "%":
        return UsageProblem(f"{option} takes no percentage; {word!r} of what?", hint=HELP)
    if plain is not None and unit.lower() in MAGNITUDES:
        whole = format(Decimal(plain).scaleb(MAGNITUDES[unit.lower()]), "f")
        return UsageProblem(f"{option} {word!r}: write the number out", hint=f"{option} {whole}")
    if plain is not None and unit:
        return _unit(word, option, plain, unit, units)
    if "," in number:
        readings = [reading for reading in (number.replace(",", ""), _decimal_comma(number)) if reading]
        shown = " or ".join(f"{option} {reading}" for reading in dict.fromkeys(readings)) or HELP
        return UsageProblem(
            f"{option} {word!r}: a comma parts thousands for some and decimals for others; write a point or nothing",
            hint=shown,
        )
    compact = re.sub(r"[_' ]", "", number)
    hint = f"{option} {compact}" if NUMBER.match(compact) else HELP
    return UsageProblem(f"{option} {word!r} is no number", hint=hint)


def _plain(number: str) -> str | None:
    compact = re.sub(r"[_' ]", "", number)
    if GROUPS.match(compact):
        compact = compact.replace(",", "")
    return compact if NUMBER.match(compact) else None


def _decimal_comma(number: str) -> str | None:
    if number.count(",") != 1:
        return None
    whole, _, rest = number.partition(",")
    return f"{whole.replace('.', '')}.{rest}" if rest.isdigit() else None


def _unit(word: str, option: str, number: str, unit: str, units: Units | None) -> UsageProblem:
    """A unit beside the number: the right one is superfluous, the other one belongs to another option."""
    known = unit.upper().replace("$", "USDT")
    if units is not None and option == "--quantity" and known == units.quote.upper():
        return UsageProblem(
            f"--quantity counts {units.base}; {word} is what to spend", hint=f"--budget {number}"
        )
    if units is not None and option == "--budget" and known == units.base.upper():
        return UsageProblem(
            f"--budget counts {units.quote}; {word} is how much to buy", hint=f"--quantity {number}"
        )
    return UsageProblem(f"{option} {word!r}: write the number alone", hint=f"{option} {number}")


def read_level(text: str, option: str, reference: Decimal | None, *, above: bool) -> Decimal:
    """A price, or a distance from one in percent: `5%` above it or below it. Raises UsageProblem."""
    word = text.strip()
    if not word.endswith("%"):
        return read_number(word, option)
    share = read_number(word.removesuffix("%").strip().lstrip("+-"), option)
    if reference is None:
        raise UsageProblem(
            f"{option} {text}: there is no price yet to reckon it from", hint=f"{option} PRICE"
        )
    if not above and share >= 100:
        raise UsageProblem(f"{option} {text}: nothing is left below 100 %", hint=HELP)
    return reference * (100 + share if above else 100 - share) / 100


def read_trail(text: str, option: str) -> tuple[Decimal | None, int | None]:
    """How far a trailing stop stays behind: an amount, or a share as `2%`: (amount, basis points)."""
    word = text.strip()
    if not word.endswith("%"):
        return read_number(word, option), None
    share = read_number(word.removesuffix("%").strip(), option) * 100
    if share != int(share) or not 0 < share < 10_000:
        raise UsageProblem(f"{option} {text}: between 0.01 % and 99.99 %, in hundredths", hint=f"{option} 2%")
    return None, int(share)
