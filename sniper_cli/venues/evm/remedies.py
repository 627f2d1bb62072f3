"""What to do about transactions without a fate. The rule above all: never a new nonce while the old may live.

the node does not know it, and it is still worth doing      the identical bytes again
the node does not know it, and it is too late for it        nothing, under the same nonce, at a higher bid
it waits too long, and it is still worth doing              the same call under the same nonce, at a higher bid
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains.fees import Fees, quote_fees, replacement_fees
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import OrderRefused
from sniper_cli.venues.evm.planning import Call
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Remedy, RemedyKind
from state.orders import Side
from state.transactions import PENDING, ChainTransaction, Purpose

SELF_TRANSFER_GAS = 21_000


@dataclass(frozen=True, slots=True)
class Replacement:
    """What `record_remedy` signs in place of a transaction."""

    replaced: ChainTransaction
    call: Call
    fees: Fees
    planned_block: int
    deadline: int | None


@dataclass(frozen=True, slots=True)
class Patient:
    """A pending transaction and what the node knows of it."""

    order: AnyOrder
    transaction: ChainTransaction
    known: bool
    """The node has it in its pool."""
    next_to_mine: bool
    """Nothing of ours stands before it: if it waits, it waits for its bid."""


async def examine(
    node: Node, address: str, orders: Sequence[AnyOrder], transactions: Sequence[ChainTransaction]
) -> tuple[Head, list[Patient]]:
    """Which pending transactions the node knows."""
    pending = [t for t in transactions if t.state in PENDING]
    by_id = {order.id: order for order in orders}
    head = await node.head()
    answers = await node.batch(
        [
            ("eth_getTransactionCount", [address, "latest"]),
            *(("eth_getTransactionByHash", [t.tx_hash]) for t in pending),
        ]
    )
    mined = int(answers[0], 16)
    patients = [
        Patient(by_id[t.order_id], t, known is not None, t.nonce == mined)
        for t, known in zip(pending, answers[1:], strict=True)
        if t.order_id in by_id
    ]
    return head, sorted(patients, key=lambda patient: patient.transaction.nonce)


def remedy_for(patient: Patient, head: Head, policy: ExecutionPolicy, address: str) -> Remedy | None:
    """What to do about one pending transaction; None where patience is right, or the fee cap leaves nothing else."""
    try:
        return _remedy(patient, head, policy, address)
    except OrderRefused as refused:
        del refused  # the cap is reached: it waits for the base fee to fall
        return None


def _remedy(patient: Patient, head: Head, policy: ExecutionPolicy, address: str) -> Remedy | None:
    transaction, order = patient.transaction, patient.order
    late = _too_late(order, transaction, head, policy)
    if not patient.known:
        if late and transaction.purpose is not Purpose.CANCEL:
            return kill(order, transaction, head, policy, address, late)
        if transaction.max_fee < head.base_fee:  # nodes refuse or evict what no block can hold
            return _raise(order, transaction, head, policy, "the base fee rose above its bid")
        return Remedy(order.id, RemedyKind.RESEND, "the node does not know it")
    waited = head.number - (transaction.sent_block or transaction.planned_block or head.number)
    if not patient.next_to_mine or waited < policy.stuck_blocks:
        return None
    if late and transaction.purpose is not Purpose.CANCEL:
        return kill(order, transaction, head, policy, address, late)
    return _raise(order, transaction, head, policy, f"not mined after {waited} blocks")


def kill(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    address: str,
    why: str,
) -> Remedy:
    """A transfer of nothing to ourselves under the same nonce. Raises OrderRefused where the fee cap forbids it."""
    call = Call(Purpose.CANCEL, address, "0x", 0, SELF_TRANSFER_GAS)
    fees = _higher(transaction, head, policy, urgency=1)
    return Remedy(order.id, RemedyKind.KILL, why, Replacement(transaction, call, fees, head.number, None))


def hasten(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    *,
    urgency: int,
    outbid_fee: int | None,
) -> Remedy:
    """The same call at a higher bid. Raises OrderRefused where the fee cap forbids it."""
    fees = _higher(transaction, head, policy, urgency=urgency, outbid_fee=outbid_fee)
    return _replace(order, transaction, head, fees, "hastened")


def _raise(
    order: AnyOrder, transaction: ChainTransaction, head: Head, policy: ExecutionPolicy, why: str
) -> Remedy:
    fees = _higher(transaction, head, policy, urgency=0)
    return _replace(order, transaction, head, fees, why)


def _replace(order: AnyOrder, transaction: ChainTransaction, head: Head, fees: Fees, why: str) -> Remedy:
    call = Call(
        transaction.purpose, transaction.to, transaction.data, transaction.value, transaction.gas_limit
    )
    replacement = Replacement(transaction, call, fees, head.number, transaction.deadline)
    return Remedy(order.id, RemedyKind.REPLACE, why, replacement)


def _higher(
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    *,
    urgency: int,
    outbid_fee: int | None = None,
) -> Fees:
    market = quote_fees(
        head,
        priority_fee=policy.priority_fee,
        max_fee_cap=policy.max_fee,
        urgency=urgency,
        outbid_fee=outbid_fee,
    )
    previous = Fees(transaction.max_fee, transaction.priority_fee)
    return replacement_fees(previous, market, max_fee_cap=policy.max_fee)


def _too_late(
    order: AnyOrder, transaction: ChainTransaction, head: Head, policy: ExecutionPolicy
) -> str | None:
    """Why a transaction is not worth mining any more."""
    if transaction.deadline is not None and head.timestamp >= transaction.deadline:
        return "its deadline has passed"
    age = head.number - (transaction.planned_block if transaction.planned_block is not None else head.number)
    launch_buy = order.side is Side.BUY and order.launch_id is not None and transaction.purpose is Purpose.BUY
    if launch_buy and age > policy.stale_blocks:
        return f"a launch buy of {age} blocks ago"
    return None
