"""Each scenario of the matrix tried on its own, from an account of its own.

Every scenario consists of the desk's own transactions and nothing else: the router's functions that support fees on
transfer, an approval of what was bought (in the block after the purchase), the desk's fee bid. Nobody asks the token
for a balance in between. What is varied is `matrix.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

from sniper_cli.chains.node import Node
from sniper_cli.pools.states import moved_by
from sniper_cli.pools.swaps import MAX_UINT
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.safety.matrix import (
    AFTER_RUSH,
    ALL,
    CROWD,
    CROWD_SHARE_BPS,
    CROWD_STEP,
    RUSH,
    RUSH_BLOCKS,
    RUSH_SHARE_BPS,
    SELLERS,
    SELLERS_KEEP_BPS,
    TRIAL,
    Leg,
    Scenario,
)
from sniper_cli.safety.repricing import repriced, repricing
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
    Market,
    Sale,
    Tried,
    approve_calls,
    buy_call,
    fair_price,
    read_sale,
    sell_call,
)

ALL_PCT = 100


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
    code: Mapping[str, str] | None = None,
) -> Tried:
    """Try a scenario, selling shares of the `got` units that the purchase was seen to bring. Raises NetworkError.

    `own_balance` is that of a sender who exists: his balance is overridden only where it would not suffice.
    """
    steps = _steps(around, market, scenario, got)
    blocks = _blocks(around, market, scenario, steps)
    spent: dict[str, int] = {}
    for step in steps:
        spent[step.call.sender] = spent.get(step.call.sender, 0) + step.call.value
    balances = {who: pocket_money(wei, around, scenario.gas) for who, wei in spent.items()}
    if scenario.purse is not None:
        wanted = spent[scenario.sender] + scenario.purse
        balances[scenario.sender] = wanted + _gas_money(around, scenario)
    if own_balance is not None and own_balance >= market.amount + _gas_money(around, scenario):
        del balances[scenario.sender]
    if scenario.coins_pct > ALL_PCT and market.stored is not None:
        balances[market.stored.payer] = (
            market.stored.purse + market.side.depth * scenario.coins_pct // ALL_PCT
        )
    outcome = await simulate(node, around, blocks, balances=balances, code=code)
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
    steps = [Step(bought, Purpose.BUY, buy)]
    allowed = MAX_UINT if scenario.unlimited else got
    steps += [Step(approved, Purpose.APPROVE, call) for call in approve_calls(market, who, allowed)]
    if scenario.crowd:
        steps += _crowd(market, bought)
    if scenario.rush:
        steps += _rush(market, bought)
    if scenario.late:
        steps = [*_queue(market), *steps]
    if scenario.trial:
        little = max(1, market.amount // TRIAL)
        steps.append(Step(1, Purpose.OTHERS, buy_call(market, who, little, gas=scenario.buy_gas or gas)))
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
    # Of one block: the others' calls before our sale, ours in their order.
    return sorted(steps, key=lambda step: (step.ahead, step.purpose is Purpose.SELL))


def _crowd(market: Market, bought: int) -> list[Step]:
    """Other traders buy, a few blocks apart, and the first of them sells before us."""
    share = max(1, market.side.depth * CROWD_SHARE_BPS // ALL)
    people = [fresh_address() for _ in range(CROWD)]
    calls = [
        (number, buy_call(market, who, share, gas=CROWD_GAS)) for number, who in enumerate(people, start=1)
    ]
    # Less than the first of them got, whatever the tax: that he sells is what counts, not how much.
    early, little = people[0], max(1, market.brings(share) // 10)
    calls += [(CROWD, call) for call in approve_calls(market, early, little)]
    calls.append((CROWD, sell_call(market, early, little, gas=CROWD_GAS)))
    return [Step(bought + number * CROWD_STEP, Purpose.OTHERS, call) for number, call in calls]


def _rush(market: Market, bought: int) -> list[Step]:
    """Very many buy, in each block one leaves, and the last comes into the block of our sale."""
    share = max(1, market.side.depth * RUSH_SHARE_BPS // ALL)
    people = [fresh_address() for _ in range(RUSH)]
    steps = [
        Step(bought + 1 + place % RUSH_BLOCKS, Purpose.OTHERS, buy_call(market, who, share, gas=CROWD_GAS))
        for place, who in enumerate(people)
    ]
    little = max(1, market.brings(share) // 10)
    for later, who in enumerate(people[:RUSH_BLOCKS], start=1):
        calls = *approve_calls(market, who, little), sell_call(market, who, little, gas=CROWD_GAS)
        steps += [Step(bought + later, Purpose.OTHERS, call) for call in calls]
    last = buy_call(market, fresh_address(), share, gas=CROWD_GAS)
    return [*steps, Step(bought + AFTER_RUSH, Purpose.OTHERS, last)]


def _queue(market: Market) -> list[Step]:
    """Very many have bought in the blocks before ours."""
    share = max(1, market.side.depth * RUSH_SHARE_BPS // ALL)
    return [
        Step(1 + place % RUSH_BLOCKS, Purpose.OTHERS, buy_call(market, fresh_address(), share, gas=CROWD_GAS))
        for place in range(RUSH)
    ]


def _early(market: Market, bought: int) -> list[Step]:
    """Others come in the block of our purchase, just before it, and leave two blocks later."""
    share = max(1, market.side.depth * CROWD_SHARE_BPS // ALL)
    calls = []
    for _ in range(SELLERS):
        who, quantity = fresh_address(), max(1, market.brings(share) * (ALL - SELLERS_KEEP_BPS) // ALL)
        market = replace(market, side=_moved(market.side, share))
        calls.append((0, buy_call(market, who, share, gas=CROWD_GAS)))
        calls += [(1, call) for call in approve_calls(market, who, quantity)]
        calls.append((2, sell_call(market, who, quantity, gas=CROWD_GAS)))
    return [Step(bought + later, Purpose.OTHERS, call) for later, call in calls]


def _blocks(around: Surroundings, market: Market, scenario: Scenario, steps: Sequence[Step]) -> list[Block]:
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
        base_fee = around.base_fee_ahead(ahead)
        storage: Mapping[str, Mapping[str, str]] = {}
        if any(step.purpose is Purpose.SELL for step in group):
            base_fee = _fee_of_sale(around, scenario, base_fee)
            if scenario.coins_pct != ALL_PCT:
                storage = repricing(market, scenario.coins_pct) or {}
        blocks.append(Block(ahead, seconds, calls, proposer, base_fee, storage=storage))
    return blocks


def _fee_of_sale(around: Surroundings, scenario: Scenario, base_fee: int) -> int:
    """The base fee that a scenario asks for, as far as the bid still pays it."""
    fees = around.urgent if scenario.urgent else around.fees
    return min(base_fee * scenario.fee_pct // ALL_PCT, max(base_fee, fees.max_fee - fees.priority_fee))


def _read(market: Market, scenario: Scenario, ended: Sequence[tuple[Step, Result]]) -> Tried:
    """Say what each sale brought.

    What it should have brought is worked out from the pool that honest trades leave: a token that spoils
    the price in the purchase, in the approval or in the sale itself is measured against the unspoilt one.
    """
    bought = next(result for step, result in ended if step.purpose is Purpose.BUY)
    if not bought.ok:
        return Tried(scenario.name, False, bought.reason)
    side, place = market.side, market.place
    approvals: list[Result] = []
    sales: list[Sale] = []
    for step, result in ended:
        if step.purpose is Purpose.APPROVE:
            approvals.append(result)
        elif step.purpose is Purpose.BUY:
            side = _after_purchase(market, side, result)
            if scenario.coins_pct != ALL_PCT:
                side = repriced(side, scenario.coins_pct) or side
        else:
            if step.purpose is Purpose.SELL:
                later = step.leg.blocks if step.leg else 0
                fair = fair_price(step.quantity, side)
                sales.append(read_sale(market, (approvals, result), step.quantity, fair, later))
            side = moved_by(side, place, result.logs) or side
    return Tried(scenario.name, True, "", tuple(sales), bought.gas)


def _after_purchase(market: Market, side: PoolSide, result: Result) -> PoolSide:
    """The pool once an honest purchase is done; where the pool could not take one so large, as it says itself."""
    try:
        return side.moved(market.amount)
    except ImpossibleSwap:
        return moved_by(side, market.place, result.logs) or side


def _moved(side: PoolSide, amount: int) -> PoolSide:
    try:
        return side.moved(amount)
    except ImpossibleSwap:
        return side
