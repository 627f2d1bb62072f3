"""The order desk: the one path of every order, whoever asks and wherever it trades.

    intent → seen before? → checks → plan → recorded → sent → reports → fills, lots, position, cash, journal

No database transaction spans a network call, and nothing is sent that is not committed first. A crash at any
point leaves either nothing, or a recorded order whose fate `recover` finds out before anything else happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from sqlmodel import Session

from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.portfolio.accounts import require_account
from sniper_cli.risk.limits import Limits
from sniper_cli.trading import applying, recording
from sniper_cli.trading.checks import Standing, failures, read_standing, run_checks
from sniper_cli.trading.intents import CheckResult, OrderIntent, OrderOutcome
from sniper_cli.venues.venue import ChainVenue, Plan, Remedy, RemedyKind, Report, Venue
from state.accounts import Account, VenueKind
from state.controls import tripped_switch
from state.database import Database
from state.errors import RowNotFound
from state.orders import Order, OrderState, Side, find_by_client_id, working_orders

if TYPE_CHECKING:
    from sniper_cli.trading.reconciliation import Reconciliation, RecoverySummary

T = TypeVar("T")

logger = logging.getLogger(__name__)

Checkpoint = Callable[[str], None]


def no_checkpoint(_step: str) -> None:
    """Crash tests put a kill in its place."""


class Rehearsed(Exception):
    """Ends a rehearsal's transaction, so that nothing of it stays."""


@dataclass(slots=True)
class Draft:
    """An intent on its way through the checks."""

    intent: OrderIntent
    account: Account
    known: Order | None = None
    standing: Standing | None = None
    results: list[CheckResult] = field(default_factory=list)
    plan: Plan | None = None


class OrderDesk:
    """Takes intents, gives recorded orders back, and keeps them true to what the venues say."""

    def __init__(
        self,
        database: Database,
        venues: Mapping[VenueKind, Venue],
        *,
        limits: Limits | None = None,
        actor: str = "sniper",
        checkpoint: Checkpoint = no_checkpoint,
        prepare_exits: bool = True,
        fence: Callable[[Session], None] | None = None,
    ) -> None:
        """`prepare_exits`: let a venue that wants it (an approval) prepare the sale as soon as a purchase is filled.
        `fence` is asked in the transaction that records: a runner that lost its lease raises there and places nothing.
        """
        self.database = database
        self.venues = dict(venues)
        self.limits = limits
        self.actor = actor
        self.checkpoint = checkpoint
        self.prepare_exits = prepare_exits
        self.fence = fence
        self._sending: set[UUID] = set()
        """Orders between record and send in this process: nobody else here may mend them meanwhile."""

    # -- the walk -----------------------------------------------------------------------------------------------

    async def submit(
        self, intents: OrderIntent | Sequence[OrderIntent], *, dry_run: bool = False
    ) -> list[OrderOutcome]:
        """Walk one or several intents down the path; an outcome each, in their order.

        A refused intent comes back as a recorded order in state REFUSED. An order still RECORDED could not be given
        to the venue (its `explanation` says why): it stands, and `refresh` and `recover` settle its fate.
        Raises OrderRefused for a client order id used for something else, NetworkError before anything is recorded.
        """
        asked = [intents] if isinstance(intents, OrderIntent) else list(intents)
        with self.database.read() as session:
            drafts = [self._look(session, intent) for intent in asked]
            session.expunge_all()
        if any(draft.standing is not None and draft.standing.instrument is None for draft in drafts):
            drafts = self.database.transact(
                lambda session: [self._introduce(session, draft) for draft in drafts]
            )
        await asyncio.gather(*(self._plan(draft) for draft in drafts))
        self.checkpoint("planned")
        if dry_run:
            return [recording.rehearse(draft, self._recheck(draft)) for draft in drafts]
        outcomes = self._record(drafts)
        self.checkpoint("recorded")
        for outcome in outcomes:
            if outcome.order.state is OrderState.RECORDED and not outcome.replayed:
                outcome.order = await self._send(outcome.order)
        return outcomes

    def _look(self, session: Session, intent: OrderIntent) -> Draft:
        account = require_account(session, intent.account_id)
        known = self._seen(session, intent)
        if known is not None:
            return Draft(intent, account, known=known)
        standing = read_standing(session, account, intent)
        return Draft(intent, account, standing=standing, results=run_checks(intent, standing, self.limits))

    def _introduce(self, session: Session, draft: Draft) -> Draft:
        """Look again at an intent whose instrument was unknown, after the venue has made it from the launch it saw."""
        venue = self.venue_of(draft.account)
        if isinstance(venue, ChainVenue):
            venue.introduce(session, draft.account, draft.intent.instrument_id)
        return self._look(session, draft.intent)

    @staticmethod
    def _seen(session: Session, intent: OrderIntent) -> Order | None:
        known = find_by_client_id(session, intent.account_id, intent.client_order_id)
        if known is not None and known.fingerprint != intent.fingerprint:
            raise OrderRefused(
                f"the client order id {intent.client_order_id!r} has been used for another order",
                hint=f"sniper order show {known.id}",
                order=str(known.id),
            )
        return known

    async def _plan(self, draft: Draft) -> None:
        if draft.known is not None or failures(draft.results) or draft.standing is None:
            return
        assert draft.standing.instrument is not None
        venue = self.venue_of(draft.account)
        try:
            draft.plan = await venue.plan(draft.account, draft.standing.instrument, draft.intent)
        except OrderRefused as refused:
            figures = {name: str(value) for name, value in refused.details.items()}
            draft.results.append(CheckResult("venue", False, refused.message, figures))

    def _record(self, drafts: list[Draft]) -> list[OrderOutcome]:
        """One write transaction an account: lock, look again, insert, let the venue sign."""
        outcomes: dict[int, OrderOutcome] = {}
        for account_id in dict.fromkeys(draft.account.id for draft in drafts):
            mine = [(index, draft) for index, draft in enumerate(drafts) if draft.account.id == account_id]
            outcomes |= self.database.transact(lambda session, mine=mine: self._write(session, mine))  # type: ignore[misc]
        return [outcomes[index] for index in range(len(drafts))]

    def _write(self, session: Session, drafts: list[tuple[int, Draft]]) -> dict[int, OrderOutcome]:
        account, changed = recording.lock(session, drafts[0][1].account)
        if self.fence is not None:
            self.fence(session)
        outcomes = {}
        for index, draft in drafts:
            known = self._seen(session, draft.intent)
            if known is not None:
                outcomes[index] = OrderOutcome(known, replayed=True)
                continue
            results = self._recheck(draft, session, account if changed else None)
            outcome = recording.write(
                session, account, draft, results, self.venue_of(account), actor=self.actor
            )
            outcomes[index] = outcome
            changed = True  # the next intent of the batch must see this order
        self.checkpoint("before_record_commit")
        return outcomes

    def _recheck(
        self, draft: Draft, session: Session | None = None, account: Account | None = None
    ) -> list[CheckResult]:
        """The checks with the plan's figures; `account`: on fresh facts, because it has changed since they were read.

        The kill switch belongs to no account's version, so under the lock it is always read again.
        """
        if draft.plan is None or draft.standing is None:
            return draft.results
        standing = draft.standing
        if session is not None and account is not None:
            standing = read_standing(session, account, draft.intent)
        elif session is not None:
            standing = replace(standing, switch=tripped_switch(session, str(standing.account.id)))
        return run_checks(draft.intent, standing, self.limits, needed=draft.plan.quote_needed)

    async def _send(self, order: Order) -> Order:
        venue = self.venue_by_order(order)
        self._sending.add(order.id)
        try:
            self.checkpoint("before_send")
            report = await venue.send(order)
        except NetworkError as error:
            return self._unsent(order, error)
        finally:
            self._sending.discard(order.id)
        self.checkpoint("sent")
        applied = self.apply(order.account_id, [report], {order.id: order.version})
        self.checkpoint("send_recorded")
        return applied[0] if applied else self.order(order.id)

    def _unsent(self, order: Order, error: NetworkError) -> Order:
        return self.database.transact(
            lambda session: recording.note(
                session, order.id, f"not known to be sent: {error.message}", actor=self.actor
            )
        )

    def rehearse(self, intent: OrderIntent, plan: Plan, prepare: Callable[[Session], object]) -> None:
        """Write an order down as `submit` would, and take all of it back: nothing stays, nothing is sent.

        The first order of a process pays for what only the first one pays for (compiled statements, modules); a
        runner has that paid before it counts. `prepare` writes what the intent stands on, to be taken back too.
        """
        with suppress(Rehearsed), self.database.write() as session:
            prepare(session)
            session.flush()
            draft = self._look(session, intent)
            draft.plan = plan
            self._write(session, [(0, draft)])
            session.flush()
            raise Rehearsed

    # -- what becomes of orders ---------------------------------------------------------------------------------

    async def refresh(self, account_id: UUID, *, recovering: bool = False) -> list[Order]:
        """Ask what became of an account's orders and apply it; the orders that changed.

        Also mends: sends again what the node has lost, raises the bid of what is stuck, ends what is stale.
        """
        venue, orders = self._open_orders(account_id)
        reports = await venue.report(orders) if orders else []
        self.checkpoint("reported")
        changed = self.apply(account_id, reports, {order.id: order.version for order in orders})
        self.checkpoint("applied")
        if isinstance(venue, ChainVenue):
            await self._prepare_exits(account_id, venue, changed)
            mended = await self._mend(account_id, venue, recovering=recovering)
            changed = list({order.id: order for order in (*changed, *mended)}.values())
        return changed

    def apply(self, account_id: UUID, reports: Sequence[Report], versions: Mapping[UUID, int]) -> list[Order]:
        """Apply reports in one transaction; those about an order that has changed since (`versions`) are left out."""
        news = [report for report in reports if report.order_id in versions]
        if not news:
            return []

        def work(session: Session) -> list[Order]:
            account, _ = recording.lock(session, require_account(session, account_id))
            venue = self.venue_of(account)
            changed = applying.apply_reports(session, account, venue, news, versions, actor=self.actor)
            self.checkpoint("before_apply_commit")
            return changed

        return self.database.transact(work)

    async def cancel(self, order_id: UUID) -> Order:
        """Ask the venue to end an order. What the venue then reports counts: a fill may have been faster.

        Raises RowNotFound, OrderRefused, NetworkError.
        """
        order = self.order(order_id)
        if not order.is_working:
            raise OrderRefused(
                f"the order is {order.state.value} already", hint=f"sniper order show {order.id}"
            )
        venue = self.venue_by_order(order)
        if isinstance(venue, ChainVenue):
            await self._apply_remedies(order.account_id, venue, [await venue.kill(order)])
        else:
            self.apply(order.account_id, [await venue.cancel(order)], {order.id: order.version})
        return self.order(order_id)

    async def hasten(self, order_id: UUID, *, urgency: int = 1, outbid_fee: int | None = None) -> Order:
        """Raise the bid of an order that has been sent: the same call under the same nonce, so it happens once."""
        order = self.order(order_id)
        venue = self.venue_by_order(order)
        if not isinstance(venue, ChainVenue) or not order.is_working:
            raise OrderRefused(f"order {order.id} cannot be hastened", hint=f"sniper order show {order.id}")
        remedy = await venue.hasten(order, urgency=urgency, outbid_fee=outbid_fee)
        await self._apply_remedies(order.account_id, venue, [remedy])
        return self.order(order_id)

    async def recover(self, account_id: UUID) -> RecoverySummary:
        """At every start, before anything else: find out what became of orders that a crash left open."""
        from sniper_cli.trading.reconciliation import recover

        return await recover(self, account_id)

    async def reconcile(self, account_id: UUID) -> Reconciliation:
        """Hold the ledger against what the venue itself counts, asset by asset."""
        from sniper_cli.trading.reconciliation import reconcile

        return await reconcile(self, account_id)

    # -- mending and preparing ----------------------------------------------------------------------------------

    async def _mend(self, account_id: UUID, venue: ChainVenue, *, recovering: bool) -> list[Order]:
        _, orders = self._open_orders(account_id)
        idle = [order for order in orders if order.id not in self._sending]
        remedies = await venue.remedies(idle, recovering=recovering) if idle else []
        return await self._apply_remedies(account_id, venue, remedies)

    async def _apply_remedies(
        self, account_id: UUID, venue: ChainVenue, remedies: Sequence[Remedy]
    ) -> list[Order]:
        """Record what has to be recorded, then send; each remedy's order afterwards."""
        mended = []
        for remedy in remedies:
            if remedy.kind is not RemedyKind.RESEND and not self._record_remedy(account_id, venue, remedy):
                continue
            self.checkpoint(f"{remedy.kind.value}_recorded")
            mended.append(await self._send(self.order(remedy.order_id)))
        return mended

    def _record_remedy(self, account_id: UUID, venue: ChainVenue, remedy: Remedy) -> bool:
        def work(session: Session) -> bool:
            account, _ = recording.lock(session, require_account(session, account_id))
            order = recording.lock_order(session, remedy.order_id)
            return venue.record_remedy(session, account, order, remedy)

        return self.database.transact(work)

    async def _prepare_exits(self, account_id: UUID, venue: ChainVenue, changed: Sequence[Order]) -> None:
        """Approvals right after a purchase, so that a sale needs one transaction and can be quick."""
        bought = [
            o for o in changed if self.prepare_exits and o.side is Side.BUY and o.state is OrderState.FILLED
        ]
        for order in bought:
            try:
                plan = await venue.plan_exit(order)
            except (NetworkError, OrderRefused) as error:
                # No harm: a sale that finds no approval sends one with itself.
                logger.warning("the sale of order %s is not prepared: %s", order.id, error.message)
                continue
            if plan is None:
                continue

            def work(session: Session, order: Order = order, plan: object = plan) -> bool:
                account, _ = recording.lock(session, require_account(session, account_id))
                return venue.record_exit(session, account, recording.lock_order(session, order.id), plan)

            if self.database.transact(work):
                self.checkpoint("exit_recorded")
                await self._send(self.order(order.id))

    # -- reading ------------------------------------------------------------------------------------------------

    def order(self, order_id: UUID) -> Order:
        """An order as it stands now. Raises RowNotFound."""
        with self.database.read() as session:
            order = session.get(Order, order_id)
            if order is None:
                raise RowNotFound(f"there is no order {order_id}", hint="sniper order list")
            session.expunge(order)
            return order

    def account(self, account_id: UUID) -> Account:
        with self.database.read() as session:
            account = require_account(session, account_id)
            session.expunge(account)
            return account

    def venue_of(self, account: Account) -> Venue:
        """The venue of an account. Raises OrderRefused where this desk does not serve it."""
        venue = self.venues.get(account.venue)
        if venue is None:
            raise OrderRefused(
                f"account {account.name!r} trades on {account.venue.value}, which this profile does not serve",
                hint="sniper profile list",
            )
        return venue

    def venue_by_order(self, order: Order) -> Venue:
        return self.venue_of(self.account(order.account_id))

    def _open_orders(self, account_id: UUID) -> tuple[Venue, list[Order]]:
        """Orders to ask about: those at work, and those over that a chain may still turn."""
        with self.database.read() as session:
            account = require_account(session, account_id)
            venue = self.venue_of(account)
            orders = working_orders(session, account_id)
            if isinstance(venue, ChainVenue):
                orders += [o for o in venue.revisit(session, account) if not o.is_working]
            session.expunge_all()
        return venue, orders
