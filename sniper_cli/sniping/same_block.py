"""Bought in the block of the listing itself: what waits in the mempool is judged as though it were mined.

A waiting transaction that brings a pool its first liquidity, or calls a token that was judged not to be open, is put
before everything that the simulations try. What passes is bought with a bid one wei below that transaction's, so that
builders put it right behind. Mined before it all the same, the purchase reverts, since there is nothing to be had, and
costs its gas. Judged and bought is the launch's one row: its log, once mined, completes it and begins nothing anew.

What waits may never be mined, or another in its place. So each purchase is watched until its fate is known: where the
transaction that it follows is gone, another under the same nonce, or still waiting two blocks later, nothing is sent
under the purchase's own nonce.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.pools.keys import takes_of_swaps
from sniper_cli.pools.states import price_of, questions_of, reserves_of
from sniper_cli.safety.simulation import next_base_fee
from sniper_cli.sniping import launches
from sniper_cli.sniping.announcements import Announcement, Waiting, announced, may_open, read_announcement
from sniper_cli.sniping.entries import MAY_OPEN, Judged
from sniper_cli.sniping.events import LaunchAnnounced, LaunchWithdrawn, RunnerTrouble
from sniper_cli.sniping.followed import Following, buys_early, mined_listing, proves_nothing
from sniper_cli.sniping.listings import Listing
from sniper_cli.sniping.purchases import buy_client_id
from sniper_cli.sniping.run import ACTOR
from sniper_cli.trading.intents import Behind
from sniper_cli.venues.evm.remedies import BEHIND_BLOCKS
from state.launches import Decision, Launch, Verdict, find_launch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sniper_cli.books.holdings import AnyOrder
    from sniper_cli.chains.node import Head
    from sniper_cli.safety.simulation import Call
    from sniper_cli.sniping.entries import Entries
    from sniper_cli.sniping.hands import Hands
    from sniper_cli.sniping.run import Run

AT_ONCE = 8
"""Judgements under way together; of more the logs are waited for: anybody can announce a thousand tokens."""
TRIES = 3
"""How often it is judged anew because a block came meanwhile."""


class SameBlock:
    """Judges and buys on top of what waits."""

    def __init__(
        self, run: Run, entries: Entries, hands: Hands, on_listed: Callable[[Listing], None]
    ) -> None:
        """`on_listed` is told of a pool's block by whoever knows it first: its log, or its transaction's receipt."""
        self._run = run
        self._on_listed = on_listed
        self._hands = hands
        self._entries = entries
        self._exchanges = run.watched
        self._waiting = Waiting()
        self._following: dict[UUID, Following] = {}
        self._by_hash: dict[str, UUID] = {}
        self._at_work: dict[UUID, asyncio.Event] = {}
        self._pools: set[str] = set()
        """Pools whose announcement is being looked into."""

    @property
    def is_on(self) -> bool:
        return buys_early(self._run.settings)

    def resume(self) -> None:
        """Take up what a former run was following: its purchases must not wait on behind nothing."""
        run = self._run
        head = run.heads.latest
        with run.database.read() as session:
            left = launches.announced(session, run.chain_id)
            session.expunge_all()
            run.closed.update(launches.closed(session, run.chain_id))
        for launch in left:
            following = Following(launch, None, launch.tx_hash, 0 if head is None else head.number)
            following.orders = self._left(launch)
            self._keep(following)

    # -- what is heard --------------------------------------------------------------------------------------------

    def see(self, transaction: dict[str, Any], received_at: int) -> list[Coroutine[Any, Any, None]]:
        """What a waiting transaction calls for."""
        if not self.is_on or self._run.closing:
            return []
        work: list[Coroutine[Any, Any, None]] = []
        ousted = self._waiting.note(transaction)
        announcement = read_announcement(transaction, self._exchanges, received_at)
        if announcement is not None:
            listing = announcement.listing
            announcement = announcement if self._trades_in(listing.factory, listing.hooks) else None
        if ousted is not None and (launch_id := self._by_hash.get(ousted)) is not None:
            following = self._following[launch_id]
            known = following.announcement
            if known is not None and announcement is not None and announcement.asks_as(known):
                self._rename(following, announcement)  # the same at another price: ours stays behind it
                return []
            work.append(self._withdraw(following, "another transaction took its place"))
        if announcement is not None:
            work.append(self._follow_listing(announcement))
        else:
            launch_id = self._run.closed.get(str(transaction.get("to") or "").lower())
            if launch_id is not None and may_open(transaction):
                work.append(self._follow_opening(launch_id, transaction, received_at))
        return work

    def _trades_in(self, factory: str, hooks: str | None) -> bool:
        return factory in self._exchanges.traded and not takes_of_swaps(hooks)

    def listed(self, launch: Launch) -> None:
        """A log told of the pool: what it was announced by is mined."""
        following = self._following.get(launch.id)
        if following is not None:
            following.listed, following.launch = True, launch

    async def settled(self, launch: Launch) -> bool:
        """Wait until no judgement out of the mempool is under way; whether the launch is still to be followed."""
        at_work = self._at_work.get(launch.id)
        if at_work is not None:
            await at_work.wait()
        return launch.id not in self._run.taken

    def needs_heads(self) -> bool:
        """Whether there is anything to look at when a block comes."""
        return bool(self._following)

    async def look(self, head: Head) -> None:
        """A block came: what became of everything that is followed."""
        for following in list(self._following.values()):
            await self._look_at(following, head)

    # -- what is announced ----------------------------------------------------------------------------------------

    async def _follow_listing(self, announcement: Announcement) -> None:
        """Judge a pool's first liquidity before it is mined, and buy right behind it."""
        run, listing = self._run, announcement.listing
        head = run.heads.latest
        if head is None or listing.pool in self._pools or len(self._pools) >= AT_ONCE:
            return
        self._pools.add(listing.pool)
        try:
            before, is_new = await asyncio.gather(
                self._before(announcement, head), self._is_new(announcement, head)
            )
            if before is None or not is_new:
                return
            launch = run.database.transact(
                lambda session: launches.record_announced(
                    session, run.chain_id, listing, head.number + 1, deployer=announcement.sender, actor=ACTOR
                )
            )
            if launch.decision is not Decision.WAITING or launch.id in self._following:
                return
            self._tell(launch, announcement)
            await self._work_on(launch, announcement, head, before)
        finally:
            self._pools.discard(listing.pool)

    async def _follow_opening(self, launch_id: UUID, transaction: dict[str, Any], received_at: int) -> None:
        """Judge a call to a closed token as though it were mined: does it open it?"""
        run = self._run
        head = run.heads.latest
        if head is None or launch_id in self._following or launch_id in self._at_work:
            return
        with run.database.read() as session:
            launch = session.get_one(Launch, launch_id)
            session.expunge_all()
        if not launches.is_closed(launch) or not self._trades_in(launch.factory, launch.hooks):
            run.closed.pop(launch.token, None)
            return
        announcement = announced(transaction, run.place_of(launch), received_at)
        before = await self._before(announcement, head)
        if before is not None:
            await self._work_on(launch, announcement, head, before)

    async def _before(self, announcement: Announcement, head: Head) -> tuple[Call, ...] | None:
        """The sender's transactions up to the one that counts; None where it cannot be in the next block."""
        if announcement.fees.max_fee < next_base_fee(head):
            return None
        count = await self._run.node.call("eth_getTransactionCount", [announcement.sender, "latest"])
        return self._waiting.run_up(announcement.sender, int(count, 16), announcement.nonce)

    async def _is_new(self, announcement: Announcement, head: Head) -> bool:
        """Whether the token stands and its pool has never been filled: liquidity added to a known pool lists nothing.

        A concentrated pool that has a price may have liquidity anywhere: only one that we wait for is listed by it.
        """
        run, place = self._run, announcement.place
        at = hex(head.number)
        code, *answers = await run.node.batch(
            [("eth_getCode", [place.token, at]), *questions_of(place, at)], return_errors=True
        )
        if not isinstance(code, str) or code in ("0x", "0x0"):
            return False
        if place.protocol is Protocol.V2:
            return reserves_of(place, answers[0]) is None
        if price_of(place, answers) is None:
            return True
        with run.database.read() as session:
            known = find_launch(session, run.chain_id, place.id)
            return known is not None and known.decision is Decision.WAITING

    async def _work_on(
        self, launch: Launch, announcement: Announcement, head: Head, before: tuple[Call, ...]
    ) -> None:
        run = self._run
        following = Following(launch, announcement, announcement.tx_hash, head.number)
        self._keep(following)
        done = self._at_work[launch.id] = asyncio.Event()
        run.heads.heat(launch.id)
        try:
            await self._judge_and_buy(following, announcement, head, before)
        except NetworkError as error:
            run.tell(RunnerTrouble(problem=f"{launch.token} could not be judged early: {error.message}"))
        finally:
            run.heads.cool(launch.id)
            del self._at_work[launch.id]
            done.set()
            if not following.orders and not launches.is_announced(launch):
                self._drop(following)  # it stands by its log, and is followed by it

    async def _judge_and_buy(
        self, following: Following, announcement: Announcement, head: Head, before: tuple[Call, ...] | None
    ) -> None:
        """Judge on top of it, anew where a block came meanwhile, and act. Raises NetworkError."""
        run, launch = self._run, following.launch
        received_at = announcement.listing.received_at
        for _ in range(TRIES):
            if before is None or following.is_over:
                return
            report = await run.judge(run.place_of(launch), head, deployer=announcement.sender, prelude=before)
            if proves_nothing(report) or following.is_over:
                return
            latest = run.heads.latest or head
            if latest.hash == head.hash and head.hash not in run.lost_blocks:
                await self._act(following, announcement, Judged(report, received_at))
                return
            head, before = latest, await self._before(announcement, latest)

    async def _act(self, following: Following, announcement: Announcement, judged: Judged) -> None:
        """Write the verdict down and buy what passed. What may still open waits for its block."""
        run, launch, report = self._run, following.launch, judged.report
        opening = not launches.is_announced(launch)
        if report.classification in MAY_OPEN or (opening and report.verdict is not Verdict.SAFE):
            return  # whoever calls a closed token may not have it refused for what only he would do
        self._entries.record(launch, judged)
        if report.verdict is Verdict.NOT_PROVEN:
            return  # more can be known once it is mined: it is judged again by its log
        if not self._entries.may_buy(launch, report):
            return
        run.taken.add(launch.id)
        behind = Behind(
            announcement.tx_hash,
            announcement.fees.max_fee,
            announcement.fees.priority_fee,
            report.expected_quantity or 0,
        )
        following.orders = await self._entries.buy_behind(launch, judged, behind)
        if not following.orders:
            run.taken.discard(launch.id)
        if following.withdrawn:  # while it was being placed
            await self._take_back(following)

    # -- what becomes of it ---------------------------------------------------------------------------------------

    async def _look_at(self, following: Following, head: Head) -> None:
        """Whether what is followed was mined, still waits, or will never come."""
        run = self._run
        try:
            receipt, waiting = await run.node.batch(
                [
                    ("eth_getTransactionReceipt", [following.tx_hash]),
                    ("eth_getTransactionByHash", [following.tx_hash]),
                ]
            )
        except NetworkError:
            return  # looked at again at the next block
        if receipt is not None:
            if receipt["status"] != "0x1":
                await self._withdraw(following, "it was mined and failed")
            else:
                # A pool that was made before has told of itself long ago: its filling has no log that is listened for.
                if launches.is_announced(following.launch):
                    self._on_listed(mined_listing(following.launch, receipt))
                await self._hurry(following, head, int(receipt["blockNumber"], 16))
        elif head.number - following.since >= BEHIND_BLOCKS:
            why = "it still waits" if waiting is not None else "it is gone"
            await self._withdraw(following, f"{why} after {head.number - following.since} blocks")

    async def _hurry(self, following: Following, head: Head, mined: int) -> None:
        """What it follows is mined. A purchase that is not in that block is an ordinary one now, and is hastened."""
        if not following.orders:
            self._drop(following)
            return
        if head.number <= mined:
            return  # the block's own round finds out about the purchase
        self._drop(following)
        for run, order in following.orders:
            if run.desk.order(order.id).is_working:
                try:
                    await run.desk.hasten(order.id)
                except (NetworkError, OrderRefused) as error:
                    run.tell(RunnerTrouble(problem=f"{following.launch.token}: {error.message}"))

    async def _withdraw(self, following: Following, reason: str) -> None:
        """It will not come as it was announced: nothing under the purchase's nonce, and the launch stands open."""
        run, launch = self._run, following.launch
        if launch.id not in self._following:
            return
        self._drop(following)
        following.withdrawn = reason
        run.database.transact(
            lambda session: launches.record_withdrawn(session, launch.id, reason, actor=ACTOR)
        )
        await self._take_back(following)
        run.tell(
            LaunchWithdrawn(launch_id=launch.id, token=launch.token, tx_hash=following.tx_hash, reason=reason)
        )

    async def _take_back(self, following: Following) -> None:
        """End the purchases that may still be mined."""
        why = f"what it follows was withdrawn: {following.withdrawn}"
        for run, order in following.orders:
            if not run.desk.order(order.id).is_working:
                continue
            try:
                await run.desk.cancel(order.id, why)
            except (
                NetworkError,
                OrderRefused,
            ) as error:  # mined meanwhile, or past the cap: the desk finds out
                run.tell(RunnerTrouble(problem=f"{following.launch.token}: {error.message}"))

    # -- the book of it -------------------------------------------------------------------------------------------

    def _keep(self, following: Following) -> None:
        self._following[following.launch.id] = following
        self._by_hash[following.tx_hash] = following.launch.id

    def _left(self, launch: Launch) -> list[tuple[Run, AnyOrder]]:
        """The purchases that a former run placed behind an announcement."""
        found = [
            (hand.run, hand.run.desk.find_order(hand.run.account_id, buy_client_id(launch.id)))
            for hand in self._hands
        ]
        return [(run, order) for run, order in found if order is not None]

    def _drop(self, following: Following) -> None:
        self._following.pop(following.launch.id, None)
        self._by_hash.pop(following.tx_hash, None)

    def _rename(self, following: Following, announcement: Announcement) -> None:
        """The sender raised his bid: the same call under another hash."""
        run = self._run
        self._by_hash.pop(following.tx_hash, None)
        following.announcement, following.tx_hash = announcement, announcement.tx_hash
        self._by_hash[following.tx_hash] = following.launch.id
        if launches.is_announced(following.launch):
            run.database.transact(
                lambda session: launches.record_announced(
                    session,
                    run.chain_id,
                    announcement.listing,
                    following.launch.block_number,
                    deployer=announcement.sender,
                    actor=ACTOR,
                )
            )

    def _tell(self, launch: Launch, announcement: Announcement) -> None:
        self._run.tell(
            LaunchAnnounced(
                launch_id=launch.id,
                token=launch.token,
                pool=launch.pool,
                tx_hash=announcement.tx_hash,
                max_fee=announcement.fees.max_fee,
            )
        )
