"""Money that a person moves: deposits, withdrawals, transfers between accounts, and what is paid beside trades.

Each movement has a reference and counts once: the same reference again gives the same movement back, and a reference
that was used for another amount is refused. What open orders have a claim on, and coins that a position holds, cannot
be taken away under them. An account on a chain has what the chain says: there, `position reconcile` books the
difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.book import Book
from sniper_cli.books.cash import knows, move_cash
from sniper_cli.books.records import Books, Page
from sniper_cli.errors import InsufficientFunds, NotFound, UsageProblem
from sniper_cli.trading.amounts import spelled, whole
from state.accounts import Account, Asset, LedgerEntry, Movement, VenueKind, find_account
from state.database import Database
from state.identifiers import new_id, short
from state.writing import instant

CHARGES = (Movement.FEE, Movement.FUNDING, Movement.INTEREST, Movement.GAS, Movement.ADJUSTMENT)
"""What may be booked as paid, or received, without a trade."""

KIND = "desk.cash"


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement as it stands in the books, or would."""

    account: str
    counter_account: str | None
    asset: str
    movement: str
    amount: Decimal
    """Signed: what came in is positive."""
    balance: Decimal
    """Afterwards."""
    reference: str
    at: datetime
    replayed: bool
    """It had been booked before, under the same reference."""
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger."""

    id: UUID
    at: datetime
    account: str
    asset: str
    movement: str
    counterpart: str
    amount: Decimal
    reference: str

    @property
    def short_id(self) -> str:
        return short(self.id)


@dataclass(frozen=True, slots=True)
class Payment:
    """What was asked for: an amount above zero of an asset, by name."""

    amount: str
    asset: str
    account: str
    reference: str | None = None


class CashDesk:
    """Moves money on the paper accounts of a database."""

    def __init__(self, database: Database, *, actor: str) -> None:
        self.database = database
        self.actor = actor

    def deposit(self, payment: Payment, *, dry_run: bool = False) -> Moved:
        """Money comes from outside. Raises NotFound, UsageProblem."""
        return self._move(payment, Movement.DEPOSIT, 1, dry_run=dry_run)

    def withdraw(self, payment: Payment, *, dry_run: bool = False) -> Moved:
        """Money goes outside. Raises NotFound, UsageProblem, InsufficientFunds."""
        return self._move(payment, Movement.WITHDRAWAL, -1, dry_run=dry_run)

    def charge(
        self, payment: Payment, movement: Movement, *, credit: bool = False, dry_run: bool = False
    ) -> Moved:
        """A fee, funding, interest or gas is paid, or with `credit` received. A debt is booked whatever there is."""
        return self._move(payment, movement, 1 if credit else -1, dry_run=dry_run, owed=True)

    def transfer(self, payment: Payment, to: str, *, dry_run: bool = False) -> Moved:
        """Money goes from one account to another, in one transaction.

        Raises NotFound, UsageProblem, InsufficientFunds.
        """
        reference = payment.reference or f"transfer-{new_id().hex}"

        def work(session: Session) -> Moved:
            giver, taker = paper_account(session, payment.account), paper_account(session, to)
            if giver.id == taker.id:
                raise UsageProblem("a transfer needs two accounts", hint="sniper account list")
            asset = asset_named(session, payment.asset, giver.venue)
            units = units_of(asset, payment.amount)
            books = Books(self.database, actor=self.actor)
            done: dict[UUID, bool] = {}
            balance = 0
            # Always in one order: two transfers the opposite ways would wait for each other.
            for account in sorted((giver, taker), key=lambda one: one.id):
                signed = -units if account.id == giver.id else units
                with books.within(session, account.id, kind=KIND) as page:
                    done[account.id] = self._book(
                        session, page, account, asset, Movement.TRANSFER, signed, reference
                    )
                    if account.id == giver.id:
                        balance = page.book.held(asset.id)
                        moment = instant(page.now)
            replayed = not done[giver.id]
            return Moved(
                giver.name, taker.name, asset.symbol, Movement.TRANSFER.value, whole(asset, -units),
                whole(asset, balance), reference, moment, replayed, dry_run,
            )  # fmt: skip

        return self._done(work, dry_run=dry_run)

    def _move(
        self, payment: Payment, movement: Movement, sign: int, *, dry_run: bool, owed: bool = False
    ) -> Moved:
        reference = payment.reference or f"{movement.value}-{new_id().hex}"

        def work(session: Session) -> Moved:
            account = paper_account(session, payment.account)
            asset = asset_named(session, payment.asset, account.venue)
            units = sign * units_of(asset, payment.amount)
            books = Books(self.database, actor=self.actor)
            with books.within(session, account.id, kind=KIND) as page:
                fresh = self._book(session, page, account, asset, movement, units, reference, owed=owed)
                return Moved(
                    account.name, None, asset.symbol, movement.value, whole(asset, units),
                    whole(asset, page.book.held(asset.id)), reference, instant(page.now), not fresh, dry_run,
                )  # fmt: skip

        return self._done(work, dry_run=dry_run)

    def _book(
        self,
        session: Session,
        page: Page,
        account: Account,
        asset: Asset,
        movement: Movement,
        units: int,
        reference: str,
        *,
        owed: bool = False,
    ) -> bool:
        """Book it on a page; False if it was there. Raises InsufficientFunds, UsageProblem."""
        if knows(page.book, asset.id, movement, reference):
            _require_same(session, account, asset, movement, units, reference)
            return False
        if units < 0 and not owed:
            _require_free(page.book, account, asset, -units)
        return move_cash(page, asset.id, movement, units, reference=reference)

    def _done(self, work: Callable[[Session], Moved], *, dry_run: bool) -> Moved:
        if not dry_run:
            return self.database.transact(work, idempotent=True)
        with self.database.write() as session:
            found = work(session)
            session.rollback()
        return found


def _require_same(
    session: Session, account: Account, asset: Asset, movement: Movement, units: int, reference: str
) -> None:
    query = select(LedgerEntry).where(
        LedgerEntry.account_id == account.id,
        LedgerEntry.asset_id == asset.id,
        LedgerEntry.movement == movement,
        LedgerEntry.reference == reference,
    )
    known = session.exec(query).first()
    if known is not None and known.amount != units:
        raise UsageProblem(
            f"the reference {reference!r} stands for {spelled(asset, known.amount, sign=True)} already",
            hint=f"sniper cash list --reference {reference}",
        )


def _require_free(book: Book, account: Account, asset: Asset, wanted: int) -> None:
    free = free_of(book, asset.id)
    if wanted > free:
        raise InsufficientFunds(
            f"{whole(asset, wanted):f} of {spelled(asset, max(0, free))} that may leave {account.name}: orders and "
            "positions have a claim on the rest",
            hint=f"sniper portfolio show --account {account.name}",
            wanted=str(wanted),
            free=str(free),
            held=str(book.held(asset.id)),
        )


def free_of(book: Book, asset_id: str) -> int:
    """What of an asset may leave: not what open orders may take, what positions hold, or what a short sale brought."""
    free = book.available(asset_id)
    for position in book.positions.values():
        base, quote = book.pairs[position.instrument_id]
        if base == asset_id and position.quantity > 0:
            free -= position.quantity
        if quote == asset_id and position.quantity < 0:
            free -= position.basis
    for instrument, quantity in book.selling.items():
        base, _ = book.pairs[instrument]
        held = book.positions.get(instrument)
        if base == asset_id:
            free -= max(0, quantity - (held.quantity if held is not None else 0))
    return free


def paper_account(session: Session, name: str) -> Account:
    """A paper account by its name. Raises NotFound, and UsageProblem for one on a chain."""
    account = find_account(session, name)
    if account is None:
        raise NotFound(f"there is no account {name!r}", hint="sniper account list")
    if account.venue is not VenueKind.PAPER:
        raise UsageProblem(
            f"{name} is an address on chain {account.chain_id}: it has what the chain says",
            hint="sniper position reconcile --book --dry-run",
        )
    return account


def asset_named(session: Session, text: str, venue: VenueKind) -> Asset:
    """An asset of a venue by its symbol or id. Raises NotFound."""
    wanted = text.strip().lower()
    rows = session.exec(select(Asset).where(col(Asset.id).startswith(f"{venue.value}:"))).all()
    found = next((row for row in rows if wanted in (row.symbol.lower(), row.id.lower())), None)
    if found is None:
        known = ", ".join(sorted(row.symbol for row in rows)[:12])
        raise NotFound(f"there is no asset {text!r} on {venue.value}", hint=f"assets: {known}")
    return found


def units_of(asset: Asset, text: str) -> int:
    """An amount as base units. Raises UsageProblem."""
    try:
        amount = Decimal(text)
        if not amount.is_finite() or amount <= 0:
            raise UsageProblem(
                f"the amount must be above zero, not {text}", hint="sniper cash deposit --help"
            )
        return asset.units(amount)
    except InvalidOperation as error:
        raise UsageProblem(f"{text!r} is no amount", hint="sniper cash deposit --help") from error
    except ValueError as error:
        raise UsageProblem(str(error), hint="sniper cash deposit --help") from error


def entries(
    database: Database,
    *,
    account: str | None = None,
    movement: Movement | None = None,
    reference: str | None = None,
    since: datetime | None = None,
    after: UUID | None = None,
) -> Iterator[Entry]:
    """The ledger, newest first. Raises NotFound."""
    query = select(LedgerEntry, Asset, Account).where(
        LedgerEntry.asset_id == Asset.id, LedgerEntry.account_id == Account.id
    )
    with database.read() as session:
        if account is not None:
            owner = find_account(session, account)
            if owner is None:
                raise NotFound(f"there is no account {account!r}", hint="sniper account list")
            query = query.where(LedgerEntry.account_id == owner.id)
        if movement is not None:
            query = query.where(LedgerEntry.movement == movement)
        if reference is not None:
            query = query.where(LedgerEntry.reference == reference)
        if since is not None:
            query = query.where(LedgerEntry.at >= since)
        if after is not None:
            query = query.where(LedgerEntry.id < after)
        ordered = query.order_by(sa.desc(col(LedgerEntry.id))).execution_options(yield_per=200)
        for entry, asset, owner in session.exec(ordered):
            yield Entry(
                id=entry.id,
                at=entry.at,
                account=owner.name,
                asset=asset.symbol,
                movement=entry.movement.value,
                counterpart=entry.counterpart,
                amount=whole(asset, entry.amount),
                reference=entry.reference,
            )


def cursor(database: Database, text: str | None) -> UUID | None:
    """The entry that a list goes on after, by its id or the id's tail. Raises NotFound, UsageProblem."""
    from sniper_cli.trading.lookup import find_entry

    if text is None:
        return None
    with database.read() as session:
        return find_entry(session, text).id
