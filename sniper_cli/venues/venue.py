"""The protocol that the order desk speaks with every venue.

The walk of an order has four steps at a venue, so that nothing is sent which is not recorded first and no
database transaction spans a network call:

    plan     network, no writes   what would be sent, at what cost; raises what a venue refuses beforehand
    record   database only        inside the desk's transaction: allot the nonce, sign, store the bytes
    send     network              give the recorded thing to the venue; safe to repeat with the same bytes
    report   network, no writes   what became of orders sent: fills, rejections, drops
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.trading.intents import CheckResult, OrderIntent
from sniper_cli.trading.listings import Listing
from state.accounts import Account, Instrument, VenueKind
from state.orders import OrderState, Side


@dataclass(frozen=True, slots=True)
class Plan:
    """What a venue would do with an intent. `request` is the venue's own; `summary` is for people and dry runs."""

    intent: OrderIntent
    summary: dict[str, Any]
    """Exact figures as strings and integers: expected outcome, worst price, fee caps, gas limit."""
    quote_needed: int
    """Units of the quote asset (with gas, on a chain) that the account must hold."""
    request: Any = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An order, as far as its price depends on it. Base units, or quote units to spend."""

    listing: Listing
    side: Side
    quantity: int | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a venue would give at this moment, quote per base in whole assets."""

    middle: Decimal
    price: Decimal | None
    """What all of the order would pay or bring on average; none where the venue has not so much."""


@dataclass(frozen=True, slots=True)
class FillReport:
    """One fill as the venue reports it; amounts in base units."""

    venue_trade_id: str
    quantity: int
    notional: int
    fee_asset: str
    fee: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CostReport:
    """A cost that is no fill: gas. Keyed like a fill: reported twice, it counts once."""

    reference: str
    asset_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an order: its present state at the venue, new fills, and costs that are no fill (gas)."""

    order_id: UUID
    state: OrderState
    fills: tuple[FillReport, ...] = ()
    explanation: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """For the journal: block, hash, gas."""
    costs: tuple[CostReport, ...] = ()
    reversed: tuple[str, ...] = ()
    """Fills' trade ids and costs' references that a reorganisation took back."""
    venue_reference: str | None = None
    """The venue's own id, where it has become another one (a replacement was mined)."""
    details: Any = None
    """The venue's own, for its `settle`."""


class RemedyKind(StrEnum):
    RESEND = "resend"
    """The identical bytes again: whatever became of the first sending, it can happen only once."""
    REPLACE = "replace"
    """The same call under the same nonce at a higher fee."""
    KILL = "kill"
    """Nothing under the same nonce: what was signed can then never happen."""
    FILL = "fill"
    """Nothing under a nonce before it that nobody uses: what was signed waits for that one."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What must be done about an order whose fate is open: the same bytes again, a higher bid, or an end to it."""

    order_id: UUID
    kind: RemedyKind
    why: str
    details: Any = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the venue itself says an account holds, at one moment of the venue."""

    amounts: dict[str, int]
    moment: dict[str, Any]
    """Block number and hash, for the record."""
    complete: bool
    """Every trade of ours that the venue counts in is known to the ledger too."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A right that we gave somebody (an approval), and the order that bears the cost of taking it back."""

    order: AnyOrder
    details: Any
    """The venue's own."""


class Venue(Protocol):
    """A place that takes orders for one kind of account."""

    kind: VenueKind

    async def plan(self, account: Account, instrument: Instrument, intent: OrderIntent) -> Plan:
        """Work out what would be sent. Raises OrderRefused, NetworkError."""
        ...

    def record(self, session: Session, account: Account, order: AnyOrder, plan: Plan) -> None:
        """Write what will be sent, inside the desk's transaction and under the account's lock."""
        ...

    async def send(self, order: AnyOrder) -> Report:
        """Give the venue what was recorded. Repeating it is safe. Raises NetworkError: the fate is unknown then."""
        ...

    async def report(self, orders: Sequence[AnyOrder]) -> list[Report]:
        """What became of these orders; also how their fate is found out after a crash."""
        ...

    def settle(self, session: Session, account: Account, order: AnyOrder, report: Report) -> None:
        """Write the venue's own part of a report (a transaction mined, its gas) in the desk's transaction."""
        ...

    async def cancel(self, order: AnyOrder) -> Report:
        """Ask the venue to cancel. Raises OrderRefused where it cannot."""
        ...


@runtime_checkable
class QuotingVenue(Venue, Protocol):
    """A venue whose prices the desk can watch on behalf of orders that the venue itself does not know."""

    async def quotes(self, asked: Sequence[Asked]) -> list[Quoted | None]:
        """What each would get now; network, no writes. None where nothing is traded. Raises NetworkError."""
        ...


@runtime_checkable
class ChainVenue(Venue, Protocol):
    """A venue where what was sent can be stuck, lost or undone, and holdings can be counted independently."""

    def check_costs(self, session: Session, account: Account, plan: Plan) -> CheckResult | None:
        """What the costs of a plan (gas) would break of the operator's caps; none where they break none."""
        ...

    def introduce(self, session: Session, account: Account, instrument_id: str) -> bool:
        """Make the instrument of a launch that has been seen; False when nothing is known of it."""
        ...

    def revisit(self, session: Session, account: Account) -> list[AnyOrder]:
        """Orders that are over but may turn: recently mined, or with a transaction still on its way."""
        ...

    async def remedies(self, orders: Sequence[AnyOrder], *, recovering: bool = False) -> list[Remedy]:
        """What to do about orders without a fate; network, no writes. Empty for those that just need patience."""
        ...

    async def kill(self, order: AnyOrder) -> Remedy:
        """How to end an order that may still happen. Raises OrderRefused when it has already happened."""
        ...

    async def hasten(self, order: AnyOrder, *, urgency: int, outbid_fee: int | None) -> Remedy:
        """How to raise the bid of an order that was sent. Raises OrderRefused when it is over."""
        ...

    def record_remedy(self, session: Session, account: Account, order: AnyOrder, remedy: Remedy) -> bool:
        """Write what the remedy will send, like `record`; False when it is no longer called for."""
        ...

    async def plan_exit(self, order: AnyOrder) -> Any:
        """What prepares the sale of what an order bought (an approval); None when nothing is needed."""
        ...

    def record_exit(self, session: Session, account: Account, order: AnyOrder, plan: Any) -> bool:
        """Write it, like `record`; `send` sends it. False when it has been written before."""
        ...

    async def loose(self, account: Account) -> list[Granted]:
        """What stays granted and nothing needs any more. Raises NetworkError."""
        ...

    async def plan_revocation(self, granted: Granted) -> Any:
        """What takes it back; None when nothing is left of it. Raises OrderRefused, NetworkError."""
        ...

    def record_revocation(
        self, session: Session, account: Account, order: AnyOrder, granted: Granted, plan: Any
    ) -> bool:
        """Write it, like `record`; `send` sends it. False when it has been taken back, or is needed again."""
        ...

    async def holdings(self, account: Account, asset_ids: Sequence[str]) -> Holdings:
        """Count what the account holds."""
        ...
