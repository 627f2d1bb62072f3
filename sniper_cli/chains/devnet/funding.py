"""Coins out of nothing, on a local chain: what `sniper devnet fund` does."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from sniper_cli.chains.devnet.service import running_record
from sniper_cli.chains.node import Node
from sniper_cli.errors import NotFound, UsageProblem
from sniper_cli.settings.paths import Paths

COIN_DECIMALS = 18


def fund_on_devnet(paths: Paths, address: str, amount: Decimal, *, dry_run: bool) -> dict[str, Any]:
    """Add coins to an address on this home's chain; its balance afterwards.

    Raises NotFound where no devnet runs, UsageProblem for an amount finer than a wei, NodeUnreachable, NodeTimeout.
    """
    record = running_record(paths)
    if record is None:
        raise NotFound("no devnet runs in this home", hint="sniper devnet start --detach")
    wei = amount.scaleb(COIN_DECIMALS)
    if wei != wei.to_integral_value() or wei <= 0:
        raise UsageProblem(
            f"{amount} is no amount of coins", hint=f"sniper devnet fund {address} --amount 10"
        )
    balance = asyncio.run(_fund(record.http_url, address.lower(), int(wei), dry_run=dry_run))
    return {
        "address": address.lower(),
        "amount": amount,
        "balance": Decimal(balance).scaleb(-COIN_DECIMALS),
        "dry_run": dry_run,
    }


async def _fund(url: str, address: str, wei: int, *, dry_run: bool) -> int:
    async with Node(url) as node:
        balance = int(await node.call("eth_getBalance", [address, "latest"]), 16) + wei
        if not dry_run:
            await node.call("anvil_setBalance", [address, hex(balance)])
    return balance
