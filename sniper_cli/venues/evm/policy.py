"""How orders are turned into transactions: fees, slippage, gas, deadlines, patience, and the door they leave by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sniper_cli.chains.fee_history import FeeMarket
from sniper_cli.chains.fees import Fees, legacy, quote_fees, worth_at_most
from sniper_cli.chains.l1_fees import oracle_of
from sniper_cli.chains.ladder import EIGHTH_BPS
from sniper_cli.chains.node import Head
from state.orders import Side
from state.transactions import Channel

if TYPE_CHECKING:
    from sniper_cli.settings.fees import FeeSettings
    from sniper_cli.settings.model import SnipingSettings

GWEI = 10**9
BPS = 10_000
IN_TIME = -1
"""The urgency of what has time: an approval taken back."""


class Strategy(StrEnum):
    """Where a tip comes from."""

    FIXED = "fixed"
    PERCENTILE = "percentile"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class ExecutionPolicy:
    """The venue's settings, in wei, basis points, seconds and blocks."""

    priority_fee: int = 2 * GWEI
    max_fee: int = 300 * GWEI
    exit_max_fee: int = 0
    """The highest fee cap of a sale; 0: `max_fee`."""
    buy_slippage_bps: int = 1500
    sell_slippage_bps: int = 3000
    deadline_seconds: int = 120
    """A swap not mined by then reverts instead of trading at a price nobody asked for."""
    stale_blocks: int = 10
    """A launch buy that was never known to be sent is not worth sending so many blocks later."""
    stuck_blocks: int = 3
    """Not mined after so many blocks: the bid is raised."""
    ladder_step_bps: int = EIGHTH_BPS
    """… by so much."""
    gas_per_trade: int = 0
    """The most that a purchase's gas may cost, in wei; 0: no cap but that of the fee."""
    gas_per_day: int = 0
    """… and all gas of an account in a day (UTC), before another purchase; 0: no cap."""
    confirmations: int = 12
    """For so many blocks a mined transaction is looked at again, lest a reorganisation took it back."""
    strategy: Strategy = Strategy.FIXED
    percentiles: tuple[int, int, int, int] = (10, 50, 90, 99)
    """Of others' tips: for what has time, for an ordinary trade, for one in a hurry, for an escape."""
    history_blocks: int = 20
    market: FeeMarket | None = None
    """What others tip, where the strategy asks for it; none: not learned, and the fixed tip is bid."""
    legacy: bool = False
    expected_profit_bps: int = 0
    """What a purchase is expected to gain of its budget; 0: unknown."""
    profit_share_bps: int = 5_000
    """How much of that its tip may take."""
    channel: Channel = Channel.PUBLIC
    exit_channel: Channel = Channel.PUBLIC
    relay_blocks: int = 25
    l1_oracle: str = ""
    """The contract that tells what a transaction pays for its place on the chain below; none: nothing."""
    keep_approvals: bool = False
    """What is left of an approval once a position is closed stays."""
    public_after_blocks: int = 0
    """What no relay has placed in so many blocks goes to the mempool after all; 0: never."""

    @classmethod
    def from_settings(
        cls, sniping: SnipingSettings, fees: FeeSettings | None = None, chain_id: int = 0
    ) -> ExecutionPolicy:
        """The policy that a profile's settings ask for on a chain."""
        if fees is None:
            from sniper_cli.settings.fees import FeeSettings

            fees = FeeSettings()
        return cls(
            priority_fee=int(sniping.priority_fee_gwei.scaleb(9)),
            max_fee=int(sniping.max_fee_gwei.scaleb(9)),
            exit_max_fee=int(fees.exit_max_fee_gwei.scaleb(9)),
            buy_slippage_bps=sniping.slippage_bps,
            sell_slippage_bps=sniping.exits.slippage_bps,
            stuck_blocks=fees.ladder_blocks,
            ladder_step_bps=int(fees.ladder_step_pct * 100),
            gas_per_trade=int(sniping.max_gas_per_trade.scaleb(18)),
            gas_per_day=int(sniping.max_gas_per_day.scaleb(18)),
            strategy=Strategy(fees.strategy),
            percentiles=fees.percentiles,
            history_blocks=fees.history_blocks,
            legacy=fees.legacy,
            expected_profit_bps=int(fees.expected_profit_pct * 100),
            profit_share_bps=int(fees.profit_share_pct * 100),
            channel=Channel(fees.channel),
            exit_channel=Channel(fees.exit_channel),
            relay_blocks=fees.relay_blocks,
            l1_oracle=oracle_of(fees.l1_oracle, chain_id),
            keep_approvals=fees.keep_approvals,
            public_after_blocks=fees.public_after_blocks,
        )

    def bid(
        self, head: Head, *, urgency: int = 0, outbid_fee: int | None = None, side: Side = Side.BUY
    ) -> Fees:
        """What to offer for the next blocks. Raises OrderRefused where the fee cap lies below the base fee."""
        bid = quote_fees(
            head,
            priority_fee=self.priority_fee,
            max_fee_cap=self.cap_of(side),
            urgency=urgency,
            outbid_fee=outbid_fee,
            market_tip=self._market_tip(head, urgency),
        )
        return legacy(bid) if self.legacy else bid

    def _market_tip(self, head: Head, urgency: int) -> int | None:
        """What the market asks for an urgency; none: the fixed tip is bid."""
        if self.market is None:
            return None
        if self.legacy and self.strategy is not Strategy.FIXED and self.market.gas_price is not None:
            return max(0, self.market.gas_price - head.base_fee) << max(0, urgency)
        if self.strategy is Strategy.PERCENTILE:
            return self.market.tips.get(self.percentiles[min(3, max(IN_TIME, urgency) + 1)])
        if self.strategy is Strategy.HINT and self.market.hint is not None:
            return self.market.hint << max(0, urgency)
        return None

    def worth(self, fees: Fees, gas: int, budget: int) -> Fees:
        """A purchase's bid, its tip held against what it is expected to gain."""
        if not self.expected_profit_bps:
            return fees
        profit = budget * self.expected_profit_bps // BPS
        cut = worth_at_most(fees, gas=gas, profit=profit, share_bps=self.profit_share_bps)
        return legacy(cut) if self.legacy else cut

    def cap_of(self, side: Side) -> int:
        """The highest fee cap of a purchase, or of a sale."""
        return self.exit_max_fee or self.max_fee if side is Side.SELL else self.max_fee

    def fee_cap(self, side: Side, gas: int) -> int:
        """The highest fee cap that a transaction of so much gas may ever be raised to."""
        if side is Side.BUY and self.gas_per_trade:
            return min(self.max_fee, self.gas_per_trade // max(1, gas))
        return self.cap_of(side)
