"""Reads the stream of the chain and starts what each message calls for; never waits for any of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from time import monotonic_ns
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.stream import (
    Connected,
    Disconnected,
    Event,
    LogSeen,
    NewHead,
    PendingSeen,
    Reorganised,
)
from sniper_cli.errors import SniperError
from sniper_cli.pools.keys import takes_of_swaps
from sniper_cli.sniping import launches
from sniper_cli.sniping.entries import Entries
from sniper_cli.sniping.events import (
    ConnectionBack,
    ConnectionLost,
    LaunchSeen,
    LaunchVanished,
    RunnerTrouble,
)
from sniper_cli.sniping.hands import Hands
from sniper_cli.sniping.listings import Listing, read_listing, read_removal, topics_of
from sniper_cli.sniping.purchases import buy_client_id
from sniper_cli.sniping.run import ACTOR, Run
from sniper_cli.sniping.same_block import SameBlock
from sniper_cli.sniping.withdrawals import read_withdrawals
from state.launches import Decision, Launch

if TYPE_CHECKING:
    from sniper_cli.chains.stream import ChainStream
    from sniper_cli.endpoints.streams import MergedStream

BLIND = "no node shows waiting transactions with their bodies: nothing is bought in its listing's own block"
TOO_OLD = "too old: listed while nobody was watching"


class Watcher:
    """Turns the stream's messages into tasks: a launch to follow, a sale that cannot wait."""

    def __init__(self, run: Run, entries: Entries, hands: Hands) -> None:
        self._run = run
        self._entries = entries
        self._hands = hands
        self._exchanges = run.exchanges or Exchanges((run.exchange,))
        self._same_block = SameBlock(run, entries, hands, self._listed)
        self._following: set[tuple[UUID, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost = False
        self._blind = False
        """It was told that no node shows what waits."""

    async def watch(self, stream: ChainStream | MergedStream) -> None:
        """Follow the stream until cancelled. It reconnects by itself, for ever."""
        exchanges = self._exchanges
        async for message in stream.events(factory=exchanges.factories, topics=topics_of(exchanges)):
            self._heed(message)
            if stream.sees_pending is False and self._same_block.is_on and not self._blind:
                self._blind = True
                self._run.tell(RunnerTrouble(problem=BLIND))

    def _heed(self, message: Event) -> None:
        match message:
            case NewHead(head=head):
                self._run.lost_blocks.discard(head.hash)  # a branch may win again
                self._run.heads.push(head)
                if self._same_block.needs_heads():
                    self._start(self._same_block.look(head), "what waits in the mempool")
            case LogSeen(log=log, received_at=received_at):
                self._listed(read_listing(log, self._exchanges, received_at))
            case PendingSeen(tx=transaction, received_at=received_at):
                for work in self._same_block.see(transaction, received_at):
                    self._start(work, "a waiting transaction")
                removal = read_removal(transaction, self._exchanges)
                if removal is not None:
                    self._start(self._hands.flee(removal), "a sale ahead of a removal of liquidity")
                elif withdrawals := read_withdrawals(transaction, self._exchanges):
                    work = self._hands.flee_withdrawals(withdrawals)
                    self._start(work, "a sale ahead of a withdrawal of liquidity")
            case Disconnected(reason=reason):
                self._lost = True
                self._run.tell(ConnectionLost(reason=reason))
            case Connected() if self._lost:
                self._lost = False
                self._run.tell(ConnectionBack())
            case Reorganised():
                self._take_back(message)

    def resume(self) -> None:
        """Take up the launches that a former run saw and did not decide, and what it was following in the mempool."""
        self._same_block.resume()
        with self._run.database.read() as session:
            left = launches.undecided(session, self._run.chain_id)
            session.expunge_all()
        for launch in left:
            self._take_up(launch, monotonic_ns())

    async def finish(self, seconds: float) -> None:
        """Let what is under way end; what has not by then is cancelled. Its orders stand recorded."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _take_back(self, message: Reorganised) -> None:
        """Blocks went: the launches of theirs are not bought, judgements made on them are made anew."""
        run, number = self._run, message.from_number
        run.lost_blocks.update(message.vanished)
        gone, to_judge = run.database.transact(
            lambda session: launches.record_vanished(
                session, run.chain_id, number, message.vanished, actor=ACTOR
            )
        )
        run.tell(RunnerTrouble(problem=f"the chain was reorganised from block {number} on"))
        for launch in gone:
            run.vanished.add((launch.id, launch.block_hash))
            self._following.discard((launch.id, launch.block_hash))
            run.tell(
                LaunchVanished(
                    launch_id=launch.id,
                    token=launch.token,
                    pool=launch.pool,
                    block_number=launch.block_number,
                )
            )
        for launch in to_judge:
            self._following.discard((launch.id, launch.block_hash))
            self._take_up(launch, monotonic_ns())

    def _listed(self, listing: Listing | None) -> None:
        """Record a new pool and follow it; one seen before is left alone, unless its block had vanished."""
        if listing is None or self._run.closing:
            return
        launch, is_new = self._run.database.transact(
            lambda session: launches.record_seen(session, self._run.chain_id, listing, actor=ACTOR)
        )
        self._same_block.listed(launch)
        if is_new:
            self._run.vanished.discard((launch.id, launch.block_hash))
            self._run.tell(
                LaunchSeen(
                    launch_id=launch.id,
                    token=launch.token,
                    pool=launch.pool,
                    block_number=launch.block_number,
                )
            )
            self._take_up(launch, listing.received_at)

    def _take_up(self, launch: Launch, received_at: int) -> None:
        """Follow an undecided launch, unless its time has passed or its purchase is recorded already."""
        place = (launch.id, launch.block_hash)
        if place in self._following or launch.decision is not Decision.WAITING:
            return
        self._following.add(place)
        head = self._run.heads.latest
        age = 0 if head is None else head.number - launch.block_number
        if self._bought_before(launch):
            return
        if launch.factory not in self._exchanges.traded or takes_of_swaps(launch.hooks):
            self._entries.skip(launch, self._watched_only(launch))
        elif age > self._run.settings.recheck_blocks:
            self._entries.skip(launch, TOO_OLD)
        else:
            self._start(self._follow(launch, received_at), f"launch {launch.token}")

    async def _follow(self, launch: Launch, received_at: int) -> None:
        """Unless it is being judged out of the mempool already, and bought there."""
        if await self._same_block.settled(launch):
            await self._entries.follow(launch, received_at)

    def _watched_only(self, launch: Launch) -> str:
        """What is listed where the desk knows no router, or could not tell what a trade moved, is not bought."""
        if takes_of_swaps(launch.hooks):
            return f"the pool's hooks {launch.hooks} take of what is swapped: what a trade moved could not be told"
        exchange = self._exchanges.by_factory(launch.factory)
        name = launch.protocol if exchange is None else f"{exchange.name} ({launch.protocol})"
        return f"pools of {name} are watched, not bought"

    def _bought_before(self, launch: Launch) -> bool:
        """A run that was killed between the purchase and its decision: the order says what was decided."""

        def settle(session: Session) -> bool:
            order = self._hands.bought(session, buy_client_id(launch.id))
            if order is None:
                return False
            reason = "bought by the run before this one"
            launches.record_decision(
                session, launch.id, Decision.BOUGHT, reason, actor=ACTOR, order_id=order.id
            )
            return True

        return self._run.database.transact(settle)

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> None:
        task = asyncio.create_task(self._guarded(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """One launch that fails must not end the exits of all the others."""
        try:
            await work
        except SniperError as error:
            self._run.tell(RunnerTrouble(problem=f"{what}: {error.message}"))
        except Exception as error:  # noqa: BLE001 - a stranger's contract may break anything; it is told, and the rest goes on
            self._run.tell(RunnerTrouble(problem=f"{what}: {type(error).__name__}: {error}"))
