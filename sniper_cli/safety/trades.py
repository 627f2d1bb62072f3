"""The desk's own transactions, as they are tried, and what a tried sale brought.

Amounts are those of the pool's own Swap event: the pool is the exchange's code, and no token can fake it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Node
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import SwapCall, words
from sniper_cli.pools.trades import trades_in
from sniper_cli.pricing.constant_product import BPS, ImpossibleSwap, Reserves, tax_bps
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.safety.repricing import Stored
from sniper_cli.safety.simulation import (
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
)

FOREVER = 2**63
GENEROUS_GAS = 8_000_000
"""Shows what a sale that burns gas really burns; below the 2^24 that one transaction may use (EIP-7825)."""
CROWD_GAS = 1_000_000
HEADROOM_PCT, SPARE_GAS = 150, 30_000
"""The gas limit that the desk sets for a swap: this share of what was measured, and a bit."""
APPROVE_GAS = 100_000
"""The gas limit that the desk sets for its approval."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale of a scenario. Amounts are those of the pool's own Swap event, which no token can fake."""

    ok: bool
    reason: str
    blocks: int
    """Blocks after the purchase."""
    gas: int
    sent: int
    reached_pool: int = 0
    paid: int = 0
    fair: int = 0
    """What the pool would have paid for all that was sent, had the token left its price alone."""

    @property
    def tax_bps(self) -> int:
        """What the token kept of what was sent."""
        return tax_bps(self.sent, self.reached_pool)

    @property
    def shortfall_bps(self) -> int:
        """What is missing in the proceeds, whatever the reason: also a price that the sale itself spoiled."""
        return tax_bps(self.fair, self.paid) if self.fair else BPS


@dataclass(frozen=True, slots=True)
class Tried:
    """How a scenario ended."""

    name: str
    bought: bool
    reason: str
    """Why the purchase failed."""
    sales: tuple[Sale, ...] = ()
    buy_gas: int = 0


@dataclass(frozen=True, slots=True)
class NotRun:
    """A scenario that the node did not run. It proves nothing, in neither direction."""

    why: str


EMPTY = Reserves(0, 0)
"""A pool of which nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Market:
    """What is traded, where, and how much: fixed through a judgement."""

    place: Pool
    amount: int
    side: PoolSide = EMPTY
    """The pool as a purchase sees it: coins coming, tokens going."""
    stored: Stored | None = None
    """Where the pool keeps its price, if its storage is known."""

    @property
    def token(self) -> str:
        return self.place.token

    @property
    def pool(self) -> str:
        return self.place.id

    @property
    def exchange(self) -> Exchange:
        return self.place.exchange

    def brings(self, amount: int) -> int:
        """What the pool pays a buyer for so many coins; nothing where it cannot take them."""
        try:
            return self.side.pays(amount)
        except ImpossibleSwap:
            return 0


def gas_limit(used: int) -> int:
    """The limit that the desk sets on a swap that was measured to use so much."""
    return used * HEADROOM_PCT // 100 + SPARE_GAS


def buy_call(market: Market, sender: str, amount: int, *, gas: int, fees: Fees | None = None) -> Call:
    """The desk's purchase; what it brings is measured, so no minimum is set."""
    return _call(sender, swaps.buy_call(market.place, sender, amount, 0, FOREVER), gas, fees)


def approve_calls(
    market: Market, sender: str, quantity: int, *, gas: int = APPROVE_GAS, fees: Fees | None = None
) -> tuple[Call, ...]:
    """The desk's approval of what it will sell, no more; in v4 it takes two steps."""
    calls = swaps.approval_calls(market.place, sender, quantity)
    return tuple(_call(sender, call, gas, fees) for call in calls)


def sell_call(market: Market, sender: str, quantity: int, *, gas: int, fees: Fees | None = None) -> Call:
    """The desk's sale."""
    return _call(sender, swaps.sell_call(market.place, sender, quantity, 0, FOREVER), gas, fees)


def _call(sender: str, call: SwapCall, gas: int, fees: Fees | None) -> Call:
    return Call(sender, call.to, call.data, call.value, gas, fees)


def fair_price(quantity: int, side: PoolSide) -> int:
    """What an untaxed sale brings in a pool as a purchase sees it; nothing in one that cannot take it."""
    try:
        return side.reversed.pays(quantity)
    except ImpossibleSwap:
        return 0


def read_sale(
    market: Market, ended: tuple[Sequence[Result], Result], quantity: int, fair: int, blocks: int
) -> Sale:
    """Read a sale and the approvals before it."""
    approvals, result = ended
    refused = next((approval for approval in approvals if not approval.ok), None)
    if refused is not None:
        return Sale(False, f"approving the router fails: {refused.reason}", blocks, result.gas, quantity)
    if not result.ok:
        reason = KEEPS_PART if result.reason == TOO_LITTLE else result.reason
        return Sale(False, reason, blocks, result.gas, quantity)
    trades = trades_in(market.place, result.logs)
    if not trades:
        return Sale(False, "the pool saw no trade", blocks, result.gas, quantity)
    last = trades[-1]
    return Sale(True, "", blocks, result.gas, quantity, max(0, last.tokens), max(0, -last.coins), fair)


async def own_words(
    node: Node, around: Surroundings, market: Market, wait: tuple[int, int] | None, quantity: int
) -> str:
    """What the token itself answers where router and pool only say that a transfer failed; often nothing.

    For the report only. The pool (a purchase) or the router (a sale, `wait` blocks and seconds later) calls the
    token directly, which no validated transaction may do: contracts sign nothing (EIP-3607). A token that behaves in
    such a block is asked once more in a whole one, by a seller who sends his tokens to the pool himself.
    """
    who = fresh_address()
    if wait is None:
        asked = Call(
            market.place.keeper, market.token, abi.CALL_TRANSFER + words(who, quantity), 0, GENEROUS_GAS
        )
        block = Block(1, around.seconds(1), (asked,), around.coinbase)
        return await _asked(node, around, [block], validation=False)
    keeper, mover = market.place.keeper, swaps.spender(market.place)
    by_router = abi.CALL_TRANSFER_FROM + words(who, keeper, quantity)
    by_seller = abi.CALL_TRANSFER + words(keeper, quantity)
    first, second = await asyncio.gather(
        _asked(
            node,
            around,
            _later(around, market, wait, who, quantity, Call(mover, market.token, by_router, fees=FREE)),
            validation=False,
        ),
        _asked(node, around, _later(around, market, wait, who, quantity, Call(who, market.token, by_seller))),
    )
    return first or second


def _later(
    around: Surroundings, market: Market, wait: tuple[int, int], who: str, quantity: int, asked: Call
) -> list[Block]:
    """A purchase and an approval, and so much later the call that asks."""
    first = around.seconds(1)
    bought = (
        buy_call(market, who, market.amount, gas=GENEROUS_GAS),
        *approve_calls(market, who, quantity),
    )
    asked = replace(asked, gas=GENEROUS_GAS)
    if wait[0] == 0:
        return [Block(1, first, (*bought, asked), around.coinbase)]
    seconds = first + max(wait[1], around.seconds(wait[0]))
    return [
        Block(1, first, bought, around.coinbase),
        Block(1 + wait[0], seconds, (asked,), around.coinbase),
    ]


async def _asked(
    node: Node, around: Surroundings, blocks: Sequence[Block], *, validation: bool = True
) -> str:
    calls = [call for block in blocks for call in block.calls]
    spent = sum(call.value for call in calls)
    balances = {call.sender: pocket_money(spent, around, GENEROUS_GAS) for call in calls}
    outcome = await simulate(node, around, blocks, balances=balances, validation=validation)
    return outcome[-1][-1].reason


FREE = Fees(0, 0)
"""V3's router gives a buyer all of its coins back: what it sends afterwards it could not pay for."""
TOO_LITTLE = "revert 'IIA'"
KEEPS_PART = "the token keeps a part of what is sent, and a pool of V3 takes no less than it asks for (IIA)"
VAGUE = (
    "TRANSFER_FAILED",
    "TRANSFER_FROM_FAILED",
    "revert 'TF'",
    "revert 'STF'",
    "0x90bfb865",
)
"""V2's router and pair and Permit2; V3's pool and router; v4's WrappedError."""


def vague(reason: str) -> bool:
    """Whether a reason is the router's or the pool's, and says no more than that the token refused."""
    return any(words in reason for words in VAGUE)


def in_own_words(tried: Tried, words: str) -> Tried:
    """The scenario with what the token says in place of what the router says."""
    told = tuple(replace(sale, reason=words) if vague(sale.reason) else sale for sale in tried.sales)
    return replace(tried, sales=told, reason=words if vague(tried.reason) else tried.reason)
