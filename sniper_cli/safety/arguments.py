"""What an owner would call a function with, guessed from the types of its arguments.

The victim is the holder whose sale is watched, the beneficiary whoever calls. Numbers are those that mean something
as a percentage, as basis points, as a limit of nothing and of everything, and what the victim holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode

MAX_UINT = 2**256 - 1
NUMBERS = (0, 1, 99, 100, 1000, 9900, 10_000, 10**30, MAX_UINT)
SOME_NUMBERS = (0, 9900)
"""For callers from whom nothing is expected: a stranger."""


def patterns(types: str, victim: str, caller: str, held: int, *, few: bool = False) -> list[str]:
    """Encoded arguments without the selector; empty where a type is none that can be guessed."""
    listed = split(types)
    if not listed:
        return [""]
    numbers = (*(SOME_NUMBERS if few else NUMBERS), held) if any("int" in each for each in listed) else (1,)
    found: dict[str, None] = {}
    for number in numbers:
        for yes in (True, False) if any("bool" in each for each in listed) and not few else (True,):
            values = _values(listed, (victim, caller), number, yes=yes)
            if values is not None:
                found[values] = None
    if listed[0] == "address":
        values = _values(listed, (caller, victim), 10**30 if "int" in types else 1, yes=True)
        if values is not None:
            found[values] = None
    return list(found)


def split(types: str) -> list[str]:
    """`address,(uint256,bool),uint256[]` → its three types."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(types):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(types[start:at])
            start = at + 1
    return [*found, types[start:]] if types else []


def _values(types: Sequence[str], people: tuple[str, str], number: int, *, yes: bool) -> str | None:
    """The first address is the first person, every later one the second."""
    values: list[object] = []
    given = 0
    for each in types:
        base = each.removesuffix("[]")
        if base == "address":
            value: object = people[min(given, 1)]
            given += 1
        else:
            value = _value(base, number, yes=yes)
        if value is None:
            return None
        values.append([value] if each != base else value)
    return encode(list(types), values).hex()


def _value(kind: str, number: int, *, yes: bool) -> object | None:
    if kind == "bool":
        return yes
    if kind.startswith("uint") and kind[4:].isdigit():
        return min(number, (1 << int(kind[4:])) - 1)
    if kind.startswith("int") and kind[3:].isdigit():
        return min(number, (1 << (int(kind[3:]) - 1)) - 1)
    if kind == "string":
        return "x"
    if kind == "bytes":
        return b""
    if kind.startswith("bytes") and kind[5:].isdigit():
        return min(number, (1 << (8 * int(kind[5:]))) - 1).to_bytes(int(kind[5:]))
    return None
