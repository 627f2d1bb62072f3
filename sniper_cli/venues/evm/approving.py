"""Which approvals of ours are called for, and which are loose: decided by the record, so that a restart decides alike.

An approval is called for while a position is open that its router would sell from; of several positions in one token
(V3 has a pool a fee) the router must be let take all. It is idle once none is open any more. What is idle is looked at
on the chain, all in one request, once a process where nothing is left of it; where something is, it is loose, and taken
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Node, head_from
from sniper_cli.errors import NodeRefused, OrderRefused
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.venues.evm.approvals import (
    allowance_of,
    allowance_questions,
    approvals_for,
    calls_of,
    left_of,
)
from sniper_cli.venues.evm.calls import APPROVE_GAS, SwapRequest
from sniper_cli.venues.evm.instruments import pool_of, token_of
from sniper_cli.venues.evm.policy import IN_TIME, ExecutionPolicy
from state.accounts import Instrument
from state.columns import utc_now
from state.orders import Order, OrderState, Side, working_orders
from state.positions import open_positions
from state.transactions import PENDING, ChainTransaction, Purpose, TransactionState

UNLIMITED = 2**128
"""More than any token has: what earlier editions approved. Of old ones only a command takes back what is left."""
LATELY = timedelta(days=1)
DEAREST_GAS = 3 * APPROVE_GAS
"""A token that makes its own revocation dearer than this is left alone: the approval is worth less than the gas."""


class Given(NamedTuple):
    """An approval, or the end of one, as it stands in the record."""

    id: UUID
    order_id: UUID
    purpose: Purpose
    state: TransactionState
    block: int | None
    amount: int

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING


class Wanted(NamedTuple):
    """What an open position needs approved."""

    pool: Pool
    quantity: int
    last: Given | None
    """The newest approval of the token to the pool's router, or its end."""


class Idle(NamedTuple):
    """An approval that no position is open for, and a pool whose router it lets take the token."""

    pool: Pool
    given: Given


class Loose(NamedTuple):
    """An approval that nothing needs any more, and something is left of."""

    order: Order
    """The last sale of what was approved: it bears the cost of taking it back."""
    pool: Pool
    """One whose router it lets take the token."""
    approval: UUID


def wanted_by(session: Session, order: AnyOrder, exchanges: Exchanges) -> Wanted | None:
    """What must be approved for the sale of what an order bought; None where nothing is held. Raises OrderRefused.

    None, too, where somebody took the approval back since the purchase: his word stands until the sale.
    """
    instrument = session.get_one(Instrument, order.instrument_id)
    pool = pool_of(instrument, exchanges)
    key = pool.token, swaps.spender(pool)
    quantity = _held(session, order.account_id, exchanges).get(key, 0)
    if not quantity:
        return None
    last = _given(session, order.account_id, pool.token).get(key)
    if last is not None and last.purpose is Purpose.REVOKE and last.id > order.id:
        return None
    return Wanted(pool, quantity, last)


async def plan_approval(
    node: Node, policy: ExecutionPolicy, address: str, wanted: Wanted
) -> SwapRequest | None:
    """What would be sent; None where the router may take so many already, or will. Raises NetworkError."""
    last = wanted.last
    waits = last is not None and last.is_pending and last.purpose is Purpose.APPROVE
    if last is not None and waits and last.amount >= wanted.quantity:
        return None
    block, pending, *told = await node.batch(
        [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getTransactionCount", [address, "pending"]),
            *allowance_questions(wanted.pool, address),
        ],
        return_errors=True,
    )
    for answer in (block, pending):
        if isinstance(answer, NodeRefused):
            raise answer
    allowance = last.amount if last is not None and waits else allowance_of(told)
    calls = await approvals_for(
        node, wanted.pool, address, wanted.quantity, allowance, at="pending" if waits else "latest"
    )
    if not calls:
        return None
    head = head_from(block)
    return SwapRequest(calls, policy.bid(head), int(pending, 16), head, 0)


def is_called_for(session: Session, order: AnyOrder, request: SwapRequest, exchanges: Exchanges) -> bool:
    """Whether an approval is still to be signed: nobody else has approved as much since it was planned."""
    wanted = wanted_by(session, order, exchanges)
    if wanted is None:
        return False
    last = wanted.last
    if last is None or last.purpose is not Purpose.APPROVE or last.amount < wanted.quantity:
        return True
    return not (last.is_pending or (last.block or 0) > request.head.number)


def candidates(
    session: Session, account_id: UUID, exchanges: Exchanges, clean: set[UUID], since: UUID | None = None
) -> tuple[list[Idle], UUID | None]:
    """The approvals since one (with it) that nothing needs, whatever may be left of them, but for those known `clean`.

    And where the next look begins: at the oldest of those that are not clean, or else at the newest of all.
    """
    held = _held(session, account_id, exchanges)
    at_work = _at_work(session, account_id)
    found, oldest, known = [], None, _given(session, account_id, since=since)
    for (token, spender), given in known.items():
        if given.id in clean or given.purpose is not Purpose.APPROVE:
            continue
        oldest = given.id if oldest is None else min(oldest, given.id)
        if given.is_pending or (token, spender) in held or token in at_work:
            continue
        pool = taken_through(token, spender, exchanges)
        if pool is not None:
            found.append(Idle(pool, given))
    return found, oldest or max((given.id for given in known.values()), default=None)


def loose(session: Session, idle: Sequence[Idle]) -> list[Loose]:
    """Those of which something is left, with the orders that bear the cost; not old ones without limit."""
    found = []
    for pool, given in idle:
        last = _last_sale(session, session.get_one(Order, given.order_id))
        if given.amount < UNLIMITED or utc_now() - last.updated_at <= LATELY:
            found.append(Loose(last, pool, given.id))
    return found


def is_loose(session: Session, account_id: UUID, loose: Loose, exchanges: Exchanges) -> bool:
    """Whether it is still to be taken back: nobody has since, and nothing new hangs on it."""
    token, key = loose.pool.token, (loose.pool.token, swaps.spender(loose.pool))
    given = _given(session, account_id, token).get(key)
    if given is None or given.id != loose.approval:
        return False
    return key not in _held(session, account_id, exchanges) and token not in _at_work(session, account_id)


def taken_through(token: str, spender: str, exchanges: Exchanges) -> Pool | None:
    """A pool, as far as an approval asks, whose router takes a token by way of a spender; None where none does.

    Not the instrument's own: a sale along a route goes through a router that need not be its pool's.
    """
    pools = (Pool(each, "", token, each.wrapped) for each in exchanges.listed)
    return next((pool for pool in pools if swaps.spender(pool) == spender), None)


async def plan_revocation(
    node: Node, policy: ExecutionPolicy, address: str, pool: Pool
) -> SwapRequest | None:
    """What would be sent; None where nothing is left of the approval. Raises OrderRefused, NetworkError."""
    calls = calls_of(swaps.revocation_calls(pool, address), Purpose.REVOKE)
    block, pending, estimate, *told = await node.batch(
        [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getTransactionCount", [address, "pending"]),
            ("eth_estimateGas", [{"from": address, "to": calls[0].to, "data": calls[0].data}, "latest"]),
            *allowance_questions(pool, address),
        ],
        return_errors=True,
    )
    for answer in (block, pending):
        if isinstance(answer, NodeRefused):
            raise answer
    if not left_of(told):
        return None
    if not isinstance(estimate, str) or int(estimate, 16) > DEAREST_GAS:
        why = "refuses it" if isinstance(estimate, NodeRefused) else f"asks {int(estimate, 16)} gas for it"
        raise OrderRefused(f"an approval cannot be taken back: {pool.token} {why}", token=pool.token)
    head = head_from(block)
    return SwapRequest(calls, policy.bid(head, urgency=IN_TIME), int(pending, 16), head, 0)


def _given(
    session: Session, account_id: UUID, token: str | None = None, since: UUID | None = None
) -> dict[tuple[str, str], Given]:
    """The newest approval, or its end, by token and by who may take it. What came to nothing is not one."""
    row = ChainTransaction
    query = (
        sa.select(
            col(row.id),
            col(row.order_id),
            col(row.purpose),
            col(row.state),
            col(row.block_number),
            col(row.to),
            col(row.data),
        )
        .where(
            col(row.account_id) == account_id,
            col(row.purpose).in_((Purpose.APPROVE, Purpose.REVOKE)),
            col(row.state).in_((*PENDING, TransactionState.MINED, TransactionState.REVERTED)),
        )
        .order_by(col(row.id))
    )
    if token is not None:
        query = query.where(col(row.to) == token)
    if since is not None:
        query = query.where(col(row.id) >= since)
    found: dict[tuple[str, str], Given] = {}
    for key, order_id, purpose, state, block, to, data in session.execute(query).all():
        failed = purpose is Purpose.APPROVE and state is TransactionState.REVERTED
        if order_id is None or failed or not data.startswith(abi.CALL_APPROVE):
            continue
        spender, amount = abi.topic_address("0x" + data[10:74]), int(data[74:138], 16)
        found[to, spender] = Given(key, order_id, purpose, state, block, amount)
    return found


def _held(session: Session, account_id: UUID, exchanges: Exchanges) -> dict[tuple[str, str], int]:
    """What is held, by token and by who would take it for its sale."""
    held: dict[tuple[str, str], int] = {}
    for position in open_positions(session, account_id):
        try:
            pool = pool_of(session.get_one(Instrument, position.instrument_id), exchanges)
        except OrderRefused:  # on an exchange that is not set up any more: its sale will say so
            continue
        key = pool.token, swaps.spender(pool)
        held[key] = held.get(key, 0) + max(0, position.quantity)
    return held


def _at_work(session: Session, account_id: UUID) -> set[str]:
    """The tokens of orders under way: what those need approved is not known yet."""
    found = set()
    for order in working_orders(session, account_id):
        instrument = session.get(Instrument, order.instrument_id)
        if instrument is not None:
            found.add(token_of(instrument))
    return found


def _last_sale(session: Session, order: Order) -> Order:
    """The newest filled sale in the same instrument; where there is none, the order itself."""
    query = (
        select(Order)
        .where(
            Order.account_id == order.account_id,
            Order.instrument_id == order.instrument_id,
            Order.side == Side.SELL,
            Order.state == OrderState.FILLED,
        )
        .order_by(col(Order.id).desc())
    )
    return session.exec(query).first() or order


__all__ = [
    "Given",
    "Idle",
    "Loose",
    "Wanted",
    "candidates",
    "is_called_for",
    "is_loose",
    "loose",
    "plan_approval",
    "plan_revocation",
    "taken_through",
    "wanted_by",
]
