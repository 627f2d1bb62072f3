"""What is told of those who hold a pool's liquidity, whatever form it has: what stays, what leaves, what nobody knows.

What lies at zero or at a dead address is burned. An account that signs can withdraw, which is tried, now and in a
month. A contract may be a lock or the deployer's own till: which of the two nobody can tell from what it holds, unless
it is one of the lockers that are known, which say until when (`lockers.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sniper_cli.safety.authorities import DEAD
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven
from sniper_cli.safety.simulation import METHOD, Block, Call, pocket_money, simulate

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Subject

NAME = "liquidity_held"
BPS = 10_000
MONTH_SECONDS, MONTH_BLOCKS = 31 * 86_400, 200
"""Time moves freely; a jump of more blocks than 256 is refused by real nodes."""
ENOUGH_BPS = 9_500
"""So much of the liquidity burned is liquidity that stays."""
FREE_BPS = 500
"""So much of it that can be taken today makes the pool one that can be emptied."""
MOST = 12
"""Holders that are looked at, the largest."""


@dataclass(frozen=True, slots=True)
class Share:
    """A holder's part of the liquidity."""

    holder: str
    amount: int
    kind: str
    """`burned`, `locked`, `account`, `contract`."""
    what: str = ""
    """What is held, where it is not the pool's own shares: which position."""
    calls: tuple[Call, ...] = ()
    """His withdrawal; none where nobody can say how."""
    now: bool = False
    """It goes through today …"""
    later: bool = False
    """… and in 31 days."""
    until: int = 0
    """When a lock ends."""
    keeper: str = ""
    """Who keeps it."""


def kind_of(holder: str, code: Any) -> str:
    """What a holder is, from the code at his address; an account that lends its code to nobody has none."""
    if int(holder, 16) in DEAD:
        return "burned"
    return "account" if code in ("0x", "0x0") or str(code).startswith("0xef0100") else "contract"


async def judge_shares(subject: Subject, whole: int, shares: Sequence[Share], how: str) -> Line:
    """Try the withdrawals of those who sign, and tell. `how` the holders were found. Raises NetworkError."""
    tried = await asyncio.gather(*(_tried(subject, share) for share in shares))
    return _told(whole, tried, tuple(_evidence(subject, whole, share, how) for share in tried))


def locked(subject: Subject, share: Share, amount: int, until: int, keeper: str) -> Share:
    """The part of a share that a known locker holds until then; what it gives back within the month is not held."""
    soon = until <= subject.around.timestamp + MONTH_SECONDS
    return replace(share, amount=amount, kind="locked", until=until, keeper=keeper, later=soon)


async def _tried(subject: Subject, share: Share) -> Share:
    if share.kind != "account" or not share.calls:
        return share
    now, later = await asyncio.gather(
        _withdraws(subject, share, 1, 0), _withdraws(subject, share, MONTH_BLOCKS, MONTH_SECONDS)
    )
    return replace(share, now=now, later=later)


async def _withdraws(subject: Subject, share: Share, ahead: int, at_least: int) -> bool:
    around = subject.around
    seconds = max(around.seconds(ahead), at_least)
    balances = {share.holder: pocket_money(0, around, sum(call.gas for call in share.calls))}
    block = Block(ahead, seconds, share.calls, around.coinbase)
    [ended] = await simulate(subject.node, around, [block], balances=balances)
    return all(result.ok for result in ended)


def _told(whole: int, shares: Sequence[Share], evidence: tuple[Evidence, ...]) -> Line:
    """What is burned or locked stays, what an account can withdraw is free, the rest is not proven."""
    free = _part(whole, [share for share in shares if share.now or share.later])
    locks = [share for share in shares if share.kind == "locked" and not share.later]
    burned, kept = _part(whole, [share for share in shares if share.kind == "burned"]), _part(whole, locks)
    stays = f"{percent(burned)} of the liquidity is burned"
    if locks:
        names = " and ".join(dict.fromkeys(share.keeper for share in locks))
        stays += f", {percent(kept)} locked by {names} until {_day(min(share.until for share in locks))}"
    figure = f"{free} bps"
    if free > FREE_BPS:
        largest = next(share for share in shares if share.now or share.later)
        words = f"{percent(free)} of the liquidity can be withdrawn, most of it by {largest.holder}; "
        words += stays.replace(" of the liquidity", "", 1)
        return failed(NAME, Group.LIQUIDITY, words, *evidence, figure=figure)
    if burned + kept >= ENOUGH_BPS:
        return passed(NAME, Group.LIQUIDITY, stays, *evidence, figure=figure)
    words = (
        f"{stays}, {percent(max(0, BPS - burned - kept - free))} lies in contracts that nobody vouches for "
        "or was not found"
    )
    return unproven(NAME, Group.LIQUIDITY, words, *evidence, figure=figure)


def _part(whole: int, shares: Sequence[Share]) -> int:
    return sum(share.amount for share in shares) * BPS // whole


def _day(seconds: int) -> str:
    """A date; what lies beyond all calendars is for ever."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "the end of time"


def _evidence(subject: Subject, whole: int, share: Share, how: str) -> Evidence:
    held = f"{share.what}: " if share.what else ""
    result = f"{held}{percent(share.amount * BPS // whole)}, {share.kind}"
    if share.kind == "locked":
        result += f" by {share.keeper} until {_day(share.until)}"
        return Evidence("eth_call", share.holder, block=subject.block, result=result)
    if share.kind != "account" or not share.calls:
        return Evidence(how, subject.place.keeper, share.holder, block=subject.block, result=result)
    went = {True: "goes through", False: "fails"}
    words = f"{result}: a withdrawal {went[share.now]} now and {went[share.later]} in 31 days"
    first = share.calls[0]
    return Evidence(METHOD, first.to, share.holder, first.data, subject.block, words)


def percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d} %"
