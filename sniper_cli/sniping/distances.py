"""How far each exit rule is from firing: for screens, lists and whoever wonders why nothing is sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sniper_cli.sniping.exits import (
    PositionFigures,
    age_of,
    break_even_level,
    gain_level,
    liquidity_level,
    next_step,
    stall_level,
    stop_loss_level,
    trailing_level,
    wake_level,
)
from sniper_cli.sniping.rules import ExitRule, ExitRules


@dataclass(frozen=True, slots=True)
class ExitDistance:
    """How far a rule is from firing: its `level` against `now`, in quote units (for time, seconds)."""

    rule: ExitRule
    level: int
    now: int
    share_pct: Decimal
    """By how many percent of its present figure the position must still move; 0 or less: it fires."""
    active: bool = True
    """False for a trailing stop not yet awake."""


def distances(rules: ExitRules, figures: PositionFigures, now: datetime) -> list[ExitDistance]:
    """How far each rule that is on stands from firing, in the order of danger."""
    value, cost = figures.rest
    found = []
    if rules.liquidity_drop_pct and figures.entry_liquidity and figures.liquidity is not None:
        level = liquidity_level(rules, figures.entry_liquidity)
        found.append(_distance(ExitRule.LIQUIDITY, level, figures.liquidity, falling=True))
    if rules.stop_loss_pct:
        level = stop_loss_level(rules, figures.paid)
        found.append(_distance(ExitRule.STOP_LOSS, level, figures.worth, falling=True))
    if (armed := break_even_level(rules, figures)) is not None:
        found.append(_distance(ExitRule.BREAK_EVEN, armed, value, falling=True))
    if (step := next_step(rules, figures)) is not None:
        found.append(_distance(ExitRule.TAKE_PROFIT, gain_level(step.gain, cost), value, falling=False))
    if rules.trailing_pct:
        found.append(_trailing(rules, figures))
    if rules.no_profit_seconds and figures.worth <= figures.paid:
        found.append(_time(ExitRule.NO_PROFIT, rules.no_profit_seconds, figures, now))
    if rules.volume_stall_blocks and figures.volume is not None:
        found.append(_distance(ExitRule.VOLUME_STALL, stall_level(rules), figures.volume, falling=True))
    if rules.price_stall_blocks and figures.low is not None and figures.high is not None:
        level = gain_level(rules.price_stall_pct, figures.low)
        found.append(_distance(ExitRule.PRICE_STALL, level, figures.high, falling=True))
    if rules.max_age_seconds:
        found.append(_time(ExitRule.TIME, rules.max_age_seconds, figures, now))
    return found


def _trailing(rules: ExitRules, figures: PositionFigures) -> ExitDistance:
    """To its trigger once awake, before that to its activation."""
    level = trailing_level(rules, figures)
    if level is not None:
        return _distance(ExitRule.TRAILING_STOP, level, figures.rest[0], falling=True)
    wakes_at = wake_level(rules, figures.paid)
    return _distance(ExitRule.TRAILING_STOP, wakes_at, figures.worth, falling=False, active=False)


def _time(rule: ExitRule, seconds: int, figures: PositionFigures, now: datetime) -> ExitDistance:
    age = age_of(figures, now)
    return ExitDistance(rule, seconds, age, Decimal(seconds - age) * 100 / seconds)


def _distance(rule: ExitRule, level: int, now: int, *, falling: bool, active: bool = True) -> ExitDistance:
    move = now - level if falling else level - now
    return ExitDistance(rule, level, now, Decimal(move) * 100 / now if now else Decimal(0), active)


__all__ = ["ExitDistance", "distances"]
