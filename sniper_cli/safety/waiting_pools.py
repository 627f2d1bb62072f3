"""Where a pool that a waiting transaction makes or fills will keep its price: nothing stands there yet, so it is tried.

On top of that transaction the pool is asked what it stands at. Then other figures are written to where Uniswap's code
has them, and the pool must tell just those: so it is known that a price written there is the price it trades at.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools import storage
from sniper_cli.safety.repricing import LOWER, PRICE_BITS, TICK_BITS, Stored, places, written
from sniper_cli.safety.simulation import Block, Call, fresh_address, pocket_money, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sniper_cli.chains.node import Node
    from sniper_cli.pools.pool import Pool
    from sniper_cli.safety.simulation import Result, Surroundings

READ_GAS = 300_000
PRICE = (1 << PRICE_BITS) - 1
REST = ((16, 2), (16, 3), (16, 4), (8, 5), (8, 6))
"""What follows price and tick in a V3 pool's first word: bits, and which word of slot0() tells it."""


async def read_waiting(node: Node, around: Surroundings, place: Pool) -> Stored | None:
    """A pool's storage as a waiting transaction will leave it; None where it is kept elsewhere. Raises NetworkError."""
    payer = place.keeper if int(place.quote, 16) == 0 else place.exchange.wrapped
    found, purse = await asyncio.gather(
        _found(node, around, place), node.call("eth_getBalance", [payer, hex(around.head.number)])
    )
    if found is None:
        return None
    slot, liquidity_slot, _ = places(place)
    word, coins = found
    return Stored(slot, word, liquidity_slot, coins, payer, int(purse, 16))


async def _found(node: Node, around: Surroundings, place: Pool) -> tuple[int, int | None] | None:
    """The word that holds the price, and the wrapped coins in the pool where it holds them alone."""
    if place.protocol is Protocol.V2:
        return await _pair(node, around, place)
    if place.protocol is Protocol.V3:
        return await _concentrated(node, around, place)
    # v4's manager is read by its slots in any case: what they tell is what it trades at.
    [told] = await _asked(node, around, place.keeper, [storage.load_data(storage.first_slots(place))])
    word = _word(told, 2)
    return (word, None) if word else None


async def _pair(node: Node, around: Surroundings, place: Pool) -> tuple[int, int] | None:
    slot, _, questions = places(place)
    first, second = (1 + secrets.randbelow(LOWER) for _ in "12")
    reserves, held = await _proof(node, around, place, {slot: second << 112 | first}, first, questions)
    told = [_word(reserves, 0), _word(reserves, 1), _word(held, 0)]
    return (0, 0) if told == [first, second, first] else None


async def _concentrated(node: Node, around: Surroundings, place: Pool) -> tuple[int, int] | None:
    slot, liquidity_slot, questions = places(place)
    [held] = await _asked(node, around, place.exchange.wrapped, [_balance(place)])
    slot0, liquidity = await _asked(node, around, place.id, questions)
    word, lies, coins = _first_word(slot0), _word(liquidity, 0) + 1, _word(held, 0)
    if not word:
        return None
    slots = {slot: word ^ 1, liquidity_slot: lies}
    moved, filled, paid = await _proof(node, around, place, slots, coins + 1, questions)
    told = [_word(moved, 0), _word(filled, 0), _word(paid, 0)]
    return (word, coins) if told == [word & PRICE ^ 1, lies, coins + 1] else None


def _balance(place: Pool) -> str:
    return abi.CALL_BALANCE_OF + f"{int(place.id, 16):064x}"


def _first_word(slot0: Result) -> int:
    """A V3 pool's first word, put together from what slot0() tells; 0 where the pool has no price."""
    word, at = _word(slot0, 0) | _word(slot0, 1) % (1 << TICK_BITS) << PRICE_BITS, PRICE_BITS + TICK_BITS
    for bits, index in REST:
        word |= _word(slot0, index) << at
        at += bits
    return word if _word(slot0, 0) else 0


async def _asked(node: Node, around: Surroundings, to: str, data: Sequence[str]) -> list[Result]:
    reader = fresh_address()
    calls = tuple(Call(reader, to, each, 0, READ_GAS) for each in data)
    block = Block(1, around.seconds(1), calls, around.coinbase)
    [ended] = await simulate(
        node, around, [block], balances={reader: pocket_money(0, around, READ_GAS * len(calls))}
    )
    return ended


async def _proof(
    node: Node, around: Surroundings, place: Pool, slots: Mapping[int, int], coins: int, data: Sequence[str]
) -> list[Result]:
    """What the pool, and at the end the wrapped coin, tell once something else is written there."""
    reader, seconds = fresh_address(), around.seconds(1)
    calls = (
        *(Call(reader, place.id, each, 0, READ_GAS) for each in data),
        Call(reader, place.exchange.wrapped, _balance(place), 0, READ_GAS),
    )
    blocks = [
        Block(1, seconds, (), around.coinbase),
        Block(2, 2 * seconds, calls, around.coinbase, storage=written(place, slots, coins)),
    ]
    balances = {reader: pocket_money(0, around, READ_GAS * len(calls))}
    return (await simulate(node, around, blocks, balances=balances))[1]


def _word(result: Result, index: int) -> int:
    """A word of an answer; 0 where it failed or is too short."""
    return int.from_bytes(result.data[32 * index : 32 * index + 32]) if result.ok else 0
