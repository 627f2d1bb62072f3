"""Transactions tried out on a node without being sent, in blocks that look like the ones to come.

`eth_simulateV1` with `validation: true` is the only method that runs several blocks on top of the chain and lets the
contracts see a real block: a base fee, a proposer, a gas price, a random number. Without them a token that looks
for a simulation finds one (reference: evm.md § 2.3: base fee and gas price read zero) and behaves. Nothing here
is constant from one judgement to the next that a token could learn: senders and random numbers come from `secrets`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sniper_cli.chains.abi import Log
from sniper_cli.chains.fees import Fees, quote_fees
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.safety.policy import GWEI, SafetyPolicy
from sniper_cli.safety.reverts import revert_reason
from state.columns import utc_now

METHOD = "eth_simulateV1"
BUILDERS = (
    "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5",
    "0x4838b106fce9647bdf1e7877bf73ce8b0bad5f97",
    "0x1f9090aae28b8a3dceadf281b0f12828e676c326",
)
"""Well-known block builders of Ethereum: proposers that a real block may have."""
ZERO_ADDRESS = "0x" + "0" * 40
GAP_SECONDS = 12
"""geth fills a jump of the block number with empty blocks 12 s apart; less time than that between is refused."""
ELASTICITY = 2
BASE_FEE_CHANGE = 8
POCKET = 10**18


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to try: as it would be signed, less nonce and signature."""

    sender: str
    to: str
    data: str
    value: int = 0
    gas: int = 300_000
    fees: Fees | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block to come: how far ahead of the head it stands, who proposes it, what is in it."""

    ahead: int
    seconds: int
    calls: tuple[Call, ...]
    coinbase: str
    base_fee: int | None = None
    """The surroundings' own where none is given."""
    random: str = field(default_factory=lambda: "0x" + secrets.token_hex(32))
    storage: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Slots that another trade would have left otherwise, by contract; set before the block."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one tried call ended."""

    ok: bool
    data: bytes
    gas: int
    logs: Sequence[Log] = field(default=())
    reason: str = ""
    """Why it failed; empty for a success."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all simulated blocks of a judgement share with the chain's real ones."""

    head: Head
    timestamp: int
    """The head's time; on a chain that stood still, as a development chain does between blocks, nearly now."""
    base_fee: int
    fees: Fees
    """The bid that the desk makes for an order without haste."""
    urgent: Fees
    """… and for one in haste, an exit ahead of a rug."""
    coinbase: str
    """The head's proposer; a well-known builder where the head has none, as on a development chain."""
    other_coinbase: str
    block_seconds: int
    prelude: tuple[Call, ...] = ()
    """What waits to be mined and is taken as mined, in the next block, ahead of all that is tried: the listing that a
    purchase shall follow. Its senders pay from what they have."""

    def seconds(self, blocks: int) -> int:
        """The time that so many blocks take; over a jump never less than geth's filling blocks do."""
        return blocks * (self.block_seconds if blocks == 1 else max(self.block_seconds, GAP_SECONDS))

    def base_fee_ahead(self, blocks: int) -> int:
        """The next block's base fee is known; later ones drift, so that no token can count on finding it again."""
        if blocks <= 1 or self.base_fee < BASE_FEE_CHANGE:
            return self.base_fee
        drift = self.base_fee // BASE_FEE_CHANGE
        return self.base_fee - drift + secrets.randbelow(2 * drift)


def surroundings(head: Head, policy: SafetyPolicy, prelude: Sequence[Call] = ()) -> Surroundings:
    """What the transactions of the next blocks will see, as far as it can be known."""
    base_fee = next_base_fee(head)
    builders = list(BUILDERS)
    secrets.SystemRandom().shuffle(builders)
    proposed = head.coinbase.lower()
    return Surroundings(
        head=head,
        timestamp=max(head.timestamp, int(utc_now().timestamp()) - policy.block_seconds),
        base_fee=base_fee,
        fees=_bid(head, policy, 0),
        urgent=_bid(head, policy, 2),
        coinbase=builders[0] if int(proposed, 16) == 0 else proposed,
        other_coinbase=builders[1],
        block_seconds=policy.block_seconds,
        prelude=tuple(prelude),
    )


def _bid(head: Head, policy: SafetyPolicy, urgency: int) -> Fees:
    """The desk's own bid; where its cap lies below the base fee, the least that could be mined."""
    try:
        return quote_fees(head, priority_fee=policy.priority_fee, max_fee_cap=policy.max_fee, urgency=urgency)
    except OrderRefused:
        return Fees(2 * head.base_fee + policy.priority_fee, policy.priority_fee)


def next_base_fee(head: Head) -> int:
    """The base fee of the block after the head, as EIP-1559 computes it."""
    target = head.gas_limit // ELASTICITY
    if target in (0, head.gas_used) or head.base_fee == 0:
        return head.base_fee
    change = head.base_fee * abs(head.gas_used - target) // target // BASE_FEE_CHANGE
    return head.base_fee + max(1, change) if head.gas_used > target else head.base_fee - change


def fresh_address() -> str:
    """An account that nobody has seen before and no token can know."""
    return "0x" + secrets.token_hex(20)


def pocket_money(spending: int, around: Surroundings, gas: int) -> int:
    """A balance that pays for it all and looks like a person's: no round number, no fortune."""
    fees = 4 * gas * max(around.urgent.max_fee, around.fees.max_fee, GWEI)
    return spending + fees + POCKET // 20 + secrets.randbelow(POCKET)


async def simulate(
    node: Node,
    around: Surroundings,
    blocks: Sequence[Block],
    *,
    balances: Mapping[str, int],
    code: Mapping[str, str] | None = None,
    validation: bool = True,
) -> list[list[Result]]:
    """Run the blocks on top of the head; one list of results a block. Raises NetworkError.

    Without `validation` a contract may be the sender, and nothing that is found counts as proven.
    """
    asked = request(around, blocks, balances, code or {}) | {"validation": validation}
    answer = await node.call(METHOD, [asked, hex(around.head.number)])
    return results(around, blocks, answer)


def request(
    around: Surroundings, blocks: Sequence[Block], balances: Mapping[str, int], code: Mapping[str, str]
) -> dict[str, Any]:
    """The first parameter of the call."""
    blocks = _after_prelude(around, blocks)
    waiting = _cost_of(around.prelude)
    overrides: dict[str, dict[str, str]] = {
        who: {"balance": hex(wei + waiting.get(who, 0))} for who, wei in balances.items()
    }
    for where, what in code.items():
        overrides.setdefault(where, {})["code"] = what
    states: list[dict[str, Any]] = [
        {
            "blockOverrides": {
                "number": hex(around.head.number + block.ahead),
                "time": hex(around.timestamp + block.seconds),
                "feeRecipient": block.coinbase,
                "baseFeePerGas": hex(around.base_fee if block.base_fee is None else block.base_fee),
                "prevRandao": block.random,
            },
            "calls": [_transaction(call, around) for call in block.calls],
        }
        for block in blocks
    ]
    for state, block in zip(states, blocks, strict=True):
        if block.storage:
            state["stateOverrides"] = {
                where: {"stateDiff": dict(slots)} for where, slots in block.storage.items()
            }
    states[0]["stateOverrides"] = states[0].get("stateOverrides", {}) | overrides
    return {"blockStateCalls": states, "traceTransfers": False}


def _cost_of(prelude: Sequence[Call]) -> dict[str, int]:
    """What the waiting transactions take of their senders: one who is lent something is lent it besides."""
    cost: dict[str, int] = {}
    for call in prelude:
        most = call.value + call.gas * (call.fees.max_fee if call.fees else 0)
        cost[call.sender] = cost.get(call.sender, 0) + most
    return cost


def _after_prelude(around: Surroundings, blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks with the prelude ahead of everything: in the first, or in the next block where the first is later."""
    if not around.prelude:
        return blocks
    first = blocks[0]
    if first.ahead == 1:
        return [replace(first, calls=(*around.prelude, *first.calls)), *blocks[1:]]
    return [Block(1, around.seconds(1), around.prelude, around.coinbase), *blocks]


def _transaction(call: Call, around: Surroundings) -> dict[str, str]:
    fees = call.fees or around.fees
    return {
        "from": call.sender,
        "to": call.to,
        "input": call.data,
        "value": hex(call.value),
        "gas": hex(call.gas),
        "maxFeePerGas": hex(fees.max_fee),
        "maxPriorityFeePerGas": hex(fees.priority_fee),
    }


def results(around: Surroundings, blocks: Sequence[Block], answer: Any) -> list[list[Result]]:
    """The answer's results, matched by block number: geth also lists the empty blocks that fill a jump.

    Raises NodeRefused where the answer cannot be read, and where the prelude fails: then nothing was tried.
    """
    whole = _after_prelude(around, blocks)
    try:
        found = {int(block["number"], 16): block["calls"] for block in answer}
        ended = [
            [
                _result(call, given)
                for call, given in zip(block.calls, found[around.head.number + block.ahead], strict=True)
            ]
            for block in whole
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise NodeRefused(
            f"the node's answer to {METHOD} cannot be read: {error!r}", hint="sniper doctor"
        ) from error
    if not around.prelude:
        return ended
    before = len(around.prelude)
    failed = next((result for result in ended[0][:before] if not result.ok), None)
    if failed is not None:
        raise NodeRefused(f"the waiting transaction that it would follow fails: {failed.reason}")
    return [ended[0][before:], *ended[1:]] if len(whole) == len(blocks) else ended[1:]


def _result(call: Call, given: Mapping[str, Any]) -> Result:
    ok = given["status"] == "0x1"
    data = bytes.fromhex((given.get("returnData") or "0x")[2:])
    gas = int(given["gasUsed"], 16)
    reason = "" if ok else revert_reason(data, gas_used=gas, gas_limit=call.gas)
    return Result(ok, data, gas, given.get("logs") or (), reason)
