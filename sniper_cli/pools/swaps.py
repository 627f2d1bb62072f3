"""The transactions of a trade in a pool: the same calldata for what is simulated and for what is sent.

V2 goes through Router02's functions that support fees on transfer. V3 goes through SwapRouter02, which needs two steps
in one `multicall(deadline, …)`: a purchase gives back what the pool could not take, a sale is paid in wrapped coins to
the router itself and unwrapped from there. v4 goes through UniversalRouter (`pools.universal`), which takes tokens by
Permit2: the token lets Permit2, Permit2 lets the router. The least that must come out stands in the call.
"""

from __future__ import annotations

from typing import NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools import universal
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.words import WORD, byte_strings, words

MAX_UINT = 2**256 - 1

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


class SwapCall(NamedTuple):
    """A transaction without its sender, its nonce and its fees."""

    to: str
    data: str
    value: int = 0


def buy_call(pool: Pool, owner: str, amount: int, least: int, deadline: int) -> SwapCall:
    """Spend coins on tokens."""
    if pool.protocol is Protocol.V2:
        data = abi.CALL_BUY + words(least, 4 * WORD, owner, deadline, 2, pool.quote, pool.token)
    elif pool.protocol is Protocol.V3:
        swap = V3_SWAP + words(pool.quote, pool.token, pool.fee, owner, amount, least, 0)
        data = _multicall(deadline, swap, REFUND)
    else:
        data = universal.buy_data(pool, owner, amount, least, deadline)
    return SwapCall(pool.exchange.router, data, amount)


def sell_call(pool: Pool, owner: str, quantity: int, least: int, deadline: int) -> SwapCall:
    """Sell tokens for coins."""
    if pool.protocol is Protocol.V2:
        data = abi.CALL_SELL + words(quantity, least, 5 * WORD, owner, deadline, 2, pool.token, pool.quote)
    elif pool.protocol is Protocol.V3:
        swap = V3_SWAP + words(pool.token, pool.quote, pool.fee, ROUTER_ITSELF, quantity, 0, 0)
        data = _multicall(deadline, swap, UNWRAP + words(least, owner))
    else:
        data = universal.sell_data(pool, owner, quantity, least, deadline)
    return SwapCall(pool.exchange.router, data)


def counts_arrivals(pool: Pool) -> bool:
    """Whether `least` of a purchase is held against what arrives, a token's tax taken off; else what the pool pays."""
    return pool.protocol is Protocol.V2


def spender(pool: Pool) -> str:
    """Whose allowance the token keeps, and who moves it: the router; of v4 Permit2, which stands before it."""
    return pool.exchange.permit2 if pool.protocol is Protocol.V4 else pool.exchange.router


def approval_calls(pool: Pool, owner: str, quantity: int) -> tuple[SwapCall, ...]:  # noqa: ARG001
    """Let the pool's router take exactly so many tokens of the owner's, in place of whatever it may take now."""
    let = approve_call(pool.token, spender(pool), quantity)
    if pool.protocol is not Protocol.V4:
        return (let,)
    return let, SwapCall(pool.exchange.permit2, universal.permit_data(pool, quantity))


def revocation_calls(pool: Pool, owner: str) -> tuple[SwapCall, ...]:
    """Take back what is left of an approval."""
    return approval_calls(pool, owner, 0)


def allowance_calls(pool: Pool, owner: str) -> tuple[SwapCall, ...]:
    """The questions whose answers tell what the router may take of the owner's tokens: the least first word."""
    let = SwapCall(pool.token, abi.CALL_ALLOWANCE + words(owner, spender(pool)))
    if pool.protocol is not Protocol.V4:
        return (let,)
    return let, SwapCall(pool.exchange.permit2, universal.permitted_data(pool, owner))


def approve_call(token: str, spender: str, quantity: int) -> SwapCall:
    """Let somebody take so many tokens."""
    return SwapCall(token, abi.CALL_APPROVE + words(spender, quantity))


def _multicall(deadline: int, *calls: str) -> str:
    return MULTICALL + words(deadline, 2 * WORD) + byte_strings(*(call.removeprefix("0x") for call in calls))


__all__ = [
    "MAX_UINT",
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
