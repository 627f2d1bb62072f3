"""What the operator takes and what he refuses, in whole units: the settings as a judgement needs them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from sniper_cli.settings.model import SnipingSettings

COIN = 10**18
GWEI = 10**9
BLOCK_SECONDS = 12


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """The limits that a token is held against, and how the purchase would be sent. Shares in basis points."""

    max_buy_tax_bps: int = 1000
    max_sell_tax_bps: int = 1000
    min_liquidity: int = COIN
    """Wei of the wrapped coin in the pool."""
    max_share_of_pool_bps: int = 1000
    max_sell_gas: int = 2_000_000
    priority_fee: int = 2 * GWEI
    max_fee: int = 300 * GWEI
    block_seconds: int = BLOCK_SECONDS

    @classmethod
    def from_settings(
        cls, settings: SnipingSettings, *, block_seconds: Decimal | int = BLOCK_SECONDS
    ) -> Self:
        """The policy that the sniping settings mean."""
        return cls(
            max_buy_tax_bps=settings.max_buy_tax_bps,
            max_sell_tax_bps=settings.max_sell_tax_bps,
            min_liquidity=int(settings.min_liquidity * COIN),
            max_share_of_pool_bps=settings.max_share_of_pool_bps,
            max_sell_gas=settings.max_sell_gas,
            priority_fee=int(settings.priority_fee_gwei * GWEI),
            max_fee=int(settings.max_fee_gwei * GWEI),
            block_seconds=max(1, int(block_seconds)),
        )
