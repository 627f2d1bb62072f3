"""Contracts that are known to lock liquidity, and until when they do: asked of the contract itself, lock by lock.

Any contract can hold a pool's shares; only of these is it known, by their address on their chain, that what they say of
a lock is so. Their keepers are trusted in that: UNCX may name a contract to which an owner can migrate his lock.

Sources: UNCX's own repositories for its lockers of V2 shares (addresses and code) and the interface of its locker of
V3 positions; PinkLock's interface as its users have it. Addresses were compared with several independent users of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eth_abi.abi import decode

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.words import words
from sniper_cli.safety.authorities import LOG_BLOCKS

COUNT_OF_LOCKS = "0x1f2a1d2f"
"""getNumLocksForToken(address)"""
FIRST_LOCK = "0xccebfa3f"
"""tokenLocks(address,uint256): locked at, amount, initial amount, until, number, owner"""
NUMBER_OF_LOCK = "0xb580a7d9"
"""TOKEN_LOCKS(address,uint256): the lock's number"""
LOCKS = "0xcf0d5af3"
"""LOCKS(uint256): token, locked at, amount, initial amount, until, number, owner, country"""
COUNT_OF_PINK = "0xe3676f88"
"""totalLockCountForToken(address)"""
PINK_LOCKS = "0x332f26d7"
"""getLocksForToken(address,uint256 first,uint256 last)"""
PINK_TYPES = "(uint256,address,address,uint256,uint256,uint256,uint256,uint256,uint256,uint256,string)[]"
"""Number, token, owner, amount, locked at, until, three of a release in steps, amount given back, description."""
GET_LOCK = "0xd68f4dd1"
"""getLock(uint256): number, position manager, pool, position, four people, until, country, fee"""
MOST = 40
"""Locks of one token that are read, the latest."""


class Kind(Enum):
    """How a locker is asked."""

    UNCX_FIRST = "tokenLocks"
    UNCX_SECOND = "LOCKS"
    PINK = "getLocksForToken"
    POSITIONS = "getLock"
    """The only one that holds V3 positions and no shares."""


@dataclass(frozen=True, slots=True)
class Locker:
    """A contract that locks."""

    chain_id: int
    address: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Lock:
    """So much, until then."""

    amount: int
    """Shares; 1 where a position is locked."""
    until: int
    """Seconds since 1970; where it is given back in steps, the first."""


KNOWN: tuple[Locker, ...] = (
    Locker(1, "0x663A5C229c09b049E36dCc11a9B0d4a8Eb9db214", "UNCX", Kind.UNCX_FIRST),
    Locker(1, "0xED9180976c2a4742C7A57354FD39d8BEc6cbd8AB", "UNCX", Kind.UNCX_FIRST),
    Locker(56, "0xC765bddB93b0D1c1A88282BA0fa6B2d00E3e0c83", "UNCX", Kind.UNCX_FIRST),
    Locker(137, "0xaDB2437e6F65682B85F814fBc12FeC0508A7B1D0", "UNCX", Kind.UNCX_FIRST),
    Locker(1, "0x59d7D55DdC58494FbBbca29904f108ece82Ac7FB", "UNCX", Kind.UNCX_SECOND),
    Locker(42161, "0x63F4B2C082B1E0bbA38874567E053800379bF8D7", "UNCX", Kind.UNCX_SECOND),
    Locker(42161, "0x275720567E5955F5f2D53A7A1Ab8a0Fc643dE50E", "UNCX", Kind.UNCX_SECOND),
    Locker(10, "0x5923c3911d9424F7725CAd33Ed176A6b885484D6", "UNCX", Kind.UNCX_SECOND),
    Locker(137, "0x939d71ADe0Bf94d3F8cf578413bF2a2f248BF58b", "UNCX", Kind.UNCX_SECOND),
    Locker(8453, "0xc4E637D37113192F4F1F060DaEbD7758De7F4131", "UNCX", Kind.UNCX_SECOND),
    Locker(8453, "0xBeddF48499788607B4c2e704e9099561ab38Aae8", "UNCX", Kind.UNCX_SECOND),
    Locker(56, "0x7229247bD5cf29FA9B0764Aa1568732be024084b", "UNCX", Kind.UNCX_SECOND),
    Locker(1, "0x71B5759d73262FBb223956913ecF4ecC51057641", "PinkLock", Kind.PINK),
    Locker(56, "0x407993575c91ce7643a4d4cCACc9A98c36eE1BBE", "PinkLock", Kind.PINK),
    Locker(1, "0xFD235968e65B0990584585763f837A5b5330e6DE", "UNCX", Kind.POSITIONS),
)


def locker_at(chain_id: int, address: str) -> Locker | None:
    """The locker at an address, if one is known there."""
    wanted = address.lower()
    return next(
        (each for each in KNOWN if each.chain_id == chain_id and each.address.lower() == wanted), None
    )


async def locks_of_shares(node: Node, locker: Locker, pool: str, block: int) -> list[Lock]:
    """What a locker says of its locks of a pool's shares. Raises NetworkError."""
    if locker.kind is Kind.POSITIONS:
        return []
    pink = locker.kind is Kind.PINK
    question = (COUNT_OF_PINK if pink else COUNT_OF_LOCKS) + words(pool)
    [answer] = await _ask(node, locker, [question], block)
    count = abi.word(answer, 0) if _words(answer) else 0
    places = range(max(0, count - MOST), count)
    if not places:
        return []
    if pink:
        [answer] = await _ask(node, locker, [PINK_LOCKS + words(pool, places[0], places[-1])], block)
        return _pink(answer)
    if locker.kind is Kind.UNCX_FIRST:
        told = await _ask(node, locker, [FIRST_LOCK + words(pool, place) for place in places], block)
        return [Lock(abi.word(each, 1), abi.word(each, 3)) for each in told if _words(each) >= 6]
    named = await _ask(node, locker, [NUMBER_OF_LOCK + words(pool, place) for place in places], block)
    numbers = [abi.word(each, 0) for each in named if _words(each)]
    told = await _ask(node, locker, [LOCKS + words(number) for number in numbers], block)
    return [Lock(abi.word(each, 2), abi.word(each, 4)) for each in told if _words(each) >= 7]


async def lock_of_position(
    node: Node, locker: Locker, manager: str, position: int, block: int
) -> Lock | None:
    """What a locker says of its lock of a V3 position: its logs name the lock, the lock names the date.

    Raises NetworkError.
    """
    if locker.kind is not Kind.POSITIONS:
        return None
    span = {"address": locker.address, "fromBlock": hex(max(0, block - LOG_BLOCKS)), "toBlock": hex(block)}
    [logs] = await node.batch([("eth_getLogs", [span])], return_errors=True)
    if isinstance(logs, NodeRefused):
        return None
    numbers = list(dict.fromkeys(abi.word(log["data"], 0) for log in logs if _names(log, manager, position)))
    told = await _ask(node, locker, [GET_LOCK + words(number) for number in numbers], block)
    for answer in told:
        held = _words(answer) >= 9 and abi.address_word(answer, 1) == manager
        if held and abi.word(answer, 3) == position:
            return Lock(1, abi.word(answer, 8))
    return None


def _names(log: abi.Log, manager: str, position: int) -> bool:
    """Whether a log tells of this position's lock: its number, the manager, the position."""
    data = log["data"]
    return _words(data) >= 3 and abi.address_word(data, 1) == manager and abi.word(data, 2) == position


def _pink(answer: Any) -> list[Lock]:
    if not _words(answer):
        return []
    [told] = decode([PINK_TYPES], bytes.fromhex(answer[2:]))
    return [Lock(lock[3] - lock[9], lock[5]) for lock in told if lock[3] > lock[9]]


async def _ask(node: Node, locker: Locker, questions: Sequence[str], block: int) -> list[Any]:
    """One answer a question; a refusal stands as its NodeRefused."""
    calls = [("eth_call", [{"to": locker.address, "data": data}, hex(block)]) for data in questions]
    return await node.batch(calls, return_errors=True)


def _words(answer: Any) -> int:
    return (len(answer) - 2) // 64 if isinstance(answer, str) else 0
