"""EIP-1559 fees: what to offer so that a transaction is mined soon, and never more than the cap.

The base fee rises by at most one eighth from block to block (EIP-1559), so a fee cap of base · 1.125^k + tip
stays valid for k blocks, whatever happens. What is not needed is not paid. Raising a bid that waits: `ladder`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sniper_cli.chains.node import Head
from sniper_cli.errors import OrderRefused

CALM_BLOCKS = 3
"""How many full blocks in a row an ordinary bid outlives: base · 1.42."""
URGENT_BLOCKS = 3
"""… and how many more for each step of urgency."""


@dataclass(frozen=True, slots=True)
class Fees:
    """The two fee fields of a transaction, in wei per gas."""

    max_fee: int
    priority_fee: int

    def effective(self, base_fee: int) -> int:
        """What a gas costs in a block of that base fee."""
        return min(self.max_fee, base_fee + self.priority_fee)


def base_fee_after(base_fee: int, blocks: int) -> int:
    """The highest base fee possible that many blocks later, rounded up at each."""
    for _ in range(blocks):
        base_fee += max(1, -(-base_fee // 8))
    return base_fee


def quote_fees(
    head: Head,
    *,
    priority_fee: int,
    max_fee_cap: int,
    urgency: int = 0,
    outbid_fee: int | None = None,
    outbid_tip: int | None = None,
    market_tip: int | None = None,
) -> Fees:
    """A bid for the next blocks. Raises OrderRefused where the cap lies below the base fee.

    Each step of urgency doubles the tip, unless `market_tip` says what that urgency costs now. `outbid_fee` is the fee
    cap of a pending transaction to get ahead of: ours becomes higher, and so does the tip, since builders order by what
    they earn (anvil orders by fee cap). With the target's tip unknown ours must beat the most it can be, its cap less
    the base fee.
    """
    if max_fee_cap <= head.base_fee:
        raise OrderRefused(
            f"the base fee of {head.base_fee} wei stands at or above the fee cap of {max_fee_cap} wei",
            hint="sniper config show",
            base_fee=str(head.base_fee),
            max_fee_cap=str(max_fee_cap),
        )
    tip = priority_fee << max(0, urgency) if market_tip is None else market_tip
    ceiling = base_fee_after(head.base_fee, CALM_BLOCKS + URGENT_BLOCKS * max(0, urgency))
    if outbid_fee is None:
        max_fee = ceiling + tip
    else:
        target = max(0, outbid_fee - head.base_fee) if outbid_tip is None else outbid_tip
        tip = max(tip, target + 1)
        max_fee = max(ceiling + tip, outbid_fee + 1)
    max_fee = min(max_fee, max_fee_cap)
    return Fees(max_fee, min(tip, max_fee))


def fees_behind(target: Fees, *, max_fee_cap: int) -> Fees:
    """A bid that comes right behind a waiting one in the same block, whatever builders order by: a wei less of both.

    What each pays above the base fee is the lesser of its tip and its room under the cap, so whatever the base fee
    will be ours is one wei below. Where the target tips nothing both do, and the one that came first stands first.
    """
    max_fee = min(target.max_fee - 1, max_fee_cap)
    return Fees(max_fee, max(0, min(target.priority_fee - 1, max_fee)))


def worth_at_most(fees: Fees, *, gas: int, profit: int, share_bps: int) -> Fees:
    """The same bid with its tip cut to a share of what the trade is expected to gain.

    What the tip gives up the cap gives up too: it was there to pay the tip.
    """
    most = profit * share_bps // 10_000 // max(1, gas)
    cut = max(0, fees.priority_fee - most)
    return Fees(fees.max_fee - cut, fees.priority_fee - cut)


def legacy(fees: Fees) -> Fees:
    """The bid on a chain without EIP-1559: one gas price, stored as both fields."""
    return Fees(fees.max_fee, fees.max_fee)
