"""Relays: transactions that go to those who build the blocks, past the mempool where everybody reads them.

Two kinds are spoken. A relay of Flashbots' kind takes `eth_sendPrivateTransaction` and `eth_sendBundle`, and wants
every request signed: the header names an address and its signature of the body's hash. That address is an identity of
ours for reputation only and holds no money; it is a key of its own, never the wallet's. A protecting node (Protect's
kind) is an ordinary JSON-RPC address that keeps what `eth_sendRawTransaction` gives it to itself.

The client stands here and not on PyPI's `flashbots`, which holds web3 below 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

import aiohttp

from sniper_cli.chains.broadcast import Broadcast, Fate, fate_of
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused

SIGNATURE = "X-Flashbots-Signature"
MOST_TRANSACTIONS = 100
MOST_BYTES = 300_000
"""What Flashbots' relay takes of a bundle (docs.flashbots.net, RPC endpoint)."""


class Style(StrEnum):
    """How a relay is spoken to."""

    FLASHBOTS = "flashbots"
    PROTECT = "protect"


class Identity:
    """Signs requests to relays. Its address is known to them and holds nothing."""

    def __init__(self, private_key: str | bytes) -> None:
        from eth_account import Account

        self._account = Account.from_key(private_key)

    @property
    def address(self) -> str:
        return str(self._account.address)

    def header(self, body: bytes) -> str:
        """`address:signature`, the signature that of the body's hash spelled as hex, as `personal_sign` signs text."""
        from eth_account.messages import encode_defunct
        from eth_utils.crypto import keccak

        digest = "0x" + keccak(body).hex()
        signed = self._account.sign_message(encode_defunct(text=digest))
        return f"{self.address}:0x{bytes(signed.signature).hex()}"

    def __repr__(self) -> str:
        return f"Identity({self.address})"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Transactions that are placed together in one named block, or not at all."""

    transactions: tuple[str, ...]
    block: int
    replacement: UUID
    """By which it is taken back; one for each block, since a later bundle of the same would take its place."""
    may_revert: tuple[str, ...] = ()
    """Hashes of those whose failure does not undo the others."""
    earliest: int | None = None
    latest: int | None = None
    """Chain time, in seconds."""

    def __post_init__(self) -> None:
        size = sum(len(raw) // 2 - 1 for raw in self.transactions)
        if not 0 < len(self.transactions) <= MOST_TRANSACTIONS or size > MOST_BYTES:
            raise ValueError(
                f"no relay takes a bundle of {len(self.transactions)} transactions, {size} bytes"
            )

    def asked(self) -> dict[str, Any]:
        """As `eth_sendBundle` wants it."""
        asked: dict[str, Any] = {
            "txs": list(self.transactions),
            "blockNumber": hex(self.block),
            "replacementUuid": str(self.replacement),
        }
        if self.may_revert:
            asked["revertingTxHashes"] = list(self.may_revert)
        if self.earliest is not None:
            asked["minTimestamp"] = self.earliest
        if self.latest is not None:
            asked["maxTimestamp"] = self.latest
        return asked


def bundles_for(
    order_id: UUID, transactions: Sequence[str], blocks: Sequence[int], *, latest: int | None = None
) -> list[Bundle]:
    """The same transactions for each of several blocks: a bundle is for one block only."""
    return [
        Bundle(tuple(transactions), block, uuid5(order_id, str(block)), latest=latest) for block in blocks
    ]


class Relay(Node):
    """A client of one relay."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        identity: Identity | None = None,
        style: Style = Style.FLASHBOTS,
        fast: bool = False,
        shown: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        """`fast`: all builders that the relay works with may see what is private, not only its own."""
        super().__init__(url, timeout_seconds=timeout_seconds, shown=shown)
        self.name = name
        self.identity = identity
        self.style = style
        self.fast = fast

    @property
    def takes_bundles(self) -> bool:
        return self.style is Style.FLASHBOTS

    async def send_private(self, raw: str, *, until_block: int) -> Broadcast:
        """Ask for a transaction to be placed up to a block. The same bytes again are safe.

        Raises NodeUnreachable and NodeTimeout: it may have arrived or not.
        """
        if self.style is Style.PROTECT:
            return await self._told("eth_sendRawTransaction", raw)
        asked = {"tx": raw, "maxBlockNumber": hex(until_block), "preferences": {"fast": self.fast}}
        return await self._told("eth_sendPrivateTransaction", asked)

    async def cancel_private(self, tx_hash: str) -> bool:
        """Ask for a transaction not to be placed any more; whether the relay says so. It proves nothing."""
        if self.style is Style.PROTECT:
            return False  # such a node forgets by itself, and has no word for it
        return await self._asked("eth_cancelPrivateTransaction", {"txHash": tx_hash})

    async def send_bundles(self, bundles: Sequence[Bundle]) -> Broadcast:
        """Give bundles in, one for each block they may stand in. Taken for any block is taken."""
        heard = [await self._told("eth_sendBundle", bundle.asked()) for bundle in bundles]
        return next((said for said in heard if said.may_be_mined), heard[-1])

    async def cancel_bundles(self, order_id: UUID, blocks: Sequence[int]) -> bool:
        """Take the bundles of an order for these blocks back; whether the relay says so of all."""
        told = [
            await self._asked("eth_cancelBundle", {"replacementUuid": str(uuid5(order_id, str(block)))})
            for block in blocks
        ]
        return all(told)

    async def rehearse(self, bundle: Bundle, *, state_block: int | str = "latest") -> list[dict[str, Any]]:
        """What each transaction of a bundle would do. Raises NodeRefused, NodeUnreachable, NodeTimeout."""
        state = hex(state_block) if isinstance(state_block, int) else state_block
        asked = {
            "txs": list(bundle.transactions),
            "blockNumber": hex(bundle.block),
            "stateBlockNumber": state,
        }
        answer = await self.call("eth_callBundle", [asked])
        return list(answer["results"])

    async def _told(self, method: str, asked: Any) -> Broadcast:
        try:
            await self.call(method, [asked])
        except NodeRefused as refused:
            words = str(refused.details.get("message") or refused.message)
            return Broadcast(fate_of(words), words)
        return Broadcast(Fate.ACCEPTED)

    async def _asked(self, method: str, asked: Any) -> bool:
        try:
            return bool(await self.call(method, [asked]))
        except NodeRefused as refused:
            del refused  # unknown to it, or placed already: the receipt tells, not the relay
            return False

    async def _post_once(self, body: bytes) -> bytes:
        """As a node is posted to, with the body signed."""
        session = self._opened()
        headers = {} if self.identity is None else {SIGNATURE: self.identity.header(body)}
        async with session.post(self.url, data=body, headers=headers) as response:
            answer = await response.read()
            if response.status >= 400 and not answer.lstrip().startswith((b"{", b"[")):
                response.raise_for_status()
            return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.timeout_seconds),
                headers={"Content-Type": "application/json"},
            )
        return self._session


__all__ = ["Bundle", "Identity", "Relay", "Style", "bundles_for"]
