"""The sniper on a chain with 1-second blocks: how long from the pool's event to the verdict, and to the buy sent."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import BuySent, LaunchJudged, PositionOpened, SniperEvent
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state import schema
from state.accounts import VenueKind
from state.database import Database
from tests.chain_fixtures import KEYS
from tests.zoo import (
    LISTED,
    POOL_WEI,
    anvil_account,
    approve,
    calldata,
    deploy_token,
    propose_blocks_as_somebody,
    transact,
)

GOOD = 12
BAD = ("Sell99", "SellFlag", "GasGrief", "TaxFlip")
OWNER = anvil_account(9)
SECONDS_BETWEEN = 1.5
SETTINGS = SnipingSettings(max_open_positions=100, max_total_spend=100)


@dataclass
class Measured:
    """What the sniper told."""

    verdicts: list[int] = field(default_factory=list)
    purchases: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)

    def hear(self, event: SniperEvent) -> None:
        if isinstance(event, LaunchJudged):
            self.verdicts.append(event.latency_us)
        elif isinstance(event, BuySent):
            self.purchases.append(event.latency_us)
        elif isinstance(event, PositionOpened) and event.blocks_after_launch is not None:
            self.blocks.append(event.blocks_after_launch)


async def measure() -> dict[str, Any]:
    """List good and bad tokens one after the other and let the sniper at them."""
    measured, stop = Measured(), asyncio.Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        Database(f"sqlite:///{Path(folder) / 'bench.db'}") as database,
    ):
        schema.upgrade(database)
        async with Anvil(block_seconds=1) as anvil, Node(anvil.http_url, ws_url=anvil.ws_url) as node:
            exchange = await deploy_exchange(node)
            calls = await _prepare(node, exchange)
            sniper = await _sniper(database, node, exchange, measured)
            running = asyncio.create_task(sniper.run(stop))
            await asyncio.sleep(1.5)
            await _list_all(node, calls)
            await asyncio.sleep(2.5)
            stop.set()
            await running
    bought_next = sum(count == 1 for count in measured.blocks)
    return {
        "launches": f"{GOOD} good, {len(BAD)} bad",
        "event to verdict": _spread(measured.verdicts),
        "event to buy sent": _spread(measured.purchases),
        "bought in the next block": f"{bought_next} of {len(measured.blocks)}",
    }


async def _sniper(database: Database, node: Node, exchange: Exchange, measured: Measured) -> Sniper:
    signer = LocalSigner(KEYS[1])
    account = await ensure_evm_account(database, node, exchange, signer.address, "bench")
    venue = EvmVenue(database, node, exchange, signer, ExecutionPolicy.from_settings(SETTINGS))
    desk = OrderDesk(database, {VenueKind.EVM: venue}, limits=Limits.from_settings(SETTINGS))
    return Sniper(
        database,
        node,
        exchange,
        desk=desk,
        settings=SETTINGS,
        account=account,
        on_event=measured.hear,
        block_seconds=1,
    )


async def _prepare(node: Node, exchange: Exchange) -> list[dict[str, str]]:
    """Good tokens and bad ones among them; the calls that list them."""
    kinds = ["Normal"] * GOOD
    for place, kind in enumerate(BAD):
        kinds.insert(3 * place + 1, kind)
    return [call for _, call in await prepare(node, exchange, kinds)]


async def prepare(node: Node, exchange: Exchange, kinds: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Deploy all tokens beforehand; each with the call that lists it. After that a block a second."""
    await node.call("evm_setIntervalMining", [0])
    await node.call("evm_setAutomine", [True])
    await propose_blocks_as_somebody(node)
    calls = []
    for kind in kinds:
        token = await deploy_token(node, kind, account=OWNER)
        await approve(node, exchange, token, OWNER)
        await transact(node, OWNER, token, calldata("setPair(address)", exchange.pool_of(token)))
        signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
        data = calldata(signature, token, LISTED, 0, 0, OWNER.address, 2**40)
        call = {
            "from": OWNER.address,
            "to": exchange.router,
            "data": data,
            "value": hex(POOL_WEI),
            "gas": hex(6_000_000),
        }
        calls.append((token, call))
    await node.call("evm_setAutomine", [False])
    await node.call("evm_setIntervalMining", [1])
    return calls


async def _list_all(node: Node, calls: list[dict[str, str]]) -> None:
    """One listing every two blocks."""
    for call in calls:
        await node.call("eth_sendTransaction", [call])
        await asyncio.sleep(SECONDS_BETWEEN)


def _spread(microseconds: list[int]) -> str:
    """Median, 95th percentile and the worst, in milliseconds."""
    ordered = sorted(microseconds)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {median(ordered) / 1000:.1f} ms, p95 {high / 1000:.1f} ms, worst {ordered[-1] / 1000:.1f} ms"
