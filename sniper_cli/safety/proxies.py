"""Whose code does a token run? Every kind of proxy, and who can put other code behind it.

A proxy's storage is its own and its code is another's: powers are read from the implementation's bytecode and proved
against the proxy. Who can exchange the code can do everything, so that is told before any other power.
A `DELEGATECALL` in code that fits no standard is a finding by itself: what it will run is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NetworkError, NodeRefused
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven

SLOTS = {
    # Each is the keccak of its name less one: eip1967.proxy.implementation, .admin, .beacon.
    "eip1967": "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
    "admin": "0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103",
    "beacon": "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50",
    # The keccak of PROXIABLE.
    "eip1822": "0xc5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7",
    # The keccak of org.zeppelinos.proxy.implementation, .admin: EIP-897 as ZeppelinOS and early OpenZeppelin kept it.
    "zeppelinos": "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
    "zeppelinos_admin": "0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b",
}
FIRST_SLOT = "0x" + "0" * 64
"""Where a Gnosis Safe's proxy keeps its masterCopy."""

CLONES = (
    # EIP-1167, and the shorter forms: 0age's, Solady's with PUSH0, vanity addresses that drop leading zeros
    (bytes.fromhex("363d3d373d3d3d363d"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3")),
    (bytes.fromhex("3d3d3d3d363d3d37363d"), bytes.fromhex("5af43d3d93803e602a57fd5bf3")),
    (bytes.fromhex("3d3d3d3d363d3d3736"), bytes.fromhex("5af43d3d93803e602a57fd5bf3")),
    (bytes.fromhex("365f5f375f5f365f"), bytes.fromhex("5af43d5f5f3e5f3d91602a57fd5bf3")),
    (bytes.fromhex("5f5f365f5f37365f"), bytes.fromhex("5af43d5f5f3e6029573d5ffd5b3d5ff3")),
)
"""What stands before the pushed address, and what after it."""
EIP_3448 = bytes.fromhex("363d3d373d3d3d3d60368038038091363936013d73")
"""The MetaProxy's beginning; its metadata follows the code."""
EIP_7702 = bytes.fromhex("ef0100")
CALL_IMPLEMENTATION = "0x5c60da1b"
CALL_FACETS = "0x7a0ed627"
CALL_MIN_DELAY = "0xf27a0c92"
CALL_DELAY = "0x6a42b8f8"
CALL_THRESHOLD = "0xe75235b8"
DELEGATECALL, CALLCODE = 0xF4, 0xF2
MASK = 2**160 - 1


@dataclass(frozen=True, slots=True)
class Code:
    """What a token runs."""

    own: bytes
    kinds: tuple[str, ...] = ()
    """The standards that were recognised, in the order they were looked for."""
    implementations: dict[str, bytes] = field(default_factory=dict)
    """The code that runs in the token's storage, by its address; more than one in a diamond."""
    admin: str = ""
    """Whom the proxy's own slot names."""
    changeable: bool = False
    """Other code can be put behind it."""
    delegates: bool = False
    """It delegates to what no standard names."""

    @property
    def all(self) -> tuple[bytes, ...]:
        """Every code that reads and writes the token's storage."""
        return (self.own, *self.implementations.values())


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a power: an account, or a contract that may be made to wait or to agree."""

    address: str
    kind: str
    """`eoa`, `contract`, `timelock of 172800 s`, `safe, 3 signatures`."""

    @property
    def alone(self) -> bool:
        """One key decides, at once."""
        return self.kind == "eoa"


@lru_cache(maxsize=128)
def opcodes(code: bytes) -> tuple[tuple[int, int, bytes], ...]:
    """Place, opcode and pushed bytes of each instruction."""
    found, at = [], 0
    while at < len(code):
        op = code[at]
        size = op - 0x5F if 0x60 <= op <= 0x7F else 0
        found.append((at, op, code[at + 1 : at + 1 + size]))
        at += 1 + size
    return tuple(found)


def clone_of(code: bytes) -> tuple[str, str] | None:
    """The standard and the address that are written into a clone's code."""
    if code[:3] == EIP_7702 and len(code) == 23:
        return "eip7702", "0x" + code[3:].hex()
    if code.startswith(EIP_3448) and len(code) > len(EIP_3448) + 20:
        return "eip3448", "0x" + code[len(EIP_3448) :][:20].hex()
    for before, after in CLONES:
        if not code.startswith(before):
            continue
        size = code[len(before)] - 0x5F
        start = len(before) + 1
        if 1 <= size <= 20 and code[start + size :].startswith(after):
            return "eip1167", "0x" + code[start : start + size].hex().rjust(40, "0")
    return None


async def read_code(node: Node, token: str, block: str) -> Code:
    """Find out what runs. Raises NetworkError."""
    questions: list[tuple[str, list[Any]]] = [("eth_getCode", [token, block])]
    questions += [("eth_getStorageAt", [token, slot, block]) for slot in (*SLOTS.values(), FIRST_SLOT)]
    questions += [_ask(token, call, block) for call in (CALL_IMPLEMENTATION, CALL_FACETS)]
    answers = await node.batch(questions, return_errors=True)
    own = _bytes(answers[0])
    slots = {name: _address(answer) for name, answer in zip(SLOTS, answers[1:], strict=False)}
    delegates = any(op in (DELEGATECALL, CALLCODE) for _, op, _ in opcodes(own))
    # Without a DELEGATECALL the slots are decoration.
    named = {name: slots[name] for name in ("eip1967", "eip1822", "zeppelinos") if delegates and slots[name]}
    clone = clone_of(own)
    if clone is not None:
        named[clone[0]] = clone[1]
    if delegates and slots["beacon"]:
        beaconed = await node.batch([_ask(slots["beacon"], CALL_IMPLEMENTATION, block)], return_errors=True)
        named["beacon"] = _address(beaconed[0])
    if delegates and not named:
        named |= _by_answers(answers[-3:])
    kinds = tuple(name for name in named if not name.startswith("facet")) or (
        ("eip2535",) if any(name.startswith("facet") for name in named) else ()
    )
    where = sorted({address for address in named.values() if address})
    codes = await node.batch([("eth_getCode", [address, block]) for address in where])
    implementations = {address: _bytes(code) for address, code in zip(where, codes, strict=True)}
    fixed = {"eip1167", "eip3448"}
    return Code(
        own=own,
        kinds=kinds,
        implementations={address: code for address, code in implementations.items() if code},
        admin=slots["admin"] or slots["zeppelinos_admin"],
        changeable=bool(set(kinds) - fixed),
        delegates=delegates and not named,
    )


def _by_answers(answers: list[Any]) -> dict[str, str]:
    """What a delegating contract says of itself: EIP-897's implementation(), a diamond's facets(), a masterCopy."""
    first, implementation, facets = answers
    if address := _address(implementation):
        return {"eip897": address}
    try:
        [listed] = decode(["(address,bytes4[])[]"], _bytes(facets))
    except Exception as error:  # noqa: BLE001 - eth_abi raises many kinds for what is no such answer
        del error
        listed = []
    if listed:
        return {f"facet {at}": address.lower() for at, (address, _) in enumerate(listed)}
    # A Safe's proxy is small and keeps its masterCopy in the first slot; a token's first slot may be anything.
    found = _address(first)
    return {"safe": found} if found else {}


async def holder_of(node: Node, address: str, block: str) -> Holder:
    """What kind of account it is. Raises NetworkError."""
    code, delay, older, threshold = await node.batch(
        [
            ("eth_getCode", [address, block]),
            *(_ask(address, call, block) for call in (CALL_MIN_DELAY, CALL_DELAY, CALL_THRESHOLD)),
        ],
        return_errors=True,
    )
    if len(_bytes(code)) in (0, 23):  # nothing, or an account that delegates (EIP-7702) and still signs alone
        return Holder(address, "eoa")
    seconds = _number(delay) or _number(older)
    if seconds:
        return Holder(address, f"timelock of {seconds} s")
    signatures = _number(threshold)
    return Holder(address, f"safe, {signatures} signatures" if signatures else "contract")


async def judge_proxy(node: Node, token: str, code: Code, block: int) -> list[Line]:
    """Whether the code can be exchanged, and by whom. Raises NetworkError."""
    at = hex(block)
    if code.delegates:
        return [
            unproven(
                "upgradeable",
                Group.PROXY,
                "the code delegates to an address that no standard names: what it will run is not known",
                Evidence(
                    "eth_getCode", token, block=block, result=f"{len(code.own)} bytes with DELEGATECALL"
                ),
            )
        ]
    evidence = tuple(
        Evidence("eth_getCode", address, block=block, result=f"{len(run)} bytes")
        for address, run in code.implementations.items()
    )
    if not code.changeable:
        words = f"a clone ({', '.join(code.kinds)}) of code that stays" if code.kinds else "runs its own code"
        return [passed("upgradeable", Group.PROXY, words, *evidence)]
    who = await _upgrader(node, token, code, at)
    kinds = ", ".join(code.kinds)
    if who is None:
        words = f"a proxy ({kinds}) whose code can be exchanged; by whom could not be found out"
        return [failed("upgradeable", Group.PROXY, words, *evidence)]
    read = Evidence("eth_getStorageAt", token, data=SLOTS["admin"], block=block, result=who.address)
    words = f"a proxy ({kinds}): {who.address} ({who.kind}) can put other code behind it"
    return [failed("upgradeable", Group.PROXY, words, read, *evidence, figure=who.kind)]


async def _upgrader(node: Node, token: str, code: Code, block: str) -> Holder | None:
    """The admin; behind a ProxyAdmin its owner; without an admin slot (UUPS, beacon, diamond) the owner."""
    address = code.admin or await _owner(node, token, block)
    for _ in range(2):  # a ProxyAdmin, and what owns it
        if not address:
            return None
        holder = await holder_of(node, address, block)
        behind = await _owner(node, address, block) if holder.kind == "contract" else ""
        if not behind:
            return holder
        address = behind
    return await holder_of(node, address, block)


async def _owner(node: Node, of: str, block: str) -> str:
    [answer] = await node.batch([_ask(of, abi.CALL_OWNER, block)], return_errors=True)
    return _address(answer)


def _ask(to: str, data: str, block: str) -> tuple[str, list[Any]]:
    return "eth_call", [{"to": to, "data": data}, block]


def _bytes(answer: Any) -> bytes:
    """What was answered; a refused call answered nothing. Raises NetworkError for an answer that is no hex."""
    if isinstance(answer, NodeRefused):
        return b""
    try:
        return bytes.fromhex(answer[2:])
    except (TypeError, ValueError) as error:
        raise NetworkError(f"the node answered {str(answer)[:40]}", hint="sniper doctor") from error


def _number(answer: Any) -> int:
    data = _bytes(answer)
    return int.from_bytes(data[:32]) if len(data) >= 32 else 0


def _address(answer: Any) -> str:
    """The address in a word; empty for none, and for a word that is no address."""
    number = _number(answer)
    return f"0x{number:040x}" if 0xFFFF < number <= MASK else ""
