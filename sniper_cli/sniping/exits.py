"""When a position is left: pure rules over exact figures, the same for the runner, the screens and the tests.

The order of the rules is the order of danger: what takes the money away at once (liquidity about to leave,
liquidity gone) comes before what merely moves the price; and a rule that sells everything comes before one that
sells a step. Percentages are of what was paid, gas apart; every level is a whole number of quote units, worked out
without a float.

Once a part has been sold, two questions part ways. Whether money was lost is asked of the whole: what came in and
what is left together (`worth`), against what was paid: stop-loss, no profit. How the price stands is asked of what is
left: its value against what just this cost (`rest`): the ladder, trailing, break-even. Else a stop behind a half sold
at twice the price could never fire again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sniper_cli.sniping.rules import HUNDRED, URGENT, ExitRule, ExitRules, Step, rules_of
from state.positions import Position


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
    quantity: int = 0
    original: int = 0
    """What was held before the first sale: shares of a ladder are of it."""
    sold: tuple[tuple[Decimal, int], ...] = ()
    """What each step, named by its gain, has sold already."""
    basis: int | None = None
    """What that cost which is still held; none where nothing was sold."""
    rest_peak: int | None = None
    """The most that what is still held was ever worth."""
    volume: int | None = None
    """What went through the pool in the blocks that the rule looks at; none before there are so many."""
    low: int | None = None
    high: int | None = None
    """The range of the value in the blocks that the rule looks at; none before there are so many."""

    @property
    def worth(self) -> int:
        return self.value + self.received

    @property
    def rest(self) -> tuple[int, int]:
        """What is left: its value, and its cost. Before the first sale: the worth, and all that was paid."""
        return (self.worth, self.paid) if self.basis is None else (self.value, self.basis)


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """One rule that says sell, in a sentence and in figures (no floats: they enter the journal)."""

    rule: ExitRule
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)
    outbid_fee: int | None = None
    """The fee cap in wei per gas of the transaction that the sale must get ahead of."""
    quantity: int | None = None
    """So many units; none: everything."""
    steps: tuple[tuple[Decimal, int], ...] = ()
    """What of it belongs to which step of the ladder."""
    request: str | None = None
    """The person's request that it answers."""
    urgent: bool = False
    max_slippage_bps: int | None = None

    @property
    def urgency(self) -> int:
        if self.rule is ExitRule.LIQUIDITY_PENDING:
            return 2
        return 1 if self.urgent or self.rule in URGENT else 0


def decide(rules: ExitRules, figures: PositionFigures, now: datetime) -> ExitSignal | None:
    """The first rule, in the order of danger, that says sell everything; else the ladder's steps; else none."""
    part: ExitSignal | None = None
    for rule in RULES:
        signal = rule(rules, figures, now)
        if signal is not None and signal.quantity is None:
            return signal
        part = part or signal
    return part


# -- levels ---------------------------------------------------------------------------------------------------------


def gain_level(gain: Decimal, cost: int) -> int:
    """The worth from which a gain is reached, rounded up: never a unit too early."""
    return -percent_of(-cost, HUNDRED + gain)


def take_profit_level(rules: ExitRules, paid: int) -> int:
    """The worth from which the first profit is taken."""
    return gain_level(rules.steps[0].gain if rules.steps else Decimal(0), paid)


def stop_loss_level(rules: ExitRules, paid: int) -> int:
    """The worth down to which a position is kept."""
    return percent_of(paid, HUNDRED - rules.stop_loss_pct)


def wake_level(rules: ExitRules, paid: int) -> int:
    """The worth at which the trailing stop begins to follow."""
    return percent_of(paid, HUNDRED + rules.trailing_activation_pct)


def trailing_level(rules: ExitRules, figures: PositionFigures) -> int | None:
    """The value at which the trailing stop sells; none while the peak has not reached its activation."""
    if not rules.trailing_pct or figures.peak < wake_level(rules, figures.paid):
        return None
    peak = figures.peak if figures.rest_peak is None else figures.rest_peak
    return percent_of(peak, HUNDRED - rules.trailing_pct)


def break_even_level(rules: ExitRules, figures: PositionFigures) -> int | None:
    """The cost of what is left, once a gain or enough steps have armed it."""
    by_gain = rules.break_even_pct > 0 and figures.peak >= gain_level(rules.break_even_pct, figures.paid)
    by_steps = 0 < rules.break_even_steps <= steps_done(rules, figures)
    return figures.rest[1] if by_gain or by_steps else None


def liquidity_level(rules: ExitRules, entry_liquidity: int) -> int:
    """The pool's reserve below which the position is sold."""
    return percent_of(entry_liquidity, HUNDRED - rules.liquidity_drop_pct)


def stall_level(rules: ExitRules) -> int:
    """The volume, in wei, below which a pool stands still; with no coins named, any trade at all keeps it alive."""
    return max(1, int(rules.volume_stall_coins.scaleb(18)))


def percent_of(amount: int, percent: Decimal) -> int:
    """`percent` of an amount, rounded down (a negated amount: up), without losing a digit."""
    numerator, denominator = percent.as_integer_ratio()
    return amount * numerator // (denominator * 100)


# -- the ladder -----------------------------------------------------------------------------------------------------


def step_left(step: Step, figures: PositionFigures) -> int | None:
    """What a step has still to sell; none where it is not known how much there was."""
    if not figures.original:
        return None
    target = percent_of(figures.original, step.share)
    return max(0, target - dict(figures.sold).get(step.gain, 0))


def steps_done(rules: ExitRules, figures: PositionFigures) -> int:
    """How many steps have sold all they had to."""
    return sum(step_left(step, figures) == 0 for step in rules.steps)


def next_step(rules: ExitRules, figures: PositionFigures) -> Step | None:
    """The lowest step that has something left to sell."""
    return next((step for step in rules.steps if step_left(step, figures) != 0), None)


def _take_profit(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    """All steps that the price has reached and that are not done yet, in one sale."""
    value, cost = figures.rest
    reached = [step for step in rules.steps if value >= gain_level(step.gain, cost)]
    due = [(step, left) for step in reached if (left := step_left(step, figures)) != 0]
    if not due:
        return None
    highest = due[-1][0]
    level = gain_level(highest.gain, cost)
    known = {"worth": value, "paid": cost, "level": level}
    gained = Decimal(value - cost) * 100 / cost if cost else Decimal(0)
    detail = f"has gained {gained:.1f} %"
    if any(left is None for _, left in due) or (
        sum(s.share for s in reached) == 100 and len(rules.steps) == 1
    ):
        return ExitSignal(ExitRule.TAKE_PROFIT, detail, known)
    parts = tuple((step.gain, left or 0) for step, left in due)
    quantity = sum(left for _, left in parts)
    names = " and ".join(f"{step.share.normalize():f} % at +{step.gain.normalize():f} %" for step, _ in due)
    detail = f"{detail}: {names}"
    if quantity >= figures.quantity or sum(step.share for step in reached) == HUNDRED:
        return ExitSignal(ExitRule.TAKE_PROFIT, detail, known, steps=parts)
    return ExitSignal(ExitRule.TAKE_PROFIT, detail, known, quantity=quantity, steps=parts)


# -- what sells everything ------------------------------------------------------------------------------------------


def _liquidity(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
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


def _stop_loss(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    level = stop_loss_level(rules, figures.paid)
    if not rules.stop_loss_pct or figures.worth > level:
        return None
    return ExitSignal(
        ExitRule.STOP_LOSS,
        f"has lost {abs(gain_pct(figures)):.1f} %",
        {"worth": figures.worth, "paid": figures.paid, "level": level},
    )


def _break_even(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    level = break_even_level(rules, figures)
    if level is None or figures.rest[0] > level:
        return None
    known = {"worth": figures.rest[0], "level": level, "peak": figures.peak}
    return ExitSignal(ExitRule.BREAK_EVEN, "is back at what it cost", known)


def _trailing(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    level = trailing_level(rules, figures)
    value, cost = figures.rest
    if level is None or value > level:
        return None
    peak = figures.peak if figures.rest_peak is None else figures.rest_peak
    fallen = Decimal(peak - value) * 100 / peak if peak else Decimal(0)
    return ExitSignal(
        ExitRule.TRAILING_STOP,
        f"has fallen {fallen:.1f} % below its peak",
        {"worth": value, "peak": peak, "level": level, "paid": cost},
    )


def _no_profit(rules: ExitRules, figures: PositionFigures, now: datetime) -> ExitSignal | None:
    age = age_of(figures, now)
    if not rules.no_profit_seconds or age < rules.no_profit_seconds or figures.worth > figures.paid:
        return None
    known = {"age_seconds": age, "worth": figures.worth, "paid": figures.paid}
    return ExitSignal(ExitRule.NO_PROFIT, f"shows no profit after {age} s", known)


def _volume_stall(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    if not rules.volume_stall_blocks or figures.volume is None or figures.volume >= stall_level(rules):
        return None
    return ExitSignal(
        ExitRule.VOLUME_STALL,
        f"hardly anybody has traded for {rules.volume_stall_blocks} blocks",
        {"volume": figures.volume, "level": stall_level(rules), "blocks": rules.volume_stall_blocks},
    )


def _price_stall(rules: ExitRules, figures: PositionFigures, _now: datetime) -> ExitSignal | None:
    if not rules.price_stall_blocks or figures.low is None or figures.high is None:
        return None
    if figures.high >= gain_level(rules.price_stall_pct, figures.low):
        return None
    return ExitSignal(
        ExitRule.PRICE_STALL,
        f"the price has stood still for {rules.price_stall_blocks} blocks",
        {"low": figures.low, "high": figures.high, "blocks": rules.price_stall_blocks},
    )


def _time(rules: ExitRules, figures: PositionFigures, now: datetime) -> ExitSignal | None:
    age = age_of(figures, now)
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


Rule = Callable[[ExitRules, PositionFigures, datetime], ExitSignal | None]
RULES: tuple[Rule, ...] = (
    _liquidity, _stop_loss, _break_even, _take_profit, _trailing, _no_profit, _volume_stall, _price_stall, _time,
)  # fmt: skip
"""In the order of danger."""


def signals(rules: ExitRules, figures: PositionFigures, now: datetime) -> Iterator[ExitSignal]:
    """What each rule says by itself, in the order of danger."""
    for rule in RULES:
        signal = rule(rules, figures, now)
        if signal is not None:
            yield signal


def age_of(figures: PositionFigures, now: datetime) -> int:
    return int((now - figures.opened_at).total_seconds())


def gain_pct(figures: PositionFigures) -> Decimal:
    """Gain over what was paid, in percent; negative for a loss."""
    return Decimal(figures.worth - figures.paid) * 100 / figures.paid if figures.paid else Decimal(0)


# -- from a position ------------------------------------------------------------------------------------------------


def figures_of(
    position: Position,
    *,
    liquidity: int | None = None,
    sold: tuple[tuple[Decimal, int], ...] = (),
    volume: int | None = None,
    prices: tuple[int, int] | None = None,
) -> PositionFigures:
    """A position's figures at its last mark; `liquidity` is the pool's reserve if it has just been read."""
    kept = position.exit_rules
    entry, last = kept.get("entry_liquidity"), kept.get("liquidity")
    value = position.mark_value if position.mark_value is not None else position.spent - position.received
    parted = position.received > 0 and position.basis > 0
    return PositionFigures(
        paid=position.spent,
        value=value,
        peak=max(position.peak_value, value + position.received),
        opened_at=position.opened_at,
        received=position.received,
        liquidity=liquidity if liquidity is not None else (None if last is None else int(last)),
        entry_liquidity=None if entry is None else int(entry),
        quantity=position.quantity,
        original=int(kept.get("original") or 0),
        sold=sold,
        basis=position.basis if parted else None,
        rest_peak=_rest_peak(kept.get("best"), position.quantity, value) if parted else None,
        volume=volume,
        low=None if prices is None else prices[0],
        high=None if prices is None else prices[1],
    )


def ladder_of(position: Position, sold: tuple[tuple[Decimal, int], ...]) -> tuple[tuple[str, str, bool], ...]:
    """The steps of a position's ladder for a screen: gain, share, and whether it is done."""
    rules, figures = rules_of(position), figures_of(position, sold=sold)
    return tuple(
        (f"{step.gain.normalize():f}", f"{step.share.normalize():f}", step_left(step, figures) == 0)
        for step in rules.steps
    )


def _rest_peak(best: Any, quantity: int, value: int) -> int:
    """The best price ever seen, `[value, quantity]`, for what is still held."""
    if not best or not int(best[1]):
        return value
    return max(value, int(best[0]) * quantity // int(best[1]))


# Names that stood here before the rules got a file of their own.
__all__ = [
    "URGENT",
    "ExitRule",
    "ExitRules",
    "ExitSignal",
    "PositionFigures",
    "Step",
    "age_of",
    "decide",
    "figures_of",
    "gain_level",
    "gain_pct",
    "ladder_of",
    "rules_of",
    "signals",
    "steps_done",
]
