"""Who may use a token's powers: the owner it shows, holders of roles, whoever stands in its storage or code unshown.

An owner of zero is a promise that nobody rules. Whoever still does is hidden, and named as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.bytecode import Layout
from sniper_cli.safety.proxies import MASK

CALL_GET_OWNER = "0x893d20e8"
ROLE_GRANTED = "0x2f8788117e7eff1d82e926ec794901d17c78024a50270940304540a733656f0d"
"""RoleGranted(bytes32,address,address) of OpenZeppelin's AccessControl."""
LOG_BLOCKS = 5_000
"""How far back roles and other people are looked for: a launch is younger."""
MOST = 8
"""Authorities that are tried; a token names few."""
DEAD = frozenset({0, 1, 0xDEAD, 0xDEADBEEF, int("dEaD" * 10, 16)})


@dataclass(slots=True)
class Authorities:
    """Whom a token names, and where."""

    owner: str | None = None
    """What owner() answers; None where there is no such function, the zero address where it was renounced."""
    sources: dict[str, str] = field(default_factory=dict)
    """Where each address was found: `owner()`, `role`, `storage`, `code`, `deployer`."""
    people: tuple[str, ...] = ()
    """Everybody whom the token's logs name: whom a mapping might hold."""
    words: dict[int, int] = field(default_factory=dict)
    """Slots that were read, by number."""

    @property
    def renounced(self) -> bool:
        return self.owner is not None and int(self.owner, 16) in DEAD

    def shown(self, address: str) -> bool:
        """Whether a holder could know that this account rules."""
        return self.sources.get(address) in ("owner()", "role")


async def find_authorities(
    node: Node,
    token: str,
    layout: Layout,
    block: int,
    *,
    known: Iterable[str] = (),
    deployer: str | None = None,
) -> Authorities:
    """Look for everybody who might rule. `known` are contracts that stand in storage for other reasons (the pool,
    the router …). Raises NetworkError.
    """
    at = hex(block)
    slots = list(dict.fromkeys(place.slot for place in layout.addresses))
    span = {"address": token, "fromBlock": hex(max(0, block - LOG_BLOCKS)), "toBlock": at}
    answers = await node.batch(
        [
            *(("eth_call", [{"to": token, "data": call}, at]) for call in (abi.CALL_OWNER, CALL_GET_OWNER)),
            ("eth_getLogs", [span]),
            *(("eth_getStorageAt", [token, slot, at]) for slot in slots),
        ],
        return_errors=True,
    )
    found = Authorities()
    owners = [_address(answer) for answer in answers[:2]]
    found.owner = next((owner for owner in owners if owner is not None), None)
    logs = [] if isinstance(answers[2], NodeRefused) else answers[2]
    words = dict(zip(slots, answers[3:], strict=True))
    found.words = {
        int(slot, 16): int(word, 16) for slot, word in words.items() if not isinstance(word, NodeRefused)
    }
    ignored = {token.lower(), *(address.lower() for address in known)}

    def note(address: str | None, source: str) -> None:
        if address and address not in ignored and int(address, 16) not in DEAD and len(found.sources) < MOST:
            found.sources.setdefault(address, source)

    for owner in owners:
        note(owner, "owner()")
    for log in logs:
        if log["topics"] and log["topics"][0] == ROLE_GRANTED and len(log["topics"]) > 2:
            note(abi.topic_address(log["topics"][2]), "role")
    for place in layout.addresses:
        note(f"0x{place.value(found.words.get(int(place.slot, 16), 0)):040x}", "storage")
    note(deployer.lower() if deployer else None, "deployer")
    for address in layout.constants:
        note(address, "code")
    found.people = tuple(_people(logs, ignored))
    return found


def _people(logs: list[abi.Log], ignored: set[str]) -> dict[str, None]:
    """Addresses in the logs' topics, in order."""
    found: dict[str, None] = {}
    for log in logs:
        for topic in log["topics"][1:]:
            if 2**80 < int(topic, 16) <= MASK and (address := abi.topic_address(topic)) not in ignored:
                found[address] = None
    return found


async def listed_in(
    node: Node, token: str, slots: Iterable[int], people: Iterable[str], block: int
) -> set[str]:
    """Which of the people have an entry in one of the token's mappings. Raises NetworkError."""
    asked = [(who, slot) for who in people for slot in slots]
    words = await node.batch(
        [("eth_getStorageAt", [token, entry_of(who, slot), hex(block)]) for who, slot in asked]
    )
    return {who for (who, _), word in zip(asked, words, strict=True) if int(word, 16)}


def entry_of(who: str, slot: int) -> str:
    """Where a mapping keeps somebody's entry: keccak(key ‖ slot)."""
    return "0x" + keccak(int(who, 16).to_bytes(32) + slot.to_bytes(32)).hex()


def _address(answer: object) -> str | None:
    """The address in a call's answer; None for a call that failed or answered something else."""
    if not isinstance(answer, str) or len(answer) != 66 or int(answer, 16) > MASK:
        return None
    return "0x" + answer[26:].lower()
