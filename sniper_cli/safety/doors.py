"""Who may pass a function's door: its code is run as a stranger, here, until it turns him away.

Where no known account gets through a function that governs trading, somebody unknown might. So the door is looked at
from outside: a small machine runs the bytecode with a stranger as the caller and follows *him* through it: everything
that he is compared with is somebody whom the door knows. That finds owners in packed slots, in code, behind
arithmetic; a mapping asked about him names its slot; a hash taken of him alone hides its man for ever, and is told.

It follows one path and knows no memory of other contracts: a door that asks another contract is told as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

MAX_STEPS = 20_000
MASK = 2**256 - 1
ADDRESS = 2**160 - 1
STRANGER = 0x5EEB8F3F0C6E4BFB8E1B63D5C2A9D81E77A4C139
"""The caller; any address that nothing else is equal to would do."""
WORD = 0x1D3C9A7E5B2F48C06D91E3A5F7B80C24D6E8FA0B1C3D5E7F9A2B4C6D8E0F1A3B
"""A number among the arguments that nothing else is equal to: what it is compared with is a password."""


@dataclass(slots=True)
class Door:
    """What a function asked about its caller before it turned him away or let him in."""

    compared: set[int] = field(default_factory=set)
    """Addresses that he was compared with; zero where an owner has gone."""
    mappings: set[int] = field(default_factory=set)
    """Slots of mappings that were asked about him."""
    hashed: bool = False
    """A hash was taken of him alone: whom it should equal nobody can tell."""
    called: bool = False
    """Another contract was asked."""
    missing: set[int] = field(default_factory=set)
    """Slots whose values were needed and not known; the machine took them for zero."""
    opened: bool = False
    """He was let in: the function returned."""
    secret: bool = False
    """An argument was compared, or a hash of it: a password."""
    sealed: bool = False
    """A hash was taken of an argument."""

    @property
    def unknown(self) -> bool:
        """Something was asked that cannot be answered from here."""
        return self.hashed or self.called or self.secret


@dataclass(slots=True)
class _Machine:
    code: bytes
    data: bytes
    storage: dict[int, int]
    stack: list[int] = field(default_factory=list)
    about: list[bool] = field(default_factory=list)
    """For each word on the stack, whether it was made from the caller."""
    memory: bytearray = field(default_factory=bytearray)
    marked: set[int] = field(default_factory=set)
    """Words of memory that were made from the caller."""
    nested: dict[int, int] = field(default_factory=dict)
    """Of a mapping's hash, the slot of the outermost mapping."""
    door: Door = field(default_factory=Door)

    def pop(self) -> tuple[int, bool]:
        return self.stack.pop(), self.about.pop()

    def push(self, value: int, about: bool = False) -> None:
        self.stack.append(value & MASK)
        self.about.append(about)

    def room(self, end: int) -> None:
        if end > len(self.memory):
            self.memory.extend(bytes(end - len(self.memory)))


def look_at(code: bytes, data: bytes, storage: Mapping[int, int]) -> Door:
    """Run a call of the code as a stranger and say what was asked about him."""
    machine = _Machine(code, data, dict(storage))
    targets = _targets(code)
    at = 0
    try:
        for _ in range(MAX_STEPS):
            op = code[at] if at < len(code) else 0
            if op in (0x56, 0x57):  # JUMP, JUMPI
                goal, _about = machine.pop()
                taken = op == 0x56 or machine.pop()[0] != 0
                if taken and goal not in targets:
                    return machine.door
                at = goal if taken else at + 1
                continue
            if op in (0x00, 0xF3):  # STOP, RETURN: let in
                machine.door.opened = True
                return machine.door
            if op in (0xF1, 0xF2, 0xF4, 0xFA, 0x3B, 0x3C, 0x3F):  # calls, foreign code
                machine.door.called = True
                return machine.door
            if op in (0xFD, 0xFE, 0xFF, 0xF0, 0xF5):
                machine.door.opened = op in (0xFF, 0xF0, 0xF5)
                return machine.door
            at += _step(machine, op, at)
    except (IndexError, OverflowError, MemoryError):
        machine.door.called = True  # the machine lost its way: as unknown as a foreign contract
    return machine.door


def _targets(code: bytes) -> set[int]:
    found, at = set(), 0
    while at < len(code):
        if code[at] == 0x5B:
            found.add(at)
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)
    return found


def _step(m: _Machine, op: int, at: int) -> int:  # noqa: PLR0912 - an instruction set is a list
    """One instruction that neither jumps nor ends; how far to go."""
    if 0x5F <= op <= 0x7F:
        size = op - 0x5F
        m.push(int.from_bytes(m.code[at + 1 : at + 1 + size]))
        return 1 + size
    if 0x80 <= op <= 0x8F:
        m.push(m.stack[0x7F - op], m.about[0x7F - op])
    elif 0x90 <= op <= 0x9F:
        for row in (m.stack, m.about):
            rows: list[Any] = row
            rows[-1], rows[0x8E - op] = rows[0x8E - op], rows[-1]
    elif op in TWO:
        (a, a_mine), (b, b_mine) = m.pop(), m.pop()
        if op in (0x03, 0x14, 0x18) and a_mine != b_mine:  # SUB, EQ, XOR: compared
            _compared(m, a if a_mine else b, b if a_mine else a)
        if op == 0x14 and WORD in (a, b) and a != b:
            m.door.secret = True
        m.push(TWO[op](a, b), a_mine or b_mine)
    elif op in (0x15, 0x19):
        value, mine = m.pop()
        m.push(int(value == 0) if op == 0x15 else ~value, mine and op == 0x19)
    elif op in (0x08, 0x09):
        a, b, n = (m.pop()[0] for _ in range(3))
        m.push(0 if n == 0 else (a + b) % n if op == 0x08 else (a * b) % n)
    elif op in (0x51, 0x52, 0x53):
        _memory(m, op)
    elif op == 0x20:
        _hash(m)
    elif op == 0x54:
        _load(m)
    elif op in (0x55, 0x5D):
        slot, value = m.pop()[0], m.pop()[0]
        if op == 0x55:
            m.storage[slot] = value
    elif op in (0x37, 0x39, 0x3E, 0x5E):
        _copy(m, op)
    else:
        _around(m, op)
    return 1


def _compared(m: _Machine, mine: int, other: int) -> None:
    """He stands at one side of a comparison. Only whole addresses count: masks and selectors do not."""
    if mine & ADDRESS == STRANGER and other != ADDRESS and (other >> 160 == 0 or mine == STRANGER << 96):
        m.door.compared.add(other if mine & ADDRESS == STRANGER else other >> 96)


def _memory(m: _Machine, op: int) -> None:
    place, _ = m.pop()
    m.room(min(place, 2**20) + 32)
    if op == 0x51:
        m.push(int.from_bytes(m.memory[place : place + 32]), place in m.marked)
        return
    value, mine = m.pop()
    if op == 0x53:
        m.memory[place] = value & 0xFF
        return
    m.memory[place : place + 32] = value.to_bytes(32)
    if mine:
        m.marked.add(place)
    else:
        m.marked.discard(place)


def _hash(m: _Machine) -> None:
    """A mapping's entry is the hash of 64 bytes, key and slot; a hash of him alone is a secret about him."""
    place, length = m.pop()[0], m.pop()[0]
    m.room(min(place + length, 2**20))
    hashed = bytes(m.memory[place : place + length])
    value = int.from_bytes(keccak(hashed))
    mine = STRANGER.to_bytes(20) in hashed
    if length == 64:
        slot = int.from_bytes(hashed[32:])
        if mine or slot in m.nested:
            m.nested[value] = m.nested.get(slot, slot)
    elif mine:
        m.door.hashed = True
    elif WORD.to_bytes(32) in hashed:
        m.door.secret = m.door.sealed = True
    m.push(value)


def _load(m: _Machine) -> None:
    slot, _mine = m.pop()
    if slot in m.nested:
        m.door.mappings.add(m.nested[slot])
    if slot not in m.storage:
        m.door.missing.add(slot)
    m.push(m.storage.get(slot, 0))


def _around(m: _Machine, op: int) -> None:
    """What the surroundings answer; what is not told reads as one, so that no division and no length is zero."""
    if op in (0x33, 0x32):
        m.push(STRANGER, about=True)
    elif op == 0x35:
        place, _ = m.pop()
        m.push(int.from_bytes(m.data[place : place + 32].ljust(32, b"\0")) if place < 2**20 else 0)
    elif op == 0x36:
        m.push(len(m.data))
    elif op == 0x34:
        m.push(0)
    elif op in (0x31, 0x40, 0x5C, 0x49):
        m.pop()
        m.push(1)
    elif op == 0x50 or 0xA0 <= op <= 0xA4:
        for _ in range(1 if op == 0x50 else 2 + op - 0xA0):
            m.pop()
    elif op == 0x59:
        m.push(len(m.memory))
    elif op in (0x30, 0x38, 0x3A, 0x3D, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4A, 0x58, 0x5A):
        m.push(len(m.code) if op == 0x38 else 0 if op == 0x3D else 1)
    elif op != 0x5B:
        raise IndexError(op)


def _copy(m: _Machine, op: int) -> None:
    place, source, length = (m.pop()[0] for _ in range(3))
    if max(place, length) > 2**20:
        raise OverflowError(length)
    m.room(place + length)
    whole = {0x37: m.data, 0x39: m.code, 0x5E: bytes(m.memory)}.get(op, b"")
    m.memory[place : place + length] = whole[source : source + length].ljust(length, b"\0")


def _signed(value: int) -> int:
    return value - 2**256 if value >> 255 else value


def _sdiv(a: int, b: int) -> int:
    a, b = _signed(a), _signed(b)
    return 0 if b == 0 else abs(a) // abs(b) * (1 if a * b >= 0 else -1)


def _byte(at: int, value: int) -> int:
    return value >> (8 * (31 - at)) & 0xFF if at < 32 else 0


def _extend(size: int, value: int) -> int:
    if size > 30:
        return value
    bit = 8 * size + 7
    return value | (MASK << bit) if value >> bit & 1 else value & ((1 << bit) - 1)


TWO: dict[int, Callable[[int, int], int]] = {
    0x01: lambda a, b: a + b,
    0x02: lambda a, b: a * b,
    0x03: lambda a, b: a - b,
    0x04: lambda a, b: a // b if b else 0,
    0x05: _sdiv,
    0x06: lambda a, b: a % b if b else 0,
    0x07: lambda a, b: 0 if b == 0 else _signed(a) % abs(_signed(b)),
    0x0A: lambda a, b: pow(a, b, 2**256),
    0x0B: _extend,
    0x10: lambda a, b: int(a < b),
    0x11: lambda a, b: int(a > b),
    0x12: lambda a, b: int(_signed(a) < _signed(b)),
    0x13: lambda a, b: int(_signed(a) > _signed(b)),
    0x14: lambda a, b: int(a == b),
    0x16: lambda a, b: a & b,
    0x17: lambda a, b: a | b,
    0x18: lambda a, b: a ^ b,
    0x1A: _byte,
    0x1B: lambda a, b: b << a if a < 256 else 0,
    0x1C: lambda a, b: b >> a if a < 256 else 0,
    0x1D: lambda a, b: _signed(b) >> min(a, 255),
}
"""Instructions of two words, the upper one first."""
