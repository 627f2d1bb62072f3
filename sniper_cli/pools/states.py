"""What state a pool is in at one block, read so that a quote from it is what the pool pays.

V2 is one question. V3 and v4 take three rounds: the price; the bitmap around it, which says where ticks are; the ticks.
V3's pools answer word by word, v4's manager a whole round in one answer (`pools.storage`). The window grows with the
spacing and holds at least a factor of ten in price both ways (on V3 with a spacing of one tick 2.8); a trade that would
leave it is not guessed at but refused (`OutOfSight`).

A v4 pool's hooks may change what a swap pays: then this is what the formula says, no more (`keys.follows_its_formula`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from typing import Protocol as Interface

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import NodeRefused
from sniper_cli.pools import storage
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.words import words
from sniper_cli.pricing.concentrated import WORD, ConcentratedPool
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
from sniper_cli.pricing.tick_math import MAX_TICK, MIN_TICK

SLOT0 = "0x3850c7bd"
TICK_BITMAP = "0x5339c296"
"""tickBitmap(int16)"""
TICKS = "0xf30dba93"
"""ticks(int24)"""
REACH = 23_027
"""Ticks in a factor of ten: 1.0001^23027."""
MOST_WORDS = {Protocol.V3: 40, Protocol.V4: 100}
"""Of the bitmap, each way. A word costs V3 a call of its own: with a spacing of one tick it reads less than REACH."""
NEGATIVE = 1 << 255
WHOLE = 1 << 256

Question = tuple[str, list[Any]]


class Reader(Interface):
    """Whoever answers a batch of `eth_call`s: a node, or a simulation of the blocks to come."""

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        """One result a call."""
        ...


async def read_sides(
    node: Reader, pools: Sequence[Pool], block: int | str = "latest"
) -> list[PoolSide | None]:
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


async def read_side(node: Reader, pool: Pool, block: int | str = "latest") -> PoolSide | None:
    """One pool as a purchase sees it. Raises NetworkError."""
    return (await read_sides(node, [pool], block))[0]


def questions_of(pool: Pool, at: str = "latest") -> list[tuple[str, list[Any]]]:
    """What tells a pool's price in one round: all there is to ask of a V2 pool, the ticks not yet of others."""
    if pool.protocol is Protocol.V2:
        return [_ask(pool, abi.CALL_GET_RESERVES, at)]
    if pool.protocol is Protocol.V3:
        return [_ask(pool, SLOT0, at), _ask(pool, abi.CALL_LIQUIDITY, at)]
    return [storage.ask(pool, storage.first_slots(pool), at)]


def price_of(pool: Pool, answers: Sequence[Any]) -> ConcentratedPool | None:
    """A concentrated pool by the answers to its questions, without its ticks; None where it was never given a price."""
    if pool.protocol is Protocol.V4:
        return _v4_price(pool, answers[0])
    return _v3_price(pool, answers[0], answers[1])


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
        if not is_of(pool, log):
            continue
        topic, data = log["topics"][0], log["data"]
        if pool.protocol is Protocol.V2 and topic == abi.SYNC_V2:
            first, second = abi.reserves(log)
            fee_bps = pool.fee // 100
            return Reserves(first, second, fee_bps) if pool.coin_first else Reserves(second, first, fee_bps)
        if topic in (abi.SWAP_V3, abi.SWAP_V4):
            assert isinstance(side, ConcentratedSide)
            price, liquidity, tick = abi.word(data, 2), abi.word(data, 3), signed(abi.word(data, 4))
            state = replace(side.pool, sqrt_price_x96=price, liquidity=liquidity, tick=tick)
            return ConcentratedSide(state, zero_for_one=pool.coin_first)
    return None


def is_of(pool: Pool, log: abi.Log) -> bool:
    """Whether a log is of this pool: told by its address; of a v4 pool by the manager, under its id."""
    topics = log["topics"]
    if not topics or log["address"].lower() != pool.keeper:
        return False
    return pool.protocol is not Protocol.V4 or (len(topics) > 1 and topics[1].lower() == pool.id)


def signed(number: int) -> int:
    """A word as a signed integer."""
    return number - WHOLE if number >= NEGATIVE else number


def _ask(pool: Pool, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": pool.id, "data": data}, at]


def _v3_price(pool: Pool, slot: Any, liquidity: Any) -> ConcentratedPool | None:
    """A V3 pool's price, without its ticks; None where there is none or it was never given a price."""
    if not isinstance(slot, str) or len(slot) < 2 + 64 * 2 or not isinstance(liquidity, str):
        return None
    price = abi.word(slot, 0)
    if not price:
        return None
    spacing = pool.tick_spacing or 1
    return ConcentratedPool(price, signed(abi.word(slot, 1)), abi.word(liquidity, 0), (), pool.fee, spacing)


def _v4_price(pool: Pool, answer: Any) -> ConcentratedPool | None:
    """A v4 pool's price and fees, without its ticks; None where there is none or it was never given a price."""
    values = storage.read(answer)
    if len(values) < 2 or not values[0]:
        return None
    slot, spacing = storage.slot0_of(values[0]), pool.tick_spacing or 1
    upwards = slot.fee_upwards if slot.fee_upwards != slot.fee_downwards else None
    return ConcentratedPool(
        slot.sqrt_price_x96, slot.tick, values[1], (), slot.fee_downwards, spacing, fee_upwards=upwards
    )


async def with_ticks(
    node: Reader, pools: Sequence[Pool], states: dict[int, ConcentratedPool], at: str
) -> dict[int, ConcentratedPool]:
    """The same pools with the ticks around their prices."""
    windows = {place: _window(state, MOST_WORDS[pools[place].protocol]) for place, state in states.items()}
    spans = {place: list(range(first, last + 1)) for place, (first, last) in windows.items()}
    bitmaps = await _read_all(node, pools, spans, at, _bitmap_questions)
    marked = {
        place: [
            (word * WORD + bit) * state.tick_spacing
            for word, bits in zip(spans[place], _bits(pools[place], bitmaps[place]), strict=True)
            for bit in range(WORD)
            if bits >> bit & 1
        ]
        for place, state in states.items()
    }
    ticks = await _read_all(node, pools, marked, at, _tick_questions)
    complete = {}
    for place, state in states.items():
        (first, last), spacing = windows[place], state.tick_spacing
        known = (max(MIN_TICK, first * WORD * spacing), min(MAX_TICK, ((last + 1) * WORD - 1) * spacing))
        nets = zip(marked[place], _nets(pools[place], ticks[place]), strict=True)
        complete[place] = state.knowing(tuple(nets), None if known == (MIN_TICK, MAX_TICK) else known)
    return complete


def _window(state: ConcentratedPool, most: int) -> tuple[int, int]:
    """The first and the last word of the bitmap that are read."""
    spacing = state.tick_spacing
    middle = state.tick // spacing // WORD
    words_away = min(most, -(-REACH // (WORD * spacing)) + 1)
    lowest, highest = MIN_TICK // spacing // WORD, MAX_TICK // spacing // WORD
    return max(lowest, middle - words_away), min(highest, middle + words_away)


async def _read_all(
    node: Reader,
    pools: Sequence[Pool],
    wanted: dict[int, list[int]],
    at: str,
    questions: Callable[[Pool, list[int], str], list[Question]],
) -> dict[int, list[Any]]:
    """What each pool answers about all that is wanted of it, in one batch. Raises NetworkError."""
    asked = {place: questions(pools[place], each, at) for place, each in wanted.items()}
    answers = await node.batch([one for each in asked.values() for one in each], return_errors=True)
    for answer in answers:
        if isinstance(answer, NodeRefused):
            raise answer
    rest = iter(answers)
    return {place: list(islice(rest, len(each))) for place, each in asked.items()}


def _bitmap_questions(pool: Pool, places: list[int], at: str) -> list[Question]:
    if pool.protocol is Protocol.V4:
        return [storage.ask(pool, storage.bitmap_slots(pool, places), at)]
    return [_ask(pool, TICK_BITMAP + words(place), at) for place in places]


def _tick_questions(pool: Pool, ticks: list[int], at: str) -> list[Question]:
    if pool.protocol is Protocol.V4:
        return [storage.ask(pool, storage.tick_slots(pool, ticks), at)] if ticks else []
    return [_ask(pool, TICKS + words(tick), at) for tick in ticks]


def _bits(pool: Pool, answers: list[Any]) -> list[int]:
    """The words of the bitmap."""
    if pool.protocol is Protocol.V4:
        return storage.read(answers[0])
    return [abi.word(answer, 0) for answer in answers]


def _nets(pool: Pool, answers: list[Any]) -> list[int]:
    """What crossing each tick upwards adds; V3's ticks() answers it as an int128 widened to a word."""
    if pool.protocol is Protocol.V4:
        return [storage.net_of(value) for answer in answers for value in storage.read(answer)]
    return [signed(abi.word(answer, 1)) for answer in answers]
