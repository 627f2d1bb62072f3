"""Our transactions for people: what each bids against the base fee of now, where it waits, and what happens next.

What stands in the record is read first; the node is asked only where something of the profile's chain still waits. A
node that does not answer takes away what only it knows, never the list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.errors import ConfigurationError, NetworkError
from sniper_cli.moments import parse_moment
from sniper_cli.settings.model import Mode
from sniper_cli.trading.amounts import trimmed
from sniper_cli.trading.lookup import find_account_named, find_order, find_transaction
from state.accounts import Account, Instrument
from state.columns import utc_now
from state.identifiers import short
from state.leases import Lease
from state.orders import Order
from state.transactions import PENDING, SETTLED, ChainTransaction, Channel

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head, Node
    from sniper_cli.context import Context
    from sniper_cli.venues.evm.outlook import Outlook
    from sniper_cli.venues.evm.policy import ExecutionPolicy
    from sniper_cli.venues.evm.remedies import Patient

GWEI, COIN = 9, 18


@dataclass(frozen=True, slots=True)
class TransactionView:
    """One signed transaction. Fees in gwei per gas, money in whole coins."""

    id: UUID
    created_at: datetime
    account: str
    chain_id: int
    sender: str
    nonce: int
    purpose: str
    state: str
    order_id: UUID | None
    instrument: str | None
    channel: str
    relay: str | None
    until_block: int | None
    max_fee: Decimal
    priority_fee: Decimal
    gas_limit: int
    value: Decimal
    gas_at_most: Decimal
    """What its gas costs at worst: the limit at the fee cap."""
    gas_used: int | None
    gas_cost: Decimal | None
    block_number: int | None
    deadline: datetime | None
    tx_hash: str
    to: str
    error: str | None
    age_blocks: int | None = None
    """Blocks since it was last sent, or planned if it never was."""
    base_fee: Decimal | None = None
    """Of the newest block."""
    headroom_pct: Decimal | None = None
    """How far its fee cap stands above that, in percent; negative: no block can take it now."""
    place: str = ""
    """Where it is: with the nodes, with a relay, nowhere, in a block, or gone."""
    next: str = ""
    """What is done about it next."""
    next_at_block: int | None = None
    next_max_fee: Decimal | None = None
    done_by: str = ""
    """Who does it: the sniper at work on the account, or whoever looks at the account next."""
    siblings: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    """Everything else signed under the same nonce, oldest first."""

    @property
    def short_id(self) -> str:
        return short(self.id)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the node said of a waiting transaction, and what follows."""

    patient: Patient
    head: Head
    outlook: Outlook


def transactions(
    context: Context,
    *,
    waiting: bool = False,
    account: str | None = None,
    order: str | None = None,
    since: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    asks: bool = True,
) -> tuple[list[TransactionView], str | None]:
    """Transactions, newest first, and why the node told nothing about them, if it did not.

    Without `asks` no node is: what stands in the record alone. Raises NotFound, UsageProblem.
    """
    moment = None if since is None else parse_moment(since)
    with context.database.read() as session:
        query = select(ChainTransaction).order_by(sa.desc(col(ChainTransaction.id)))
        if waiting:
            query = query.where(col(ChainTransaction.state).in_(PENDING))
        if account is not None:
            query = query.where(ChainTransaction.account_id == find_account_named(session, account).id)
        if order is not None:
            query = query.where(ChainTransaction.order_id == find_order(session, order).id)
        if moment is not None:
            query = query.where(ChainTransaction.created_at >= moment)
        if after is not None:
            query = query.where(ChainTransaction.id < find_transaction(session, after).id)
        rows = list(session.exec(query if limit is None else query.limit(limit)).all())
        views = [_view(session, row) for row in rows]
        session.expunge_all()
    seen, trouble = _ask(context, rows) if asks else ({}, None)
    return [_with_sight(view, seen.get(view.id)) for view in views], trouble


def transaction(context: Context, text: str) -> tuple[TransactionView, str | None]:
    """One transaction with everything signed under its nonce. Raises NotFound, UsageProblem."""
    with context.database.read() as session:
        row = find_transaction(session, text)
        view = replace(_view(session, row), siblings=tuple(_siblings(session, row)))
        session.expunge_all()
    seen, trouble = _ask(context, [row])
    return _with_sight(view, seen.get(row.id)), trouble


def _view(session: Session, row: ChainTransaction) -> TransactionView:
    order = None if row.order_id is None else session.get(Order, row.order_id)
    instrument = None if order is None else session.get(Instrument, order.instrument_id)
    lost = "another took its nonce" if row.state == "replaced" else "given up"
    return TransactionView(
        id=row.id,
        created_at=row.created_at,
        account=session.get_one(Account, row.account_id).name,
        chain_id=row.chain_id,
        sender=row.sender,
        nonce=row.nonce,
        purpose=row.purpose.value,
        state=row.state.value,
        order_id=row.order_id,
        instrument=None if instrument is None else instrument.symbol,
        channel=row.channel.value,
        relay=row.relay,
        until_block=row.until_block,
        max_fee=whole_units(row.max_fee, GWEI),
        priority_fee=whole_units(row.priority_fee, GWEI),
        gas_limit=row.gas_limit,
        value=whole_units(row.value, COIN),
        gas_at_most=whole_units(row.gas_limit * row.max_fee, COIN),
        gas_used=row.gas_used,
        gas_cost=None if row.gas_cost is None else whole_units(row.gas_cost, COIN),
        block_number=row.block_number,
        deadline=None if row.deadline is None else datetime.fromtimestamp(row.deadline, utc_now().tzinfo),
        tx_hash=row.tx_hash,
        to=row.to,
        error=row.error,
        place="in a block" if row.state in SETTLED else "not asked" if row.state in PENDING else lost,
        done_by=_done_by(session, row) if row.state in PENDING else "",
    )


def whole_units(units: int, decimals: int) -> Decimal:
    """Base units as whole ones, exact."""
    return trimmed(Decimal(units).scaleb(-decimals))


def _done_by(session: Session, row: ChainTransaction) -> str:
    """Whoever holds the account's lease looks at every block; without one, whoever comes next."""
    lease = session.get(Lease, f"sniper:{row.account_id}")
    return "the sniper at work" if lease is not None and lease.is_held(utc_now()) else "the next to look"


def _siblings(session: Session, row: ChainTransaction) -> list[dict[str, Any]]:
    same = select(ChainTransaction).where(
        ChainTransaction.chain_id == row.chain_id,
        ChainTransaction.sender == row.sender,
        ChainTransaction.nonce == row.nonce,
        ChainTransaction.id != row.id,
    )
    return [
        {
            "id": str(each.id),
            "purpose": each.purpose.value,
            "state": each.state.value,
            "max_fee": format(whole_units(each.max_fee, GWEI), "f"),
            "priority_fee": format(whole_units(each.priority_fee, GWEI), "f"),
            "tx_hash": each.tx_hash,
            "error": each.error,
        }
        for each in session.exec(same.order_by(col(ChainTransaction.id))).all()
    ]


# -- what the node knows --------------------------------------------------------------------------------------------


def _ask(context: Context, rows: Sequence[ChainTransaction]) -> tuple[dict[UUID, Seen], str | None]:
    """What the profile's node knows of those that wait; and why it does not, where it could not be asked."""
    settings = context.settings
    if settings.mode is Mode.PAPER:
        return {}, None
    mine = [row for row in rows if row.state in PENDING and row.chain_id == settings.chain.chain_id]
    if not mine:
        return {}, None
    try:
        return asyncio.run(_look(context, mine)), None
    except (NetworkError, ConfigurationError) as error:
        return {}, error.message


async def _look(context: Context, rows: Sequence[ChainTransaction]) -> dict[UUID, Seen]:
    from sniper_cli.trading.assembly import open_market
    from sniper_cli.venues.evm.outlook import outlook
    from sniper_cli.venues.evm.policy import ExecutionPolicy
    from sniper_cli.venues.evm.remedies import examine

    settings = context.settings
    policy = ExecutionPolicy.from_settings(settings.sniping, settings.fees, settings.chain.chain_id)
    with context.database.read() as session:
        ids = {row.order_id for row in rows}
        orders = list(session.exec(select(Order).where(col(Order.id).in_(ids))).all())
        session.expunge_all()
    found: dict[UUID, Seen] = {}
    async with open_market(context) as (node, _):
        policy = await learned(node, policy)
        for sender in {row.sender for row in rows}:
            mine = [row for row in rows if row.sender == sender]
            head, patients = await examine(node, sender, orders, mine)
            for patient in patients:
                told = outlook(patient, head, policy, sender, block_seconds=settings.chain.block_seconds)
                found[patient.transaction.id] = Seen(patient, head, told)
    return found


async def learned(node: Node, policy: ExecutionPolicy) -> ExecutionPolicy:
    """The policy with the market's tips, where its strategy bids by them. Raises NetworkError."""
    from sniper_cli.chains.fee_history import read_market
    from sniper_cli.venues.evm.policy import Strategy

    if policy.strategy is Strategy.FIXED:
        return policy
    return replace(policy, market=await read_market(node, policy.percentiles, policy.history_blocks))


def _with_sight(view: TransactionView, seen: Seen | None) -> TransactionView:
    if seen is None:
        return view
    transaction, head, told = seen.patient.transaction, seen.head, seen.outlook
    since = transaction.sent_block or transaction.planned_block
    over = Decimal(transaction.max_fee - head.base_fee) * 100 / head.base_fee if head.base_fee else None
    return replace(
        view,
        age_blocks=None if since is None else max(0, head.number - since),
        base_fee=whole_units(head.base_fee, GWEI),
        headroom_pct=None if over is None else round(over, 2),
        place=_place(seen.patient),
        next=told.words,
        next_at_block=told.at_block,
        next_max_fee=None if told.fees is None else whole_units(told.fees.max_fee, GWEI),
    )


def _place(patient: Patient) -> str:
    transaction = patient.transaction
    if transaction.channel is not Channel.PUBLIC:
        return f"with {transaction.relay}"
    if not patient.known:
        return "no node has it"
    return "next to be mined" if patient.next_to_mine else "behind another"


__all__ = ["TransactionView", "learned", "transaction", "transactions", "whole_units"]
