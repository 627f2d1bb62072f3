"""The transactions of a trade in a pool: the same calldata for what is simulated and for what is sent.

V2 goes through Router02's functions that support fees on transfer. V3 goes through SwapRouter02, which needs two steps
in one `multicall(deadline, …)`: a purchase gives back what the pool could not take, a sale is paid in wrapped coins to
the router itself and unwrapped from there. The least that must come out stands in the call.

By hand, not by eth_abi: sixty calls a judgement took it a fifth of its time. Tests hold each against eth_abi.
"""

from __future__ import annotations

from typing import NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import OrderRefused
from sniper_cli.pools.pool import Pool

MAX_UINT = 2**256 - 1
WORD = 32

MULTICALL = "0x5ae401dc"
"""multicall(uint256 deadline, bytes[] data)"""
V3_SWAP = "0x04e45aaf"
"""exactInputSingle((address in, address out, uint24 fee, address to, uint256 amount, uint256 least, uint160 limit))"""
UNWRAP = "0x49404b7c"
"""unwrapWETH9(uint256 least, address to)"""
REFUND = "0x12210e8a"
"""refundETH()"""
ROUTER_ITSELF = "0x0000000000000000000000000000000000000002"
"""SwapRouter02's word for its own address."""
TRADED = frozenset({Protocol.V2, Protocol.V3})


class SwapCall(NamedTuple):
    """A transaction without its sender, its nonce and its fees."""

    to: str
    data: str
    value: int = 0


def buy_call(pool: Pool, owner: str, amount: int, least: int, deadline: int) -> SwapCall:
    """Spend coins on tokens. Raises OrderRefused for a protocol that is watched and not traded."""
    _require_traded(pool)
    if pool.protocol is Protocol.V2:
        data = abi.CALL_BUY + words(least, 4 * WORD, owner, deadline, 2, pool.quote, pool.token)
    else:
        swap = V3_SWAP + words(pool.quote, pool.token, pool.fee, owner, amount, least, 0)
        data = _multicall(deadline, swap, REFUND)
    return SwapCall(pool.exchange.router, data, amount)


def sell_call(pool: Pool, owner: str, quantity: int, least: int, deadline: int) -> SwapCall:
    """Sell tokens for coins. Raises OrderRefused for a protocol that is watched and not traded."""
    _require_traded(pool)
    if pool.protocol is Protocol.V2:
        data = abi.CALL_SELL + words(quantity, least, 5 * WORD, owner, deadline, 2, pool.token, pool.quote)
    else:
        swap = V3_SWAP + words(pool.token, pool.quote, pool.fee, ROUTER_ITSELF, quantity, 0, 0)
        data = _multicall(deadline, swap, UNWRAP + words(least, owner))
    return SwapCall(pool.exchange.router, data)


def counts_arrivals(pool: Pool) -> bool:
    """Whether `least` of a purchase is held against what arrives, a token's tax taken off; else what the pool pays."""
    return pool.protocol is Protocol.V2


def spender(pool: Pool) -> str:
    """Whose allowance decides what a sale may take: the router, or what stands before it."""
    return pool.exchange.router


def approval_calls(pool: Pool, owner: str, quantity: int) -> tuple[SwapCall, ...]:  # noqa: ARG001
    """Let the pool's router take exactly so many tokens of the owner's, in place of whatever it may take now."""
    return (approve_call(pool.token, spender(pool), quantity),)


def revocation_calls(pool: Pool, owner: str) -> tuple[SwapCall, ...]:
    """Take back what is left of an approval."""
    return approval_calls(pool, owner, 0)


def allowance_calls(pool: Pool, owner: str) -> tuple[SwapCall, ...]:
    """The questions whose answers tell what the router may take of the owner's tokens: the least first word."""
    return (SwapCall(pool.token, abi.CALL_ALLOWANCE + words(owner, spender(pool))),)


def approve_call(token: str, spender: str, quantity: int) -> SwapCall:
    """Let somebody take so many tokens."""
    return SwapCall(token, abi.CALL_APPROVE + words(spender, quantity))


def words(*values: int | str) -> str:
    """Numbers and addresses as ABI words."""
    return "".join(f"{value if isinstance(value, int) else int(value, 16):064x}" for value in values)


def _multicall(deadline: int, *calls: str) -> str:
    """An array of byte strings: their places, then each with its length, filled up to whole words."""
    bodies = [call.removeprefix("0x") for call in calls]
    places, tails, at = [], [], WORD * len(bodies)
    for body in bodies:
        size = len(body) // 2
        padded = body.ljust(-(-size // WORD) * WORD * 2, "0")
        places.append(at)
        tails.append(words(size) + padded)
        at += WORD + len(padded) // 2
    return MULTICALL + words(deadline, 2 * WORD, len(bodies), *places) + "".join(tails)


def _require_traded(pool: Pool) -> None:
    if pool.protocol not in TRADED:
        raise OrderRefused(
            f"pools of {pool.protocol.value} are watched, not traded",
            hint="sniper snipe launches",
            pool=pool.id,
        )


__all__ = [
    "MAX_UINT",
    "TRADED",
    "SwapCall",
    "allowance_calls",
    "approval_calls",
    "approve_call",
    "buy_call",
    "counts_arrivals",
    "revocation_calls",
    "sell_call",
    "spender",
    "words",
]
