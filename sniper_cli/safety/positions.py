"""Who owns the liquidity of a V3 or v4 pool: its positions, who holds each, and whether he can take it out.

A position is liquidity between two ticks, owned by whoever put it in: nearly always the position manager, which gives
an NFT for it. The pool's own logs tell of each that was made, V3's `Mint` and v4's `ModifyLiquidity`; what is left in
it and whose the NFT is, is asked. Nobody vouches for an owner that is another contract.

Positions weigh by what they hold at the present price, counted in coins, as far as the pool's ticks were read: tenfold
both ways and more. What they hold together is known from the ticks, so what no log told of shows as missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import NodeRefused
from sniper_cli.pools import storage
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import read_side
from sniper_cli.pools.universal import plan
from sniper_cli.pools.words import WORD, byte_string, words
from sniper_cli.pricing.concentrated import ConcentratedPool
from sniper_cli.pricing.liquidity_amounts import amounts_for_liquidity
from sniper_cli.pricing.sides import ConcentratedSide
from sniper_cli.pricing.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from sniper_cli.safety.authorities import LOG_BLOCKS
from sniper_cli.safety.lines import Group, Line, unproven
from sniper_cli.safety.lockers import lock_of_position, locker_at
from sniper_cli.safety.shares import MOST, NAME, Share, judge_shares, kind_of, locked
from sniper_cli.safety.simulation import Call

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Subject

CALL_OWNER_OF = "0x6352211e"
CALL_POSITION = "0x99fbab88"
"""positions(uint256) of V3's manager: nonce, operator, token0, token1, fee, lower, upper, liquidity, …"""
CALL_POOL_POSITION = "0x514ea4bf"
"""positions(bytes32) of a V3 pool: liquidity, …"""
CALL_DECREASE = "0x0c49ccbe"
"""decreaseLiquidity((uint256 id, uint128 liquidity, uint256 least0, uint256 least1, uint256 deadline))"""
CALL_COLLECT = "0xfc6f7865"
"""collect((uint256 id, address to, uint128 most0, uint128 most1))"""
CALL_MODIFY = "0xdd46508f"
"""modifyLiquidities(bytes plan, uint256 deadline) of v4's manager"""
INCREASED = "0x3067048beee31b25b2f1681f88dac838c8bba36af25bfb2b7cf7473a5847e35f"
"""IncreaseLiquidity(uint256 indexed id, uint128 liquidity, uint256 amount0, uint256 amount1), of V3's manager"""
DECREASE, TAKE_PAIR = "01", "11"
"""Actions of v4's manager; Actions.sol."""
RECEIPTS = 40
"""Transactions that made positions and are read for the numbers of their NFTs, the latest."""
REMOVE_GAS = 700_000
FOREVER = 2**63
MOST_OUT = 2**128 - 1
Q192 = 1 << 192


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity between two ticks."""

    owner: str
    """In the pool's books: the position manager, or whoever goes without it."""
    lower: int
    upper: int
    liquidity: int
    number: int | None = None
    """The NFT's, where the owner is the position manager."""

    @property
    def words(self) -> str:
        named = "a position" if self.number is None else f"position {self.number}"
        return f"{named} from tick {self.lower} to {self.upper}"


async def judge_positions(subject: Subject) -> Line:
    """Who holds the pool's positions and whether he can take them out. Raises NetworkError."""
    pool, at = subject.place, subject.block
    side, positions = await asyncio.gather(read_side(subject.node, pool, at), _positions(subject))
    state = side.pool if isinstance(side, ConcentratedSide) else None
    whole = 0 if state is None else held_in_all(pool, state)
    if state is None or not whole:
        return unproven(NAME, Group.LIQUIDITY, "the pool has no liquidity")
    weighed = [(held_by(pool, state, position), position) for position in positions]
    largest = sorted((each for each in weighed if each[0]), key=lambda each: -each[0])[:MOST]
    shares = [
        await _as_locked(subject, share, position)
        for share, (_, position) in zip(await _shares(subject, largest), largest, strict=True)
    ]
    return await judge_shares(subject, whole, shares, "eth_getLogs")


async def _as_locked(subject: Subject, share: Share, position: Position) -> Share:
    """A position that a known locker holds, with the date; any other as it is. Raises NetworkError."""
    if share.kind != "contract" or position.number is None:
        return share
    exchange = subject.exchange
    locker = locker_at(exchange.chain_id, share.holder)
    if locker is None:
        return share
    lock = await lock_of_position(
        subject.node, locker, exchange.position_manager, position.number, subject.block
    )
    return share if lock is None else locked(subject, share, share.amount, lock.until, locker.name)


def held_in_all(pool: Pool, state: ConcentratedPool) -> int:
    """What all positions hold at the present price, in coins, between the ends of what was read."""
    low, high = state.known or (MIN_TICK, MAX_TICK)
    liquidity = state.liquidity - sum(net for tick, net in state.ticks if tick <= state.tick)
    nets, total = dict(state.ticks), 0
    for lower, upper in pairwise([low, *(tick for tick in nets if low < tick < high), high]):
        liquidity += nets.get(lower, 0)
        total += _coins(pool, state, lower, upper, liquidity)
    return total


def held_by(pool: Pool, state: ConcentratedPool, position: Position) -> int:
    """What one position holds of that."""
    low, high = state.known or (MIN_TICK, MAX_TICK)
    lower, upper = max(low, position.lower), min(high, position.upper)
    return _coins(pool, state, lower, upper, position.liquidity) if lower < upper else 0


def _coins(pool: Pool, state: ConcentratedPool, lower: int, upper: int, liquidity: int) -> int:
    price = state.sqrt_price_x96
    ends = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    first, second = amounts_for_liquidity(price, *ends, max(0, liquidity))
    if pool.coin_first:
        return first + second * Q192 // (price * price)
    return second + first * price * price // Q192


async def _shares(subject: Subject, weighed: Sequence[tuple[int, Position]]) -> list[Share]:
    """Whose the positions are: of an NFT its owner, else whoever stands in the pool's books. Raises NetworkError."""
    node, at, manager = subject.node, hex(subject.block), subject.exchange.position_manager
    numbers = [position.number for _, position in weighed if position.number is not None]
    answers = await node.batch(
        [_ask(manager, CALL_OWNER_OF + words(number), at) for number in numbers], return_errors=True
    )
    owners = {
        number: abi.address_word(answer, 0)
        for number, answer in zip(numbers, answers, strict=True)
        if _words(answer)
    }
    holders = [
        position.owner if position.number is None else owners.get(position.number, position.owner)
        for _, position in weighed
    ]
    codes = await node.batch([("eth_getCode", [holder, at]) for holder in holders], return_errors=True)
    return [
        Share(
            holder,
            amount,
            "contract" if isinstance(code, NodeRefused) else kind_of(holder, code),
            position.words,
            _removal(subject.place, position, holder),
        )
        for (amount, position), holder, code in zip(weighed, holders, codes, strict=True)
    ]


def _removal(pool: Pool, position: Position, holder: str) -> tuple[Call, ...]:
    """All of a position taken out and paid to its holder."""
    manager, number = pool.exchange.position_manager, position.number
    if number is None:
        return ()
    if pool.protocol is Protocol.V3:
        decrease = CALL_DECREASE + words(number, position.liquidity, 0, 0, FOREVER)
        collect = CALL_COLLECT + words(number, holder, MOST_OUT, MOST_OUT)
        return tuple(Call(holder, manager, data, 0, REMOVE_GAS) for data in (decrease, collect))
    steps = plan(
        (DECREASE, words(number, position.liquidity, 0, 0, 5 * WORD, 0)),
        (TAKE_PAIR, words(*pool.currencies, holder)),
    )
    data = CALL_MODIFY + words(2 * WORD, FOREVER) + byte_string(steps)
    return (Call(holder, manager, data, 0, REMOVE_GAS),)


async def _positions(subject: Subject) -> list[Position]:
    """The positions that the pool's logs tell of, with what is left in each. Raises NetworkError."""
    pool = subject.place
    fourth = pool.protocol is Protocol.V4
    topics = [abi.MODIFY_LIQUIDITY_V4, pool.id] if fourth else [abi.MINT_V3]
    span = {
        "address": pool.keeper,
        "fromBlock": hex(max(0, subject.block - LOG_BLOCKS)),
        "toBlock": hex(subject.block),
        "topics": topics,
    }
    [logs] = await subject.node.batch([("eth_getLogs", [span])], return_errors=True)
    if isinstance(logs, NodeRefused):
        return []
    return await (_of_v4(subject, logs) if fourth else _of_v3(subject, logs))


async def _of_v4(subject: Subject, logs: Sequence[abi.Log]) -> list[Position]:
    """The manager keeps each under its owner, its ticks and a salt; the position manager's salt is the NFT's number."""
    pool = subject.place
    keys = list(dict.fromkeys(_key_of_v4(log) for log in logs))
    if not keys:
        return []
    slots = [storage.position_slot(pool, *key) for key in keys]
    method, parameters = storage.ask(pool, slots, hex(subject.block))
    left = storage.read(await subject.node.call(method, parameters))
    manager = pool.exchange.position_manager
    return [
        Position(owner, lower, upper, liquidity, int(salt, 16) if owner == manager else None)
        for (owner, lower, upper, salt), liquidity in zip(keys, left, strict=True)
        if liquidity
    ]


def _key_of_v4(log: abi.Log) -> tuple[str, int, int, str]:
    data = log["data"]
    lower, upper = abi.signed_word(data, 0), abi.signed_word(data, 1)
    return abi.topic_address(log["topics"][2]), lower, upper, "0x" + words(abi.word(data, 3))


async def _of_v3(subject: Subject, logs: Sequence[abi.Log]) -> list[Position]:
    """The manager's by the numbers in the transactions that made them; others' as the pool keeps them."""
    node, at, manager = subject.node, hex(subject.block), subject.exchange.position_manager
    keys = list(dict.fromkeys(_key_of_v3(log) for log in logs))
    direct = [key for key in keys if key[0] != manager]
    made = [log["transactionHash"] for log in logs if abi.topic_address(log["topics"][1]) == manager]
    hashes = list(dict.fromkeys(made))[-RECEIPTS:]
    receipts = await node.batch(
        [("eth_getTransactionReceipt", [each]) for each in hashes], return_errors=True
    )
    numbers = [number for receipt in receipts for number in _numbers(manager, receipt)]
    numbers = list(dict.fromkeys(numbers))
    answers = await node.batch(
        [_ask(manager, CALL_POSITION + words(number), at) for number in numbers]
        + [_ask(subject.pool, CALL_POOL_POSITION + _position_key(*key), at) for key in direct],
        return_errors=True,
    )
    found = [
        _numbered(subject.place, number, answer) for number, answer in zip(numbers, answers, strict=False)
    ]
    for key, answer in zip(direct, answers[len(numbers) :], strict=True):
        if _words(answer):
            found.append(Position(*key, abi.word(answer, 0)))
    return [each for each in found if each is not None and each.liquidity]


def _key_of_v3(log: abi.Log) -> tuple[str, int, int]:
    owner, lower, upper = log["topics"][1:4]
    return abi.topic_address(owner), abi.signed_word(lower, 0), abi.signed_word(upper, 0)


def _position_key(owner: str, lower: int, upper: int) -> str:
    ends = b"".join(tick.to_bytes(3, signed=True) for tick in (lower, upper))
    return keccak(bytes.fromhex(owner[2:]) + ends).hex()


def _numbers(manager: str, receipt: Any) -> list[int]:
    """The NFTs that a transaction put liquidity into."""
    if not isinstance(receipt, dict):
        return []
    return [
        int(log["topics"][1], 16)
        for log in receipt["logs"]
        if log["topics"] and log["topics"][0] == INCREASED and log["address"].lower() == manager
    ]


def _numbered(pool: Pool, number: int, answer: Any) -> Position | None:
    """What V3's manager says of a position; none where it is another pool's, or gone."""
    if _words(answer) < 8:
        return None
    pair = abi.address_word(answer, 2), abi.address_word(answer, 3)
    if pair != pool.currencies or abi.word(answer, 4) != pool.fee:
        return None
    ends = abi.signed_word(answer, 5), abi.signed_word(answer, 6)
    return Position(pool.exchange.position_manager, *ends, abi.word(answer, 7), number)


def _ask(to: str, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": to, "data": data}, at]


def _words(answer: Any) -> int:
    return (len(answer) - 2) // 64 if isinstance(answer, str) else 0
