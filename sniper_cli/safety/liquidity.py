"""Who can take the pool's liquidity away, and how soon: each holder's withdrawal is tried, now and in a month.

Of a V2 pool the shares are an ERC-20: their holders are in the pool's own Transfer logs. What lies at zero or at a dead
address is burned. An account that signs can withdraw today. A contract may be a lock or the deployer's
own till: which of the two nobody can tell from its balance, so it is *not proven* unless the chain's well-known
burn is meant. Liquidity of a V3 pool belongs to positions; who owns them tells its manager.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.authorities import DEAD, LOG_BLOCKS
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven
from sniper_cli.safety.simulation import METHOD, Block, Call, pocket_money, simulate

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Subject

NAME = "liquidity_held"
BPS = 10_000
MONTH_SECONDS, MONTH_BLOCKS = 31 * 86_400, 200
"""Time moves freely; a jump of more blocks than 256 is refused by real nodes."""
ENOUGH_BPS = 9_500
"""So much of the shares burned is liquidity that stays."""
FREE_BPS = 500
"""So much of the shares that can be taken today makes the pool one that can be emptied."""
MOST = 12
"""Holders that are looked at, the largest."""
PULL_GAS = 600_000


@dataclass(frozen=True, slots=True)
class Share:
    """A holder of the pool's liquidity."""

    holder: str
    amount: int
    kind: str
    """`burned`, `account`, `contract`."""
    now: bool = False
    """A simulated withdrawal goes through today …"""
    later: bool = False
    """… and in 31 days."""


async def judge_liquidity(subject: Subject) -> list[Line]:
    """Who holds the liquidity and whether he can take it. Raises NetworkError."""
    if subject.exchange.protocol is not Protocol.V2:
        return [
            unproven(
                NAME,
                Group.LIQUIDITY,
                f"who owns the positions of a {subject.exchange.protocol.value} pool was not found out",
            )
        ]
    supply, shares = await read_shares(subject.node, subject.pool, subject.block)
    if not supply:
        return [unproven(NAME, Group.LIQUIDITY, "the pool has no shares")]
    tried = await asyncio.gather(*(_tried(subject, share) for share in shares))
    return [_told(subject, supply, tried)]


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
        Share(who, balance, _kind(who, code))
        for who, balance, code in zip(people, balances, codes, strict=True)
        if balance
    ]
    return _number(supply), sorted(shares, key=lambda share: -share.amount)[:MOST]


def _kind(who: str, code: Any) -> str:
    if int(who, 16) in DEAD:
        return "burned"
    return "account" if code in ("0x", "0x0") or str(code).startswith("0xef0100") else "contract"


async def _tried(subject: Subject, share: Share) -> Share:
    """The withdrawal of a holder who signs: shares to the pool, and burn. Raises NetworkError."""
    if share.kind != "account":
        return share
    now, later = await asyncio.gather(_pulls(subject, share, 1, 0), _pulls(subject, share, MONTH_BLOCKS, 1))
    return Share(share.holder, share.amount, share.kind, now, later)


async def _pulls(subject: Subject, share: Share, ahead: int, months: int) -> bool:
    around = subject.around
    send = abi.CALL_TRANSFER + subject.pool[2:].rjust(64, "0") + f"{share.amount:064x}"
    calls = (
        Call(share.holder, subject.pool, send, 0, PULL_GAS),
        Call(
            share.holder, subject.pool, abi.CALL_PAIR_BURN + share.holder[2:].rjust(64, "0"), 0, 2 * PULL_GAS
        ),
    )
    seconds = max(around.seconds(ahead), months * MONTH_SECONDS)
    balances = {share.holder: pocket_money(0, around, 4 * PULL_GAS)}
    [ended] = await simulate(
        subject.node, around, [Block(ahead, seconds, calls, around.coinbase)], balances=balances
    )
    return all(result.ok for result in ended)


def _told(subject: Subject, supply: int, shares: list[Share]) -> Line:
    """What is burned stays, what an account can withdraw is free, the rest is not proven."""
    burned = sum(share.amount for share in shares if share.kind == "burned") * BPS // supply
    free = sum(share.amount for share in shares if share.now or share.later) * BPS // supply
    evidence = tuple(_evidence(subject, supply, share) for share in shares)
    figure = f"{free} bps"
    if free > FREE_BPS:
        largest = next(share for share in shares if share.now or share.later)
        words = (
            f"{_percent(free)} of the liquidity can be withdrawn, most of it by {largest.holder}; "
            f"{_percent(burned)} is burned"
        )
        return failed(NAME, Group.LIQUIDITY, words, *evidence, figure=figure)
    if burned >= ENOUGH_BPS:
        return passed(
            NAME, Group.LIQUIDITY, f"{_percent(burned)} of the liquidity is burned", *evidence, figure=figure
        )
    words = (
        f"{_percent(burned)} of the liquidity is burned, {_percent(BPS - burned - free)} lies in contracts that "
        "nobody vouches for or was not found"
    )
    return unproven(NAME, Group.LIQUIDITY, words, *evidence, figure=figure)


def _evidence(subject: Subject, supply: int, share: Share) -> Evidence:
    result = f"{_percent(share.amount * BPS // supply)}, {share.kind}"
    if share.kind != "account":
        return Evidence("eth_getLogs", subject.pool, share.holder, block=subject.block, result=result)
    pulled = {True: "goes through", False: "fails"}
    words = f"{result}: a withdrawal {pulled[share.now]} now and {pulled[share.later]} in 31 days"
    data = abi.CALL_TRANSFER + subject.pool[2:].rjust(64, "0") + f"{share.amount:064x}"
    return Evidence(METHOD, subject.pool, share.holder, data, subject.block, words)


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d} %"


def _ask(to: str, data: str, at: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": to, "data": data}, at]


def _number(answer: Any) -> int:
    return int(answer, 16) if isinstance(answer, str) and len(answer) >= 66 else 0
