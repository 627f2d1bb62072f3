"""What a trade over several pools would be: the best route at one block, tried before it is signed.

The order stays one of the token against the coin, and is recorded, sent, replaced and measured as any other; only its
transaction goes through a router that deals in more than the instrument's own pool. Refused for a token that takes a
tax: a step between two pools would pay it twice, and V3 not at all.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import SwapCall, approval_calls
from sniper_cli.pools.words import words
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.routing.calls import Errand, route_call
from sniper_cli.routing.market import Market, read_market
from sniper_cli.routing.quoting import RouteQuote, best_route
from sniper_cli.routing.trying import Tried, first_that_works, try_route
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.evm.approvals import allowance_of, allowance_questions, approvals_for
from sniper_cli.venues.evm.calls import APPROVE_GAS, Call, SwapRequest
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Plan
from state.accounts import Asset
from state.orders import OrderType, Side, TimeInForce
from state.transactions import Purpose

SPARE_GAS = 30_000


async def plan_route(
    node: Node,
    exchanges: Exchanges,
    pool: Pool,
    policy: ExecutionPolicy,
    address: str,
    assets: tuple[Asset, Asset],
    intent: OrderIntent,
    tax_bps: int,
) -> Plan:
    """Plan a purchase or a sale over several pools. Raises OrderRefused where it cannot succeed, NetworkError."""
    _require_routable(intent, tax_bps)
    token, wrapped, buys = pool.token, exchanges.wrapped, intent.side is Side.BUY
    nonce, held = await _asked(node, token, address)
    amount = (intent.budget or 0) if buys else min(intent.quantity or 0, held)
    if amount <= 0:
        raise OrderRefused("nothing is left of this token at the address", held=str(held), token=token)
    market = await read_market(node, exchanges, [wrapped, token, *(intent.route or ())], beside=[pool])
    head = market.head
    fees = policy.bid(head, urgency=intent.urgency, outbid_fee=intent.outbid_fee, side=intent.side)
    ends = (wrapped, token) if buys else (token, wrapped)
    deadline = head.timestamp + policy.deadline_seconds
    gas_price = min(fees.max_fee, head.base_fee + fees.priority_fee)

    async def attempt(market: Market) -> tuple[RouteQuote, Tried, tuple[int, SwapCall]]:
        quote = best_route(market, *ends, amount, wrapped=wrapped, gas_price=gas_price)
        least = _least(quote, policy, intent, assets, amount)
        errand = Errand(address, least, deadline, coin_in=buys, coin_out=not buys)
        swap = route_call(quote.reach, quote.split, market.known, errand)
        tried = await try_route(node, quote.reach, swap, errand, *ends, amount, head.number)
        return quote, tried, (least, swap)

    try:
        quote, tried, (least, swap) = await first_that_works(market, attempt)
    except ImpossibleSwap as error:
        raise OrderRefused(f"no route takes this: {error}", hint="sniper route pools", token=token) from error
    gas = _gas_limit(tried, quote, head)
    if buys:
        fees = policy.worth(fees, gas, amount)
    # A sale asks which router may take the token: not always that of the instrument's pool.
    approvals = () if buys else await _approvals(node, quote.reach.taking(token), address, amount)
    call = Call(Purpose.BUY if buys else Purpose.SELL, swap.to, swap.data, swap.value, gas)
    total_gas = gas + sum(each.gas_limit for each in approvals)
    letting = APPROVE_GAS * len(approval_calls(pool, address, 1))
    exit_gas = (letting + gas) * fees.max_fee if buys else 0
    return Plan(
        intent=intent,
        summary={
            **_figures(quote, amount, least, buys=buys),
            "gas_limit": total_gas,
            "max_fee": str(fees.max_fee),
            "priority_fee": str(fees.priority_fee),
            "gas_cost_at_most": str(total_gas * fees.max_fee),
            "block": head.number,
        },
        # Without the coins for approval and sale a purchase could never be left again.
        quote_needed=(amount if buys else 0) + total_gas * fees.max_fee + exit_gas,
        request=SwapRequest((*approvals, call), fees, nonce, head, deadline),
    )


def _require_routable(intent: OrderIntent, tax_bps: int) -> None:
    if tax_bps:
        raise OrderRefused(
            f"the token takes a tax of {tax_bps / 100:g} %: it is traded in its own pool, not along a route",
            hint="sniper order place",
        )
    if intent.side is Side.BUY and intent.budget is None:
        raise OrderRefused("a purchase along a route says how much to spend", hint="sniper route swap --help")
    resting = intent.type is OrderType.LIMIT and intent.time_in_force is TimeInForce.GTC
    if resting or intent.type not in (OrderType.MARKET, OrderType.LIMIT):
        raise OrderRefused(
            "pools keep no resting orders, and a route none at all", hint="sniper route swap --help"
        )


async def _asked(node: Node, token: str, address: str) -> tuple[int, int]:
    """The next nonce, and what is held of the token."""
    nonce, held = await node.batch(
        [
            ("eth_getTransactionCount", [address, "pending"]),
            ("eth_call", [{"to": token, "data": abi.CALL_BALANCE_OF + words(address)}, "latest"]),
        ],
        return_errors=True,
    )
    if isinstance(nonce, NodeRefused):
        raise nonce
    return int(nonce, 16), abi.word(held, 0) if isinstance(held, str) and len(held) >= 66 else 0


def _least(
    quote: RouteQuote, policy: ExecutionPolicy, intent: OrderIntent, assets: tuple[Asset, Asset], amount: int
) -> int:
    """The least that may come out: by the slippage allowed, and by the limit price."""
    base, coin = assets
    usual = policy.buy_slippage_bps if intent.side is Side.BUY else policy.sell_slippage_bps
    least = quote.least(usual if intent.max_slippage_bps is None else intent.max_slippage_bps)
    if intent.limit_price is None:
        return least
    if intent.side is Side.BUY:
        return max(least, base.units(_floor(coin.amount(amount) / intent.limit_price, base)))
    return max(least, coin.units(_floor(base.amount(amount) * intent.limit_price, coin)))


def _gas_limit(tried: Tried, quote: RouteQuote, head: Head) -> int:
    """With headroom. Raises OrderRefused where the simulation shows that it would fail."""
    if tried.gas is None:  # a node without eth_simulateV1: the usual gas, doubled
        return min(2 * quote.gas + SPARE_GAS, head.gas_limit)
    if tried.arrived is None:
        raise OrderRefused(f"the trade would fail: {tried.words}", expected=str(quote.split.amount_out))
    return min(tried.gas * 3 // 2 + SPARE_GAS, head.gas_limit)


async def _approvals(node: Node, through: Pool, address: str, quantity: int) -> tuple[Call, ...]:
    told = await node.batch(allowance_questions(through, address), return_errors=True)
    return await approvals_for(node, through, address, quantity, allowance_of(told))


def _figures(quote: RouteQuote, amount: int, least: int, *, buys: bool) -> dict[str, Any]:
    names = ("spend", "expected_quantity", "least_quantity") if buys else ("sell", "expected", "least")
    known = quote.market.known
    return {
        **dict(zip(names, map(str, (amount, quote.split.amount_out, least)), strict=True)),
        "single": None if quote.single is None else str(quote.single.amount_out),
        "gain_bps": quote.gain_bps,
        "legs": [
            {
                "amount": str(leg.amount_in),
                "pools": [_named(known[hop.pool]) for hop in leg.path.hops],
            }
            for leg in quote.split.legs
        ],
    }


def _named(pool: Pool) -> str:
    return f"{pool.protocol.value} {pool.fee} {pool.id}"


def _floor(amount: Decimal, asset: Asset) -> Decimal:
    return asset.amount(int(amount.scaleb(asset.decimals)))
