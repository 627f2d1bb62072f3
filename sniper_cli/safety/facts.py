"""What stands on the chain about a token and its pool, and what a first simulated purchase brings.

Three requests, sent together: the pool's state, the reads, the purchase. The reads are a simulation of their own, never
part of one that trades: a token whose `decimals()` or `balanceOf()` writes down that somebody looked would behave in
the same simulation and not in life. The factory and the pool are asked before the token, for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import read_side
from sniper_cli.pools.swaps import words
from sniper_cli.pools.trades import trades_in
from sniper_cli.pricing.constant_product import tax_bps
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.safety.capabilities import ECHO, echo_call, ignored
from sniper_cli.safety.simulation import (
    ZERO_ADDRESS,
    Block,
    Call,
    Result,
    Surroundings,
    fresh_address,
    pocket_money,
    simulate,
)
from sniper_cli.safety.trades import (
    GENEROUS_GAS,
    Market,
    buy_call,
)
from sniper_cli.safety.untrusted import Metadata, read_metadata

READ_GAS = 300_000


@dataclass(frozen=True, slots=True)
class Facts:
    """The pool as its exchange describes it, the token as it describes itself."""

    registered: str
    """The pool that the factory names for this token and the wrapped coin; a v4 pool names itself by its key."""
    tokens: tuple[str, str]
    held_by_pool: int | None
    """The token's own word on the pool's balance; a pair's reserve may lag behind it."""
    metadata: Metadata
    balance_before: int
    """What the first buyer is said to hold before the purchase."""

    def problem(self, place: Pool) -> str | None:
        """Why this is not the exchange's pool of the token; None if it is."""
        if self.registered == ZERO_ADDRESS:
            return (
                f"the factory {place.exchange.factory} knows no pool of this token against the wrapped coin"
            )
        if self.registered != place.id:
            return f"the factory names {self.registered} as this token's pool, not {place.id}"
        if set(self.tokens) != {place.token, place.quote}:
            return f"the pool trades {self.tokens[0]} against {self.tokens[1]}"
        return None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A first simulated purchase: from it the scenarios know how much there is to sell."""

    ok: bool
    reason: str
    got: int
    gas: int
    amount: int
    expected: int
    """What the pool paid out, by its own event."""
    ignored: tuple[str, ...] = ()
    """What of the simulated block the node did not honour."""

    @property
    def tax_bps(self) -> int:
        """What the token kept of what the pool paid out."""
        return tax_bps(self.expected, self.got) if self.expected else 10_000


class SimulatedReads:
    """Answers to questions as of the next block, after what waits to be mined: a node's batch of `eth_call`s."""

    def __init__(self, node: Node, around: Surroundings) -> None:
        self._node, self._around = node, around

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        """One result a question. Raises NetworkError."""
        if not calls:
            return []
        reader = fresh_address()
        asked = tuple(Call(reader, each[0]["to"], each[0]["data"], 0, READ_GAS) for _, each in calls)
        block = Block(1, self._around.seconds(1), asked, self._around.coinbase)
        money = {reader: pocket_money(0, self._around, READ_GAS * len(calls))}
        [answers] = await simulate(self._node, self._around, [block], balances=money)
        found = [
            "0x" + answer.data.hex() if answer.ok else NodeRefused(f"the call fails: {answer.reason}")
            for answer in answers
        ]
        refused = next((each for each in found if isinstance(each, NodeRefused)), None)
        if refused is not None and not return_errors:
            raise refused
        return found


async def look_into(node: Node, around: Surroundings, place: Pool) -> PoolSide | None:
    """The pool's state as a purchase in the next block finds it. Raises NetworkError."""
    if around.prelude:
        return await read_side(SimulatedReads(node, around), place)
    return await read_side(node, place, around.head.number)


async def read_facts(node: Node, around: Surroundings, place: Pool, *, buyer: str) -> Facts:
    """Ask the factory, the pool and the token. Raises NetworkError."""
    reader, token = fresh_address(), place.token

    def ask(to: str, selector: str, *values: str | int) -> Call:
        return Call(reader, to, selector + words(*values), 0, READ_GAS)

    calls = (
        *(ask(to, selector, *values) for to, selector, *values in _of_pool(place)),
        ask(token, abi.CALL_NAME),
        ask(token, abi.CALL_SYMBOL),
        ask(token, abi.CALL_DECIMALS),
        ask(token, abi.CALL_TOTAL_SUPPLY),
        ask(token, abi.CALL_BALANCE_OF, place.keeper),
        ask(token, abi.CALL_BALANCE_OF, buyer),
    )
    block = Block(1, around.seconds(1), calls, around.coinbase)
    [answers] = await simulate(
        node, around, [block], balances={reader: pocket_money(0, around, READ_GAS * len(calls))}
    )
    *of_pool, name, symbol, decimals, supply, held, before = answers
    registered, *tokens = [_address(each) for each in of_pool] or [place.id, *place.currencies]
    return Facts(
        registered=registered,
        tokens=(tokens[0], tokens[1]),
        held_by_pool=_number(held),
        metadata=read_metadata(
            *(answer.data if answer.ok else None for answer in (name, symbol, decimals, supply))
        ),
        balance_before=_number(before) or 0,
    )


def _of_pool(place: Pool) -> tuple[tuple[Any, ...], ...]:
    """Which pool the factory names, and what that pool trades. A v4 pool's name is the hash of what it trades."""
    if place.protocol is Protocol.V4:
        return ()
    pair = (place.token, place.exchange.wrapped)
    factory = (
        (abi.CALL_GET_PAIR, *pair) if place.protocol is Protocol.V2 else (abi.CALL_GET_POOL, *pair, place.fee)
    )
    return (place.exchange.factory, *factory), (place.id, abi.CALL_TOKEN0), (place.id, abi.CALL_TOKEN1)


async def try_purchase(
    node: Node, around: Surroundings, market: Market, amount: int, *, buyer: str
) -> Purchase:
    """Simulate a purchase in the next block and see what it brings. Raises NetworkError."""
    reader, echo = fresh_address(), fresh_address()
    block = Block(
        1,
        around.seconds(1),
        (
            buy_call(market, buyer, amount, gas=GENEROUS_GAS),
            Call(reader, market.token, abi.CALL_BALANCE_OF + words(buyer), 0, READ_GAS),
            echo_call(reader, echo),
        ),
        around.other_coinbase,  # not the head's: so a node that ignores it is noticed
    )
    balances = {
        reader: pocket_money(0, around, READ_GAS * 2),
        buyer: pocket_money(amount, around, GENEROUS_GAS),
    }
    [answers] = await simulate(node, around, [block], balances=balances, code={echo: ECHO})
    bought, balance, seen = answers
    return Purchase(
        ok=bought.ok,
        reason=bought.reason,
        got=(_number(balance) or 0) if bought.ok else 0,
        gas=bought.gas,
        amount=amount,
        expected=max(0, -sum(trade.tokens for trade in trades_in(market.place, bought.logs))),
        ignored=tuple(ignored(around, block, seen)),
    )


def _number(result: Result) -> int | None:
    return int.from_bytes(result.data[:32]) if result.ok and len(result.data) >= 32 else None


def _address(result: Result) -> str:
    number = _number(result)
    return ZERO_ADDRESS if number is None else f"0x{number & (2**160 - 1):040x}"
