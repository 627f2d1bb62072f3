"""The ways in which a purchase might be sold again, each tried on its own, from an account of its own.

A token that means harm needs a difference between what is tried and what is done. So every scenario consists of the
desk's own transactions and nothing else: the router's functions that support fees on transfer, an approval
without limit (the desk approves the largest number, once, in the block after the purchase), the desk's fee bid.
Nobody asks the token for a balance in between. What the desk does not choose is varied from scenario to scenario:
the sender, the proposer, the base fee, the random number, the gas limit, the bid, the hour, the length of the
jump, the block of the purchase, the other traders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from sniper_cli.chains.node import Node
from sniper_cli.pricing.constant_product import ImpossibleSwap, amount_out
from sniper_cli.safety.simulation import (
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
)
from sniper_cli.safety.trades import (
    APPROVE_GAS,
    CROWD_GAS,
    GENEROUS_GAS,
    Market,
    Sale,
    Tried,
    approve_call,
    buy_call,
    fair_price,
    last_reserves,
    read_sale,
    sell_call,
)

ALL = 10_000

CROWD = 8
CROWD_STEP = 5
"""Blocks between the other traders: no long silence, and together to the fortieth block after the purchase."""
CROWD_SHARE_BPS = 300
"""What each of them buys, of the pool's coins: together the price rises by more than half."""

NEXT_BLOCK, TWO_BLOCKS, SAME_BLOCK = "sell_next_block", "sell_two_blocks", "sell_same_block"
MINUTES, HOUR, DAY, WEEK = (
    "sell_after_30_blocks",
    "sell_after_an_hour",
    "sell_after_a_day",
    "sell_after_a_week",
)
IN_PARTS, CROWDED, FALLEN = "sell_in_parts", "sell_after_others", "sell_after_a_fall"
IN_HASTE, AS_SENT = "sell_in_haste", "sell_as_sent"
LARGER = "larger_purchase"

SELLERS = 4
"""Who bought just before us and leaves just after: the price falls below the one we paid."""
SELLERS_KEEP_BPS = 2000
"""They keep a fifth, so that a taxed purchase suffices for what they sell."""
FALLEN_SHARE_BPS = 6500
"""Of what the purchase brought without them before it; with them it brings a fifth less."""

FAR = 7200
"""A day of Ethereum's blocks. Real nodes refuse to jump so far (geth: 256), a development chain does not."""
HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Leg:
    """One sale: how many blocks (and, at the least, seconds) after the purchase, and what share of what is left."""

    blocks: int
    seconds: int = 0
    share_bps: int = ALL


@dataclass(frozen=True, slots=True)
class Scenario:
    """Buy, wait, sell; what is special about the circumstances."""

    name: str
    legs: tuple[Leg, ...]
    gas: int
    buy_gas: int | None = None
    """The gas limit of the purchase, where it is another than the sale's."""
    urgent: bool = False
    other_proposer: bool = False
    crowd: bool = False
    """Others buy between our purchase and our sale."""
    fall: bool = False
    """Others buy before us and sell between our purchase and our sale."""
    delay: int = 0
    """Blocks that the purchase is mined later than the next."""
    sender: str = field(default_factory=fresh_address)


def matrix(gas: int) -> list[Scenario]:
    """The scenarios that every token must pass. Jumps stay below the 256 blocks that real nodes simulate.

    `gas` is the most that a sale may use; the first scenario gives more, to learn what it does use.
    """
    parts = (Leg(2, share_bps=4000), Leg(3, share_bps=5000), Leg(4))
    return [
        Scenario(TWO_BLOCKS, (Leg(2),), max(GENEROUS_GAS, 2 * gas)),
        Scenario(NEXT_BLOCK, (Leg(1),), gas),
        Scenario(SAME_BLOCK, (Leg(0),), gas),
        Scenario(MINUTES, (Leg(30),), gas, other_proposer=True),
        Scenario(IN_HASTE, (Leg(3),), gas, urgent=True, other_proposer=True),
        Scenario(HOUR, (Leg(101, HOUR_SECONDS),), gas, delay=2),
        Scenario(DAY, (Leg(200, DAY_SECONDS),), gas, other_proposer=True),
        Scenario(WEEK, (Leg(FAR, 7 * DAY_SECONDS),), gas),
        Scenario(IN_PARTS, parts, gas),
        Scenario(CROWDED, (Leg(CROWD * CROWD_STEP + 1),), gas, crowd=True),
        Scenario(FALLEN, (Leg(3, share_bps=FALLEN_SHARE_BPS),), gas, fall=True),
    ]


class Purpose(Enum):
    """Whose transaction of a scenario it is, and what for."""

    BUY = "buy"
    APPROVE = "approve"
    SELL = "sell"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a scenario, in the block so far ahead of the head."""

    ahead: int
    purpose: Purpose
    call: Call
    leg: Leg | None = None
    quantity: int = 0


async def run(
    node: Node,
    around: Surroundings,
    market: Market,
    scenario: Scenario,
    got: int,
    *,
    own_balance: int | None = None,
) -> Tried:
    """Try a scenario, selling shares of the `got` units that the purchase was seen to bring. Raises NetworkError.

    `own_balance` is that of a sender who exists: his balance is overridden only where it would not suffice.
    """
    steps = _steps(around, market, scenario, got)
    blocks = _blocks(around, scenario, steps)
    balances = {
        who: pocket_money(
            sum(step.call.value for step in steps if step.call.sender == who), around, scenario.gas
        )
        for who in {step.call.sender for step in steps}
    }
    if own_balance is not None and own_balance >= market.amount + _gas_money(around, scenario):
        del balances[scenario.sender]
    outcome = await simulate(node, around, blocks, balances=balances)
    results = [result for block in outcome for result in block]
    return _read(market, scenario, list(zip(steps, results, strict=True)))


def _gas_money(around: Surroundings, scenario: Scenario) -> int:
    gas = scenario.gas * (1 + len(scenario.legs)) + APPROVE_GAS
    return gas * max(around.fees.max_fee, around.urgent.max_fee)


def _steps(around: Surroundings, market: Market, scenario: Scenario, got: int) -> list[Step]:
    """The transactions of a scenario in their order."""
    who, gas, bought = scenario.sender, scenario.gas, 1 + scenario.delay
    fees = around.urgent if scenario.urgent else around.fees
    buy = buy_call(market, who, market.amount, gas=scenario.buy_gas or gas)
    # As the desk does: approved in the block after the purchase, unless the sale itself comes no later.
    approved = bought + min(1, scenario.legs[0].blocks)
    steps = [Step(bought, Purpose.BUY, buy), Step(approved, Purpose.APPROVE, approve_call(market, who))]
    if scenario.crowd:
        steps += _crowd(market, bought)
    if scenario.fall:
        steps = [*_early(market, bought), *steps]
    left = got
    for leg in scenario.legs:
        quantity = left * leg.share_bps // ALL
        left -= quantity
        if quantity == 0:
            continue  # a token of few units: there is no such part to sell
        sell = sell_call(market, who, quantity, gas=gas, fees=fees)
        steps.append(Step(bought + leg.blocks, Purpose.SELL, sell, leg, quantity))
    return sorted(steps, key=lambda step: step.ahead)


def _crowd(market: Market, bought: int) -> list[Step]:
    """Other traders buy, a few blocks apart, and the first of them sells before us."""
    share = max(1, market.reserves.coming * CROWD_SHARE_BPS // ALL)
    people = [fresh_address() for _ in range(CROWD)]
    calls = [
        (number, buy_call(market, who, share, gas=CROWD_GAS)) for number, who in enumerate(people, start=1)
    ]
    # Less than the first of them got, whatever the tax: that he sells is what counts, not how much.
    early, little = people[0], amount_out(share, market.reserves) // 10
    calls += [(CROWD, approve_call(market, early)), (CROWD, sell_call(market, early, little, gas=CROWD_GAS))]
    return [Step(bought + number * CROWD_STEP, Purpose.OTHERS, call) for number, call in calls]


def _early(market: Market, bought: int) -> list[Step]:
    """Others come in the block of our purchase, just before it, and leave two blocks later."""
    share = max(1, market.reserves.coming * CROWD_SHARE_BPS // ALL)
    reserves, calls = market.reserves, []
    for _ in range(SELLERS):
        who, brought = fresh_address(), amount_out(share, reserves)
        reserves = reserves.after(share, brought)
        quantity = max(1, brought * (ALL - SELLERS_KEEP_BPS) // ALL)
        calls += [
            (0, buy_call(market, who, share, gas=CROWD_GAS)),
            (1, approve_call(market, who)),
            (2, sell_call(market, who, quantity, gas=CROWD_GAS)),
        ]
    return [Step(bought + later, Purpose.OTHERS, call) for later, call in calls]


def _blocks(around: Surroundings, scenario: Scenario, steps: Sequence[Step]) -> list[Block]:
    """The steps in blocks, with the time that each is mined at."""
    blocks: list[Block] = []
    number = seconds = bought_at = 0
    for ahead, grouped in groupby(steps, key=lambda step: step.ahead):
        group = list(grouped)
        seconds += around.seconds(ahead - number)
        number = ahead
        if any(step.purpose is Purpose.BUY for step in group):
            bought_at = seconds
        waits = [step.leg.seconds for step in group if step.leg]
        seconds = max(seconds, *(bought_at + wait for wait in waits)) if waits else seconds
        other = scenario.other_proposer and any(step.purpose is Purpose.SELL for step in group)
        proposer = around.other_coinbase if other else around.coinbase
        calls = tuple(step.call for step in group)
        blocks.append(Block(ahead, seconds, calls, proposer, around.base_fee_ahead(ahead)))
    return blocks


def _read(market: Market, scenario: Scenario, ended: Sequence[tuple[Step, Result]]) -> Tried:
    """Say what each sale brought.

    What it should have brought is worked out from the reserves that honest trades leave: a token that spoils
    the price in the purchase, in the approval or in the sale itself is measured against the unspoilt one.
    """
    bought = next(result for step, result in ended if step.purpose is Purpose.BUY)
    if not bought.ok:
        return Tried(scenario.name, False, bought.reason)
    reserves = market.reserves
    approval: Result | None = None
    sales: list[Sale] = []
    for step, result in ended:
        if step.purpose is Purpose.APPROVE:
            approval = result
        elif step.purpose is Purpose.BUY:
            try:
                reserves = reserves.after(market.amount, amount_out(market.amount, reserves))
            except ImpossibleSwap:
                reserves = last_reserves(market, result.logs) or reserves
        else:
            if step.purpose is Purpose.SELL:
                later = step.leg.blocks if step.leg else 0
                fair = fair_price(step.quantity, reserves)
                sales.append(read_sale(market, (approval, result), step.quantity, fair, later))
            reserves = last_reserves(market, result.logs) or reserves
    return Tried(scenario.name, True, "", tuple(sales), bought.gas)
