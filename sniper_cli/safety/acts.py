"""Privileged acts, tried: the same purchase and sale with the act between them, a dozen of them in one request.

A purchase and a sale around one act cost a local node 0.4 ms. Nothing here says what a difference means: that is
`powers`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools import swaps
from sniper_cli.safety.bytecode import Function
from sniper_cli.safety.simulation import (
    METHOD,
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    request,
    results,
)
from sniper_cli.safety.trades import GENEROUS_GAS, Market, approve_calls, buy_call, sell_call

READ_GAS = 300_000
AT_ONCE = 12
"""Simulations in one request."""
PURSE = "0x5f35315f5260205ff3"
"""A contract that answers with the balance of the account it is asked about: CALLDATALOAD BALANCE MSTORE RETURN."""


@dataclass(frozen=True, slots=True)
class Act:
    """A privileged call, as it is tried."""

    sender: str
    function: Function | None
    data: str = ""
    before: Act | None = None
    """What must be done first, by the same account."""


@dataclass(frozen=True, slots=True)
class After:
    """What was found after an act."""

    done: bool
    balance: int
    supply: int
    gained: int
    """What the actor holds."""
    owner: int
    sold: bool
    brought: int
    reason: str


@dataclass(slots=True)
class Trial:
    """One token's acts under way."""

    node: Node
    around: Surroundings
    market: Market
    buyer: str
    held: int
    contracts: set[str] = field(default_factory=set)
    """Senders with code: no transaction of theirs is valid (EIP-3607), so validation is off for them."""
    simulations: int = 0

    async def run(self, acts: Sequence[Act]) -> list[After]:
        """Simulate the acts, each by itself, in their order. Raises NetworkError."""
        self.simulations += len(acts)
        parts = [acts[at : at + AT_ONCE] for at in range(0, len(acts), AT_ONCE)]
        ended = await asyncio.gather(*(self._batch(part) for part in parts))
        return [after for part in ended for after in part]

    async def _batch(self, acts: Sequence[Act]) -> list[After]:
        plans = [self._plan(act) for act in acts]
        at = hex(self.around.head.number)
        answers = await self.node.batch(
            [
                (
                    METHOD,
                    [
                        request(self.around, blocks, balances, {reader: PURSE})
                        | {"validation": act.sender not in self.contracts},
                        at,
                    ],
                )
                for act, (reader, blocks, balances) in zip(acts, plans, strict=True)
            ],
            return_errors=True,
        )
        read = []
        for act, (_, blocks, _), answer in zip(acts, plans, answers, strict=True):
            if isinstance(answer, NodeRefused):
                raise answer
            found = results(self.around, blocks, answer)
            read.append(self._read(act, [result for block in found for result in block]))
        return read

    def _plan(self, act: Act) -> tuple[str, list[Block], dict[str, int]]:
        """Buy; two blocks later the act; in the next block look, approve, sell."""
        market, buyer, reader = self.market, self.buyer, fresh_address()
        token = market.token

        def read(data: str, to: str = token) -> Call:
            return Call(reader, to, data, 0, READ_GAS)

        def balance(who: str) -> Call:
            return read(abi.CALL_BALANCE_OF + _word(who))

        done = [
            Call(each.sender, token, each.data, 0, GENEROUS_GAS)
            for each in (act.before, act)
            if each is not None and each.data
        ]
        looks = (balance(buyer), read(abi.CALL_TOTAL_SUPPLY), balance(act.sender), read(abi.CALL_OWNER))
        purse = read("0x" + _word(buyer), reader)
        sale = (
            *approve_calls(market, buyer, self.held),
            purse,
            sell_call(market, buyer, self.held, gas=GENEROUS_GAS),
            purse,
        )
        seconds = self.around.seconds
        coinbase = self.around.coinbase
        blocks = [
            Block(1, seconds(1), (buy_call(market, buyer, market.amount, gas=GENEROUS_GAS),), coinbase),
            Block(3, seconds(1) + seconds(2), tuple(done), coinbase),
            Block(4, seconds(1) + seconds(2) + seconds(1), (*looks, *sale), coinbase),
        ]
        money = {who: pocket_money(0, self.around, 4 * GENEROUS_GAS) for who in (reader, act.sender)}
        money[buyer] = pocket_money(market.amount, self.around, 4 * GENEROUS_GAS)
        return reader, blocks, money

    def _read(self, act: Act, ended: Sequence[Result]) -> After:
        steps = len(swaps.approval_calls(self.market.place, self.buyer, self.held))
        *acts, balance, supply, gained, owner = ended[1 : -3 - steps]
        *approved, before, sold, after = ended[-3 - steps :]
        price = self.around.fees.effective(self.around.base_fee)
        spent = sold.gas * price if act.sender not in self.contracts else 0
        return After(
            done=all(result.ok for result in acts),
            balance=_number(balance),
            supply=_number(supply),
            gained=_number(gained),
            owner=_number(owner),
            sold=all(each.ok for each in (*approved, sold)),
            brought=max(0, _number(after) - _number(before) + spent),
            reason=next((result.reason for result in acts if not result.ok), sold.reason),
        )


def _word(address: str) -> str:
    return address[2:].rjust(64, "0")


def _number(result: Result) -> int:
    return int.from_bytes(result.data[:32]) if result.ok and len(result.data) >= 32 else 0
