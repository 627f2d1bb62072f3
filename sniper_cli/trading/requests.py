"""What was typed, and what it is asked for on.

A line of a file and a command line say the same things under the same names: both are an `OrderRequest`, which nobody
has read yet (`asking.read`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sniper_cli.trading.listings import Listing
from sniper_cli.trading.words import Units


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What was typed, word for word. A file's columns have these names."""

    side: str = ""
    instrument: str = ""
    quantity: str | None = None
    budget: str | None = None
    type: str | None = None
    price: str | None = None
    trigger: str | None = None
    trail: str | None = None
    activation: str | None = None
    time_in_force: str | None = None
    expires: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    display: str | None = None
    take_profit: str | None = None
    stop_loss: str | None = None
    stop_limit: str | None = None
    stop_trail: str | None = None
    or_stop: str | None = None
    starts: str | None = None
    after: str | None = None
    if_above: str | None = None
    if_below: str | None = None
    if_position: str | None = None
    if_instrument: str | None = None
    times: int | None = None
    every: str | None = None
    steps: int | None = None
    step: str | None = None
    step_scale: str | None = None
    size_scale: str | None = None
    grid_low: str | None = None
    grid_high: str | None = None
    grid_levels: int | None = None
    grid_spacing: str | None = None
    grid_from_stock: bool = False
    round: bool = False
    slippage_bps: int | None = None
    strategy: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order is asked for on: the account, the instrument, the price now, and where to look names up."""

    account_id: UUID
    listing: Listing
    reference: Decimal | None
    """The middle price now; none where nobody knows it."""
    now: int
    on_chain: bool = False
    instrument: Callable[[str], str] = str
    """The id of an instrument that somebody names."""
    order: Callable[[str], str] = str
    """The key of an order at work that somebody names."""

    @property
    def units(self) -> Units:
        return Units(self.listing.base.symbol, self.listing.quote.symbol)


def with_client_id(request: OrderRequest, client_id: str) -> OrderRequest:
    """A request under a name of its own, where it has none."""
    return request if request.client_id else replace(request, client_id=client_id)
