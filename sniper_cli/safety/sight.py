"""Does a token, while it trades, look at what nobody can foretell: proposer, block hashes, random number, gas limit?

However often a sale is tried, one proposer or one hash among many may shut the door, and no honest trade depends on
them. So the code is searched for the opcodes that read them, the token's and that of the contracts it calls. Where
there are some the trades are tried again with each of them replaced by an invalid one: what still goes through never
looked (a raffle, say, which no trade comes near); what fails did, and then nothing is proven in its favour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.findings import causes
from sniper_cli.safety.matrix import Scenario
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.proxies import opcodes, read_code
from sniper_cli.safety.report import Outcome, SafetyCheck
from sniper_cli.safety.scenarios import run
from sniper_cli.safety.simulation import ZERO_ADDRESS, Surroundings
from sniper_cli.safety.trades import Market

NAME = "looks_at"
UNFORETOLD = {
    0x40: "the hashes of blocks",
    0x41: "the proposer",
    0x44: "the random number",
    0x45: "the block's gas limit",
    0x49: "the hashes of blobs",
    0x4A: "the price of blobs",
}
INVALID = 0xFE
MOST_CALLED = 8
"""Contracts that a token calls and that are looked into."""
FIRST_SLOTS, MOST_KEPT = 32, 64
MOST_FLAGS = 3
"""Flags of a byte each that may be packed before an address."""
ADDRESS = (1 << 160) - 1
SMALL = 1 << 96
"""No contract stands below: what is smaller is an amount, a time, a count."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the code could look at, and the same code without eyes, by address."""

    seen: tuple[str, ...]
    blinded: dict[str, str]


async def find_sight(node: Node, around: Surroundings, market: Market) -> Sight:
    """Search the token's code, that behind it, and that of what a transfer calls. Raises NetworkError."""
    at = hex(around.head.number)
    code, called, kept = await asyncio.gather(
        read_code(node, market.token, at), _called(node, market, at), _kept(node, around, market, at)
    )
    found = {market.token: code.own} | code.implementations
    if market.place.hooks != ZERO_ADDRESS:
        called.append(market.place.hooks)
    unknown = [address for address in called if address not in found][:MOST_CALLED]
    unknown += [address for address in kept if address not in found and address not in unknown]
    answers = await node.batch([("eth_getCode", [address, at]) for address in unknown])
    found |= {address: bytes.fromhex(answer[2:]) for address, answer in zip(unknown, answers, strict=True)}
    seen: dict[str, None] = {}
    blinded: dict[str, str] = {}
    for address, body in found.items():
        places = [(place, op) for place, op, _ in opcodes(_without_metadata(body)) if op in UNFORETOLD]
        if places:
            seen |= dict.fromkeys(UNFORETOLD[op] for _, op in places)
            blinded[address] = _blinded(body, (place for place, _ in places))
    return Sight(tuple(seen), blinded)


async def judge_sight(
    node: Node,
    around: Surroundings,
    market: Market,
    scenarios: Sequence[Scenario],
    got: int,
    policy: SafetyPolicy,
) -> SafetyCheck:
    """Whether scenarios that sell also sell where the code sees nothing of it. Raises NetworkError."""
    sight = await find_sight(node, around, market)
    if not sight.blinded:
        return SafetyCheck(NAME, Outcome.PASS, "its code reads nothing that cannot be foretold")
    words = ", ".join(sight.seen)
    tried = await asyncio.gather(
        *(run(node, around, market, each, got, code=sight.blinded) for each in scenarios)
    )
    if any(any(causes(each, policy)) for each in tried):
        detail = f"its trades look at {words}: what it does in another block cannot be known"
        return SafetyCheck(NAME, Outcome.NOT_PROVEN, detail)
    return SafetyCheck(NAME, Outcome.PASS, f"its code reads {words}, its trades do not")


async def _called(node: Node, market: Market, at: str) -> list[str]:
    """What a transfer touches: the pool's own, to itself, is a purchase and a sale in one."""
    keeper = market.place.keeper
    transfer = abi.encode_call(abi.CALL_TRANSFER, ["address", "uint256"], [keeper, 1])
    asked = {"from": keeper, "to": market.token, "data": transfer}
    try:
        answer = await node.call("eth_createAccessList", [asked, at])
    except NodeRefused:
        return []  # not offered, or the token refuses the pool: the token's own code is searched all the same
    touched = [entry["address"].lower() for entry in answer.get("accessList") or ()]
    return [address for address in touched if address not in _ours(market)]


async def _kept(node: Node, around: Surroundings, market: Market, at: str) -> list[str]:
    """The addresses that a token keeps in its code and its first slots, where its pool waits to be filled.

    Until then there is no transfer to follow: what the token would call is found by where it must have it from.
    """
    if not around.prelude:
        return []
    code, *words = await node.batch(
        [
            ("eth_getCode", [market.token, at]),
            *(("eth_getStorageAt", [market.token, hex(slot), at]) for slot in range(FIRST_SLOTS)),
        ]
    )
    numbers = [
        int.from_bytes(pushed) for _, _, pushed in opcodes(bytes.fromhex(code[2:])) if len(pushed) == 20
    ]
    numbers += [int(word, 16) >> 8 * flags & ADDRESS for word in words for flags in range(MOST_FLAGS)]
    found = dict.fromkeys(f"0x{number:040x}" for number in numbers if number > SMALL)
    return [address for address in found if address not in _ours(market)][:MOST_KEPT]


def _ours(market: Market) -> set[str]:
    """Contracts that nobody needs to look into: the exchange's."""
    exchange = market.exchange
    return {market.place.keeper, exchange.wrapped, exchange.router, exchange.factory}


def _without_metadata(code: bytes) -> bytes:
    """Without the compiler's CBOR at the end, whose length stands in its last two bytes: hashes are no instructions."""
    length = int.from_bytes(code[-2:]) + 2
    return (
        code[:-length] if length < len(code) and code[-length:][:1] in (b"\xa1", b"\xa2", b"\xa3") else code
    )


def _blinded(code: bytes, places: Iterable[int]) -> str:
    changed = bytearray(code)
    for place in places:
        changed[place] = INVALID
    return "0x" + changed.hex()
