"""Puts WETH9 and Uniswap's V2, V3 and v4 contracts on a devnet, as Uniswap compiled them.

anvil's first account deploys them with its first nine transactions, so their addresses are the same on every fresh
devnet. The three of V3 come after the three of V2, those of v4 after them, and may be left out: a test that needs none
of them starts sooner. Permit2 is laid where it stands on every chain: what it was created with is nobody's to repeat.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from sniper_cli.chains.devnet.install import Installation, installation
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.chains.profiles import PERMIT2, UNISWAP_V3_INIT_CODE_HASH
from sniper_cli.errors import DevnetMissing, NetworkError

DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""anvil's account 0, unlocked on it."""
DEPLOY_GAS = 7_000_000
"""v4's position manager takes 5.7 million, V3's 5.4; three of them fit into one block of 30."""
FIRST_OF_V3, FIRST_OF_V4 = 3, 6
"""The nonces with which the deployer begins V3 and v4."""
NOBODY = "0x" + "0" * 40
UNSUBSCRIBE_GAS = 300_000
"""What v4's position manager lets a subscriber of a position use when it is told good-bye; as on the chains."""
MINED_SECONDS = 30.0


async def deploy_exchange(node: Node) -> Exchange:
    """Deploy the V2 exchange, or find it where it was deployed before (the chain's state was loaded)."""
    chain_id = int(await node.call("eth_chainId"), 16)
    exchange = _v2(chain_id)
    wanted = (exchange.wrapped, exchange.factory, exchange.router)
    if await _stand(node, wanted):
        return exchange
    if used := int(await node.call("eth_getTransactionCount", [DEPLOYER, "latest"]), 16):
        raise NetworkError(
            f"this devnet holds no exchange, and its deployer has already sent {used} transactions",
            hint="sniper devnet start --fresh",
        )
    await _deploy(node, 0, _v2_creations(installation(), exchange))
    return exchange


async def deploy_exchanges(node: Node) -> Exchanges:
    """Deploy V2, V3 and v4, or find them. A chain that was begun with fewer and went on since keeps those it has."""
    v2 = await deploy_exchange(node)
    v3, v4 = v3_beside(v2), v4_beside(v2)
    if not await _stand(node, (v3.factory, v3.position_manager, v3.router)):
        if not await _stands_at(node, FIRST_OF_V3):
            return Exchanges((v2,))
        await _deploy(node, FIRST_OF_V3, _v3_creations(installation(), v2, v3))
    if not await _stand(node, (v4.factory, v4.position_manager, v4.router, v4.permit2)):
        if not await _stands_at(node, FIRST_OF_V4):
            return Exchanges((v2, v3))
        installed = installation()
        await node.call("anvil_setCode", [v4.permit2, _permit2_code(installed)])
        await _deploy(node, FIRST_OF_V4, _v4_creations(installed, v2, v3, v4))
    return Exchanges((v2, v3, v4))


def v3_beside(v2: Exchange) -> Exchange:
    """Where V3's contracts stand, or would stand, on a devnet."""
    factory, position_manager, router = (
        created_address(DEPLOYER, nonce) for nonce in range(FIRST_OF_V3, FIRST_OF_V3 + 3)
    )
    return Exchange(
        v2.chain_id,
        v2.wrapped,
        factory,
        router,
        v2.coin,
        protocol=Protocol.V3,
        position_manager=position_manager,
    )


def v4_beside(v2: Exchange) -> Exchange:
    """Where v4's contracts stand, or would stand, on a devnet."""
    manager, position_manager, router = (
        created_address(DEPLOYER, nonce) for nonce in range(FIRST_OF_V4, FIRST_OF_V4 + 3)
    )
    return Exchange(
        v2.chain_id,
        v2.wrapped,
        manager,
        router,
        v2.coin,
        protocol=Protocol.V4,
        position_manager=position_manager,
        permit2=PERMIT2.lower(),
    )


async def _stands_at(node: Node, nonce: int) -> bool:
    """Whether the deployer's next transaction is the one of that number."""
    return int(await node.call("eth_getTransactionCount", [DEPLOYER, "pending"]), 16) == nonce


async def _stand(node: Node, addresses: tuple[str, ...]) -> bool:
    codes = await node.batch([("eth_getCode", [address, "latest"]) for address in addresses])
    return all(code != "0x" for code in codes)


async def _deploy(node: Node, first: int, creations: tuple[str, ...]) -> None:
    hashes = []
    for nonce, code in enumerate(creations, start=first):
        transaction = {"from": DEPLOYER, "nonce": hex(nonce), "gas": hex(DEPLOY_GAS), "data": code}
        hashes.append(await node.call("eth_sendTransaction", [transaction]))
    # Deployments need no second of block time each.
    await node.call("evm_mine")
    for tx_hash in hashes:
        receipt = await wait_mined(node, tx_hash)
        if receipt["status"] != "0x1":
            raise NetworkError(f"the deployment {tx_hash} failed", hint="sniper devnet start --fresh")


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


def _v2(chain_id: int) -> Exchange:
    wrapped, factory, router = (created_address(DEPLOYER, nonce) for nonce in range(FIRST_OF_V3))
    return Exchange(chain_id, wrapped, factory, router)


def _v2_creations(installed: Installation, v2: Exchange) -> tuple[str, ...]:
    return (
        _bytecode(installed, "WETH9"),
        _bytecode(installed, "UniswapV2Factory") + encode(["address"], [DEPLOYER]).hex(),
        _bytecode(installed, "UniswapV2Router02")
        + encode(["address", "address"], [v2.factory, v2.wrapped]).hex(),
    )


def _v3_creations(installed: Installation, v2: Exchange, v3: Exchange) -> tuple[str, ...]:
    """The position manager draws no pictures of its NFTs here: its descriptor is the zero address."""
    manager = encode(["address"] * 3, [v3.factory, v3.wrapped, NOBODY])
    router = encode(["address"] * 4, [v2.factory, v3.factory, v3.position_manager, v3.wrapped])
    return (
        _bytecode(installed, "UniswapV3Factory"),
        _bytecode(installed, "NonfungiblePositionManager") + manager.hex(),
        _bytecode(installed, "SwapRouter02") + router.hex(),
    )


def _v4_creations(installed: Installation, v2: Exchange, v3: Exchange, v4: Exchange) -> tuple[str, ...]:
    """The manager's owner, who may name one for protocol fees, is the deployer; bridges and pictures there are none."""
    positions = encode(
        ["address", "address", "uint256", "address", "address"],
        [v4.factory, v4.permit2, UNSUBSCRIBE_GAS, NOBODY, v4.wrapped],
    )
    known = (v4.permit2, v4.wrapped, v2.factory, v3.factory)
    hashes = (bytes.fromhex(v2.init_code_hash[2:]), bytes.fromhex(UNISWAP_V3_INIT_CODE_HASH[2:]))
    router = encode(
        ["address"] * 4 + ["bytes32"] * 2 + ["address"] * 4,
        [*known, *hashes, v4.factory, v3.position_manager, v4.position_manager, NOBODY],
    )
    return (
        _bytecode(installed, "PoolManager.default") + encode(["address"], [DEPLOYER]).hex(),
        _bytecode(installed, "PositionManager") + positions.hex(),
        _bytecode(installed, "UniversalRouter") + router.hex(),
    )


def _bytecode(installed: Installation, name: str) -> str:
    artifact: dict[str, Any] = json.loads(installed.artifact(name).read_text())
    code = artifact["bytecode"]
    return "0x" + str(code["object"] if isinstance(code, dict) else code).removeprefix("0x")


def _permit2_code(installed: Installation) -> str:
    """Permit2 as it runs, from the Solidity file by which Uniswap's own tests lay it."""
    found = re.search(r'hex"([0-9a-f]+)"', installed.file("DeployPermit2.sol").read_text())
    if found is None:
        raise DevnetMissing("the code of Permit2 is not installed", hint="sniper devnet install")
    return "0x" + found[1]
