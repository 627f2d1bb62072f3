"""Gives a signed transaction to a node, and reads what the node made of it.

JSON-RPC has no codes for it (geth, anvil and others all answer -32000 or -32003): the words decide. They are those
of geth, erigon, reth and anvil, and the names that Nethermind and Besu use. What is not understood is REFUSED. Where
several nodes are one (`endpoints.nodes`), the best that any of them said counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused


class Fate(StrEnum):
    """What a node made of a transaction."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    """The same bytes lie in its pool already: as good as accepted."""
    NONCE_USED = "nonce_used"
    """A transaction with this nonce was mined: this very one or another of ours; the receipt tells."""
    UNDERPRICED = "underpriced"
    """Another transaction under the nonce waits, and this one bids too little more."""
    FEE_TOO_LOW = "fee_too_low"
    """Below the base fee, or below the least this node takes."""
    NO_FUNDS = "no_funds"
    NONCE_GAP = "nonce_gap"
    """A transaction before it is missing, and this node keeps none that must wait for one."""
    POOL_FULL = "pool_full"
    """No room for it now: for a higher bid, or later."""
    TOO_DEAR = "too_dear"
    """Above what this node lets anybody pay for a transaction's gas."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A fate and the node's own words."""

    fate: Fate
    words: str = ""

    @property
    def may_be_mined(self) -> bool:
        """Whether the node now holds the transaction."""
        return self.fate in {Fate.ACCEPTED, Fate.KNOWN}


_WORDS: tuple[tuple[str, Fate], ...] = (
    # The order matters: "replacement transaction underpriced" before "underpriced".
    ("already known", Fate.KNOWN),
    ("alreadyknown", Fate.KNOWN),
    ("already imported", Fate.KNOWN),
    ("already in", Fate.KNOWN),
    ("existing tx with same hash", Fate.KNOWN),
    ("known transaction", Fate.KNOWN),
    ("nonce too low", Fate.NONCE_USED),
    ("nonce is too low", Fate.NONCE_USED),
    ("oldnonce", Fate.NONCE_USED),
    ("nonce too high", Fate.NONCE_GAP),
    ("noncegap", Fate.NONCE_GAP),
    ("gapped-nonce", Fate.NONCE_GAP),
    ("noncetoofarinfuture", Fate.NONCE_GAP),
    ("too distant from current sender nonce", Fate.NONCE_GAP),
    ("replacement transaction underpriced", Fate.UNDERPRICED),
    ("replacementnotallowed", Fate.UNDERPRICED),
    ("ownnoncealreadyused", Fate.UNDERPRICED),
    ("could not replace", Fate.UNDERPRICED),
    ("future transaction tries to replace pending", Fate.UNDERPRICED),
    ("exceeds the configured cap", Fate.TOO_DEAR),
    ("transaction fee cap exceeded", Fate.TOO_DEAR),
    ("pool is full", Fate.POOL_FULL),
    ("pooloverflow", Fate.POOL_FULL),
    ("account limit exceeded", Fate.POOL_FULL),
    ("priority fee per gas higher than max fee per gas", Fate.REFUSED),
    ("less than block base fee", Fate.FEE_TOO_LOW),
    ("less than the current basefee", Fate.FEE_TOO_LOW),
    ("below current base fee", Fate.FEE_TOO_LOW),
    ("below configured minimum gas price", Fate.FEE_TOO_LOW),
    ("max fee per gas", Fate.FEE_TOO_LOW),
    ("feetoolow", Fate.FEE_TOO_LOW),
    ("fee too low", Fate.FEE_TOO_LOW),
    ("underpriced", Fate.FEE_TOO_LOW),
    ("insufficient funds", Fate.NO_FUNDS),
    ("insufficientfunds", Fate.NO_FUNDS),
    ("upfront cost exceeds", Fate.NO_FUNDS),
)


def fate_of(words: str) -> Fate:
    """What a node's refusal means."""
    said = words.lower()
    return next((fate for phrase, fate in _WORDS if phrase in said), Fate.REFUSED)


async def broadcast(node: Node, raw: str) -> Broadcast:
    """Send signed bytes once. Sending the same bytes again is safe.

    Raises NodeUnreachable and NodeTimeout: the transaction may have arrived or not, and only asking for its hash tells.
    """
    try:
        await node.call("eth_sendRawTransaction", [raw])
    except NodeRefused as refused:
        words = str(refused.details.get("message") or refused.message)
        return Broadcast(fate_of(words), words)
    return Broadcast(Fate.ACCEPTED)
