"""What wallets hold, asked of the profile's node."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from sniper_cli.settings.model import ChainSettings

WEI_DECIMALS = 18


def read_balances(chain: ChainSettings, addresses: Sequence[str]) -> dict[str, Decimal]:
    """Coins by address, at the newest block.

    Raises NodeUnreachable, NodeTimeout, NodeRefused, WrongChain.
    """
    return asyncio.run(_read(chain, addresses)) if addresses else {}


async def _read(chain: ChainSettings, addresses: Sequence[str]) -> dict[str, Decimal]:
    from sniper_cli.chains.node import Node

    async with Node(
        chain.rpc_url, ws_url=chain.ws_url or None, timeout_seconds=float(chain.request_seconds)
    ) as node:
        await node.check_chain(chain.chain_id)
        answers = await node.batch([("eth_getBalance", [address, "latest"]) for address in addresses])
    return {
        address: Decimal(int(answer, 16)).scaleb(-WEI_DECIMALS)
        for address, answer in zip(addresses, answers, strict=True)
    }
