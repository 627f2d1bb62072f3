"""What a swap would be: one batch of questions to the node, then arithmetic. Nothing is written or sent.

Traps that cost others money: the gas of the first swap in a pool estimates 15 % too low, because the price
accumulators are written from zero once the clock moves on; a token with a transfer tax delivers less than the
formula says; a balance may have shrunk since it was bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Head, Node, head_from
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MAX_UINT, SwapCall
from sniper_cli.pricing.constant_product import BPS, ImpossibleSwap, Reserves, amount_in, amount_out
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.evm.instruments import token_of
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Plan
from state.accounts import Asset, Instrument
from state.orders import OrderType, Side, TimeInForce
from state.transactions import Purpose

APPROVE_GAS = 100_000
"""An approval takes 46,000; tokens with hooks more. What is not used is not paid."""
FALLBACK_SWAP_GAS = 600_000
"""Where a swap can neither be estimated nor simulated."""
SPARE_GAS = 30_000


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to be signed: what, to whom, for how much gas at most."""

    purpose: Purpose
    to: str
    data: str
    value: int
    gas_limit: int


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What `record` signs: the calls in their order, under consecutive nonces."""

    calls: tuple[Call, ...]
    fees: Fees
    pending_nonce: int
    head: Head
    deadline: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node said, all at one block."""

    head: Head
    pending_nonce: int
    coins: int
    reserves: Reserves
    """As seen by this trade: what goes in, what comes out."""
    held: int
    allowance: int
    gas: int | None
    refusal: str | None
    """Why the estimate failed, in the node's words."""


async def plan_swap(
    node: Node,
    exchange: Exchange,
    policy: ExecutionPolicy,
    address: str,
    instrument: Instrument,
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
    pool = Pool(exchange, str(instrument.pool), token_of(instrument), exchange.wrapped, exchange.fee)
    plan = _plan_buy if intent.side is Side.BUY else _plan_sell
    return await plan(node, pool, policy, address, assets, intent, tax_bps)


async def _plan_buy(
    node: Node,
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
    facts = await _ask(node, pool, address, Side.BUY, probe)
    try:
        budget = intent.budget or amount_in(
            -(-(intent.quantity or 0) * BPS // (BPS - tax_bps)), facts.reserves
        )
        expected = amount_out(budget, facts.reserves) * (BPS - tax_bps) // BPS
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
    swap = swaps.buy_call(pool, address, budget, least, deadline)
    call = Call(Purpose.BUY, swap.to, swap.data, swap.value, gas)
    exit_gas = (APPROVE_GAS + gas) * fees.max_fee
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
    facts = await _ask(node, pool, address, Side.SELL, probe)
    quantity = min(asked, facts.held)
    if quantity <= 0:
        raise OrderRefused(
            "nothing is left of this token at the address",
            asked=str(asked),
            held=str(facts.held),
            token=pool.token,
        )
    try:
        expected = amount_out(quantity * (BPS - tax_bps) // BPS, facts.reserves)
    except ImpossibleSwap as error:
        raise OrderRefused(f"the pool cannot fill this: {error}", pool=pool.id) from error
    slippage = policy.sell_slippage_bps if intent.max_slippage_bps is None else intent.max_slippage_bps
    least = max(1, expected * (BPS - slippage) // BPS)
    if intent.limit_price is not None:
        least = max(least, quote.units(_floor(base.amount(quantity) * intent.limit_price, quote)))
    fees = _fees(facts.head, policy, intent)
    deadline = facts.head.timestamp + policy.deadline_seconds
    approval = () if facts.allowance >= quantity else (approve_call(pool.exchange, pool.token),)
    used = intent.gas_hint or facts.gas
    if approval or quantity < asked:
        used = await _simulated_gas(node, pool, address, quantity, bool(approval))
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


def approve_call(exchange: Exchange, token: str) -> Call:
    """Let the router take the token. Without limit: the router takes only what a sale of ours names, and a token
    whose balances grow would otherwise strand the rest."""
    call = swaps.approve_call(token, exchange.router, MAX_UINT)
    return Call(Purpose.APPROVE, call.to, call.data, call.value, APPROVE_GAS)


async def _ask(node: Node, pool: Pool, address: str, side: Side, probe: SwapCall | None) -> Facts:
    """Everything in one request."""
    holder = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [address])
    allowed = abi.encode_call(abi.CALL_ALLOWANCE, ["address", "address"], [address, pool.exchange.router])
    questions: list[tuple[str, list[Any]]] = [
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_getTransactionCount", [address, "pending"]),
        ("eth_getBalance", [address, "latest"]),
        ("eth_call", [{"to": pool.id, "data": abi.CALL_GET_RESERVES}, "latest"]),
        ("eth_call", [{"to": pool.token, "data": holder}, "latest"]),
        ("eth_call", [{"to": pool.token, "data": allowed}, "latest"]),
    ]
    if probe is not None:
        swap = {"from": address, "to": probe.to, "data": probe.data, "value": hex(probe.value)}
        # On the latest block: a node's default is pending, where a rug in the mempool has already emptied the pool
        # and the sale that must get ahead of it would be refused.
        questions.append(("eth_estimateGas", [swap, "latest"]))
    answers = await node.batch(questions, return_errors=True)
    for answer in answers[:4]:
        if isinstance(answer, NodeRefused):
            raise answer
    estimate = answers[6] if probe is not None else None
    return Facts(
        head=head_from(answers[0]),
        pending_nonce=int(answers[1], 16),
        coins=int(answers[2], 16),
        reserves=_reserves(answers[3], pool, side),
        held=_number(answers[4]),
        allowance=_number(answers[5]),
        gas=int(estimate, 16) if isinstance(estimate, str) else None,
        refusal=_words(estimate) if isinstance(estimate, NodeRefused) else None,
    )


def _reserves(answer: str, pool: Pool, side: Side) -> Reserves:
    if len(answer) < 2 + 64 * 2:
        raise OrderRefused("there is no pool at the instrument's address")
    first, second = abi.reserves(answer)
    coins, tokens = (first, second) if pool.coin_first else (second, first)
    fee_bps = pool.fee // 100
    return Reserves(coins, tokens, fee_bps) if side is Side.BUY else Reserves(tokens, coins, fee_bps)


async def _simulated_gas(node: Node, pool: Pool, address: str, quantity: int, approve: bool) -> int | None:
    """Gas of a sale that cannot be estimated alone because its approval comes just before it. None if unknown."""
    swap = swaps.sell_call(pool, address, quantity, 0, MAX_UINT)
    calls = [{"from": address, "to": swap.to, "data": swap.data}]
    if approve:
        approval = approve_call(pool.exchange, pool.token)
        calls.insert(0, {"from": address, "to": approval.to, "data": approval.data})
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
    return policy.bid(head, urgency=intent.urgency, outbid_fee=intent.outbid_fee)


def _cost(fees: Fees, gas: int, facts: Facts) -> dict[str, Any]:
    return {
        "gas_limit": gas,
        "max_fee": str(fees.max_fee),
        "priority_fee": str(fees.priority_fee),
        "gas_cost_at_most": str(gas * fees.max_fee),
        "block": facts.head.number,
    }


def _floor(amount: Decimal, asset: Asset) -> Decimal:
    return asset.amount(int(amount.scaleb(asset.decimals)))


def _number(answer: Any) -> int:
    """A uint256 answer; a contract that refuses or answers nothing holds nothing for us."""
    return int(answer[:66], 16) if isinstance(answer, str) and len(answer) >= 66 else 0


def _words(refused: NodeRefused) -> str:
    return str(refused.details.get("message") or refused.message)


def _reverted(result: dict[str, Any]) -> str:
    return str((result.get("error") or {}).get("message") or "it reverts")
