"""After a crash: what became of what was recorded. At any time: does the ledger agree with the venue, to the unit.

Nothing is ever adjusted behind anyone's back. `sync` books money that came from or went outside, `adjust` books
what a token's contract did to a balance; both only when called, both journalled.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session, select

from sniper_cli.books.book import Book
from sniper_cli.books.events import WrittenOff
from sniper_cli.books.holdings import BookedPosition
from sniper_cli.books.records import Page
from sniper_cli.books.trades import match_lots
from sniper_cli.errors import NetworkError, ReconciliationFailed
from sniper_cli.portfolio.accounts import book_deposit
from sniper_cli.venues.venue import ChainVenue, Holdings
from state import journal
from state.accounts import Account, Balance, Movement
from state.identifiers import new_key
from state.orders import UNRESOLVED, Order, OrderState, working_orders

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk

ROUNDS = 5
"""How often the books are looked at again when a block came in between."""
VANISHED = "vanished"
"""The exit rule of a position whose tokens the contract took away."""


@dataclass(frozen=True, slots=True)
class RecoverySummary:
    """What a start found: orders whose fate was open, and what each turned out to be."""

    examined: int
    fates: dict[str, int]
    """How many ended in which state; those still `sent` are with the node and will be heard of."""
    orders: tuple[UUID, ...]

    @property
    def clean(self) -> bool:
        """Nothing was open."""
        return self.examined == 0


@dataclass(frozen=True, slots=True)
class Line:
    """One asset in the ledger and at the venue."""

    asset_id: str
    ledger: int
    venue: int

    @property
    def difference(self) -> int:
        """What the venue has more than the ledger."""
        return self.venue - self.ledger


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Ledger against venue, asset by asset, at one moment."""

    account_id: UUID
    lines: tuple[Line, ...]
    moment: dict[str, Any]

    @property
    def equal(self) -> bool:
        return all(line.difference == 0 for line in self.lines)

    @property
    def differences(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.difference)

    def require_equal(self) -> None:
        """Raise ReconciliationFailed with both figures of what differs."""
        if not self.equal:
            words = ", ".join(f"{x.asset_id}: ledger {x.ledger}, venue {x.venue}" for x in self.differences)
            raise ReconciliationFailed(
                f"the ledger and the venue do not agree: {words}",
                hint="sniper position list --all",
                lines=[
                    {"asset": x.asset_id, "ledger": str(x.ledger), "venue": str(x.venue)}
                    for x in self.differences
                ],
            )


async def recover(desk: OrderDesk, account_id: UUID) -> RecoverySummary:
    """Settle every order whose fate is open, before anything else happens on the account.

    What is mined is booked; what was never sent is sent again with the identical bytes while it is worth it, else
    its nonce is used up by a transfer of nothing; what can no longer happen is dropped. Raises NetworkError: then
    nothing is lost and nothing is decided.
    """
    with desk.database.read() as session:
        open_before = [order.id for order in working_orders(session, account_id)]
    await desk.refresh(account_id, recovering=True)
    for _ in range(ROUNDS):
        with desk.database.read() as session:
            recorded = [o for o in working_orders(session, account_id) if o.state is OrderState.RECORDED]
        if not recorded:
            break
        await desk.refresh(account_id, recovering=True)
    with desk.database.read() as session:
        states = Counter(session.get_one(Order, order_id).state.value for order_id in open_before)
    return RecoverySummary(len(open_before), dict(states), tuple(open_before))


async def reconcile(desk: OrderDesk, account_id: UUID) -> Reconciliation:
    """Compare the ledger with the venue at one block at which every trade of ours is booked; journalled."""
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    if not isinstance(venue, ChainVenue):
        return _against_itself(desk, account)
    holdings = await _holdings(desk, account, venue)
    result = _compare(desk, account, holdings)
    desk.database.transact(lambda session: _note(session, result, actor=desk.actor))
    return result


async def sync(desk: OrderDesk, account_id: UUID) -> int:
    """Book coins that came from, or went, outside since the ledger last agreed with the chain; how many units."""
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    if not isinstance(venue, ChainVenue):
        return 0
    holdings = await _holdings(desk, account, venue)

    def work(page: Page) -> int:
        if _unsettled(page.book):
            return 0
        coin = account.reporting_asset
        difference = holdings.amounts[coin] - page.book.held(coin)
        book_deposit(page, coin, difference, holdings.moment)
        return difference

    return desk.books.turn(account_id, work, kind="desk.cash")


async def adjust(desk: OrderDesk, account_id: UUID) -> list[Line]:
    """Bring the ledger's tokens (never its coins) to what their contracts say; what was changed.

    For tokens that rebase, burn or confiscate: positions shrink by what vanished, for no proceeds.
    """
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    if not isinstance(venue, ChainVenue):
        return []
    holdings = await _holdings(desk, account, venue)

    def work(page: Page) -> list[Line]:
        if _unsettled(page.book):
            return []
        lines = _lines(page.book.cash, holdings)
        changed = [x for x in lines if x.difference and x.asset_id != account.reporting_asset]
        for line in changed:
            _adjust(page, line, holdings)
        return changed

    return desk.books.turn(account_id, work, kind="desk.cash")


async def _holdings(desk: OrderDesk, account: Account, venue: ChainVenue) -> Holdings:
    """The venue's count at a moment at which the ledger knows every trade that is in it."""
    for _ in range(ROUNDS):
        await desk.refresh(account.id)
        with desk.database.read() as session:
            assets = [balance.asset_id for balance in _balances(session, account.id)]
        holdings = await venue.holdings(account, assets)
        if holdings.complete:
            return holdings
        await asyncio.sleep(0.05)
    raise NetworkError(
        "the chain moved on with every look: transactions of this account are mined that the ledger does not know yet",
        hint="sniper order list --state sent",
    )


def _compare(desk: OrderDesk, account: Account, holdings: Holdings) -> Reconciliation:
    with desk.database.read() as session:
        ledger = {balance.asset_id: balance.amount for balance in _balances(session, account.id)}
    return Reconciliation(account.id, tuple(_lines(ledger, holdings)), holdings.moment)


def _against_itself(desk: OrderDesk, account: Account) -> Reconciliation:
    """A paper venue keeps no books of its own: the ledger is the venue."""
    with desk.database.read() as session:
        lines = tuple(Line(b.asset_id, b.amount, b.amount) for b in _balances(session, account.id))
    return Reconciliation(account.id, lines, {})


def _lines(ledger: Mapping[str, int], holdings: Holdings) -> list[Line]:
    return [Line(asset, ledger.get(asset, 0), amount) for asset, amount in sorted(holdings.amounts.items())]


def _balances(session: Session, account_id: UUID) -> Sequence[Balance]:
    return session.exec(select(Balance).where(Balance.account_id == account_id)).all()


def _unsettled(book: Book) -> bool:
    return any(order.state in UNRESOLVED for order in book.orders.values())


def _note(session: Session, result: Reconciliation, *, actor: str) -> None:
    data = {
        "equal": result.equal,
        "moment": result.moment,
        "lines": [
            {"asset": x.asset_id, "ledger": str(x.ledger), "venue": str(x.venue)} for x in result.lines
        ],
    }
    journal.append(session, "reconciliation.done", result.account_id, data, actor=actor)


def _adjust(page: Page, line: Line, holdings: Holdings) -> None:
    book_deposit(page, line.asset_id, line.difference, holdings.moment, movement=Movement.ADJUSTMENT)
    missing = max(0, -line.difference)
    for position in list(page.book.positions.values()):
        if page.book.pairs[position.instrument_id][0] == line.asset_id and missing:
            gone = min(missing, position.quantity)
            missing -= gone
            write_off(page, position, gone)


def write_off(page: Page, position: BookedPosition, quantity: int, *, rule: str = VANISHED) -> None:
    """Take units off a position that the venue no longer holds: lots in their order, for no proceeds."""
    matches, _ = match_lots(page.book, position, quantity, 0)
    page.add(WrittenOff(new_key(), position.key, rule, matches, page.now))
