"""What happens at every block: orders are settled, positions marked, exit rules applied, held tokens judged again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session

from sniper_cli.errors import NetworkError
from sniper_cli.sniping.book import Book
from sniper_cli.sniping.events import HeadSeen, PendingRemoval, RunnerTrouble
from sniper_cli.sniping.exits import ExitSignal, decide, figures_of
from sniper_cli.sniping.follow_up import follow_one
from sniper_cli.sniping.judging import judge_holding
from sniper_cli.sniping.listings import Removal
from sniper_cli.sniping.marks import Holding, Mark, market_of, read_marks, write_marks
from sniper_cli.sniping.overrides import is_held, signal_of
from sniper_cli.sniping.ready import ReadySales
from sniper_cli.sniping.rules import URGENT, ExitRule, rules_of
from sniper_cli.sniping.run import Run
from sniper_cli.sniping.sales import Sales
from sniper_cli.sniping.tape import Tape
from sniper_cli.sniping.thresholds import Watchlist
from sniper_cli.sniping.withdrawals import Positions, Withdrawal, together
from sniper_cli.trading.reconciliation import adjust
from state.columns import utc_now
from state.launches import ChainCursor
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head

CURSOR = "pairs"
"""The stream whose place a restart continues from."""
ADJUST_BLOCKS = 10
"""A token whose balances move by themselves is booked anew this often at most."""
REJUDGE_BLOCKS = 15
"""A held token is judged again this often: taxes flip, owners change their minds."""


class Rounds:
    """The work of a block, and the sales that cannot wait for one."""

    def __init__(self, run: Run, book: Book, sales: Sales, ready: ReadySales | None = None) -> None:
        self._run = run
        self._book = book
        self._sales = sales
        self._ready = ready
        self._tape = Tape(run)
        self._marks: dict[UUID, Mark] = {}
        self._judged_at: dict[UUID, int] = {}
        self._condemned: dict[UUID, str] = {}
        self._adjusted_at: dict[UUID, int] = {}
        self._watchlist = Watchlist()
        self._positions = Positions()

    async def work(self, head: Head) -> None:
        """One round. A node that fails in its middle leaves everything for the next."""
        await self._run.heads.calm()
        await self.settle()
        holdings = list(self._book.holdings.values())
        if holdings:
            self._marks = await read_marks(self._run, holdings)
            if await self._taken_away(head, holdings):
                holdings = list(self._book.holdings.values())
            await self._look_back(head, holdings)
        self._write(head, holdings)
        await self._leave(head, holdings)
        await self._prepare(holdings)
        await self._judge_again(head, holdings)
        if self._run.leads and not (self._run.closing or self._run.heads.is_hot):
            await follow_one(self._run, head)
        self._run.tell(HeadSeen(number=head.number, open_positions=len(self._book.holdings)))

    async def settle(self) -> None:
        """Find out what became of orders, and take up new positions."""
        await self._run.desk.refresh(self._run.account_id)
        self._book.look()
        for key, orders in self._book.fallen.items():
            if (holding := self._book.holdings.get(key)) is not None:
                self._sales.fell_through(holding, orders)

    async def _look_back(self, head: Head, holdings: Sequence[Holding]) -> None:
        """Blocks that no round has worked through count for the peak, too."""
        if self._tape.last is None:
            with self._run.database.read() as session:
                place = session.get(ChainCursor, (self._run.chain_id, CURSOR))
                self._tape.last = None if place is None else place.block_number
        try:
            peaks = await self._tape.read(head.number, holdings, self._marks)
        except NetworkError as error:  # the rules count on; the same blocks are read at the next head
            self._run.tell(RunnerTrouble(problem=f"past blocks could not be read: {error.message}"))
            return
        for holding in holdings:
            position = holding.position
            peak = peaks.get(holding.id, 0) + position.received
            position.peak_value = max(position.peak_value, peak)

    async def _prepare(self, holdings: Sequence[Holding]) -> None:
        """Plan the sale of everything that may have to flee, so that fleeing asks no node."""
        if self._ready is None or self._run.dry_run:
            return
        wary = [h for h in holdings if rules_of(h.position).watch_pending and h.id in self._marks]
        if wary:
            await self._ready.prepare([(h, self._sales.flight(h, self._marks[h.id])) for h in wary])

    async def close_all(self) -> None:
        """Sell everything that is held, because the run is over."""
        signal = ExitSignal(ExitRule.END, "the run is over")
        holdings = [h for h in self._book.holdings.values() if not is_held(h.position)]
        await asyncio.gather(*(self._sales.sell(h, signal, self._marks.get(h.id)) for h in holdings))

    @property
    def has_something_to_sell(self) -> bool:
        """Whether anything held is worth the gas of its sale: what lost its liquidity is not."""
        return any(
            self._sales.is_worth_it(self._marks.get(key)) and not is_held(holding.position)
            for key, holding in self._book.holdings.items()
        )

    async def flee(self, removal: Removal) -> None:
        """Sell ahead of a waiting removal of liquidity, if it is of a pool that we hold and large enough to matter."""
        holding = self._concerned(removal)
        if holding is None or not rules_of(holding.position).watch_pending:
            return
        marked = self._marks.get(holding.id)
        if _is_minor(removal, marked, holding):
            return
        self._run.tell(
            PendingRemoval(
                token=holding.token, symbol=holding.symbol, tx_hash=removal.tx_hash, max_fee=removal.max_fee
            )
        )
        figures = {"transaction": removal.tx_hash, "max_fee": removal.max_fee, "shares": removal.shares}
        signal = ExitSignal(
            ExitRule.LIQUIDITY_PENDING,
            "a removal of the pool's liquidity is pending",
            figures,
            outbid_fee=removal.max_fee,
        )
        await self._sales.sell(holding, signal, marked)

    async def flee_withdrawals(self, withdrawals: Sequence[Withdrawal]) -> None:
        """The same for liquidity that belongs to positions, where something of their exchange is held."""
        manager = withdrawals[0].exchange.position_manager
        markets = [market_of(self._run, holding) for holding in self._book.holdings.values()]
        if not any(market.exchange.position_manager == manager for market in markets):
            return
        node = self._run.node
        found = await asyncio.gather(*(self._positions.removal_by(node, each) for each in withdrawals))
        for removal in together([each for each in found if each is not None]):
            await self.flee(removal)

    async def _taken_away(self, head: Head, holdings: Sequence[Holding]) -> bool:
        """Whether a token's contract changed what we hold of it; the ledger then follows, journalled."""
        strange = {
            h.id
            for h in holdings
            if (m := self._marks.get(h.id)) and m.reading.balance != h.position.quantity
        }
        fresh = {
            key
            for key in strange
            if head.number - self._adjusted_at.get(key, -ADJUST_BLOCKS) >= ADJUST_BLOCKS
        }
        if not fresh:
            return False
        self._adjusted_at |= dict.fromkeys(fresh, head.number)
        changed = await adjust(self._run.desk, self._run.account_id)
        for line in changed:
            problem = f"the contract of {line.asset_id} changed our balance by {line.difference} units"
            self._run.tell(RunnerTrouble(problem=problem))
        self._book.look()
        return True

    def _concerned(self, removal: Removal) -> Holding | None:
        if removal.token is not None:
            return self._book.tokens.get(removal.token)
        return self._book.pools.get(removal.pool or "")

    def _write(self, head: Head, holdings: Sequence[Holding]) -> None:
        """The marks and the place in the chain, in one transaction."""
        now = utc_now()

        def write(session: Session) -> None:
            write_marks(session, holdings, self._marks, now)
            place = session.get(ChainCursor, (self._run.chain_id, CURSOR)) or ChainCursor(
                chain_id=self._run.chain_id, stream=CURSOR, block_number=0, block_hash=""
            )
            place.block_number, place.block_hash, place.updated_at = head.number, head.hash, now
            session.add(place)

        self._run.database.transact(write)

    async def _leave(self, head: Head, holdings: Sequence[Holding]) -> None:
        """Apply the rules to every position; sales go out together."""
        sales = []
        self._watchlist.keep(holding.id for holding in holdings)
        for holding in holdings:
            signal = self._signal(head, holding)
            if signal is not None:
                sales.append(self._sales.sell(holding, signal, self._marks.get(holding.id)))
        await asyncio.gather(*sales)

    def _signal(self, head: Head, holding: Holding) -> ExitSignal | None:
        """Why a position is to be sold now: a token turned bad, somebody's word, a rule; held, only what flees."""
        marked, position, now = self._marks.get(holding.id), holding.position, utc_now()
        liquidity = None if marked is None else marked.reading.liquidity
        signal = self._condemnation(holding) or signal_of(position, holding.asked)
        if signal is not None:
            return signal
        volume, prices = self._tape.stall(holding, head.number)
        if not self._watchlist.fires(
            position, micros(now), liquidity, sold=holding.sold, volume=volume, prices=prices
        ):
            return None
        figures = figures_of(position, liquidity=liquidity, sold=holding.sold, volume=volume, prices=prices)
        found = decide(rules_of(position), figures, now)
        return None if found is None or (is_held(position) and found.rule not in URGENT) else found

    def _condemnation(self, holding: Holding) -> ExitSignal | None:
        reason = self._condemned.get(holding.id)
        return None if reason is None else ExitSignal(ExitRule.SAFETY, reason)

    async def _judge_again(self, head: Head, holdings: Sequence[Holding]) -> None:
        """One held token a block at most, the one judged longest ago: the hot path of new launches comes first."""
        due = [
            h
            for h in holdings
            # A purchase is heard of before its block's round: at an older head its pool may not stand yet.
            if head.number > (h.launch_block or 0)
            and head.number - self._last_judged(h, head) >= REJUDGE_BLOCKS
        ]
        if not due or self._run.closing:
            return
        holding = min(due, key=lambda h: self._judged_at[h.id])
        self._judged_at[holding.id] = head.number
        run = self._run
        try:
            reason = await judge_holding(run, holding, head)
        except NetworkError as error:
            run.tell(RunnerTrouble(problem=f"{holding.symbol} could not be judged again: {error.message}"))
            return
        if reason is not None:
            self._condemned[holding.id] = reason
        else:
            self._condemned.pop(holding.id, None)

    def _last_judged(self, holding: Holding, head: Head) -> int:
        """A new position is due at once: a launch's dossier had no time for everything."""
        return self._judged_at.setdefault(holding.id, head.number - REJUDGE_BLOCKS)


def _is_minor(removal: Removal, marked: Mark | None, holding: Holding) -> bool:
    """Whether a removal takes less than what the liquidity rule lets pass. What is not known is not minor."""
    share = rules_of(holding.position).liquidity_drop_pct
    if removal.shares is None or marked is None or not marked.reading.shares:
        return False
    return removal.shares * 100 < marked.reading.shares * share
