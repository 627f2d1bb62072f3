"""Somebody's own word on a transaction that waits: a higher bid, or nothing in its place. Always under its nonce.

It goes the way of every remedy: recorded under the account's lock, then sent. A sniper that works on the account at the
same time holds no older truth: whichever of the two records first, the other finds its transaction replaced and leaves
it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import col, select

from sniper_cli.errors import ConfigurationError, OrderRefused
from sniper_cli.settings.model import Mode
from sniper_cli.trading.assembly import OpenDesk, open_desk
from sniper_cli.trading.lookup import find_transaction
from sniper_cli.trading.mending import apply_remedies
from sniper_cli.trading.transactions import COIN, GWEI, learned, whole_units
from state.identifiers import short
from state.orders import Order
from state.transactions import PENDING, SETTLED, ChainTransaction, Purpose

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head
    from sniper_cli.context import Context
    from sniper_cli.venues.evm.remedies import Replacement
    from sniper_cli.venues.evm.venue import EvmVenue
    from sniper_cli.venues.venue import Remedy

Agree = Callable[[str], None]
MOST_URGENCY = 3


@dataclass(frozen=True, slots=True)
class ReplacedView:
    """What takes a transaction's place. Fees in gwei per gas, money in whole coins."""

    id: UUID
    """The transaction that was replaced."""
    order_id: UUID
    account: str
    nonce: int
    purpose: str
    act: str
    """`speed_up` or `cancel`."""
    max_fee_before: Decimal
    max_fee: Decimal
    priority_fee_before: Decimal
    priority_fee: Decimal
    base_fee: Decimal
    gas_limit: int
    gas_at_most: Decimal
    channel: str
    tx_hash_before: str
    tx_hash: str | None
    state: str
    """Of what takes its place; `planned` in a rehearsal."""
    dry_run: bool


async def speed_up(
    context: Context,
    text: str,
    agree: Agree,
    *,
    urgency: int = 1,
    dry_run: bool = False,
    live: bool = False,
) -> ReplacedView:
    """The same call at the ladder's next rung, or what the urgency costs now if that is more.

    Raises NotFound, UsageProblem, OrderRefused, NetworkError, LiveNotConfirmed.
    """
    return await _replace(context, text, agree, ends=False, urgency=urgency, dry_run=dry_run, live=live)


async def cancel(
    context: Context, text: str, agree: Agree, *, dry_run: bool = False, live: bool = False
) -> ReplacedView:
    """A transfer of nothing to ourselves in its place. Raises as `speed_up`."""
    return await _replace(context, text, agree, ends=True, urgency=1, dry_run=dry_run, live=live)


async def _replace(
    context: Context, text: str, agree: Agree, *, ends: bool, urgency: int, dry_run: bool, live: bool
) -> ReplacedView:
    transaction, order = _named(context, text)
    _require_waiting(transaction, ends=ends)
    _require_chain(context)
    async with open_desk(context, live=live, recover=False, address=transaction.sender) as opened:
        _require_mine(opened, transaction)
        await _look(opened, order, transaction, writes=not dry_run)
        venue: EvmVenue = opened.venue  # type: ignore[assignment]
        head, remedy = await _remedy(venue, order, transaction, ends=ends, urgency=urgency)
        planned = _planned(opened, transaction, head, remedy, ends=ends)
        if dry_run:
            return planned
        agree(_question(planned))
        if not await apply_remedies(opened.desk, order.account_id, venue, [remedy]):
            _require_waiting(_named(context, str(transaction.id))[0], ends=ends)
            raise OrderRefused(
                "a higher bid would break the gas that the settings allow for a day",
                hint="sniper config get sniping.max_gas_per_day",
            )
    return _done(context, planned, transaction)


def _named(context: Context, text: str) -> tuple[ChainTransaction, Order]:
    with context.database.read() as session:
        transaction = find_transaction(session, text)
        order = None if transaction.order_id is None else session.get(Order, transaction.order_id)
        session.expunge_all()
    if order is None:
        raise OrderRefused(
            "the transaction belongs to no order, and only an order's is ever replaced",
            hint=f"sniper tx show {short(transaction.id)}",
        )
    return transaction, order


def _require_waiting(transaction: ChainTransaction, *, ends: bool) -> None:
    """Raise OrderRefused for what is in a block, given up or replaced already, and for an end that shall end."""
    hint = f"sniper tx show {short(transaction.id)}"
    if transaction.state in SETTLED:
        raise OrderRefused(
            f"it stands in block {transaction.block_number} already: a chain takes nothing back",
            hint=hint,
            block=transaction.block_number,
        )
    if transaction.state not in PENDING:
        raise OrderRefused(
            f"it is {transaction.state.value} and not meant any more: {transaction.error or 'no reason told'}",
            hint=hint,
        )
    if ends and transaction.purpose is Purpose.CANCEL:
        raise OrderRefused("it is itself the end of another: it can only be sped up", hint=hint)


def _require_chain(context: Context) -> None:
    if context.settings.mode is Mode.PAPER:
        raise ConfigurationError(
            f"the profile {context.profile!r} trades on paper; its transaction was sent by another",
            hint="sniper profile list",
        )


def _require_mine(opened: OpenDesk, transaction: ChainTransaction) -> None:
    if transaction.account_id != opened.account.id:
        raise OrderRefused(
            f"the transaction is of {transaction.sender}, this profile's wallet is {opened.account.address}",
            hint="sniper profile list",
        )


async def _look(opened: OpenDesk, order: Order, transaction: ChainTransaction, *, writes: bool) -> None:
    """Ask the chain first: what is mined meanwhile is written down, and refused. Raises OrderRefused, NetworkError."""
    venue: EvmVenue = opened.venue  # type: ignore[assignment]
    reports = await venue.report([order])
    if writes:
        opened.desk.apply(order.account_id, reports, {order.id: order.version})
    fates = [fate for report in reports for fate in report.details or ()]
    fate = next((fate for fate in fates if fate.transaction_id == transaction.id), None)
    if fate is not None and fate.state not in PENDING:
        # The row here belongs to no session: only what is refused is told by it.
        transaction.state, transaction.error = fate.state, fate.error
        transaction.block_number = fate.block_number
        _require_waiting(transaction, ends=False)


async def _remedy(
    venue: EvmVenue, order: Order, transaction: ChainTransaction, *, ends: bool, urgency: int
) -> tuple[Head, Remedy]:
    """The bid that every client takes in the place of the old one. Raises OrderRefused where the cap forbids it."""
    from sniper_cli.venues.evm import remedies as cures

    head = await venue.node.head()
    policy = await learned(venue.node, venue.policy)
    if ends:
        return head, cures.kill(order, transaction, head, policy, venue.address, "cancelled")
    wanted = min(MOST_URGENCY, max(0, urgency))
    return head, cures.hasten(order, transaction, head, policy, urgency=wanted, outbid_fee=None)


def _planned(
    opened: OpenDesk, transaction: ChainTransaction, head: Head, remedy: Remedy, *, ends: bool
) -> ReplacedView:
    cure: Replacement = remedy.details
    return ReplacedView(
        id=transaction.id,
        order_id=remedy.order_id,
        account=opened.account.name,
        nonce=transaction.nonce,
        purpose=transaction.purpose.value,
        act="cancel" if ends else "speed_up",
        max_fee_before=whole_units(transaction.max_fee, GWEI),
        max_fee=whole_units(cure.fees.max_fee, GWEI),
        priority_fee_before=whole_units(transaction.priority_fee, GWEI),
        priority_fee=whole_units(cure.fees.priority_fee, GWEI),
        base_fee=whole_units(head.base_fee, GWEI),
        gas_limit=cure.call.gas_limit,
        gas_at_most=whole_units(cure.call.gas_limit * cure.fees.max_fee, COIN),
        channel=cure.channel.value,
        tx_hash_before=transaction.tx_hash,
        tx_hash=None,
        state="planned",
        dry_run=True,
    )


def _question(planned: ReplacedView) -> str:
    what = "Cancel" if planned.act == "cancel" else "Speed up"
    return (
        f"{what} the {planned.purpose} under nonce {planned.nonce} of {planned.account}: "
        f"{planned.max_fee:f} gwei per gas at most instead of {planned.max_fee_before:f}, "
        f"up to {planned.gas_at_most:f} coins for gas?"
    )


def _done(context: Context, planned: ReplacedView, old: ChainTransaction) -> ReplacedView:
    """What stands under the nonce now."""
    with context.database.read() as session:
        query = (
            select(ChainTransaction)
            .where(
                ChainTransaction.chain_id == old.chain_id,
                ChainTransaction.sender == old.sender,
                ChainTransaction.nonce == old.nonce,
            )
            .order_by(col(ChainTransaction.id).desc())
        )
        new = session.exec(query).first()
        assert new is not None
        return replace(planned, tx_hash=new.tx_hash, state=new.state.value, dry_run=False)


__all__ = ["ReplacedView", "cancel", "speed_up"]
