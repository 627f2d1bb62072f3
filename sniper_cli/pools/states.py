"""What state a pool is in at one block, read so that a quote from it is what the pool pays.

V2 is one question. V3 takes three rounds: the price; the bitmap around it, which says where ticks are; the ticks. The
window grows with the spacing and always holds at least a factor of ten in price both ways; a trade that would leave it
is not guessed at but refused (`OutOfSight`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import words
from sniper_cli.pricing.concentrated import WORD, ConcentratedPool
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
from sniper_cli.pricing.tick_math import MAX_TICK, MIN_TICK

SLOT0 = "0x3850c7bd"
LIQUIDITY = "0x1a686502"
TICK_BITMAP = "0x5339c296"
"""tickBitmap(int16)"""
TICKS = "0xf30dba93"
"""ticks(int24)"""
REACH = 23_027
"""Ticks in a factor of ten: 1.0001^23027."""
MOST_WORDS = 40
NEGATIVE = 1 << 255
WHOLE = 1 << 256


async def read_sides(node: Node, pools: Sequence[Pool], block: int | str = "latest") -> list[PoolSide | None]:
    """Each pool as a purchase sees it (coins coming, tokens going); None where there is no pool or nothing in it.

    Raises NetworkError.
    """
    at = hex(block) if isinstance(block, int) else block
    asked = [questions_of(pool, at) for pool in pools]
    answers = iter(await node.batch([each for questions in asked for each in questions], return_errors=True))
    found: list[PoolSide | None] = []
    concentrated: dict[int, ConcentratedPool] = {}
    for place, (pool, questions) in enumerate(zip(pools, asked, strict=True)):
        mine = list(islice(answers, len(questions)))
        if pool.protocol is Protocol.V2:
            found.append(reserves_of(pool, mine[0]))
            continue
        state = price_of(pool, mine)
        found.append(None)
        if state is not None:
            concentrated[place] = state
    for place, state in (await with_ticks(node, pools, concentrated, at)).items():
        found[place] = ConcentratedSide(state, zero_for_one=pools[place].coin_first)
    return found


async def read_side(node: Node, pool: Pool, block: int | str = "latest") -> PoolSide | None:
    """One pool as a purchase sees it. Raises NetworkError."""
    return (await read_sides(node, [pool], block))[0]


def questions_of(pool: Pool, at: str = "latest") -> list[tuple[str, list[Any]]]:
    """What tells a pool's price in one round: all there is to ask of a V2 pool, the ticks not yet of others."""
    if pool.protocol is Protocol.V2:
        return [_ask(pool, abi.CALL_GET_RESERVES, at)]
    if pool.protocol is Protocol.V3:
        return [_ask(pool, SLOT0, at), _ask(pool, LIQUIDITY, at)]
    return []


def price_of(pool: Pool, answers: Sequence[Any]) -> ConcentratedPool | None:
    """A concentrated pool by the answers to its questions, without its ticks; None where it was never given a price."""
    if pool.protocol is not Protocol.V3:
        return None
    return _state_of(pool, answers[0], answers[1])


def reserves_of(pool: Pool, answer: Any) -> Reserves | None:
    """A V2 pool's reserves as a purchase sees them, from the answer to getReserves()."""
    if not isinstance(answer, str) or len(answer) < 2 + 64 * 2:
        return None
    first, second = abi.reserves(answer)
    coins, tokens = (first, second) if pool.coin_first else (second, first)
    fee_bps = pool.fee // 100
    return Reserves(coins, tokens, fee_bps) if coins and tokens else None


def moved_by(side: PoolSide, pool: Pool, logs: Sequence[abi.Log]) -> PoolSide | None:
    """The pool after what its own logs tell, as a purchase sees it; None where they tell of no change."""
    for log in reversed(logs):
        if not log["topics"] or log["address"].lower() != pool.id:
            continue
        if pool.protocol is Protocol.V2 and log["topics"][0] == abi.SYNC_V2:
            first, second = abi.reserves(log)
            fee_bps = pool.fee // 100
            return Reserves(first, second, fee_bps) if pool.coin_first else Reserves(second, first, fee_bps)
        if pool.protocol is Protocol.V3 and log["topics"][0] == abi.SWAP_V3:
            assert isinstance(side, ConcentratedSide)
            data = log["data"]
            known = side.pool
            state = ConcentratedPool(
                abi.word(data, 2),
                signed(abi.word(data, 4)),
                abi.word(data, 3),
                known.ticks,
                known.fee,
                known.tick_spacing,
                known.known,
            )
            return ConcentratedSide(state, zero_for_one=pool.coin_first)
    return None


def signed(number: int) -> int:
    """A word as a signed integer."""
    return number - WHOLE if number >= NEGATIVE else number


def _ask(pool: Pool, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": pool.id, "data": data}, at]


def _state_of(pool: Pool, slot: Any, liquidity: Any) -> ConcentratedPool | None:
    """A V3 pool's price, without its ticks; None where there is none or it was never given a price."""
    if not isinstance(slot, str) or len(slot) < 2 + 64 * 2 or not isinstance(liquidity, str):
        return None
    price = abi.word(slot, 0)
    if not price:
        return None
    spacing = pool.tick_spacing or 1
    return ConcentratedPool(price, signed(abi.word(slot, 1)), abi.word(liquidity, 0), (), pool.fee, spacing)


async def with_ticks(
    node: Node, pools: Sequence[Pool], states: dict[int, ConcentratedPool], at: str
) -> dict[int, ConcentratedPool]:
    """The same pools with the ticks around their prices."""
    windows = {place: _window(state) for place, state in states.items()}
    bitmap = [(place, word) for place, (first, last) in windows.items() for word in range(first, last + 1)]
    answers = await _numbers(
        node, [_ask(pools[place], TICK_BITMAP + words(word % WHOLE), at) for place, word in bitmap]
    )
    marked = [
        (place, (word * WORD + bit) * states[place].tick_spacing)
        for (place, word), bits in zip(bitmap, answers, strict=True)
        for bit in range(WORD)
        if bits >> bit & 1
    ]
    questions = [_ask(pools[place], TICKS + words(tick % WHOLE), at) for place, tick in marked]
    nets = await _words(node, questions, 1)
    found: dict[int, list[tuple[int, int]]] = {place: [] for place in states}
    for (place, tick), net in zip(marked, nets, strict=True):
        found[place].append((tick, _signed_128(net)))
    complete = {}
    for place, state in states.items():
        first, last = windows[place]
        spacing = state.tick_spacing
        known = (max(MIN_TICK, first * WORD * spacing), min(MAX_TICK, ((last + 1) * WORD - 1) * spacing))
        complete[place] = ConcentratedPool(
            state.sqrt_price_x96,
            state.tick,
            state.liquidity,
            tuple(sorted(found[place])),
            state.fee,
            spacing,
            None if known == (MIN_TICK, MAX_TICK) else known,
        )
    return complete


def _window(state: ConcentratedPool) -> tuple[int, int]:
    """The first and the last word of the bitmap that are read."""
    spacing = state.tick_spacing
    middle = state.tick // spacing // WORD
    words_away = min(MOST_WORDS, -(-REACH // (WORD * spacing)) + 1)
    lowest, highest = MIN_TICK // spacing // WORD, MAX_TICK // spacing // WORD
    return max(lowest, middle - words_away), min(highest, middle + words_away)


async def _numbers(node: Node, questions: list[tuple[str, list[Any]]]) -> list[int]:
    return await _words(node, questions, 0)


async def _words(node: Node, questions: list[tuple[str, list[Any]]], index: int) -> list[int]:
    answers = await node.batch(questions, return_errors=True)
    for answer in answers:
        if isinstance(answer, NodeRefused):
            raise answer
    return [abi.word(answer, index) for answer in answers]


def _signed_128(word: int) -> int:
    """ticks() answers liquidityNet as an int128 widened to a word."""
    return signed(word)
