"""Which chain, through which node, and on which exchanges.

`profile = "base"` fills what is not set from `sniper_cli.chains.profiles`; `[[chain.exchanges]]` adds exchanges, or
replaces one of the same factory. The keys of a single V2 exchange (`wrapped`, `factory`, `router`) go on working.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from sniper_cli.settings.kinds import Address, Addresses, Table

DEVNET = 31337


class ExchangeSettings(Table):
    """One more exchange: a fork of Uniswap V2 or V3, or a v4 deployment."""

    name: str
    protocol: str = Field(default="uniswap_v2", pattern="^uniswap_(v2|v3|v4)$")
    factory: Address
    """V2's and V3's factory, v4's PoolManager."""
    router: Address
    """V2's Router02, V3's SwapRouter02, v4's UniversalRouter."""
    init_code_hash: str = Field(default="", pattern="^(0x[0-9a-fA-F]{64})?$")
    """keccak of the pair's creation code; Uniswap's own where none is given."""
    fee: int = Field(default=3000, ge=0, lt=1_000_000)
    """What every V2 pool takes, in hundredths of a basis point."""
    position_manager: Address | None = None
    """Who holds the liquidity of V3 and v4 pools as NFTs."""
    permit2: Address | None = None
    """Through which v4's router takes tokens; Uniswap's own where none is given."""


def _tables(value: Any) -> Any:
    """A list of tables written as JSON, as the environment has it."""
    return json.loads(value) if isinstance(value, str) else value


class ChainSettings(Table):
    """The chain, its node, and the contracts of its exchange. A devnet profile takes them from the running devnet."""

    profile: str = ""
    """A chain that Sniper knows (`sniper chain list`); it fills what is not set here."""
    chain_id: int = Field(default=DEVNET, ge=1)
    rpc_url: str = "http://127.0.0.1:8545"
    ws_url: str = ""
    """WebSocket endpoint; derived from `rpc_url` when empty."""
    block_seconds: Decimal = Field(default=Decimal(12), gt=0)
    request_seconds: Decimal = Field(default=Decimal(5), gt=0)
    """How long a node may take to answer."""
    coin: str = "ETH"
    wrapped: Address | None = None
    factory: Address | None = None
    router: Address | None = None
    exchanges: Annotated[tuple[ExchangeSettings, ...], BeforeValidator(_tables)] = ()
    """Further exchanges to watch, `[[chain.exchanges]]` each."""
    bases: Addresses = ()
    """Tokens besides the wrapped coin by whose pools a route may lead: the chain's dollars, usually."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        """What the profile knows, where nothing is set."""
        if not isinstance(values, dict) or not values.get("profile"):
            return values
        from sniper_cli.chains.profiles import PROFILES

        known = PROFILES.get(str(values["profile"]))
        if known is None:
            raise ValueError(f"no chain of that name is known; there are {', '.join(PROFILES)}")
        filled = {
            "chain_id": known.chain_id,
            "coin": known.coin,
            "wrapped": known.wrapped,
            "block_seconds": known.block_seconds,
        }
        return filled | {key: value for key, value in values.items() if value is not None}

    @model_validator(mode="after")
    def _agree(self) -> ChainSettings:
        if self.profile:
            from sniper_cli.chains.profiles import PROFILES

            if (known := PROFILES[self.profile].chain_id) != self.chain_id:
                raise ValueError(f"the chain {self.profile!r} has the id {known}, not {self.chain_id}")
        return self
