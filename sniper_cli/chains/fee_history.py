"""What others tip: read from the last blocks, or proposed by the node.

The percentiles are taken within each block by the node, and of the blocks the median is taken here: one block with a
bidding war in it does not make every bid dear. Blocks nobody paid in say nothing. The node's own hint is a low one on
purpose (the 60th percentile of the three cheapest tips of twenty blocks, in geth and those that followed it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused

LEAST_HINT = 2
"""Wei per gas below which a node's hint is an empty mempool's answer and no price (geth ignores such tips too)."""


@dataclass(frozen=True, slots=True)
class FeeMarket:
    """Tips as of one block, in wei per gas. What could not be learned is missing."""

    block: int
    tips: dict[int, int] = field(default_factory=dict)
    """By percentile."""
    hint: int | None = None
    gas_price: int | None = None
    """What a chain without EIP-1559 asks."""


async def read_market(node: Node, percentiles: Sequence[int], blocks: int) -> FeeMarket:
    """The market as the node tells it now, in one request. Raises NodeUnreachable, NodeTimeout."""
    wanted = sorted(set(percentiles))
    history, hint, price, number = await node.batch(
        [
            ("eth_feeHistory", [hex(blocks), "latest", wanted]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
            ("eth_blockNumber", []),
        ],
        return_errors=True,
    )
    if isinstance(number, NodeRefused):
        raise number
    tip = _number(hint)
    return FeeMarket(
        int(number, 16),
        tips_in(history, wanted) if isinstance(history, dict) else {},
        tip if tip is not None and tip >= LEAST_HINT else None,
        _number(price),
    )


def tips_in(history: dict[str, Any], percentiles: Sequence[int]) -> dict[int, int]:
    """The median over the blocks that carried transactions, percentile by percentile, never falling."""
    rewards = history.get("reward") or []
    used = history.get("gasUsedRatio") or []
    rows = [row for row, ratio in zip(rewards, used, strict=False) if row and ratio]
    if not rows:
        return {}
    found: dict[int, int] = {}
    highest = 0
    for place, percentile in enumerate(percentiles):
        highest = max(highest, median_low(int(row[place], 16) for row in rows))
        found[percentile] = highest
    return found


def _number(answer: Any) -> int | None:
    return int(answer, 16) if isinstance(answer, str) else None
