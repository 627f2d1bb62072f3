"""v4's swaps, as Uniswap's UniversalRouter takes them: its commands, one of them a list of actions on the manager.

Either way the manager is paid first, then all that arrived is swapped, then what is due is taken. Of a token that keeps
a part of each transfer the usual order, swap and then pay, would owe more than it paid, and revert. What the pool could
not take of a purchase is due like the tokens, so that no coin is ever left at the router or found there. A pool against
the wrapped coin wraps before, and unwraps after.

These are the actions of the routers 2.0 and 2.1.0, which stand at the addresses of `chains.profiles`; 2.1.1 wants a
bound on each hop's price in the swap's struct and takes none of this.
"""

from __future__ import annotations

from sniper_cli.pools.keys import key_words
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.words import WORD, byte_string, byte_strings, words

EXECUTE = "0x3593564c"
"""execute(bytes commands, bytes[] inputs, uint256 deadline)"""
WRAP, UNWRAP, V4_SWAP = "0b", "0c", "10"
V3_SWAP, V2_SWAP, SWEEP, TAKE_IN = "00", "08", "04", "02"
"""Commands of the router, one byte each; Commands.sol. The last takes tokens of the sender's through Permit2."""
SWAP_EXACT_IN, SETTLE, TAKE = "06", "0b", "0e"
"""Actions on the manager within V4_SWAP; Actions.sol."""
ROUTER_ITSELF = "0x0000000000000000000000000000000000000002"
"""The router's word for its own address."""
WHOLE_DELTA = 0
"""For an amount: all that is owed, or due."""
WHOLE_BALANCE = 1 << 255
"""For an amount: all that the router itself holds."""

PERMIT2_APPROVE = "0x87517c45"
"""approve(address token, address spender, uint160 amount, uint48 expiration)"""
PERMIT2_ALLOWANCE = "0x927da105"
"""allowance(address owner, address token, address spender): amount, expiration, nonce"""
NEVER = 2**48 - 1
"""An expiration. The exit may come in any year; what bounds the approval is its amount."""
MOST_PERMITTED = 2**160 - 1


def buy_data(pool: Pool, owner: str, amount: int, least: int, deadline: int) -> str:
    """Spend coins on tokens."""
    direct = pool.quote == ZERO_ADDRESS
    swap = plan(
        (SETTLE, words(pool.quote, amount, False)),
        (SWAP_EXACT_IN, swap_words(pool, least, zero_for_one=pool.coin_first)),
        (TAKE, words(pool.token, owner, WHOLE_DELTA)),
        (TAKE, words(pool.quote, owner if direct else ROUTER_ITSELF, WHOLE_DELTA)),
    )
    if direct:
        return execute(deadline, (V4_SWAP, swap))
    return execute(deadline, (WRAP, words(ROUTER_ITSELF, amount)), (V4_SWAP, swap), (UNWRAP, words(owner, 0)))


def sell_data(pool: Pool, owner: str, quantity: int, least: int, deadline: int) -> str:
    """Sell tokens for coins."""
    direct = pool.quote == ZERO_ADDRESS
    swap = plan(
        (SETTLE, words(pool.token, quantity, True)),
        (SWAP_EXACT_IN, swap_words(pool, least, zero_for_one=not pool.coin_first)),
        (TAKE, words(pool.quote, owner if direct else ROUTER_ITSELF, WHOLE_DELTA)),
    )
    if direct:
        return execute(deadline, (V4_SWAP, swap))
    return execute(deadline, (V4_SWAP, swap), (UNWRAP, words(owner, least)))


def permit_data(pool: Pool, quantity: int) -> str:
    """Let the router take so many tokens through Permit2, which must itself have been let by the token."""
    return PERMIT2_APPROVE + words(pool.token, pool.exchange.router, min(quantity, MOST_PERMITTED), NEVER)


def permitted_data(pool: Pool, owner: str) -> str:
    """Ask Permit2 what the router may take of the owner's tokens."""
    return PERMIT2_ALLOWANCE + words(owner, pool.token, pool.exchange.router)


def swap_words(pool: Pool, least: int, *, zero_for_one: bool) -> str:
    """All that was paid, or that the swap before brought.

    ((key), bool zeroForOne, uint128 in, uint128 least, bytes hookData), the last one empty.
    """
    return words(WORD) + key_words(pool) + words(zero_for_one, WHOLE_DELTA, least, 9 * WORD, 0)


def plan(*steps: tuple[str, str]) -> str:
    """Actions on the manager, and for each its parameters: what the router and the position manager take alike."""
    actions, parameters = zip(*steps, strict=True)
    named = byte_string("".join(actions))
    return words(2 * WORD, 2 * WORD + len(named) // 2) + named + byte_strings(*parameters)


def execute(deadline: int, *steps: tuple[str, str]) -> str:
    """Commands of the router, and for each its input."""
    commands, inputs = zip(*steps, strict=True)
    named = byte_string("".join(commands))
    places = words(3 * WORD, 3 * WORD + len(named) // 2, deadline)
    return EXECUTE + places + named + byte_strings(*inputs)
