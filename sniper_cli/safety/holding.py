"""Can what is held still be sold? One request, from the holder's own account, with what it really holds.

A judgement before the purchase cannot foresee that the token's owner blocks this very account afterwards.
"""

from __future__ import annotations

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NetworkError
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.safety.facts import READ_GAS, reserves_in
from sniper_cli.safety.findings import cause
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome, SafetyCheck
from sniper_cli.safety.simulation import (
    Block,
    Call,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
    surroundings,
)
from sniper_cli.safety.trades import Market, Sale, approve_call, fair_price, read_sale, sell_call

HOLDING = "sell_holding"


async def check_holding(
    node: Node,
    exchange: Exchange,
    token: str,
    pool: str,
    *,
    holder: str,
    quantity: int,
    policy: SafetyPolicy,
    head: Head | None = None,
) -> SafetyCheck:
    """Simulate the sale of a holding in the next block. Raises NetworkError only where no head can be read."""
    around = surroundings(head or await node.head(), policy)
    market = Market(exchange, token.lower(), pool.lower(), 0, Reserves(0, 0))
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
    reader, seller = fresh_address(), holder.lower()
    calls = (
        Call(reader, market.pool, abi.CALL_GET_RESERVES, 0, READ_GAS),
        approve_call(market, seller),
        sell_call(market, seller, quantity, gas=gas),
    )
    block = Block(1, around.seconds(1), calls, around.coinbase)
    balances = {who: pocket_money(0, around, gas) for who in (reader, seller)}
    [[read, approved, sold]] = await simulate(node, around, [block], balances=balances)
    reserves = reserves_in(read, coin_first=market.coin_first)
    return read_sale(market, (approved, sold), quantity, fair_price(quantity, reserves), 0)
