"""What wallets hold, asked of the profile's node."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from sniper_cli.chains.exchange import node_from
from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.paths import Paths

WEI_DECIMALS = 18


def read_balances(chain: ChainSettings, paths: Paths, addresses: Sequence[str]) -> dict[str, Decimal]:
    """Coins by address, at the newest block of the profile's node (of this home's devnet, where it is one).

    Raises NodeUnreachable, NodeTimeout, NodeRefused, WrongChain.
    """
    return asyncio.run(_read(chain, paths, addresses)) if addresses else {}


async def _read(chain: ChainSettings, paths: Paths, addresses: Sequence[str]) -> dict[str, Decimal]:
    async with node_from(chain, paths) as node:
        await node.check_chain(chain.chain_id)
        answers = await node.batch([("eth_getBalance", [address, "latest"]) for address in addresses])
    return {
        address: Decimal(int(answer, 16)).scaleb(-WEI_DECIMALS)
        for address, answer in zip(addresses, answers, strict=True)
    }
