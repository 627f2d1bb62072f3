"""The sniper at work: it takes its account, settles what a former run left, and follows the chain until told to stop.

Three things happen at once. The stream is read: a new pool starts a task that follows the launch, a waiting
removal of liquidity starts a sale. The heads pace the second: find out what became of orders, mark positions,
apply the exit rules; a slow round skips heads, never the newest. The third renews the lease. A node that stops
answering stops nothing: all that counts is in the database, and the next block carries on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sniper_cli.endpoints.streams import chain_stream
from sniper_cli.errors import LeaseLost, NetworkError, SniperError, StateError
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.sidecar import SideCar
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.entries import Entries
from sniper_cli.sniping.events import (
    CoinsMoved,
    Listener,
    Recovered,
    RunnerStarted,
    RunnerStopped,
    RunnerTrouble,
)
from sniper_cli.sniping.followed import buys_early
from sniper_cli.sniping.hands import Hand, Hands, hand_of
from sniper_cli.sniping.lease import RENEW_SECONDS, RunnerLease
from sniper_cli.sniping.rounds import CURSOR
from sniper_cli.sniping.run import ACTOR, Run
from sniper_cli.sniping.warmup import warm_up
from sniper_cli.sniping.watcher import Watcher
from sniper_cli.trading.reconciliation import sync
from state import journal
from state.accounts import Account, balance_of
from state.database import Database
from state.launches import ChainCursor
from state.orders import working_orders

if TYPE_CHECKING:
    from decimal import Decimal

    from sniper_cli.chains.exchange import Exchange, Exchanges
    from sniper_cli.chains.node import Head, Node
    from sniper_cli.sniping.second_opinions import SecondOpinions
    from sniper_cli.trading.desk import OrderDesk

FINISH_SECONDS = 3.0
"""How long launches under way may take to end when the run stops."""
CLOSING_SECONDS = 30.0
"""How long a run that closes its positions at its end tries to."""
CANCEL_SECONDS = 0.2
OVERLAP_BLOCKS = 3
"""Read again at a restart: a head may have been noted before its logs were."""


class Sniper:
    """Snipes launches on one account of one chain."""

    def __init__(
        self,
        database: Database,
        node: Node,
        exchange: Exchange,
        *,
        desk: OrderDesk,
        settings: SnipingSettings,
        account: Account,
        on_event: Listener,
        block_seconds: Decimal | int = 12,
        dry_run: bool = False,
        close_at_end: bool = False,
        books_transfers: bool = False,
        exchanges: Exchanges | None = None,
        opinions: SecondOpinions | None = None,
        others: Sequence[tuple[OrderDesk, Account]] = (),
    ) -> None:
        """`dry_run` judges and buys nothing; `close_at_end` sells everything when the run is over.

        `books_transfers`: coins that came or went from outside since the last run are booked before the first order.
        Off where the ledger is to be held against the chain afterwards, and must explain every coin by itself.
        `exchanges`: all whose new pools are watched, where there are more than `exchange`. `opinions`: strangers who
        are asked about a token. `others`: further accounts that buy and sell beside this one, each with its own desk.
        """
        self._run = Run(
            database=database,
            node=node,
            exchange=exchange,
            desk=desk,
            settings=settings,
            account_id=account.id,
            address=(account.address or "").lower(),
            policy=SafetyPolicy.from_settings(settings, block_seconds=block_seconds),
            lease=RunnerLease(database, account.id),
            listener=on_event,
            dry_run=dry_run,
            exchanges=exchanges,
            side_car=SideCar(exchange.chain_id),
            opinions=opinions,
        )
        self._close_at_end = close_at_end
        self._books_transfers = books_transfers
        self._worked = asyncio.Event()
        beside = [hand_of(_beside(self._run, desk, another), another.name) for desk, another in others]
        self._hands = Hands(
            [hand_of(self._run, account.name), *beside], rotates=settings.spreading == "rotate"
        )
        self._watcher = Watcher(self._run, Entries(self._run, self._hands), self._hands)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises LeaseLost if another runner has or takes the account, WrongChain."""
        run = self._run
        await run.node.check_chain(run.chain_id)
        taken: list[Hand] = []
        reason = "failed"
        try:
            for hand in self._hands:
                hand.run.lease.take()
                hand.run.desk.fence = hand.run.lease
                taken.append(hand)
            await self._settle_the_past()
            reason = await self._work(stop)
        except asyncio.CancelledError:
            reason = "interrupted"
            raise
        finally:
            try:
                for hand in taken:
                    self._note(hand, "runner.stopped", {"reason": reason})
            finally:
                for hand in taken:
                    hand.run.lease.release()
                for closing in (run.side_car, run.opinions):
                    if closing is not None:
                        await closing.close()
            if taken:
                run.tell(RunnerStopped(reason=reason))

    async def _settle_the_past(self) -> None:
        """Before anything else: what became of the orders of a former run, and which positions it left."""
        head = await self._run.node.head()
        self._run.heads.push(head)
        for hand in self._hands:
            await self._take_up(hand, head)

    async def _take_up(self, hand: Hand, head: Head) -> None:
        """One account's past."""
        run = hand.run
        with run.database.read() as session:
            unsettled = len(working_orders(session, run.account_id))
        await run.desk.recover(run.account_id)
        moved = await sync(run.desk, run.account_id) if self._books_transfers else 0
        with run.database.read() as session:
            cash = balance_of(session, run.account_id, run.native)
        if run.leads:
            await warm_up(run)
        hand.book.look(quietly=True)
        told: dict[str, object] = {"account": hand.name, "address": run.address, "block": head.number}
        self._note(hand, "runner.started", told)
        run.tell(
            RunnerStarted(
                account=hand.name,
                address=run.address,
                head=head.number,
                coins=cash,
                same_block=buys_early(run.settings),
            )
        )
        if moved:
            run.tell(CoinsMoved(amount=moved))
        if unsettled or hand.book.holdings:
            run.tell(Recovered(orders=unsettled, positions=len(hand.book.holdings)))

    async def _work(self, stop: asyncio.Event) -> str:
        """Until told to stop, or until the lease is lost."""
        first = await self._first_block()
        stream = chain_stream(self._run.node, from_block=first, standing=self._run.heads.latest)
        self._watcher.resume()
        tasks = [
            asyncio.create_task(work)
            for work in (self._watcher.watch(stream), self._follow_heads(), self._hold_lease())
        ]
        ending = asyncio.create_task(self._end(stop))
        try:
            done, _ = await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return "as asked"
        finally:
            await _end_all([*tasks, ending])

    async def _end(self, stop: asyncio.Event) -> None:
        """Once told to stop: no new purchases, what is under way comes to its end, positions are sold if they shall."""
        await stop.wait()
        self._hands.close()
        await self._watcher.finish(FINISH_SECONDS)
        await self._until(self._is_closed if self._close_at_end else self._is_quiet)

    async def _follow_heads(self) -> None:
        """One round a block, of the newest block; the node failing in a round leaves it to the next."""
        head: Head | None = None
        while True:
            head = await self._run.heads.turn(head)
            await asyncio.gather(*(self._round(hand, head) for hand in self._hands))
            self._worked.set()

    async def _round(self, hand: Hand, head: Head) -> None:
        """One account's work of a block."""
        try:
            await hand.rounds.work(head)
            if hand.run.closing and self._close_at_end:
                await hand.rounds.close_all()
        except LeaseLost:
            raise
        except SniperError as error:
            self._run.tell(RunnerTrouble(problem=f"block {head.number}: {error.message}"))
        except Exception as error:  # noqa: BLE001 - one hostile token must not end the exits of the others
            self._run.tell(RunnerTrouble(problem=f"block {head.number}: {type(error).__name__}: {error}"))

    async def _hold_lease(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for hand in self._hands:
                try:
                    hand.run.lease.renew()
                except LeaseLost:
                    raise
                except StateError as error:  # asked again in a while; the epoch decides, not the time
                    self._run.tell(RunnerTrouble(problem=error.message))

    async def _until(self, is_done: Callable[[], bool]) -> None:
        """Wait, a block at a time, but not for ever: what is left stands in the database."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while not is_done():
                    self._worked.clear()
                    await self._worked.wait()

    def _is_quiet(self) -> bool:
        """Nothing of ours waits to be mined."""
        with self._run.database.read() as session:
            return not any(working_orders(session, hand.run.account_id) for hand in self._hands)

    def _is_closed(self) -> bool:
        return self._is_quiet() and not any(hand.rounds.has_something_to_sell for hand in self._hands)

    async def _first_block(self) -> int:
        """Where to begin to read: shortly before the last block seen, if it is still part of this chain."""
        run = self._run
        head = run.heads.latest or await run.node.head()
        with run.database.read() as session:
            place = session.get(ChainCursor, (run.chain_id, CURSOR))
            known = None if place is None else (place.block_number, place.block_hash)
        if known is None or known[0] > head.number:
            return head.number + 1
        with suppress(NetworkError):
            if (await run.node.block(known[0])).hash != known[1]:
                return max(0, known[0] - run.settings.recheck_blocks)
        return max(0, known[0] - OVERLAP_BLOCKS) + 1

    @staticmethod
    def _note(hand: Hand, kind: str, data: dict[str, object]) -> None:
        run = hand.run
        run.database.transact(
            lambda session: journal.append(session, kind, run.account_id, data, actor=ACTOR)
        )


def _beside(run: Run, desk: OrderDesk, account: Account) -> Run:
    """The same run for another account: what was seen of the chain is shared, what is the account's own is not."""
    return replace(
        run,
        desk=desk,
        account_id=account.id,
        address=(account.address or "").lower(),
        lease=RunnerLease(run.database, account.id),
        leads=False,
    )


async def _end_all(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel, and again until it took: on Python 3.11 a cancellation that meets a connection just made is lost."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
