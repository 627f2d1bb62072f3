"""A signed transaction, given to every node at once: the first to take it decides.

The bytes are the same everywhere, so are their hash and nonce: a chain cannot mine them twice, and nothing is risked by
telling all. Nobody waits for the slower nodes; what each of them made of it is kept.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sniper_cli.chains.broadcast import Fate, fate_of
from sniper_cli.chains.node import Node
from sniper_cli.endpoints.faults import Fault, fault_of
from sniper_cli.endpoints.health import State
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.pool import Pool, Question
from sniper_cli.errors import NetworkError, NodeRefused

SEND_RAW = "eth_sendRawTransaction"
LINGER_SECONDS = 1.0
"""How long closing waits for transactions that are still on their way to the slower nodes."""
BROADCASTS_KEPT = 100


class Broadcasts:
    """What has been sent through a pool of nodes, and what is still on its way."""

    def __init__(self, pool: Pool[Node]) -> None:
        self.pool = pool
        self.fates: dict[str, dict[str, str]] = {}
        """What each node made of the last transactions, by the bytes that were sent."""
        self._sending: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Let what is on its way arrive, as far as it is quick."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=LINGER_SECONDS)
        for task in tuple(self._sending):
            task.cancel()
            with suppress(asyncio.CancelledError, NetworkError):
                await task

    async def send(self, raw: str) -> Any:
        """Give the bytes to every node; the first acceptance is the answer, the others are heard in their own time.

        Where none accepts: a node that did not answer may have taken them, so its silence counts before a refusal.
        """
        members = self.pool.members
        among = [m for m in members if self.pool.state_of(m) not in (State.WRONG_CHAIN, State.OPEN)]
        among = among or [m for m in members if not m.health.wrong_chain] or list(members)
        fates = self._fates_of(raw)
        waiting = {asyncio.ensure_future(self._send_to(member, raw, fates)) for member in among}
        self._sending |= waiting
        for task in waiting:
            task.add_done_callback(self._sending.discard)
        refused: NetworkError | None = None
        silent: NetworkError | None = None
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                answer = task.result()
                if not isinstance(answer, NetworkError):
                    return answer
                if fault_of(answer) is Fault.ANSWER:
                    refused = refused or answer
                else:
                    silent = silent or answer
        raise silent or refused or self.pool.nobody()

    async def _send_to(self, member: Member[Node], raw: str, fates: dict[str, str]) -> Any:
        """One node's answer; an error is returned, for nobody may be waiting for it any more."""

        async def work(node: Node) -> Any:
            return await node.call(SEND_RAW, [raw])

        try:
            answer = await self.pool.attempt(member, Question(work, repeatable=False))
        except NodeRefused as error:
            fate = fate_of(str(error.details.get("message") or error.message))
            fates[member.name] = fate.value
            return _hash_of(raw) if fate is Fate.KNOWN else error
        except NetworkError as error:
            fates[member.name] = error.code
            return error
        fates[member.name] = Fate.ACCEPTED.value
        return answer

    def _fates_of(self, raw: str) -> dict[str, str]:
        fates = self.fates.setdefault(_hash_of(raw), {})
        while len(self.fates) > BROADCASTS_KEPT:
            del self.fates[next(iter(self.fates))]
        return fates


def _hash_of(raw: str) -> str:
    """A transaction's hash, which is that of its signed bytes."""
    from eth_utils.crypto import keccak

    return "0x" + keccak(hexstr=raw).hex()
