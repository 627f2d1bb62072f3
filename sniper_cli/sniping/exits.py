"""When a position is left: pure rules over exact figures, the same for the runner, the screens and the tests.

The order of the rules is the order of danger: what takes the money away at once (liquidity about to leave,
liquidity gone) comes before what merely moves the price. Percentages are of what was paid, gas apart; every
level is a whole number of quote units, worked out without a float.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sniper_cli.settings.model import ExitSettings
from state.positions import Position


class ExitRule(StrEnum):
    """Why a position is sold. The values stand in orders, positions and reports."""

    LIQUIDITY_PENDING = "liquidity_pending"
    """A transaction that takes the pool's liquidity waits in the mempool."""
    SAFETY = "safety"
    """Judged again while held, the token no longer passes."""
    LIQUIDITY = "liquidity"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    TIME = "time"
    END = "end"
    """The run is over and closes what it holds."""


URGENT = frozenset({ExitRule.LIQUIDITY_PENDING, ExitRule.SAFETY, ExitRule.LIQUIDITY})
"""Rules that flee: they bid for the next block and take almost any price."""


@dataclass(frozen=True, slots=True)
class ExitRules:
    """A position's own copy of the exit settings, fixed when it was opened. Zero turns a rule off."""

    take_profit_pct: Decimal = Decimal(0)
    stop_loss_pct: Decimal = Decimal(0)
    trailing_activation_pct: Decimal = Decimal(0)
    trailing_pct: Decimal = Decimal(0)
    max_age_seconds: int = 0
    liquidity_drop_pct: Decimal = Decimal(0)
    watch_pending: bool = False
    slippage_bps: int = 3000

    @classmethod
    def from_settings(cls, settings: ExitSettings) -> ExitRules:
        return cls(
            take_profit_pct=settings.take_profit_pct,
            stop_loss_pct=settings.stop_loss_pct,
            trailing_activation_pct=settings.trailing_activation_pct,
            trailing_pct=settings.trailing_pct,
            max_age_seconds=settings.max_age_seconds,
            liquidity_drop_pct=settings.liquidity_drop_pct,
            watch_pending=settings.watch_pending,
            slippage_bps=settings.slippage_bps,
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ExitRules:
        """The rules as a position keeps them; unknown keys (entry figures) are another reader's."""
        return cls(
            take_profit_pct=Decimal(data.get("take_profit_pct", 0)),
            stop_loss_pct=Decimal(data.get("stop_loss_pct", 0)),
            trailing_activation_pct=Decimal(data.get("trailing_activation_pct", 0)),
            trailing_pct=Decimal(data.get("trailing_pct", 0)),
            max_age_seconds=int(data.get("max_age_seconds", 0)),
            liquidity_drop_pct=Decimal(data.get("liquidity_drop_pct", 0)),
            watch_pending=bool(data.get("watch_pending", False)),
            slippage_bps=int(data.get("slippage_bps", 3000)),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """What the rules look at. Values in quote units; `value` is what selling everything now would bring."""

    paid: int
    value: int
    peak: int
    """The highest worth so far."""
    opened_at: datetime
    received: int = 0
    """What earlier, partial sales brought in."""
    liquidity: int | None = None
    entry_liquidity: int | None = None

    @property
    def worth(self) -> int:
        return self.value + self.received


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """One rule that says sell, in a sentence and in figures (no floats: they enter the journal)."""

    rule: ExitRule
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)
    outbid_fee: int | None = None
    """The fee cap in wei per gas of the transaction that the sale must get ahead of."""

    @property
    def urgency(self) -> int:
        if self.rule is ExitRule.LIQUIDITY_PENDING:
            return 2
        return 1 if self.rule in URGENT else 0


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


def take_profit_level(rules: ExitRules, paid: int) -> int:
    """The worth from which profit is taken, rounded up: never a unit too early."""
    return -_percent_of(-paid, 100 + rules.take_profit_pct)


def stop_loss_level(rules: ExitRules, paid: int) -> int:
    """The worth down to which a position is kept."""
    return _percent_of(paid, 100 - rules.stop_loss_pct)


def trailing_level(rules: ExitRules, figures: PositionFigures) -> int | None:
    """The worth at which the trailing stop sells; none while the peak has not reached its activation."""
    awake = rules.trailing_pct > 0 and figures.peak >= _percent_of(
        figures.paid, 100 + rules.trailing_activation_pct
    )
    return _percent_of(figures.peak, 100 - rules.trailing_pct) if awake else None


def liquidity_level(rules: ExitRules, entry_liquidity: int) -> int:
    """The pool's reserve below which the position is sold."""
    return _percent_of(entry_liquidity, 100 - rules.liquidity_drop_pct)


def decide(rules: ExitRules, figures: PositionFigures, now: datetime) -> ExitSignal | None:
    """The first rule, in the order of danger, that says sell; none if the position is kept."""
    return (
        _liquidity(rules, figures)
        or _stop_loss(rules, figures)
        or _take_profit(rules, figures)
        or _trailing(rules, figures)
        or _time(rules, figures, now)
    )


def _liquidity(rules: ExitRules, figures: PositionFigures) -> ExitSignal | None:
    if not rules.liquidity_drop_pct or figures.liquidity is None or not figures.entry_liquidity:
        return None
    level = liquidity_level(rules, figures.entry_liquidity)
    if figures.liquidity >= level:
        return None
    fallen = Decimal(figures.entry_liquidity - figures.liquidity) * 100 / figures.entry_liquidity
    return ExitSignal(
        ExitRule.LIQUIDITY,
        f"the pool has lost {fallen:.1f} % of its liquidity since entry",
        {"liquidity": figures.liquidity, "entry_liquidity": figures.entry_liquidity, "level": level},
    )


def _stop_loss(rules: ExitRules, figures: PositionFigures) -> ExitSignal | None:
    level = stop_loss_level(rules, figures.paid)
    if not rules.stop_loss_pct or figures.worth > level:
        return None
    return _price_signal(ExitRule.STOP_LOSS, figures, level, "has lost")


def _take_profit(rules: ExitRules, figures: PositionFigures) -> ExitSignal | None:
    level = take_profit_level(rules, figures.paid)
    if not rules.take_profit_pct or figures.worth < level:
        return None
    return _price_signal(ExitRule.TAKE_PROFIT, figures, level, "has gained")


def _trailing(rules: ExitRules, figures: PositionFigures) -> ExitSignal | None:
    level = trailing_level(rules, figures)
    if level is None or figures.worth > level:
        return None
    fallen = Decimal(figures.peak - figures.worth) * 100 / figures.peak if figures.peak else Decimal(0)
    return ExitSignal(
        ExitRule.TRAILING_STOP,
        f"has fallen {fallen:.1f} % below its peak",
        {"worth": figures.worth, "peak": figures.peak, "level": level, "paid": figures.paid},
    )


def _time(rules: ExitRules, figures: PositionFigures, now: datetime) -> ExitSignal | None:
    age = int((now - figures.opened_at).total_seconds())
    if not rules.max_age_seconds or age < rules.max_age_seconds:
        return None
    return ExitSignal(
        ExitRule.TIME,
        f"has been held for {age} s",
        {
            "age_seconds": age,
            "max_age_seconds": rules.max_age_seconds,
            "worth": figures.worth,
            "paid": figures.paid,
        },
    )


def _price_signal(rule: ExitRule, figures: PositionFigures, level: int, verb: str) -> ExitSignal:
    change = abs(gain_pct(figures))
    return ExitSignal(
        rule, f"{verb} {change:.1f} %", {"worth": figures.worth, "paid": figures.paid, "level": level}
    )


def gain_pct(figures: PositionFigures) -> Decimal:
    """Gain over what was paid, in percent; negative for a loss."""
    return Decimal(figures.worth - figures.paid) * 100 / figures.paid if figures.paid else Decimal(0)


def distances(rules: ExitRules, figures: PositionFigures, now: datetime) -> list[ExitDistance]:
    """How far each rule that is on stands from firing, in the order of danger."""
    found = []
    worth = figures.worth
    if rules.liquidity_drop_pct and figures.entry_liquidity and figures.liquidity is not None:
        level = liquidity_level(rules, figures.entry_liquidity)
        found.append(_distance(ExitRule.LIQUIDITY, level, figures.liquidity, falling=True))
    if rules.stop_loss_pct:
        found.append(_distance(ExitRule.STOP_LOSS, stop_loss_level(rules, figures.paid), worth, falling=True))
    if rules.take_profit_pct:
        found.append(
            _distance(ExitRule.TAKE_PROFIT, take_profit_level(rules, figures.paid), worth, falling=False)
        )
    if rules.trailing_pct:
        found.append(_trailing_distance(rules, figures))
    if rules.max_age_seconds:
        age = int((now - figures.opened_at).total_seconds())
        left = Decimal(rules.max_age_seconds - age) * 100 / rules.max_age_seconds
        found.append(ExitDistance(ExitRule.TIME, rules.max_age_seconds, age, left))
    return found


def _trailing_distance(rules: ExitRules, figures: PositionFigures) -> ExitDistance:
    """To its trigger once awake, before that to its activation."""
    level = trailing_level(rules, figures)
    if level is not None:
        return _distance(ExitRule.TRAILING_STOP, level, figures.worth, falling=True)
    wakes_at = _percent_of(figures.paid, 100 + rules.trailing_activation_pct)
    return _distance(ExitRule.TRAILING_STOP, wakes_at, figures.worth, falling=False, active=False)


def _distance(rule: ExitRule, level: int, now: int, *, falling: bool, active: bool = True) -> ExitDistance:
    move = now - level if falling else level - now
    return ExitDistance(rule, level, now, Decimal(move) * 100 / now if now else Decimal(0), active)


def rules_of(position: Position) -> ExitRules:
    """The rules a position was opened with."""
    return ExitRules.from_json(position.exit_rules)


def figures_of(position: Position, *, liquidity: int | None = None) -> PositionFigures:
    """A position's figures at its last mark; `liquidity` is the pool's reserve if it has just been read."""
    entry = position.exit_rules.get("entry_liquidity")
    last = position.exit_rules.get("liquidity")
    value = position.mark_value if position.mark_value is not None else position.spent - position.received
    return PositionFigures(
        paid=position.spent,
        value=value,
        peak=max(position.peak_value, value + position.received),
        opened_at=position.opened_at,
        received=position.received,
        liquidity=liquidity if liquidity is not None else (None if last is None else int(last)),
        entry_liquidity=None if entry is None else int(entry),
    )


def _percent_of(amount: int, percent: Decimal) -> int:
    """`percent` of an amount, rounded down (a negated amount: up), without losing a digit."""
    numerator, denominator = percent.as_integer_ratio()
    return amount * numerator // (denominator * 100)
