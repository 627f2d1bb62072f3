"""What became of transactions: read from the chain, compared with the record, told as reports.

What a purchase brought is the difference of `balanceOf` between the block and its parent, because the Transfer
events of a hostile token lie. The coins it took, and those that a sale brought, are told by the exchange's own
contracts (`pools.trades`), which no token can fake.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import SwapCall
from sniper_cli.pools.trades import coins_brought, coins_paid
from sniper_cli.routing.calls import coins_moved, is_route
from sniper_cli.venues.evm.instruments import pool_of
from sniper_cli.venues.venue import CostReport, FillReport, Report
from state.accounts import Instrument, evm_asset_id
from state.orders import OrderState
from state.transactions import SETTLED, ChainTransaction, Purpose, TransactionState

logger = logging.getLogger(__name__)

T = TransactionState
TRADES = frozenset({Purpose.BUY, Purpose.SELL})


@dataclass(frozen=True, slots=True)
class Fate:
    """What `settle` shall write about one transaction."""

    transaction_id: UUID
    state: TransactionState
    undone: bool = False
    """A reorganisation took it out of the block it was in."""
    block_number: int | None = None
    block_hash: str | None = None
    gas_used: int | None = None
    gas_cost: int | None = None
    error: str | None = None
    sent_block: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at the chain showed."""

    head: int
    mined_nonces: int
    """Transactions of ours that are in blocks; asked before the receipts, so that a missing receipt means something."""
    receipts: dict[UUID, dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Trade:
    """A mined, successful swap, and what it moved."""

    quantity: int
    notional: int
    at: datetime
    cross_check: str


async def look(node: Node, address: str, transactions: Sequence[ChainTransaction]) -> Sighting:
    """One request: the head, how many of our transactions are mined, and the receipts."""
    answers = await node.decided(
        [
            ("eth_blockNumber", []),
            ("eth_getTransactionCount", [address, "latest"]),
            *(("eth_getTransactionReceipt", [transaction.tx_hash]) for transaction in transactions),
        ]
    )
    receipts = {transaction.id: answer for transaction, answer in zip(transactions, answers[2:], strict=True)}
    return Sighting(int(answers[0], 16), int(answers[1], 16), receipts)


def fates(transactions: Sequence[ChainTransaction], sighting: Sighting) -> dict[UUID, Fate]:
    """What has changed about these transactions; nothing for those that are as recorded."""
    # The siblings of a transaction, its replacements, belong to the same order and so stand in the same list.
    mined_nonces = {t.nonce for t in transactions if sighting.receipts.get(t.id) is not None}
    found = (_fate(t, sighting, rival=t.nonce in mined_nonces) for t in transactions)
    return {fate.transaction_id: fate for fate in found if fate is not None}


def _fate(transaction: ChainTransaction, sighting: Sighting, *, rival: bool) -> Fate | None:
    receipt = sighting.receipts.get(transaction.id)
    was_mined = transaction.state in SETTLED
    if receipt is not None:
        if was_mined and receipt["blockHash"] == transaction.block_hash:
            return None
        return _mined(transaction, receipt, undone=was_mined)
    if was_mined:
        return Fate(transaction.id, T.SENT, undone=True, sent_block=sighting.head)
    if transaction.state is T.DROPPED or sighting.mined_nonces <= transaction.nonce:
        return None
    state = T.REPLACED if rival else T.DROPPED
    whose = "another transaction of ours" if rival else "a transaction that is not in the record"
    return (
        None if transaction.state is state else Fate(transaction.id, state, error=f"{whose} took its nonce")
    )


def _mined(transaction: ChainTransaction, receipt: Mapping[str, Any], *, undone: bool) -> Fate:
    gas_used = int(receipt["gasUsed"], 16)
    cost = gas_used * int(receipt["effectiveGasPrice"], 16) + int(receipt.get("l1Fee") or "0x0", 16)
    return Fate(
        transaction.id,
        T.MINED if receipt["status"] == "0x1" else T.REVERTED,
        undone=undone,
        block_number=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        gas_used=gas_used,
        gas_cost=cost,
    )


async def outcomes(
    node: Node,
    exchanges: Exchanges,
    address: str,
    transactions: Sequence[ChainTransaction],
    instruments: Mapping[UUID, Instrument],
    sighting: Sighting,
    changed: dict[UUID, Fate],
) -> tuple[dict[UUID, Trade], dict[UUID, str]]:
    """What the swaps moved that are mined now, and why others reverted. Raises NetworkError.

    A trade on an exchange that is not set up any more cannot be measured: its news are taken out of `changed`, and come
    again once it is.
    """
    trades: dict[UUID, Trade] = {}
    reverts: dict[UUID, str] = {}
    for transaction in transactions:
        fate, receipt = changed.get(transaction.id), sighting.receipts.get(transaction.id)
        if fate is None or receipt is None or transaction.order_id is None:
            continue
        if fate.state is T.MINED and transaction.purpose in TRADES:
            try:
                pool = pool_of(instruments[transaction.order_id], exchanges)
            except OrderRefused as error:
                logger.warning("what %s moved is not booked yet: %s", transaction.tx_hash, error.message)
                del changed[transaction.id]
                continue
            shared = _shares_block(transaction, transactions, sighting, instruments)
            trades[transaction.id] = await _measure(node, pool, address, transaction, receipt, shared=shared)
        elif fate.state is T.REVERTED and fate.block_number is not None:
            reverts[transaction.id] = await _why_reverted(node, transaction, fate.block_number)
    return trades, reverts


async def _measure(
    node: Node,
    pool: Pool,
    address: str,
    transaction: ChainTransaction,
    receipt: Mapping[str, Any],
    *,
    shared: bool = False,
) -> Trade:
    """What a mined swap moved; `shared`: another of ours moved the same token in the same block."""
    number = int(receipt["blockNumber"], 16)
    holder = {"to": pool.token, "data": abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [address])}
    block, after, before = await node.batch(
        [
            ("eth_getBlockByNumber", [hex(number), False]),
            ("eth_call", [holder, hex(number)]),
            ("eth_call", [holder, hex(number - 1)]),
        ],
        return_errors=True,
    )
    if isinstance(block, NodeRefused):
        raise block
    logged = _logged(receipt["logs"], pool.token, address)
    if isinstance(after, str) and isinstance(before, str):
        moved = int(after, 16) - int(before, 16)
        check = "equal" if moved == logged else f"the token's events say {logged}"
        if shared:
            moved, check = logged, "by events: another trade of ours in the same block"
    else:
        moved, check = logged, "by events: the node has no state of that block any more"
    buys = transaction.purpose is Purpose.BUY
    quantity = max(0, moved if buys else -moved)
    logs = receipt["logs"]
    notional = _coins(pool, transaction, logs, buys=buys)
    return Trade(quantity, notional, datetime.fromtimestamp(int(block["timestamp"], 16), UTC), check)


def _shares_block(
    transaction: ChainTransaction,
    transactions: Sequence[ChainTransaction],
    sighting: Sighting,
    instruments: Mapping[UUID, Instrument],
) -> bool:
    """Whether a balance after the block, less the one before it, counts another trade of ours, too."""

    def place(one: ChainTransaction) -> tuple[str, str] | None:
        receipt = sighting.receipts.get(one.id)
        if receipt is None or receipt["status"] != "0x1" or one.order_id is None:
            return None
        return receipt["blockHash"], instruments[one.order_id].base_asset

    others = (one for one in transactions if one.id != transaction.id and one.purpose in TRADES)
    return place(transaction) in {place(one) for one in others}


def _coins(pool: Pool, transaction: ChainTransaction, logs: Sequence[abi.Log], *, buys: bool) -> int:
    """Coins that went or came: through the pool, or along a route over several."""
    call = SwapCall(transaction.to.lower(), transaction.data, transaction.value)
    if call.to != pool.exchange.router or is_route(call.data):
        paid, brought = coins_moved(call, pool.exchange.wrapped, logs)
        return paid if buys else brought
    return coins_paid(pool, transaction.value, logs) if buys else coins_brought(pool, logs)


def _logged(logs: Sequence[Mapping[str, Any]], token: str, address: str) -> int:
    """What the token's events say reached us, less what left us."""
    moved = 0
    for log in logs:
        if log["address"].lower() != token or log["topics"][0] != abi.TRANSFER or len(log["topics"]) != 3:
            continue
        sender, recipient, amount = abi.transferred(log)
        moved += amount * ((recipient == address) - (sender == address))
    return moved


async def _why_reverted(node: Node, transaction: ChainTransaction, block_number: int) -> str:
    """The reason a mined transaction reverted: called again before its block, else after it (others came first)."""
    call = {
        "from": transaction.sender,
        "to": transaction.to,
        "data": transaction.data,
        "value": hex(transaction.value),
        "gas": hex(transaction.gas_limit),
    }
    again = [("eth_call", [call, hex(number)]) for number in (block_number - 1, block_number)]
    for answer in await node.batch(again, return_errors=True):
        if isinstance(answer, NodeRefused):
            return str(answer.details.get("message") or answer.message)
    return "called again it succeeds"


def report_of(
    order: AnyOrder,
    transactions: Sequence[ChainTransaction],
    changed: Mapping[UUID, Fate],
    trades: Mapping[UUID, Trade],
    reverts: Mapping[UUID, str],
) -> Report:
    """All that a look at the chain says of one order."""
    mine = [transaction for transaction in transactions if transaction.order_id == order.id]
    news = [changed[t.id] for t in mine if t.id in changed]
    state, why = _state(mine, changed, reverts)
    coin = evm_asset_id(mine[0].chain_id) if mine else ""
    mined = [t for t in mine if t.id in changed and changed[t.id].gas_cost is not None]
    fills = tuple(_fill(t, trades[t.id], changed[t.id], coin) for t in mined if t.id in trades)
    winner = next((t for t in mine if t.purpose in TRADES and _now(t, changed) in SETTLED), None)
    return Report(
        order_id=order.id,
        state=state,
        fills=fills,
        explanation=why,
        facts=_facts(mine, changed, trades),
        costs=tuple(CostReport(_key(t, changed[t.id]), coin, changed[t.id].gas_cost or 0) for t in mined),
        reversed=tuple(t.trade_id for t in mine if t.id in changed and changed[t.id].undone),
        venue_reference=winner.tx_hash
        if winner is not None and winner.tx_hash != order.venue_reference
        else None,
        details=tuple(news) or None,
    )


def _state(
    mine: Sequence[ChainTransaction], changed: Mapping[UUID, Fate], reverts: Mapping[UUID, str]
) -> tuple[OrderState, str | None]:
    trades = [t for t in mine if t.purpose in TRADES]
    nonces = {t.nonce for t in trades}
    for transaction in trades:
        state = _now(transaction, changed)
        if state is T.MINED:
            return OrderState.FILLED, None
        if state is T.REVERTED:
            reason = reverts.get(transaction.id) or transaction.error or "no reason given"
            return OrderState.REJECTED, f"the transaction reverted: {reason}"
    cancels = [t for t in mine if t.purpose is Purpose.CANCEL and t.nonce in nonces]
    if any(_now(t, changed) in SETTLED for t in cancels):
        return OrderState.DROPPED, "given up: a transaction of ours without effect was mined under its nonce"
    if trades and all(_now(t, changed) is T.DROPPED for t in trades):
        errors = [changed[t.id].error if t.id in changed else t.error for t in trades]
        return OrderState.DROPPED, next((error for error in errors if error), "it can no longer be mined")
    if any(_now(t, changed) is not T.RECORDED for t in trades):
        return OrderState.SENT, None
    return OrderState.RECORDED, None


def _now(transaction: ChainTransaction, changed: Mapping[UUID, Fate]) -> TransactionState:
    return changed[transaction.id].state if transaction.id in changed else transaction.state


def _key(transaction: ChainTransaction, fate: Fate) -> str:
    """The key of what a transaction did, counting the reorganisation that this very look has found."""
    if not fate.undone:
        return transaction.trade_id
    return f"{transaction.tx_hash}#{transaction.undone + 1}"


def _fill(transaction: ChainTransaction, trade: Trade, fate: Fate, coin: str) -> FillReport:
    return FillReport(
        venue_trade_id=_key(transaction, fate),
        quantity=trade.quantity,
        notional=trade.notional,
        fee_asset=coin,
        fee=0,  # the pool's fee is in the price; gas is a cost of its own
        at=trade.at,
    )


def _facts(
    mine: Iterable[ChainTransaction], changed: Mapping[UUID, Fate], trades: Mapping[UUID, Trade]
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for transaction in mine:
        fate = changed.get(transaction.id)
        if fate is not None and fate.block_number is not None:
            facts |= {"hash": transaction.tx_hash, "block": fate.block_number, "gas_cost": fate.gas_cost}
        if transaction.id in trades:
            facts["events"] = trades[transaction.id].cross_check
    return facts
