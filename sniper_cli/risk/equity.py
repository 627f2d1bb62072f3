"""What an account is worth now, and the most it has been worth since somebody set a limit on its fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.books.book import Book
from sniper_cli.risk.at_stake import Exposure
from state.accounts import Asset, Movement
from state.columns import utc_now
from state.limits import EquityPeak
from state.writing import Writer

if TYPE_CHECKING:
    from state.database import Database

OUTSIDE = (Movement.DEPOSIT.value, Movement.WITHDRAWAL.value, Movement.TRANSFER.value)
"""Movements that are neither profit nor loss."""


@dataclass(slots=True)
class Equity:
    """Cash of the reporting asset and the worth of all positions; coins without a position do not count."""

    book: Book
    asset: Asset
    exposure: Exposure
    """The account's, whose positions are valued."""
    flow: int = 0
    """Deposits less withdrawals, all of them."""
    highest: int | None = None
    """Less the flow up to then, so that money moved in or out leaves the fall from it as it is."""
    unsaved: bool = False
    follows: bool = False
    """Somebody set a limit on the fall."""

    def now(self) -> int:
        """The present equity."""
        if self.exposure.stirred:
            self.exposure.renew()
        return self.book.cash.get(self.asset.id, 0) + self.exposure.value

    def peak(self) -> int:
        """The most that it has been, as if everything that was moved since had been there."""
        return self.now() if self.highest is None else self.highest + self.flow

    def look(self) -> None:
        """A moment passes: perhaps it is the highest."""
        if self.follows:
            gained = self.now() - self.flow
            if self.highest is None or gained > self.highest:
                self.highest, self.unsaved = gained, True

    def flowed(self, asset: str, movement: str, amount: int) -> None:
        """Money came or went."""
        if asset == self.asset.id and movement in OUTSIDE:
            self.flow += amount


def read_flow(writer: Writer, account_key: str, asset_id: str) -> int:
    """Deposits less withdrawals of an account so far."""
    query = "SELECT amount FROM ledger_entry WHERE account_id = ? AND asset_id = ? AND movement IN (?, ?, ?)"
    return sum(int(row[0]) for row in writer.rows(query, (account_key, asset_id, *OUTSIDE)))


def read_peak(writer: Writer, account_key: str) -> int | None:
    """The highest equity seen, less the flow up to then."""
    row = writer.row("SELECT peak, flow FROM equity_peak WHERE account_id = ?", (account_key,))
    return None if row is None else int(row[0]) - int(row[1])


def save_peak(database: Database, equity: Equity) -> None:
    """Keep the highest equity seen; of two processes the higher one counts."""
    from uuid import UUID

    account_id, highest, flow = UUID(equity.book.account_key), equity.highest, equity.flow
    if highest is None:
        return
    with database.write() as session:
        row = session.get(EquityPeak, account_id) or EquityPeak(
            account_id=account_id, peak=highest + flow, flow=flow
        )
        if row.peak - row.flow <= highest:
            row.peak, row.flow, row.at = highest + flow, flow, utc_now()
            session.add(row)
    equity.unsaved = False


__all__ = ["OUTSIDE", "Equity", "read_flow", "read_peak", "save_peak"]
