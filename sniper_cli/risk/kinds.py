"""The limits there are: what each counts, in what unit, and on whom it may be set.

A limit counts one of four things. Of the order itself: its size, its price. Of its instrument: the position. Of the
scope it is set on, which for a tenant's or an account's limit is the account, for a strategy's the strategy's own
orders and the positions that it opened, for an instrument's what is done in it: open orders, results, exposure. Of the
account, whoever trades: its equity. What binds one scope binds everything inside; where two say the same, the stricter.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum

from sniper_cli.errors import UsageProblem
from state.limits import LimitScope

T, A, S, I = LimitScope.TENANT, LimitScope.ACCOUNT, LimitScope.STRATEGY, LimitScope.INSTRUMENT  # noqa: E741
EVERYWHERE = (T, A, S, I)


class Unit(StrEnum):
    """In what a limit is counted."""

    BASE = "base"
    """Whole units of the traded asset."""
    MONEY = "money"
    """Whole units of the asset that the account reports in."""
    SHARE = "share"
    """Basis points; written as 10% or 1000bps."""
    RATIO = "ratio"
    """Times the equity; written as 3 or 3x."""
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of limit."""

    name: str
    unit: Unit
    scopes: tuple[LimitScope, ...]
    says: str
    """What it bounds, for a person."""
    standing: bool = True
    """Something that is used up and can be shown as a bar; else it is looked at for each order alone."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("order_quantity", Unit.BASE, EVERYWHERE, "quantity of one order", standing=False),
        Kind("order_notional", Unit.MONEY, EVERYWHERE, "worth of one order at its worst price", standing=False),
        Kind("collar", Unit.SHARE, EVERYWHERE, "how much worse than the market a price may be", standing=False),
        Kind("position_quantity", Unit.BASE, EVERYWHERE, "quantity of one position, working orders included"),
        Kind("position_notional", Unit.MONEY, EVERYWHERE, "worth of one position, working orders included"),
        Kind("concentration", Unit.SHARE, EVERYWHERE, "share of the equity in one instrument"),
        Kind("gross_exposure", Unit.MONEY, (T, A, S), "worth of all positions, long and short added up"),
        Kind("net_exposure", Unit.MONEY, (T, A, S), "worth of long positions less that of short ones"),
        Kind("correlated_exposure", Unit.MONEY, (T, A, S), "net worth of a group of instruments"),
        Kind("leverage", Unit.RATIO, (T, A, S), "gross exposure over the account's equity"),
        Kind("total_spend", Unit.MONEY, (T, A, S), "cost of open positions and working purchases"),
        Kind("open_positions", Unit.COUNT, (T, A, S), "instruments held or being bought"),
        Kind("open_orders", Unit.COUNT, EVERYWHERE, "orders at work"),
        Kind("orders_per_second", Unit.COUNT, EVERYWHERE, "orders in a second, taken at once or spread"),
        Kind("daily_loss", Unit.MONEY, EVERYWHERE, "what trades have lost since midnight UTC, fees included"),
        Kind("drawdown", Unit.SHARE, (T, A), "fall of the equity from its peak"),
        Kind("losing_streak", Unit.COUNT, (T, A, S), "positions closed at a loss in a row, then a rest"),
    )
}  # fmt: skip

COLLAR_BPS = 1_000
"""The collar where nobody has set one: a price 10 % worse than the market's is a slip of the finger."""

COOLDOWN_SECONDS = 3_600
"""How long a losing streak rests where nobody says."""

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

MOST = Decimal(10) ** 60
"""An amount has up to 78 digits, 18 of them behind the point."""


@dataclass(frozen=True, slots=True)
class Value:
    """A limit's value as it is stored: a plain decimal and its unit (an asset's symbol, `bps`, `x`, or nothing)."""

    number: Decimal
    unit: str

    def __str__(self) -> str:
        return spelled_value(self.number, self.unit)


def spelled_value(number: Decimal, unit: str) -> str:
    """A limit's value for a person: `5000 USDT`, `10%`, `3x`, `20`."""
    if unit == "bps":
        return f"{_plain(number / 100)}%"
    if unit == "x":
        return f"{_plain(number)}x"
    return f"{_plain(number)} {unit}".rstrip()


def kind_named(name: str) -> Kind:
    """A kind of limit by its name. Raises UsageProblem with the near match."""
    kind = KINDS.get(name.replace("-", "_"))
    if kind is None:
        near = get_close_matches(name.replace("-", "_"), KINDS, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageProblem(f"there is no limit {name!r}{meant}", hint=f"limits: {', '.join(KINDS)}")
    return kind


def read_value(kind: Kind, text: str, asset: str) -> Value:
    """A value as people write it: `5000`, `5000 USDT`, `10%`, `1000bps`, `3x`. `asset`: the one meant without a unit.

    Raises UsageProblem.
    """
    number, unit = _split(kind, text)
    if kind.unit is Unit.SHARE:
        return Value(_share(kind, text, number, unit), "bps")
    if kind.unit is Unit.RATIO:
        return Value(_known_unit(kind, text, number, unit, ("", "x")), "x")
    if kind.unit is Unit.COUNT:
        count = _known_unit(kind, text, number, unit, ("",))
        if count != count.to_integral_value():
            raise _unfit(kind, text, "a whole number")
        return Value(count, "")
    if not unit and not asset:
        raise UsageProblem(
            f"{kind.name} of {text} of what? Name the asset",
            hint=f"sniper risk limits set {kind.name} '{text} BTC'",
        )
    return Value(number, unit or asset)


def _split(kind: Kind, text: str) -> tuple[Decimal, str]:
    digits, _, unit = text.strip().partition(" ")
    while digits and not unit.strip() and not (digits[-1].isdigit() or digits[-1] == "."):
        cut = len(digits.rstrip(digits[-1])) if digits[-1] == "%" else len(digits.rstrip(LETTERS))
        digits, unit = digits[:cut], digits[cut:]
        if not unit:
            break
    try:
        number = Decimal(digits.replace(",", "").replace("_", ""))
    except InvalidOperation as error:
        raise _unfit(kind, text, "a number") from error
    if not number.is_finite() or not 0 < number < MOST:
        raise _unfit(kind, text, "above zero")
    return number, unit.strip()


def _share(kind: Kind, text: str, number: Decimal, unit: str) -> Decimal:
    if unit not in ("%", "bps"):
        raise _unfit(kind, text, "a share: 10% or 1000bps")
    bps = number * 100 if unit == "%" else number
    if bps != bps.to_integral_value():
        raise _unfit(kind, text, "whole basis points: hundredths of a per cent")
    if kind.name == "drawdown" and bps >= 10_000:
        raise _unfit(kind, text, "less than all of it")
    return bps


def _known_unit(kind: Kind, text: str, number: Decimal, unit: str, units: tuple[str, ...]) -> Decimal:
    if unit not in units:
        raise _unfit(
            kind, text, "a number without a unit" if units == ("",) else "a number, or one with an x"
        )
    return number


def _unfit(kind: Kind, text: str, wanted: str) -> UsageProblem:
    return UsageProblem(f"{kind.name} must be {wanted}, not {text!r}", hint="sniper risk limits set --help")


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


__all__ = [
    "COLLAR_BPS", "COOLDOWN_SECONDS", "KINDS", "Kind", "Unit", "Value", "kind_named", "read_value", "spelled_value",
]  # fmt: skip
