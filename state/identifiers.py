"""Ids: UUID version 7 (RFC 9562 §5.7), time-ordered, so that an index grows at its end.

Random keys cost seven times the insert. `uuid_utils` returns its own class; the tables and JSON want the
standard library's.
"""

from __future__ import annotations

from uuid import UUID

import uuid_utils

SHORT = 12
"""Digits of the id's tail that people see and type. The head is the time, alike for all ids of a minute;
the tail's 48 random bits tell them apart."""


def new_id() -> UUID:
    """A new time-ordered id."""
    return UUID(int=uuid_utils.uuid7().int)


def new_key() -> str:
    """A new id as 32 hexadecimal digits: a quarter of the price of a UUID object."""
    return uuid_utils.uuid7().hex


def short(identifier: UUID) -> str:
    """The tail of an id, as tables show it; every command that takes an id takes this too."""
    return identifier.hex[-SHORT:]


def dashed(key: str) -> str:
    """Such an id as people and the journal's subjects spell it."""
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
