"""Exit rules as the numbers at which they fire, for looking at a thousand positions at every mark.

`exits.decide` answers in Decimals and sentences and takes 15 µs a position, which is nothing for the one that is sold
and too much for the thousand that are kept. Here the rules of a position are worked out once into whole numbers; a
look is five comparisons. Whatever fires is then decided by `decide`, which stays the one that says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from sniper_cli.sniping.exits import (
    PositionFigures,
    decide,
    figures_of,
    gain_level,
    liquidity_level,
    stall_level,
    stop_loss_level,
    take_profit_level,
    wake_level,
)
from sniper_cli.sniping.rules import NAMES, ExitRules, rules_of
from state.positions import Position
from state.writing import instant, micros

NEVER = 1 << 400
"""Further than any amount (2^256) and any time: a rule that is off."""

RULES = (*NAMES, "entry_liquidity")
"""What of a position's rules the thresholds depend on; its last reading of the pool stands beside them."""
FIXED = itemgetter(*RULES)
"""All of them at once; some are missing where a position has no rules."""


class Thresholds:
    """One position's rules in quote units and microseconds; good while what was paid stays and nothing was sold."""

    __slots__ = (
        "_arm", "_deadline", "_hopeful", "_over", "_spread", "_still", "_stop", "_take", "_thin", "_under", "_wake",
        "paid",
    )  # fmt: skip

    def __init__(self, rules: ExitRules, figures: PositionFigures) -> None:
        self.paid = figures.paid
        opened = micros(figures.opened_at)
        self._stop = stop_loss_level(rules, figures.paid) if rules.stop_loss_pct else -NEVER
        self._take = take_profit_level(rules, figures.paid) if rules.steps else NEVER
        self._wake, self._over, self._under = NEVER, 0, 1
        if rules.trailing_pct:
            self._wake = wake_level(rules, figures.paid)
            numerator, denominator = rules.trailing_pct.as_integer_ratio()
            self._over, self._under = 100 * denominator - numerator, 100 * denominator
        self._arm = gain_level(rules.break_even_pct, figures.paid) if rules.break_even_pct else NEVER
        self._hopeful = opened + rules.no_profit_seconds * 1_000_000 if rules.no_profit_seconds else NEVER
        self._deadline = opened + rules.max_age_seconds * 1_000_000 if rules.max_age_seconds else NEVER
        self._still = stall_level(rules) if rules.volume_stall_blocks else 0
        self._spread = rules.price_stall_pct if rules.price_stall_blocks else None
        self._thin = -NEVER
        if rules.liquidity_drop_pct and figures.entry_liquidity:
            self._thin = liquidity_level(rules, figures.entry_liquidity)

    def reached(
        self,
        worth: int,
        peak: int,
        now: int,
        liquidity: int | None = None,
        volume: int | None = None,
        prices: tuple[int, int] | None = None,
    ) -> bool:
        """Whether a rule fires: `worth` is the mark with what was received already, `peak` its highest, this one
        included, `now` in microseconds."""
        return (
            worth <= self._stop
            or worth >= self._take
            or now >= self._deadline
            or (peak >= self._wake and worth <= peak * self._over // self._under)
            or (liquidity is not None and liquidity < self._thin)
            or (worth <= self.paid and (peak >= self._arm or now >= self._hopeful))
            or (volume is not None and volume < self._still)
            or (
                prices is not None
                and self._spread is not None
                and prices[1] < gain_level(self._spread, prices[0])
            )
        )


class Watchlist:
    """The thresholds of positions, worked out anew where a position's rules or what was paid for it have changed."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[tuple[Any, ...], Thresholds]] = {}

    def fires(
        self,
        position: Position,
        now: int,
        liquidity: int | None = None,
        *,
        sold: tuple[tuple[Decimal, int], ...] = (),
        volume: int | None = None,
        prices: tuple[int, int] | None = None,
    ) -> bool:
        """Whether a rule of the position says sell at its present mark; `now` in microseconds.

        One that was sold in part is rare and is decided by the rules themselves.
        """
        rules, spent, received = position.exit_rules, position.spent, position.received
        if received or sold:
            figures = figures_of(position, liquidity=liquidity, sold=sold, volume=volume, prices=prices)
            return decide(rules_of(position), figures, instant(now)) is not None
        try:
            fixed = FIXED(rules)
        except KeyError:
            fixed = tuple(map(rules.get, RULES))
        known = self._known.get(position.id)
        if known is None or known[0] != fixed or known[1].paid != spent:
            known = self._known[position.id] = fixed, Thresholds(rules_of(position), figures_of(position))
        marked = position.mark_value
        worth = spent if marked is None else marked
        if liquidity is None and (last := rules.get("liquidity")) is not None:
            liquidity = int(last)
        peak = position.peak_value
        return known[1].reached(worth, max(worth, peak), now, liquidity, volume, prices)

    def keep(self, positions: Iterable[UUID]) -> None:
        """Forget all others."""
        wanted = set(positions)
        self._known = {key: known for key, known in self._known.items() if key in wanted}


__all__ = ["NEVER", "Thresholds", "Watchlist"]
