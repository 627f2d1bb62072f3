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
from state.orders import Order, OrderState, OrderType, Side, TimeInForce


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
    tax_bps: int | None = None
    """What the token is known to keep of this trade; unknown, the venue looks for a judgement of the token."""
    gas_hint: int | None = None
    """Gas that a simulation of this trade used; unknown, the venue estimates."""
    reason: dict[str, Any] = field(default_factory=dict)
    """Origin, rule, signal and their figures: `{"origin": "exit", "rule": "take_profit", …}`. No floats."""
    launch_id: UUID | None = None
    position_id: UUID | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was asked for; why, how urgently and under which market may differ on a repeat."""
        asked = asdict(self)
        for name in ("reason", "urgency", "outbid_fee", "tax_bps", "gas_hint"):
            asked.pop(name)
        return hashlib.sha256(canonical(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check before the wire: its name, whether it passed, and its figures (no floats)."""

    name: str
    passed: bool
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class OrderOutcome:
    """The recorded order after the walk, and whether this intent had been seen before."""

    order: Order
    replayed: bool = False
    dry_run: bool = False
    """Nothing was written or sent: the order is what would have been recorded."""
    summary: dict[str, Any] = field(default_factory=dict)
    """What the venue would do, or does, with exact figures; empty for a refused or replayed order."""

    @property
    def refused(self) -> bool:
        return self.order.state is OrderState.REFUSED
