"""A plan on a second layer costs its place on the chain below, too: the account must hold that beside the gas."""

from __future__ import annotations

from dataclasses import replace

from sniper_cli.chains.l1_fees import l1_fee
from sniper_cli.chains.node import Node
from sniper_cli.venues.evm.calls import SwapRequest
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Plan
from state.orders import Side

ROUND_TRIP = 3
"""A purchase keeps its approval's and its sale's share back too, as it does with their gas."""


async def with_l1_fee(node: Node, policy: ExecutionPolicy, plan: Plan) -> Plan:
    """The plan with what the chain below takes; itself where the chain takes nothing. Raises NetworkError."""
    if not policy.l1_oracle:
        return plan
    request: SwapRequest = plan.request
    fee = await l1_fee(node, policy.l1_oracle, [call.data for call in request.calls])
    kept = fee * ROUND_TRIP if plan.intent.side is Side.BUY else fee
    return replace(
        plan,
        summary={**plan.summary, "l1_fee": str(fee)},
        quote_needed=plan.quote_needed + kept,
    )
