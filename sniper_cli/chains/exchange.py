"""The contracts of one Uniswap V2 exchange, and where to find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.chains.abi import UNISWAP_V2_INIT_CODE_HASH, pair_address
from sniper_cli.chains.devnet.record import DevnetRecord, read_record
from sniper_cli.errors import ConfigurationError, NodeUnreachable

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from sniper_cli.chains.node import Node
    from sniper_cli.settings.model import ChainSettings

    class HasData(Protocol):
        """Whatever knows the data folder: `settings.paths.Paths`."""

        @property
        def data(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """The contracts that a Uniswap V2 exchange is made of; addresses in lower case."""

    chain_id: int
    wrapped: str
    factory: str
    router: str
    coin: str = "ETH"
    init_code_hash: str = UNISWAP_V2_INIT_CODE_HASH

    def pool_of(self, token: str) -> str:
        """Where the pool of a token against the wrapped coin is, or would be."""
        return pair_address(self.factory, token, self.wrapped, self.init_code_hash)


def exchange_from(chain: ChainSettings, paths: HasData) -> Exchange:
    """The exchange that the settings name; where they name none, the one on the running devnet."""
    if chain.wrapped and chain.factory and chain.router:
        return Exchange(
            chain.chain_id, chain.wrapped.lower(), chain.factory.lower(), chain.router.lower(), chain.coin
        )
    record = _devnet_of(chain, paths)
    if record is None:
        raise ConfigurationError(
            f"the settings name no exchange on chain {chain.chain_id}, and no devnet has been started",
            hint="sniper devnet start --detach",
        )
    return Exchange(record.chain_id, record.wrapped, record.factory, record.router, chain.coin)


def node_from(chain: ChainSettings, paths: HasData) -> Node:
    """A client of the node that the settings name; the devnet's own where they name no exchange and one was started."""
    from sniper_cli.chains.node import Node

    timeout = float(chain.request_seconds)
    record = None if chain.wrapped and chain.factory and chain.router else _devnet_of(chain, paths)
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
