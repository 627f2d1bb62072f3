"""One token, one pool, one head: bought, held, sold in every way that matters, none of it sent.

Three steps, each as wide as it can be: what stands on the chain and what a purchase brings; all scenarios of selling
at once; and, where a sale goes through, the order itself in rehearsal: the operator's own address, the gas limits
that the desk will set; beside it what the token's code looks at. Some two dozen requests for a token that passes, six
for one that cannot be bought.

What this cannot see: what the owner will do (take the liquidity, block an account, mint) before he does it; a
switch that waits for something no scenario contains. Hence the exits, and judging again while a position is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NetworkError, NotFound
from sniper_cli.pools.finding import find_deepest
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.constant_product import BPS
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.safety.classification import classify
from sniper_cli.safety.facts import Facts, Purchase, look_into, read_facts, try_purchase
from sniper_cli.safety.findings import (
    Findings,
    blocked,
    judge_gas,
    judge_larger,
    judge_pool,
    judge_purchase,
    judge_sales,
    judge_simulation,
)
from sniper_cli.safety.matrix import (
    AS_SENT,
    AS_SENT_LATER,
    AS_SENT_NEXT_DAY,
    CRASHED_PCT,
    CROWDED,
    DAY,
    LITTLE_BY_LITTLE,
    MINUTES,
    SOARED_PCT,
    TWO_BLOCKS,
    YEAR,
    Scenario,
    matrix,
)
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome, SafetyCheck, SafetyReport
from sniper_cli.safety.repricing import Stored, read_stored, repricing
from sniper_cli.safety.scenarios import run
from sniper_cli.safety.sight import NAME, judge_sight
from sniper_cli.safety.simulation import Call, Surroundings, fresh_address, surroundings
from sniper_cli.safety.trades import (
    EMPTY,
    Market,
    NotRun,
    Tried,
    gas_limit,
    in_own_words,
    own_words,
    vague,
)
from sniper_cli.safety.waiting_pools import read_waiting

T = TypeVar("T")
BLINDFOLDED = {TWO_BLOCKS, DAY, YEAR, CROWDED, LITTLE_BY_LITTLE}
"""Scenarios in which a token is tried without its eyes."""
SMALLER = 10
"""A purchase that fails is tried once more at this fraction, to tell a limit from a closed door."""


async def judge(
    node: Node,
    place: Pool,
    *,
    amount: int,
    policy: SafetyPolicy,
    head: Head | None = None,
    sender: str | None = None,
    prelude: Sequence[Call] = (),
) -> SafetyReport:
    """Judge a token in its pool for a purchase of `amount` wei, on top of `prelude` where something waits to be mined.

    `sender` is the account that would buy: the last scenario is run from its address, since a token may know it;
    all others come from addresses made up for the occasion. Raises NetworkError only where the head itself cannot
    be read; whatever cannot be tried after that makes the verdict not proven.
    """
    head = head or await node.head()
    trial = _Trial(node, place, amount, policy, surroundings(head, policy, prelude), sender)
    return await trial.judge()


async def require_pool(node: Node, exchanges: Exchanges, token: str) -> Pool:
    """The deepest pool of a token, for whoever knows only its address. Raises NotFound, NetworkError."""
    pool = await find_deepest(node, exchanges, token)
    if pool is None:
        raise NotFound(
            f"no exchange that is watched has a pool of {token} against {exchanges.coin}",
            hint="sniper snipe launches",
            token=token,
            factories=list(exchanges.factories),
        )
    return pool


@dataclass(slots=True)
class _Trial:
    """A judgement under way."""

    node: Node
    place: Pool
    amount: int
    policy: SafetyPolicy
    around: Surroundings
    sender: str | None
    side: PoolSide = EMPTY
    """The pool as it was found."""
    simulations: int = 0

    async def judge(self) -> SafetyReport:
        """The three steps."""
        found = Findings(self.policy, self.place.exchange.coin)
        buyer = fresh_address()
        facts, purchase, side, balance, stored = await asyncio.gather(
            self._try(partial(read_facts, self.node, self.around, self.place, buyer=buyer)),
            self._purchase(Market(self.place, self.amount), self.amount, buyer),
            self._try(partial(look_into, self.node, self.around, self.place)),
            self._own_balance(),
            self._try(self._stored),
        )
        if isinstance(facts, NotRun) or isinstance(purchase, NotRun) or isinstance(side, NotRun):
            missing = next(each for each in (purchase, facts, side) if isinstance(each, NotRun))
            found.add("simulation", Outcome.NOT_PROVEN, f"the token could not be tried: {missing.why}")
            return self._report(found, None if isinstance(facts, NotRun) else facts)
        purchase = _without(purchase, facts.balance_before)
        market = Market(
            self.place, self.amount, side or EMPTY, None if isinstance(stored, NotRun) else stored
        )
        self.side = market.side
        problem = facts.problem(self.place)
        judge_pool(found, facts, market, problem)
        judge_simulation(found, purchase)
        if side is None or side.depth == 0:
            found.classification = Classification.NO_LIQUIDITY
            return self._report(found, facts)
        if problem:
            return self._report(found, facts)  # what a stranger's contract logs is nothing to go by
        smaller, explained = await asyncio.gather(
            self._smaller(market, purchase), self._explained(market, purchase)
        )
        if not judge_purchase(found, explained, smaller):
            return self._report(found, facts, purchase)
        tried = await self._sales(found, market, purchase, balance)
        return self._report(found, facts, purchase, tried)

    async def _sales(
        self, found: Findings, market: Market, purchase: Purchase, balance: int | None
    ) -> dict[str, Tried | NotRun]:
        """The second step and, where it found nothing, the third."""
        prices = [pct for pct in (SOARED_PCT, CRASHED_PCT) if repricing(market, pct) is not None]
        scenarios = matrix(self.policy.max_sell_gas, prices=prices)
        big = max(2 * self.amount, market.side.depth * self.policy.max_share_of_pool_bps // BPS)
        larger, ended = await asyncio.gather(
            self._purchase(market, big, fresh_address()),
            asyncio.gather(
                *(
                    self._try(partial(run, self.node, self.around, market, each, purchase.got))
                    for each in scenarios
                )
            ),
        )
        tried = {scenario.name: outcome for scenario, outcome in zip(scenarios, ended, strict=True)}
        tried = await self._in_own_words(market, purchase, scenarios, tried)
        normal = tried[TWO_BLOCKS]
        judge_gas(found, normal)
        if isinstance(normal, Tried) and normal.sales and not blocked(normal.sales[0]):
            orders, sight = await asyncio.gather(
                self._rehearsals(market, purchase, scenarios, tried, balance),
                self._try(partial(self._sight, market, purchase, scenarios)),
            )
            tried |= orders
            if isinstance(sight, NotRun):
                sight = SafetyCheck(NAME, Outcome.NOT_PROVEN, f"its code could not be searched: {sight.why}")
            found.add(sight.name, sight.outcome, sight.detail)
        judge_sales(found, tried)
        judge_larger(found, larger)
        found.classification = classify(found, tried, larger)
        return tried

    async def _in_own_words(
        self, market: Market, purchase: Purchase, scenarios: list[Scenario], tried: dict[str, Tried | NotRun]
    ) -> dict[str, Tried | NotRun]:
        """The failures with the token's own reason, where router and pair swallowed it."""
        for scenario in scenarios:
            ended = tried[scenario.name]
            if isinstance(ended, Tried) and ended.sales and vague(ended.sales[0].reason):
                wait = (scenario.legs[0].blocks, scenario.legs[0].seconds)
                self.simulations += 1  # it asks in two ways
                words = await self._try(
                    partial(own_words, self.node, self.around, market, wait, purchase.got)
                )
                if words and isinstance(words, str):
                    return {
                        name: in_own_words(each, words) if isinstance(each, Tried) else each
                        for name, each in tried.items()
                    }
                break
        return tried

    async def _rehearsals(
        self,
        market: Market,
        purchase: Purchase,
        scenarios: list[Scenario],
        tried: dict[str, Tried | NotRun],
        balance: int | None,
    ) -> dict[str, Tried | NotRun]:
        """The order itself, sold soon, later and next day: its gas limits, its bid and, where known, its account."""
        wanted = {TWO_BLOCKS: AS_SENT, MINUTES: AS_SENT_LATER, DAY: AS_SENT_NEXT_DAY}
        orders = []
        for scenario in scenarios:
            ended = tried[scenario.name]
            if scenario.name in wanted and isinstance(ended, Tried) and ended.sales and ended.sales[0].ok:
                gas, buy_gas = gas_limit(ended.sales[0].gas), gas_limit(purchase.gas)
                sender = (self.sender or fresh_address()).lower()
                orders.append(
                    Scenario(wanted[scenario.name], scenario.legs, gas, buy_gas=buy_gas, sender=sender)
                )
        ended_orders = await asyncio.gather(
            *(
                self._try(
                    partial(run, self.node, self.around, market, order, purchase.got, own_balance=balance)
                )
                for order in orders
            )
        )
        return {order.name: ended for order, ended in zip(orders, ended_orders, strict=True)}

    async def _sight(self, market: Market, purchase: Purchase, scenarios: list[Scenario]) -> SafetyCheck:
        """What it looks at, tried on the ways of selling that lead furthest apart."""
        chosen = [each for each in scenarios if each.name in BLINDFOLDED]
        return await judge_sight(self.node, self.around, market, chosen, purchase.got, self.policy)

    async def _smaller(self, market: Market, purchase: Purchase) -> Purchase | None:
        if purchase.ok:
            return None
        small = max(1, self.amount // SMALLER)
        outcome = await self._purchase(market, small, fresh_address())
        return None if isinstance(outcome, NotRun) else outcome

    async def _explained(self, market: Market, purchase: Purchase) -> Purchase:
        if purchase.ok or not vague(purchase.reason):
            return purchase
        words = await self._try(
            partial(own_words, self.node, self.around, market, None, market.brings(self.amount) or 1)
        )
        return replace(purchase, reason=words) if words and isinstance(words, str) else purchase

    async def _stored(self) -> Stored | None:
        """Where the pool keeps its price; of one that waits to be made or filled it is found out by writing."""
        read = read_waiting if self.around.prelude else read_stored
        return await read(self.node, self.around, self.place)

    async def _own_balance(self) -> int | None:
        if self.sender is None:
            return None
        try:
            at = hex(self.around.head.number)
            return int(await self.node.call("eth_getBalance", [self.sender, at]), 16)
        except NetworkError:
            return None  # the scenario then gives the account what it needs

    async def _purchase(self, market: Market, amount: int, buyer: str) -> Purchase | NotRun:
        return await self._try(partial(try_purchase, self.node, self.around, market, amount, buyer=buyer))

    async def _try(self, simulation: Callable[[], Coroutine[Any, Any, T]]) -> T | NotRun:
        """What it brings, or why it could not be run. Begun only here: a judgement called off leaves nothing behind."""
        self.simulations += 1
        try:
            return await simulation()
        except NetworkError as error:
            return NotRun(error.message)

    def _report(
        self,
        found: Findings,
        facts: Facts | None,
        purchase: Purchase | None = None,
        tried: dict[str, Tried | NotRun] | None = None,
    ) -> SafetyReport:
        normal = (tried or {}).get(TWO_BLOCKS)
        sale = normal.sales[0] if isinstance(normal, Tried) and normal.sales else None
        sold = sale if sale and sale.ok else None
        metadata = facts.metadata if facts else None
        return SafetyReport(
            chain_id=self.place.exchange.chain_id,
            token=self.place.token,
            pool=self.place.id,
            block_number=self.around.head.number,
            block_hash=self.around.head.hash,
            verdict=found.verdict,
            classification=found.classification,
            checks=tuple(found.checks),
            reasons=found.reasons,
            symbol=metadata.symbol if metadata else "",
            name=metadata.name if metadata else "",
            decimals=metadata.decimals if metadata else None,
            buy_tax_bps=purchase.tax_bps if purchase and purchase.ok else None,
            sell_tax_bps=sold.tax_bps if sold else None,
            buy_gas=purchase.gas if purchase and purchase.ok else None,
            sell_gas=sold.gas if sold else None,
            expected_quantity=purchase.got if purchase and purchase.ok else None,
            liquidity=self.side.depth if facts else None,
            simulations=self.simulations,
            figures=_figures(self.around, self.amount, facts, self.side, tried or {}),
        )


def _without(purchase: Purchase, before: int) -> Purchase:
    """A purchase brought what the balance grew by; a token may claim a balance for one who never bought."""
    return replace(purchase, got=purchase.got - before) if before and purchase.ok else purchase


def _figures(
    around: Surroundings,
    amount: int,
    facts: Facts | None,
    side: PoolSide,
    tried: dict[str, Tried | NotRun],
) -> dict[str, Any]:
    """What stands behind the checks, exact, as strings and whole numbers."""
    supply = facts.metadata.total_supply if facts else None
    return {
        "amount_wei": str(amount),
        "base_fee_wei": str(around.base_fee),
        "max_fee_wei": str(around.fees.max_fee),
        "priority_fee_wei": str(around.fees.priority_fee),
        "token_reserve": str(side.going) if facts else None,
        "total_supply": None if supply is None else str(supply),
        "held_by_pool": None if facts is None or facts.held_by_pool is None else str(facts.held_by_pool),
        "sales": {
            name: [
                {
                    "ok": sale.ok,
                    "blocks": sale.blocks,
                    "gas": sale.gas,
                    "sent": str(sale.sent),
                    "reached_pool": str(sale.reached_pool),
                    "paid_wei": str(sale.paid),
                    "fair_wei": str(sale.fair),
                }
                for sale in ended.sales
            ]
            for name, ended in tried.items()
            if isinstance(ended, Tried)
        },
    }
