"""Raising a bid that waits: under the same nonce, rung by rung, until it is mined or the budget is at its end.

Every client has its own rule for what may take a waiting transaction's place, and a transaction meets several clients
on its way: the only bid that counts is one that all of them take. A rule is data here, and a test holds every rung
against all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sniper_cli.chains.fees import Fees
from sniper_cli.errors import OrderRefused

EIGHTH_BPS = 1_250
"""12.5 %: the strictest published rule, that of the former Parity. No rung is lower."""
BPS = 10_000


@dataclass(frozen=True, slots=True)
class ReplacementRule:
    """What a client asks of a transaction that shall take a waiting one's place."""

    client: str
    cap_bps: int
    """By how much the fee cap must rise."""
    tip_bps: int
    """… and the tip."""
    strictly: bool = True
    """Both fields must really rise, where the share of a small one is less than a wei."""
    source: str = ""

    def accepts(self, old: Fees, new: Fees) -> bool:
        """Whether this client takes `new` in the place of `old`."""
        least = self.strictly
        return (
            new.max_fee * BPS >= old.max_fee * (BPS + self.cap_bps)
            and new.priority_fee * BPS >= old.priority_fee * (BPS + self.tip_bps)
            and new.max_fee >= old.max_fee + least
            and new.priority_fee >= old.priority_fee + (least and self.tip_bps > 0)
        )


RULES: tuple[ReplacementRule, ...] = (
    ReplacementRule("geth", 1_000, 1_000, source="core/txpool/legacypool: PriceBump 10, both fields"),
    ReplacementRule("erigon", 1_000, 1_000, source="txpoolcfg: PriceBump 10, both fields"),
    ReplacementRule(
        "reth", 1_000, 1_000, source="crates/transaction-pool/src/config.rs: DEFAULT_PRICE_BUMP 10"
    ),
    ReplacementRule("nethermind", 1_000, 1_000, source="CompareReplacedTxByFee: a tenth of both fields"),
    ReplacementRule(
        "besu", 1_000, 1_000, strictly=False, source="--tx-pool-price-bump 10, at least (besu#6079)"
    ),
    ReplacementRule("parity", 1_250, 1_250, source="OpenEthereum: 12.5 % (old price >> 3)"),
    ReplacementRule("anvil", 0, 0, source="measured: any higher fee cap"),
)
"""What clients ask of ordinary transactions. With their defaults; an operator may ask more."""

BLOB_RULE = ReplacementRule("blob", 10_000, 10_000, source="geth core/txpool/blobpool: 100 % on every field")
"""Transactions with blobs, which Sniper does not send: why their rule is not among those a rung satisfies."""


def bumped(fee: int, step_bps: int = EIGHTH_BPS) -> int:
    """A fee one step higher, rounded up and a wei more: enough for every rule, at any size."""
    return fee + -(-fee * step_bps // BPS) + 1


def replacement_fees(previous: Fees, market: Fees, *, max_fee_cap: int, step_bps: int = EIGHTH_BPS) -> Fees:
    """A bid that replaces an earlier one under the same nonce: both fields a step higher, or the market's if more.

    Raises OrderRefused where that takes more than the cap.
    """
    least = Fees(bumped(previous.max_fee, step_bps), bumped(previous.priority_fee, step_bps))
    if least.max_fee > max_fee_cap:
        raise OrderRefused(
            f"replacing the transaction takes a fee cap of {least.max_fee} wei, the settings allow {max_fee_cap} wei",
            hint="sniper config show",
            needed=str(least.max_fee),
            max_fee_cap=str(max_fee_cap),
        )
    max_fee = max(least.max_fee, min(market.max_fee, max_fee_cap))
    return Fees(max_fee, min(max_fee, max(least.priority_fee, market.priority_fee)))


def rungs(first: Fees, *, max_fee_cap: int, step_bps: int = EIGHTH_BPS) -> Iterator[Fees]:
    """The bids after `first`, each in the place of the one before, while the cap allows another."""
    bid, nothing = first, Fees(0, 0)
    while True:
        try:
            bid = replacement_fees(bid, nothing, max_fee_cap=max_fee_cap, step_bps=step_bps)
        except OrderRefused as at_its_end:
            del at_its_end  # the ladder is as long as the cap is high
            return
        yield bid


def below(max_fee_cap: int, step_bps: int = EIGHTH_BPS) -> int:
    """The highest bid that leaves one rung under the cap: room for the transfer of nothing that ends it."""
    low, high = 0, max_fee_cap
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bumped(middle, step_bps) <= max_fee_cap else (low, middle - 1)
    return low


__all__ = [
    "BLOB_RULE", "EIGHTH_BPS", "RULES", "ReplacementRule", "below", "bumped", "replacement_fees", "rungs",
]  # fmt: skip
