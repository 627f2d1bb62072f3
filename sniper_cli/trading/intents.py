"""What callers hand to the order desk, and what they get back: plain values.

A command, the sniper, an exit rule: whoever wants to trade builds an `OrderIntent`. There is no other way in.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from state.columns import canonical
from state.orders import Order, OrderType, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """One wish to trade. Amounts are base units: `quantity` of the base asset, `budget` of the quote asset.

    A sell says `quantity`; a buy says `quantity` or, to spend a fixed sum, `budget`.
    """

    account_id: UUID
    instrument_id: str
    side: Side
    client_order_id: str
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: int | None = None
    budget: int | None = None
    limit_price: Decimal | None = None
    """Quote per base in whole assets."""
    max_slippage_bps: int | None = None
    """How far below the expected outcome a market order may still execute; the venue's default if none."""
    urgency: int = 0
    """0 normal; 1 and more bid for earlier inclusion (an exit before a rug bids above what it flees from)."""
    outbid_fee: int | None = None
    """A fee cap in wei per gas that this order's must exceed: the pending transaction it must get ahead of."""
    reason: dict[str, Any] = field(default_factory=dict)
    """Origin, rule, signal and their figures: `{"origin": "exit", "rule": "take_profit", …}`. No floats."""
    launch_id: UUID | None = None
    position_id: UUID | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was asked for; why, and how urgently, may differ on a repeat."""
        asked = asdict(self)
        for name in ("reason", "urgency", "outbid_fee"):
            asked.pop(name)
        return hashlib.sha256(canonical(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check before the wire: its name, whether it passed, and its figures (no floats)."""

    name: str
    passed: bool
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """The recorded order after the walk, and whether this intent had been seen before."""

    order: Order
    replayed: bool = False
