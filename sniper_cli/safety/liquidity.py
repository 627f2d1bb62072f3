"""Who can take the pool's liquidity away, and how soon: each holder's withdrawal is tried, now and in a month.

Of a V2 pool the shares are an ERC-20: their holders are in the pool's own Transfer logs. Liquidity of V3 and v4 pools
belongs to positions (`positions.py`). What is told of either stands in `shares.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.authorities import LOG_BLOCKS
from sniper_cli.safety.lines import Group, Line, unproven
from sniper_cli.safety.lockers import locker_at, locks_of_shares
from sniper_cli.safety.positions import judge_positions
from sniper_cli.safety.shares import MOST, NAME, Share, judge_shares, kind_of, locked
from sniper_cli.safety.simulation import Call

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Subject

PULL_GAS = 600_000


async def judge_liquidity(subject: Subject) -> list[Line]:
    """Who holds the liquidity and whether he can take it. Raises NetworkError."""
    if subject.place.protocol is not Protocol.V2:
        return [await judge_positions(subject)]
    supply, shares = await read_shares(subject.node, subject.pool, subject.block)
    if not supply:
        return [unproven(NAME, Group.LIQUIDITY, "the pool has no shares")]
    parts = [part for share in shares for part in await _parts(subject, share)]
    return [await judge_shares(subject, supply, parts, "eth_getLogs")]


async def _parts(subject: Subject, share: Share) -> list[Share]:
    """What a known locker holds, lock by lock, and what it holds besides; of anybody else the share as it is.

    Raises NetworkError.
    """
    locker = locker_at(subject.exchange.chain_id, share.holder) if share.kind == "contract" else None
    if locker is None:
        return [share]
    parts, left = [], share.amount
    for lock in await locks_of_shares(subject.node, locker, subject.pool, subject.block):
        amount = min(lock.amount, left)
        left -= amount
        if amount:
            parts.append(locked(subject, share, amount, lock.until, locker.name))
    return [*parts, replace(share, amount=left)] if left else parts


async def read_shares(node: Node, pool: str, block: int) -> tuple[int, list[Share]]:
    """The supply of a V2 pool's shares and their holders, the largest first. Raises NetworkError."""
    at = hex(block)
    span = {
        "address": pool,
        "fromBlock": hex(max(0, block - LOG_BLOCKS)),
        "toBlock": at,
        "topics": [abi.TRANSFER],
    }
    logs, supply = await node.batch(
        [("eth_getLogs", [span]), _ask(pool, abi.CALL_TOTAL_SUPPLY, at)], return_errors=True
    )
    found = [] if isinstance(logs, NodeRefused) else logs
    people = list(dict.fromkeys([abi.topic_address(log["topics"][2]) for log in found] + ["0x" + "0" * 40]))
    people = [who for who in people if who != pool]
    answers = await node.batch(
        [_ask(pool, abi.CALL_BALANCE_OF + who[2:].rjust(64, "0"), at) for who in people]
        + [("eth_getCode", [who, at]) for who in people],
        return_errors=True,
    )
    balances = [_number(answer) for answer in answers[: len(people)]]
    codes = answers[len(people) :]
    shares = [
        Share(who, balance, kind_of(who, code), calls=_withdrawal(pool, who, balance))
        for who, balance, code in zip(people, balances, codes, strict=True)
        if balance
    ]
    return _number(supply), sorted(shares, key=lambda share: -share.amount)[:MOST]


def _withdrawal(pool: str, holder: str, shares: int) -> tuple[Call, ...]:
    """Shares to the pool, and burn."""
    send = abi.CALL_TRANSFER + pool[2:].rjust(64, "0") + f"{shares:064x}"
    burn = abi.CALL_PAIR_BURN + holder[2:].rjust(64, "0")
    return Call(holder, pool, send, 0, PULL_GAS), Call(holder, pool, burn, 0, 2 * PULL_GAS)


def _ask(to: str, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": to, "data": data}, at]


def _number(answer: Any) -> int:
    return int(answer, 16) if isinstance(answer, str) and len(answer) >= 66 else 0
