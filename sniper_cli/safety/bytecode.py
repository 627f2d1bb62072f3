"""What a token's code can do, without its source: functions, argument types, and which slot each reads and writes.

evmole finds selectors, arguments and the storage layout in 2 to 7 ms a contract. The principle that makes owner powers
findable: *a slot that a transfer reads and another function writes governs trading*, whatever that function is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import evmole

from sniper_cli.safety.proxies import Code, opcodes

TRANSFER, TRANSFER_FROM = "a9059cbb", "23b872dd"
MOVES = frozenset({TRANSFER, TRANSFER_FROM})
STANDARD = frozenset(
    {
        "06fdde03", "095ea7b3", "18160ddd", "23b872dd", "313ce567", "70a08231", "95d89b41", "a9059cbb", "dd62ed3e",
        "39509351", "a457c2d7", "d505accf", "3644e515", "7ecebe00", "84b0196e",
    }
)  # fmt: skip
"""ERC-20, its allowance extensions, ERC-2612: what anybody may call and no power is."""
RENOUNCE = "715018a6"
SMALL = 2**80
"""A pushed number below this is no address: nobody finds one with ten leading zero bytes by luck."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that changes something and that the standard does not know."""

    selector: str
    arguments: str
    governing: bool
    """It writes what a transfer reads."""
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def words(self) -> str:
        return f"0x{self.selector}({self.arguments})"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is kept in storage."""

    slot: str
    offset: int
    readers: frozenset[str]
    writers: frozenset[str] = frozenset()

    def value(self, word: int) -> int:
        """The address in the slot's word."""
        return (word >> (8 * self.offset)) & (2**160 - 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """What was read from one token's code or codes."""

    functions: tuple[Function, ...]
    addresses: tuple[Place, ...]
    constants: tuple[str, ...]
    """Addresses that are written into the code: immutables and constants."""


def layout_of(code: Code) -> Layout:
    """The functions and address slots of everything that runs in the token's storage."""
    parts = [_layout(run) for run in code.all if run]
    functions = {each.selector: each for part in parts for each in part.functions}
    places = {(each.slot, each.offset): each for part in parts for each in part.addresses}
    constants = dict.fromkeys(address for part in parts for address in part.constants)
    return Layout(tuple(functions.values()), tuple(places.values()), tuple(constants))


@lru_cache(maxsize=256)
def _layout(code: bytes) -> Layout:
    """Kept by the code itself: clones and a token judged again cost nothing."""
    info = evmole.contract_info(code, selectors=True, arguments=True, state_mutability=True, storage=True)
    reads: dict[str, set[str]] = {}
    writes: dict[str, set[str]] = {}
    governing: set[str] = set()
    places = []
    for record in info.storage or ():
        key = f"{record.slot}:{record.offset}"
        for selector in record.reads:
            reads.setdefault(selector, set()).add(key)
        for selector in record.writes:
            writes.setdefault(selector, set()).add(key)
        if MOVES & set(record.reads):
            governing |= set(record.writes)
        if record.type == "address":
            places.append(
                Place(f"0x{record.slot}", record.offset, frozenset(record.reads), frozenset(record.writes))
            )
    functions = tuple(
        Function(
            each.selector,
            each.arguments or "",
            each.selector in governing,
            frozenset(reads.get(each.selector, ())),
            frozenset(writes.get(each.selector, ())),
        )
        for each in info.functions or ()
        if each.selector not in STANDARD and each.state_mutability in ("nonpayable", "payable")
    )
    return Layout(functions, tuple(places), _constants(code))


def _constants(code: bytes) -> tuple[str, ...]:
    """Pushed addresses: PUSH20 for constants, PUSH32 with twelve leading zeros for immutables."""
    found: dict[str, None] = {}
    for _, _, pushed in opcodes(code):
        if len(pushed) in (20, 32) and SMALL < int.from_bytes(pushed) < 2**160 - 1:
            found[f"0x{int.from_bytes(pushed):040x}"] = None
    return tuple(found)
