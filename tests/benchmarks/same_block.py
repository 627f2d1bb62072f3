"""Listings seen waiting, bought right behind: how many in the listing's own block, none before it, how fast.

Blocks of one second, ordered by fees; each listing is sent at another moment of its block, so that some come right
before its end and leave no time.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.exits import ExitSettings
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import BuySent, LaunchJudged, SniperEvent
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state import schema
from state.accounts import VenueKind
from state.database import Database
from tests.benchmarks.sniping import _spread, prepare
from tests.chain_fixtures import KEYS

LISTINGS = 40
APART = 2
"""Blocks from one listing to the next: the round of a block, and the judgement of what was just bought, lie between."""
LATEST = 0.95
"""The last moment of the block at which one is sent."""
BIDS = {"maxFeePerGas": hex(50 * 10**9), "maxPriorityFeePerGas": hex(3 * 10**9)}
SETTINGS = SnipingSettings(
    max_open_positions=200,
    max_total_spend=200,
    same_block="on",
    exits=ExitSettings(
        take_profit_pct=0, stop_loss_pct=0, trailing_pct=0, max_age_seconds=1, follow_up_blocks=()
    ),
)


@dataclass
class Heard:
    """What the sniper told, by token."""

    verdicts: dict[str, int] = field(default_factory=dict)
    purchases: dict[str, BuySent] = field(default_factory=dict)

    def hear(self, event: SniperEvent) -> None:
        if isinstance(event, LaunchJudged):
            self.verdicts.setdefault(event.token, event.latency_us)
        elif isinstance(event, BuySent):
            self.purchases[event.token] = event


@dataclass(frozen=True)
class Outcome:
    """Where a listing and its purchase were mined."""

    moment: float
    blocks_later: int
    places_behind: int
    went_through: bool


async def measure() -> dict[str, Any]:
    """One listing every two blocks, each a little later in its own."""
    heard, stop = Heard(), asyncio.Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        Database(f"sqlite:///{Path(folder) / 'bench.db'}") as database,
    ):
        schema.upgrade(database)
        async with Anvil(block_seconds=1) as anvil, Node(anvil.http_url, ws_url=anvil.ws_url) as node:
            exchange = await deploy_exchange(node)
            calls = await prepare(node, exchange, ["Normal"] * LISTINGS)
            running = asyncio.create_task((await _sniper(database, node, exchange, heard)).run(stop))
            await asyncio.sleep(1.5)
            sent = []
            for place, (token, call) in enumerate(calls):
                moment = LATEST * place / LISTINGS
                sent.append((token, moment, await _list(node, call, moment)))
            await asyncio.sleep(3)
            stop.set()
            await running
            outcomes = [await _outcome(node, heard, *each) for each in sent]
    return _told(heard, [each for each in outcomes if each is not None])


async def _sniper(database: Database, node: Node, exchange: Exchange, heard: Heard) -> Sniper:
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
        on_event=heard.hear,
        block_seconds=1,
    )


async def _list(node: Node, call: dict[str, str], moment: float) -> str:
    """Send a listing at a moment of the block after the next."""
    begun = int(await node.call("eth_blockNumber"), 16)
    while int(await node.call("eth_blockNumber"), 16) < begun + APART:  # noqa: ASYNC110 - the node is asked, nothing tells us
        await asyncio.sleep(0.005)
    await asyncio.sleep(moment)
    sent: str = await node.call("eth_sendTransaction", [call | BIDS])
    return sent


async def _outcome(node: Node, heard: Heard, token: str, moment: float, listing: str) -> Outcome | None:
    """Where both were mined; none where nothing was bought."""
    purchase = heard.purchases.get(token)
    if purchase is None:
        return None
    listed, bought = [
        await node.call("eth_getTransactionReceipt", [tx_hash]) for tx_hash in (listing, purchase.tx_hash)
    ]
    if bought is None:
        return None
    return Outcome(
        moment,
        int(bought["blockNumber"], 16) - int(listed["blockNumber"], 16),
        int(bought["transactionIndex"], 16) - int(listed["transactionIndex"], 16),
        bought["status"] == "0x1",
    )


def _told(heard: Heard, outcomes: list[Outcome]) -> dict[str, Any]:
    same = [each for each in outcomes if each.blocks_later == 0 and each.places_behind > 0]
    early = [each for each in outcomes if (each.blocks_later, each.places_behind) < (0, 0)]
    missed = [each.moment for each in outcomes if each.blocks_later > 0]
    latencies = [event.latency_us for event in heard.purchases.values()]
    return {
        "listings": f"{LISTINGS}, from the block's begin to {LATEST} s into it",
        "bought": f"{sum(each.went_through for each in outcomes)} of {LISTINGS}",
        "in the listing's own block": f"{len(same)} of {LISTINGS}",
        "… places behind it, our own sales before it": ", ".join(
            f"{places}: {count}" for places, count in sorted(Counter(e.places_behind for e in same).items())
        ),
        "before the listing": str(len(early)),
        "missed, sent at (s)": ", ".join(f"{moment:.2f}" for moment in missed) or "none",
        "sight to verdict": _spread(list(heard.verdicts.values())),
        "sight to buy sent": _spread(latencies),
    }
