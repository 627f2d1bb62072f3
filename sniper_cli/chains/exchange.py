"""The contracts of the exchanges on a chain, one a protocol and deployment, and where to find them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sniper_cli.chains.abi import UNISWAP_V2_INIT_CODE_HASH, pair_address
from sniper_cli.chains.devnet.record import DevnetRecord, read_record
from sniper_cli.errors import ConfigurationError, NodeUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Protocol as Interface

    from sniper_cli.chains.node import Node
    from sniper_cli.settings.chains import ChainSettings

    class HasData(Interface):
        """Whatever knows the data folder: `settings.paths.Paths`."""

        @property
        def data(self) -> Path: ...


class Protocol(StrEnum):
    """How an exchange's pools work. The values stand in launches, instruments and settings."""

    V2 = "uniswap_v2"
    V3 = "uniswap_v3"
    V4 = "uniswap_v4"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The contracts of one deployment of a protocol, Uniswap's own or a fork's; addresses in lower case."""

    chain_id: int
    wrapped: str
    factory: str
    """Whose logs tell of new pools: V2's and V3's factory, v4's PoolManager."""
    router: str
    """Who swaps for us: V2's Router02, V3's SwapRouter02, v4's UniversalRouter."""
    coin: str = "ETH"
    init_code_hash: str = UNISWAP_V2_INIT_CODE_HASH
    protocol: Protocol = Protocol.V2
    name: str = "uniswap"
    """Of the deployment: `uniswap`, `pancakeswap` …"""
    fee: int = 3000
    """What every pool of a V2 exchange takes, in hundredths of a basis point; V3 and v4 pools have their own."""
    position_manager: str = ""
    """Who holds the liquidity of V3 and v4 pools as NFTs."""
    permit2: str = ""
    """Through which v4's router takes tokens."""

    def pool_of(self, token: str) -> str:
        """Where a V2 exchange's pool of a token against the wrapped coin is, or would be."""
        return pair_address(self.factory, token, self.wrapped, self.init_code_hash)


@dataclass(frozen=True, slots=True)
class Exchanges:
    """All exchanges that are watched on one chain; at least one."""

    listed: tuple[Exchange, ...]

    @property
    def chain_id(self) -> int:
        return self.listed[0].chain_id

    @property
    def wrapped(self) -> str:
        return self.listed[0].wrapped

    @property
    def coin(self) -> str:
        return self.listed[0].coin

    @property
    def factories(self) -> tuple[str, ...]:
        """Whose logs are followed."""
        return tuple(exchange.factory for exchange in self.listed)

    @property
    def traded(self) -> tuple[str, ...]:
        """The factories in whose pools the desk trades: where it knows the router, and in v4 who takes tokens."""
        return tuple(
            each.factory
            for each in self.listed
            if each.router and (each.permit2 or each.protocol is not Protocol.V4)
        )

    def by_factory(self, factory: str) -> Exchange | None:
        """The exchange whose factory (v4: PoolManager) this is."""
        wanted = factory.lower()
        for each in self.listed:
            if each.factory == wanted:
                return each
        return None

    def of(self, protocol: Protocol) -> tuple[Exchange, ...]:
        """The exchanges of one protocol."""
        return tuple(each for each in self.listed if each.protocol is protocol)


def exchange_from(chain: ChainSettings, paths: HasData) -> Exchange:
    """The first V2 exchange of those that are watched. Raises ConfigurationError."""
    watched = exchanges_from(chain, paths)
    return next(iter(watched.of(Protocol.V2)), watched.listed[0])


def exchanges_from(chain: ChainSettings, paths: HasData) -> Exchanges:
    """All exchanges that are watched: the settings' own first, those of the chain's profile, else the devnet's.

    Raises ConfigurationError where there is none.
    """
    own = {each.factory: each for each in _set_up(chain)}
    known = {each.factory: each for each in _known(chain, paths)} if not _names_one(chain) else {}
    found = tuple((known | own).values()) if known else tuple(own.values())
    if found:
        return Exchanges(found)
    raise ConfigurationError(
        f"the settings name no exchange on chain {chain.chain_id}, and no devnet has been started",
        hint="sniper devnet start --detach",
    )


def _names_one(chain: ChainSettings) -> bool:
    """Whether the settings name a single V2 exchange by the old keys: then it alone is meant, and what they add."""
    return bool(chain.wrapped and chain.factory and chain.router)


def _set_up(chain: ChainSettings) -> Iterator[Exchange]:
    """The exchanges that the settings themselves name."""
    if chain.wrapped and chain.factory and chain.router:
        wrapped = chain.wrapped.lower()
        yield Exchange(chain.chain_id, wrapped, chain.factory.lower(), chain.router.lower(), chain.coin)
    for each in chain.exchanges:
        if chain.wrapped is None:
            raise ConfigurationError(
                f"the exchange {each.name!r} is set up without the chain's wrapped coin",
                hint="sniper config set chain.wrapped ADDRESS",
            )
        yield Exchange(
            chain.chain_id,
            chain.wrapped.lower(),
            each.factory.lower(),
            each.router.lower(),
            chain.coin,
            init_code_hash=each.init_code_hash.lower() or UNISWAP_V2_INIT_CODE_HASH,
            protocol=Protocol(each.protocol),
            name=each.name,
            fee=each.fee,
            position_manager=(each.position_manager or "").lower(),
            permit2=(each.permit2 or _permit2(each.protocol)).lower(),
        )


def _permit2(protocol: str) -> str:
    """Uniswap's own, at the same place on every chain, where a v4 deployment names no other."""
    from sniper_cli.chains.profiles import PERMIT2

    return PERMIT2 if protocol == Protocol.V4 else ""


def _known(chain: ChainSettings, paths: HasData) -> tuple[Exchange, ...]:
    """The exchanges of the chain's profile, or of the running devnet."""
    if chain.profile:
        from sniper_cli.chains.profiles import PROFILES

        return PROFILES[chain.profile].exchanges.listed
    record = _devnet_of(chain, paths)
    return () if record is None else on_devnet(record, chain.coin)


def on_devnet(record: DevnetRecord, coin: str = "ETH") -> tuple[Exchange, ...]:
    """The exchanges that stand on a devnet."""
    first = Exchange(record.chain_id, record.wrapped, record.factory, record.router, coin)
    from sniper_cli.chains.devnet.deploy import v3_beside, v4_beside

    beside = {Protocol.V3: v3_beside, Protocol.V4: v4_beside}
    return first, *(at(first) for protocol, at in beside.items() if protocol.value in record.protocols)


def node_from(chain: ChainSettings, paths: HasData) -> Node:
    """A client of the node that the settings name; the devnet's own where they name no exchange and one was started."""
    from sniper_cli.chains.node import Node

    timeout = float(chain.request_seconds)
    record = None if _names_one(chain) else _devnet_of(chain, paths)
    if record is not None:
        if not record.alive:
            raise NodeUnreachable(
                "the devnet of this home is not running", hint="sniper devnet start --detach"
            )
        return Node(record.http_url, ws_url=record.ws_url, timeout_seconds=timeout)
    return Node(chain.rpc_url, ws_url=chain.ws_url or None, timeout_seconds=timeout)


def _devnet_of(chain: ChainSettings, paths: HasData) -> DevnetRecord | None:
    record = read_record(paths.data)
    return record if record is not None and record.chain_id == chain.chain_id else None
