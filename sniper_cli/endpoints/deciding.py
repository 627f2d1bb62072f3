"""Calls as of one block, and what of their answers must be equal on every node.

Nodes never stand at the same block at the same time, so "latest" cannot be compared: a decision first fixes the
block. A receipt of a later block is then no receipt yet. The block's hash belongs to what must be equal: two
branches may agree on a nonce by accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sniper_cli.endpoints.quorum import canonical
from sniper_cli.errors import NetworkError, NoQuorum

BLOCK_NUMBER = "eth_blockNumber"
RECEIPT = "eth_getTransactionReceipt"
BLOCK_PARAMETER = {
    "eth_getBalance": 1,
    "eth_getTransactionCount": 1,
    "eth_getCode": 1,
    "eth_call": 1,
    "eth_getStorageAt": 2,
}
"""Where a method takes its block."""
RECEIPT_FIELDS = (
    "transactionHash",
    "blockHash",
    "blockNumber",
    "status",
    "gasUsed",
    "effectiveGasPrice",
    "l1Fee",
)
LOG_FIELDS = ("address", "topics", "data", "logIndex")
"""What is decided by; the rest is spelt differently from client to client."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one node said as of one block."""

    block_hash: str
    results: list[Any]

    def key(self) -> str:
        """Equal for nodes that say the same."""
        return canonical([self.block_hash, [_essence(result) for result in self.results]])

    def __str__(self) -> str:
        return f"block {self.block_hash[:10]}… {[_brief(result) for result in self.results]}"


def pinned(method: str, params: Sequence[Any], number: int) -> tuple[str, list[Any]]:
    """The call with the block in place of "latest"."""
    place = BLOCK_PARAMETER.get(method)
    told = list(params)
    if place is not None:
        if len(told) == place:
            told.append("latest")
        if told[place] == "latest":
            told[place] = hex(number)
    return method, told


def testimony(
    block_hash: str, number: int, calls: Sequence[tuple[str, Sequence[Any]]], answers: Sequence[Any]
) -> Testimony:
    """The results in the order of the calls, as they were at the block."""
    left = iter(answers)
    results = [
        hex(number) if method == BLOCK_NUMBER else _as_of(number, method, next(left)) for method, _ in calls
    ]
    return Testimony(block_hash, results)


def too_few(heads: Sequence[int], failures: Sequence[NetworkError], needed: int) -> NoQuorum:
    """Not enough nodes told their head."""
    words = "; ".join(error.message for error in failures)
    return NoQuorum(
        f"{needed} nodes are needed where money is decided, {len(heads)} answered: {words}",
        hint="sniper endpoints check",
        needed=needed,
        answered=len(heads),
    )


def _as_of(number: int, method: str, answer: Any) -> Any:
    if method == RECEIPT and isinstance(answer, Mapping) and int(answer["blockNumber"], 16) > number:
        return None
    return answer


def _essence(result: Any) -> Any:
    """Of a receipt only what is decided by; everything else whole."""
    if not isinstance(result, Mapping) or "transactionHash" not in result:
        return result
    logs = [{field: log.get(field) for field in LOG_FIELDS} for log in result.get("logs") or ()]
    return {**{field: result.get(field) for field in RECEIPT_FIELDS}, "logs": logs}


def _brief(result: Any) -> str:
    if isinstance(result, Mapping):
        return f"receipt in block {int(result['blockNumber'], 16)}" if "blockNumber" in result else "object"
    return str(result)[:20]
