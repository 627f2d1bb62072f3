"""A relay on loopback with a builder behind it: it checks signatures, and places what it was given in its blocks.

What a bundle or a private transaction would do is tried on the chain itself, between `evm_snapshot` and `evm_revert`:
what would fail is not placed and costs nothing. Blocks come only when a test asks for one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from sniper_cli.chains.node import Node
from sniper_cli.chains.relays import SIGNATURE
from sniper_cli.errors import NodeRefused


def tx_hash(raw: str) -> str:
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


@dataclass
class Asked:
    """A bundle for one block, as it came in."""

    txs: list[str]
    block: int
    uuid: str
    may_revert: set[str]


@dataclass
class StubRelay:
    """The relay and its builder."""

    node: Node
    url: str = ""
    signers: list[str] = field(default_factory=list)
    """Who signed the requests."""
    heard: list[str] = field(default_factory=list)
    """The methods asked, in their order."""
    bundles: list[Asked] = field(default_factory=list)
    private: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Hash → bytes, last block."""
    refuses: bool = False
    """Answers everything with an error."""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def build(self, blocks: int = 1) -> None:
        """Mine: what was asked for the block, if all of it succeeds, then whatever the mempool has."""
        for _ in range(blocks):
            number = int(await self.node.call("eth_blockNumber"), 16) + 1
            placed: list[str] = []
            for bundle in [each for each in self.bundles if each.block == number]:
                placed += bundle.txs if await self._would_pass(bundle.txs, bundle.may_revert, placed) else []
            for raw, last in list(self.private.values()):
                if number <= last and raw not in placed and await self._would_pass([raw], set(), placed):
                    placed.append(raw)
            for raw in placed:
                await self.node.call("eth_sendRawTransaction", [raw])
                self.private.pop(tx_hash(raw), None)
            await self.node.call("evm_mine")

    async def _would_pass(self, txs: Sequence[str], may_revert: set[str], before: Sequence[str]) -> bool:
        outcome = await self._dry([*before, *txs])
        mine = outcome[len(before) :]
        return all(ok or tx_hash(raw) in may_revert for ok, raw in zip(mine, txs, strict=True))

    async def _dry(self, txs: Sequence[str]) -> list[bool]:
        snapshot = await self.node.call("evm_snapshot")
        hashes: list[str | None] = []
        for raw in txs:
            try:
                hashes.append(await self.node.call("eth_sendRawTransaction", [raw]))
            except NodeRefused:
                hashes.append(None)
        await self.node.call("evm_mine")
        found = []
        for each in hashes:
            receipt = each and await self.node.call("eth_getTransactionReceipt", [each])
            found.append(bool(receipt) and receipt["status"] == "0x1")
        await self.node.call("evm_revert", [snapshot])
        await self.node.call("anvil_dropAllTransactions")
        return found

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        asked = json.loads(body)
        method = asked["method"]
        self.heard.append(method)
        if method != "eth_sendRawTransaction":
            signer = self._signer(request, body)
            if signer is None:
                return self._error(asked, "signature check failed", status=403)
            self.signers.append(signer)
        if self.refuses:
            return self._error(asked, "rate limit exceeded")
        result = await self._answer(method, asked["params"][0])
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    async def _answer(self, method: str, asked: Any) -> Any:
        match method:
            case "eth_sendPrivateTransaction":
                self.private[tx_hash(asked["tx"])] = (asked["tx"], int(asked["maxBlockNumber"], 16))
                return tx_hash(asked["tx"])
            case "eth_sendRawTransaction":
                self.private[tx_hash(asked)] = (asked, 2**60)
                return tx_hash(asked)
            case "eth_cancelPrivateTransaction":
                return self.private.pop(asked["txHash"], None) is not None
            case "eth_sendBundle":
                new = Asked(
                    asked["txs"],
                    int(asked["blockNumber"], 16),
                    asked["replacementUuid"],
                    set(asked.get("revertingTxHashes", [])),
                )
                self.bundles = [each for each in self.bundles if each.uuid != new.uuid] + [new]
                return {"bundleHash": "0x" + keccak(text="".join(new.txs)).hex()}
            case "eth_cancelBundle":
                left = [each for each in self.bundles if each.uuid != asked["replacementUuid"]]
                gone, self.bundles = len(self.bundles) > len(left), left
                return gone
            case "eth_callBundle":
                outcome = await self._dry(asked["txs"])
                return {
                    "results": [
                        {"txHash": tx_hash(raw), **({} if ok else {"error": "execution reverted"})}
                        for raw, ok in zip(asked["txs"], outcome, strict=True)
                    ]
                }
        raise AssertionError(f"nobody asks a relay for {method}")

    @staticmethod
    def _signer(request: web.Request, body: str) -> str | None:
        address, _, signature = request.headers.get(SIGNATURE, "").partition(":")
        if not signature:
            return None
        message = encode_defunct(text="0x" + keccak(text=body).hex())
        return address if Account.recover_message(message, signature=signature) == address else None

    @staticmethod
    def _error(asked: Any, words: str, status: int = 200) -> web.Response:
        error = {"code": -32600, "message": words}
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error}, status=status)
