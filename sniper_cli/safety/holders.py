"""Can those who hold the token already sell? Each of the largest tries to, from his own account, with all he has.

A stranger's simulated purchase and sale cannot show that buyers are shut out one by one after they have bought.
Those who bought can. Who they are stands in the token's own Transfer logs, which may lie; what each has is asked of the
token, and whether it sells is the pool's word.

A pool that began with tokens only has no coins but its buyers', so that who holds much can sell no more than these pay
for: so much is tried. Whom it has nothing for at all is not tried, nor who holds crumbs that are worth no wei.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NetworkError, NodeRefused
from sniper_cli.pools.filling import filled_by
from sniper_cli.pricing.sides import PoolSide
from sniper_cli.safety.authorities import LOG_BLOCKS
from sniper_cli.safety.facts import look_into
from sniper_cli.safety.findings import BLOCKED_BPS, blocked, percent
from sniper_cli.safety.holding import sale_of
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven
from sniper_cli.safety.simulation import METHOD, ZERO_ADDRESS, Surroundings
from sniper_cli.safety.trades import GENEROUS_GAS, Market, Sale

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Subject

NAME = "holders_sell"
MOST = 12
"""Holders who try to sell, the largest."""
CANDIDATES = 48
"""… out of so many whose balances are asked for."""
MOST_LOGS = 10_000
"""Transfers that are read, the first since the launch."""
FAILED_BPS = 2000
"""More of them than this unable to sell is a way of the token, not the misfortune of one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A holder's sale of all he has."""

    holder: str
    held: int
    received: int
    """What the Transfer logs say he has: more than he holds where the token took some away unsaid."""
    sale: Sale | None
    """None where the node did not simulate it."""

    @property
    def failed(self) -> bool:
        return self.sale is not None and blocked(self.sale)

    @property
    def siphoned(self) -> bool:
        """His balance is less than half of what he received and never gave."""
        return self.held * 10_000 < self.received * BLOCKED_BPS


@dataclass(frozen=True, slots=True)
class Holders:
    """What came of the holders' sales. Taxes in basis points, of the sales that went through."""

    attempts: tuple[Attempt, ...]
    seen: int
    """Accounts that hold the token by its logs, besides pool, launcher and the dead."""
    unpaid: int = 0
    """Of the largest, those to whom the pool would pay nothing for what they have."""

    @property
    def tried(self) -> tuple[Attempt, ...]:
        return tuple(each for each in self.attempts if each.sale is not None)

    @property
    def failed(self) -> int:
        return sum(each.failed for each in self.tried)

    @property
    def siphoned(self) -> int:
        return sum(each.siphoned for each in self.attempts)

    @property
    def failed_bps(self) -> int:
        return self.failed * 10_000 // len(self.tried) if self.tried else 0

    @property
    def taxes(self) -> tuple[int, ...]:
        return tuple(each.sale.tax_bps for each in self.tried if each.sale is not None and each.sale.ok)

    @property
    def highest_tax_bps(self) -> int:
        return max(self.taxes, default=0)

    @property
    def average_tax_bps(self) -> int:
        return sum(self.taxes) // len(self.taxes) if self.taxes else 0


async def judge_holders(subject: Subject) -> Sequence[Line]:
    """The dossier's line about the holders. Raises NetworkError."""
    spared = () if subject.deployer is None else (subject.deployer,)
    found = await simulate_holders(subject.node, subject.around, subject.market, spared=spared)
    return [line_of(found, subject.block)]


async def simulate_holders(
    node: Node, around: Surroundings, market: Market, *, spared: Sequence[str] = (), most: int = MOST
) -> Holders:
    """The full sale of each of the largest holders who are accounts. Raises NetworkError.

    `spared` are not tried: a launcher is exempt from his own traps. What the token's logs do not tell, as where it
    emits none, is not found.
    """
    received = await _received(node, around, market.token)
    beside = {
        ZERO_ADDRESS,
        market.token,
        market.place.keeper,
        market.exchange.router,
        *(who.lower() for who in spared),
    }
    holders = [who for who in received if who not in beside and int(who, 16) > 0xFFFF_FFFF]
    holders.sort(key=lambda who: -received[who])
    held = await _accounts(node, around, market.token, holders[:CANDIDATES])
    largest = sorted(held, key=lambda who: -held[who])[:most]
    side = await look_into(node, around, market.place)
    sold = {who: held[who] if side is None else _worth_selling(side, held[who]) for who in largest}
    # Of whom something was taken unsaid is tried with what is left: by the logs it should be worth something.
    trying = [who for who in largest if side is None or sold[who] or _worth_selling(side, received[who])]
    sales = await asyncio.gather(
        *(_sale(node, around, market, who, sold[who] or held[who]) for who in trying)
    )
    attempts = [Attempt(who, held[who], received[who], sale) for who, sale in zip(trying, sales, strict=True)]
    return Holders(tuple(attempts), len(holders), len(largest) - len(trying))


def _worth_selling(side: PoolSide, quantity: int) -> int:
    """As much of it as the pool takes; nothing, where it pays nothing."""
    filled = filled_by(side.reversed, quantity)
    return filled.taken if filled.paid else 0


def line_of(found: Holders, block: int) -> Line:
    """What the sales mean, three-valued."""
    evidence = tuple(
        Evidence(METHOD, sender=each.holder, block=block, result=_words(each)) for each in found.attempts
    )
    tried = len(found.tried)
    figure = f"{found.failed} of {tried}"
    if found.attempts and not tried:
        words = "the holders' sales could not be tried"
        return unproven(NAME, Group.HOLDERS, words, *evidence)
    if not found.attempts and found.unpaid:
        words = f"the pool has no coins for what {found.unpaid} hold, and nobody has bought"
        return passed(NAME, Group.HOLDERS, words, figure=figure)
    if not found.attempts:
        return passed(NAME, Group.HOLDERS, "nobody but the launcher holds the token yet", figure=figure)
    taxes = f"at {percent(found.average_tax_bps)} tax on average, {percent(found.highest_tax_bps)} at most"
    if found.failed_bps > FAILED_BPS or found.siphoned * 10_000 > FAILED_BPS * len(found.attempts):
        siphoned = f", and of {found.siphoned} the balance was taken" if found.siphoned else ""
        words = f"{found.failed} of {tried} holders cannot sell what they have{siphoned}"
        return failed(NAME, Group.HOLDERS, words, *evidence, figure=figure)
    if len(found.tried) < len(found.attempts):
        words = f"{tried} of {len(found.attempts)} holders could be tried"
        return unproven(NAME, Group.HOLDERS, words, *evidence, figure=figure)
    words = f"{tried - found.failed} of the {tried} largest holders sell what they have, {taxes}"
    return passed(NAME, Group.HOLDERS, words, *evidence, figure=figure)


def _words(each: Attempt) -> str:
    if each.sale is None:
        return "could not be tried"
    if not each.sale.ok:
        return each.sale.reason
    return f"{each.held} sold for {each.sale.paid} wei, tax {percent(each.sale.tax_bps)}"


async def _received(node: Node, around: Surroundings, token: str) -> dict[str, int]:
    """What each address received and did not give away, by the token's logs."""
    last = around.head.number
    asked = {
        "address": token,
        "topics": [abi.TRANSFER],
        "fromBlock": hex(max(0, last - LOG_BLOCKS)),
        "toBlock": hex(last),
    }
    logs = await node.call("eth_getLogs", [asked])
    moved: defaultdict[str, int] = defaultdict(int)
    for log in logs[:MOST_LOGS]:
        if len(log["topics"]) != 3 or len(log["data"]) < 66:
            continue  # an NFT's, or no standard's
        sender, recipient, amount = abi.transferred(log)
        moved[sender] -= amount
        moved[recipient] += amount
    return {who: amount for who, amount in moved.items() if amount > 0}


async def _accounts(node: Node, around: Surroundings, token: str, holders: Sequence[str]) -> dict[str, int]:
    """Which of them have no code, and what the token says they hold."""
    at = hex(around.head.number)
    questions = [("eth_getCode", [who, at]) for who in holders] + [
        ("eth_call", [{"to": token, "data": abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [who])}, at])
        for who in holders
    ]
    answers = await node.batch(questions, return_errors=True)
    codes, balances = answers[: len(holders)], answers[len(holders) :]
    return {
        who: int(balance[:66], 16)
        for who, code, balance in zip(holders, codes, balances, strict=True)
        if code == "0x" and not isinstance(balance, NodeRefused) and len(balance) >= 66
    }


async def _sale(node: Node, around: Surroundings, market: Market, holder: str, quantity: int) -> Sale | None:
    if not quantity:
        return Sale(False, "nothing of it is left", 0, 0, 0)
    try:
        return await sale_of(node, around, market, holder, quantity, gas=GENEROUS_GAS)
    except NetworkError:
        return None
