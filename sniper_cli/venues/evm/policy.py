"""How orders are turned into transactions: fees, slippage, gas, deadlines, patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sniper_cli.settings.model import SnipingSettings

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class ExecutionPolicy:
    """The venue's settings, in wei, basis points, seconds and blocks."""

    priority_fee: int = 2 * GWEI
    max_fee: int = 300 * GWEI
    buy_slippage_bps: int = 1500
    sell_slippage_bps: int = 3000
    deadline_seconds: int = 120
    """A swap not mined by then reverts instead of trading at a price nobody asked for."""
    stale_blocks: int = 10
    """A launch buy that was never known to be sent is not worth sending so many blocks later."""
    stuck_blocks: int = 3
    """Not mined after so many blocks: the bid is raised."""
    gas_per_trade: int = 0
    """The most that a purchase's gas may cost, in wei; 0: no cap but that of the fee."""
    gas_per_day: int = 0
    """… and all gas of an account in a day (UTC), before another purchase; 0: no cap."""
    confirmations: int = 12
    """For so many blocks a mined transaction is looked at again, lest a reorganisation took it back."""

    @classmethod
    def from_settings(cls, sniping: SnipingSettings) -> ExecutionPolicy:
        """The policy that a profile's settings ask for."""
        return cls(
            priority_fee=int(sniping.priority_fee_gwei.scaleb(9)),
            max_fee=int(sniping.max_fee_gwei.scaleb(9)),
            buy_slippage_bps=sniping.slippage_bps,
            sell_slippage_bps=sniping.exits.slippage_bps,
            gas_per_trade=int(sniping.max_gas_per_trade.scaleb(18)),
            gas_per_day=int(sniping.max_gas_per_day.scaleb(18)),
        )
