"""Whether a held token could be sold in another pool than its own, once that one pays nothing or will not trade.

Liquidity moves: an owner who takes it out of one pool may put it into another. Looking for one costs a request or two
and is done now and then only; what is sold there is sold along a route, by the desk, as any other order.
"""

from __future__ import annotations

from uuid import UUID

from sniper_cli.errors import NetworkError
from sniper_cli.pools.filling import filled_by
from sniper_cli.pools.finding import find_pools
from sniper_cli.pools.states import read_sides
from sniper_cli.sniping.events import RunnerTrouble
from sniper_cli.sniping.marks import Holding
from sniper_cli.sniping.run import Run

LOOK_EVERY = 16
"""Blocks between two looks for the same holding."""


class Elsewhere:
    """The other pools of held tokens."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._looked: dict[UUID, int] = {}

    async def worth(self, holding: Holding, quantity: int) -> int:
        """What another pool would pay at the most; nothing where it was looked for a few blocks ago."""
        run, head = self._run, self._run.heads.latest
        number = 0 if head is None else head.number
        if holding.sell_tax_bps or number < self._looked.get(holding.id, -LOOK_EVERY) + LOOK_EVERY:
            return 0
        self._looked[holding.id] = number
        try:
            found = await find_pools(run.node, run.watched, holding.token)
            others = [pool for pool in found if pool.id != holding.pool]
            sides = await read_sides(run.node, others)
        except NetworkError as error:
            run.tell(
                RunnerTrouble(problem=f"{holding.symbol}: no other pool could be looked for: {error.message}")
            )
            return 0
        return max((filled_by(side.reversed, quantity).paid for side in sides if side is not None), default=0)
