"""Amounts in words: exact, without the zeros that an asset's decimals trail behind them."""

from __future__ import annotations

from decimal import Context, Decimal

from state.accounts import Asset

WIDE = Context(prec=160)
"""The default context would round at 28 digits; a token's amount has up to 78."""


def trimmed(amount: Decimal) -> Decimal:
    """The same number without trailing zeros."""
    shorter = amount.normalize(WIDE)
    return shorter or Decimal(0)


def shown(price: Decimal) -> str:
    """A price in words: without an exponent, without trailing zeros."""
    return f"{trimmed(price):f}"


def whole(asset: Asset, units: int) -> Decimal:
    """Base units as an amount of the asset."""
    return trimmed(asset.amount(units))


def spelled(asset: Asset, units: int, *, sign: bool = False) -> str:
    """`0.1 ETH`."""
    return f"{whole(asset, units):{'+' if sign else ''}f} {asset.symbol}"
