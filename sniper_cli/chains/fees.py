"""EIP-1559 fees: what to offer so that a transaction is mined soon, and never more than the cap.

The base fee rises by at most one eighth from block to block (EIP-1559), so a fee cap of base · 1.125^k + tip
stays valid for k blocks, whatever happens. What is not needed is not paid.
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
) -> Fees:
    """A bid for the next blocks. Raises OrderRefused where the cap lies below the base fee.

    Each step of urgency doubles the tip. `outbid_fee` is the fee cap of a pending transaction to get ahead of: ours
    becomes higher, and so does the tip, since builders order by what they earn (anvil orders by fee cap). With the
    target's tip unknown ours must beat the most it can be, its cap less the base fee.
    """
    if max_fee_cap <= head.base_fee:
        raise OrderRefused(
            f"the base fee of {head.base_fee} wei stands at or above the fee cap of {max_fee_cap} wei",
            hint="sniper config show",
            base_fee=str(head.base_fee),
            max_fee_cap=str(max_fee_cap),
        )
    tip = priority_fee << urgency
    ceiling = base_fee_after(head.base_fee, CALM_BLOCKS + URGENT_BLOCKS * urgency)
    if outbid_fee is None:
        max_fee = ceiling + tip
    else:
        target = max(0, outbid_fee - head.base_fee) if outbid_tip is None else outbid_tip
        tip = max(tip, target + 1)
        max_fee = max(ceiling + tip, outbid_fee + 1)
    max_fee = min(max_fee, max_fee_cap)
    return Fees(max_fee, min(tip, max_fee))


def replacement_fees(previous: Fees, market: Fees, *, max_fee_cap: int) -> Fees:
    """A bid that replaces an earlier one under the same nonce: both fields an eighth higher, or the market's if more.

    Nodes ask 10 % on both fields (geth, erigon, reth), some 12.5 %; an eighth rounded up and one wei satisfies all.
    """
    bid = Fees(
        max(_bumped(previous.max_fee), market.max_fee),
        max(_bumped(previous.priority_fee), market.priority_fee),
    )
    if bid.max_fee > max_fee_cap:
        raise OrderRefused(
            f"replacing the transaction takes a fee cap of {bid.max_fee} wei, the settings allow {max_fee_cap} wei",
            hint="sniper config show",
            needed=str(bid.max_fee),
            max_fee_cap=str(max_fee_cap),
        )
    return bid


def _bumped(fee: int) -> int:
    return fee + -(-fee // 8) + 1
