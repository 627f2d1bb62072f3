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
from typing import Any, Protocol
from uuid import UUID

from sqlmodel import Session

from sniper_cli.trading.intents import OrderIntent
from state.accounts import Account, Instrument, VenueKind
from state.orders import Order, OrderState


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
class FillReport:
    """One fill as the venue reports it; amounts in base units."""

    venue_trade_id: str
    quantity: int
    notional: int
    fee_asset: str
    fee: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an order: its present state at the venue, new fills, and costs that are no fill (gas)."""

    order_id: UUID
    state: OrderState
    fills: tuple[FillReport, ...] = ()
    explanation: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """For the journal: block, hash, gas."""


class Venue(Protocol):
    """A place that takes orders for one kind of account."""

    kind: VenueKind

    async def plan(self, account: Account, instrument: Instrument, intent: OrderIntent) -> Plan:
        """Work out what would be sent. Raises OrderRefused, NetworkError."""
        ...

    def record(self, session: Session, account: Account, order: Order, plan: Plan) -> None:
        """Write what will be sent, inside the desk's transaction and under the account's lock."""
        ...

    async def send(self, order: Order) -> Report:
        """Give the venue what was recorded. Repeating it is safe. Raises NetworkError: the fate is unknown then."""
        ...

    async def report(self, orders: Sequence[Order]) -> list[Report]:
        """What became of these orders; also how their fate is found out after a crash."""
        ...

    def settle(self, session: Session, account: Account, order: Order, report: Report) -> None:
        """Write the venue's own part of a report (a transaction mined, its gas) in the desk's transaction."""
        ...

    async def cancel(self, order: Order) -> Report:
        """Ask the venue to cancel. Raises OrderRefused where it cannot."""
        ...
