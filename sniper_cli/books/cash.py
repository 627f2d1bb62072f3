"""Money that moves without a trade: deposits, gas, funding, transfers, corrections. Each counts once."""

from __future__ import annotations

from typing import Any

from sniper_cli.books.book import Book
from sniper_cli.books.events import Movement as Moved
from sniper_cli.books.events import raw, wide
from sniper_cli.books.records import Page
from state.accounts import Movement


def move_cash(
    page: Page,
    asset: str,
    movement: Movement,
    amount: int,
    *,
    reference: str,
    at: int | None = None,
    order: str | None = None,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Book a movement, signed. The same movement for the same reference counts once; False if it was there.

    `order`: the one whose position bears the cost.
    """
    if knows(page.book, asset, movement, reference):
        return False
    moment = page.now if at is None else at
    told = raw(facts) if facts else None
    page.add(Moved(asset, movement.value, wide(amount), reference, moment, order, told))
    return True


def knows(book: Book, asset: str, movement: Movement, reference: str) -> bool:
    """Whether a movement has been booked, on this page or before."""
    here = any(
        entry.asset_id == asset and entry.movement == movement.value and entry.reference == reference
        for entry in book.changes.entries
    )
    return here or book.shelf.knows_movement(asset, movement.value, reference)
