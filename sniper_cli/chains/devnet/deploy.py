"""Puts WETH9 and the Uniswap V2 factory and router on a devnet, as Uniswap compiled them.

anvil's first account deploys them with its first three transactions, so their addresses are the same on every
fresh devnet.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from sniper_cli.chains.devnet.install import Installation, installation
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.errors import NetworkError

DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""anvil's account 0, unlocked on it."""
DEPLOY_GAS = 6_000_000
"""The router takes 4.4 million."""
MINED_SECONDS = 30.0


async def deploy_exchange(node: Node) -> Exchange:
    """Deploy the exchange, or find it where it was deployed before (the chain's state was loaded)."""
    chain_id = int(await node.call("eth_chainId"), 16)
    wrapped, factory, router = (created_address(DEPLOYER, nonce) for nonce in range(3))
    exchange = Exchange(chain_id, wrapped, factory, router)
    codes = await node.batch([("eth_getCode", [address, "latest"]) for address in (wrapped, factory, router)])
    if all(code != "0x" for code in codes):
        return exchange
    if used := int(await node.call("eth_getTransactionCount", [DEPLOYER, "latest"]), 16):
        raise NetworkError(
            f"this devnet holds no exchange, and its deployer has already sent {used} transactions",
            hint="sniper devnet start --fresh",
        )
    hashes = []
    for nonce, code in enumerate(_creations(installation(), wrapped, factory)):
        transaction = {"from": DEPLOYER, "nonce": hex(nonce), "gas": hex(DEPLOY_GAS), "data": code}
        hashes.append(await node.call("eth_sendTransaction", [transaction]))
    # Three deployments need no second of block time each.
    await node.call("evm_mine")
    for tx_hash in hashes:
        receipt = await wait_mined(node, tx_hash)
        if receipt["status"] != "0x1":
            raise NetworkError(f"the deployment {tx_hash} failed", hint="sniper devnet start --fresh")
    return exchange


async def wait_mined(node: Node, tx_hash: str, seconds: float = MINED_SECONDS) -> dict[str, Any]:
    """The receipt, as soon as there is one."""
    async with asyncio.timeout(seconds):
        while True:
            receipt: dict[str, Any] | None = await node.call("eth_getTransactionReceipt", [tx_hash])
            if receipt is not None:
                return receipt
            await asyncio.sleep(0.02)


def created_address(sender: str, nonce: int) -> str:
    """Where a contract created by `sender` with that nonce stands: keccak(rlp(sender, nonce)), yellow paper eq. 88."""
    packed: bytes = rlp_encode([bytes.fromhex(sender[2:]), nonce])
    return "0x" + keccak(packed)[12:].hex()


def _creations(installed: Installation, wrapped: str, factory: str) -> tuple[str, str, str]:
    return (
        _bytecode(installed, "WETH9"),
        _bytecode(installed, "UniswapV2Factory") + encode(["address"], [DEPLOYER]).hex(),
        _bytecode(installed, "UniswapV2Router02") + encode(["address", "address"], [factory, wrapped]).hex(),
    )


def _bytecode(installed: Installation, name: str) -> str:
    artifact: dict[str, Any] = json.loads(installed.artifact(name).read_text())
    return "0x" + str(artifact["bytecode"]).removeprefix("0x")
