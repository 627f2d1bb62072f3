"""A position's own exit rules: a copy of the settings, fixed when it was opened and edited by name afterwards.

They stand as JSON in the position's row, beside what is observed of it (the pool's last reserve, the best price of
what is left) and what a person asked for (a hold, a sale). Rows of older versions know fewer names and still parse.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sniper_cli.settings.exits import ExitSettings, read_steps
from state.positions import Position


class ExitRule(StrEnum):
    """Why a position is sold. The values stand in orders, positions and reports."""

    LIQUIDITY_PENDING = "liquidity_pending"
    """A transaction that takes the pool's liquidity waits in the mempool."""
    SAFETY = "safety"
    """Judged again while held, the token no longer passes."""
    LIQUIDITY = "liquidity"
    STOP_LOSS = "stop_loss"
    BREAK_EVEN = "break_even"
    """It had gained, or steps of its ladder were done, and what is left is back at its cost."""
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    NO_PROFIT = "no_profit"
    VOLUME_STALL = "volume_stall"
    PRICE_STALL = "price_stall"
    TIME = "time"
    BY_HAND = "by_hand"
    """Somebody asked for it while a sniper was at work."""
    END = "end"
    """The run is over and closes what it holds."""


URGENT = frozenset({ExitRule.LIQUIDITY_PENDING, ExitRule.SAFETY, ExitRule.LIQUIDITY})
"""Rules that flee: they bid for the next block and take almost any price. A hold does not silence them."""

HUNDRED = Decimal(100)


class Step(NamedTuple):
    """One step of a ladder: at this gain, this share of the original quantity is sold. Both in percent."""

    gain: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class ExitRules:
    """What a position is left by. Zero turns a rule off."""

    take_profit_pct: Decimal = Decimal(0)
    stop_loss_pct: Decimal = Decimal(0)
    trailing_activation_pct: Decimal = Decimal(0)
    trailing_pct: Decimal = Decimal(0)
    max_age_seconds: int = 0
    liquidity_drop_pct: Decimal = Decimal(0)
    watch_pending: bool = False
    slippage_bps: int = 3000
    take_profit: tuple[str, ...] = ()
    break_even_pct: Decimal = Decimal(0)
    break_even_steps: int = 0
    no_profit_seconds: int = 0
    volume_stall_blocks: int = 0
    volume_stall_coins: Decimal = Decimal(0)
    price_stall_blocks: int = 0
    price_stall_pct: Decimal = Decimal(0)

    @classmethod
    def from_settings(cls, settings: ExitSettings) -> ExitRules:
        return cls(**{name: getattr(settings, name) for name in NAMES})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ExitRules:
        """The rules as a position keeps them; unknown keys (entry figures) are another reader's."""
        return cls(**{name: _READ[name](data[name]) for name in NAMES if data.get(name) is not None})

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in NAMES}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The ladder, lowest gain first; a plain take-profit is a ladder of one step."""
        if self.take_profit:
            return tuple(Step(*step) for step in read_steps(self.take_profit))
        return (Step(self.take_profit_pct, HUNDRED),) if self.take_profit_pct else ()


NAMES = tuple(field.name for field in fields(ExitRules))


def _reader(name: str, kind: str) -> Any:
    if name == "take_profit":
        return lambda words: tuple(str(word) for word in words)
    return {"int": int, "bool": bool}.get(kind, Decimal)


_READ = {field.name: _reader(field.name, str(field.type)) for field in fields(ExitRules)}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def rules_of(position: Position) -> ExitRules:
    """The rules a position was opened with, as edited since."""
    return ExitRules.from_json(position.exit_rules)


__all__ = ["HUNDRED", "NAMES", "URGENT", "ExitRule", "ExitRules", "Step", "rules_of"]
