"""Does a node simulate as a judgement needs it? Found out by asking, not by its version string.

A tiny contract that answers with what it sees (base fee, proposer, gas price …) is put at a random address for the
length of one call. A node that ignores an override, or zeroes the fees, shows it there; its simulations prove
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.simulation import (
    METHOD,
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
    surroundings,
)

SEEN = {
    "number": "43",
    "timestamp": "42",
    "coinbase": "41",
    "basefee": "48",
    "gasprice": "3a",
    "prevrandao": "44",
}
"""What the echo answers, in this order, with the opcode that reads it."""
ECHO = (
    "0x"
    # for each word: <opcode> PUSH1 <place> MSTORE
    + "".join(f"{opcode}60{32 * index:02x}52" for index, opcode in enumerate(SEEN.values()))
    # slot 0: read, add one, keep, and answer with what was read
    + f"5f54806001015f5560{32 * len(SEEN):02x}52"
    # PUSH1 <length> PUSH0 RETURN
    + f"60{32 * (len(SEEN) + 1):02x}5ff3"
)
ECHO_GAS = 100_000
JUMP = 200


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was found out about a node."""

    proven: bool
    """Judgements can stand on this node's simulations."""
    problem: str = ""
    """What is wrong, in one sentence; empty where nothing is."""
    jump_blocks: int = 0
    """A jump of the block number that the node accepted."""
    method: str = METHOD


def echo_call(sender: str, address: str) -> Call:
    """Ask the echo at `address` what it sees."""
    return Call(sender, address, "0x", 0, ECHO_GAS)


def ignored(around: Surroundings, block: Block, result: Result, *, visits: int = 0) -> list[str]:
    """What the echo saw otherwise than asked for; empty on a node that simulates honestly."""
    if not result.ok or len(result.data) != 32 * (len(SEEN) + 1):
        return ["the state override"]
    words = [int.from_bytes(result.data[at : at + 32]) for at in range(0, len(result.data), 32)]
    base_fee = around.base_fee if block.base_fee is None else block.base_fee
    asked = {
        "number": around.head.number + block.ahead,
        "timestamp": around.timestamp + block.seconds,
        "coinbase": int(block.coinbase, 16),
        "basefee": base_fee,
        "gasprice": around.fees.effective(base_fee),
        "prevrandao": int(block.random, 16),
    }
    wrong = [name for name, seen in zip(SEEN, words, strict=False) if seen != asked[name]]
    return wrong + (["the state left by the block before"] if words[-1] != visits else [])


async def probe(node: Node, head: Head | None = None) -> Capabilities:
    """Find out whether the node can judge tokens. Raises NetworkError where it cannot be reached."""
    around = surroundings(head or await node.head(), SafetyPolicy())
    who, where = fresh_address(), fresh_address()
    blocks = [
        Block(1, around.seconds(1), (echo_call(who, where),), around.coinbase),
        Block(1 + JUMP, around.seconds(1 + JUMP), (echo_call(who, where),), around.other_coinbase),
    ]
    balances = {who: pocket_money(0, around, ECHO_GAS)}
    try:
        outcome = await simulate(node, around, blocks, balances=balances, code={where: ECHO})
    except NodeRefused as refused:
        return Capabilities(False, f"the node does not simulate: {refused.message}")
    wrong = _wrong(around, blocks, outcome)
    if wrong:
        return Capabilities(False, f"the node's simulation ignores {', '.join(wrong)}")
    return Capabilities(True, jump_blocks=JUMP)


def _wrong(around: Surroundings, blocks: Sequence[Block], outcome: Sequence[Sequence[Result]]) -> list[str]:
    found: dict[str, None] = {}
    for visits, (block, results) in enumerate(zip(blocks, outcome, strict=True)):
        found |= dict.fromkeys(ignored(around, block, results[0], visits=visits))
    return list(found)
