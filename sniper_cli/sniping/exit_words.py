"""Exit rules as people type them: percentages, steps, times, blocks."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sniper_cli.errors import UsageProblem
from sniper_cli.moments import parse_duration

OFF = ("0", "off", "none", "never")
HINT = "sniper position exits set --help"


def percent(text: str, option: str) -> Decimal:
    """A percentage, with or without its sign. Raises UsageProblem."""
    word = text.strip().removesuffix("%").strip()
    if word.lower() in OFF:
        return Decimal(0)
    try:
        number = Decimal(word)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UsageProblem(f"{option}: {text!r} is no percentage", hint=HINT)
    return number


def changes_of(**typed: Any) -> dict[str, Any]:
    """What was typed as changes of exit rules, by their names. Raises UsageProblem."""
    changes: dict[str, Any] = {}
    for name, value in typed.items():
        if value is not None:
            changes |= _CHANGES[name](value)
    return changes


def _percent_of(rule: str, option: str) -> Any:
    return lambda text: {rule: percent(text, option)}


def _seconds_of(rule: str) -> Any:
    def read(text: str) -> dict[str, Any]:
        off = text.strip().lower() in OFF
        return {rule: 0 if off else int(parse_duration(text).total_seconds())}

    return read


def _steps(text: str) -> dict[str, Any]:
    if text.strip().lower() in OFF:
        return {"take_profit": (), "take_profit_pct": Decimal(0)}
    return {"take_profit": tuple(word.strip() for word in text.split(",") if word.strip())}


def _stall(blocks_rule: str, figure_rule: str, option: str) -> Any:
    def read(text: str) -> dict[str, Any]:
        blocks, colon, figure = text.strip().partition(":")
        if blocks.lower() in OFF:
            return {blocks_rule: 0}
        if not blocks.isdecimal():
            raise UsageProblem(f"{option}: {text!r} is no number of blocks", hint=HINT)
        changes: dict[str, Any] = {blocks_rule: int(blocks)}
        return changes | ({figure_rule: percent(figure, option)} if colon else {})

    return read


_CHANGES: dict[str, Any] = {
    "take_profit": _steps,
    "stop_loss": _percent_of("stop_loss_pct", "--stop-loss"),
    "trailing": _percent_of("trailing_pct", "--trailing"),
    "trailing_activation": _percent_of("trailing_activation_pct", "--trailing-activation"),
    "break_even": _percent_of("break_even_pct", "--break-even"),
    "break_even_steps": lambda number: {"break_even_steps": number},
    "max_age": _seconds_of("max_age_seconds"),
    "no_profit_after": _seconds_of("no_profit_seconds"),
    "volume_stall": _stall("volume_stall_blocks", "volume_stall_coins", "--volume-stall"),
    "price_stall": _stall("price_stall_blocks", "price_stall_pct", "--price-stall"),
    "liquidity_drop": _percent_of("liquidity_drop_pct", "--liquidity-drop"),
    "watch_pending": lambda on: {"watch_pending": on},
}
