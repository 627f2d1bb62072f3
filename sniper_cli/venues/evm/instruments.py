"""Tokens and their pools as assets and instruments. The quote asset is the chain's coin: the router wraps it."""

from __future__ import annotations

from sqlmodel import Session

from sniper_cli.chains.exchange import Exchange
from state.accounts import Asset, Instrument, VenueKind, evm_asset_id, evm_instrument_id

COIN_DECIMALS = 18


def ensure_instrument(
    session: Session,
    exchange: Exchange,
    token: str,
    pool: str,
    *,
    symbol: str,
    name: str = "",
    decimals: int | None = None,
) -> Instrument:
    """The instrument of a token's pool, made with its assets when it is new."""
    coin = _asset(session, evm_asset_id(exchange.chain_id), exchange.coin, "", COIN_DECIMALS)
    token_asset = _asset(
        session, evm_asset_id(exchange.chain_id, token), symbol or token[:10], name, decimals or 0
    )
    instrument_id = evm_instrument_id(exchange.chain_id, pool)
    instrument = session.get(Instrument, instrument_id)
    if instrument is None:
        instrument = Instrument(
            id=instrument_id,
            venue=VenueKind.EVM,
            symbol=f"{token_asset.symbol}/{coin.symbol}",
            base_asset=token_asset.id,
            quote_asset=coin.id,
            pool=pool.lower(),
        )
        session.add(instrument)
        session.flush()
    return instrument


def token_of(instrument: Instrument) -> str:
    """The token's address of an EVM instrument."""
    return instrument.base_asset.rsplit(":", 1)[1]


def _asset(session: Session, asset_id: str, symbol: str, name: str, decimals: int) -> Asset:
    asset = session.get(Asset, asset_id)
    if asset is None:
        asset = Asset(id=asset_id, symbol=symbol, name=name, decimals=decimals)
        session.add(asset)
        session.flush()
    return asset
