"""A route tried without sending it: what would arrive, in how much gas, at the block that it was quoted at.

A quote is true of tokens that do what they say. One that takes a tax, or refuses, shows here. The simulation pays with
the coin by giving the sender some; a token it must really hold, because where a token keeps its balances is its own
affair.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.swaps import SwapCall, approval_calls
from sniper_cli.pools.words import words
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.routing.calls import Errand
from sniper_cli.routing.market import Market, Reach
from sniper_cli.routing.quoting import RouteQuote

Terms = TypeVar("Terms")
"""What an attempt made of a route besides."""
SPARE_COINS = 10**20
"""For the gas of a simulation."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a simulation said."""

    arrived: int | None
    """None: it was not tried, or reverted."""
    gas: int | None = None
    words: str = ""
    """Why nothing arrived."""

    @property
    def reverted(self) -> bool:
        """Whether it was tried and failed."""
        return self.gas is not None and self.arrived is None


async def first_that_works(
    market: Market, attempt: Callable[[Market], Awaitable[tuple[RouteQuote, Tried, Terms]]]
) -> tuple[RouteQuote, Tried, Terms]:
    """The best route by an attempt that quotes and tries it; where UniversalRouter's reverts, the best without v4.

    A token may refuse v4's manager or Permit2, and a later edition of the router other calls: V2 and V3 then still do.
    Raises whatever the attempt does.
    """
    best = await attempt(market)
    reach = best[0].reach
    if not best[1].reverted or reach.exchange.protocol is not Protocol.V4:
        return best
    try:
        other = await attempt(market.without(reach))
    except ImpossibleSwap:
        return best
    return best if other[1].reverted else other


async def try_route(
    node: Node,
    reach: Reach,
    call: SwapCall,
    errand: Errand,
    token_in: str,
    token_out: str,
    amount: int,
    block: int,
) -> Tried:
    """Simulate a route's transaction, with the approvals that it needs before it. Raises NetworkError."""
    if not errand.coin_in and await _held(node, token_in, errand.owner, block) < amount:
        return Tried(None, words=f"{errand.owner} does not hold the amount at this block")
    calls = [_spoken(errand.owner, call)]
    if not errand.coin_in:
        letting = approval_calls(reach.taking(token_in), errand.owner, amount)
        calls[:0] = [_spoken(errand.owner, each) for each in letting]
    rich = {errand.owner: {"balance": hex(SPARE_COINS + call.value)}}
    payload = {"blockStateCalls": [{"stateOverrides": rich, "calls": calls}], "validation": False}
    try:
        blocks = await node.call("eth_simulateV1", [payload, hex(block)])
    except NodeRefused as refused:
        return Tried(None, words=str(refused.details.get("message") or refused.message))
    result = blocks[0]["calls"][-1]
    gas = int(result["gasUsed"], 16)
    if result["status"] != "0x1":
        return Tried(None, gas, str((result.get("error") or {}).get("message") or "it reverts"))
    return Tried(arrived(result["logs"], call.to, errand, token_out), gas)


def arrived(logs: Sequence[abi.Log], router: str, errand: Errand, token_out: str) -> int:
    """What reached the owner, by the logs of a receipt or a simulation: transfers to him, or coins unwrapped."""
    owner = errand.owner.lower()
    mine = [log for log in logs if log["topics"] and log["address"].lower() == token_out]
    if errand.coin_out:
        unwrapped = (log for log in mine if log["topics"][0] == abi.WITHDRAWAL)
        return sum(
            abi.word(log["data"], 0) for log in unwrapped if abi.topic_address(log["topics"][1]) == router
        )
    transfers = (abi.transferred(log) for log in mine if log["topics"][0] == abi.TRANSFER)
    return sum(quantity for _, to, quantity in transfers if to == owner)


async def _held(node: Node, token: str, owner: str, block: int) -> int:
    answer = await node.call(
        "eth_call", [{"to": token, "data": abi.CALL_BALANCE_OF + words(owner)}, hex(block)]
    )
    return abi.word(answer, 0) if len(answer) >= 66 else 0


def _spoken(owner: str, call: SwapCall) -> dict[str, Any]:
    return {"from": owner, "to": call.to, "data": call.data, "value": hex(call.value)}
