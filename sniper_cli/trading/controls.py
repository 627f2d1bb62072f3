"""What holds an account's orders in check: its tripped switches and its limits, read again only when they changed.

One number, read in the query that takes the account, says whether they have. So a switch that any process trips stops
the very next order, and a thousand orders between two changes read nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sniper_cli.books.book import Book
from sniper_cli.books.records import Page
from sniper_cli.risk.compiling import compile_gate
from sniper_cli.risk.gate import Gate
from sniper_cli.risk.limits import Limits
from sniper_cli.risk.marks import Marks
from state.accounts import Account
from state.controls import Resting, Switches, tripped_switches


@dataclass(slots=True)
class Obeyed:
    """What was done to one account."""

    account_id: UUID
    cancelled: list[UUID] = field(default_factory=list)
    closed: list[UUID] = field(default_factory=list)
    """Orders that closed positions, in whole or in part."""
    left: list[str] = field(default_factory=list)
    """Instruments with something still in them."""
    troubles: list[str] = field(default_factory=list)
    """What could not be done, each a sentence."""


@dataclass(slots=True)
class Held:
    """What was read last for an account."""

    version: int
    book: Book
    switches: Switches
    gate: Gate
    obeyed: bool = True
    """What the switches ask for beyond refusing orders has been done, or is being done."""
    done: Obeyed = field(default_factory=lambda: Obeyed(UUID(int=0)))


class Controls:
    """The switches and limits of the accounts that a desk trades."""

    def __init__(self, limits: Limits | None = None) -> None:
        """`limits`: of the profile's settings, beside those of the database."""
        self.limits = limits
        self._held: dict[str, Held] = {}

    def of(self, page: Page, account: Account, marks: Marks, *, now: int | None = None) -> Held:
        """As they stand on this page. `now`: where a replay begins in the past, its beginning."""
        held = self._held.get(page.book.account_key)
        if held is None or held.version != page.standing.controls:
            switches = tripped_switches(page.writer, page.book.account_key, account.tenant_id)
            gate = compile_gate(page.writer, page.book, account, self.limits, now=page.now)
            asked = any(one.resting is not Resting.KEEP or one.flatten for one in switches.tripped)
            held = Held(page.standing.controls, page.book, switches, gate, not asked, Obeyed(account.id))
            self._held[page.book.account_key] = held
        elif (
            held.book is not page.book
        ):  # the book was read anew: what was counted beside the old one is gone
            held.book = page.book
            held.gate = compile_gate(page.writer, page.book, account, self.limits, now=page.now)
        held.gate.begin(page.now if now is None else now, marks)
        return held

    def known(self, account_id: UUID) -> Held | None:
        """As they stood on the account's last page."""
        return self._held.get(account_id.hex)
