"""Exit rules as people type them: percentages, steps, times, blocks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sniper_cli.errors import UsageProblem
from sniper_cli.moments import parse_duration
from sniper_cli.sniping.rules import ExitRules

OFF = ("0", "off", "none", "never")
OFF_WORD = "off"
YES, NO = ("yes", "on", "y", "true"), ("no", "n", "false", *OFF)
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


def typed_of(rules: ExitRules) -> dict[str, str]:
    """Rules as one would type them, by the names of the options: what a form begins with."""
    steps = ",".join(f"{_figure(step.gain)}:{_figure(step.share)}" for step in rules.steps)
    return {
        "take_profit": steps or OFF_WORD,
        "stop_loss": _or_off(rules.stop_loss_pct),
        "trailing": _or_off(rules.trailing_pct),
        "trailing_activation": _figure(rules.trailing_activation_pct),
        "break_even": _or_off(rules.break_even_pct),
        "break_even_steps": str(rules.break_even_steps),
        "max_age": _span(rules.max_age_seconds),
        "no_profit_after": _span(rules.no_profit_seconds),
        "volume_stall": _stalled(rules.volume_stall_blocks, rules.volume_stall_coins),
        "price_stall": _stalled(rules.price_stall_blocks, rules.price_stall_pct),
        "liquidity_drop": _or_off(rules.liquidity_drop_pct),
        "watch_pending": "yes" if rules.watch_pending else "no",
    }


def changes_in_form(typed: Mapping[str, str]) -> dict[str, Any]:
    """As `changes_of`, where everything is text; a field left empty is off. Raises UsageProblem."""
    values: dict[str, Any] = {name: text.strip() or OFF_WORD for name, text in typed.items()}
    if (steps := values.get("break_even_steps")) is not None:
        values["break_even_steps"] = 0 if steps.lower() in OFF else _whole(steps)
    if (wary := values.get("watch_pending")) is not None:
        values["watch_pending"] = _yes_or_no(wary)
    return changes_of(**values)


def options_of(typed: Mapping[str, str]) -> list[str]:
    """The command's options that say the same."""
    words: list[str] = []
    for name, text in typed.items():
        option = f"--{name.replace('_', '-')}"
        if name == "watch_pending":
            words.append(option if text.strip().lower() in YES else "--no-watch-pending")
        else:
            words += [option, text.strip() or ("0" if name == "break_even_steps" else OFF_WORD)]
    return words


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise UsageProblem(f"--break-even-steps: {text!r} is no number of steps", hint=HINT)
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise UsageProblem(f"--watch-pending: {text!r} is neither yes nor no", hint=HINT)
    return text.lower() in YES


def _figure(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _or_off(number: Decimal) -> str:
    return _figure(number) if number else OFF_WORD


def _span(seconds: int) -> str:
    """In the largest unit that it is a whole number of."""
    if not seconds:
        return OFF_WORD
    unit, length = next((u, n) for u, n in (("h", 3600), ("m", 60), ("s", 1)) if seconds % n == 0)
    return f"{seconds // length}{unit}"


def _stalled(blocks: int, figure: Decimal) -> str:
    return f"{blocks}:{_figure(figure)}" if blocks else OFF_WORD


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
