"""Margin and funding of perpetual contracts: what a position ties up, where it is liquidated, what holding it costs.

    initial = value/leverage,  maintenance = value·mmr − deduction
    linear:  L = entry ∓ ((IM − MM) + extra)/quantity                   long −, short +        Bybit, isolated
    inverse: L = contracts / (value ± (IM − MM + extra)),  value = contracts/entry in coins    Bybit, isolated, 2024
    F = P + clamp(I − P, ±c),  P = (max(0, bid − index) − max(0, index − ask))/index           Binance, BitMEX

The formulas are those of 2024. Bybit's of May 2026 value the position at the mark price and put the closing fee into
both margins; a venue that is traded must bring its own, by date. Everything is Decimal; a float is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Number = Decimal | int
Direction = Literal["long", "short"]
CLAMP = Decimal("0.0005")
"""The premium moves the funding rate away from the interest only beyond this."""
INTEREST = Decimal("0.0001")
"""For eight hours."""
TAKER = Decimal("0.00075")
"""The fee of closing that Bybit's inverse formulas for cross margin count."""


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Margins of a position in its settlement currency, and where it ends."""

    position_value: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None
    """None: no price liquidates it."""


def initial_margin(value: Number, leverage: Number) -> Decimal:
    """What opening a position ties up."""
    return Decimal(value) / leverage


def maintenance_margin(value: Number, mmr: Number, deduction: Number = 0) -> Decimal:
    """Below this the position is liquidated; `deduction` makes the tiers of a venue's table join."""
    return Decimal(value) * mmr - deduction


def liq_isolated_linear(
    side: Direction,
    qty: Number,
    entry: Number,
    leverage: Number,
    mmr: Number,
    extra_margin: Number = 0,
    deduction: Number = 0,
) -> Liquidation:
    """A position settled in the quote currency, with its own margin."""
    value = Decimal(qty) * entry
    initial, maintenance = initial_margin(value, leverage), maintenance_margin(value, mmr, deduction)
    room = (initial - maintenance + extra_margin) / qty
    price = entry - room if side == "long" else entry + room
    return Liquidation(value, initial, maintenance, _reachable(price))


def liq_isolated_inverse(
    side: Direction,
    contracts_usd: Number,
    entry: Number,
    leverage: Number,
    mmr: Number,
    extra_margin: Number = 0,
    deduction: Number = 0,
) -> Liquidation:
    """A position in contracts of a dollar, settled in coins."""
    value = Decimal(contracts_usd) / entry
    initial, maintenance = initial_margin(value, leverage), maintenance_margin(value, mmr, deduction)
    room = initial - maintenance + extra_margin
    return Liquidation(value, initial, maintenance, _inverse_price(side, contracts_usd, value, room))


def bankruptcy_linear(side: Direction, entry: Number, leverage: Number) -> Decimal:
    """Where the initial margin is lost."""
    return entry * (1 - 1 / Decimal(leverage) if side == "long" else 1 + 1 / Decimal(leverage))


def bankruptcy_inverse(side: Direction, entry: Number, leverage: Number) -> Decimal | None:
    """The same for contracts settled in coins; a short one of leverage 1 never gets there."""
    below = leverage + 1 if side == "long" else leverage - 1
    return Decimal(entry) * leverage / below if below > 0 else None


def bankruptcy_inverse_cross(
    side: Direction, contracts_usd: Number, entry: Number, available: Number, taker_fee: Number = TAKER
) -> Decimal | None:
    """Where the whole available balance is lost, with the fee of closing: 5718.57 in Bybit's example."""
    value = Decimal(contracts_usd) / entry
    sign = 1 if side == "long" else -1
    below = value + sign * available
    return (1 + sign * taker_fee) * contracts_usd / below if below > 0 else None


def liq_cross_inverse(
    side: Direction,
    contracts_usd: Number,
    entry: Number,
    available: Number,
    mmr: Number,
    taker_fee: Number = TAKER,
) -> Liquidation:
    """Contracts settled in coins that the whole available balance stands for.

    Bybit's page prints 5739.50 for its example; its own equation solves to 5739.08.
    """
    value = Decimal(contracts_usd) / entry
    maintenance = maintenance_margin(value, mmr)
    bankrupt = bankruptcy_inverse_cross(side, contracts_usd, entry, available, taker_fee)
    closing = Decimal(contracts_usd) * taker_fee / bankrupt if bankrupt is not None else Decimal(0)
    room = available - maintenance - closing
    return Liquidation(
        value, Decimal(available), maintenance, _inverse_price(side, contracts_usd, value, room)
    )


def premium_index(impact_bid: Number, impact_ask: Number, index: Number) -> Decimal:
    """How far the book stands above (positive) or below the index."""
    above, below = max(Decimal(0), Decimal(impact_bid) - index), max(Decimal(0), Decimal(index) - impact_ask)
    return (above - below) / index


def funding_rate(
    premium: Number,
    interest: Number = INTEREST,
    clamp: Number = CLAMP,
    *,
    cap: Number | None = None,
) -> Decimal:
    """What longs pay shorts for one interval; `cap` bounds it both ways, as venues do."""
    rate = premium + max(-Decimal(clamp), min(Decimal(interest) - premium, Decimal(clamp)))
    return rate if cap is None else max(-Decimal(cap), min(rate, Decimal(cap)))


def funding_payment_linear(position: Number, mark: Number, rate: Number) -> Decimal:
    """Cash that comes in (negative: goes out). A short position is negative; longs pay when the rate is positive."""
    return -Decimal(position) * mark * rate


def funding_payment_inverse(contracts_usd: Number, mark: Number, rate: Number) -> Decimal:
    """The same in coins, for contracts of a dollar."""
    return -Decimal(contracts_usd) / mark * rate


def pnl_linear(entry: Number, exit_price: Number, qty: Number) -> Decimal:
    """Profit in the quote currency; a short quantity is negative."""
    return (Decimal(exit_price) - entry) * qty


def pnl_inverse(entry: Number, exit_price: Number, qty: Number) -> Decimal:
    """Profit in coins of `qty` contracts of a dollar: qty·(1/entry − 1/exit), as one quotient."""
    return Decimal(qty) * (Decimal(exit_price) - entry) / (Decimal(entry) * exit_price)


@dataclass(frozen=True, slots=True)
class Basis:
    """A year's premium of the future over the spot price."""

    simple: Decimal
    continuous: Decimal


def annualised_basis(spot: Number, future: Number, t_years: Number) -> Basis:
    ratio = Decimal(future) / spot
    return Basis((ratio - 1) / t_years, ratio.ln() / t_years)


def _inverse_price(side: Direction, contracts_usd: Number, value: Decimal, room: Decimal) -> Decimal | None:
    """The price at which the position has lost `room` coins."""
    below = value + room if side == "long" else value - room
    return contracts_usd / below if below > 0 else None


def _reachable(price: Decimal) -> Decimal | None:
    return price if price > 0 else None


__all__ = [
    "Basis", "Direction", "Liquidation", "annualised_basis", "bankruptcy_inverse", "bankruptcy_inverse_cross",
    "bankruptcy_linear", "funding_payment_inverse", "funding_payment_linear", "funding_rate", "initial_margin",
    "liq_cross_inverse", "liq_isolated_inverse", "liq_isolated_linear", "maintenance_margin", "pnl_inverse",
    "pnl_linear", "premium_index",
]  # fmt: skip
