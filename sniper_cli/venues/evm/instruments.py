"""Tokens and their pools as assets and instruments. The quote asset is the chain's coin: the router wraps it.

An instrument keeps what a swap in its pool must name (`terms`), so that a position outlives the run that bought it.
Those made before there was more than one exchange have none: they are the first Uniswap V2's.
"""

from __future__ import annotations

from sqlmodel import Session

from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.errors import OrderRefused
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from state.accounts import Asset, Instrument, VenueKind, evm_asset_id, evm_instrument_id
from state.launches import Launch

COIN_DECIMALS = 18


def ensure_instrument(
    session: Session, pool: Pool, *, symbol: str, name: str = "", decimals: int | None = None
) -> Instrument:
    """The instrument of a token's pool, made with its assets when it is new."""
    exchange = pool.exchange
    coin = _asset(session, evm_asset_id(exchange.chain_id), exchange.coin, "", COIN_DECIMALS)
    token_asset = _asset(
        session, evm_asset_id(exchange.chain_id, pool.token), symbol or pool.token[:10], name, decimals or 0
    )
    instrument_id = evm_instrument_id(exchange.chain_id, pool.id)
    instrument = session.get(Instrument, instrument_id)
    if instrument is None:
        instrument = Instrument(
            id=instrument_id,
            venue=VenueKind.EVM,
            symbol=f"{token_asset.symbol}/{coin.symbol}",
            base_asset=token_asset.id,
            quote_asset=coin.id,
            pool=pool.id.lower(),
            terms=pool.terms(),
        )
        session.add(instrument)
        session.flush()
    return instrument


def pool_of(instrument: Instrument, exchanges: Exchanges) -> Pool:
    """The pool that an instrument is traded in. Raises OrderRefused where its exchange is not set up any more."""
    token, terms = token_of(instrument), instrument.terms
    if not terms:
        return first_pool(exchanges, token, str(instrument.pool))
    exchange = exchanges.by_factory(str(terms["factory"]))
    if exchange is None:
        raise OrderRefused(
            f"{instrument.symbol} trades on an exchange that is not set up: {terms['factory']}",
            hint="sniper chain show",
            factory=terms["factory"],
        )
    return Pool(
        exchange,
        str(instrument.pool),
        token,
        str(terms["quote"]),
        int(terms["fee"]),
        int(terms["tick_spacing"]),
        str(terms["hooks"]),
    )


def first_pool(exchanges: Exchanges, token: str, pool: str) -> Pool:
    """A pool of which nothing but its address is known: the first Uniswap V2's."""
    exchange = first_exchange(exchanges)
    return Pool(exchange, pool, token, exchange.wrapped, exchange.fee)


def first_exchange(exchanges: Exchanges) -> Exchange:
    """The first V2 exchange; where there is none, the first."""
    return next(iter(exchanges.of(Protocol.V2)), exchanges.listed[0])


def launched_pool(launch: Launch, exchanges: Exchanges) -> Pool | None:
    """The pool of a launch; none where its exchange is not among those."""
    exchange = exchanges.by_factory(launch.factory)
    if exchange is None:
        return None
    return Pool(
        exchange,
        launch.pool,
        launch.token,
        launch.quote_token,
        exchange.fee if launch.fee is None else launch.fee,
        launch.tick_spacing or 0,
        launch.hooks or ZERO_ADDRESS,
    )


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
