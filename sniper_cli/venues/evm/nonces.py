"""Which nonce is the next, where several nodes are one.

A node's pending count is its own: it may lag, or lie. How many transactions of an address are mined is a fact of the
chain, and several nodes must say it alike before a purchase is signed under a nonce that follows from it.
"""

from __future__ import annotations

from dataclasses import replace

from sniper_cli.chains.node import Node
from sniper_cli.errors import NodesDisagree, NoQuorum
from sniper_cli.venues.evm.calls import SwapRequest


async def mined_count(node: Node, address: str, at_once: int | None = None) -> int:
    """How many transactions of an address are in blocks. `at_once`: what the one node said that was asked anyway.

    Raises NodesDisagree, NoQuorum, NetworkError.
    """
    if at_once is not None and node.quorum < 2:
        return at_once
    (count,) = await node.decided([("eth_getTransactionCount", [address, "latest"])])
    return int(count, 16)


async def least_nonce(node: Node, address: str, *, must_agree: bool) -> int:
    """A nonce that no transaction may be signed below; 0 where one node is all there is to ask.

    `must_agree`: where the nodes do not, a purchase is not made. A sale is: under a nonce that was used it fails and is
    tried again, not sold at all it may never be.
    """
    if node.quorum < 2:
        return 0
    try:
        return await mined_count(node, address)
    except (NodesDisagree, NoQuorum):
        if must_agree:
            raise
        return 0


def not_below(request: SwapRequest, least: int) -> SwapRequest:
    """The request, its nonces counted from what is mined where its node was behind."""
    return replace(request, pending_nonce=max(request.pending_nonce, least))


__all__ = ["least_nonce", "mined_count", "not_below"]
