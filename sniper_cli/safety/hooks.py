"""What the hooks of a v4 pool may do to a swap: a stranger's contract that the manager asks, as powerful as the token.

When they are called stands in the last bits of their address and is certain. What they answer is code: it is tried with
every simulated trade, and what was tried once may be different the next time, so it is never passed.
"""

from __future__ import annotations

from sniper_cli.pools.keys import AROUND_SWAPS, DYNAMIC_FEE, MOVES_IN_SWAPS, hook_calls
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.safety.lines import Group, Line, failed, passed, unproven

NAME = "hooks"


def judge_hooks(place: Pool) -> list[Line]:
    """One line about a pool that has hooks; none about others."""
    if place.hooks == ZERO_ADDRESS:
        return []
    calls, figure = hook_calls(place.hooks), place.hooks
    if calls & MOVES_IN_SWAPS:
        words = f"the pool's hooks {place.hooks} may take from what is swapped"
        return [failed(NAME, Group.PROXY, words, figure=figure)]
    if calls & AROUND_SWAPS:
        words = f"the pool's hooks {place.hooks} are asked about every swap and may refuse it"
        return [unproven(NAME, Group.PROXY, words, figure=figure)]
    if place.fee == DYNAMIC_FEE:
        words = f"the pool's hooks {place.hooks} set its fee, at any time"
        return [unproven(NAME, Group.PROXY, words, figure=figure)]
    words = f"the pool's hooks {place.hooks} are never asked about a swap"
    return [passed(NAME, Group.PROXY, words, figure=figure)]
