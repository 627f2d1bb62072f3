"""A real chain for tests: anvil, mining each transaction at once, with the exchange deployed.

One process serves a test session (it starts in 40 ms, but eight contracts later that adds up); every test gets a
chain as good as new by `evm_snapshot` and `evm_revert`. Tests that kill, freeze or reorganise a chain start their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchanges, v3_beside, v4_beside, wait_mined
from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.chains.node import Node

MNEMONIC = "test test test test test test test test test test test junk"
KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
)
"""anvil's well-known first keys; every developer has them."""
ADDRESSES = (
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
)
"""Account 0 deploys the exchange; 1 to 3 are free for tests, with 10,000 ether each. All are unlocked."""

BASE_FEE = 10**9


@dataclass(frozen=True, slots=True)
class Chain:
    """A running anvil with the exchange on it."""

    process: Anvil
    node: Node
    exchange: Exchange

    @property
    def v3(self) -> Exchange:
        """Uniswap V3's contracts on it."""
        return v3_beside(self.exchange)

    @property
    def v4(self) -> Exchange:
        """Uniswap v4's."""
        return v4_beside(self.exchange)

    @property
    def exchanges(self) -> Exchanges:
        return Exchanges((self.exchange, self.v3, self.v4))

    async def send(
        self, sender: str, to: str | None, data: str = "0x", value: int = 0, **fields: Any
    ) -> dict[str, Any]:
        """Send from an unlocked account and return the receipt; a reverted one is returned too."""
        transaction = {"from": sender, "data": data, "value": hex(value), "gas": hex(8_000_000), **fields}
        if to is not None:
            transaction["to"] = to
        tx_hash = await self.node.call("eth_sendTransaction", [transaction])
        return await wait_mined(self.node, tx_hash)

    async def mine(self, blocks: int = 1, seconds: int = 12) -> None:
        """Mine blocks that many seconds apart."""
        await self.node.call("anvil_mine", [hex(blocks), hex(seconds)])


@pytest.fixture(scope="session")
def anvil_process() -> Iterator[tuple[Anvil, Exchange]]:
    """The one process behind `anvil`. Not an async fixture: each test has an event loop of its own."""
    process = Anvil(block_seconds=0)
    yield process, asyncio.run(_start(process))
    asyncio.run(process.stop())


async def _start(process: Anvil) -> Exchange:
    await process.start()
    async with Node(process.http_url) as node:
        return (await deploy_exchanges(node)).listed[0]


@pytest.fixture
async def anvil(anvil_process: tuple[Anvil, Exchange]) -> AsyncIterator[Chain]:
    """A chain as good as new, mining each transaction at once, with the exchange deployed."""
    process, exchange = anvil_process
    async with Node(process.http_url, ws_url=process.ws_url) as node:
        snapshot = await node.call("evm_snapshot")
        # A reverted chain keeps its fee market: what an earlier test did to the base fee must not outbid this one.
        await node.call("anvil_setNextBlockBaseFeePerGas", [hex(BASE_FEE)])
        # … and its clock: a test that let weeks pass leaves the next one's blocks apart from the wall's time.
        await node.call("evm_setTime", [hex(int(time.time()))])
        yield Chain(process, node, exchange)
        await node.call("evm_revert", [snapshot])
