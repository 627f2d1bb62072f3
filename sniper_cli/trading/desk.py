"""The order desk: the one path of every order, whoever asks and wherever it trades.

    intent → seen before? → checks → recorded → venue → fills → lots, position, cash: a record of the journal

A venue that is here (paper) is met inside the record's own transaction: a batch of any size is one page. At a venue
that is elsewhere no transaction spans a network call, and nothing is sent that is not committed first: a crash at any
point leaves either nothing, or a recorded order whose fate `recover` finds out before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import AnyOrder, BookedOrder
from sniper_cli.books.projector import catch_up
from sniper_cli.books.records import Books, Fence, Page
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.portfolio.accounts import require_account
from sniper_cli.risk.limits import Limits
from sniper_cli.risk.marks import TableMarks
from sniper_cli.trading import fates, recording
from sniper_cli.trading.controls import Controls, Held
from sniper_cli.trading.elsewhere import NO_PLANS, Rehearsed, rehearse, submit_there
from sniper_cli.trading.families import Family
from sniper_cli.trading.families import place as place_families
from sniper_cli.trading.halting import end_here, keep_in_check, keep_in_check_here
from sniper_cli.trading.intents import OrderIntent, OrderOutcome
from sniper_cli.trading.listings import Listings
from sniper_cli.trading.local import SECOND, LocalWalk
from sniper_cli.venues.paper.venue import PaperVenue
from sniper_cli.venues.venue import ChainVenue, Plan, Report, Venue
from state.accounts import Account, VenueKind
from state.database import Database
from state.errors import RowNotFound
from state.orders import Order, OrderState, find_by_client_id, working_orders

if TYPE_CHECKING:
    from sniper_cli.trading.reconciliation import Reconciliation, RecoverySummary

T = TypeVar("T")

Checkpoint = Callable[[str], None]


def no_checkpoint(_step: str) -> None:
    """Crash tests put a kill in its place."""


class OrderDesk:
    """Takes intents, gives recorded orders back, and keeps them true to what the venues say."""

    def __init__(
        self,
        database: Database,
        venues: Mapping[VenueKind, Venue | PaperVenue],
        *,
        limits: Limits | None = None,
        actor: str = "sniper",
        checkpoint: Checkpoint = no_checkpoint,
        prepare_exits: bool = True,
        fence: Fence | None = None,
        defer_above: int | None = None,
        background_checkpoints: bool = False,
    ) -> None:
        """`prepare_exits`: let a venue that wants it (an approval) prepare the sale as soon as a purchase is filled.
        `fence` is asked in the transaction that records: a runner that lost its lease raises there and places nothing;
        its epoch stands with every order.
        `defer_above`: batches of more events leave their rows to the projector (`sniper_cli.books.projector`).
        `background_checkpoints`: on SQLite, a thread moves the log into the file, so that no order waits for it.
        """
        self.database = database
        self.venues = dict(venues)
        self.controls = Controls(limits)
        self.actor = actor
        self.checkpoint = checkpoint
        self.prepare_exits = prepare_exits
        self.fence = fence
        self.books = Books(database, actor=actor, defer_above=defer_above)
        if background_checkpoints and database.is_sqlite:
            self.books.checkpoint_in_background()
        self.listings = Listings()
        self._accounts: dict[UUID, Account] = {}
        self.sending: set[UUID] = set()
        """Orders between record and send in this process: nobody else here may mend them meanwhile."""

    def close(self) -> None:
        """Give the desk's own connection back."""
        self.books.close()

    # -- the walk -----------------------------------------------------------------------------------------------

    async def submit(
        self,
        intents: OrderIntent | Sequence[OrderIntent],
        *,
        dry_run: bool = False,
        plans: Mapping[str, Plan] = NO_PLANS,
    ) -> list[OrderOutcome]:
        """Walk one or several intents down the path; an outcome each, in their order.

        A refused intent comes back as a recorded order in state REFUSED. An order still RECORDED could not be given
        to the venue (its `explanation` says why): it stands, and `refresh` and `recover` settle its fate.
        `plans`, by client order id: what a venue that is elsewhere has planned already, and is not asked again.
        Raises OrderRefused for a client order id used for something else, NetworkError before anything is recorded.
        """
        asked = [intents] if isinstance(intents, OrderIntent) else intents
        accounts = {intent.account_id for intent in asked}
        if len(accounts) == 1:
            return await self._submit(next(iter(accounts)), asked, dry_run=dry_run, plans=plans)
        outcomes: dict[int, OrderOutcome] = {}
        for account_id in dict.fromkeys(intent.account_id for intent in asked):
            mine = [(index, intent) for index, intent in enumerate(asked) if intent.account_id == account_id]
            wanted = [intent for _, intent in mine]
            done = await self._submit(account_id, wanted, dry_run=dry_run, plans=plans)
            outcomes |= {index: outcome for (index, _), outcome in zip(mine, done, strict=True)}
        return [outcomes[index] for index in range(len(asked))]

    async def place(
        self, account_id: UUID, families: Sequence[Family], *, dry_run: bool = False
    ) -> list[list[OrderOutcome]]:
        """Place families of orders (an entry with its exits, a pair, a ladder); of each the outcomes, its head's first.

        Raises what `submit` raises.
        """
        account = self.account(account_id)
        venue = self.venue_of(account)
        if not isinstance(venue, PaperVenue):
            outcomes = await self.place_there(account, venue, families, dry_run=dry_run)
            if not dry_run:
                await keep_in_check(self, account_id)
            return outcomes

        def work(walk: LocalWalk) -> list[list[OrderOutcome]]:
            found = place_families(walk, families)
            if dry_run:
                for family, members in zip(families, found, strict=True):
                    self._summarise(venue, members[0], family.head)
                    for outcome in members:
                        outcome.dry_run = True
            return found

        return self.walk_here(account, venue, work, dry_run=dry_run)

    async def _submit(
        self, account_id: UUID, intents: Sequence[OrderIntent], *, dry_run: bool, plans: Mapping[str, Plan]
    ) -> list[OrderOutcome]:
        account = self.account(account_id)
        venue = self.venue_of(account)
        if isinstance(venue, PaperVenue):
            return self.place_here(account, venue, intents, dry_run=dry_run)
        outcomes = await submit_there(self, account, venue, intents, dry_run=dry_run, plans=plans)
        if not dry_run:
            await keep_in_check(self, account_id)
        return outcomes

    # -- at a venue that is here --------------------------------------------------------------------------------

    def place_here(
        self, account: Account, venue: PaperVenue, intents: Sequence[OrderIntent], *, dry_run: bool = False
    ) -> list[OrderOutcome]:
        """A batch at the paper market: one page, one record, one commit."""

        def work(walk: LocalWalk) -> list[OrderOutcome]:
            outcomes = walk.place(intents)
            if dry_run:
                for outcome, intent in zip(outcomes, intents, strict=True):
                    outcome.dry_run = True
                    self._summarise(venue, outcome, intent)
            return outcomes

        return self.walk_here(account, venue, work, dry_run=dry_run)

    @staticmethod
    def _summarise(venue: PaperVenue, outcome: OrderOutcome, intent: OrderIntent) -> None:
        if outcome.order.state is not OrderState.REFUSED and not outcome.replayed:
            outcome.summary = dict(venue.summary(outcome.order, intent))

    def walk_here(
        self,
        account: Account,
        venue: PaperVenue,
        work: Callable[[LocalWalk], T],
        *,
        dry_run: bool = False,
    ) -> T:
        """Run `work` on the account's page at the paper market, settled up to now; with `dry_run` take it all back.

        What a switch that was tripped meanwhile asks for is done first.
        """
        found: list[T] = []
        ended: list[UUID] = []

        def turn(page: Page) -> T:
            page.fence = self.fence
            held = self.controls_on(page, since=page.book.settled)
            walk = LocalWalk(page, venue, self.listings, switches=held.switches, limiter=held.gate)
            ended[:] = end_here(walk, held)
            walk.settle()
            done = work(walk)
            walk.finish()
            if dry_run:
                found.append(done)
                raise Rehearsed
            self.checkpoint("before_record_commit")
            return done

        if not dry_run:
            done = self.books.turn(account.id, turn)
            self.checkpoint("recorded")
            keep_in_check_here(self, account, venue, ended)
            return done
        with suppress(Rehearsed):
            self.books.turn(account.id, turn)
        return found[-1]

    def controls_on(self, page: Page, *, since: int = 0) -> Held:
        """The account's switches and limits, at the venue's prices: of now, or of a second that a replay begins at."""
        account = self.account(UUID(page.book.account_key))
        venue = self.venue_of(account)
        table = TableMarks(page.writer, page.book.account_key)
        if not isinstance(venue, PaperVenue):
            return self.controls.of(page, account, table)
        if not since or since >= page.now // SECOND:
            return self.controls.of(page, account, venue.rate)
        return self.controls.of(page, account, venue.rates(since), now=since * SECOND)

    def held(self, account_id: UUID) -> Held:
        """The switches and limits that hold an account in check now."""
        return self.books.turn(account_id, self.controls_on)

    def look(self, account_id: UUID, work: Callable[[Book], T]) -> T:
        """Read an account's book as it stands. Nothing may be changed in it."""
        return self.books.turn(account_id, lambda page: work(page.book))

    def working(self, account_id: UUID) -> list[AnyOrder]:
        """Orders to ask the account's venue about."""
        account = self.account(account_id)
        venue = self.venue_of(account)
        return [] if isinstance(venue, PaperVenue) else self.open_orders(account, venue)

    # -- at a venue that is elsewhere ---------------------------------------------------------------------------

    async def place_there(
        self, account: Account, venue: Venue, families: Sequence[Family], *, dry_run: bool = False
    ) -> list[list[OrderOutcome]]:
        """Families of orders of which the venue knows only the plain ones: the rest is held here."""
        from sniper_cli.trading.emulation import place_there

        return await place_there(self, account, venue, families, dry_run=dry_run)

    async def give(self, venue: Venue, order: AnyOrder) -> BookedOrder:
        self.sending.add(order.id)
        try:
            self.checkpoint("before_send")
            report = await venue.send(order)
        except NetworkError as error:
            return self._unsent(order, error)
        finally:
            self.sending.discard(order.id)
        self.checkpoint("sent")
        applied = self.apply(order.account_id, [report], {order.id: order.version})
        self.checkpoint("send_recorded")
        return applied[0] if applied else self._booked(order.account_id, order.id)

    def _unsent(self, order: AnyOrder, error: NetworkError) -> BookedOrder:
        def work(page: Page) -> BookedOrder:
            found = page.book.find_order(order.id.hex)
            recording.note(page, found, f"not known to be sent: {error.message}")
            return found

        return self.books.turn(order.account_id, work)

    def _booked(self, account_id: UUID, order_id: UUID) -> BookedOrder:
        return self.books.turn(account_id, lambda page: page.book.find_order(order_id.hex))

    def rehearse(self, intent: OrderIntent, plan: Plan, prepare: Callable[[Session], object]) -> None:
        """Write an order down as `submit` would, and take all of it back: nothing stays, nothing is sent.

        The first order of a process pays for what only the first one pays for (compiled statements, modules); a
        runner has that paid before it counts. `prepare` writes what the intent stands on, to be taken back too.
        """
        rehearse(self, intent, plan, prepare)

    # -- what becomes of orders ---------------------------------------------------------------------------------

    async def refresh(self, account_id: UUID, *, recovering: bool = False) -> list[BookedOrder]:
        """Find out what became of an account's orders and apply it; the orders that changed.

        What is stuck is mended: sent again where the node has lost it, its bid raised, ended where it is stale.
        """
        return await fates.refresh(self, account_id, recovering=recovering)

    def apply(
        self, account_id: UUID, reports: Sequence[Report], versions: Mapping[UUID, int]
    ) -> list[BookedOrder]:
        """Apply reports in one transaction; those about an order that has changed since (`versions`) are left out."""
        return fates.apply(self, account_id, reports, versions)

    async def cancel(self, order_id: UUID, explanation: str = "cancelled by request") -> AnyOrder:
        """Ask the venue to end an order. What the venue then reports counts: a fill may have been faster.

        Raises RowNotFound, OrderRefused, NetworkError.
        """
        return await fates.cancel(self, order_id, explanation)

    async def hasten(self, order_id: UUID, *, urgency: int = 1, outbid_fee: int | None = None) -> Order:
        """Raise the bid of an order that has been sent: the same call under the same nonce, so it happens once."""
        return await fates.hasten(self, order_id, urgency=urgency, outbid_fee=outbid_fee)

    async def recover(self, account_id: UUID) -> RecoverySummary:
        """At every start, before anything else: find out what became of orders that a crash left open."""
        from sniper_cli.trading.reconciliation import recover

        return await recover(self, account_id)

    async def reconcile(self, account_id: UUID) -> Reconciliation:
        """Hold the ledger against what the venue itself counts, asset by asset."""
        from sniper_cli.trading.reconciliation import reconcile

        return await reconcile(self, account_id)

    # -- reading ------------------------------------------------------------------------------------------------

    def order(self, order_id: UUID) -> Order:
        """An order as it stands now. Raises RowNotFound."""
        self._show_all()
        with self.database.read() as session:
            order = session.get(Order, order_id)
            if order is None:
                raise RowNotFound(f"there is no order {order_id}", hint="sniper order list")
            session.expunge(order)
            return order

    def _show_all(self) -> None:
        """A bulk desk reads what it has written: its rows may still be on their way."""
        if self.books.defer_above is not None:
            catch_up(self.database)

    def find_order(self, account_id: UUID, client_order_id: str) -> Order | None:
        """The order recorded under a client order id."""
        self._show_all()
        with self.database.read() as session:
            order = find_by_client_id(session, account_id, client_order_id)
            session.expunge_all()
            return order

    def account(self, account_id: UUID) -> Account:
        """An account, read once: what changes of it (its books) is read under its lock. Raises RowNotFound."""
        known = self._accounts.get(account_id)
        if known is None:
            with self.database.read() as session:
                known = require_account(session, account_id)
                session.expunge(known)
            self._accounts[account_id] = known
        return known

    def venue_of(self, account: Account) -> Venue | PaperVenue:
        """The venue of an account. Raises OrderRefused where this desk does not serve it."""
        venue = self.venues.get(account.venue)
        if venue is None:
            raise OrderRefused(
                f"account {account.name!r} trades on {account.venue.value}, which this profile does not serve",
                hint="sniper profile list",
            )
        return venue

    def venue_by_order(self, order: Order) -> Venue | PaperVenue:
        return self.venue_of(self.account(order.account_id))

    def open_orders(self, account: Account, venue: Venue) -> list[AnyOrder]:
        """Orders to ask about: those at work, and those over that a chain may still turn."""
        with self.database.read() as session:
            orders: list[AnyOrder] = [
                order for order in working_orders(session, account.id) if order.is_at_venue
            ]
            if isinstance(venue, ChainVenue):
                orders += [o for o in venue.revisit(session, account) if not o.is_working]
            session.expunge_all()
        return orders
