"""The accounts that one sniper trades on: each its own wallet, nonces, lease, limits, book and exits.

One of them leads: what belongs to no account (following launches, judging, looking at old ones again) is done once.
A launch is bought by all of them, each a part of the stake, or by one after the other in turn. Whose turn it is, and
who has bought a launch already, is read from the orders: an account never buys a launch twice, whatever was killed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session, col, func, select

from sniper_cli.sniping.attempts import FAILED
from sniper_cli.sniping.book import Book
from sniper_cli.sniping.ready import ReadySales
from sniper_cli.sniping.rounds import Rounds
from sniper_cli.sniping.sales import Sales
from state.orders import Order, Side, find_by_client_id

if TYPE_CHECKING:
    from sniper_cli.sniping.listings import Removal
    from sniper_cli.sniping.run import Run
    from sniper_cli.sniping.withdrawals import Withdrawal


@dataclass(slots=True, eq=False)
class Hand:
    """One account at work."""

    name: str
    run: Run
    book: Book
    rounds: Rounds


def hand_of(run: Run, name: str) -> Hand:
    """An account's book and exits."""
    book, ready = Book(run), ReadySales(run)
    return Hand(name, run, book, Rounds(run, book, Sales(run, ready), ready))


class Hands:
    """All accounts of a run, the leading one first."""

    def __init__(self, hands: Sequence[Hand], *, rotates: bool = False) -> None:
        self._hands = tuple(hands)
        self._rotates = rotates
        self._turns: Counter[UUID] | None = None

    def __iter__(self) -> Iterator[Hand]:
        return iter(self._hands)

    def __len__(self) -> int:
        return len(self._hands)

    @property
    def parts(self) -> int:
        """Into how many parts a launch's stake is divided."""
        return 1 if self._rotates else len(self._hands)

    def chosen(self, launch_id: UUID) -> list[Hand]:
        """Who buys a launch: whoever has begun to, else all, or the one whose turn it is."""
        if not self._rotates or len(self._hands) == 1:
            return [hand for hand in self._hands if hand.run.lease.alive]
        with self._hands[0].run.database.read() as session:
            begun = self._begun(session, launch_id)
            if self._turns is None:
                self._turns = self._bought(session)
        turns = self._turns
        ready = [hand for hand in self._hands if hand.run.lease.alive]
        mine = [hand for hand in ready if hand.run.account_id in begun] or sorted(
            ready, key=lambda hand: turns[hand.run.account_id]
        )
        for hand in mine[:1]:
            turns[hand.run.account_id] += hand.run.account_id not in begun
        return mine[:1]

    def chosen_in_a_rehearsal(self) -> tuple[Hand, ...]:
        """Who would buy, no order being placed that could tell whose turn comes next."""
        return self._hands[: 1 if self._rotates else None]

    def bought(self, session: Session, client_order_id: str) -> Order | None:
        """The purchase of a launch, where no account is left that should buy it too."""
        found = [find_by_client_id(session, hand.run.account_id, client_order_id) for hand in self._hands]
        orders = [order for order in found if order is not None]
        return orders[0] if len(orders) >= self.parts else None

    def _begun(self, session: Session, launch_id: UUID) -> set[UUID]:
        """Accounts with a purchase of this launch, or a trial of it."""
        query = select(Order.account_id).where(Order.launch_id == launch_id, Order.side == Side.BUY)
        return set(session.exec(query).all())

    def _bought(self, session: Session) -> Counter[UUID]:
        """How many launches each has bought."""
        ids = [hand.run.account_id for hand in self._hands]
        query = (
            select(Order.account_id, func.count(func.distinct(col(Order.launch_id))))
            .where(
                col(Order.account_id).in_(ids),
                Order.side == Side.BUY,
                col(Order.launch_id).is_not(None),
                col(Order.state).not_in(FAILED),
            )
            .group_by(col(Order.account_id))
        )
        return Counter(dict(session.exec(query).all()))

    async def flee(self, removal: Removal) -> None:
        """Sell ahead of a waiting removal of liquidity, whoever holds of the pool."""
        await asyncio.gather(*(hand.rounds.flee(removal) for hand in self._hands))

    async def flee_withdrawals(self, withdrawals: Sequence[Withdrawal]) -> None:
        """The same for liquidity that belongs to positions."""
        await asyncio.gather(*(hand.rounds.flee_withdrawals(withdrawals) for hand in self._hands))

    def close(self) -> None:
        """No new purchases by any of them."""
        for hand in self._hands:
            hand.run.closing = True


__all__ = ["Hand", "Hands", "hand_of"]
