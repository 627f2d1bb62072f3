"""Who carries out the plan: signs what is due, sends it in batches, and writes down what became of the launches.

They share two cores with the chain and with Sniper: one look at the clock every fifth of a second, at most two requests
each time, raw JSON-RPC. Their accounts are children of a wallet made from the seed; that anvil gives them
their coins is a privilege of the stage.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.deploy import created_address
from sniper_cli.chains.exchange import Exchanges, Protocol
from sniper_cli.chains.node import Head, Node, head_from
from sniper_cli.demo.liquidity import planned_pool, position_from
from sniper_cli.demo.plan import WEI, PlannedLaunch
from sniper_cli.demo.steps import FIRST_WHALE, GAS, TIPS, USUAL_TIP, Act, Places, Step, call_of, steps_of
from sniper_cli.demo.truth import Truth, append_truth
from sniper_cli.errors import NodeRefused

TICK_SECONDS = 0.2
LOOKAHEAD_MS = 10_000
"""A launch's transactions are worked out so long before it is due; its token is deployed five seconds before."""
PATIENCE_MS = 6_000
"""How long a sale waits for what it sells to arrive."""
BLOCK_MS = 2_000
"""… and a removal of liquidity for the next block."""
FUNDS = 1_000 * WEI
PROPOSER = "0x00000000000000000000000000000000c01dba5e"
"""Proposes the blocks of a chain where nobody does, as no real chain's blocks are proposed."""


class Wallet:
    """The staging's accounts, by number: BIP-44 children of a mnemonic made from the seed."""

    def __init__(self, seed: int) -> None:
        entropy = hashlib.sha256(f"sniper staging {seed}".encode()).digest()[:16]
        self._seed = seed_from_mnemonic(Mnemonic().to_mnemonic(entropy), "")
        self._accounts: dict[int, LocalAccount] = {}

    def account(self, number: int) -> LocalAccount:
        """Derived once, then remembered."""
        if number not in self._accounts:
            key = key_from_seed(self._seed, f"m/44'/60'/0'/0/{number}")
            self._accounts[number] = Account.from_key(key)
        return self._accounts[number]

    def address(self, number: int) -> str:
        """In lower case."""
        return str(self.account(number).address).lower()


@dataclass(slots=True)
class _Onstage:
    """A launch that has begun."""

    places: Places
    truth: Truth


class Stagehands:
    """Carries out launches on one chain."""

    def __init__(
        self,
        node: Node,
        exchanges: Exchanges,
        *,
        seed: int,
        truth_file: Path,
        note: Callable[[str], None],
    ) -> None:
        self.node = node
        self.exchanges = exchanges
        self.seed = seed
        self.wallet = Wallet(seed)
        self.truth_file = truth_file
        self.note = note
        self._nonces: dict[int, int] = {}
        self._due: list[tuple[int, int, Step]] = []
        self._counter = 0
        self._onstage: dict[int, _Onstage] = {}
        self._watched: dict[str, Step] = {}
        self._seen_at: dict[Step, int] = {}
        self._head: Head | None = None

    async def perform(
        self, launches: Iterable[PlannedLaunch], duration: float, stopping: Callable[[], bool]
    ) -> None:
        """Until the time is over or `stopping` says so. Raises NetworkError when the node is gone."""
        await self._dress_the_chain()
        started = time.monotonic()
        waiting = sorted(launches, key=lambda launch: launch.at_ms, reverse=True)
        while not stopping():
            now_ms = int((time.monotonic() - started) * 1000)
            if now_ms >= duration * 1000:
                return
            while waiting and waiting[-1].at_ms - LOOKAHEAD_MS <= now_ms:
                for step in steps_of(waiting.pop(), self.seed):
                    self._schedule(step, step.at_ms)
            await self._tick(now_ms)
            await asyncio.sleep(TICK_SECONDS)

    async def _dress_the_chain(self) -> None:
        head = await self.node.head()
        if int(head.coinbase, 16) == 0:
            await self.node.call("anvil_setCoinbase", [PROPOSER])

    def _schedule(self, step: Step, at_ms: int) -> None:
        self._counter += 1
        heapq.heappush(self._due, (at_ms, self._counter, step))

    async def _tick(self, now_ms: int) -> None:
        due = []
        while self._due and self._due[0][0] <= now_ms:
            due.append(heapq.heappop(self._due)[2])
        if not due and not self._watched:
            return
        await self._enter(due)
        balances = await self._look_around(due)
        ready = []
        for step in due:
            if step.needs_balance and not balances[step]:
                if now_ms < step.at_ms + PATIENCE_MS:
                    self._schedule(step, now_ms + 500)
            elif step.act is Act.PULL and not self._block_has_passed(step, now_ms):
                self._schedule(step, now_ms)
            else:
                ready.append(step)
        await self._send(ready, balances)

    def _block_has_passed(self, step: Step, now_ms: int) -> bool:
        """Whether a block came since a step was due: who pulls has looked at the pool in a block just mined."""
        assert self._head is not None
        seen = self._seen_at.setdefault(step, self._head.number)
        return self._head.number > seen or now_ms > step.at_ms + BLOCK_MS

    async def _enter(self, due: list[Step]) -> None:
        """Give coins and a first nonce to accounts that appear for the first time."""
        new = list(dict.fromkeys(step.account for step in due if step.account not in self._nonces))
        if not new:
            return
        calls: list[tuple[str, list[Any]]] = []
        for number in new:
            address = self.wallet.address(number)
            calls.append(("anvil_setBalance", [address, hex(FUNDS)]))
            calls.append(("eth_getTransactionCount", [address, "pending"]))
        answers = await self.node.batch(calls)
        for number, nonce in zip(new, answers[1::2], strict=True):
            self._nonces[number] = int(nonce, 16)

    async def _look_around(self, due: list[Step]) -> dict[Step, int]:
        """One request: the head, receipts of launches under way, and the balances that sales need."""
        selling = [step for step in due if step.needs_balance and not self._has_position(step)]
        watched = list(self._watched)
        calls: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", ["latest", False])]
        calls += [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in watched]
        for step in selling:
            places = self._onstage[step.launch.index].places
            asset = places.pool.id if step.act is Act.PULL else places.token
            holder = self.wallet.address(step.account)
            data = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [holder])
            calls.append(("eth_call", [{"to": asset, "data": data}, "latest"]))
        answers = await self.node.batch(calls)
        self._head = head_from(answers[0])
        for tx_hash, receipt in zip(watched, answers[1 : 1 + len(watched)], strict=True):
            if receipt is not None:
                self._mined(self._watched.pop(tx_hash), receipt)
        held = answers[1 + len(watched) :]
        # A pair that does not stand yet answers with nothing.
        balances = {
            step: int(answer, 16) if answer != "0x" else 0 for step, answer in zip(selling, held, strict=True)
        }
        for step in due:
            if self._has_position(step):
                balances[step] = int(self._onstage[step.launch.index].places.position is not None)
        return balances

    def _has_position(self, step: Step) -> bool:
        """Whether a step takes out a position, known from the listing's receipt, and no shares."""
        return step.act is Act.PULL and step.launch.protocol is not Protocol.V2

    async def _send(self, steps: list[Step], balances: dict[Step, int]) -> None:
        if not steps:
            return
        raw = [self._sign(step, balances.get(step, 0)) for step in steps]
        calls: list[tuple[str, list[Any]]] = [("eth_sendRawTransaction", [signed]) for signed in raw]
        answers = await self.node.batch(calls, return_errors=True)
        for step, answer in zip(steps, answers, strict=True):
            if isinstance(answer, NodeRefused):
                # The nonce was not used: ask the chain again before the account's next transaction.
                self._nonces.pop(step.account, None)
                self.note(f"{step.act} of {step.launch.name.symbol}: {answer.message}")
            elif step.act in (Act.LIST, Act.PULL):
                self._watched[answer] = step

    def _sign(self, step: Step, balance: int) -> str:
        account = self.wallet.account(step.account)
        sender = self.wallet.address(step.account)
        nonce = self._nonces[step.account]
        self._nonces[step.account] = nonce + 1
        if step.act is Act.DEPLOY:
            self._cast(step.launch, created_address(sender, nonce))
        onstage = self._onstage[step.launch.index]
        if step.act is (Act.CREATE_PAIR if step.launch.pair_first else Act.LIST):
            append_truth(self.truth_file, onstage.truth)
        to, data = call_of(step, onstage.places, sender, balance)
        assert self._head is not None
        tip = TIPS.get(step.act, USUAL_TIP)
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self.exchanges.chain_id,
            "nonce": nonce,
            "gas": GAS[step.act],
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * self._head.base_fee + tip,
            "value": step.wei,
            "data": data,
        }
        if to is not None:
            fields["to"] = to_checksum_address(to)
        return "0x" + account.sign_transaction(fields).raw_transaction.hex()

    def _cast(self, launch: PlannedLaunch, token: str) -> None:
        pool = planned_pool(launch, self.exchanges, token)
        places = Places(token, pool, self.wallet.address(FIRST_WHALE + launch.index))
        role, name = launch.role, launch.name
        truth = Truth(
            token, pool.id, role.kind, role.bad, name.name, name.symbol, protocol=launch.protocol.value
        )
        self._onstage[launch.index] = _Onstage(places, truth)

    def _mined(self, step: Step, receipt: dict[str, Any]) -> None:
        if receipt["status"] != "0x1":
            self.note(f"{step.act} of {step.launch.name.symbol} reverted")
            return
        onstage = self._onstage[step.launch.index]
        block = int(receipt["blockNumber"], 16)
        if step.act is Act.LIST:
            position = position_from(onstage.places.pool, receipt)
            onstage.places = replace(onstage.places, position=position)
            onstage.truth = replace(onstage.truth, launched_block=block)
        else:
            onstage.truth = replace(onstage.truth, rug_block=block)
        append_truth(self.truth_file, onstage.truth)
