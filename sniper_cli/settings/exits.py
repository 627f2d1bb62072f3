"""When a position is left: the settings that a new position copies its rules from."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pydantic import Field, field_validator

from sniper_cli.settings.kinds import Bps, Table, Words

MOST_STEPS = 10


class ExitSettings(Table):
    """When a position is left. Percentages are of what was paid, gas apart; zero turns a rule off."""

    take_profit_pct: Decimal = Field(default=Decimal(60), ge=0)
    """Sell everything at this gain. Where `take_profit` names steps, they count instead."""
    take_profit: Words = ()
    """Steps `GAIN:SHARE` in percent: `["100:50", "300:25"]` sells half at twice the price, a quarter at four times."""
    stop_loss_pct: Decimal = Field(default=Decimal(30), ge=0, lt=100)
    break_even_pct: Decimal = Field(default=Decimal(0), ge=0)
    """Once the position has gained this much it is sold when what is left is worth no more than it cost."""
    break_even_steps: int = Field(default=0, ge=0, le=MOST_STEPS)
    """The same once so many steps of `take_profit` are done."""
    trailing_activation_pct: Decimal = Field(default=Decimal(15), ge=0)
    """The trailing stop wakes when the position has gained this much."""
    trailing_pct: Decimal = Field(default=Decimal(12), ge=0, lt=100)
    """… and sells when the value falls this far below its peak."""
    max_age_seconds: int = Field(default=3600, ge=0)
    no_profit_seconds: int = Field(default=0, ge=0)
    """Sell what is worth no more than was paid after this time."""
    volume_stall_blocks: int = Field(default=0, ge=0, le=10_000)
    """Sell when for so many blocks less than `volume_stall_coins` went through the pool …"""
    volume_stall_coins: Decimal = Field(default=Decimal(0), ge=0)
    """… 0: when nobody traded at all."""
    price_stall_blocks: int = Field(default=0, ge=0, le=10_000)
    """Sell when for so many blocks the price moved less than `price_stall_pct` between its lowest and its highest."""
    price_stall_pct: Decimal = Field(default=Decimal(1), ge=0)
    liquidity_drop_pct: Decimal = Field(default=Decimal(30), ge=0, le=100)
    """Sell when the pool's reserve of the coin falls this far below what it was at entry."""
    watch_pending: bool = True
    """Sell at the sight of a pending removal of liquidity, ahead of it."""
    slippage_bps: Bps = 3000
    stuck_after: int = Field(default=5, ge=1)
    """After so many failed sales in a row an exit is reported as stuck, loudly; it is tried on all the same."""
    follow_up_blocks: Words = ("50", "500", "5000")
    """At these ages a launch that was not bought is looked at again, to learn whether that was right."""

    @field_validator("take_profit")
    @classmethod
    def _steps(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        read_steps(words)
        return words

    @field_validator("follow_up_blocks")
    @classmethod
    def _ages(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if any(not str(word).isdecimal() or int(word) <= 0 for word in words):
            raise ValueError("ages are whole numbers of blocks above zero")
        return words


def read_steps(words: tuple[str, ...] | list[str]) -> tuple[tuple[Decimal, Decimal], ...]:
    """The steps of a ladder as (gain, share) in percent, lowest gain first. Raises ValueError."""
    if len(words) > MOST_STEPS:
        raise ValueError(f"a ladder has at most {MOST_STEPS} steps")
    steps = []
    for word in words:
        gain, colon, share = str(word).partition(":")
        try:
            step = Decimal(gain), Decimal(share if colon else 100)
        except InvalidOperation:
            raise ValueError(f"{word!r} is no step: GAIN:SHARE in percent, 100:50") from None
        if not (step[0].is_finite() and step[1].is_finite() and step[0] > 0 and 0 < step[1] <= 100):
            raise ValueError(f"{word!r}: the gain must be above 0, the share above 0 and at most 100")
        steps.append(step)
    steps.sort()
    if len({gain for gain, _ in steps}) < len(steps):
        raise ValueError("two steps stand at the same gain")
    if sum(share for _, share in steps) > 100:
        raise ValueError("the shares add up to more than 100 %")
    return tuple(steps)
