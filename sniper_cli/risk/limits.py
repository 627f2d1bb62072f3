"""What an account may have at stake: how many positions, how much money in them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import CheckResult
from state.orders import Side

if TYPE_CHECKING:
    from sniper_cli.settings.model import SnipingSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on purchases. Sales are never bounded: they lower what is at stake."""

    max_open_positions: int
    max_total_spend: int
    """Quote units standing in open positions and working buys together."""

    def examine(self, book: Book, proposal: Proposal) -> tuple[list[Figure], list[CheckResult]]:
        """How many instruments it would be in, and how much would be at stake, with this purchase."""
        if proposal.intent.side is not Side.BUY:
            return [], []
        found = [self._positions(book, proposal), self._spend(book, proposal)]
        passed: list[Figure] = [(one.name, one.figures["value"], one.figures["limit"]) for one in found if one.passed]
        return passed, [one for one in found if not one.passed]

    def _positions(self, book: Book, proposal: Proposal) -> CheckResult:
        entries = {order.instrument_id for order in book.orders.values() if order.side is Side.BUY}
        count = len(set(book.positions) | entries | {proposal.intent.instrument_id})
        limit = self.max_open_positions
        detail = f"{count} with this one, at most {limit}"
        return CheckResult("open_positions", count <= limit, detail, {"value": count, "limit": limit})

    def _spend(self, book: Book, proposal: Proposal) -> CheckResult:
        quote = proposal.listing.quote
        spent = sum(position.basis for position in book.positions.values())
        working = sum(_outstanding(order) for order in book.orders.values() if order.side is Side.BUY)
        total, limit = spent + working + proposal.notional, self.max_total_spend
        detail = f"{whole(quote, total):f} with this one, at most {spelled(quote, limit)}"
        return CheckResult("total_spend", total <= limit, detail, {"value": str(total), "limit": str(limit)})

    @classmethod
    def from_settings(cls, sniping: SnipingSettings, decimals: int = 18) -> Limits:
        """The profile's limits, in base units of its coin."""
        return cls(sniping.max_open_positions, int(sniping.max_total_spend.scaleb(decimals)))


def _outstanding(order: BookedOrder) -> int:
    """What a working purchase may still put into a position."""
    return max(0, order.budget - order.filled_notional) if order.budget is not None else order.still_reserved
