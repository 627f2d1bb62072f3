"""What to do about transactions without a fate. The rule above all: never a new nonce while the old may live.

the node does not know it, and it is still worth doing      the identical bytes again
the node does not know it, and it is too late for it        nothing, under the same nonce, at a higher bid
it waits too long, and it is still worth doing              the same call under the same nonce, at a higher bid
a purchase waits too long, and the cap allows no more       nothing, under the same nonce, with the last rung's room
no relay placed it in its blocks                            the same call under the same nonce, to the relay again
… and the settings let it out                               … to the mempool
a nonce before it is used by nobody                         nothing, under that nonce: no block takes what comes after
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.ladder import below, replacement_fees
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import OrderRefused
from sniper_cli.venues.evm.calls import Call
from sniper_cli.venues.evm.nonces import mined_count
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Remedy, RemedyKind
from state.orders import Side
from state.transactions import PENDING, ChainTransaction, Channel, Purpose, TransactionState

SELF_TRANSFER_GAS = 21_000
GAP_BLOCKS = 2
"""What is missing before a transaction may only be on its way: so many blocks later it is not."""
BEHIND_BLOCKS = 2
"""A purchase right behind a waiting transaction is left alone for so many blocks: raised, it would come before it."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """What `record_remedy` signs in place of a transaction, or ahead of it."""

    replaced: ChainTransaction
    call: Call
    fees: Fees
    planned_block: int
    deadline: int | None
    channel: Channel = Channel.PUBLIC
    nonce: int | None = None
    """Another nonce than that of what waits, which stays."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A pending transaction and what the node knows of it."""

    order: AnyOrder
    transaction: ChainTransaction
    known: bool
    """The node has it in its pool."""
    next_to_mine: bool
    """Nothing of ours stands before it: if it waits, it waits for its bid."""
    gap: int | None = None
    """The next nonce to be mined, where it lies before this one and nothing is known under it."""


async def examine(
    node: Node, address: str, orders: Sequence[AnyOrder], transactions: Sequence[ChainTransaction]
) -> tuple[Head, list[Patient]]:
    """Which pending transactions the node knows, lowest nonce first. What is mined several nodes must say alike."""
    pending = sorted((t for t in transactions if t.state in PENDING), key=lambda t: t.nonce)
    by_id = {order.id: order for order in orders}
    head = await node.head()
    answers = await node.batch(
        [
            ("eth_getTransactionCount", [address, "latest"]),
            ("eth_getTransactionCount", [address, "pending"]),
            *(("eth_getTransactionByHash", [t.tx_hash]) for t in pending),
        ]
    )
    mined = await mined_count(node, address, int(answers[0], 16))
    # Somebody's transaction under the next nonce is no gap, whoever's it is.
    empty = int(answers[1], 16) <= mined and not any(t.nonce == mined for t in pending)
    gap = mined if empty and pending and pending[0].nonce > mined else None
    patients = [
        Patient(by_id[t.order_id], t, known is not None, t.nonce == mined, gap if t is pending[0] else None)
        for t, known in zip(pending, answers[2:], strict=True)
        if t.order_id in by_id
    ]
    return head, patients


def remedy_for(patient: Patient, head: Head, policy: ExecutionPolicy, address: str) -> Remedy | None:
    """What to do about one pending transaction; None where patience is right, or the fee cap leaves nothing else."""
    try:
        return _remedy(patient, head, policy, address)
    except OrderRefused as refused:
        del refused  # the cap is reached: it waits for the base fee to fall
        return None


def _remedy(patient: Patient, head: Head, policy: ExecutionPolicy, address: str) -> Remedy | None:
    transaction, order = patient.transaction, patient.order
    if patient.gap is not None and _waited(transaction, head) >= GAP_BLOCKS:
        return fill(order, transaction, head, policy, address, patient.gap)
    late = _too_late(order, transaction, head, policy)
    if late and transaction.purpose is not Purpose.CANCEL and _is_overdue(patient, head, policy):
        return kill(order, transaction, head, policy, address, late)
    if transaction.channel is not Channel.PUBLIC:
        return _hidden(patient, head, policy)
    follows = _follows(order, transaction, head)
    if not patient.known:
        if (
            transaction.max_fee < head.base_fee and not follows
        ):  # nodes refuse or evict what no block can hold
            return _raise(patient, head, policy, address, "the base fee rose above its bid")
        return Remedy(order.id, RemedyKind.RESEND, "the node does not know it")
    if follows or not _is_overdue(patient, head, policy):
        return None
    return _raise(patient, head, policy, address, f"not mined after {_waited(transaction, head)} blocks")


def _follows(order: AnyOrder, transaction: ChainTransaction, head: Head) -> bool:
    """Whether it still waits behind another's transaction, whose bid it must not pass."""
    age = head.number - (transaction.planned_block if transaction.planned_block is not None else head.number)
    return age <= BEHIND_BLOCKS and bool(order.reason.get("behind"))


def _waited(transaction: ChainTransaction, head: Head) -> int:
    return head.number - (transaction.sent_block or transaction.planned_block or head.number)


def _is_overdue(patient: Patient, head: Head, policy: ExecutionPolicy) -> bool:
    """Nobody holds it, or it waits for nothing but its bid, and has for long."""
    if not patient.known:
        return True
    return patient.next_to_mine and _waited(patient.transaction, head) >= policy.stuck_blocks


def _hidden(patient: Patient, head: Head, policy: ExecutionPolicy) -> Remedy | None:
    """What to do about a transaction that only a relay knows: nothing while its blocks last, then anew."""
    transaction, order = patient.transaction, patient.order
    if transaction.state is TransactionState.RECORDED:
        return Remedy(order.id, RemedyKind.RESEND, "its relay is not known to have it")
    if head.number < (transaction.until_block or 0) or not patient.next_to_mine:
        return None
    age = head.number - (transaction.planned_block if transaction.planned_block is not None else head.number)
    out = policy.public_after_blocks and age >= policy.public_after_blocks
    channel = Channel.PUBLIC if out else transaction.channel
    why = f"no relay placed it in {age} blocks" + (": to the mempool, as the settings say" if out else "")
    fees = _higher(order, transaction, head, policy, urgency=0)
    return _replace(order, transaction, head, fees, why, channel=channel)


def kill(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    address: str,
    why: str,
) -> Remedy:
    """A transfer of nothing to ourselves under the same nonce. Raises OrderRefused where the fee cap forbids it.

    It goes to the mempool whatever way the other went: it tells nobody anything, and there it is mined soonest.
    """
    call = Call(Purpose.CANCEL, address, "0x", 0, SELF_TRANSFER_GAS)
    previous = Fees(transaction.max_fee, transaction.priority_fee)
    fees = replacement_fees(
        previous,
        policy.bid(head, urgency=1, side=order.side),
        max_fee_cap=policy.cap_of(order.side),
        step_bps=policy.ladder_step_bps,
    )
    return Remedy(order.id, RemedyKind.KILL, why, Replacement(transaction, call, fees, head.number, None))


def fill(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    address: str,
    nonce: int,
) -> Remedy:
    """A transfer of nothing under a nonce that nobody uses, bid like what waits behind it. Raises OrderRefused."""
    call = Call(Purpose.CANCEL, address, "0x", 0, SELF_TRANSFER_GAS)
    why = f"no transaction is known under nonce {nonce}, which comes before it"
    cure = Replacement(
        transaction, call, policy.bid(head, urgency=1, side=order.side), head.number, None, nonce=nonce
    )
    return Remedy(order.id, RemedyKind.FILL, why, cure)


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
    fees = _higher(order, transaction, head, policy, urgency=urgency, outbid_fee=outbid_fee)
    return _replace(order, transaction, head, fees, "hastened", channel=transaction.channel)


def _raise(patient: Patient, head: Head, policy: ExecutionPolicy, address: str, why: str) -> Remedy:
    """The next rung; where there is none, a purchase ends, and everything else waits for the base fee to fall."""
    order, transaction = patient.order, patient.transaction
    try:
        fees = _higher(order, transaction, head, policy, urgency=0)
    except OrderRefused as at_its_end:
        if order.side is not Side.BUY or transaction.purpose is not Purpose.BUY:
            raise
        ended = f"{why}, and the cap allows no higher bid"
        try:
            return kill(order, transaction, head, policy, address, ended)
        except OrderRefused:
            raise at_its_end from None
    return _replace(order, transaction, head, fees, why, channel=transaction.channel)


def _replace(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    fees: Fees,
    why: str,
    *,
    channel: Channel,
) -> Remedy:
    call = Call(
        transaction.purpose, transaction.to, transaction.data, transaction.value, transaction.gas_limit
    )
    replacement = Replacement(transaction, call, fees, head.number, transaction.deadline, channel)
    return Remedy(order.id, RemedyKind.REPLACE, why, replacement)


def _higher(
    order: AnyOrder,
    transaction: ChainTransaction,
    head: Head,
    policy: ExecutionPolicy,
    *,
    urgency: int,
    outbid_fee: int | None = None,
) -> Fees:
    """The next rung under the cap of this order. A purchase's ladder ends a rung early: its end needs one too."""
    cap = policy.fee_cap(order.side, transaction.gas_limit)
    if transaction.purpose is Purpose.BUY:
        cap = min(cap, below(policy.max_fee, policy.ladder_step_bps))
    return replacement_fees(
        Fees(transaction.max_fee, transaction.priority_fee),
        policy.bid(head, urgency=urgency, outbid_fee=outbid_fee, side=order.side),
        max_fee_cap=cap,
        step_bps=policy.ladder_step_bps,
    )


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
