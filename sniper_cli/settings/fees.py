"""What a transaction bids, how it is raised, and through which door it leaves.

`sniping.priority_fee_gwei`, `sniping.max_fee_gwei`, `sniping.max_gas_per_trade` and `sniping.max_gas_per_day` stay
where they are: the fixed tip, the cap on every bid, and the caps on what gas may cost.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from sniper_cli.settings.kinds import Table, Words

CHANNEL = "^(public|private|bundle)$"


class FeeSettings(Table):
    """What a transaction bids, how it is raised, and through which door it leaves."""

    strategy: str = Field(default="fixed", pattern="^(fixed|percentile|hint)$")
    """`fixed` tips `sniping.priority_fee_gwei`, `percentile` what others paid lately, `hint` what the node proposes."""
    percentiles: tuple[int, int, int, int] = (10, 50, 90, 99)
    """Of the tips of the last blocks: for what has time, for an ordinary trade, for one in a hurry, for an escape."""
    history_blocks: int = Field(default=20, ge=1, le=1024)
    """How many blocks the percentiles look back."""
    legacy: bool = False
    """The chain knows no EIP-1559: one gas price a transaction (type 0)."""
    l1_oracle: str = Field(default="auto", pattern="^(auto|none|op_stack)$")
    """Who tells what a transaction pays for its place on the chain below; `auto`: what the chain is known for."""
    ladder_blocks: int = Field(default=3, ge=1)
    """A transaction that waits is raised after so many blocks, and after so many again."""
    ladder_step_pct: Decimal = Field(default=Decimal("12.5"), ge=Decimal("12.5"), le=1000)
    """By how much each step raises both fees; no node takes less than an eighth from all senders."""
    expected_profit_pct: Decimal = Field(default=Decimal(0), ge=0)
    """What a purchase is expected to gain, of its amount; 0: unknown, and the tip is not held against it."""
    profit_share_pct: Decimal = Field(default=Decimal(50), gt=0, le=100)
    """How much of that gain the tip may take."""
    channel: str = Field(default="public", pattern=CHANNEL)
    """How purchases are sent: to the mempool, privately to a relay, or as a bundle."""
    exit_max_fee_gwei: Decimal = Field(default=Decimal(0), ge=0)
    """The highest fee cap of a sale; 0: that of everything, `sniping.max_fee_gwei`. Getting out may be worth more."""
    exit_channel: str = Field(default="public", pattern=CHANNEL)
    """How sales are sent; an approval that a sale needs goes with it."""
    keep_approvals: bool = False
    """Leave what is left of an approval once its position is closed; else it is taken back."""
    relays: Words = ()
    """Names of endpoints of kind `relay`, the first that is enabled takes what is private."""
    relay_blocks: int = Field(default=25, ge=1, le=25)
    """For how many blocks a relay is asked to place a transaction, before it is replaced under its nonce."""
    public_after_blocks: int = Field(default=0, ge=0)
    """What no relay has placed in so many blocks goes to the mempool after all; 0: never."""


__all__ = ["FeeSettings"]
