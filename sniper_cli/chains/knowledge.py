"""The chains that Sniper knows, for people: what `sniper chain` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.profiles import KNOWN, PERMIT2, PROFILES, ChainProfile, Deployment
from sniper_cli.errors import NotFound


def known_chains() -> list[dict[str, Any]]:
    """All of them, in the order of the table."""
    return [_row(each) for each in KNOWN]


def chain_named(name: str) -> dict[str, Any]:
    """One of them, by its name or its id, with its exchanges. Raises NotFound."""
    word = name.strip().lower()
    found = PROFILES.get(word) or next((each for each in KNOWN if str(each.chain_id) == word), None)
    if found is None:
        raise NotFound(f"no chain {name!r} is known", hint="sniper chain list", chain=name)
    return _row(found) | {"permit2": PERMIT2, "exchanges": told_exchanges(found.deployments)}


def told_exchanges(exchanges: Sequence[Deployment | Exchange]) -> list[dict[str, Any]]:
    """The contracts of some exchanges."""
    return [
        {
            "protocol": each.protocol.value,
            "name": each.name,
            "factory": each.factory,
            "router": each.router,
            "position_manager": each.position_manager or None,
            "init_code_hash": each.init_code_hash or None,
            "fee": each.fee,
        }
        for each in exchanges
    ]


def _row(chain: ChainProfile) -> dict[str, Any]:
    return {
        "name": chain.name,
        "chain_id": chain.chain_id,
        "coin": chain.coin,
        "wrapped": chain.wrapped,
        "block_seconds": str(chain.block_seconds),
        "l1_fee": chain.l1_fee,
        "minimum_tip_gwei": str(chain.minimum_tip_gwei),
        "finality": chain.finality,
        "exchange_count": len(chain.deployments),
    }
