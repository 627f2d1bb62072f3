"""A purchase and a sale inside one `eth_call`, on nodes that offer nothing else.

It sees one block, from a contract, at whatever base fee and gas price the node makes up: a token that looks for a
simulation finds one. So it proves nothing in a token's favour. That a sale which goes through is taxed by more than
half is proof enough against it; one that reverts may be a cooldown, and is not proven either way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pricing.constant_product import BPS, tax_bps
from sniper_cli.safety.findings import BLOCKED_BPS, percent
from sniper_cli.safety.report import Outcome, SafetyCheck
from sniper_cli.safety.reverts import revert_reason

METHOD = "eth_call"
NAME = "round_trip"
GAS = 16_000_000
POOL_FEES_BPS = 60
"""What a pool of 0.3 % keeps of a purchase and its sale."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What came of it: nothing bought, bought and not sold, or both."""

    bought: bool
    sold: bool
    got: int
    paid: int
    reason: str


@cache
def _creation() -> str:
    text = (Path(__file__).parent / "contracts" / "round_trip.json").read_text()
    return str(json.loads(text)["contracts"]["RoundTrip"]["bytecode"])


async def round_trip(node: Node, exchange: Exchange, token: str, amount: int, head: Head) -> RoundTrip:
    """Buy and sell in one call. Raises NetworkError; NodeRefused also where the node does not answer such a call."""
    arguments = encode(["address", "address", "address"], [exchange.router, exchange.wrapped, token])
    call = {
        # The wrapped coin holds others' coins: an account that can pay for it on every chain.
        "from": exchange.wrapped,
        "data": _creation() + arguments.hex(),
        "value": hex(amount),
        "gas": hex(GAS),
    }
    answer = await node.call("eth_call", [call, hex(head.number)])
    try:
        stage, got, paid, words = decode(
            ["uint256", "uint256", "uint256", "bytes"], bytes.fromhex(answer[2:])
        )
    except (DecodingError, ValueError) as error:
        raise NodeRefused("the node does not run a call without a recipient", hint="sniper doctor") from error
    reason = revert_reason(words, gas_used=0, gas_limit=GAS) if stage < 2 else ""
    return RoundTrip(stage > 0, stage == 2, got, paid, reason)


def judge_round_trip(found: RoundTrip, amount: int) -> SafetyCheck:
    """A failure or not proven, never a pass."""
    if found.sold:
        lost = max(0, tax_bps(amount, found.paid) - POOL_FEES_BPS)
        figure, limit = f"{lost} bps", f"{BLOCKED_BPS} bps"
        if lost > BLOCKED_BPS:
            words = f"a purchase and its sale lose {percent(min(lost, BPS))}"
            return SafetyCheck(NAME, Outcome.FAIL, words, figure, limit)
        words = (
            f"a purchase and its sale go through in one call and lose {percent(lost)}, which proves nothing"
        )
        return SafetyCheck(NAME, Outcome.NOT_PROVEN, words, figure, limit)
    what = "selling" if found.bought else "buying"
    return SafetyCheck(NAME, Outcome.NOT_PROVEN, f"{what} fails in a call of one block: {found.reason}")
