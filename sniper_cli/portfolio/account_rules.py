"""Accounts as a person keeps them: listed, opened on paper, and given their own rules.

The rules decide which lots a sale takes and how much may be borrowed. A change is an event of the account's journal,
for every fold from then on depends on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.book import Book
from sniper_cli.books.events import Renamed
from sniper_cli.books.records import Books, Page
from sniper_cli.errors import NotFound, OrderRefused, UsageProblem
from sniper_cli.portfolio.standing import read_assets, read_purses
from sniper_cli.trading.amounts import trimmed, whole
from sniper_cli.venues.paper.accounts import ensure_account
from state.accounts import Account, VenueKind, find_account
from state.database import Database
from state.positions import LotMethod
from state.reading import Reader, snapshot

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
MOST_MARGIN = Decimal(125)
"""What the widest perpetual venues offer."""

RULES = "desk.rules"


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account and its rules."""

    id: UUID | None
    """None: of an account that would be opened."""
    name: str
    venue: str
    tenant: str
    currency: str
    chain_id: int | None
    address: str | None
    lot_method: str
    margin: Decimal
    open_positions: int
    open_orders: int
    created_at: datetime | None
    chosen: bool
    """The profile's orders go to it when none is named."""


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """What an account holds of an asset."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Changed:
    """An account's rules before and after."""

    account: str
    lot_method: str
    margin: Decimal
    lot_method_before: str
    margin_before: Decimal
    changed: bool
    dry_run: bool


def account_lines(database: Database, chosen: str) -> list[AccountLine]:
    """Every account, the oldest first. `chosen`: the profile's own."""
    with snapshot(database) as reader:
        assets = read_assets(reader)
        positions = _counts(reader, "SELECT account_id FROM position WHERE state = 'open'")
        orders = _counts(
            reader,
            "SELECT account_id FROM \"order\" WHERE state IN ('held', 'open', 'partially_filled', 'recorded', 'sent')",
        )
        return [
            AccountLine(
                id=UUID(purse.id),
                name=purse.name,
                venue=purse.venue,
                tenant=purse.tenant,
                currency=assets[purse.currency].symbol,
                chain_id=purse.chain_id,
                address=purse.address,
                lot_method=purse.lot_method,
                margin=trimmed(purse.margin),
                open_positions=positions.get(purse.id, 0),
                open_orders=orders.get(purse.id, 0),
                created_at=purse.opened,
                chosen=purse.name == chosen,
            )
            for purse in read_purses(reader)
        ]


def account_line(database: Database, name: str, chosen: str) -> tuple[AccountLine, list[BalanceLine]]:
    """One account, and what it holds. Raises NotFound."""
    found = next((line for line in account_lines(database, chosen) if line.name == name), None)
    if found is None or found.id is None:
        raise NotFound(f"there is no account {name!r}", hint="sniper account list")
    with snapshot(database) as reader:
        assets = read_assets(reader)
        rows = reader.rows(
            "SELECT asset_id, amount FROM balance WHERE account_id = ? ORDER BY asset_id", (found.id.hex,)
        )
    held = [BalanceLine(assets[asset].symbol, whole(assets[asset], int(amount))) for asset, amount in rows]
    return found, [line for line in held if line.amount]


def _counts(reader: Reader, query: str) -> dict[str, int]:
    counted = query.replace("SELECT account_id", "SELECT account_id, count(*)", 1) + " GROUP BY account_id"
    return {str(account).replace("-", ""): int(number) for account, number in reader.rows(counted)}


def open_paper_account(
    database: Database, name: str, deposit: str, *, chosen: str, actor: str, dry_run: bool = False
) -> AccountLine:
    """A new paper account with its opening deposit. Raises UsageProblem for a name that is taken or none."""
    if not NAME.fullmatch(name):
        raise UsageProblem(
            f"{name!r} is no name for an account: lower case letters, digits, and . _ - between them",
            hint="sniper account create second",
        )
    with database.read() as session:
        if find_account(session, name) is not None:
            raise UsageProblem(f"there is an account {name!r} already", hint=f"sniper account show {name}")
    amount = _number(deposit, "--deposit")
    if dry_run:
        return AccountLine(
            None, name, VenueKind.PAPER.value, "main", "USDT", None, None, LotMethod.FIFO.value,
            Decimal(0), 0, 0, None, name == chosen,
        )  # fmt: skip
    ensure_account(database, name, deposit=amount, actor=actor)
    return account_line(database, name, chosen)[0]


def set_rules(
    database: Database,
    name: str,
    *,
    actor: str,
    lot_method: str | None = None,
    margin: str | None = None,
    dry_run: bool = False,
) -> Changed:
    """Change an account's lot method or margin. Raises NotFound, UsageProblem, and OrderRefused where a position
    stands in the way."""
    if lot_method is None and margin is None:
        raise UsageProblem(
            "nothing to change: name --lot-method or --margin", hint="sniper account set --help"
        )
    wanted = None if margin is None else _margin(margin)
    with database.read() as session:
        account_id = _account(session, name, wanted).id

    def work(page: Page) -> Changed:
        book = page.book
        method = LotMethod(lot_method) if lot_method is not None else book.lot_method
        leverage = book.margin if wanted is None else wanted
        before = Changed(
            name, method.value, trimmed(leverage), book.lot_method.value, trimmed(book.margin), False, dry_run
        )
        if (method, leverage) == (book.lot_method, book.margin):
            return before
        _require_possible(book, name, leverage)
        if not dry_run:
            page.add(Renamed(method.value, format(leverage, "f")))
        return replace(before, changed=True)

    books = Books(database, actor=actor)
    try:
        return books.turn(account_id, work, kind=RULES)
    finally:
        books.close()


def _account(session: Session, name: str, margin: Decimal | None) -> Account:
    account = find_account(session, name)
    if account is None:
        raise NotFound(f"there is no account {name!r}", hint="sniper account list")
    if margin and account.venue is not VenueKind.PAPER:
        raise UsageProblem(
            f"{name} trades on a chain, where nothing is lent: its margin is 0", hint="sniper account list"
        )
    return account


def _require_possible(book: Book, name: str, margin: Decimal) -> None:
    """Without margin there are no short positions and no debts."""
    if margin:
        return
    short = [position for position in book.positions.values() if position.quantity < 0]
    owed = [asset for asset, units in book.cash.items() if units < 0]
    if short or owed:
        what = ", ".join([*(position.instrument_id for position in short), *owed])
        raise OrderRefused(
            f"{name} cannot do without margin while it is short of {what}",
            hint="sniper position list",
            instruments=[position.instrument_id for position in short],
        )


def _margin(text: str) -> Decimal:
    found = _number(text, "--margin")
    if found > MOST_MARGIN or 0 < found < 1:
        raise UsageProblem(
            f"--margin is 0 for own money only, or how many times the equity may be held: 1 to {MOST_MARGIN}",
            hint="sniper account set --help",
        )
    return found


def _number(text: str, option: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise UsageProblem(f"{option} {text!r} is no number", hint="sniper account --help") from error
    if not found.is_finite() or found < 0:
        raise UsageProblem(f"{option} must not be below zero, and is {text}", hint="sniper account --help")
    return found


__all__ = [
    "AccountLine", "BalanceLine", "Changed", "account_line", "account_lines", "open_paper_account",
    "set_rules",
]  # fmt: skip
