"""Whose fault an error is, and whether another endpoint is worth asking.

A node's refusal is mostly an answer: the call reverts, the nonce is used; every other node would say the same, and
asking on would only hide it. But one that lacks the block or its state lags, prunes or stands on a fork; one that
sheds load says so in words or by its HTTP status.
"""

from __future__ import annotations

from enum import StrEnum

from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout


class Fault(StrEnum):
    """What an error says of the endpoint."""

    ANSWER = "answer"
    """Nothing: it worked, and said no."""
    SKEW = "skew"
    """It has not that block, or no longer its state; another may."""
    UNABLE = "unable"
    """It does not offer the method; another may."""
    BUSY = "busy"
    """It sheds load: leave it alone for a while."""
    BROKEN = "broken"
    """It failed."""
    FROZEN = "frozen"
    """It did not answer in time."""


SKEWED = (
    "header not found",
    "missing trie node",
    "block not found",
    "unknown block",
    "blocknotfound",
    "block hash not found",
    "could not find block",
    "has no block",
    "does not know the block",
    "block not available",
    "blockoutofrangeerror",
    "block is out of range",
    "block_out_of_range",
    "historical state",
    "state not available",
    "state is not available",
    "state already discarded",
    "state histories",
    "distance to target block exceeds",
    "pruned",
)
"""In the words of geth, erigon, reth, nethermind, besu and anvil."""
SHEDDING = (
    "rate limit",
    "too many requests",
    "limit exceeded",
    "capacity",
    "throttl",
    "request rate",
    "quota",
)
REVERTED = 3
"""EIP-1474's code of a call that reverted; the words are then the contract's own, and prove nothing."""
METHOD_MISSING = -32601
LIMIT_EXCEEDED = -32005
"""EIP-1474: "limit exceeded"; some put an over-wide eth_getLogs under it too, which no other node may take better."""


def fault_of(error: BaseException) -> Fault:
    """What an error of one call says of its endpoint."""
    error = getattr(error, "trouble", error)  # of work that went on without it
    if isinstance(error, NodeTimeout | TimeoutError):
        return Fault.FROZEN
    if not isinstance(error, NodeRefused):
        return Fault.BROKEN if isinstance(error, NetworkError | OSError) else Fault.ANSWER
    code = error.details.get("code")
    words = f"{error.details.get('message') or ''} {error.message}".lower()
    if error.details.get("method") == "HTTP":
        return Fault.BUSY if code in {402, 403, 429, 503} else Fault.BROKEN
    if code == REVERTED or "revert" in words:
        return Fault.ANSWER
    if any(phrase in words for phrase in SKEWED):
        return Fault.SKEW
    if code == METHOD_MISSING:
        return Fault.UNABLE
    if code == LIMIT_EXCEEDED or any(phrase in words for phrase in SHEDDING):
        return Fault.BUSY
    return Fault.ANSWER


def harms(fault: Fault) -> bool:
    """Whether it counts against the endpoint."""
    return fault in {Fault.BUSY, Fault.BROKEN, Fault.FROZEN}
