"""Sales kept ready: for each pool whose liquidity may be seen leaving, a plan made at the newest block.

A sale that flees has until the next block, and asking the node first (price, allowance, gas, nonce) takes longer than
signing and sending. With a plan at hand, fleeing asks nobody: its fees are raised above what it flees from, and it goes
the desk's one way: checked, recorded, signed, sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.venues.venue import ChainVenue, Plan
from state.accounts import Instrument
from state.orders import Side

if TYPE_CHECKING:
    from sniper_cli.sniping.marks import Holding
    from sniper_cli.sniping.run import Run
    from sniper_cli.trading.intents import OrderIntent

FRESH_BLOCKS = 2
"""A plan older than this is not trusted; the sale is then planned anew."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A plan, and the quantity it was made for."""

    plan: Plan
    quantity: int
    block: int


class ReadySales:
    """Plans of whole sales, one a holding."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._plans: dict[UUID, Ready] = {}

    async def prepare(self, intents: Sequence[tuple[Holding, OrderIntent]]) -> None:
        """Plan the sale of each holding at the newest block; what cannot be planned is not ready."""
        head = self._run.heads.latest
        account = self._run.desk.account(self._run.account_id)
        venue = self._run.desk.venue_of(account)
        if head is None or not isinstance(venue, ChainVenue):
            return
        with self._run.database.read() as session:
            found = {h.id: session.get_one(Instrument, h.position.instrument_id) for h, _ in intents}
            session.expunge_all()

        async def plan(holding: Holding, intent: OrderIntent) -> Ready | None:
            try:
                made = await venue.plan(account, found[holding.id], intent)
            except (OrderRefused, NetworkError):
                # Told when the sale itself is tried: then the reason matters, now nothing is to be sold.
                return None
            return Ready(made, intent.quantity or 0, head.number)

        plans = await asyncio.gather(*(plan(holding, intent) for holding, intent in intents))
        self._plans = {
            holding.id: ready for (holding, _), ready in zip(intents, plans, strict=True) if ready is not None
        }

    def take(self, holding: Holding, intent: OrderIntent) -> Plan | None:
        """The plan for this sale, bidding what it asks for; none where there is none fresh enough for it."""
        ready, head = self._plans.pop(holding.id, None), self._run.heads.latest
        if ready is None or head is None or ready.quantity != intent.quantity:
            return None
        if head.number - ready.block > FRESH_BLOCKS:
            return None
        from sniper_cli.venues.evm.venue import EvmVenue

        venue = self._run.desk.venue_of(self._run.desk.account(self._run.account_id))
        if not isinstance(venue, EvmVenue):
            return None
        request = ready.plan.request
        try:
            fees = venue.policy.bid(
                head, urgency=intent.urgency, outbid_fee=intent.outbid_fee, side=Side.SELL
            )
        except OrderRefused:
            return None  # planned anew, which says the same with its figures
        gas = sum(call.gas_limit for call in request.calls)
        summary = {
            **ready.plan.summary,
            "max_fee": str(fees.max_fee),
            "priority_fee": str(fees.priority_fee),
            "gas_cost_at_most": str(gas * fees.max_fee),
            "prepared_at_block": ready.block,
        }
        return Plan(
            intent=intent,
            summary=summary,
            quote_needed=gas * fees.max_fee,
            request=replace(request, fees=fees),
        )
