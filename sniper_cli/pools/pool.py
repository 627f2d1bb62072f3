"""Which pool: what names it on its chain, whatever its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sniper_cli.chains.exchange import Exchange, Protocol

ZERO_ADDRESS = "0x" + "0" * 40
"""In a v4 pool the chain's coin itself, unwrapped."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of a token against the coin. All hex in lower case."""

    exchange: Exchange
    id: str
    """The pool's address; in v4 its 32-byte id, the keccak of its key."""
    token: str
    quote: str
    """The wrapped coin; in v4 also the zero address."""
    fee: int = 3000
    """Hundredths of a basis point."""
    tick_spacing: int = 0
    hooks: str = ZERO_ADDRESS

    @property
    def protocol(self) -> Protocol:
        return self.exchange.protocol

    @property
    def keeper(self) -> str:
        """Who holds the pool's coins and tokens: the pool itself; in v4 the manager of all pools."""
        return self.exchange.factory if self.protocol is Protocol.V4 else self.id

    @property
    def coin_first(self) -> bool:
        """Whether the coin is the pool's token0 (v4: currency0): it is the one with the lower address."""
        return int(self.quote, 16) < int(self.token, 16)

    @property
    def currencies(self) -> tuple[str, str]:
        """Token0 and token1."""
        return (self.quote, self.token) if self.coin_first else (self.token, self.quote)

    def terms(self) -> dict[str, Any]:
        """What an instrument keeps of it beside the id and the token."""
        return {
            "protocol": self.protocol.value,
            "factory": self.exchange.factory,
            "quote": self.quote,
            "fee": self.fee,
            "tick_spacing": self.tick_spacing,
            "hooks": self.hooks,
        }


def pair_of(exchange: Exchange, token: str, pool: str = "") -> Pool:
    """A V2 exchange's pool of a token against the wrapped coin; where it would be, if no address is given."""
    token = token.lower()
    return Pool(exchange, (pool or exchange.pool_of(token)).lower(), token, exchange.wrapped, exchange.fee)
