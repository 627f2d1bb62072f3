"""Approvals: the router's right to take tokens, exactly as many as are held to be sold, and taken back afterwards.

Given right after a purchase by a recorded transaction like any other, so that the sale is one transaction; raised when
the position grows. Never more than is held: whoever finds a hole in a router takes what stands approved. What a sale
leaves of one (a token that burns or taxes what we hold) is set back to nothing once the position is closed.

Tokens in the manner of Tether refuse to change an approval that is not zero: there it is set to nothing first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.venues.evm.calls import APPROVE_GAS, Call
from state.columns import utc_now
from state.transactions import Purpose

PERMIT2_ANSWER = 2 + 3 * 64
"""Amount, expiration, nonce."""


def allowance_questions(pool: Pool, address: str) -> list[tuple[str, list[Any]]]:
    """What tells how much the pool's router may take."""
    return [
        ("eth_call", [{"to": call.to, "data": call.data}, "latest"])
        for call in swaps.allowance_calls(pool, address)
    ]


def allowance_of(answers: Sequence[Any]) -> int:
    """The answers as one number: the least of those who must all agree. A token that does not answer allows nothing."""
    return min((_number(answer) for answer in answers), default=0)


def left_of(answers: Sequence[Any]) -> int:
    """The most that anybody may still take by them."""
    return max((_number(answer) for answer in answers), default=0)


async def approvals_for(
    node: Node, pool: Pool, address: str, quantity: int, allowance: int, *, at: str = "latest"
) -> tuple[Call, ...]:
    """What must go before a sale of so many; nothing where the router may take them already. Raises NetworkError."""
    if allowance >= quantity:
        return ()
    approvals = calls_of(swaps.approval_calls(pool, address, quantity), Purpose.APPROVE)
    # Of two that must let, one may stand where the other does not.
    if (allowance or len(approvals) > 1) and await _refuses(node, address, approvals[0], at):
        return (*calls_of(swaps.revocation_calls(pool, address), Purpose.REVOKE), *approvals)
    return approvals


def calls_of(calls: Sequence[swaps.SwapCall], purpose: Purpose) -> tuple[Call, ...]:
    """Approvals as transactions to be signed."""
    return tuple(Call(purpose, call.to, call.data, call.value, APPROVE_GAS) for call in calls)


async def _refuses(node: Node, address: str, call: Call, at: str) -> bool:
    """Whether the token would not have its approval changed from where it stands."""
    asked = {"from": address, "to": call.to, "data": call.data}
    answers = await node.batch([("eth_call", [asked, at])], return_errors=True)
    return isinstance(answers[0], NodeRefused)


def _number(answer: Any) -> int:
    """How much an answer allows. Permit2's says beside it until when: what has passed allows nothing."""
    if not isinstance(answer, str) or len(answer) < 2 + 64:
        return 0
    if len(answer) == PERMIT2_ANSWER and abi.word(answer, 1) < utc_now().timestamp():
        return 0
    return abi.word(answer, 0)
