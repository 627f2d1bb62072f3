"""The demo: a local chain, a staged market on it, and Sniper at work there as it would be anywhere.

The stage is a process of its own and shares nothing with the sniper but the chain. Whatever ends the demo (its
time, Ctrl-C, an error, kill -9), no process is left: the staging ends when its parent is gone, anvil is told by
the kernel. In a kept home the chain's state is a file, so a demo killed in its middle goes on where it was.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sniper_cli.chains.devnet.anvil import Anvil, end_process, spawn
from sniper_cli.chains.devnet.deploy import deploy_exchanges, wait_mined
from sniper_cli.chains.devnet.record import DevnetRecord, remove_record, write_record
from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.demo.home import NAME, signer_of
from sniper_cli.demo.report import DemoReport, balances, launch_lines, protocol_word, trade_lines
from sniper_cli.demo.stagehands import PROPOSER
from sniper_cli.demo.staging import SET
from sniper_cli.demo.truth import read_truth
from sniper_cli.errors import ConfigurationError
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.sniping.events import Listener
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.reconciliation import adjust
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy
from state.accounts import Account, VenueKind
from state.columns import timestamp, utc_now

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.venues.evm import Signer

PURSE = 10 * 10**18
"""What the demo's wallet gets to play with, in wei."""
BENEFACTOR = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
"""anvil's account 1, unlocked on it: where the purse comes from."""
SETTING_SECONDS = 30.0
"""How long the staging may take to begin."""
STAGE_SECONDS = 5.0
"""How long the staging may take to end when told to."""


class Demo:
    """One demo in one home. `stop` ends it early and in order: positions are closed, the ledger reconciled."""

    def __init__(
        self,
        context: Context,
        *,
        seed: int,
        duration: int | float,
        on_event: Listener,
        say: Callable[[str], None],
        port: int = 0,
    ) -> None:
        self._context = context
        self._seed = seed
        self._duration = duration
        self._on_event = on_event
        self._say = say
        self._port = port
        self._stop = asyncio.Event()
        self._working = False

    @property
    def working(self) -> bool:
        """Whether the sniper is at work: before, there is nothing to close."""
        return self._working

    def stop(self) -> None:
        """End early, in order."""
        self._stop.set()

    async def run(self) -> DemoReport:
        """The whole demo. Raises DevnetMissing, LeaseLost and whatever the sniper raises."""
        started = time.monotonic()
        async with AsyncExitStack() as stack:
            anvil = await stack.enter_async_context(self._anvil())
            timeout = float(self._context.settings.chain.request_seconds)
            node = await stack.enter_async_context(
                Node(anvil.http_url, ws_url=anvil.ws_url, timeout_seconds=timeout)
            )
            exchanges = await deploy_exchanges(node)
            # A chain taken up again has forgotten who proposes its blocks; no real chain's proposer is nobody.
            await node.call("anvil_setCoinbase", [PROPOSER])
            stack.enter_context(recorded(self._context.paths.data, anvil, exchanges))
            self._say(f"local chain at {anvil.http_url}, with {listed_words(exchanges)}")
            is_set = await stack.enter_async_context(self._staging(anvil))
            account, desk = await self._account(node, exchanges, signer_of(self._context))
            stack.callback(desk.close)
            await is_set()
            await self._snipe(node, exchanges, desk, account)
            return await self._report(desk, account, time.monotonic() - started)

    def _anvil(self) -> Anvil:
        paths = self._context.paths
        return Anvil(
            port=self._port,
            block_seconds=1,
            state_file=paths.data / "anvil-state.json",
            log_file=paths.state / "anvil.log",
            chain_id=self._context.settings.chain.chain_id,
        )

    async def _account(self, node: Node, exchanges: Exchanges, signer: Signer) -> tuple[Account, OrderDesk]:
        """The account with its purse, and the desk that trades it."""
        database, settings = self._context.database, self._context.settings.sniping
        await _fill_purse(node, signer.address)
        account = await ensure_evm_account(
            database, node, exchanges.listed[0], signer.address, NAME, actor=self._context.actor
        )
        venue = EvmVenue(database, node, exchanges, signer, ExecutionPolicy.from_settings(settings))
        desk = OrderDesk(database, {VenueKind.EVM: venue}, limits=Limits.from_settings(settings))
        return account, desk

    async def _snipe(self, node: Node, exchanges: Exchanges, desk: OrderDesk, account: Account) -> None:
        sniper = Sniper(
            self._context.database,
            node,
            exchanges.listed[0],
            exchanges=exchanges,
            desk=desk,
            settings=self._context.settings.sniping,
            account=account,
            on_event=self._on_event,
            block_seconds=self._context.settings.chain.block_seconds,
            close_at_end=True,
        )
        alarm = asyncio.get_running_loop().call_later(float(self._duration), self._stop.set)
        self._working = True
        try:
            await sniper.run(self._stop)
        finally:
            alarm.cancel()

    async def _report(self, desk: OrderDesk, account: Account, seconds: float) -> DemoReport:
        await adjust(desk, account.id)
        reconciliation = await desk.reconcile(account.id)
        truths = read_truth(self._truth_file)
        with self._context.database.read() as session:
            launches = launch_lines(session, self._context.settings.chain.chain_id, truths)
            trades = trade_lines(session, account.id)
        return DemoReport(
            seed=self._seed,
            duration_s=round(seconds, 1),
            launches=launches,
            trades=trades,
            **balances(reconciliation, account.reporting_asset),
        )

    @asynccontextmanager
    async def _staging(self, anvil: Anvil) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """The staging's process, and how to wait until it begins. It ends with the demo, or when we are gone."""
        command = [sys.executable, "-m", "sniper_cli.demo.staging", "--rpc", anvil.http_url]
        command += ["--seed", str(self._seed), "--duration", str(self._duration)]
        command += ["--truth", str(self._truth_file), "--start-index", str(len(read_truth(self._truth_file)))]
        log = self._context.paths.state / "staging.log"
        process = spawn(command, log)

        async def is_set() -> None:
            async with asyncio.timeout(SETTING_SECONDS):
                while SET not in log.read_text(errors="replace"):
                    if process.poll() is not None:
                        raise ConfigurationError(
                            f"the staging ended at once: {log.read_text(errors='replace').strip()[-200:]}",
                            hint="sniper doctor",
                        )
                    await asyncio.sleep(0.02)

        try:
            yield is_set
        finally:
            await asyncio.to_thread(end_process, process, STAGE_SECONDS)

    @property
    def _truth_file(self) -> Path:
        return self._context.paths.data / "truth.jsonl"


def listed_words(exchanges: Exchanges) -> str:
    """The exchanges in a sentence: `Uniswap V2, V3 and v4`."""
    *names, last = (protocol_word(each.protocol) for each in exchanges.listed)
    return f"Uniswap {', '.join(names)} and {last}" if names else f"Uniswap {last}"


async def _fill_purse(node: Node, address: str) -> None:
    """Send the demo's wallet its money, if it was never given any."""
    if int(await node.call("eth_getTransactionCount", [address, "latest"]), 16):
        return
    if int(await node.call("eth_getBalance", [address, "latest"]), 16):
        return
    gift = {"from": BENEFACTOR, "to": address, "value": hex(PURSE)}
    tx_hash = await node.call("eth_sendTransaction", [gift])
    await node.call("evm_mine")
    await wait_mined(node, tx_hash)


@contextmanager
def recorded(data: Path, anvil: Anvil, deployed: Exchanges | Exchange) -> Iterator[None]:
    """The record by which other commands in this home find the chain while it runs."""
    listed = (deployed,) if isinstance(deployed, Exchange) else deployed.listed
    exchange = listed[0]
    record = DevnetRecord(
        pid=anvil.pid,
        port=anvil.port,
        http_url=anvil.http_url,
        ws_url=anvil.ws_url,
        chain_id=exchange.chain_id,
        block_seconds=anvil.block_seconds,
        wrapped=exchange.wrapped,
        factory=exchange.factory,
        router=exchange.router,
        accounts=(BENEFACTOR,),
        state_file=str(anvil.state_file or ""),
        log_file=str(anvil.log_file or ""),
        started_at=timestamp(utc_now()),
        protocols=tuple(each.protocol.value for each in listed),
    )
    write_record(data, record)
    try:
        yield
    finally:
        remove_record(data)
