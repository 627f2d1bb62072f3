"""A deployer takes the liquidity of a token that is held: how often the sale is mined first, and how fast it is sent.

Blocks of one second; each removal is sent at another moment of the block, so that some come right before its end.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from sqlmodel import col, select

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.exits import ExitSettings
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import PendingRemoval, PositionOpened, SniperEvent
from sniper_cli.sniping.rules import ExitRule
from sniper_cli.sniping.runner import Sniper
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state import schema
from state.accounts import VenueKind
from state.database import Database
from state.orders import Order, Side
from state.transactions import ChainTransaction, Purpose
from tests.benchmarks.sniping import OWNER, _spread
from tests.chain_fixtures import KEYS
from tests.zoo import balance_of, calldata, list_token, propose_blocks_as_somebody, transact

TRIALS = 40
SETTINGS = SnipingSettings(
    max_open_positions=200,
    max_total_spend=200,
    level="daring",
    exits=ExitSettings(
        take_profit_pct=0, stop_loss_pct=0, trailing_pct=0, max_age_seconds=0, follow_up_blocks=()
    ),
)


@dataclass
class Heard:
    """What the sniper told, and when the sight of each removal came."""

    opened: dict[str, PositionOpened] = field(default_factory=dict)
    sights: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: SniperEvent) -> None:
        if isinstance(event, PositionOpened):
            self.opened[event.token] = event
            self.news.set()
        elif isinstance(event, PendingRemoval):
            self.sights[event.tx_hash] = perf_counter_ns()


class TimedDesk(OrderDesk):
    """Notes when each sale has been sent."""

    sent: dict[Any, int]

    async def give(self, venue: Any, order: Any) -> Any:
        given = await super().give(venue, order)
        self.sent.setdefault(order.position_key or str(order.id), perf_counter_ns())
        return given


async def measure() -> dict[str, Any]:
    """Buy, take the liquidity, look at the block; forty times."""
    heard, stop = Heard(), asyncio.Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        Database(f"sqlite:///{Path(folder) / 'bench.db'}") as database,
    ):
        schema.upgrade(database)
        async with Anvil() as anvil, Node(anvil.http_url, ws_url=anvil.ws_url) as node:
            exchange = await deploy_exchange(node)
            await propose_blocks_as_somebody(node)
            signer = LocalSigner(KEYS[1])
            account = await ensure_evm_account(database, node, exchange, signer.address, "bench")
            venue = EvmVenue(database, node, exchange, signer, ExecutionPolicy.from_settings(SETTINGS))
            desk = TimedDesk(database, {VenueKind.EVM: venue}, limits=Limits.from_settings(SETTINGS))
            desk.sent = {}
            sniper = Sniper(
                database, node, exchange, desk=desk, settings=SETTINGS, account=account, on_event=heard.hear,
                block_seconds=1,
            )  # fmt: skip
            running = asyncio.create_task(sniper.run(stop))
            await asyncio.sleep(1)
            ahead, removals = 0, []
            for trial in range(TRIALS):
                removal = await _trial(node, exchange, heard, trial)
                removals.append(removal)
            for removal in removals:
                ahead += await _ahead(node, database, removal)
            stop.set()
            await node.call("evm_setIntervalMining", [1])
            await running
            reactions = [
                (desk.sent[key] - heard.sights[removal[0]]) // 1000
                for removal, key in zip(removals, _keys(database, removals), strict=True)
                if key in desk.sent and removal[0] in heard.sights
            ]
    return {
        "removals outrun": f"{ahead} of {TRIALS}",
        "from the sight of a removal to the sale sent": _spread(reactions),
    }


async def _trial(node: Node, exchange: Exchange, heard: Heard, trial: int) -> tuple[str, str]:
    """One token bought, then robbed: the removal's hash and the token."""
    await node.call("evm_setIntervalMining", [0])
    await node.call("evm_setAutomine", [True])
    listing = await list_token(node, exchange, "Normal", account=OWNER)
    while listing.token not in heard.opened:
        heard.news.clear()
        await asyncio.wait_for(heard.news.wait(), 10)
    shares = await balance_of(node, listing.pool, OWNER.address)
    await transact(node, OWNER, listing.pool, calldata("approve(address,uint256)", exchange.router, 2**255))
    await node.call("evm_mine")
    await asyncio.sleep(0.3)
    await node.call("evm_setAutomine", [False])
    await node.call("evm_setIntervalMining", [1])
    begun = int(await node.call("eth_blockNumber"), 16)
    while int(await node.call("eth_blockNumber"), 16) == begun:  # noqa: ASYNC110 - the node is asked, nothing tells us
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.95 * trial / TRIALS)
    signature = "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, listing.token, shares, 0, 0, OWNER.address, 2**40)
    call = {
        "from": OWNER.address, "to": exchange.router, "data": data, "gas": hex(500_000),
        "maxFeePerGas": hex(50 * 10**9), "maxPriorityFeePerGas": hex(3 * 10**9),
    }  # fmt: skip
    sent = await node.call("eth_sendTransaction", [call])
    await asyncio.sleep(2.1)
    return sent, listing.token


async def _ahead(node: Node, database: Database, removal: tuple[str, str]) -> bool:
    """Whether a sale that fled from the removal, and from nothing else, was mined before it."""
    receipt = await node.call("eth_getTransactionReceipt", [removal[0]])
    with database.read() as session:
        query = (
            select(ChainTransaction.tx_hash, Order)
            .where(ChainTransaction.order_id == Order.id, ChainTransaction.purpose == Purpose.SELL)
            .where(col(ChainTransaction.data).contains(removal[1][2:]))
        )
        found = session.exec(query).all()
        hashes = [sent for sent, order in found if order.reason["rule"] == ExitRule.LIQUIDITY_PENDING]
    for tx_hash in hashes:
        mine = await node.call("eth_getTransactionReceipt", [tx_hash])
        if mine is not None and mine["status"] == "0x1" and _place(mine) < _place(receipt):
            return True
    return False


def _place(receipt: dict[str, str]) -> tuple[int, int]:
    return int(receipt["blockNumber"], 16), int(receipt["transactionIndex"], 16)


def _keys(database: Database, removals: list[tuple[str, str]]) -> list[str]:
    """The position of each robbed token."""
    with database.read() as session:
        sells = session.exec(select(Order).where(Order.side == Side.SELL).order_by(col(Order.id))).all()
        found = []
        for _, token in removals:
            query = select(ChainTransaction.order_id).where(
                ChainTransaction.purpose == Purpose.SELL, col(ChainTransaction.data).contains(token[2:])
            )
            order_id = session.exec(query).first()
            order = next((one for one in sells if one.id == order_id), None)
            found.append("" if order is None or order.position_id is None else order.position_id.hex)
    return found
