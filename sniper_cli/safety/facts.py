"""What stands on the chain about a token and its pool, and what a first simulated purchase brings.

Two requests, sent together. The reads are a simulation of their own, never part of one that trades: a token whose
`decimals()` or `balanceOf()` writes down that somebody looked would behave in the same simulation and not in life.
The factory and the pair are asked before the token, for the same reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, amount_out, tax_bps
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
    """The pool as the factory and the pair describe it, the token as it describes itself."""

    registered: str
    """The pool that the factory names for this token and the wrapped coin."""
    tokens: tuple[str, str]
    reserves: Reserves
    """Coin coming, token going."""
    held_by_pool: int | None
    """The token's own word on the pool's balance; the pair's reserve may lag behind it."""
    metadata: Metadata
    balance_before: int
    """What the first buyer is said to hold before the purchase."""

    def problem(self, exchange: Exchange, token: str, pool: str) -> str | None:
        """Why this is not the exchange's pool of the token; None if it is."""
        pair = {token.lower(), exchange.wrapped.lower()}
        if self.registered == ZERO_ADDRESS:
            return f"the factory {exchange.factory} knows no pool of this token against the wrapped coin"
        if self.registered != pool.lower():
            return f"the factory names {self.registered} as this token's pool, not {pool}"
        if set(self.tokens) != pair:
            return f"the pool trades {self.tokens[0]} against {self.tokens[1]}"
        return None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A first simulated purchase: from it the scenarios know how much there is to sell."""

    ok: bool
    reason: str
    got: int
    gas: int
    reserves: Reserves
    """Read in the block of the purchase, just before it."""
    amount: int
    ignored: tuple[str, ...] = ()
    """What of the simulated block the node did not honour."""

    @property
    def tax_bps(self) -> int:
        """What the token kept of what the pool paid out."""
        return tax_bps(self.expected, self.got) if self.expected else 10_000

    @property
    def expected(self) -> int:
        """What the pool pays out for the amount."""
        try:
            return amount_out(self.amount, self.reserves)
        except ImpossibleSwap:
            return 0


async def read_facts(
    node: Node, around: Surroundings, exchange: Exchange, token: str, pool: str, *, buyer: str
) -> Facts:
    """Ask the factory, the pair and the token. Raises NetworkError."""
    reader = fresh_address()

    def ask(to: str, selector: str, *addresses: str) -> Call:
        data = abi.encode_call(selector, ["address"] * len(addresses), addresses)
        return Call(reader, to, data, 0, READ_GAS)

    calls = (
        ask(exchange.factory, abi.CALL_GET_PAIR, token, exchange.wrapped),
        ask(pool, abi.CALL_TOKEN0),
        ask(pool, abi.CALL_TOKEN1),
        ask(pool, abi.CALL_GET_RESERVES),
        ask(token, abi.CALL_NAME),
        ask(token, abi.CALL_SYMBOL),
        ask(token, abi.CALL_DECIMALS),
        ask(token, abi.CALL_TOTAL_SUPPLY),
        ask(token, abi.CALL_BALANCE_OF, pool),
        ask(token, abi.CALL_BALANCE_OF, buyer),
    )
    block = Block(1, around.seconds(1), calls, around.coinbase)
    [answers] = await simulate(
        node, around, [block], balances={reader: pocket_money(0, around, READ_GAS * len(calls))}
    )
    registered, first, second, reserves, name, symbol, decimals, supply, held, before = answers
    tokens = (_address(first), _address(second))
    return Facts(
        registered=_address(registered),
        tokens=tokens,
        reserves=reserves_in(reserves, coin_first=tokens[0] == exchange.wrapped.lower()),
        held_by_pool=_number(held),
        metadata=read_metadata(
            *(answer.data if answer.ok else None for answer in (name, symbol, decimals, supply))
        ),
        balance_before=_number(before) or 0,
    )


async def try_purchase(
    node: Node, around: Surroundings, market: Market, amount: int, *, buyer: str
) -> Purchase:
    """Simulate a purchase in the next block and see what it brings. Raises NetworkError."""
    reader, echo = fresh_address(), fresh_address()
    block = Block(
        1,
        around.seconds(1),
        (
            Call(reader, market.pool, abi.CALL_GET_RESERVES, 0, READ_GAS),
            buy_call(market, buyer, amount, gas=GENEROUS_GAS),
            Call(
                reader, market.token, abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [buyer]), 0, READ_GAS
            ),
            echo_call(reader, echo),
        ),
        around.other_coinbase,  # not the head's: so a node that ignores it is noticed
    )
    balances = {
        reader: pocket_money(0, around, READ_GAS * 3),
        buyer: pocket_money(amount, around, GENEROUS_GAS),
    }
    [answers] = await simulate(node, around, [block], balances=balances, code={echo: ECHO})
    reserves, bought, balance, seen = answers
    return Purchase(
        ok=bought.ok,
        reason=bought.reason,
        got=(_number(balance) or 0) if bought.ok else 0,
        gas=bought.gas,
        reserves=reserves_in(reserves, coin_first=market.coin_first),
        amount=amount,
        ignored=tuple(ignored(around, block, seen)),
    )


def _number(result: Result) -> int | None:
    return int.from_bytes(result.data[:32]) if result.ok and len(result.data) >= 32 else None


def _address(result: Result) -> str:
    number = _number(result)
    return ZERO_ADDRESS if number is None else f"0x{number & (2**160 - 1):040x}"


def reserves_in(result: Result, *, coin_first: bool) -> Reserves:
    if not result.ok or len(result.data) < 64:
        return Reserves(0, 0)
    first, second = int.from_bytes(result.data[:32]), int.from_bytes(result.data[32:64])
    return Reserves(first, second) if coin_first else Reserves(second, first)
