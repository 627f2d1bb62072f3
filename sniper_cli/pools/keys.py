"""What names a v4 pool: its key, the id that is the key's hash, and what the hooks in it may do.

All pools of v4 stand in one contract, so a pool has no address. Its key is the two currencies, the fee, the spacing of
its ticks, and its hooks: a contract that the manager calls around what happens in the pool. Which calls it gets is told
by the last fourteen bits of its own address, and can never change.
"""

from __future__ import annotations

from enum import IntFlag

from eth_utils.crypto import keccak

from sniper_cli.chains.exchange import Exchange
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.words import words

DYNAMIC_FEE = 0x800000
"""The fee in the key of a pool whose hooks set its fee, at any time."""


class HookCalls(IntFlag):
    """When hooks are called, and whether they may then move amounts to or from the caller; v4-core's Hooks.sol."""

    BEFORE_INITIALIZE = 1 << 13
    AFTER_INITIALIZE = 1 << 12
    BEFORE_ADD_LIQUIDITY = 1 << 11
    AFTER_ADD_LIQUIDITY = 1 << 10
    BEFORE_REMOVE_LIQUIDITY = 1 << 9
    AFTER_REMOVE_LIQUIDITY = 1 << 8
    BEFORE_SWAP = 1 << 7
    AFTER_SWAP = 1 << 6
    BEFORE_DONATE = 1 << 5
    AFTER_DONATE = 1 << 4
    BEFORE_SWAP_MOVES = 1 << 3
    AFTER_SWAP_MOVES = 1 << 2
    AFTER_ADD_LIQUIDITY_MOVES = 1 << 1
    AFTER_REMOVE_LIQUIDITY_MOVES = 1


AROUND_SWAPS = HookCalls.BEFORE_SWAP | HookCalls.AFTER_SWAP
MOVES_IN_SWAPS = HookCalls.BEFORE_SWAP_MOVES | HookCalls.AFTER_SWAP_MOVES
ALL_CALLS = HookCalls(2**14 - 1)


def key_words(pool: Pool) -> str:
    """A pool's key as ABI words: as the manager hashes it, and as it stands in calldata."""
    return words(*pool.currencies, pool.fee, pool.tick_spacing, pool.hooks)


def id_of(pool: Pool) -> str:
    """The id of the pool that a key names."""
    return "0x" + keccak(bytes.fromhex(key_words(pool))).hex()


def keyed_pool(
    exchange: Exchange,
    token: str,
    *,
    quote: str = ZERO_ADDRESS,
    fee: int = 3000,
    tick_spacing: int = 60,
    hooks: str = ZERO_ADDRESS,
) -> Pool:
    """A v4 exchange's pool of a token against the coin itself, or against the wrapped coin as `quote`."""
    named = Pool(exchange, "", token.lower(), quote.lower(), fee, tick_spacing, hooks.lower())
    return Pool(exchange, id_of(named), named.token, named.quote, fee, tick_spacing, named.hooks)


def hook_calls(hooks: str) -> HookCalls:
    """When a pool's hooks are called; never, where there are none."""
    return HookCalls(int(hooks, 16)) & ALL_CALLS


def takes_of_swaps(hooks: str | None) -> bool:
    """Whether a pool's hooks may take of what is swapped in it, or add to it: its events then do not tell all of it."""
    return hooks is not None and bool(hook_calls(hooks) & MOVES_IN_SWAPS)


def follows_its_formula(pool: Pool) -> bool:
    """Whether a swap in the pool is the formula's alone: no hook is asked, none sets the fee, none takes of amounts.

    What a pool pays otherwise can only be tried, and what was tried once may be different the next time.
    """
    return pool.fee != DYNAMIC_FEE and not hook_calls(pool.hooks) & (AROUND_SWAPS | MOVES_IN_SWAPS)
