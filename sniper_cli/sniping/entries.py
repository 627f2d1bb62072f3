"""From a launch to a purchase or a refusal: judge, decide, buy; each step recorded before the next.

A launch whose pool is empty or whose trading is closed waits: it is judged again at every block until it
opens or is too old. Several launches are followed at once and share the limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic_ns
from typing import TYPE_CHECKING
from uuid import UUID

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import NetworkError
from sniper_cli.safety.report import Classification, SafetyReport
from sniper_cli.sniping import launches
from sniper_cli.sniping.events import (
    BuySent,
    LaunchDecided,
    LaunchJudged,
    LaunchWaiting,
    RunnerTrouble,
    TrialDone,
    TrialSent,
)
from sniper_cli.sniping.hands import Hand, Hands
from sniper_cli.sniping.purchases import behind_intent, buy_client_id, buy_intent, trial_of
from sniper_cli.sniping.run import ACTOR, Run
from sniper_cli.sniping.sales import FAILED
from sniper_cli.sniping.stakes import Stake, purse_of, stake_of
from sniper_cli.sniping.trial import try_out
from sniper_cli.trading.intents import Behind
from sniper_cli.venues.evm.instruments import ensure_instrument
from state.accounts import Account
from state.launches import Decision, Launch, Verdict
from state.orders import OrderState

if TYPE_CHECKING:
    from sqlmodel import Session

    from sniper_cli.chains.node import Head

MAY_OPEN = frozenset({Classification.NOT_OPEN, Classification.NO_LIQUIDITY})
"""What a launch is judged again for: it may be bought some blocks later."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and when the event that it answers had arrived."""

    report: SafetyReport
    received_at: int


class Entries:
    """Follows launches to their decision."""

    def __init__(self, run: Run, hands: Hands) -> None:
        self._run = run
        self._hands = hands

    async def follow(self, launch: Launch, received_at: int) -> None:
        """Judge a launch, again at later blocks if it is not open yet, and act on the verdict."""
        self._run.heads.heat(launch.id)
        try:
            await self._follow(launch, received_at)
        finally:
            self._run.heads.cool(launch.id)

    async def _follow(self, launch: Launch, received_at: int) -> None:
        judged = await self._until_judged(launch, received_at)
        while judged is not None and not self._is_gone(launch):
            if judged.report.block_hash in self._run.lost_blocks:
                judged = await self._judged_anew(launch)
                continue
            if not self.may_buy(launch, judged.report) or await self._buy(launch, judged):
                return
            # The node failed before anything was recorded: what was judged is old by the next block.
            judged = await self._judged_anew(launch)
        if judged is None and not self._is_gone(launch):
            self._decide(launch, Decision.SKIPPED, "could not be judged and ordered before it was too old")

    async def _judged_anew(self, launch: Launch) -> Judged | None:
        """A verdict on the next block that stands, while there is time."""
        head = await self._next_head(launch, self._run.heads.latest)
        return await self._until_judged(launch, monotonic_ns()) if self._in_time(launch, head) else None

    async def _next_head(self, launch: Launch, known: Head | None) -> Head:
        """Wait for a block; meanwhile the launch is in no hurry."""
        heads = self._run.heads
        heads.cool(launch.id)
        head = await heads.after(known)
        heads.heat(launch.id)
        return head

    def may_buy(self, launch: Launch, report: SafetyReport) -> bool:
        """Refuse what is not proven safe, skip what this run may not buy."""
        if report.verdict is not Verdict.SAFE:
            reasons = "; ".join(report.reasons) or report.verdict.value.replace("_", " ")
            self._decide(launch, Decision.REFUSED, reasons, report.symbol)
        elif (obstacle := self._obstacle(launch, report)) is not None:
            self._decide(launch, Decision.SKIPPED, obstacle, report.symbol)
        else:
            return True
        return False

    def _is_gone(self, launch: Launch) -> bool:
        """Whether its block was reorganised away since (mined again, it is followed anew), or it is bought already."""
        run = self._run
        return (launch.id, launch.block_hash) in run.vanished or launch.id in run.taken

    def _in_time(self, launch: Launch, head: Head) -> bool:
        return (
            not self._run.closing
            and not self._is_gone(launch)
            and head.number - launch.block_number <= self._run.settings.recheck_blocks
        )

    def skip(self, launch: Launch, reason: str) -> None:
        """Record a launch that is not even judged."""
        self._decide(launch, Decision.SKIPPED, reason)

    async def _until_judged(self, launch: Launch, received_at: int) -> Judged | None:
        """The verdict that counts: the first one, or for a launch that may still open, the last one in its time."""
        judged: Judged | None = None
        head = self._run.heads.latest
        while True:
            report = await self._judge(launch)
            if report is not None:
                announced = judged is not None and judged.report.classification is report.classification
                judged = Judged(report, received_at)
                if not announced:
                    self.record(launch, judged)
                if report.classification not in MAY_OPEN:
                    return judged
            head = await self._next_head(launch, head)
            received_at = monotonic_ns()
            if not self._in_time(launch, head):
                return judged

    async def _judge(self, launch: Launch) -> SafetyReport | None:
        run = self._run
        try:
            head = run.heads.latest
            # The log may have come before its block's head: then the node is asked for it.
            known = head if head is not None and head.number >= launch.block_number else None
            return await run.judge(run.place_of(launch), known, deployer=launch.deployer)
        except NetworkError as error:
            run.tell(
                RunnerTrouble(
                    problem=f"{launch.token} could not be judged, once more at the next block: {error.message}"
                )
            )
            return None

    def record(self, launch: Launch, judged: Judged) -> None:
        report = judged.report
        if report.classification is Classification.NOT_OPEN:
            self._run.closed[launch.token] = launch.id
        latency = (monotonic_ns() - judged.received_at) // 1000
        self._run.database.transact(lambda session: self._write_down(session, launch, report, latency))
        self._run.tell(
            LaunchJudged(
                launch_id=launch.id,
                token=launch.token,
                symbol=launches.clean(report.symbol),
                verdict=report.verdict.value,
                classification=report.classification.value,
                reasons=report.reasons,
                latency_us=latency,
            )
        )
        if report.classification in MAY_OPEN:
            reason = (
                "judged again at every block"
                + f" until block {launch.block_number + self._run.settings.recheck_blocks}"
            )
            self._run.tell(
                LaunchWaiting(
                    launch_id=launch.id,
                    token=launch.token,
                    symbol=launches.clean(report.symbol),
                    reason=reason,
                )
            )

    def _write_down(self, session: Session, launch: Launch, report: SafetyReport, latency: int) -> None:
        """The verdict; and for a token that may be bought now, the instrument that its order will name."""
        launches.record_verdict(session, launch.id, report, latency, actor=ACTOR)
        if report.verdict is Verdict.SAFE:
            ensure_instrument(
                session,
                self._run.place_of(launch),
                symbol=launches.clean(report.symbol),
                name=launches.clean(report.name),
                decimals=report.decimals,
            )

    def _obstacle(self, launch: Launch, report: SafetyReport) -> str | None:
        """Why a safe launch is not even ordered. Limits, funds and the kill switch are the desk's to check."""
        run = self._run
        if run.dry_run:
            told = [self._stake(hand, report).words for hand in self._hands.chosen_in_a_rehearsal()]
            return f"dry run: nothing is bought; it would be {' and '.join(told)}"
        if run.closing:
            return "the sniper is stopping"
        if not run.lease.alive:
            return "another sniper took over this account"
        return self._claim(launch)

    def _claim(self, launch: Launch) -> str | None:
        """Take a token for this launch; why not, where it is bought, or being bought, in another pool of it."""
        run = self._run
        if run.claims.setdefault(launch.token, launch.id) != launch.id:
            return "its token was taken up in another pool"
        with run.database.read() as session:
            other = launches.bought_elsewhere(session, launch)
        return None if other is None else f"its token was bought in another pool, {other}"

    async def _buy(self, launch: Launch, judged: Judged) -> bool:
        """Place the purchases; False if the node failed before anything was recorded."""
        run, stakes = self._run, self._stakes(launch, judged.report)
        able = list(stakes)
        if not able:
            return True
        try:
            if run.settings.trial_amount and not await self._tried(able[0], launch, judged.report):
                return True
        except NetworkError as error:
            run.tell(RunnerTrouble(problem=f"{launch.token} could not be tried: {error.message}"))
            return False
        tried = int(run.settings.trial_amount.scaleb(18))
        placed = await asyncio.gather(
            *(
                self._place(hand, launch, judged, stakes[hand], tried if hand is able[0] else 0)
                for hand in able
            )
        )
        ordered = [(hand, order) for hand, order in zip(able, placed, strict=True) if order is not None]
        if ordered:
            self._ordered(launch, ordered, judged)
        return bool(ordered)

    async def buy_behind(self, launch: Launch, judged: Judged, behind: Behind) -> list[tuple[Run, AnyOrder]]:
        """Each account's purchase right behind a waiting transaction, and whose it is; empty where none was placed."""
        stakes = self._stakes(launch, judged.report)
        placed = await asyncio.gather(
            *(self._place_behind(hand, launch, judged, stake, behind) for hand, stake in stakes.items())
        )
        ordered = [(hand, order) for hand, order in zip(stakes, placed, strict=True) if order is not None]
        if ordered:
            self._ordered(launch, ordered, judged)
        return [(hand.run, order) for hand, order in ordered]

    def _stakes(self, launch: Launch, report: SafetyReport) -> dict[Hand, Stake]:
        """Who buys a launch for how much; where nobody can, that is decided and written down."""
        stakes = {hand: self._stake(hand, report) for hand in self._hands.chosen(launch.id)}
        able = {hand: stake for hand, stake in stakes.items() if stake.refusal is None}
        if not able:
            refusals = {stake.refusal for stake in stakes.values()} or {"another sniper took over"}
            self._decide(launch, Decision.SKIPPED, "; ".join(map(str, refusals)), report.symbol)
        return able

    async def _place_behind(
        self, hand: Hand, launch: Launch, judged: Judged, stake: Stake, behind: Behind
    ) -> AnyOrder | None:
        """One account's purchase behind a waiting transaction; None if the node failed before it was recorded."""
        try:
            return await hand.run.submit(behind_intent(hand.run, launch, judged.report, stake, behind))
        except NetworkError as error:
            self._run.tell(
                RunnerTrouble(problem=f"{launch.token} could not be ordered early: {error.message}")
            )
            return None

    async def _place(
        self, hand: Hand, launch: Launch, judged: Judged, stake: Stake, spent: int
    ) -> AnyOrder | None:
        """One account's purchase; None if the node failed before it was recorded."""
        if len(self._hands) > 1:  # a run that was killed may have left others to buy, not this one
            known = hand.run.desk.find_order(hand.run.account_id, buy_client_id(launch.id))
            if known is not None:
                return known
        try:
            return await hand.run.submit(buy_intent(hand.run, launch, judged.report, stake, spent))
        except NetworkError as error:
            self._run.tell(RunnerTrouble(problem=f"{launch.token} could not be ordered: {error.message}"))
            return None

    def _stake(self, hand: Hand, report: SafetyReport) -> Stake:
        """How much an account buys the launch for; what is fixed asks no ledger."""
        run, purse = hand.run, None
        if run.settings.sizing != "fixed":
            with run.database.read() as session:
                purse = purse_of(session, session.get_one(Account, run.account_id))
        return stake_of(run.settings, purse, report.liquidity, parts=self._hands.parts)

    async def _tried(self, hand: Hand, launch: Launch, report: SafetyReport) -> bool:
        """Whether a trial of the token came to a good end, and nothing changed meanwhile. Raises NetworkError."""
        run, symbol = hand.run, launches.clean(report.symbol)

        def tell(order: AnyOrder) -> None:
            run.tell(
                TrialSent(
                    launch_id=launch.id,
                    order_id=order.id,
                    token=launch.token,
                    symbol=symbol,
                    side=order.side.value,
                    tx_hash=order.venue_reference or "",
                )
            )

        head = seen = run.heads.latest

        async def look() -> None:
            nonlocal seen
            seen = await self._next_head(launch, seen)
            await run.desk.refresh(run.account_id)

        tried = await try_out(run.desk, trial_of(run, launch), look, tell)
        run.tell(
            TrialDone(
                launch_id=launch.id,
                token=launch.token,
                symbol=symbol,
                passed=tried.passed,
                reason=tried.words,
                spent=tried.spent,
                received=tried.received,
            )
        )
        if not tried.passed:
            self._decide(launch, Decision.REFUSED, tried.words, symbol)
            run.database.transact(lambda session: launches.add_reason(session, launch.id, tried.words))
            return False
        return seen is head or await self._passes_still(launch)

    async def _passes_still(self, launch: Launch) -> bool:
        """Blocks have passed with the trial: what was judged before them is judged once more. Raises NetworkError."""
        received_at = monotonic_ns()
        report = await self._judge(launch)
        if report is None:
            raise NetworkError("it could not be judged again after its trial", hint="sniper endpoints check")
        if report.verdict is not Verdict.SAFE:
            self.record(launch, Judged(report, received_at))
        return not self._is_gone(launch) and self.may_buy(launch, report)

    def _ordered(self, launch: Launch, ordered: Sequence[tuple[Hand, AnyOrder]], judged: Judged) -> None:
        symbol = launches.clean(judged.report.symbol)
        going = [(hand, order) for hand, order in ordered if order.state not in FAILED]
        if not going:
            reasons = dict.fromkeys(order.explanation or order.state.value for _, order in ordered)
            self._decide(launch, Decision.SKIPPED, "; ".join(reasons), symbol, order_id=ordered[0][1].id)
            return
        self._mark_bought(launch, going[0][1])
        for hand, order in going:
            self._sent(hand, launch, order, symbol, judged)
        for hand, order in ordered:
            if order.state in FAILED:
                problem = f"{hand.name} does not buy {symbol}: {order.explanation or order.state.value}"
                self._run.tell(RunnerTrouble(problem=problem))

    def _sent(self, hand: Hand, launch: Launch, order: AnyOrder, symbol: str, judged: Judged) -> None:
        hand.book.expect(order.id, launch.token, symbol)
        self._run.tell(
            BuySent(
                launch_id=launch.id,
                order_id=order.id,
                token=launch.token,
                symbol=symbol,
                amount=order.budget or self._run.amount,
                tx_hash=order.venue_reference or "",
                latency_us=(monotonic_ns() - judged.received_at) // 1000,
                account=hand.name if len(self._hands) > 1 else "",
            )
        )
        if order.state is OrderState.RECORDED:
            self._run.tell(RunnerTrouble(problem=f"the purchase of {symbol} is {order.explanation}"))

    def _mark_bought(self, launch: Launch, order: AnyOrder) -> None:
        reason = "the token passed every check"
        self._run.database.transact(
            lambda session: launches.record_decision(
                session, launch.id, Decision.BOUGHT, reason, actor=ACTOR, order_id=order.id
            )
        )

    def _decide(
        self, launch: Launch, decision: Decision, reason: str, symbol: str = "", order_id: UUID | None = None
    ) -> None:
        if self._run.claims.get(launch.token) == launch.id:
            del self._run.claims[launch.token]
        self._run.database.transact(
            lambda session: launches.record_decision(
                session, launch.id, decision, reason, actor=ACTOR, order_id=order_id
            )
        )
        self._run.tell(
            LaunchDecided(
                launch_id=launch.id,
                token=launch.token,
                symbol=launches.clean(symbol),
                decision=decision.value,
                reason=reason,
            )
        )
