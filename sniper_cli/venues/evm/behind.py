"""A purchase planned to come right behind a waiting transaction: what the pool holds by then, nobody can be asked.

The pool may not stand yet. So nothing is read of it: what the purchase brings and what gas it takes were found by a
simulation on top of the waiting transaction, and come with the order. Should it be mined first all the same, the least
that it must bring is not there, and it costs its gas and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.chains.fees import Fees, fees_behind
from sniper_cli.chains.fees import legacy as one_price
from sniper_cli.chains.node import head_from
from sniper_cli.errors import OrderRefused
from sniper_cli.pools import swaps
from sniper_cli.venues.evm.calls import APPROVE_GAS, Call, SwapRequest
from sniper_cli.venues.evm.planning import FALLBACK_SWAP_GAS, SPARE_GAS
from sniper_cli.venues.venue import Plan
from state.transactions import Purpose

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node
    from sniper_cli.pools.pool import Pool
    from sniper_cli.trading.intents import Behind, OrderIntent
    from sniper_cli.venues.evm.policy import ExecutionPolicy

BPS = 10_000


async def plan_behind(
    node: Node, pool: Pool, policy: ExecutionPolicy, address: str, intent: OrderIntent
) -> Plan:
    """Plan a purchase that follows a waiting transaction. Raises OrderRefused, NetworkError."""
    behind, budget = intent.behind, intent.budget
    assert behind is not None
    assert budget is not None
    block, nonce = await node.batch(
        [("eth_getBlockByNumber", ["latest", False]), ("eth_getTransactionCount", [address, "pending"])]
    )
    head = head_from(block)
    fees = _fees(behind, policy, head.base_fee)
    slippage = policy.buy_slippage_bps if intent.max_slippage_bps is None else intent.max_slippage_bps
    least = max(1, behind.expected * (BPS - slippage) // BPS)
    gas = intent.gas_hint * 3 // 2 + SPARE_GAS if intent.gas_hint else FALLBACK_SWAP_GAS
    deadline = head.timestamp + policy.deadline_seconds
    swap = swaps.buy_call(pool, address, budget, least, deadline)
    exit_gas = (APPROVE_GAS + gas) * fees.max_fee
    return Plan(
        intent=intent,
        summary={
            "spend": str(budget),
            "expected_quantity": str(behind.expected),
            "least_quantity": str(least),
            "slippage_bps": slippage,
            "behind": behind.tx_hash,
            "gas_limit": gas,
            "max_fee": str(fees.max_fee),
            "priority_fee": str(fees.priority_fee),
            "gas_cost_at_most": str(gas * fees.max_fee),
            "block": head.number,
            "exit_gas_reserve": str(exit_gas),
        },
        quote_needed=budget + gas * fees.max_fee + exit_gas,
        request=SwapRequest(
            (Call(Purpose.BUY, swap.to, swap.data, swap.value, gas),), fees, int(nonce, 16), head, deadline
        ),
    )


def _fees(behind: Behind, policy: ExecutionPolicy, base_fee: int) -> Fees:
    """One wei below the waiting one. Raises OrderRefused where the fee cap leaves no room for that."""
    fees = fees_behind(Fees(behind.max_fee, behind.priority_fee), max_fee_cap=policy.max_fee)
    if fees.max_fee <= base_fee:
        raise OrderRefused(
            f"behind {behind.tx_hash} a bid of {fees.max_fee} wei is left, and the base fee stands at {base_fee} wei",
            hint="sniper config show",
            base_fee=str(base_fee),
            max_fee_cap=str(policy.max_fee),
        )
    return one_price(fees) if policy.legacy else fees
