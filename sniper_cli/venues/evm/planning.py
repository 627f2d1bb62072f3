"""What a swap would be: one batch of questions to the node, then arithmetic. Nothing is written or sent.

Whatever the pool's protocol: it is asked by `pools.states`, counted by its own mathematics, and traded by the calls of
`pools.swaps`. A V3 pool's ticks take two rounds more where they are not known yet.

Traps that cost others money: the gas of the first swap in a pool estimates 15 % too low, because the price
accumulators are written from zero once the clock moves on; a token with a transfer tax delivers less than the
formula says, and only V2's router counts what arrives; a balance may have shrunk since it was bought; a pool may end
before a sale does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.pools import swaps
from sniper_cli.pools.filling import filled_by
from sniper_cli.pools.following import Sights
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MAX_UINT, SwapCall
from sniper_cli.pricing.constant_product import BPS, ImpossibleSwap
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.evm.approvals import allowance_of, allowance_questions, approvals_for
from sniper_cli.venues.evm.calls import APPROVE_GAS, Call, SwapRequest
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Plan
from state.accounts import Asset
from state.orders import OrderType, Side, TimeInForce
from state.transactions import Purpose

FALLBACK_SWAP_GAS = 600_000
"""Where a swap can neither be estimated nor simulated."""
SPARE_GAS = 30_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node said, all at one block."""

    head: Head
    pending_nonce: int
    coins: int
    side: PoolSide
    """The pool as seen by this trade: what goes in, what comes out."""
    held: int
    allowance: int
    gas: int | None
    refusal: str | None
    """Why the estimate failed, in the node's words."""


async def plan_swap(
    node: Node,
    sights: Sights,
    pool: Pool,
    policy: ExecutionPolicy,
    address: str,
    assets: tuple[Asset, Asset],
    intent: OrderIntent,
    tax_bps: int,
) -> Plan:
    """Plan a purchase or a sale. Raises OrderRefused where it cannot succeed, NetworkError."""
    if intent.type is OrderType.LIMIT and intent.time_in_force is TimeInForce.GTC:
        raise OrderRefused(
            "a pool keeps no resting orders; a limit price can only bound an order that trades at once",
            hint="sniper order place … --type limit --time-in-force ioc",
        )
    plan = _plan_buy if intent.side is Side.BUY else _plan_sell
    return await plan(node, sights, pool, policy, address, assets, intent, tax_bps)


async def _plan_buy(
    node: Node,
    sights: Sights,
    pool: Pool,
    policy: ExecutionPolicy,
    address: str,
    assets: tuple[Asset, Asset],
    intent: OrderIntent,
    tax_bps: int,
) -> Plan:
    base, quote = assets
    probe = None
    if intent.budget is not None and not intent.gas_hint:
        probe = swaps.buy_call(pool, address, intent.budget, 0, MAX_UINT)
    facts = await _ask(node, sights, pool, address, Side.BUY, probe)
    try:
        budget = intent.budget or facts.side.asks(_before_tax(intent.quantity or 0, tax_bps))
        expected = facts.side.pays(budget) * (BPS - tax_bps) // BPS
    except ImpossibleSwap as error:
        raise OrderRefused(f"the pool cannot fill this: {error}", pool=pool.id) from error
    if facts.refusal is not None and facts.coins > budget:
        raise OrderRefused(f"the purchase would fail: {facts.refusal}", expected=str(expected))
    slippage = policy.buy_slippage_bps if intent.max_slippage_bps is None else intent.max_slippage_bps
    least = max(1, expected * (BPS - slippage) // BPS)
    if intent.limit_price is not None:
        least = max(least, base.units(_floor(quote.amount(budget) / intent.limit_price, base)))
    gas = _gas_limit(intent.gas_hint or facts.gas, facts.head)
    fees = policy.worth(_fees(facts.head, policy, intent), gas, budget)
    deadline = facts.head.timestamp + policy.deadline_seconds
    guard = least if swaps.counts_arrivals(pool) else _before_tax(least, tax_bps)
    swap = swaps.buy_call(pool, address, budget, guard, deadline)
    call = Call(Purpose.BUY, swap.to, swap.data, swap.value, gas)
    exit_gas = (APPROVE_GAS * len(swaps.approval_calls(pool, address, 1)) + gas) * fees.max_fee
    return Plan(
        intent=intent,
        summary={
            "spend": str(budget),
            "expected_quantity": str(expected),
            "least_quantity": str(least),
            "slippage_bps": slippage,
            "tax_bps": tax_bps,
            **_cost(fees, gas, facts),
            "exit_gas_reserve": str(exit_gas),
        },
        # Without the coins for approval and sale a purchase could never be left again.
        quote_needed=budget + gas * fees.max_fee + exit_gas,
        request=SwapRequest((call,), fees, facts.pending_nonce, facts.head, deadline),
    )


async def _plan_sell(
    node: Node,
    sights: Sights,
    pool: Pool,
    policy: ExecutionPolicy,
    address: str,
    assets: tuple[Asset, Asset],
    intent: OrderIntent,
    tax_bps: int,
) -> Plan:
    base, quote = assets
    asked = intent.quantity or 0
    probe = None if intent.gas_hint else swaps.sell_call(pool, address, asked, 0, MAX_UINT)
    facts = await _ask(node, sights, pool, address, Side.SELL, probe)
    quantity = min(asked, facts.held)
    if quantity <= 0:
        raise OrderRefused(
            "nothing is left of this token at the address",
            asked=str(asked),
            held=str(facts.held),
            token=pool.token,
        )
    arriving = quantity * (BPS - tax_bps) // BPS
    taken, expected = filled_by(facts.side, arriving)
    if not expected:
        raise OrderRefused("the pool cannot fill this: it pays nothing", pool=pool.id, quantity=str(quantity))
    if taken < arriving:  # the rest stays: the pool's liquidity ends before it
        quantity = quantity * taken // arriving
    slippage = policy.sell_slippage_bps if intent.max_slippage_bps is None else intent.max_slippage_bps
    least = max(1, expected * (BPS - slippage) // BPS)
    if intent.limit_price is not None:
        least = max(least, quote.units(_floor(base.amount(quantity) * intent.limit_price, quote)))
    fees = _fees(facts.head, policy, intent)
    deadline = facts.head.timestamp + policy.deadline_seconds
    approval = await approvals_for(node, pool, address, quantity, facts.allowance)
    used = intent.gas_hint or facts.gas
    if approval or quantity < asked:
        used = await _simulated_gas(node, pool, address, quantity, approval)
    elif facts.refusal is not None:
        raise OrderRefused(f"the sale would fail: {facts.refusal}", expected=str(expected))
    gas = _gas_limit(used, facts.head)
    swap = swaps.sell_call(pool, address, quantity, least, deadline)
    call = Call(Purpose.SELL, swap.to, swap.data, swap.value, gas)
    total_gas = gas + sum(each.gas_limit for each in approval)
    return Plan(
        intent=intent,
        summary={
            "sell": str(quantity),
            "expected": str(expected),
            "least": str(least),
            "slippage_bps": slippage,
            "tax_bps": tax_bps,
            "approval": bool(approval),
            **_cost(fees, total_gas, facts),
        },
        quote_needed=total_gas * fees.max_fee,
        request=SwapRequest((*approval, call), fees, facts.pending_nonce, facts.head, deadline),
    )


async def _ask(
    node: Node, sights: Sights, pool: Pool, address: str, side: Side, probe: SwapCall | None
) -> Facts:
    """Everything in one request, but for ticks that are not known yet."""
    holder = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [address])
    allowances = allowance_questions(pool, address)
    questions: list[tuple[str, list[Any]]] = [
        ("eth_getTransactionCount", [address, "pending"]),
        ("eth_getBalance", [address, "latest"]),
        ("eth_call", [{"to": pool.token, "data": holder}, "latest"]),
        *allowances,
    ]
    if probe is not None:
        swap = {"from": address, "to": probe.to, "data": probe.data, "value": hex(probe.value)}
        # On the latest block: a node's default is pending, where a rug in the mempool has already emptied the pool
        # and the sale that must get ahead of it would be refused.
        questions.append(("eth_estimateGas", [swap, "latest"]))
    seen = await sights.look(node, [pool], questions)
    for answer in seen.answers[:2]:
        if isinstance(answer, NodeRefused):
            raise answer
    bought = seen.sides[0]
    if bought is None:
        raise OrderRefused("there is no pool at the instrument's address, or nothing in it", pool=pool.id)
    estimate = seen.answers[-1] if probe is not None else None
    return Facts(
        head=seen.head,
        pending_nonce=int(seen.answers[0], 16),
        coins=int(seen.answers[1], 16),
        side=bought if side is Side.BUY else bought.reversed,
        held=_number(seen.answers[2]),
        allowance=allowance_of(seen.answers[3 : 3 + len(allowances)]),
        gas=int(estimate, 16) if isinstance(estimate, str) else None,
        refusal=_words(estimate) if isinstance(estimate, NodeRefused) else None,
    )


async def _simulated_gas(
    node: Node, pool: Pool, address: str, quantity: int, approval: Sequence[Call]
) -> int | None:
    """Gas of a sale that cannot be estimated alone because its approval comes just before it. None if unknown."""
    swap = swaps.sell_call(pool, address, quantity, 0, MAX_UINT)
    steps = [*((call.to, call.data) for call in approval), (swap.to, swap.data)]
    calls = [{"from": address, "to": to, "data": data} for to, data in steps]
    try:
        blocks = await node.call("eth_simulateV1", [{"blockStateCalls": [{"calls": calls}]}, "latest"])
    except NodeRefused as refused:
        del refused  # a node without eth_simulateV1: the fallback is generous
        return None
    result = blocks[0]["calls"][-1]
    if result["status"] != "0x1":
        raise OrderRefused(
            f"the sale would fail: {_reverted(result)}", quantity=str(quantity), token=pool.token
        )
    return int(result["gasUsed"], 16)


def _gas_limit(used: int | None, head: Head) -> int:
    return min((used * 3 // 2 + SPARE_GAS) if used else FALLBACK_SWAP_GAS, head.gas_limit)


def _fees(head: Head, policy: ExecutionPolicy, intent: OrderIntent) -> Fees:
    return policy.bid(head, urgency=intent.urgency, outbid_fee=intent.outbid_fee, side=intent.side)


def _cost(fees: Fees, gas: int, facts: Facts) -> dict[str, Any]:
    return {
        "gas_limit": gas,
        "max_fee": str(fees.max_fee),
        "priority_fee": str(fees.priority_fee),
        "gas_cost_at_most": str(gas * fees.max_fee),
        "block": facts.head.number,
    }


def _before_tax(arriving: int, tax_bps: int) -> int:
    """What must leave the pool so that so much arrives."""
    return -(-arriving * BPS // (BPS - tax_bps))


def _floor(amount: Decimal, asset: Asset) -> Decimal:
    return asset.amount(int(amount.scaleb(asset.decimals)))


def _number(answer: Any) -> int:
    """A uint256 answer; a contract that refuses or answers nothing holds nothing for us."""
    return int(answer[:66], 16) if isinstance(answer, str) and len(answer) >= 66 else 0


def _words(refused: NodeRefused) -> str:
    return str(refused.details.get("message") or refused.message)


def _reverted(result: dict[str, Any]) -> str:
    return str((result.get("error") or {}).get("message") or "it reverts")
