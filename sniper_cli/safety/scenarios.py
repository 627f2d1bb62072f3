"""The ways in which a purchase might be sold again, each tried on its own, from an account of its own.

A token that means harm needs a difference between what is tried and what is done. So every scenario consists of the
desk's own transactions and nothing else: the router's functions that support fees on transfer, an approval
without limit (the desk approves the largest number, once, in a transaction after the purchase), the desk's fee
bid. Nobody asks the token for a balance in between. What the desk does not choose is varied from scenario to scenario:
the sender, the proposer, the random number, the gas limit, the bid, the hour, the length of the jump, the
other traders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Node
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, amount_out, tax_bps
from sniper_cli.safety.simulation import (
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
)

MAX_UINT = 2**256 - 1
FOREVER = 2**63
GENEROUS_GAS = 8_000_000
"""Shows what a sale that burns gas really burns; below the 2^24 that one transaction may use (EIP-7825)."""
CROWD_GAS = 1_000_000
HEADROOM_PCT = 150
"""Gas limits that the desk sets, in per cent of what the simulation used."""
APPROVE_GAS = 200_000
ALL = 10_000

CROWD = 8
CROWD_STEP = 5
"""Blocks between the other traders: no long silence, and together beyond the fortieth block after the purchase."""
CROWD_SHARE_BPS = 300
"""What each of them buys, of the pool's coins: together the price rises by more than half."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale of a scenario. Amounts are those of the pair's own Swap event, which no token can fake."""

    ok: bool
    reason: str
    blocks: int
    """Blocks after the purchase."""
    gas: int
    sent: int
    reached_pool: int = 0
    paid: int = 0
    fair: int = 0
    """What the pool would have paid before this transaction for all that was sent."""

    @property
    def tax_bps(self) -> int:
        """What the token kept of what was sent."""
        return tax_bps(self.sent, self.reached_pool)

    @property
    def shortfall_bps(self) -> int:
        """What is missing in the proceeds, whatever the reason: also a price that the sale itself spoiled."""
        return tax_bps(self.fair, self.paid) if self.fair else ALL


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


@dataclass(frozen=True, slots=True)
class Market:
    """What is traded, where, and how much: fixed through a judgement."""

    exchange: Exchange
    token: str
    pool: str
    amount: int
    reserves: Reserves
    """Coin coming, token going: a purchase's view."""

    @property
    def coin_first(self) -> bool:
        """Whether the wrapped coin is the pair's token0."""
        return int(self.exchange.wrapped, 16) < int(self.token, 16)


@dataclass(frozen=True, slots=True)
class Leg:
    """One sale: how long after the purchase, and what share of what is left."""

    blocks: int
    seconds: int
    share_bps: int = ALL


@dataclass(frozen=True, slots=True)
class Scenario:
    """Buy, wait, sell; what is special about the circumstances."""

    name: str
    legs: tuple[Leg, ...]
    gas: int
    urgent: bool = False
    other_proposer: bool = False
    crowd: bool = False
    sender: str = field(default_factory=fresh_address)


NEXT_BLOCK, TWO_BLOCKS, SAME_BLOCK = "sell_next_block", "sell_two_blocks", "sell_same_block"
MINUTES, HOUR, DAY = "sell_after_30_blocks", "sell_after_an_hour", "sell_after_a_day"
IN_PARTS, CROWDED, AS_SENT = "sell_in_parts", "sell_after_others", "sell_as_sent"
LARGER = "larger_purchase"


def matrix(around: Surroundings, gas: int) -> list[Scenario]:
    """The scenarios that every token must pass. Jumps stay below the 256 blocks that real nodes simulate.

    `gas` is the most that a sale may use; the first scenario gives more, to learn what it does use.
    """
    at = around.seconds
    return [
        Scenario(TWO_BLOCKS, (Leg(2, at(2)),), max(GENEROUS_GAS, 2 * gas)),
        Scenario(NEXT_BLOCK, (Leg(1, at(1)),), gas),
        Scenario(SAME_BLOCK, (Leg(0, 0),), gas),
        Scenario(MINUTES, (Leg(30, at(30)),), gas, urgent=True, other_proposer=True),
        Scenario(HOUR, (Leg(101, max(3600, at(101))),), gas),
        Scenario(DAY, (Leg(200, max(86_400, at(200))),), gas, other_proposer=True),
        Scenario(
            IN_PARTS, (Leg(2, at(2), 4000), Leg(3, at(2) + at(1), 5000), Leg(4, at(2) + 2 * at(1))), gas
        ),
        Scenario(CROWDED, (Leg(CROWD * CROWD_STEP + 1, at(CROWD * CROWD_STEP) + at(1)),), gas, crowd=True),
    ]


def buy_call(market: Market, sender: str, amount: int, *, gas: int, fees: Fees | None = None) -> Call:
    """The desk's purchase; what it brings is measured, so no minimum is set."""
    path = [market.exchange.wrapped, market.token]
    data = abi.encode_call(
        abi.CALL_BUY, ["uint256", "address[]", "address", "uint256"], [0, path, sender, FOREVER]
    )
    return Call(sender, market.exchange.router, data, amount, gas, fees)


def approve_call(market: Market, sender: str, *, gas: int = APPROVE_GAS, fees: Fees | None = None) -> Call:
    """The desk's approval: without limit."""
    data = abi.encode_call(abi.CALL_APPROVE, ["address", "uint256"], [market.exchange.router, MAX_UINT])
    return Call(sender, market.token, data, 0, gas, fees)


def sell_call(market: Market, sender: str, quantity: int, *, gas: int, fees: Fees | None = None) -> Call:
    """The desk's sale."""
    path = [market.token, market.exchange.wrapped]
    types = ["uint256", "uint256", "address[]", "address", "uint256"]
    data = abi.encode_call(abi.CALL_SELL, types, [quantity, 0, path, sender, FOREVER])
    return Call(sender, market.exchange.router, data, 0, gas, fees)


async def run(
    node: Node,
    around: Surroundings,
    market: Market,
    scenario: Scenario,
    got: int,
    *,
    own_balance: int | None = None,
) -> Tried:
    """Try a scenario, selling shares of the `got` units that the purchase was seen to bring.

    `own_balance` is that of a sender who exists: his balance is overridden only where it would not suffice.
    """
    blocks, sold = _blocks(around, market, scenario, got)
    calls = [call for block in blocks for call in block.calls]
    balances = {
        who: pocket_money(sum(call.value for call in calls if call.sender == who), around, scenario.gas)
        for who in {call.sender for call in calls}
    }
    if own_balance is not None and own_balance >= market.amount + _gas_money(around, scenario):
        del balances[scenario.sender]
    return _read(market, scenario, blocks, sold, await simulate(node, around, blocks, balances=balances))


def _gas_money(around: Surroundings, scenario: Scenario) -> int:
    return (3 * scenario.gas + APPROVE_GAS) * max(around.fees.max_fee, around.urgent.max_fee)


def _blocks(
    around: Surroundings, market: Market, scenario: Scenario, got: int
) -> tuple[list[Block], list[tuple[int, int, int]]]:
    """The blocks of a scenario, and of each sale its block's index, its call's index and its quantity."""
    who, gas = scenario.sender, scenario.gas
    fees = around.urgent if scenario.urgent else around.fees
    proposer = around.other_coinbase if scenario.other_proposer else around.coinbase
    first = around.seconds(1)
    blocks = [Block(1, first, (buy_call(market, who, market.amount, gas=gas),), around.coinbase)]
    if scenario.crowd:
        blocks += _crowd(around, market, first)
    sold: list[tuple[int, int, int]] = []
    left = got
    for number, leg in enumerate(scenario.legs):
        quantity = left * leg.share_bps // ALL
        left -= quantity
        calls = [sell_call(market, who, quantity, gas=gas, fees=fees)]
        if number == 0:
            calls.insert(0, approve_call(market, who))
        if leg.blocks == 0:
            blocks[0] = replace(blocks[0], calls=(*blocks[0].calls, *calls))
        else:
            blocks.append(Block(1 + leg.blocks, first + leg.seconds, tuple(calls), proposer))
        sold.append((len(blocks) - 1, len(blocks[-1].calls) - 1, quantity))
    return blocks, sold


def _crowd(around: Surroundings, market: Market, first: int) -> list[Block]:
    """Other traders buy, a few blocks apart, and the first of them sells before us."""
    share = max(1, market.reserves.coming * CROWD_SHARE_BPS // ALL)
    people = [fresh_address() for _ in range(CROWD)]
    blocks = []
    for number, who in enumerate(people, start=1):
        ahead, seconds = 1 + number * CROWD_STEP, first + around.seconds(number * CROWD_STEP)
        calls: tuple[Call, ...] = (buy_call(market, who, share, gas=CROWD_GAS),)
        if number == CROWD:
            # Less than the first of them got, whatever the tax: a sale is what counts, not its size.
            quantity = amount_out(share, market.reserves) // 10
            early = people[0]
            calls += (approve_call(market, early), sell_call(market, early, quantity, gas=CROWD_GAS))
        blocks.append(Block(ahead, seconds, calls, around.coinbase))
    return blocks


def _read(
    market: Market,
    scenario: Scenario,
    blocks: Sequence[Block],
    sold: Sequence[tuple[int, int, int]],
    outcome: Sequence[Sequence[Result]],
) -> Tried:
    """Follow the pool's reserves through the calls and say what each sale brought."""
    bought = outcome[0][0]
    if not bought.ok:
        return Tried(scenario.name, False, bought.reason)
    places = {(block, call): quantity for block, call, quantity in sold}
    pool, reserves = market.pool.lower(), market.reserves
    sales: list[Sale] = []
    for index, results in enumerate(outcome):
        for position, result in enumerate(results):
            quantity = places.get((index, position))
            if quantity is not None:
                approval = results[position - 1] if not sales else None
                blocks_later = blocks[index].ahead - blocks[0].ahead
                sales.append(_sale(market, (approval, result), quantity, reserves, blocks_later))
            reserves = last_reserves(market, result.logs, pool) or reserves
    return Tried(scenario.name, True, "", tuple(sales), bought.gas)


def _sale(
    market: Market, ended: tuple[Result | None, Result], quantity: int, reserves: Reserves, blocks: int
) -> Sale:
    """Read a sale and the approval before it, if there was one."""
    approval, result = ended
    if approval is not None and not approval.ok:
        return Sale(False, f"approving the router fails: {approval.reason}", blocks, result.gas, quantity)
    if not result.ok:
        return Sale(False, result.reason, blocks, result.gas, quantity)
    swaps = [abi.swap(log) for log in result.logs if _is(log, abi.SWAP_V2, market.pool)]
    if not swaps:
        return Sale(False, "the pool saw no trade", blocks, result.gas, quantity)
    last = swaps[-1]
    reached, paid = (
        (last.amount1_in, last.amount0_out) if market.coin_first else (last.amount0_in, last.amount1_out)
    )
    try:
        fair = amount_out(quantity, reserves.reversed)
    except ImpossibleSwap:
        fair = 0
    return Sale(True, "", blocks, result.gas, quantity, reached, paid, fair)


async def own_words(node: Node, around: Surroundings, market: Market, leg: Leg | None, quantity: int) -> str:
    """What the token itself answers where router and pair only say that a transfer failed; empty if it says nothing.

    For the report only. The pair (a purchase, no leg) or the router (a sale) calls the token directly, which no
    validated transaction may do: contracts sign nothing (EIP-3607).
    """
    who, first = fresh_address(), around.seconds(1)
    if leg is None:
        data = abi.encode_call(abi.CALL_TRANSFER, ["address", "uint256"], [who, quantity])
        asked = Call(market.pool, market.token, data, 0, GENEROUS_GAS)
        blocks = [Block(1, first, (asked,), around.coinbase)]
    else:
        types = ["address", "address", "uint256"]
        data = abi.encode_call(abi.CALL_TRANSFER_FROM, types, [who, market.pool, quantity])
        asked = Call(market.exchange.router, market.token, data, 0, GENEROUS_GAS)
        bought = (buy_call(market, who, market.amount, gas=GENEROUS_GAS), approve_call(market, who))
        later = Block(1 + leg.blocks, first + leg.seconds, (asked,), around.coinbase)
        blocks = [Block(1, first, bought, around.coinbase), later]
        if leg.blocks == 0:
            blocks = [replace(blocks[0], calls=(*bought, asked))]
    balances = {caller: pocket_money(market.amount, around, GENEROUS_GAS) for caller in (who, asked.sender)}
    outcome = await simulate(node, around, blocks, balances=balances, validation=False)
    return outcome[-1][-1].reason


def vague(reason: str) -> bool:
    """Whether a reason is the router's or the pair's, and says no more than that the token refused."""
    return "TRANSFER_FAILED" in reason or "TRANSFER_FROM_FAILED" in reason


def in_own_words(tried: Tried, words: str) -> Tried:
    """The scenario with what the token says in place of what the router says."""
    told = tuple(replace(sale, reason=words) if vague(sale.reason) else sale for sale in tried.sales)
    return replace(tried, sales=told, reason=words if vague(tried.reason) else tried.reason)


def last_reserves(market: Market, logs: Sequence[abi.Log], pool: str) -> Reserves | None:
    """The reserves after a call: the pair announces each change by Sync."""
    for log in reversed(logs):
        if _is(log, abi.SYNC_V2, pool):
            first, second = abi.reserves(log)
            return Reserves(first, second) if market.coin_first else Reserves(second, first)
    return None


def _is(log: abi.Log, topic: str, address: str) -> bool:
    return bool(log["topics"]) and log["topics"][0] == topic and log["address"].lower() == address.lower()
