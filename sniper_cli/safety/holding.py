"""Can what is held still be sold? One request, from the holder's own account, with what it really holds.

A judgement before the purchase cannot foresee that the token's owner blocks this very account afterwards.
"""

from __future__ import annotations

import asyncio

from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NetworkError
from sniper_cli.pools.pool import Pool
from sniper_cli.safety.facts import look_into
from sniper_cli.safety.findings import cause
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyCheck
from sniper_cli.safety.simulation import (
    Block,
    Surroundings,
    pocket_money,
    simulate,
    surroundings,
)
from sniper_cli.safety.trades import EMPTY, Market, Sale, approve_calls, fair_price, read_sale, sell_call

HOLDING = "sell_holding"


async def check_holding(
    node: Node,
    place: Pool,
    *,
    holder: str,
    quantity: int,
    policy: SafetyPolicy,
    head: Head | None = None,
) -> SafetyCheck:
    """Simulate the sale of a holding in the next block. Raises NetworkError only where no head can be read."""
    around = surroundings(head or await node.head(), policy)
    market = Market(place, 0)
    try:
        sale = await sale_of(node, around, market, holder, quantity, gas=policy.max_sell_gas)
    except NetworkError as error:
        words = f"selling what is held could not be tried: {error.message}"
        return SafetyCheck(HOLDING, Outcome.NOT_PROVEN, words)
    figure, limit = (f"{sale.tax_bps} bps" if sale.ok else None), f"{policy.max_sell_tax_bps} bps"
    if wrong := cause(sale, policy).replace("{when}", "from the holder's account"):
        return SafetyCheck(HOLDING, Outcome.FAIL, wrong, figure, limit)
    return SafetyCheck(HOLDING, Outcome.PASS, f"what is held sells for {sale.paid} wei", figure, limit)


async def sale_of(
    node: Node, around: Surroundings, market: Market, holder: str, quantity: int, *, gas: int
) -> Sale:
    """A holder approves and sells in the next block, from his own account. Raises NetworkError."""
    seller = holder.lower()
    calls = (
        *approve_calls(market, seller, quantity),
        sell_call(market, seller, quantity, gas=gas),
    )
    block = Block(1, around.seconds(1), calls, around.coinbase)
    balances = {seller: pocket_money(0, around, gas)}
    side, [[*approved, sold]] = await asyncio.gather(
        look_into(node, around, market.place), simulate(node, around, [block], balances=balances)
    )
    return read_sale(market, (approved, sold), quantity, fair_price(quantity, side or EMPTY), 0)
