"""What of an order makes no sense together is refused in words that name what to change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sniper_cli.trading.combinations import senseless
from sniper_cli.trading.intents import Condition, OrderIntent, Terms
from sniper_cli.trading.listings import Listing
from state.accounts import Asset, VenueKind
from state.orders import OrderType, Side, TimeInForce

BTC = Asset(id="paper:BTC", symbol="BTC", name="Bitcoin", decimals=8)
USDT = Asset(id="paper:USDT", symbol="USDT", name="Tether", decimals=6)
LISTING = Listing(
    "paper:BTC/USDT", VenueKind.PAPER, "BTC/USDT", Decimal("0.01"), 10_000, None, None, BTC, USDT, None
)
T, F = OrderType, TimeInForce


def intent(kind: OrderType = T.LIMIT, tif: TimeInForce = F.GTC, **fields: Any) -> OrderIntent:
    price = {"limit_price": Decimal(100)} if kind in (T.LIMIT, T.STOP_LIMIT) else {}
    terms = {name: fields.pop(name) for name in list(fields) if name in Terms.__struct_fields__}
    fields = {"quantity": 10**8, **price, **fields}
    return OrderIntent(uuid4(), LISTING.id, Side.BUY, "id", kind, tif, terms=Terms(**terms), **fields)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (intent(T.STOP), "says its trigger price"),
        (intent(T.MARKET, trigger_price=Decimal(1)), "has no trigger"),
        (intent(T.STOP, trigger_price=Decimal(1), limit_price=Decimal(1)), "a stop limit has"),
        (intent(T.TRAILING_STOP), "either an amount or a share"),
        (intent(T.TRAILING_STOP, trail_bps=100, trail_amount=Decimal(1)), "either an amount or a share"),
        (intent(T.TRAILING_STOP, trail_bps=10_000), "less than 100 %"),
        (intent(T.LIMIT, trail_bps=100), "does not trail"),
        (intent(T.LIMIT, activation_price=Decimal(1)), "does not trail"),
        (intent(T.MARKET, post_only=True), "post-only means to rest, and a market order never rests"),
        (intent(T.LIMIT, F.IOC, post_only=True), "IOC means not to"),
        (intent(T.MARKET, display=10_000), "an iceberg rests"),
        (intent(T.LIMIT, F.FOK, display=10_000), "an iceberg rests"),
        (intent(display=10**8), "less than its 1 BTC"),
        (intent(display=15_000), "the nearest is 0.0001 BTC"),
        (intent(T.LIMIT, reduce_only=True, quantity=None, budget=1), "not how much to spend"),
        (intent(T.LIMIT, F.GTD), "says the date"),
        (intent(T.LIMIT, F.IOC, expires_at=5), "IOC ends at once and has no date"),
        (intent(T.MARKET, F.DAY), "a market order ends at once"),
        (intent(starts_at=5, expires_at=4), "it would end before it starts"),
        (intent(after="x", starts_at=5), "waits for nothing else"),
        (intent(condition=Condition()), "a condition says a price"),
        (
            intent(condition=Condition(above=Decimal(5), below=Decimal(4))),
            "no price is at 5 or above and at 4 or below",
        ),
        (
            intent(condition=Condition(position="wide")),
            "a position is open, closed, long or short, not 'wide'",
        ),
        (intent(condition=Condition(above=Decimal(0))), "must be above zero"),
        (intent(cancels="g", quantity=None, budget=5), "say how much, not how much to spend"),
    ],
)
def test_what_does_not_go_together_is_told(asked: OrderIntent, said: str) -> None:
    assert said in (senseless(asked, LISTING) or "")


@pytest.mark.parametrize(
    "asked",
    [
        intent(),
        intent(T.MARKET),
        intent(T.STOP, trigger_price=Decimal(1)),
        intent(T.STOP_LIMIT, F.IOC, trigger_price=Decimal(1)),
        intent(T.STOP, F.DAY, trigger_price=Decimal(1)),
        intent(T.TRAILING_STOP, trail_bps=50, activation_price=Decimal(9)),
        intent(T.LIMIT, F.GTD, expires_at=9, post_only=True, display=10_000),
        intent(T.MARKET, F.GTD, expires_at=9, condition=Condition(above=Decimal(5))),
        intent(T.MARKET, starts_at=5),
        intent(after="x", reduce_only=True),
    ],
)
def test_what_goes_together_passes(asked: OrderIntent) -> None:
    assert senseless(asked, LISTING) is None
